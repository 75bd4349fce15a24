/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions, as the file has them (docs/h248-transactions.md): timers by rule, company, limits.
 */
#include <stdio.h>

#include "mg/yaml.h"

#define FACTOR_MAX  100
#define REPEATS_MAX 1000
/* What every host takes (RFC 1122, 3.3.2), and what a datagram holds. */
#define SIZE_MIN     576
#define SIZE_MAX_UDP 65507

/* What comes is added to each wait; a minus before it takes it away. */
static int increment_read(const struct mg_config *c, const char *where, const char *text,
                          int32_t *ret, struct base_error *err)
{
	bool minus = text && text[0] == '-';
	uint32_t ms = 0;
	int rc = mg_ms_read(c, where, minus ? text + 1 : text, &ms, err);

	if (!rc && ms > INT32_MAX)
		rc = config_refuse(c->doc, err, where, "longer than 24 days");
	if (!rc)
		*ret = minus ? -(int32_t)ms : (int32_t)ms;
	return rc;
}

static int rule_read(const struct mg_config *c, const char *name, const struct mg_yaml_rule *y,
                     struct h248_timer_rule *ret, struct base_error *err)
{
	char where[MG_WHERE];
	int rc;

	if (!y)
		return 0;
	snprintf(where, sizeof(where), "h248.timers.%s.wait", name);
	rc = mg_ms_read(c, where, y->wait, &ret->wait_ms, err);
	snprintf(where, sizeof(where), "h248.timers.%s.factor", name);
	if (!rc)
		rc = mg_number_check(c, where, y->factor, 1, FACTOR_MAX, err);
	if (!rc && y->factor && !ret->wait_ms)
		rc = config_refuse(c->doc, err, where, "without a wait that it multiplies");
	snprintf(where, sizeof(where), "h248.timers.%s.increment", name);
	if (!rc)
		rc = increment_read(c, where, y->increment, &ret->incr_ms, err);
	if (!rc && ret->incr_ms && !ret->wait_ms)
		rc = config_refuse(c->doc, err, where, "without a wait to which it is added");
	snprintf(where, sizeof(where), "h248.timers.%s.limit", name);
	if (!rc)
		rc = mg_number_check(c, where, y->limit, 1, REPEATS_MAX, err);
	ret->factor = y->factor;
	ret->limit = y->limit;
	return rc;
}

static int timers_read(struct mg_config *c, const struct mg_yaml_timers *y,
                       enum h248_transport_kind transport, struct base_error *err)
{
	struct h248_txn_timers *t = &c->node.txn.timers;
	int rc;

	if (!y)
		return 0;
	if (y->reply && transport != H248_UDP)
		return config_refuse(c->doc, err, "h248.timers.reply",
		                     "only over udp are replies repeated");
	rc = rule_read(c, "request", y->request, &t->request, err);
	if (!rc)
		rc = rule_read(c, "long-request", y->long_request, &t->long_request, err);
	if (!rc)
		rc = rule_read(c, "reply", y->reply, &t->reply, err);
	return rc ? rc : rule_read(c, "pending", y->pending, &t->pending, err);
}

static int bundle_read(struct mg_config *c, const struct mg_yaml_bundle *y,
                       enum h248_transport_kind transport, struct base_error *err)
{
	int rc;

	if (!y)
		return 0;
	if (transport != H248_UDP)
		return config_refuse(c->doc, err, "h248.bundle",
		                     "only over udp; TCP joins what is written together by itself");
	rc = mg_ms_read(c, "h248.bundle.wait", y->wait, &c->node.txn.bundle_ms, err);
	if (!rc)
		rc = mg_number_check(c, "h248.bundle.size", y->size, SIZE_MIN, SIZE_MAX_UDP, err);
	if (!rc && y->size && !c->node.txn.bundle_ms)
		rc = config_refuse(c->doc, err, "h248.bundle.size", "without h248.bundle.wait");
	c->node.txn.bundle_bytes = y->size;
	return rc;
}

int mg_txn_read(struct mg_config *c, enum h248_transport_kind transport, struct base_error *err)
{
	static const struct mg_yaml_h248 none;
	const struct mg_yaml_h248 *y = c->yaml->h248 ? c->yaml->h248 : &none;
	struct h248_txn_config *txn = &c->node.txn;
	int rc = timers_read(c, y->timers, transport, err);

	if (!rc && y->acknowledge)
		rc = mg_ms_read(c, "h248.acknowledge.after", y->acknowledge->after, &txn->ack_ms,
		                err);
	if (y->acknowledge)
		txn->ack_max = y->acknowledge->count;
	if (!rc)
		rc = bundle_read(c, y->bundle, transport, err);
	txn->window = y->window;
	txn->max_queued = y->queue;
	txn->peer_pending_limit = c->core.peer_pending_limit = y->peer_pending_limit;
	return rc;
}
