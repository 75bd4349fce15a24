/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/job.h"

#include <errno.h>
#include <stdlib.h>

struct fetch_jobs {
	struct loop_thread *thread;
	struct fetch_store *store;
	struct base_node urgent, waiting;
	struct fetch_job *running; /* NULL = the thread has nothing to do */
};

int fetch_jobs_new(struct fetch_jobs **ret, const struct fetch_issuer_files *files,
                   struct base_error *err)
{
	static const struct loop_thread_ops ops;
	struct fetch_jobs *jobs = calloc(1, sizeof(*jobs));
	int rc;

	if (!jobs)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	base_list_init(&jobs->urgent);
	base_list_init(&jobs->waiting);
	rc = fetch_store_open(&jobs->store, files, err);
	if (!rc)
		rc = loop_thread_start(&jobs->thread, "store", &ops, jobs);
	if (rc) {
		fetch_jobs_free(jobs);
		return rc;
	}
	*ret = jobs;
	return 0;
}

static struct fetch_job *next_take(struct fetch_jobs *jobs)
{
	struct base_node *node = base_list_shift(&jobs->urgent);

	if (!node)
		node = base_list_shift(&jobs->waiting);
	return node ? BASE_CONTAINER_OF(node, struct fetch_job, node) : NULL;
}

void fetch_jobs_free(struct fetch_jobs *jobs)
{
	struct fetch_job *job;

	if (!jobs)
		return;
	while ((job = next_take(jobs)))
		fetch_job_free(job);
	loop_thread_join(jobs->thread);
	if (jobs->running)
		jobs->running->jobs = NULL; /* it is on its way home */
	fetch_store_close(jobs->store);
	free(jobs);
}

struct fetch_store *fetch_jobs_store(struct fetch_jobs *jobs)
{
	return jobs->store;
}

struct fetch_job *fetch_job_new(void)
{
	return calloc(1, sizeof(struct fetch_job));
}

void fetch_job_free(struct fetch_job *job)
{
	if (!job)
		return;
	base_writer_done(&job->body);
	fetch_blobs_done(&job->blobs);
	free(job->stored);
	free(job);
}

static int crl_store(struct fetch_store *store, struct fetch_job *job, const void *data, size_t len,
                     struct base_error *err)
{
	const struct fetch_crl_order order = { .data = data,
		                               .len = len,
		                               .expect = job->expect,
		                               .issuer = job->issuer,
		                               .now_s = job->now_s };
	struct fetch_stored *more =
	        reallocarray(job->stored, job->stored_count + 1, sizeof(*job->stored));
	int rc;

	if (!more)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, ENOMEM), "out of memory");
	job->stored = more;
	rc = fetch_store_crl(store, &order, &more[job->stored_count], err);
	if (!rc)
		job->stored_count++;
	return rc;
}

/* Not modified, the server says. What is not there cannot be so. */
static int kept_look(const struct fetch_store *store, struct fetch_job *job)
{
	job->stored = calloc(1, sizeof(*job->stored));
	if (!job->stored)
		return base_error_set(&job->err, BASE_ERR(BASE_LOCAL, ENOMEM), "out of memory");
	if (!fetch_store_look(store, job->kept, job->stored))
		return base_error_set(&job->err, BASE_ERR(BASE_PEER, ENOENT),
		                      "not modified, and the file is gone");
	job->stored->unchanged = true;
	job->stored_count = 1;
	return 0;
}

static int file_store(struct fetch_store *store, struct fetch_job *job)
{
	size_t len;
	char *data;
	int rc = config_file_read(job->file, job->max_octets, &data, &len, &job->err);

	if (rc)
		return rc;
	rc = crl_store(store, job, data, len, &job->err);
	free(data);
	return rc;
}

static int blob_store(struct fetch_store *store, struct fetch_job *job, const struct fetch_blob *b,
                      struct base_error *err)
{
	if (b->what == FETCH_CRL)
		return crl_store(store, job, b->data, b->len, err);
	return fetch_store_cert(store, b->what, b->data, b->len, job->now_s, err);
}

static bool is_others_business(const struct fetch_blob *b, int rc)
{
	return base_err_class(rc) == BASE_PEER &&
	       (b->what != FETCH_CRL || base_err_detail(rc) == ENOENT);
}

static void refused(struct fetch_job *job, const struct fetch_blob *b, int rc,
                    const struct base_error *err)
{
	if (!job->refused++)
		job->refusal = *err;
	if (is_others_business(b, rc))
		return;
	if (!job->rc || base_err_class(rc) == BASE_LOCAL) {
		job->rc = rc;
		job->err = *err;
	}
}

/* Certificates first: they may vouch for the CRLs beside them. */
static void blobs_store(struct fetch_store *store, struct fetch_job *job)
{
	for (int crls = 0; crls < 2; crls++)
		for (size_t i = 0; i < job->blobs.count; i++) {
			const struct fetch_blob *b = &job->blobs.at[i];
			struct base_error err = { 0 };
			int rc;

			if ((b->what == FETCH_CRL) != crls)
				continue;
			rc = blob_store(store, job, b, &err);
			if (rc)
				refused(job, b, rc, &err);
		}
	if (!job->rc && job->whole)
		job->rc = fetch_store_whole(store, job->whole, job->repositories, &job->blobs,
		                            &job->err);
	/* Asked for one CRL, got it, and it was not taken: that is a failure. */
	if (!job->rc && !job->repository && job->refused) {
		job->rc = BASE_ERR(BASE_PEER, 0);
		job->err = job->refusal;
	}
}

static void next_start(struct fetch_jobs *jobs);

static void returned(void *arg)
{
	struct fetch_job *job = arg;

	if (job->jobs) {
		job->jobs->running = NULL;
		next_start(job->jobs);
	}
	if (job->owner)
		job->done(job);
	else
		fetch_job_free(job);
}

static void work(void *arg)
{
	struct fetch_job *job = arg;
	struct fetch_store *store = job->jobs->store;

	if (job->file)
		job->rc = file_store(store, job);
	else if (job->kept[0])
		job->rc = kept_look(store, job);
	else if (job->body.len)
		job->rc = crl_store(store, job, job->body.data, job->body.len, &job->err);
	else
		blobs_store(store, job);
	base_writer_done(&job->body);
	fetch_blobs_done(&job->blobs);
	loop_post(job->back, &job->msg, returned, job);
}

static void next_start(struct fetch_jobs *jobs)
{
	struct fetch_job *job = jobs->running ? NULL : next_take(jobs);

	if (!job)
		return;
	jobs->running = job;
	loop_post(loop_thread_loop(jobs->thread), &job->msg, work, job);
}

void fetch_job_post(struct fetch_jobs *jobs, struct fetch_job *job)
{
	job->jobs = jobs;
	base_list_append(job->urgent ? &jobs->urgent : &jobs->waiting, &job->node);
	next_start(jobs);
}
