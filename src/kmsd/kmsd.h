/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * gatehouse-kms: a Key Management Service behind HTTP (docs/kms.md), and `gatehouse kms`, the tool
 * for its users. What is decided and kept is in src/kms.
 */
#ifndef GH_KMSD_H
#define GH_KMSD_H

#include "base/base.h"

struct kmsd_config;

/**
 * Load and check a configuration, the files that it names too: keys, certificates, TLS domain. The
 * store is not opened.
 * @return 0; BASE_CONFIG with file, line and words; BASE_LOCAL
 */
int kmsd_config_load(struct kmsd_config **ret, const char *file, struct base_error *err);
/** Wipes keys. NULL is fine. */
void kmsd_config_free(struct kmsd_config *config);

/**
 * Serve until SIGTERM or SIGINT; SIGHUP loads the file again. The configuration is its own from
 * here on. @return 0, BASE_CONFIG, BASE_LOCAL
 */
int kmsd_run(struct kmsd_config *config, struct base_error *err);

/** `gatehouse kms ...`; @return the exit status */
int kmsd_tool_main(int argc, char **argv);

#endif
