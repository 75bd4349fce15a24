/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Events (RFC 3525, 7.1.9): what a controller may ask for, and what the bearers tell turned into
 * Notify (7.2.7). Only events of the termination's active Events descriptor are notified.
 */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "mg/bearer.h"
#include "mg/notify.h"
#include "mg/part.h"
#include "mg/plan.h"

/* ---- asking ---- */

static bool equipped(const struct h248_package *package, const char *event, bool root)
{
	if (root)
		return !strcmp(package->name, "it");
	if (!strcmp(package->name, "g"))
		return !strcmp(event, "cause") || !strcmp(event, "*");
	return !strcmp(package->name, "tcpbcc") || !strcmp(package->name, "tlsbsc");
}

static int event_extras(struct mg_run *run, const struct h248_event *e)
{
	if (e->digit_map)
		return mg_fail(run, H248_E_DESCRIPTOR, "Events %.*s/%.*s: DigitMap: there are none",
		               BASE_FMT(e->name.package), BASE_FMT(e->name.item));
	if (e->embed || e->regulated)
		return mg_fail(run, H248_E_NOT_IMPLEMENTED, "Events %.*s/%.*s: Embed",
		               BASE_FMT(e->name.package), BASE_FMT(e->name.item));
	return 0;
}

/* it/ito: silence in units of 10 ms (mark R in the table). */
static int inactivity_read(struct mg_run *run, struct mg_plan *plan, const struct h248_event *e)
{
	const struct h248_parm *p = h248_parm_find(e->parms, "", "mit");
	struct base_str v;
	uint64_t n;

	if (!p)
		return 0; /* a wildcard */
	if (!h248_parm_text(p, &v) || base_str_u64(v, UINT32_MAX / 10, &n))
		return mg_fail(run, H248_E_NO_VALUE, "Events it/ito: mit is no number of 10 ms");
	plan->inactivity_ms = (uint32_t)n * 10;
	return 0;
}

static int event_read(struct mg_run *run, struct mg_plan *plan, const struct h248_event *e)
{
	bool all = base_str_eq(e->name.item, BASE_STR("*")), root = plan->term == &run->mg->root;
	const struct h248_package_item *item = NULL;
	const struct h248_package *package;
	struct base_error err = { 0 };
	int rc = 0;

	if (all) {
		package = h248_package_find(e->name.package);
		if (!package)
			return mg_fail(run, H248_E_PACKAGE, "Events %.*s/*: unknown package",
			               BASE_FMT(e->name.package));
	} else {
		rc = h248_package_lookup(H248_EVENT, e->name, &package, &item, &err);
		if (!rc)
			rc = h248_package_params_check(item, e->parms, &err);
	}
	if (rc)
		return mg_fail_error(run, rc, &err, "Events %.*s/%.*s", BASE_FMT(e->name.package),
		                     BASE_FMT(e->name.item));
	if (!equipped(package, item ? item->name : "*", root))
		return mg_fail(run, H248_E_EVENT_UNEQUIPPED, "Events %s/%s: not equipped%s",
		               package->name, item ? item->name : "*", root ? " on ROOT" : "");
	rc = event_extras(run, e);
	return !rc && root ? inactivity_read(run, plan, e) : rc;
}

int mg_events_read(struct mg_run *run, struct mg_plan *plan, const struct h248_events *events)
{
	int rc = 0;

	for (const struct h248_event *e = events->events; e && !rc; e = e->next)
		rc = event_read(run, plan, e);
	if (rc)
		return rc;
	if (events->events && !events->has_request_id)
		return mg_fail(run, H248_E_PARAMETER_MISSING, "Events: no RequestID");
	plan->clear_events = true;
	if (!events->events)
		return 0;
	plan->events = mg_events_new(events);
	return plan->events ? 0 : mg_fail_memory(run);
}

/* ---- telling ---- */

/* One thing that happened, with its parameters. */
struct happening {
	const char *package, *item;
	const char *type; /* parameter Type, against which a request may filter; or NULL */
	struct h248_parm *parms;
};

struct notice {
	struct mg_notice *out; /* whose arena holds it all; NULL when memory is short */
	struct mg_leg *leg;
	const struct relay_event *event;
	struct happening list[3];
	size_t count;
	bool failed;
};

static struct happening *happen(struct notice *n, const char *package, const char *item)
{
	struct happening *h = &n->list[n->count++];

	h->package = package;
	h->item = item;
	return h;
}

/* A parameter's name has no package in front. */
static struct h248_name parm_name(const char *name)
{
	return (struct h248_name){ { NULL, 0 }, base_str_of(name) };
}

