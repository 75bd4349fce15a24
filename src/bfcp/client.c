/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 8855, 10 (participant), 11 (chair), 12 (queries and Hello). */
#include "bfcp/client.h"

#include <stdlib.h>

struct bfcp_client {
	struct bfcp_client_spec spec;
	struct bfcp_link link;
	uint64_t heard_ms;
	bool over;
};

static int ask(struct bfcp_client *c, struct bfcp_message *msg, uint64_t now_ms)
{
	int rc;

	msg->user = c->spec.user;
	rc = bfcp_link_ask(&c->link, msg, now_ms);
	c->spec.ops->wake(c->spec.arg);
	return rc;
}

/** What the server begins is answered over UDP (10.1.3, 12.1.3, 6.2). */
static void confirm(struct bfcp_client *c, const struct bfcp_message *to, unsigned primitive,
                    uint64_t now_ms)
{
	const struct bfcp_message ack = { .primitive = (uint8_t)primitive };

	if (!c->spec.reliable && !to->response)
		(void)bfcp_link_answer(&c->link, to, &ack, now_ms); /* repeated if it is lost */
}

static void on_floor_status(struct bfcp_client *c, const struct bfcp_message *msg)
{
	if (c->spec.ops->floor && msg->floors)
		c->spec.ops->floor(c->spec.arg, msg->floor[0], msg->info_of, msg->infos);
}

static void tell(struct bfcp_client *c, const struct bfcp_message *msg, unsigned answers,
                 uint64_t now_ms)
{
	const struct bfcp_client_ops *ops = c->spec.ops;
	void *arg = c->spec.arg;

	switch (msg->primitive) {
	case BFCP_FLOOR_REQUEST_STATUS:
		confirm(c, msg, BFCP_FLOOR_REQUEST_STATUS_ACK, now_ms);
		if (ops->request)
			ops->request(arg, answers, &msg->info_of[0]);
		break;
	case BFCP_FLOOR_STATUS:
		confirm(c, msg, BFCP_FLOOR_STATUS_ACK, now_ms);
		on_floor_status(c, msg);
		break;
	case BFCP_USER_STATUS:
		if (ops->user)
			ops->user(arg, &msg->about, msg->info_of, msg->infos);
		break;
	case BFCP_CHAIR_ACTION_ACK:
		if (ops->done)
			ops->done(arg);
		break;
	case BFCP_HELLO_ACK:
		if (ops->hello)
			ops->hello(arg, msg->primitives, msg->attributes);
		break;
	case BFCP_ERROR:
		if (ops->error)
			ops->error(arg, answers, msg->error, msg->error_info);
		break;
	case BFCP_GOODBYE:
	case BFCP_GOODBYE_ACK:
		confirm(c, msg, BFCP_GOODBYE_ACK, now_ms);
		c->over = true;
		if (ops->bye)
			ops->bye(arg);
		break;
	default: /* a client is asked nothing else */
		break;
	}
}

static void on_message(void *arg, const struct bfcp_message *msg, unsigned answers, uint64_t now_ms)
{
	struct bfcp_client *c = arg;

	if (msg->conference != c->spec.conference || msg->user != c->spec.user)
		return; /* 10.1.2: not for us */
	c->heard_ms = now_ms;
	tell(c, msg, answers, now_ms);
}

/** A client sends no Error: what it cannot read is dropped (5.1). */
static void on_fault(void *arg, const struct bfcp_message *msg, unsigned error, uint64_t now_ms)
{
	(void)arg;
	(void)msg;
	(void)error;
	(void)now_ms;
}

int bfcp_client_new(struct bfcp_client **ret, const struct bfcp_client_spec *spec)
{
	struct bfcp_client *c = calloc(1, sizeof(*c));

	if (!c)
		return BASE_ERR(BASE_LOCAL, 0);
	c->spec = *spec;
	c->link = (struct bfcp_link){ .reliable = spec->reliable,
		                      .client = true,
		                      .conference = spec->conference,
		                      .message = on_message,
		                      .fault = on_fault,
		                      .arg = c };
	*ret = c;
	return 0;
}

void bfcp_client_free(struct bfcp_client *c)
{
	if (!c)
		return;
	bfcp_link_done(&c->link);
	free(c);
}

int bfcp_client_hello(struct bfcp_client *c, uint64_t now_ms)
{
	struct bfcp_message msg = { .primitive = BFCP_HELLO };

	return ask(c, &msg, now_ms);
}

