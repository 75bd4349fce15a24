/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/doc.h"

#define FILE_MAX ((size_t)1 << 20)

/** The first error libcyaml logs, and the innermost place of its backtrace. */
struct complaint {
	char text[256];
	unsigned line, column;
};

#define PLACE_LINE   "(line: "
#define PLACE_COLUMN ", column: "

/** Read "(line: N, column: N"; the first place counts. Numbers it cannot hold give no place. */
static void place_take(struct complaint *complaint, const char *at)
{
	unsigned long line, column;
	char *end;

	if (!at || complaint->line)
		return;
	line = strtoul(at + strlen(PLACE_LINE), &end, 10);
	if (strncmp(end, PLACE_COLUMN, strlen(PLACE_COLUMN)) != 0)
		return;
	column = strtoul(end + strlen(PLACE_COLUMN), NULL, 10);
	if (line > UINT_MAX || column > UINT_MAX)
		return;
	complaint->line = (unsigned)line;
	complaint->column = (unsigned)column;
}

/** What libcyaml would print goes into the error instead. */
__attribute__((format(printf, 3, 0))) static void complaint_take(cyaml_log_t level, void *ctx,
                                                                 const char *fmt, va_list args)
{
	struct complaint *complaint = ctx;
	char text[256];

	if (level < CYAML_LOG_ERROR)
		return;
	(void)vsnprintf(text, sizeof(text), fmt, args); /* shortening is fine here */
	text[strcspn(text, "\n")] = '\0';
	if (!complaint->text[0])
		(void)snprintf(complaint->text, sizeof(complaint->text), "%s",
		               strncmp(text, "Load: ", 6) ? text : text + 6);
	place_take(complaint, strstr(text, PLACE_LINE));
}

static cyaml_config_t cyaml_settings(struct complaint *complaint)
{
	return (cyaml_config_t){ .log_fn = complaint_take,
		                 .log_ctx = complaint,
		                 .mem_fn = cyaml_mem,
		                 .log_level = CYAML_LOG_ERROR,
		                 .flags = CYAML_CFG_NO_ALIAS };
}

static int load_struct(const struct config_doc *doc, const char *data, size_t len,
                       const cyaml_schema_value_t *schema, void **ret, struct base_error *err)
{
	struct complaint complaint = { .text = "" };
	cyaml_config_t settings = cyaml_settings(&complaint);
	cyaml_err_t why;
	void *loaded = NULL;

	if (!doc->root) { /* an empty file is an empty mapping */
		data = "{}";
		len = 2;
	}
	why = cyaml_load_data((const uint8_t *)data, len, &settings, schema, &loaded, NULL);
	if (why == CYAML_ERR_OOM)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "out of memory");
	if (why != CYAML_OK)
		return config_refuse_at(doc, err, complaint.line, complaint.column, "%s",
		                        complaint.text[0] ? complaint.text : cyaml_strerror(why));
	*ret = loaded;
	return 0;
}

int config_load_text(const char *name, const char *data, size_t len,
                     const cyaml_schema_value_t *schema, void **ret, struct config_doc **ret_doc,
                     struct base_error *err)
{
	struct config_doc *doc = NULL;
	int rc;

	base_error_place(err, name, 0, 0);
	if (len > FILE_MAX)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, EFBIG), "larger than %zu octets",
		                      FILE_MAX);
	rc = config_doc_read(name, data, len, &doc, err);
	if (!rc)
		rc = config_schema_check(doc, schema, err);
	if (!rc)
		rc = load_struct(doc, data, len, schema, ret, err);
	if (rc || !ret_doc)
		config_doc_free(doc);
	else
		*ret_doc = doc;
	return rc;
}

int config_load(const char *path, const cyaml_schema_value_t *schema, void **ret,
                struct config_doc **ret_doc, struct base_error *err)
{
	char *data;
	size_t len;
	int rc = config_file_read(path, FILE_MAX, &data, &len, err);

	if (rc)
		return rc;
	rc = config_load_text(path, data, len, schema, ret, ret_doc, err);
	free(data);
	return rc;
}

void config_free(const cyaml_schema_value_t *schema, void *ptr)
{
	struct complaint complaint = { .text = "" };
	cyaml_config_t settings = cyaml_settings(&complaint);

	if (ptr)
		(void)cyaml_free(&settings, schema, ptr, 0); /* fails only on NULL arguments */
}