static void parm_word(struct notice *n, struct happening *h, const char *name, const char *word)
{
	const char *copy = n->out ? base_arena_dup(&n->out->arena, base_str_of(word)) : NULL;

	if (!copy ||
	    !h248_parm_set(&n->out->arena, &h->parms, parm_name(name), base_str_of(copy), false))
		n->failed = true;
}

/* What a quoted string of every version can hold; the rest is left out. @return octets */
static size_t quotable(char *to, size_t cap, const char *from)
{
	size_t len = 0;

	for (; *from && len + 1 < cap; from++)
		if ((unsigned char)*from >= 0x20 && (unsigned char)*from < 0x7f && *from != '"')
			to[len++] = *from;
	to[len] = '\0';
	return len;
}

static void parm_text(struct notice *n, struct happening *h, const char *name, const char *text)
{
	size_t cap = strlen(text) + 1, len;
	char *copy = n->out ? base_arena_alloc(&n->out->arena, cap) : NULL;

	if (!*text)
		return;
	len = copy ? quotable(copy, cap, text) : 0;
	if (!copy || !h248_parm_set(&n->out->arena, &h->parms, parm_name(name),
	                            (struct base_str){ copy, len }, true))
		n->failed = true;
}

static const char *address_text(const struct sockaddr_storage *a, char *buf, size_t cap)
{
	char host[INET6_ADDRSTRLEN] = "";

	if (a->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)a;

		inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof(host));
		snprintf(buf, cap, "[%s]:%u", host, ntohs(in->sin6_port));
	} else if (a->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)a;

		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		snprintf(buf, cap, "%s:%u", host, ntohs(in->sin_port));
	} else {
		buf[0] = '\0';
	}
	return buf;
}

static const char *side_of(enum relay_cause cause)
{
	switch (cause) {
	case RELAY_CAUSE_NONE:
		return "none";
	case RELAY_CAUSE_PEER_CLOSE:
	case RELAY_CAUSE_PEER_RESET:
	case RELAY_CAUSE_PEER_ALERT:
	case RELAY_CAUSE_TRUNCATED:
	case RELAY_CAUSE_REFUSED:
		return "remote";
	default:
		return "local";
	}
}

static const char *alert_side(const struct relay_tls_result *tls, enum relay_cause cause)
{
	if (tls->alert_side == TLS_SIDE_NONE)
		return side_of(cause);
	return tls->alert_side == TLS_SIDE_LOCAL ? "local" : "remote";
}

static void tcp_happened(struct notice *n, const char *type)
{
	const struct relay_event *e = n->event;
	struct happening *h = happen(n, "tcpbcc", "BNCChange");
	char peer[64];

	h->type = type;
	parm_word(n, h, "Type", type);
	if (e->kind != RELAY_TCP_UP) {
		parm_text(n, h, "Cause", relay_cause_name(e->cause));
		parm_word(n, h, "Side", side_of(e->cause));
		if (e->error)
			parm_text(n, h, "Reason", strerror(e->error));
	}
	parm_text(n, h, "Peer", address_text(&e->peer, peer, sizeof(peer)));
}

/** How the peer was authenticated, or why not; "none" where nobody asked (docs/packages.md). */
static const char *auth_word(const struct relay_tls_result *tls)
{
	if (tls->psk)
		return "psk";
	if (tls->method)
		return tls->method == TRUST_CA ? "ca" : "fingerprint";
	return tls->reason == TRUST_OK ? "none" : trust_reason_name(tls->reason);
}

static void tls_happened(struct notice *n, const char *type)
{
	const struct relay_event *e = n->event;
	struct happening *h = happen(n, "tlsbsc", "BNCChange");
	char alert[16];

	h->type = type;
	parm_word(n, h, "Type", type);
	if (e->kind == RELAY_TLS_UP) {
		parm_text(n, h, "Version", e->tls.version_name);
		parm_text(n, h, "Suite", e->tls.suite_name);
		parm_word(n, h, "Resumed", e->tls.resumed ? "on" : "off");
		parm_text(n, h, "Peer", e->tls.peer_subject);
		parm_text(n, h, "Auth", auth_word(&e->tls));
		return;
	}
	/* 8.5.1-3, 8.6: the reason, the alert and who said it */
	snprintf(alert, sizeof(alert), "%d", e->tls.alert);
	parm_word(n, h, "Alert", alert);
	parm_word(n, h, "Side", alert_side(&e->tls, e->cause));
	parm_text(n, h, "Cause", relay_cause_name(e->cause));
	parm_text(n, h, "Reason", e->tls.text);
	if (e->kind == RELAY_TLS_FAILED && e->tls.reason != TRUST_OK)
		parm_text(n, h, "Auth", trust_reason_name(e->tls.reason));
}

