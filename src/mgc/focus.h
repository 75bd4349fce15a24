/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Conferences and their members: what connects calls (sip/call.h), descriptions and keys
 * (offer/offer.h) and terminations (mp.h). Sockets and clocks are the owner's. One thread.
 */
#ifndef GH_MGC_FOCUS_H
#define GH_MGC_FOCUS_H

#include "mgc/config.h"
#include "mgc/mp.h"
#include "offer/offer.h"
#include "sip/sip.h"

struct mgc_focus;
/** A question to the KMS under way; the owner's. */
struct mgc_ask;

/** Its answer; no data: there was none, `why` says why. */
typedef void mgc_answer_fn(void *arg, struct mikey_octets answer, const char *why);

struct mgc_focus_ops {
	/**
	 * Ask the KMS. `fn` comes later, once, never inside this call.
	 * @return 0; negative with words: `fn` does not come
	 */
	int (*ask)(void *arg, bool resolve, struct mikey_octets octets, mgc_answer_fn *fn,
	           void *fn_arg, struct mgc_ask **ret, struct base_error *err);
	/** Its `fn` does not come any more. */
	void (*forget)(void *arg, struct mgc_ask *ask);
	/** Unix time in nanoseconds. */
	uint64_t (*wall_ns)(void *arg);
	/** A member has gone; may be NULL. */
	void (*on_empty)(void *arg);
	void *arg;
};

/** `config` is borrowed until another takes its place. mgc_focus_attach before anything else. */
int mgc_focus_new(struct mgc_focus **ret, struct loop *loop, const struct mgc_config *config,
                  const struct mgc_focus_ops *ops);
/** Mp and SIP, whose callbacks lead here. */
void mgc_focus_attach(struct mgc_focus *focus, struct mgc_mp *mp, struct sip_ua *ua);
/** `ua` must be gone or silent. NULL is fine. */
void mgc_focus_free(struct mgc_focus *focus);

/* ---- another configuration, in two phases ---- */

/** What cannot take its place at this time, in words; NULL = nothing. */
const char *mgc_focus_obstacle(const struct mgc_focus *focus, const struct mgc_config *config);
struct mgc_focus_plan;
/** All that can fail. @return 0 or BASE_LOCAL */
int mgc_focus_prepare(struct mgc_focus *focus, const struct mgc_config *config,
                      struct mgc_focus_plan **ret);
/** It is in force: new members are by it, those of a conference that it has not are sent away.
 * The one before is borrowed as long as mgc_focus_uses it. Both take the plan. */
void mgc_focus_commit(struct mgc_focus *focus, struct mgc_focus_plan *plan);
void mgc_focus_drop(struct mgc_focus *focus, struct mgc_focus_plan *plan);
/** Conferences that are over and empty are freed; then: does anybody stand on it? */
bool mgc_focus_uses(struct mgc_focus *focus, const struct mgc_config *config);

/** For struct mgc_mp_ops. */
void mgc_focus_mrfp_up(void *focus, struct mgc_mrfp *mrfp, bool fresh);
void mgc_focus_mrfp_down(void *focus, struct mgc_mrfp *mrfp, const char *why);
void mgc_focus_told(void *focus, struct mgc_mrfp *mrfp, const struct mgc_told *told);
/** For struct sip_ua_ops. */
void mgc_focus_call(void *focus, const struct sip_call_event *event);

/** Call somebody into a conference. @return 0, BASE_CONFIG (no such conference or URI), BASE_LOCAL
 */
int mgc_focus_dial(struct mgc_focus *focus, const char *room, const char *uri);
/** End all members' calls; nobody new is let in. on_empty tells when the last has gone. */
void mgc_focus_leave(struct mgc_focus *focus);
/** Members there are, those that end included. */
size_t mgc_focus_members(const struct mgc_focus *focus);

/** members = incoming + dialled - gone, those that are up by `ups` - their ends. */
#define MGC_FOCUS_COUNTERS(X)                                                                      \
	X(incoming, "calls that came in")                                                          \
	X(turned_away, "of them, those that were no member's or of no conference")                 \
	X(dialled, "calls of ours")                                                                \
	X(ups, "members that came into a conference")                                              \
	X(unkeyed, "set-ups that failed for a key, the KMS or a description")                      \
	X(unseated, "set-ups that the MRFP refused")                                               \
	X(failed_bearers, "members lost because TCP or TLS failed")                                \
	X(lost, "members lost with their MRFP")                                                    \
	X(late, "set-ups that took too long")                                                      \
	X(asks, "questions to the KMS")                                                            \
	X(unanswered, "of them, those without an answer")                                          \
	X(gone, "members that have gone, however far they came")
struct mgc_focus_counters {
#define MGC_COUNTER_FIELD(name, text) uint64_t name;
	MGC_FOCUS_COUNTERS(MGC_COUNTER_FIELD)
#undef MGC_COUNTER_FIELD
};
const struct mgc_focus_counters *mgc_focus_counters(const struct mgc_focus *focus);

#endif
