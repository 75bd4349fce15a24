/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Calls: SIP says what happens, the offer says with which keys, the KMS is asked for them, media
 * follow. Private to this folder.
 */
#ifndef GH_UE_CALL_H
#define GH_UE_CALL_H

#include "sip/sip.h"
#include "ue/sip.h"

struct ue_call;

struct ue_call_wish {
	const char *target; /**< a SIP URI */
	const char
	        *route; /**< a URI to send it to first; NULL: by the proxies of the configuration */
	const char *name; /**< NULL: call-1 and so on */
	const char *sdp;  /**< no keys: a file with the description, or "none"; NULL: keys */
	bool msrp, bfcp;  /**< none of them: both */
	enum offer_setup setup;
};
/** Call somebody. @return 0; BASE_CONFIG, BASE_LOCAL: then there is none */
int ue_call_start(struct ue_app *app, const struct ue_call_wish *wish, struct base_error *err);
/** Take what came in. @return 0; BASE_CONFIG: there is nothing to take */
int ue_call_answer(struct ue_call *call, struct base_error *err);
/** Offer anew in it: all media get new connections and keys. @return 0; BASE_CONFIG: not now */
int ue_call_renew(struct ue_call *call, struct base_error *err);
/** Hang up, or refuse with `status` (0 = 603). */
void ue_call_end(struct ue_call *call, unsigned status);
/** By its name, or, NULL, the newest. */
struct ue_call *ue_call_find(const struct ue_app *app, const char *name);
bool ue_calls_busy(const struct ue_app *app);
void ue_calls_end(struct ue_app *app);
/** All at once, nothing is said. */
void ue_calls_free(struct ue_app *app);

/** Of struct sip_ua_ops. */
void ue_call_event(struct ue_app *app, const struct sip_call_event *event);

#endif
