/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What a request by HTTP comes to; private to this folder. No sockets and no clock: fuzzed and
 * tested as it is.
 */
#ifndef GH_KMSD_SERVICE_H
#define GH_KMSD_SERVICE_H

#include "kmsd/config.h"

#define KMSD_RESULTS (KMS_FAILED + 1)
#define KMSD_ERRORS  16 /* Error no of RFC 3830, 6.12 and RFC 6043, 6.13 */

/** Declared once for struct and text: requests that no KMS was asked about. */
#define KMSD_TURNED_AWAY(X)                                                                        \
	X(path, 404, "there is nothing at this path\n")                                            \
	X(method, 405, "POST alone\n")                                                             \
	X(type, 415, "application/mikey alone\n")                                                  \
	X(parameter, 400, "which request? The parameter is missing, or has another value\n")       \
	X(memory, 503, "memory is short\n")

enum kmsd_turned_away {
#define KMSD_TURNED_ENUM(name, status, text) KMSD_TURNED_##name,
	KMSD_TURNED_AWAY(KMSD_TURNED_ENUM)
#undef KMSD_TURNED_ENUM
	        KMSD_TURNED
};

/** requests = what was turned away + results + nothing; errors are of the results. */
struct kmsd_counts {
	uint64_t requests, turned_away[KMSD_TURNED], results[KMSD_RESULTS], errors[KMSD_ERRORS];
	uint64_t nothing; /**< octets that no answer exists to: no MIKEY, or an Error message */
	uint64_t busy_ns; /**< time spent on answers */
};

struct kmsd_service {
	struct kms *kms;
	const struct kmsd_form *form;
	struct kmsd_counts counts;
};

struct kmsd_question {
	const char *method, *path;
	const char *parameter; /**< value of the form's; NULL = it is not there */
	bool mikey;            /**< Content-Type: application/mikey */
	struct base_str body;
	const char *peer; /**< for the log */
	uint64_t unix_s;
	uint32_t ns;
};

struct kmsd_answer {
	unsigned status;
	const char *type;     /**< NULL: there is no body */
	const char *allow;    /**< of 405 */
	struct base_str body; /**< of `out`, or static */
};

#define KMSD_MIKEY "application/mikey"

/** Answer, count, log. `out` is empty and holds the answer afterwards. */
void kmsd_service_ask(struct kmsd_service *service, const struct kmsd_question *question,
                      struct base_writer *out, struct kmsd_answer *ret);
/** "granted", "refused" ...; pure. */
const char *kmsd_result_name(enum kms_result result);
const char *kmsd_turned_away_name(enum kmsd_turned_away why);

#endif
