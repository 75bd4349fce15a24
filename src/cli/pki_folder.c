/* SPDX-License-Identifier: Apache-2.0 */
/** @file The folder of an authority: index, numbers, certificates (invariants: pki_folder.h). */
#include "cli/pki_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "cli/pki_delta.h"
#include "cli/pki_key.h"

#define INDEX_HEAD                                                                                 \
	"# gatehouse pki index 1: state, serial, not after, revoked at, reason, kind, subject\n"

static int no_memory(struct base_error *err)
{
	return base_error_set(err, BASE_ERR(BASE_LOCAL, ENOMEM), "out of memory");
}

/* -- the index ------------------------------------------------------------------------------- */

static struct pki_row *row_new(struct pki_ca *ca)
{
	if (ca->count == ca->cap) {
		size_t cap = ca->cap ? 2 * ca->cap : 64;
		struct pki_row *row = realloc(ca->row, cap * sizeof(*row));

		if (!row)
			return NULL;
		ca->row = row;
		ca->cap = cap;
	}
	ca->row[ca->count] = (struct pki_row){ .revoked = false };
	return &ca->row[ca->count++];
}

/* Copy a field that must fit. */
static bool field(char *into, size_t cap, const char *text)
{
	return text && (size_t)snprintf(into, cap, "%s", text) < cap;
}

/** One line, without its end, cut at its tabs. @return false when it is malformed */
static bool row_read(struct pki_row *row, char *line)
{
	char *part[7];
	size_t count = 0;
	uint8_t octets[X509_SERIAL_OCTETS];
	size_t len;

	for (char *at = line; at && count < BASE_COUNT(part); count++)
		part[count] = strsep(&at, "\t");
	if (count != BASE_COUNT(part) || !field(row->serial, sizeof(row->serial), part[1]) ||
	    base_hex_decode(base_str_of(row->serial), octets, sizeof(octets), &len) ||
	    len != sizeof(octets) || pki_time_parse(part[2], &row->until_s) ||
	    !field(row->kind, sizeof(row->kind), part[5]) ||
	    !field(row->subject, sizeof(row->subject), part[6]))
		return false;
	row->revoked = !strcmp(part[0], "R");
	if (!row->revoked)
		return !strcmp(part[0], "V");
	row->reason = x509_reason_parse(part[4]);
	return row->reason >= 0 && !pki_time_parse(part[3], &row->revoked_s);
}

static int index_read(struct pki_ca *ca, FILE *file, const char *path, struct base_error *err)
{
	char *line = NULL;
	size_t cap = 0;
	unsigned number = 0;
	int rc = 0;
	ssize_t len;

	while (!rc && (len = getline(&line, &cap, file)) > 0) {
		bool whole = line[len - 1] == '\n';
		struct pki_row *row;

		number++;
		if (*line == '#')
			continue;
		line[len - 1] = '\0';
		row = row_new(ca);
		if (!row) {
			rc = no_memory(err);
		} else if (!whole || !row_read(row, line)) {
			base_error_place(err, path, number, 0);
			rc = base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
			                    "the index is damaged here; restore it from a copy");
		}
	}
	free(line);
	return rc;
}

static int index_load(struct pki_ca *ca, struct base_error *err)
{
	char *path = pki_join(ca->dir, "index.txt");
	FILE *file = path ? fopen(path, "re") : NULL;
	int rc = path ? 0 : no_memory(err);

	if (path && !file) {
		base_error_place(err, path, 0, 0);
		rc = base_error_set(err, BASE_ERR(BASE_CONFIG, errno), "cannot open the index: %s",
		                    strerror(errno));
	}
	if (file) {
		rc = index_read(ca, file, path, err);
		if (!rc && ferror(file))
			rc = base_error_set(err, BASE_ERR(BASE_CONFIG, EIO),
			                    "cannot read the index");
		(void)fclose(file); /* it was only read */
	}
	free(path);
	return rc;
}

int pki_ca_save(const struct pki_ca *ca, struct base_error *err)
{
	struct base_writer w = { .data = NULL };
	char *path = pki_join(ca->dir, "index.txt");
	char until[PKI_TIME_TEXT], revoked[PKI_TIME_TEXT];
	int rc;

	base_writer_text(&w, INDEX_HEAD);
	for (size_t i = 0; i < ca->count; i++) {
		const struct pki_row *row = &ca->row[i];

		base_writer_printf(&w, "%c\t%s\t%s\t%s\t%s\t%s\t%s\n", row->revoked ? 'R' : 'V',
		                   row->serial, pki_time_format(row->until_s, until),
		                   row->revoked ? pki_time_format(row->revoked_s, revoked) : "-",
		                   row->revoked ? x509_reason_name(row->reason) : "-", row->kind,
		                   row->subject);
	}
	rc = path && !w.failed ? pki_file_write(path, w.data, w.len, 0600, err) : no_memory(err);
	base_writer_done(&w);
	free(path);
	return rc;
}

