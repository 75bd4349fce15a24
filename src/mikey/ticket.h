/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Ticket policies (RFC 6043, 6.10) and the MIKEY base ticket (appendix A). The 3GPP base ticket is
 * carried with its data unopened: its inside is in TS 33.328, which is not public.
 */
#ifndef GH_MIKEY_TICKET_H
#define GH_MIKEY_TICKET_H

#include "mikey/env.h"
#include "mikey/keys.h"

/** Algorithms that somebody writes with. */
struct mikey_suite {
	uint8_t prf, encr, mac;
};

#define MIKEY_IDS_MAX 64

/** A key that an Initiator asks for. */
struct mikey_want {
	uint8_t type; /**< enum mikey_key_type */
	uint16_t len; /**< octets */
};

/** Identities are borrowed; one without data is left out. Times are in seconds since 1900 that do
 * not go round in 2036 (mikey_ntp_seconds); 0 = no bound. */
struct mikey_policy {
	uint16_t type; /**< enum mikey_ticket_type */
	uint8_t subtype, version, prf;
	uint32_t flags; /**< enum mikey_flag */
	struct mikey_id kms, initiator;
	uint64_t start, end;
	uint32_t rekey_s; /**< 0 = no rekeying */
	struct mikey_id app[MIKEY_IDS_MAX], responder[MIKEY_IDS_MAX];
	size_t apps, responders;
	struct mikey_want want[MIKEY_KEYS_MAX]; /**< TP only */
	size_t wants;
};

/**
 * Do the flags agree with each other (RFC 6043, 6.10), is somebody allowed to resolve it, is the
 * PRF known?
 * @return 0, or BASE_PEER with MIKEY_BAD_TP_PARAM, or MIKEY_BAD_PRF
 */
int mikey_policy_check(const struct mikey_policy *policy, struct base_error *err);
/** Is `now` inside its validity, and its type one we know? BASE_PEER with MIKEY_BAD_TICKET if not.
 */
int mikey_policy_usable(const struct mikey_policy *policy, const struct mikey_env *env,
                        struct base_error *err);
/** Does it list that responder? Exactly; groups are their KMS's business. Pure. */
bool mikey_policy_lists(const struct mikey_policy *policy, const struct mikey_id *id);
/** Out of a TP or TICKET, whose octets it borrows. */
int mikey_policy_read(const struct mikey_payload *ticket, struct mikey_policy *ret,
                      struct base_error *err);
/** A payload of `type` (MIKEY_TP or MIKEY_TICKET) with this policy; it borrows. */
int mikey_policy_write(struct base_arena *arena, const struct mikey_policy *policy, uint8_t type,
                       struct mikey_payload **ret);

/**
 * A Ticket Protection Key and its name, IDRpsk in the ticket; left out without data. A key that an
 * Initiator shares (modes 3 and 4) opens that Initiator's tickets only, so that it cannot speak for
 * another; one of a KMS's (modes 1 and 2) has no owner and opens what that KMS made.
 */
struct mikey_tpk {
	struct mikey_octets key;
	struct mikey_id id;
	struct mikey_id owner; /**< the Initiator; without data: a KMS's */
};

/**
 * Make a MIKEY base ticket. `keys` begins with one MPK, from which MPKi and MPKr come.
 * @param thdr      what the maker wants back in the ticket header
 * @param ret       in the arena, together with what it borrows from the policy
 * @param ret_keys  MPKi, MPKr, and the session keys; for mikey_keys_done
 */
int mikey_ticket_make(struct base_arena *arena, const struct mikey_env *env,
                      const struct mikey_policy *policy, const struct mikey_tpk *tpk,
                      struct mikey_suite suite, struct mikey_octets thdr,
                      const struct mikey_keys *keys, struct mikey_payload **ret,
                      struct mikey_keys *ret_keys, struct base_error *err);
/** The IDRpsk of a base ticket that was read, so that its TPK can be found; false: it has none. */
bool mikey_ticket_psk_id(const struct mikey_payload *ticket, struct mikey_id *ret);
/**
 * Open a base ticket that was read (its MAC covers octets).
 * @return 0; BASE_PEER with MIKEY_BAD_TICKET when it is not of that type or badly made,
 *         MIKEY_BAD_AUTH when its MAC is wrong, MIKEY_BAD_ID when it is not its owner's
 */
int mikey_ticket_open(const struct mikey_env *env, const struct mikey_payload *ticket,
                      const struct mikey_tpk *tpk, struct mikey_keys *ret_keys,
                      struct base_error *err);

#endif
