/* SPDX-License-Identifier: Apache-2.0 */
/** @file The store's thread: one after the other, who is in a hurry first, and nobody lost at the
 * end. */
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "crl_forge.h"
#include "fetch/job.h"
#include "pki.h"

struct stage {
	struct pki ca;
	char *dir, *cache, *ca_file;
	struct loop *loop;
	struct fetch_jobs *jobs;
	char order[16]; /* the names of those that came back */
	size_t count;
};

/* A job of one letter; the owner is a place in this table. */
static struct owner {
	struct stage *stage;
	char name;
} owners[16];

static void came_back(struct fetch_job *job)
{
	struct owner *owner = job->owner;
	struct stage *st = owner->stage;

	st->order[st->count++] = owner->name;
	assert_int_equal(job->rc, 0);
	assert_int_equal(job->stored_count, 1);
	fetch_job_free(job);
}

static struct fetch_job *post(struct stage *st, char name, bool urgent, uint32_t number)
{
	const struct crl_forge spec = {
		.issuer = st->ca.cert, .key = st->ca.key, .count = 100, .number = number
	};
	struct fetch_job *job = fetch_job_new();

	owners[name - 'a'] = (struct owner){ st, name };
	job->body = crl_forge(&spec);
	job->urgent = urgent;
	job->now_s = 1800000000;
	job->done = came_back;
	job->owner = &owners[name - 'a'];
	job->back = st->loop;
	fetch_job_post(st->jobs, job);
	return job;
}

static int stage_new(void **state)
{
	struct stage *st = calloc(1, sizeof(*st));
	const char *issuers[2] = { NULL, NULL };
	struct fetch_issuer_files files = { .issuers = issuers };

	st->ca = pki_ca("One");
	st->dir = pki_dir_new();
	st->cache = pki_path(st->dir, "cache");
	assert_int_equal(mkdir(st->cache, 0700), 0);
	st->ca_file = pki_write_certs(st->dir, "ca.pem", (X509 *const[]){ st->ca.cert, NULL });
	issuers[0] = st->ca_file;
	files.cache = st->cache;
	assert_int_equal(loop_new(&st->loop), 0);
	assert_int_equal(fetch_jobs_new(&st->jobs, &files, NULL), 0);
	*state = st;
	return 0;
}

static int stage_free(void **state)
{
	struct stage *st = *state;

	fetch_jobs_free(st->jobs);
	assert_int_equal(loop_run_once(st->loop, 0), 0); /* what was under way */
	loop_free(st->loop);
	pki_dir_remove(st->cache);
	free(st->ca_file);
	pki_dir_remove(st->dir);
	pki_free(&st->ca);
	free(st);
	return 0;
}

static void urgent_ones_first(void **state)
{
	struct stage *st = *state;

	post(st, 'a', false, 1); /* begins at once */
	post(st, 'b', false, 5);
	post(st, 'c', false, 6);
	post(st, 'd', true, 2);
	post(st, 'e', true, 3);
	while (st->count < 5)
		assert_int_equal(loop_run_once(st->loop, -1), 0);
	assert_string_equal(st->order, "adebc");
}

/* The fetcher leaves, or loads its file again, with one under way and others behind it. */
static void the_end_loses_none(void **state)
{
	struct stage *st = *state;

	post(st, 'a', false, 1)->owner = NULL;
	post(st, 'b', false, 2)->owner = NULL;
	post(st, 'c', true, 3)->owner = NULL;
	fetch_jobs_free(st->jobs);
	st->jobs = NULL;
	assert_int_equal(loop_run_once(st->loop, 0), 0);
	assert_int_equal(st->count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(urgent_ones_first, stage_new, stage_free),
		cmocka_unit_test_setup_teardown(the_end_loses_none, stage_new, stage_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