static int refuse_file(const char *path, struct base_error *err, int why, const char *what)
{
	base_error_place(err, path, 0, 0);
	return base_error_set(err, BASE_ERR(BASE_CONFIG, why), "cannot %s: %s", what,
	                      strerror(why));
}

/** Read to the end or to the limit. @return 0, or an errno. */
static int read_all(int fd, size_t max, struct base_writer *w)
{
	ssize_t n;

	w->limit = max + 2; /* one octet to notice that it is too long, one for the end mark */
	do {
		size_t want = BASE_MIN((size_t)16384, max + 1 - w->len);

		if (!base_writer_reserve(w, want + 1))
			return ENOMEM;
		n = read(fd, w->data + w->len, want);
		if (n < 0 && errno != EINTR)
			return errno;
		if (n > 0)
			w->len += (size_t)n;
		if (w->len > max)
			return EFBIG;
	} while (n);
	w->data[w->len] = '\0';
	return 0;
}

static int file_read(const char *path, size_t max, struct stat *st, struct base_writer *w,
                     struct base_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int why;

	if (fd < 0)
		return refuse_file(path, err, errno, "open");
	why = fstat(fd, st) ? errno : read_all(fd, max, w);
	(void)close(fd); /* opened for reading: nothing can be lost */
	if (why == ENOMEM)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "out of memory");
	return why ? refuse_file(path, err, why, "read") : 0;
}

int config_file_read(const char *path, size_t max, char **ret, size_t *ret_len,
                     struct base_error *err)
{
	struct base_writer w = { .data = NULL };
	struct stat st = { .st_mode = 0 };
	int rc = file_read(path, max, &st, &w, err);

	if (rc) {
		base_writer_done(&w);
		return rc;
	}
	*ret = (char *)w.data;
	*ret_len = w.len;
	return 0;
}

/* A secret's text becomes its octets; `err` has the file's name. */
typedef int decode_fn(struct base_str text, struct base_secret *ret, struct base_error *err);

static int hex_decode(struct base_str hex, struct base_secret *ret, struct base_error *err)
{
	int rc;

	hex = base_str_trim(hex);
	if (hex.len < 2)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "no hex digits in it");
	ret->data = malloc(hex.len / 2);
	if (!ret->data)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "out of memory");
	rc = base_hex_decode(hex, ret->data, hex.len / 2, &ret->len);
	if (!rc)
		return 0;
	ret->len = hex.len / 2; /* wipe all of it */
	return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
	                      "must hold an even number of hex digits and nothing else");
}

static int line_decode(struct base_str line, struct base_secret *ret, struct base_error *err)
{
	while (line.len && (line.ptr[line.len - 1] == '\n' || line.ptr[line.len - 1] == '\r'))
		line.len--;
	if (base_secret_set(ret, line.ptr, line.len))
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "out of memory");
	return 0;
}

static int secret_read(const char *path, size_t max, decode_fn *decode, struct base_secret *ret,
                       struct base_error *err)
{
	struct base_secret secret = { .data = NULL };
	struct base_writer w = { .data = NULL };
	struct stat st = { .st_mode = 0 };
	int rc;

	/* Room for all of it at once: growing would leave copies behind that nobody wipes. */
	if (!base_writer_reserve(&w, max + 2))
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "out of memory");
	rc = file_read(path, max, &st, &w, err);
	base_error_place(err, path, 0, 0);
	if (!rc && st.st_mode & 007)
		rc = base_error_set(err, BASE_ERR(BASE_CONFIG, EACCES),
		                    "a secret that others can read or write; chmod o-rwx it");
	if (!rc)
		rc = decode(base_writer_view(&w), &secret, err);
	base_wipe(w.data, w.len);
	base_writer_done(&w);
	if (rc) {
		base_secret_done(&secret);
		return rc;
	}
	base_secret_done(ret);
	*ret = secret;
	return 0;
}

int config_secret_read(const char *path, struct base_secret *ret, struct base_error *err)
{
	return secret_read(path, 65535, hex_decode, ret, err);
}

int config_password_read(const char *path, struct base_secret *ret, struct base_error *err)
{
	return secret_read(path, 1024, line_decode, ret, err);
}
