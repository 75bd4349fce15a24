/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * gatehouse-fetch: the only process that speaks LDAP and HTTP. It fetches CRLs and certificates,
 * verifies them and writes the cache folder (trust/cache.h) that all others map. Manual:
 * docs/fetch.md.
 */
#ifndef GH_FETCH_H
#define GH_FETCH_H

#include "base/base.h"

/** The program's file, checked. */
struct fetch_config;

/** @return 0; BASE_CONFIG with the place; BASE_LOCAL */
int fetch_config_load(struct fetch_config **ret, const char *path, struct base_error *err);
/** One more reference; any thread. */
struct fetch_config *fetch_config_ref(struct fetch_config *config);
/** One less. NULL is fine. */
void fetch_config_free(struct fetch_config *config);
/** Log level and warnings about unsafe settings: after load, before a run. */
void fetch_config_apply(const struct fetch_config *config);

/** What to do with it. */
enum fetch_mode {
	FETCH_CHECK, /**< what a run would read at its start, but nothing written, no one asked */
	FETCH_SERVE, /**< until SIGTERM or SIGINT */
	FETCH_ONCE,  /**< every source once, a line each on standard output */
};

/**
 * @param path  the file, for SIGHUP
 * @param json  FETCH_ONCE: lines are JSON objects
 * @return 0; FETCH_ONCE: 1 when a source failed; a class with `err` filled when it could not start
 */
int fetch_run(struct fetch_config *config, const char *path, enum fetch_mode mode, bool json,
              struct base_error *err);

/** Ask the one that serves how things stand, over its socket. @return exit status */
int fetch_status_main(const struct fetch_config *config, bool json);

/**
 * `gatehouse-fetch --publish ...`: write CRLs and certificates into a directory over LDAP.
 * @param argv  from "--publish" on
 * @return exit status
 */
int fetch_publish_main(int argc, char **argv);

#endif