struct pki_row *pki_ca_find(struct pki_ca *ca, const char *serial)
{
	for (size_t i = 0; i < ca->count; i++)
		if (base_str_ieq(base_str_of(ca->row[i].serial), base_str_of(serial)))
			return &ca->row[i];
	return NULL;
}

bool pki_ca_name_ok(const char *name, bool old)
{
	static const char *const names[] = { PKI_INTERCONNECTION, PKI_TLS_CLIENT, PKI_TLS_SERVER };

	for (size_t i = 0; i < BASE_COUNT(names); i++) {
		size_t len = strlen(names[i]);
		uint64_t number;

		if (strncmp(name, names[i], len) != 0)
			continue;
		if (!name[len])
			return true;
		if (old && name[len] == '.' &&
		    !base_str_u64(base_str_of(name + len + 1), 1000, &number))
			return true;
	}
	(void)pki_refuse("--ca is %s, %s or %s, not '%s'", PKI_INTERCONNECTION, PKI_TLS_CLIENT,
	                 PKI_TLS_SERVER, name);
	return false;
}

/* -- open and close -------------------------------------------------------------------------- */

static int lock(struct pki_ca *ca, struct base_error *err)
{
	char *path = pki_join(ca->dir, "lock");
	int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;

	base_error_place(err, path ? path : "", 0, 0);
	free(path);
	if (fd >= 0 && !flock(fd, LOCK_EX | LOCK_NB)) {
		ca->lock = fd + 1;
		return 0;
	}
	if (fd >= 0)
		(void)close(fd); /* nothing was written */
	return base_error_set(err, BASE_ERR(BASE_CONFIG, errno),
	                      errno == EWOULDBLOCK
	                              ? "another gatehouse pki is working in this folder%s"
	                              : "cannot lock the folder: %s",
	                      errno == EWOULDBLOCK ? "" : strerror(errno));
}

int pki_ca_open(struct pki_ca *ca, const char *dir, const char *name, struct base_error *err)
{
	int rc;

	*ca = (struct pki_ca){ .dir = pki_join(dir, name) };
	rc = ca->dir ? lock(ca, err) : no_memory(err);
	if (!rc && err)
		err->file[0] = '\0';
	if (!rc)
		rc = pki_ca_identity(ca->dir, &ca->id, err);
	if (!rc)
		rc = index_load(ca, err);
	if (rc)
		pki_ca_close(ca);
	return rc;
}

int pki_ca_index(struct pki_ca *ca, const char *dir, const char *name, struct base_error *err)
{
	int rc;

	*ca = (struct pki_ca){ .dir = pki_join(dir, name) };
	rc = ca->dir ? index_load(ca, err) : no_memory(err);
	if (rc)
		pki_ca_close(ca);
	return rc;
}

void pki_ca_close(struct pki_ca *ca)
{
	x509_identity_unref(ca->id);
	if (ca->lock)
		(void)close(ca->lock - 1); /* lets the lock go */
	free(ca->row);
	free(ca->dir);
	*ca = (struct pki_ca){ .dir = NULL };
}

/* -- what an authority does ------------------------------------------------------------------ */

/* Keep to the authority's own dates: what outlives it proves nothing. */
static int dates(const struct pki_ca *ca, struct x509_make *what, struct base_error *err)
{
	struct x509_about about;
	int rc = x509_about_cert(ca->id->cert, &about);

	if (rc)
		return rc;
	if (about.until_s <= time(NULL))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "the authority has expired: %s", about.subject);
	what->from_s = BASE_MAX(what->from_s, about.from_s);
	what->until_s = BASE_MIN(what->until_s, about.until_s);
	return 0;
}

static int keep(const struct pki_ca *ca, const char *serial, const X509 *cert,
                struct base_error *err)
{
	char *path;
	int rc;

	if (asprintf(&path, "%s/certs/%s.pem", ca->dir, serial) < 0)
		return no_memory(err);
	rc = pki_cert_write(path, cert, err);
	free(path);
	return rc;
}

/* A tab or a line end in a name would be another field, another line. */
static void subject_set(struct pki_row *row, const char *subject)
{
	(void)snprintf(row->subject, sizeof(row->subject), "%s", subject);
	for (char *at = row->subject; *at; at++)
		if ((unsigned char)*at < ' ')
			*at = ' ';
}

