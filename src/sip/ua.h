/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A user agent over its transactions (RFC 3261, 8): requests of ours that find their way, are
 * challenged and sent again, and requests of others that are handed to calls (call.h) or to the
 * owner. Pure, as transactions are: octets and time go in, octets and calls come out.
 *
 * Callbacks may call everything here and in call.h but sip_ua_input, sip_ua_advance, sip_ua_lost
 * and sip_ua_free. One thread each.
 */
#ifndef GH_SIP_UA_H
#define GH_SIP_UA_H

#include "sip/dialog.h"
#include "sip/txn.h"

struct sip_ua;
struct sip_call;
struct sip_call_event;

/** A way for a request of ours is wanted (8.1.2; RFC 3263): answer with sip_ua_way or
 * sip_ua_no_way, at once or later. */
struct sip_way {
	uint64_t id;         /**< what the answer is for; an id that is over is passed over */
	struct base_str uri; /**< where to: a Request-URI or the first Route; borrowed */
	size_t octets;       /**< about as many as the request has (18.1.1) */
	unsigned attempt; /**< 0; then 1 and so on: the last way did not work, is there another? */
	struct sip_flow last; /**< the flow its dialog came or went by last; id 0 = none */
};

/** All needed but on_call, on_request. */
struct sip_ua_ops {
	/** As of struct sip_txn_ops; 0 is no flow's id here. */
	int (*send)(void *arg, struct sip_flow flow, struct base_str octets);
	/** Fill in our `transport`, `sent_by` and `contact` on this flow; they are used at once. */
	void (*local)(void *arg, struct sip_flow flow, struct sip_local *ret);
	void (*on_way)(void *arg, const struct sip_way *way);
	/** What happens to a call; see call.h. NULL: INVITEs get 405. */
	void (*on_call)(void *arg, const struct sip_call_event *event);
	/**
	 * Another request: answer it with sip_ua_reply before you return true. false, or NULL: it
	 * gets 405 (OPTIONS: 200). Those of dialogs nobody knows have got 481.
	 *
	 * @param call  it is in the dialog of this one; NULL = it is outside
	 */
	bool (*on_request)(void *arg, struct sip_txn *txn, const struct sip_message *msg,
	                   struct sip_call *call);
	/** sip_ua_deadline has changed to this, or sip_ua_advance has been called. */
	void (*rearm)(void *arg, uint64_t deadline_ms);
	uint64_t (*now_ms)(void *arg);
	/** Octets that nobody can foresee. */
	void (*random)(void *arg, uint8_t *out, size_t len);
	void *arg;
};

/** 0 = the default. */
struct sip_ua_config {
	struct sip_txn_config txns;
	size_t calls_max;     /**< at a time, 4096; INVITEs beyond them get 503 */
	uint32_t session_s;   /**< Session-Expires that we ask for, 1800 (RFC 4028, 4) */
	uint32_t session_min; /**< the least that we take, 90: Min-SE (RFC 4028, 5) */
	const char *lines;    /**< header lines of all our requests and answers; copied */
	/** Option tags that the owner speaks, beyond ours, with commas between: others in a Require
	 * get 420. Borrowed as long as it lives. NULL = none. */
	const char *supported;
};

/** Both are copied. @return 0, or BASE_LOCAL */
int sip_ua_new(struct sip_ua **ret, const struct sip_ua_config *config,
               const struct sip_ua_ops *ops);
/** Frees all its calls and transactions; no callback is called. NULL is fine. */
void sip_ua_free(struct sip_ua *ua);

/**
 * How requests of ours answer challenges (22.2, 22.3): by Digest, each realm by the last that fits.
 * A proxy's challenge is answered unasked by what goes to its host and port, or has its Call-ID.
 * A request that was refused with them is answered 401 or 407, as by the peer. Copied; wiped.
 *
 * @param realm  NULL = whoever asks: those we call, too, who may then try passwords on the answer
 * @return 0; BASE_LOCAL
 */
int sip_ua_credential(struct sip_ua *ua, const char *realm, const char *user, const void *password,
                      size_t len);

/** Header lines that requests of ours say from now on, but REGISTERs over a flow of their own and
 * ACKs: Security-Verify (RFC 3329, 2.3.1). Copied; NULL = none. @return 0; BASE_LOCAL */
int sip_ua_lines(struct sip_ua *ua, const char *lines);

/** As sip_txns_input. */
void sip_ua_input(struct sip_ua *ua, struct sip_flow from, const struct sip_source *source,
                  struct base_str octets);
/** As sip_txns_lost. Calls outlive their flow: the next request looks for a way. */
void sip_ua_lost(struct sip_ua *ua, uint64_t flow);
/** When sip_ua_advance has to be called; UINT64_MAX = never. */
uint64_t sip_ua_deadline(const struct sip_ua *ua);
void sip_ua_advance(struct sip_ua *ua);
/** Calls and transactions there are, those that linger for repetitions too. */
size_t sip_ua_calls(const struct sip_ua *ua);
size_t sip_ua_transactions(const struct sip_ua *ua);

/** The way that was asked for. */
void sip_ua_way(struct sip_ua *ua, uint64_t id, struct sip_flow flow);
/** There is none, or no other. The request ends as if it had been answered with this status (503).
 */
void sip_ua_no_way(struct sip_ua *ua, uint64_t id, unsigned status);

/** What a request or an answer says beyond what follows from its place. All may be NULL or empty.
 */
struct sip_content {
	const char *reason;   /**< phrase of an answer; NULL = sip_reason */
	const char *lines;    /**< whole header lines, each with its CRLF */
	const char *type;     /**< Content-Type; NULL = no body */
	struct base_str body; /**< of any octets */
};

/** Answer a request that came by on_request. @return as sip_txn_reply */
int sip_ua_reply(struct sip_ua *ua, struct sip_txn *txn, unsigned status,
                 const struct sip_content *content);

/** A request outside of dialogs: MESSAGE, OPTIONS, REGISTER, SUBSCRIBE. All borrowed. */
struct sip_draft {
	const char *method;
	struct base_str target;        /**< the Request-URI */
	struct base_str from;          /**< name-addr, without a tag: `<sip:a@example.com>` */
	struct base_str to;            /**< likewise */
	struct base_str call_id;       /**< empty = a fresh one */
	struct base_str tag;           /**< of From; empty = a fresh one */
	uint32_t cseq;                 /**< 0 = 1; each time it has to be sent anew is one more */
	const struct base_str *routes; /**< elements of Route: `<sip:p.example;lr>` */
	size_t route_count;
	bool contact;               /**< write our Contact */
	const char *contact_params; /**< `;reg-id=1`; NULL = none */
	struct sip_content content;
};

/**
 * What became of it, once: its final response, borrowed; or NULL with 408 (nobody answered), or the
 * status of sip_ua_no_way.
 * @param cseq  the last that was used, 0 = none
 */
typedef void sip_asked_fn(void *user, const struct sip_message *response, unsigned status,
                          uint32_t cseq);

/**
 * Send it: a way is looked for first. `fn` is never called before this returns.
 * @param ret_id  for sip_ua_ask_forget; may be NULL
 * @return 0; BASE_LOCAL
 */
int sip_ua_ask(struct sip_ua *ua, const struct sip_draft *draft, sip_asked_fn *fn, void *user,
               uint64_t *ret_id);
/** Its `fn` is not called any more. An id that is over is passed over. */
void sip_ua_ask_forget(struct sip_ua *ua, uint64_t id);

#endif
