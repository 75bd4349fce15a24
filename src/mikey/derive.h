/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Keys out of keys: the PRFs of RFC 3830, 4.1.2 and RFC 6043, 6.1, and every label of RFC 6043, 5.1
 * and A.2, with those of RFC 3830, 4.1.3 and 4.1.4. All of them are pure and give as many octets as
 * are asked for. `kept` may be NULL.
 * @return each: 0, or BASE_LOCAL (nothing usable is in `out`)
 */
#ifndef GH_MIKEY_DERIVE_H
#define GH_MIKEY_DERIVE_H

#include "mikey/env.h"
#include "mikey/message.h"

/** PRF(inkey, label) with `len` octets; `prf` is enum mikey_prf. */
int mikey_prf(struct mikey_kept *kept, uint8_t prf, struct mikey_octets inkey,
              struct mikey_octets label, uint8_t *out, size_t len);

/** What a message is protected with (RFC 3830, 4.1.4). */
enum mikey_use { MIKEY_USE_AUTH, MIKEY_USE_ENCR, MIKEY_USE_SALT };
/** What a TGK gives (RFC 3830, 4.1.3). */
enum mikey_session_use {
	MIKEY_SESSION_TEK,
	MIKEY_SESSION_AUTH,
	MIKEY_SESSION_ENCR,
	MIKEY_SESSION_SALT,
};

/** The RANDs of a label; one that is omitted has the length 0. */
struct mikey_rands {
	struct mikey_octets initiator, responder;
};

/** RFC 6043, 5.1.2: from a pre-shared key, envelope key, MPKi or MPKr', for a message. */
int mikey_derive_message(struct mikey_kept *kept, uint8_t prf, struct mikey_octets inkey,
                         enum mikey_use use, uint32_t csb_id, bool response,
                         const struct mikey_rands *rands, uint8_t *out, size_t len);
/** RFC 6043, 5.1.3: from a TGK, TGK' or GTGK, for a crypto session. */
int mikey_derive_session(struct mikey_kept *kept, uint8_t prf, struct mikey_octets tgk,
                         enum mikey_session_use use, uint8_t cs_id, const struct mikey_rands *rands,
                         uint8_t *out, size_t len);
/** RFC 6043, 5.1.1: MPKr' (`tgk` false) or TGK', as long as `inkey`. */
int mikey_derive_fork(struct mikey_kept *kept, uint8_t prf, struct mikey_octets inkey, bool tgk,
                      struct mikey_octets id_data, struct mikey_octets rand_kms, uint8_t *out);
/** RFC 6043, 6.10: the auth_key of Vr, from MPKr as it is before forking. */
int mikey_derive_vr(struct mikey_kept *kept, uint8_t prf, struct mikey_octets mpkr, uint8_t *out,
                    size_t len);
/** RFC 6043, A.2.1: from a TPK, for a ticket. */
int mikey_derive_ticket(struct mikey_kept *kept, uint8_t prf, struct mikey_octets tpk,
                        enum mikey_use use, struct mikey_octets rand, uint8_t *out, size_t len);
/** RFC 6043, A.2.2: MPKi or MPKr, as long as `mpk`. */
int mikey_derive_mpk(struct mikey_kept *kept, uint8_t prf, struct mikey_octets mpk, bool responder,
                     struct mikey_octets rand, uint8_t *out);
/** RFC 3830, 4.1.3: from a TGK, with the CSB ID, as messages before RFC 6043 do. */
int mikey_derive_3830_session(struct mikey_kept *kept, uint8_t prf, struct mikey_octets tgk,
                              enum mikey_session_use use, uint8_t cs_id, uint32_t csb_id,
                              struct mikey_octets rand, uint8_t *out, size_t len);
/** RFC 3830, 4.1.4: from an envelope or pre-shared key. */
int mikey_derive_3830_message(struct mikey_kept *kept, uint8_t prf, struct mikey_octets inkey,
                              enum mikey_use use, uint32_t csb_id, struct mikey_octets rand,
                              uint8_t *out, size_t len);

#endif
