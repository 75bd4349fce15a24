/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What is asked of a server, and what it answered: each version alone, each suite alone, each
 * group, signature and extension; precedence, compression, fallback. The survey knows no profile:
 * it is made once and judged by many.
 */
#ifndef GH_CHECK_SURVEY_H
#define GH_CHECK_SURVEY_H

#include "check/wire.h"

enum { CHECK_SUITES_MAX = 256, CHECK_CODES_MAX = 40, CHECK_VERSIONS = 9 };

/** Probes of which there is one each. */
enum check_single {
	CHECK_ASK_DEFLATE,  /**< compression is offered */
	CHECK_ASK_FALLBACK, /**< RFC 7507: a lower version, with the signal */
	CHECK_ASK_NO_EMS,   /**< without extended_master_secret */
	CHECK_ASK_NO_RI,    /**< without any word of RFC 5746 */
	CHECK_ASK_SCSV,     /**< RFC 5746 by its suite */
	CHECK_ASK_ORDER,    /**< suites up to TLS 1.2 that it takes, the order reversed ... */
	CHECK_ASK_ORDER_2,  /**< ... and reversed again */
	CHECK_ASK_ORDER_13,
	CHECK_ASK_ORDER_13_2,
	CHECK_SINGLES
};

/** All that was asked; all zero before. Large: on the heap. */
struct check_survey {
	struct check_target *target;
	struct check_probe version[CHECK_VERSIONS]; /**< by the version's bit number */
	unsigned versions;                          /**< that it takes, as bits */
	unsigned high, low;                         /**< of those the last and first before 1.3 */
	bool has_13;
	struct check_probe suite[CHECK_SUITES_MAX];     /**< in the registry's order */
	struct check_probe suite_low[CHECK_SUITES_MAX]; /**< refused above: in its lowest version */
	struct check_probe group[CHECK_CODES_MAX], group_13[CHECK_CODES_MAX];
	struct check_probe signature[CHECK_CODES_MAX], signature_13[CHECK_CODES_MAX];
	struct check_probe extension[CHECK_CODES_MAX];
	struct check_probe single[CHECK_SINGLES];
	uint16_t taken[CHECK_SUITES_MAX], taken_reversed[CHECK_SUITES_MAX];
	uint16_t taken_13[8], taken_13_reversed[8];
	size_t taken_count, taken_13_count;
	/* storage of offers: suites with elliptic curves, in CBC mode, signed; groups */
	uint16_t part[CHECK_SUITES_MAX], cbc[CHECK_SUITES_MAX], by_rsa[CHECK_SUITES_MAX],
	        by_ecdsa[CHECK_SUITES_MAX];
	uint16_t pair[CHECK_CODES_MAX][2];
	size_t part_count, cbc_count, by_rsa_count, by_ecdsa_count;
	bool rsa, ecdsa; /**< keys that it showed to have */
	uint16_t curve;  /**< of the latter, as a group; 0 = not known */
	bool psk_only;   /**< nothing but pre-shared keys */
};

/** How far it is: for who waits. */
typedef void check_progress_fn(void *arg, const char *what);

/**
 * Ask. Takes as long as it takes: `timeout_ms` for each thing that does not come.
 * @return 0, or BASE_PEER when it cannot be looked at: the text says what happened
 */
int check_survey_run(struct check_survey *survey, struct check_target *target,
                     check_progress_fn *progress, void *arg, struct base_error *err);
void check_survey_done(struct check_survey *survey);

/** Was that suite taken, in some version? NULL when it was not. */
const struct check_probe *check_survey_takes(const struct check_survey *survey, uint16_t suite);
/** The curve of the certificate's key as a group; 0 where it is another kind of key, or none. */
uint16_t check_certificate_curve(const struct check_answer *answer);
/** The version's bit number. */
unsigned check_version_index(unsigned version);

#endif