/* g/cause (E.1.2): the group of a failure; an ordinary end is none. */
static void cause_happened(struct notice *n)
{
	const char *general = "FT";
	struct happening *h;

	switch (n->event->cause) {
	case RELAY_CAUSE_NONE:
	case RELAY_CAUSE_PEER_CLOSE:
	case RELAY_CAUSE_LOCAL_CLOSE:
	case RELAY_CAUSE_PARTNER:
		return;
	case RELAY_CAUSE_RESOURCES:
		general = "UR";
		break;
	case RELAY_CAUSE_AUTH:
	case RELAY_CAUSE_LOCAL_ALERT:
	case RELAY_CAUSE_PEER_ALERT:
		general = "FP";
		break;
	default:
		break;
	}
	h = happen(n, "g", "cause");
	parm_word(n, h, "Generalcause", general);
}

static bool name_asked(const struct h248_event *asked, const struct happening *h)
{
	return base_str_ieq(asked->name.package, base_str_of(h->package)) &&
	       (base_str_eq(asked->name.item, BASE_STR("*")) ||
	        base_str_ieq(asked->name.item, base_str_of(h->item)));
}

/* Parameter Type of the request: which changes to report; all when left out. */
static bool type_asked(const struct h248_event *asked, const struct happening *h)
{
	const struct h248_parm *p = h248_parm_find(asked->parms, "", "Type");

	if (!p || !h->type)
		return true;
	for (const struct h248_value *v = &p->value; v; v = v->next)
		if (base_str_ieq(v->text, base_str_of(h->type)))
			return true;
	return false;
}

static const struct h248_event *asked_for(const struct mg_events *events, uint16_t stream,
                                          const struct happening *h)
{
	for (const struct h248_event *e = events ? events->list : NULL; e; e = e->next)
		if (name_asked(e, h) && type_asked(e, h) && e->notify != H248_NOTIFY_NEVER &&
		    (!e->has_stream || !e->stream || e->stream == stream))
			return e;
	return NULL;
}

static bool observed_add(struct notice *n, struct h248_observed_events *into,
                         const struct happening *h, uint64_t wall_ms)
{
	struct h248_name name = { base_str_of(h->package), base_str_of(h->item) };
	struct h248_observed_event *o = h248_observed_event_add(&n->out->arena, into, name);

	if (!o)
		return false;
	o->time = h248_time_of((int64_t)(wall_ms / 1000), (unsigned)(wall_ms % 1000 / 10));
	o->stream = n->leg->stream;
	o->has_stream = true;
	o->parms = h->parms;
	return true;
}

/* @return false when there is nothing that was asked for, or no memory (n->failed) */
static bool request_build(struct mg *mg, struct notice *n)
{
	const struct mg_term *term = n->leg->term;
	struct base_arena *arena = &n->out->arena;
	uint64_t wall = mg->ops.wall_ms(mg->ops.arg);
	struct h248_transaction *request = h248_request_new(arena);
	struct h248_action *action =
	        request ? h248_action_add(arena, request, term->context->id) : NULL;
	char *name = base_arena_dup(arena, base_str_of(term->name));
	struct h248_command *command =
	        action && name ? h248_command_add(arena, action, H248_NOTIFY, base_str_of(name))
	                       : NULL;
	struct h248_observed_events *o = NULL;

	n->failed |= !command;
	for (size_t i = 0; i < n->count && !n->failed; i++) {
		if (!asked_for(term->events, n->leg->stream, &n->list[i]))
			continue;
		if (!o)
			o = h248_observed_add(arena, command, term->events->request_id);
		n->failed = !o || !observed_add(n, o, &n->list[i], wall);
	}
	n->out->request = request;
	return o && !n->failed;
}

static void notify(struct mg *mg, struct notice *n)
{
	if (n->out && request_build(mg, n)) {
		mg_notice_send(mg, n->out);
		return;
	}
	mg_notice_free(n->out);
	if (n->out && !n->failed)
		return;
	mg->counts.notifies_lost++;
	base_log(BASE_LOG_WARN, "mg", "context=%u term=%s stream=%u: no memory for a Notify",
	         n->leg->term->context->id, n->leg->term->name, n->leg->stream);
}

