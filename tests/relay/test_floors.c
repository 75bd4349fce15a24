/* SPDX-License-Identifier: Apache-2.0 */
/* Floor control: users, floors and hubs of them over real sockets on loopback. */
#include "hall.h"

enum { FLOOR_REQUEST = 1, FLOOR_REQUEST_STATUS = 4, HELLO = 11, HELLO_ACK, FAULT, GOODBYE = 16 };

static void ask(struct hall *h, unsigned i, uint8_t primitive, uint16_t user, uint16_t floor)
{
	uint8_t m[16] = {
		0x20, primitive, 0, floor ? 1 : 0, 0, 0, 0, 7, 0, 1, 0, 0, 0x05, 4, 0, 0
	};

	m[9] = (uint8_t)++h->sent;
	m[11] = (uint8_t)user;
	m[15] = (uint8_t)floor;
	assert_int_equal(send(h->fd[i], m, floor ? 16 : 12, MSG_NOSIGNAL), floor ? 16 : 12);
}

/* The next message; its primitive. `*ret_status` of the first request in it. */
struct answer {
	struct hall *h;
	unsigned i;
	int primitive, status;
};

static bool has_answer(void *arg)
{
	struct answer *a = arg;
	uint8_t *m = (uint8_t *)a->h->heard[a->i];
	size_t *len = &a->h->len[a->i], size;

	(void)hall_listen(a->h, a->i);
	size = *len >= 12 ? 12 + 4 * ((size_t)m[2] << 8 | m[3]) : 13;
	if (*len < size)
		return false;
	a->primitive = m[1];
	a->status = -1;
	/* FLOOR-REQUEST-INFORMATION { OVERALL-REQUEST-STATUS { REQUEST-STATUS */
	for (size_t at = 12; a->status < 0 && at + 4 <= size; at += 4)
		if (m[at] >> 1 == 5 && m[at + 1] == 4)
			a->status = m[at + 2];
	memmove(m, m + size, *len - size);
	*len -= size;
	return true;
}

static int answered(struct hall *h, unsigned i, int *ret_status)
{
	struct answer a = { h, i, 0, 0 };

	stage_wait(&h->stage, has_answer, &a);
	if (ret_status)
		*ret_status = a.status;
	return a.primitive;
}

static void granted(struct hall *h, unsigned i)
{
	int status = 0;

	while (status != 3)
		assert_int_equal(answered(h, i, &status), FLOOR_REQUEST_STATUS);
}

static void conference(struct hall *h, uint16_t first, size_t users)
{
	struct relay_floor floor = { .id = 1 };
	struct relay_user user[SEATS] = { 0 };

	for (size_t i = 0; i < users; i++)
		user[i].id = (uint16_t)(first + i);
	assert_int_equal(relay_hub_conference(h->hub, &floor, 1, user, users), 0);
}

static void floors_go_from_one_to_the_next(void **state)
{
	static struct hall h;

	(void)state;
	hall_begin(&h, RELAY_HUB_FLOOR, 0);
	conference(&h, 1, 3);
	hall_sit(&h, 3);
	for (unsigned i = 0; i < 3; i++) {
		ask(&h, i, HELLO, (uint16_t)(i + 1), 0);
		assert_int_equal(answered(&h, i, NULL), HELLO_ACK);
	}
	ask(&h, 0, FLOOR_REQUEST, 1, 1);
	granted(&h, 0);
	ask(&h, 1, FLOOR_REQUEST, 2, 1);
	assert_int_equal(answered(&h, 1, NULL), FLOOR_REQUEST_STATUS);
	/* Nobody speaks for another one. */
	ask(&h, 2, HELLO, 1, 0);
	assert_int_equal(answered(&h, 2, NULL), FAULT);
	assert_true(hall_is_quiet(&h, 2));
	/* Who is no user any more gives back what he had, and is sent away. */
	conference(&h, 2, 2);
	granted(&h, 1);
	stage_expect(&h.stage, &h.record[0], RELAY_TCP_DOWN);
	hall_end(&h);
}

static void goodbye_is_no_fault(void **state)
{
	static struct hall h;

	(void)state;
	hall_begin(&h, RELAY_HUB_FLOOR, 0);
	conference(&h, 1, 2);
	hall_sit(&h, 2);
	ask(&h, 0, GOODBYE, 1, 0);
	assert_int_equal(answered(&h, 0, NULL), GOODBYE + 1);
	assert_int_equal(hall_ends(&h, 0), RELAY_CAUSE_PEER_CLOSE);
	peer_send(&h.stage, h.fd[1], "no message of BFCP begins so");
	assert_int_equal(hall_ends(&h, 1), RELAY_CAUSE_PROTOCOL);
	hall_end(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(floors_go_from_one_to_the_next),
		cmocka_unit_test(goodbye_is_no_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
