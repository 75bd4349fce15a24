/* SPDX-License-Identifier: Apache-2.0 */
/* The ServiceChanges of an association (RFC 3525, 7.2.8, 11.2 to 11.5): what we say, and what the
 * controller's reply makes of it. */
#include "h248/assoc_private.h"

static struct h248_services *service_change(struct base_arena *arena, struct h248_transaction *req,
                                            unsigned method, unsigned reason)
{
	struct h248_action *action = h248_action_add(arena, req, H248_CONTEXT_NULL);
	struct h248_command *command =
	        h248_command_add(arena, action, H248_SERVICE_CHANGE, BASE_STR("ROOT"));
	struct h248_services *s = h248_services_add(arena, command);

	if (!s)
		return NULL;
	s->method = (uint8_t)method;
	s->has_reason = true;
	s->reason_code = (uint16_t)reason;
	s->reason = base_str_of(h248_reason_text(reason));
	return s;
}

static unsigned reason_of(const struct h248_assoc *a)
{
	switch (a->method) {
	case H248_FAILOVER:
		return H248_R_MGC_FAILURE;
	case H248_DISCONNECTED:
		return H248_R_SERVICE_RESTORED;
	case H248_HAND_OFF:
		return H248_R_MGC_DIRECTED;
	default:
		return a->config.restart_reason ? a->config.restart_reason : H248_R_COLD_BOOT;
	}
}

/* What only a registration carries (fact sheet 5.1, 6.3). */
static void add_offer(struct h248_assoc *a, struct h248_services *s, struct h248_mid *address)
{
	s->has_version = true;
	s->version = a->offer;
	if (a->offer_profile < a->config.profiles_count) {
		s->has_profile = true;
		s->profile = a->profiles[a->offer_profile].name;
		s->profile_version = a->profiles[a->offer_profile].version;
	}
	if (a->config.service_address) {
		*address = h248_addr_mid(a->config.service_address);
		s->address = address;
	}
	if (a->ops.wall_time)
		s->time = a->ops.wall_time(a->user);
}

static const struct h248_command *service_change_reply(const struct h248_transaction *reply)
{
	for (const struct h248_action *action = reply->actions; action; action = action->next) {
		for (const struct h248_command *c = action->commands; c; c = c->next) {
			if (c->kind == H248_SERVICE_CHANGE && !c->fault && !h248_command_error(c))
				return c;
		}
	}
	return NULL;
}

/* Take over the version. False: we cannot comply (11.3). */
static bool version_agree(struct h248_assoc *a, const struct h248_services *s,
                          const struct h248_message *msg)
{
	unsigned version = msg->version; /* a reply without Version breaks a rule; be lenient (P) */

	if (a->method == H248_DISCONNECTED && !(s && s->has_version))
		version = a->version; /* no registration: the agreed one stays */
	else if (s && s->has_version)
		version = s->version;
	if (version < 1 || version > a->offer)
		return false;
	a->version = (uint8_t)version;
	h248_peer_version_set(a->peer, version);
	return true;
}

/* The same for the profile: what is not spoken of is as we offered it (sheet 6.3). */
static bool profile_agree(struct h248_assoc *a, const struct h248_services *s)
{
	if (a->method == H248_DISCONNECTED && !(s && s->has_profile))
		return true;
	a->agreed_profile = a->config.profiles_count ? a->offer_profile : ASSOC_NONE;
	if (!s || !s->has_profile)
		return true;
	for (size_t i = 0; i < a->config.profiles_count; i++) {
		if (a->profiles[i].version == s->profile_version &&
		    base_str_ieq(a->profiles[i].name, s->profile)) {
			a->agreed_profile = i;
			return true;
		}
	}
	/* "No profile" is what we have when we offer none. */
	return !a->config.profiles_count && base_str_ieq(s->profile, BASE_STR("NoProfile"));
}

void assoc_tell_refused(struct h248_assoc *a, const struct h248_addr *who, unsigned code,
                        const char *why, struct base_str text)
{
	if (a->ops.on_refused)
		a->ops.on_refused(a->user, who, code, why, text);
}

/* Errors that have nothing to do with what was asked: another time, or another controller. */
static bool passing(unsigned code)
{
	return code == H248_E_NOT_READY || code == H248_E_UNAVAILABLE || code == H248_E_RESOURCES ||
	       code == H248_E_BUSY;
}

/*
 * 406: a lower version may do (11.3); 461: another profile. A controller that was started anew may
 * not know whom Disconnected comes from: Failover registers, and promises the same (P).
 */
static bool less_to_offer(struct h248_assoc *a, unsigned code)
{
	if (a->method == H248_DISCONNECTED) {
		if (!code || passing(code))
			return false;
		a->method = H248_FAILOVER;
		return true;
	}
	if (code == H248_E_VERSION && a->offer > 1) {
		a->offer--;
		return true;
	}
	if (code == H248_E_PROFILE && a->offer_profile + 1 < a->config.profiles_count) {
		a->offer_profile++;
		return true;
	}
	return false;
}