int pki_ca_sign(struct pki_ca *ca, struct x509_make *what, const char *kind, const char *subject,
                X509 **ret, struct base_error *err)
{
	char **urls = what->crl_urls ? NULL : x509_crl_urls(ca->id->cert);
	struct pki_row *row = NULL;
	X509 *cert = NULL;
	int rc = dates(ca, what, err);

	what->issuer = ca->id->cert;
	what->issuer_key = ca->id->key;
	if (urls)
		what->crl_urls = (const char *const *)urls;
	if (!rc)
		rc = x509_serial_make(what->serial);
	/* made first, so that what cannot be made leaves no entry; shown to nobody before the
	 * entry is on disk (invariant 2) */
	if (!rc)
		rc = x509_make_cert(&cert, what, err);
	if (!rc) {
		row = row_new(ca);
		rc = row ? 0 : no_memory(err);
	}
	if (!rc && row) {
		base_hex_encode(what->serial, sizeof(what->serial), 0, true, row->serial);
		(void)snprintf(row->kind, sizeof(row->kind), "%s", kind);
		subject_set(row, subject);
		row->until_s = what->until_s;
		rc = pki_ca_save(ca, err);
	}
	if (!rc && row)
		rc = keep(ca, row->serial, cert, err);
	if (urls) {
		what->crl_urls = NULL;
		x509_urls_free(urls);
	}
	if (rc)
		X509_free(cert);
	else
		*ret = cert;
	return rc;
}

/* Count up, on disk first (invariant 3). */
int pki_ca_number_next(const struct pki_ca *ca, uint64_t *ret, struct base_error *err)
{
	char *path = pki_join(ca->dir, "crl-number"), text[32] = "";
	FILE *file = path ? fopen(path, "re") : NULL;
	uint64_t last = 0;
	int len, rc = 0;

	if (file) {
		if (!fgets(text, sizeof(text), file))
			text[0] = '\0';
		(void)fclose(file); /* it was only read */
	}
	base_error_place(err, path ? path : "", 0, 0);
	if (!path)
		rc = no_memory(err);
	else if (!file || base_str_u64(base_str_trim(base_str_of(text)), UINT64_MAX - 1, &last))
		rc = base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                    "not a CRL number; restore it, or write one above that of the "
		                    "last CRL");
	if (!rc) {
		len = snprintf(text, sizeof(text), "%llu\n", (unsigned long long)last + 1);
		rc = pki_file_write(path, text, (size_t)len, 0600, err);
	}
	free(path);
	*ret = last + 1;
	return rc;
}

static int by_serial(const void *a, const void *b)
{
	const struct x509_revoked *x = a, *y = b;

	return memcmp(x->serial, y->serial, sizeof(x->serial)); /* no secret */
}

static struct x509_revoked *revoked_list(const struct pki_ca *ca, size_t *ret)
{
	struct x509_revoked *list = calloc(ca->count + 1, sizeof(*list));
	size_t len;

	*ret = 0;
	for (size_t i = 0; list && i < ca->count; i++) {
		const struct pki_row *row = &ca->row[i];

		if (!row->revoked)
			continue;
		list[*ret] =
		        (struct x509_revoked){ .when_s = row->revoked_s, .reason = row->reason };
		(void)base_hex_decode(base_str_of(row->serial), list[*ret].serial,
		                      X509_SERIAL_OCTETS, &len); /* checked when it was read */
		++*ret;
	}
	if (list) /* libcrypto sorts what lies in memory by then: it is read in order later */
		qsort(list, *ret, sizeof(*list), by_serial);
	return list;
}

int pki_ca_crl_write(const struct pki_ca *ca, const char *name, const X509_CRL *crl,
                     struct base_error *err)
{
	struct base_writer w = { .data = NULL };
	char *path = pki_join(ca->dir, name);
	int rc = path ? x509_crl_write(crl, false, &w) : no_memory(err);

	if (!rc)
		rc = pki_file_write(path, w.data, w.len, 0644, err);
	base_writer_done(&w);
	free(path);
	return rc;
}

int pki_ca_crl(struct pki_ca *ca, int64_t valid_s, uint64_t *ret_number, struct base_error *err)
{
	struct x509_make_crl what = { .issuer = ca->id->cert, .issuer_key = ca->id->key };
	struct x509_revoked *list = revoked_list(ca, &what.count);
	struct pki_delta_urls urls;
	X509_CRL *crl = NULL;
	int rc = list ? pki_delta_urls_load(ca, &urls, err) : no_memory(err);

	what.revoked = list;
	what.delta_urls = urls.item;
	what.this_s = time(NULL);
	what.next_s = what.this_s + valid_s;
	if (!rc)
		rc = pki_ca_number_next(ca, &what.number, err);
	if (!rc)
		rc = x509_make_crl(&crl, &what, err);
	if (!rc)
		rc = pki_ca_crl_write(ca, "ca.crl", crl, err);
	if (!rc)
		*ret_number = what.number;
	X509_CRL_free(crl);
	free(list);
	return rc;
}