static void log_happened(const struct notice *n)
{
	static const char *const kinds[] = {
		[RELAY_TCP_UP] = "tcp-up",         [RELAY_TCP_FAILED] = "tcp-failed",
		[RELAY_TCP_DOWN] = "tcp-down",     [RELAY_TLS_UP] = "tls-up",
		[RELAY_TLS_FAILED] = "tls-failed", [RELAY_TLS_DOWN] = "tls-down",
	};
	const struct relay_event *e = n->event;
	const struct mg_leg *leg = n->leg;
	char peer[64];

	address_text(&e->peer, peer, sizeof(peer));
	if (e->kind == RELAY_TLS_UP)
		base_log(BASE_LOG_INFO, "mg",
		         "tls-up context=%u term=%s stream=%u domain=%s version=%s suite=%s "
		         "resumed=%s auth=%s subject=\"%s\"",
		         leg->term->context->id, leg->term->name, leg->stream, leg->domain_name,
		         e->tls.version_name, e->tls.suite_name, e->tls.resumed ? "yes" : "no",
		         auth_word(&e->tls), e->tls.peer_subject);
	else if (e->kind == RELAY_TLS_FAILED || e->kind == RELAY_TLS_DOWN)
		base_log(BASE_LOG_INFO, "mg",
		         "%s context=%u term=%s stream=%u domain=%s cause=%s alert=%d side=%s "
		         "reason=%s text=\"%s\"",
		         kinds[e->kind], leg->term->context->id, leg->term->name, leg->stream,
		         leg->domain_name, relay_cause_name(e->cause), e->tls.alert,
		         alert_side(&e->tls, e->cause), trust_reason_name(e->tls.reason),
		         e->tls.text);
	else
		base_log(BASE_LOG_INFO, "mg",
		         "%s context=%u term=%s stream=%u peer=%s cause=%s%s%s", kinds[e->kind],
		         leg->term->context->id, leg->term->name, leg->stream, peer[0] ? peer : "-",
		         relay_cause_name(e->cause), e->error ? " error=" : "",
		         e->error ? strerror(e->error) : "");
}

/* ---- what the leg itself makes of it ---- */

/* seplink: a set-up that came in here starts the partner's (H.248.92). */
static void link_trigger(struct mg *mg, const struct mg_leg *leg, enum relay_event_kind kind)
{
	if (!leg->partner || leg->link == H248_LINK_OFF || leg->tcp_role != RELAY_TCP_SERVER)
		return;
	if (kind == RELAY_TCP_UP) {
		if (mg->bearer->endpoint_connect(leg->partner->endpoint))
			mg_leg_unable(leg->partner, RELAY_TCP_FAILED);
	} else if (leg->link == H248_LINK_TCP_TLS && leg->partner->tls) {
		if (mg->bearer->endpoint_start_tls(leg->partner->endpoint, TLS_ROLE_CLIENT))
			mg_leg_unable(leg->partner, RELAY_TLS_FAILED);
	}
}

/* For audits: the peer writes its own subject, and must not be able to spoil their replies. */
static void leg_remember(struct mg_leg *leg, const struct relay_tls_result *tls)
{
	(void)quotable(leg->version, sizeof(leg->version), tls->version_name);
	(void)quotable(leg->suite, sizeof(leg->suite), tls->suite_name);
	(void)quotable(leg->peer, sizeof(leg->peer), tls->peer_subject);
	leg->resumed = tls->resumed;
}

void mg_leg_event(void *arg, struct relay_endpoint *endpoint, const struct relay_event *event)
{
	struct notice n = { .leg = arg, .event = event };
	struct mg_leg *leg = arg;
	struct mg *mg = leg->mg;

	(void)endpoint;
	n.out = mg_notice_new(mg, leg->term);
	switch (event->kind) {
	case RELAY_TCP_UP:
		leg->state = MG_LEG_TCP_UP;
		tcp_happened(&n, "Est");
		break;
	case RELAY_TCP_FAILED:
		leg->state = MG_LEG_ENDED;
		tcp_happened(&n, "EstFail");
		cause_happened(&n);
		break;
	case RELAY_TCP_DOWN:
		leg->state = MG_LEG_ENDED;
		tcp_happened(&n, "Rel");
		/* A TLS session that failed has told its cause already. */
		if (!leg->tls)
			cause_happened(&n);
		break;
	case RELAY_TLS_UP:
		leg->state = MG_LEG_TLS_UP;
		leg_remember(leg, &event->tls);
		tls_happened(&n, "Est");
		break;
	case RELAY_TLS_FAILED:
		tls_happened(&n, "EstFail");
		cause_happened(&n);
		break;
	case RELAY_TLS_DOWN:
		tls_happened(&n, "Rel");
		cause_happened(&n);
		break;
	}
	log_happened(&n);
	notify(mg, &n);
	if (event->kind == RELAY_TCP_UP || event->kind == RELAY_TLS_UP)
		link_trigger(mg, leg, event->kind);
}

void mg_leg_unable(struct mg_leg *leg, enum relay_event_kind kind)
{
	struct relay_event event = { .kind = kind, .cause = RELAY_CAUSE_RESOURCES };

	event.tls.alert = -1;
	if (kind == RELAY_TLS_FAILED) /* no session with keys or names that are no longer right */
		(void)leg->mg->bearer->endpoint_release(leg->endpoint, true);
	mg_leg_event(leg, leg->endpoint, &event);
}