void assoc_refused(struct h248_assoc *a, unsigned code)
{
	a->counters.refused++;
	assoc_fire(a, less_to_offer(a, code) ? E_LOWER : E_REFUSED);
}

static void refused(struct h248_assoc *a, unsigned code, const char *why, struct base_str text)
{
	assoc_tell_refused(a, &a->target, code, why, text);
	assoc_refused(a, code);
}

/* It gives up on us by words that leave nothing to try there. */
static void unfit(struct h248_assoc *a, unsigned code, const char *why, struct base_str text)
{
	assoc_tell_refused(a, &a->target, code, why, text);
	a->counters.refused++;
	assoc_fire(a, E_REFUSED);
}

/* 11.3: it believes that it controls us. */
static void unfit_version(struct h248_assoc *a)
{
	assoc_unfit_forget(a);
	a->unfit = a->target;
	unfit(a, H248_E_VERSION, "it wants a version that is not ours", BASE_STR(""));
}

/* Accepted: requests go to ServiceChangeAddress from now on (7.2.8), wherever that is. */
static void accepted(struct h248_assoc *a, const struct h248_services *s)
{
	struct h248_controller at;

	if (s && s->address && assoc_controller_of_mid(s->address, &a->target, &at)) {
		assoc_tell_refused(a, &a->target, 0, "ServiceChangeAddress is no place to go to",
		                   s->address->name);
	} else if (s && s->address && at.name[0]) {
		a->wanted = at;
		assoc_fire(a, E_ACCEPTED_NAME);
		return;
	} else if (s && s->address) {
		h248_peer_addr_set(a->peer, &at.addr);
	}
	assoc_fire(a, E_ACCEPTED);
}

/* The error that stands in for a ServiceChange reply, wherever it is; NULL: none. */
static const struct h248_error *reply_error(const struct h248_transaction *reply)
{
	const struct h248_error *e = reply->error;

	for (const struct h248_action *action = reply->actions; action && !e;
	     action = action->next) {
		e = action->error;
		for (const struct h248_command *c = action->commands; c && !e; c = c->next)
			e = h248_command_error(c);
	}
	return e;
}

/* The controller has answered our ServiceChange. */
static void answered(struct h248_assoc *a, const struct h248_message *msg,
                     const struct h248_transaction *reply)
{
	const struct h248_command *command =
	        reply->error || reply->fault ? NULL : service_change_reply(reply);
	const struct h248_services *s = command ? h248_command_services(command) : NULL;
	const struct h248_error *e = command ? NULL : reply_error(reply);

	if (e)
		refused(a, e->code, "it answers with an error", e->text);
	else if (!command)
		refused(a, 0, "no ServiceChange in its answer", BASE_STR(""));
	else if (s && s->mgc_id && !assoc_controller_of_mid(s->mgc_id, &a->target, &a->redirect_to))
		assoc_fire(a, E_REDIRECTED);
	else if (s && s->mgc_id) /* as good as refused (P): the next one of our list */
		unfit(a, 0, "MgcIdToTry is no place to go to", s->mgc_id->name);
	else if (!version_agree(a, s, msg))
		unfit_version(a);
	else if (!profile_agree(a, s))
		unfit(a, H248_E_PROFILE, "it wants a profile that is not ours",
		      s ? s->profile : BASE_STR(""));
	else
		accepted(a, s);
}

static void on_registered(void *arg, enum h248_outcome outcome, const struct h248_message *msg,
                          const struct h248_transaction *reply)
{
	if (outcome == H248_OUTCOME_TIMEOUT || outcome == H248_OUTCOME_PENDINGS)
		assoc_fire(arg, E_NO_REPLY);
	else if (outcome == H248_OUTCOME_REPLY)
		answered(arg, msg, reply);
}

int assoc_register_send(struct h248_assoc *a)
{
	struct base_arena arena = { 0 };
	struct h248_transaction *req = h248_request_new(&arena);
	struct h248_services *s = req ? service_change(&arena, req, a->method, reason_of(a)) : NULL;
	struct h248_mid address;
	unsigned version = 1; /* whatever we offer, the offer is a version 1 message (5.1) */
	int rc = BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);

	if (s) {
		if (a->method != H248_DISCONNECTED)
			add_offer(a, s, &address);
		else
			version = a->version;
		rc = h248_txn_request(a->peer, req, version, on_registered, a, NULL);
		a->counters.attempts += !rc;
	}
	base_arena_done(&arena);
	return rc;
}

static void on_left(void *arg, enum h248_outcome outcome, const struct h248_message *msg,
                    const struct h248_transaction *reply)
{
	(void)msg;
	(void)reply;
	if (outcome != H248_OUTCOME_CANCELLED)
		assoc_fire(arg, E_ANSWERED);
}

void assoc_leave_send(struct h248_assoc *a)
{
	struct base_arena arena = { 0 };
	struct h248_transaction *req = h248_request_new(&arena);

	if (req && service_change(&arena, req, a->leave_method, a->leave_reason))
		(void)h248_txn_request(a->peer, req, 0, on_left, a, NULL); /* as the header says */
	base_arena_done(&arena);
}
