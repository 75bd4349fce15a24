/* SPDX-License-Identifier: Apache-2.0 */
/** @file A user agent as its commands see it; private to this folder. */
#ifndef GH_UE_APP_H
#define GH_UE_APP_H

#include "ue/config.h"
#include "ue/media.h"
#include "ue/party.h"
#include "ue/words.h"

#define UE_MEDIA_MAX 32 /**< at a time */

struct ue_slot {
	char name[32];
	struct ue_media *media; /**< NULL: free */
	char path[256];         /**< our MSRP URI, of a call's */
};

struct ue_sip;

struct ue_app {
	struct ue_config config;
	struct loop *loop;
	struct streams *streams;
	struct ue_events events;
	struct ue_media_env env;
	struct profile_store *profiles;
	struct tls_domain *media_domain; /**< NULL until the first media with a key */
	struct ue_slot slot[UE_MEDIA_MAX];
	struct ue_sip *sip;    /**< NULL: none */
	struct ue_party party; /**< without KMS: all zero */
	struct base_node calls;
	unsigned calls_made;    /**< so many names were given */
	struct loop_timer over; /**< of an orderly end */
	size_t tickets;         /**< TLS sessions that are kept for resumption; 0 = 64 */
	FILE *key_log;          /**< unsafe; NULL: none */
	bool ending, late, failed;
	bool trace; /**< SIP messages are events, too */
};

/* ---- open.c: sessions by their names ---- */

/** A free slot with this name. @return NULL: there is none, or there is one of this name; `err`
 * says so */
struct ue_slot *ue_app_slot(struct ue_app *app, const char *name, struct base_error *err);
/** The media of a name, or, NULL, the newest of this kind that is not over. */
struct ue_media *ue_app_media(struct ue_app *app, const char *name, enum ue_media_kind kind);

/** The slot of a name whose media is not over; NULL. */
struct ue_slot *ue_app_find(struct ue_app *app, const char *name);
/** End and free what has this name, if there is such media. */
void ue_app_drop(struct ue_app *app, const char *name);
/** Begin to end in order: everything is released, then the loop stops. */
void ue_app_quit(struct ue_app *app);
/** Has something of ours still to go? */
bool ue_app_busy(const struct ue_app *app);

/* ---- domain.c ---- */

/** The domain of keys in common. @return 0, BASE_CONFIG, BASE_LOCAL */
int ue_app_domain(struct ue_app *app, struct tls_domain **ret, struct base_error *err);
/** One out of files; without `tls` none. @return likewise */
int ue_app_domain_files(struct ue_app *app, const char *name, const struct ue_yaml_tls *tls,
                        struct tls_domain **ret, struct base_error *err);

/* ---- commands ---- */

/** Do one line's words, which are at least one. @return 0, or an error with words */
int ue_command(struct ue_app *app, struct ue_words *words, struct base_error *err);
/** All commands, a line each. */
void ue_command_list(FILE *to);
/** `open msrp|bfcp ...`: media without SIP */
int ue_open(struct ue_app *app, struct ue_words *words, struct base_error *err);

#endif