/** Ask with a list of floors; the message wants one that is its own. */
static int ask_with(struct bfcp_client *c, struct bfcp_message *msg, const uint16_t *floor,
                    size_t floors, uint64_t now_ms)
{
	uint16_t copy[BFCP_ASKED_MAX];

	if (floors > BFCP_ASKED_MAX)
		return BASE_ERR(BASE_BUG, 0);
	if (floors)
		memcpy(copy, floor, floors * sizeof(*floor));
	msg->floor = copy;
	msg->floors = floors;
	return ask(c, msg, now_ms);
}

int bfcp_client_request(struct bfcp_client *c, const struct bfcp_wish *wish, uint64_t now_ms)
{
	struct bfcp_message msg = { .primitive = BFCP_FLOOR_REQUEST,
		                    .has_beneficiary = wish->beneficiary != 0,
		                    .beneficiary = wish->beneficiary,
		                    .has_priority = wish->has_priority,
		                    .priority = wish->priority,
		                    .info = wish->reason };

	return ask_with(c, &msg, wish->floor, wish->floors, now_ms);
}

int bfcp_client_release(struct bfcp_client *c, uint16_t request, uint64_t now_ms)
{
	struct bfcp_message msg = { .primitive = BFCP_FLOOR_RELEASE,
		                    .has_request = true,
		                    .request = request };

	return ask(c, &msg, now_ms);
}

int bfcp_client_ask_request(struct bfcp_client *c, uint16_t request, uint64_t now_ms)
{
	struct bfcp_message msg = { .primitive = BFCP_FLOOR_REQUEST_QUERY,
		                    .has_request = true,
		                    .request = request };

	return ask(c, &msg, now_ms);
}

int bfcp_client_ask_user(struct bfcp_client *c, uint16_t user, uint64_t now_ms)
{
	struct bfcp_message msg = { .primitive = BFCP_USER_QUERY,
		                    .has_beneficiary = user != 0,
		                    .beneficiary = user };

	return ask(c, &msg, now_ms);
}

int bfcp_client_ask_floors(struct bfcp_client *c, const uint16_t *floor, size_t floors,
                           uint64_t now_ms)
{
	struct bfcp_message msg = { .primitive = BFCP_FLOOR_QUERY };

	return ask_with(c, &msg, floor, floors, now_ms);
}

int bfcp_client_decide(struct bfcp_client *c, uint16_t request, uint16_t floor,
                       const struct bfcp_state *state, uint64_t now_ms)
{
	struct bfcp_floor_state one = { .floor = floor, .state = *state };
	struct bfcp_request_info info = { .id = request, .floor = &one, .floors = 1 };
	struct bfcp_message msg = { .primitive = BFCP_CHAIR_ACTION, .info_of = &info, .infos = 1 };

	return ask(c, &msg, now_ms);
}

int bfcp_client_goodbye(struct bfcp_client *c, uint64_t now_ms)
{
	struct bfcp_message msg = { .primitive = BFCP_GOODBYE };

	return ask(c, &msg, now_ms);
}

int bfcp_client_input(struct bfcp_client *c, struct base_str octets, uint64_t now_ms)
{
	int rc = bfcp_link_input(&c->link, octets, now_ms);

	c->over = c->over || rc;
	c->spec.ops->wake(c->spec.arg);
	return rc;
}

size_t bfcp_client_take(struct bfcp_client *c, void *buf, size_t cap)
{
	return bfcp_link_take(&c->link, buf, cap);
}

bool bfcp_client_over(const struct bfcp_client *c)
{
	return c->over || c->link.broken;
}

/** When a Hello is to show whether the server is alive (12.4). */
static uint64_t hello_due(const struct bfcp_client *c)
{
	if (!c->spec.alive_ms || c->link.waiting || bfcp_client_over(c))
		return BFCP_NEVER;
	return c->heard_ms + c->spec.alive_ms;
}

void bfcp_client_tick(struct bfcp_client *c, uint64_t now_ms)
{
	bfcp_link_tick(&c->link, now_ms);
	if (now_ms >= hello_due(c) && !bfcp_client_hello(c, now_ms))
		c->heard_ms = now_ms;
	c->spec.ops->wake(c->spec.arg);
}

uint64_t bfcp_client_due(const struct bfcp_client *c)
{
	return BASE_MIN(bfcp_link_due(&c->link), hello_due(c));
}
