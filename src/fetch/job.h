/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What came from a source, on its way through the store. The store has a thread of its own, for
 * verifying a large CRL and waiting for a disk take long; it does one after the other, urgent ones
 * first. All functions are called on one thread, that of `back`.
 */
#ifndef GH_FETCH_JOB_H
#define GH_FETCH_JOB_H

#include "fetch/config.h"
#include "fetch/store.h"
#include "loop/loop.h"

struct fetch_jobs;

struct fetch_job {
	/* In: what the store is given. */
	struct base_writer body;         /**< one response of HTTP, a CRL */
	struct fetch_blobs blobs;        /**< what LDAP brought */
	const char *file;                /**< read this one instead; NULL = none */
	char kept[TRUST_CACHE_NAME_MAX]; /**< or see if the folder has that one, whole; "" = no */
	size_t max_octets;               /**< of the file */
	bool repository;                 /**< `blobs` are all that a directory has */
	const void *whole; /**< and nobody could have cut them short: of that one; NULL = not so */
	size_t repositories; /**< of the configuration */
	enum fetch_expect expect;
	const char *issuer;
	int64_t now_s;
	bool urgent; /**< a handshake waits: it goes before those that have not begun */
	/* Out. */
	int rc; /**< the first failure, or 0 */
	struct base_error err;
	struct fetch_stored *stored; /**< owned */
	size_t stored_count;
	/**
	 * Of a repository: values that were not taken, and why, of the first. Certificates that
	 * nobody vouches for, and CRLs by such, are others' business and no failure.
	 */
	unsigned refused;
	struct base_error refusal;
	/* Whose it is. */
	void (*done)(struct fetch_job *job);
	void *owner; /**< NULL = of no interest any more */
	struct loop *back;
	struct loop_msg msg;
	struct fetch_jobs *jobs; /**< NULL = they are gone */
	struct base_node node;
};

/** The thread, with the store. @return as fetch_store_open */
int fetch_jobs_new(struct fetch_jobs **ret, const struct fetch_issuer_files *files,
                   struct base_error *err);
/** Waits for the job under way; those that have not begun are freed. NULL is fine. */
void fetch_jobs_free(struct fetch_jobs *jobs);
/** The store, before the first job: later it belongs to the thread. */
struct fetch_store *fetch_jobs_store(struct fetch_jobs *jobs);

/** All zero but `done`'s needs. */
struct fetch_job *fetch_job_new(void);
void fetch_job_free(struct fetch_job *job);
/** Hand it over: `done` is called on `back` when it is through. */
void fetch_job_post(struct fetch_jobs *jobs, struct fetch_job *job);

#endif
