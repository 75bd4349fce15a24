/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Publishing into a directory. Whoever has the authorities' keys speaks to nobody: what is to be
 * written goes to a child gatehouse-fetch as a job on its standard input (its form:
 * fetch/ldap_job.h; docs/fetch.md).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/pki_publish.h"

#define PROGRAM "gatehouse-fetch"

extern char **environ;

/* ---- the job ---- */

static void value_write(struct base_writer *w, const void *data, size_t len)
{
	base_writer_printf(w, "value %zu\n", len);
	base_writer_put(w, data, len);
	base_writer_u8(w, '\n');
}

/* Values of one attribute are gathered first, for their number comes before them. */
struct values {
	struct base_writer text;
	size_t count;
};

static void values_add(struct values *v, const void *data, size_t len)
{
	value_write(&v->text, data, len);
	v->count++;
}

static void values_end(struct values *v, const char *attribute, struct base_writer *w)
{
	base_writer_printf(w, "attribute %s %zu\n", attribute, v->count);
	base_writer_str(w, base_writer_view(&v->text));
	if (v->text.failed)
		w->failed = true;
	base_writer_done(&v->text);
	*v = (struct values){ .count = 0 };
}

static bool exists(const char *path)
{
	struct stat st;

	return !stat(path, &st);
}

/* The first certificate of a file that may be absent, as DER. */
static int file_cert(const char *path, X509 **ret, struct base_error *err)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	int rc = certs ? 0 : BASE_ERR(BASE_LOCAL, ENOMEM);

	*ret = NULL;
	if (!rc && exists(path))
		rc = x509_certs_load(path, certs, err);
	if (!rc && sk_X509_num(certs))
		*ret = sk_X509_shift(certs);
	sk_X509_pop_free(certs, X509_free);
	return rc;
}

static int cert_add(struct values *v, const char *dir, const char *name, struct base_error *err)
{
	char *path = pki_join(dir, name);
	struct base_str der;
	X509 *cert = NULL;
	int rc = path ? file_cert(path, &cert, err) : BASE_ERR(BASE_LOCAL, ENOMEM);

	if (cert && !x509_cert_der(cert, &der)) {
		values_add(v, der.ptr, der.len);
		x509_der_free(&der);
	}
	X509_free(cert);
	free(path);
	return rc;
}

/* Own certificate, and the links of a rollover, which are self-issued (X.509, 11.2.2, mark R). */
static int certs_write(const char *dir, const struct pki_part *part, struct base_writer *w,
                       struct base_error *err)
{
	struct values v = { .count = 0 };
	int rc;

	values_add(&v, part->cert.ptr, part->cert.len);
	rc = cert_add(&v, dir, "new-with-old.pem", err);
	if (!rc)
		rc = cert_add(&v, dir, "old-with-new.pem", err);
	values_end(&v, "cACertificate", w);
	return rc;
}

static int pair_add(struct values *v, const struct pki_ca *ca, const struct pki_row *row,
                    struct base_error *err)
{
	char *path = NULL;
	struct x509_cross_pair pair = { 0 };
	struct base_writer der = { .data = NULL };
	int rc;

	if (asprintf(&path, "%s/certs/%s.pem", ca->dir, row->serial) < 0)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	/* an entry without a file is one whose making was interrupted */
	rc = file_cert(path, &pair.by_this, err);
	if (!rc && pair.by_this)
		rc = x509_cross_pair_write(&pair, &der);
	if (!rc && pair.by_this)
		values_add(v, der.data, der.len);
	x509_cross_pair_done(&pair);
	base_writer_done(&der);
	free(path);
	return rc;
}

/* Cross-certificates are what this CA issued for others (X.509, 11.2.3, mark R). */
static int pairs_write(const char *dir, const struct pki_part *part, struct base_writer *w,
                       struct base_error *err)
{
	struct values v = { .count = 0 };
	struct pki_ca ca;
	int rc = pki_ca_index(&ca, dir, part->name, err);

	if (rc)
		return rc;
	for (size_t i = 0; !rc && i < ca.count; i++)
		if (!strcmp(ca.row[i].kind, "cross") && !ca.row[i].revoked &&
		    ca.row[i].until_s > (int64_t)time(NULL))
			rc = pair_add(&v, &ca, &ca.row[i], err);
	values_end(&v, "crossCertificatePair", w);
	pki_ca_close(&ca);
	return rc;
}

static int part_write(const char *dir, const struct pki_part *part, struct base_writer *w,
                      struct base_error *err)
{
	struct values crl = { .count = 0 }, delta = { .count = 0 };
	char *folder = pki_join(dir, part->name);
	int rc = folder ? 0 : BASE_ERR(BASE_LOCAL, ENOMEM);

	base_writer_printf(w, "entry %s\n", part->stem);
	if (part->url)
		base_writer_printf(w, "at %s\n", part->url);
	if (!rc)
		rc = certs_write(folder, part, w, err);
	values_add(&crl, part->crl.data, part->crl.len);
	values_end(&crl, "certificateRevocationList", w);
	if (part->delta.len) {
		values_add(&delta, part->delta.data, part->delta.len);
		values_end(&delta, "deltaRevocationList", w);
	}
	if (!rc && !strncmp(part->name, PKI_INTERCONNECTION, sizeof(PKI_INTERCONNECTION) - 1))
		rc = pairs_write(dir, part, w, err);
	free(folder);
	return rc;
}

/* ---- the child ---- */

/* Beside our own program, or where servers are installed beside it; NULL = look in PATH. */
static const char *program_find(char path[PATH_MAX + 64])
{
	static const char *const places[] = { PROGRAM, "../sbin/" PROGRAM };
	char own[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", own, sizeof(own) - 1);
	char *slash;

	if (len <= 0)
		return NULL;
	own[len] = '\0';
	slash = strrchr(own, '/');
	if (!slash)
		return NULL;
	slash[1] = '\0';
	for (size_t i = 0; i < BASE_COUNT(places); i++) {
		(void)snprintf(path, PATH_MAX + 64, "%s%s", own, places[i]);
		if (!access(path, X_OK))
			return path;
	}
	return NULL;
}

/* @return 0 or an errno; *ret_in is the child's standard input */
static int child_start(char **argv, pid_t *ret, int *ret_in)
{
	char path[PATH_MAX + 64];
	const char *found = program_find(path);
	posix_spawn_file_actions_t files;
	int pipes[2], rc;

	if (pipe2(pipes, O_CLOEXEC))
		return errno;
	rc = posix_spawn_file_actions_init(&files);
	if (!rc) {
		rc = posix_spawn_file_actions_adddup2(&files, pipes[0], STDIN_FILENO);
		if (!rc)
			rc = found ? posix_spawn(ret, found, &files, NULL, argv, environ)
			           : posix_spawnp(ret, PROGRAM, &files, NULL, argv, environ);
		(void)posix_spawn_file_actions_destroy(&files); /* frees, cannot fail */
	}
	(void)close(pipes[0]); /* the child has its own */
	if (rc)
		(void)close(pipes[1]); /* nothing was written */
	else
		*ret_in = pipes[1];
	return rc;
}

static void all_write(int fd, const struct base_writer *w)
{
	size_t done = 0;

	while (done < w->len) {
		ssize_t n = write(fd, w->data + done, w->len - done);

		if (n < 0 && errno != EINTR)
			return; /* it has ended, and says why itself */
		done += n > 0 ? (size_t)n : 0;
	}
}

static void words_make(const struct pki_directory *to, const char *argv[16])
{
	size_t n = 0;

	argv[n++] = PROGRAM;
	argv[n++] = "--publish";
	argv[n++] = "--to";
	argv[n++] = to->to;
	if (to->anchors) {
		argv[n++] = "--anchors";
		argv[n++] = to->anchors;
	}
	if (to->bind) {
		argv[n++] = "--bind";
		argv[n++] = to->bind;
		argv[n++] = "--password-file";
		argv[n++] = to->password_file;
	}
	if (to->start_tls)
		argv[n++] = "--start-tls";
	if (to->unsafe_clear_bind)
		argv[n++] = "--unsafe-clear-bind";
	if (to->create)
		argv[n++] = "--create";
	argv[n] = NULL;
}

static int child_run(const struct pki_directory *to, const struct base_writer *job)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
	const char *argv[16];
	pid_t pid = -1;
	int in = -1, status, rc;

	words_make(to, argv);
	rc = child_start((char **)argv, &pid, &in);
	if (rc)
		return pki_refuse("cannot start " PROGRAM ", which alone speaks LDAP: %s",
		                  strerror(rc));
	(void)sigaction(SIGPIPE, &ignore, &before); /* valid arguments */
	all_write(in, job);
	(void)close(in); /* its end is what the child waits for */
	(void)sigaction(SIGPIPE, &before, NULL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return pki_refuse("lost sight of " PROGRAM ": %s", strerror(errno));
	if (WIFSIGNALED(status))
		return pki_refuse(PROGRAM " was ended by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status) ? PKI_REFUSED : PKI_DONE;
}

int pki_publish_ldap(const char *dir, const struct pki_part *part, size_t count,
                     const struct pki_directory *to)
{
	struct base_writer job = { .data = NULL };
	struct base_error err = { .rc = 0 };
	int rc = 0, status;

	for (size_t i = 0; !rc && i < count; i++)
		rc = part_write(dir, &part[i], &job, &err);
	base_writer_text(&job, "end\n");
	if (!rc && job.failed)
		rc = BASE_ERR(BASE_LOCAL, ENOMEM);
	status = rc ? pki_complain(&err) : child_run(to, &job);
	base_writer_done(&job);
	return status;
}
