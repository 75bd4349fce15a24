/* SPDX-License-Identifier: Apache-2.0 */
/** @file The checker as server: sessions with its own client, and parts of a client's flight. */
#include "check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check/check.h"
#include "check/served.h"
#include "check/served13.h"
#include "x509/x509.h"

enum { PATIENCE_MS = 15000 };

static struct x509_identity *rsa, *ec;
static const uint8_t key[20] = "a key that both have";
static const struct check_psk psk = { "gateway.example", { key, sizeof(key) } };

static int identities_make(void **state)
{
	struct base_error err;

	(void)state;
	return x509_identity_self_signed(&rsa, X509_KEY_RSA_2048, "rsa.example", 3600, &err) ||
	       x509_identity_self_signed(&ec, X509_KEY_EC_P256, "ec.example", 3600, &err);
}

static int identities_drop(void **state)
{
	(void)state;
	x509_identity_unref(rsa);
	x509_identity_unref(ec);
	return 0;
}

/* -- the other side: the checker's client ------------------------------------------------------ */

struct other {
	int listener;
	struct check_target target;
	struct check_offer offer, again; /**< `again.version`: it renegotiates so */
	bool unbound;                    /**< by what it says there, not by its session */
	const struct check_resume *resume;
	const struct check_psk *psk;
	struct check_session session;
	enum check_outcome outcome, outcome_again;
};

static void *other_run(void *arg)
{
	struct other *o = arg;

	o->outcome =
	        check_session_open(&o->session, &o->target, &o->offer, o->resume, o->psk, NULL);
	if (o->outcome == CHECK_ANSWERED && o->again.version) {
		if (!o->unbound)
			o->again.verify = (struct check_bytes){ o->session.verify_client.data,
				                                o->session.verify_client.len };
		o->outcome_again = check_session_again(&o->session, &o->again, NULL);
	}
	check_session_part(&o->session);
	return NULL;
}

static void other_listen(struct other *o)
{
	struct sockaddr_in *address = (struct sockaddr_in *)&o->target.address;
	socklen_t len = sizeof(*address);

	o->target.timeout_ms = PATIENCE_MS;
	o->target.connections = 9;
	o->target.address_len = len;
	address->sin_family = AF_INET;
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	o->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(o->listener, (struct sockaddr *)address, len), 0);
	assert_int_equal(listen(o->listener, 1), 0);
	assert_int_equal(getsockname(o->listener, (struct sockaddr *)address, &len), 0);
}

/** One connection between the two. */
struct meeting {
	struct other other;
	struct check_host host;
	struct check_wire wire;
	struct check_served served;
	struct check_answer text;
	pthread_t thread;
};

static void meet(struct meeting *m)
{
	struct check_offered offered;

	other_listen(&m->other);
	assert_int_equal(pthread_create(&m->thread, NULL, other_run, &m->other), 0);
	check_wire_begin(&m->wire, &m->other.target);
	m->wire.fd = accept(m->other.listener, NULL, NULL);
	assert_true(m->wire.fd >= 0);
	do
		assert_true(check_wire_more(&m->wire) &&
		            !check_answer_read(&m->text, m->wire.in.data, m->wire.in.len));
	while (!check_offered_read(&offered,
	                           (struct check_bytes){ m->text.text.data, m->text.text.len }));
	assert_true(check_served_begin(&m->served, &m->wire, &m->host, &m->text));
}

static void part(struct meeting *m)
{
	check_served_done(&m->served);
	assert_int_equal(pthread_join(m->thread, NULL), 0);
	check_wire_close(&m->wire);
	check_answer_done(&m->text);
	assert_int_equal(close(m->other.listener), 0);
}

static const struct suite_case {
	uint16_t suite;
	unsigned version;
} cases[] = {
	{ 0x002f, PROFILE_TLS_1_0 }, /* RSA, AES-128-CBC */
	{ 0x0035, PROFILE_TLS_1_1 }, /* RSA, AES-256-CBC */
	{ 0x003c, PROFILE_TLS_1_2 }, /* RSA, AES-128-CBC, SHA-256 */
	{ 0x009d, PROFILE_TLS_1_2 }, /* RSA, AES-256-GCM */
	{ 0x0033, PROFILE_TLS_1_0 }, /* DHE-RSA */
	{ 0x009e, PROFILE_TLS_1_2 }, /* DHE-RSA, AES-128-GCM */
	{ 0xc013, PROFILE_TLS_1_1 }, /* ECDHE-RSA */
	{ 0xc02f, PROFILE_TLS_1_2 }, /* ECDHE-RSA, AES-128-GCM */
	{ 0xc009, PROFILE_TLS_1_0 }, /* ECDHE-ECDSA */
	{ 0xc02b, PROFILE_TLS_1_2 }, /* ECDHE-ECDSA, AES-128-GCM */
	{ 0x008c, PROFILE_TLS_1_0 }, /* PSK */
	{ 0x00a8, PROFILE_TLS_1_2 }, /* PSK, AES-128-GCM */
	{ 0x0090, PROFILE_TLS_1_1 }, /* DHE-PSK */
	{ 0xc037, PROFILE_TLS_1_2 }, /* ECDHE-PSK, SHA-256 */
};

static struct check_host host_for(uint16_t suite)
{
	unsigned flags = profile_suite_find(suite)->flags;

	return (struct check_host){ flags & PROFILE_SUITE_PSK     ? NULL
		                    : flags & PROFILE_SUITE_ECDSA ? ec
		                                                  : rsa,
		                    flags & PROFILE_SUITE_PSK ? &psk : NULL };
}

static void meeting_of(struct meeting *m, const struct suite_case *c, unsigned with)
{
	*m = (struct meeting){ .host = host_for(c->suite) };
	m->other.psk = &psk;
	m->other.offer = (struct check_offer){
		.version = c->version,
		.suites = { &c->suite, 1 },
		.with = CHECK_WITH_RENEGOTIATION_INFO | with,
	};
}

/** Every exchange, mode and version; renegotiated by the client; with and without RFC 7627. */
static void each_suite(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * BASE_COUNT(cases); i++) {
		const struct suite_case *c = &cases[i / 2];
		struct meeting m;

		meeting_of(&m, c, i % 2 ? CHECK_WITH_EMS : 0);
		m.other.again = m.other.offer;
		meet(&m);
		assert_int_equal(check_served_shake(&m.served, c->version,
		                                    CHECK_SERVE_INFO | CHECK_SERVE_CERTIFICATE,
		                                    NULL),
		                 CHECK_ANSWERED);
		assert_int_equal(m.served.resume.ems, i % 2);
		assert_true(m.served.secured && m.served.went_on);
		assert_int_equal(check_served_hear(&m.served, false), CHECK_HEARD_HELLO);
		assert_true(check_served_bound(&m.served));
		assert_int_equal(check_served_shake(&m.served, c->version, CHECK_SERVE_INFO, NULL),
		                 CHECK_ANSWERED);
		assert_int_equal(check_served_hear(&m.served, true), CHECK_HEARD_CLOSED);
		part(&m);
		assert_int_equal(m.other.outcome, CHECK_ANSWERED);
		assert_int_equal(m.other.outcome_again, CHECK_ANSWERED);
		check_session_close(&m.other.session);
	}
}

/** By id and by ticket: the abbreviated handshake, in the session that was left. */
static void taken_up(void **state)
{
	(void)state;
	for (unsigned ticket = 0; ticket < 2; ticket++) {
		const struct suite_case *c = &cases[7];
		static const uint8_t marker[] = "taken up again";
		struct meeting first, second;

		meeting_of(&first, c, CHECK_WITH_EMS | (ticket ? CHECK_WITH_TICKET : 0));
		meet(&first);
		assert_int_equal(check_served_shake(&first.served, c->version,
		                                    CHECK_SERVE_INFO | CHECK_SERVE_TICKET, NULL),
		                 CHECK_ANSWERED);
		assert_int_equal(first.served.resume.ticket.len != 0, ticket);
		meeting_of(&second, c, first.other.offer.with);
		assert_int_equal(check_served_hear(&first.served, true), CHECK_HEARD_CLOSED);
		assert_int_equal(pthread_join(first.thread, NULL), 0);
		second.other.resume = &first.other.session.resume;
		second.other.offer.session_id =
		        ticket ? (struct check_bytes){ marker, sizeof(marker) }
		               : (struct check_bytes){ first.served.resume.id,
			                               first.served.resume.id_len };
		second.other.offer.ticket = (struct check_bytes){ first.served.resume.ticket.data,
			                                          first.served.resume.ticket.len };
		meet(&second);
		assert_int_equal(check_served_shake(&second.served, c->version, CHECK_SERVE_INFO,
		                                    &first.served.resume),
		                 CHECK_ANSWERED);
		assert_true(second.served.resumed);
		part(&second);
		assert_true(second.other.session.resumed);
		check_session_close(&second.other.session);
		check_session_close(&first.other.session);
		check_served_done(&first.served);
		check_wire_close(&first.wire);
		check_answer_done(&first.text);
		assert_int_equal(close(first.other.listener), 0);
	}
}

/** What is spoilt is found by a client that looks. */
static void spoilt(void **state)
{
	const struct suite_case *c = &cases[3];
	struct meeting m;

	(void)state;
	meeting_of(&m, c, 0);
	meet(&m);
	(void)check_served_shake(&m.served, c->version,
	                         CHECK_SERVE_INFO | CHECK_SERVE_SPOILT_FINISHED, NULL);
	part(&m);
	assert_int_equal(m.other.outcome, CHECK_GARBLED);
	assert_string_equal(m.other.session.why, "the server's Finished is wrong");
	check_session_close(&m.other.session);
}

/** A first hello inside of a session is bound to nothing; one of another session to that. */
static void unbound(void **state)
{
	static const uint8_t others[12] = "of another";

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct meeting m;

		meeting_of(&m, &cases[3], 0);
		m.other.again = m.other.offer;
		m.other.again.verify = (struct check_bytes){ others, i ? sizeof(others) : 0 };
		m.other.unbound = true;
		meet(&m);
		assert_int_equal(
		        check_served_shake(&m.served, PROFILE_TLS_1_2, CHECK_SERVE_INFO, NULL),
		        CHECK_ANSWERED);
		assert_int_equal(check_served_hear(&m.served, false), CHECK_HEARD_HELLO);
		assert_false(check_served_bound(&m.served));
		check_wire_close(&m.wire); /* it waits for an answer */
		part(&m);
		check_session_close(&m.other.session);
	}
}

/** A signature holds for its text, its key and its scheme, and for no other. */
static void proofs(void **state)
{
	static const uint16_t scheme[] = { 0x0804, 0x0403 };
	const struct x509_identity *ids[] = { rsa, ec };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		uint8_t list[2] = { (uint8_t)(scheme[i] >> 8), (uint8_t)scheme[i] };
		const struct check_offered o = { .signatures = { list, 2 } };
		const struct check_host host = { ids[i], NULL };
		const struct check_bytes own = { (const uint8_t *)ids[i]->der[0].ptr,
			                         ids[i]->der[0].len },
		                         other = { (const uint8_t *)ids[!i]->der[0].ptr,
			                           ids[!i]->der[0].len };
		struct base_writer text = { 0 }, body = { 0 };
		struct check_bytes over;
		struct check_proof proof;

		base_writer_text(&text, "what was said so far");
		over = (struct check_bytes){ text.data, text.len };
		assert_true(check_host_sign13(&host, &o, &text, &body));
		assert_true(check_proof_read((struct check_bytes){ body.data, body.len }, 0x0304,
		                             &proof));
		assert_int_equal(proof.scheme, scheme[i]);
		assert_true(check_proof_holds(own, 0x0304, &proof, over));
		assert_false(check_proof_holds(other, 0x0304, &proof, over));
		text.data[0] ^= 1;
		assert_false(check_proof_holds(own, 0x0304, &proof, over));
		text.data[0] ^= 1;
		proof.scheme = scheme[!i];
		assert_false(check_proof_holds(own, 0x0304, &proof, over));
		base_writer_done(&text);
		base_writer_done(&body);
	}
}

/** Nobody's suite, a name that is not ours, a key that is not ours. */
static void refused(void **state)
{
	static const uint8_t wrong[16] = "another's key";
	const struct check_psk stranger = { "somebody.else", { key, sizeof(key) } },
	                       liar = { psk.identity, { wrong, sizeof(wrong) } };
	struct meeting m;

	(void)state;
	meeting_of(&m, &cases[3], 0);
	m.host = (struct check_host){ ec, NULL };
	meet(&m);
	assert_int_equal(check_served_shake(&m.served, PROFILE_TLS_1_2, 0, NULL), CHECK_GARBLED);
	assert_non_null(strstr(m.served.why, "no suite"));
	check_wire_close(&m.wire); /* it waits for an answer */
	part(&m);
	check_session_close(&m.other.session);

	for (unsigned i = 0; i < 2; i++) {
		meeting_of(&m, &cases[11], 0);
		m.other.psk = i ? &liar : &stranger;
		meet(&m);
		assert_int_equal(check_served_shake(&m.served, PROFILE_TLS_1_2, 0, NULL),
		                 CHECK_GARBLED);
		check_wire_close(&m.wire);
		part(&m);
		check_session_close(&m.other.session);
	}
}

/* -- TLS 1.3 ----------------------------------------------------------------------------------- */

struct other13 {
	int listener;
	struct check_target target;
	uint16_t suite, group;
	const struct check_psk *psk;
	struct check_session13 session;
	struct check_probe probe;
	bool again; /**< then its ticket is offered */
	bool taken;
};

static void *other13_run(void *arg)
{
	struct other13 *o = arg;
	struct check_probe probe = { .wanted = true };

	if (o->psk)
		(void)check_session13_psk(&o->session, &o->target, o->group, o->psk, 0, &o->probe);
	else
		(void)check_session13_open(&o->session, &o->target, o->group,
		                           (struct profile_codes){ &o->suite, 1 }, &o->probe);
	if (o->again)
		o->taken = check_session13_again(&o->session, &o->target, o->group, &probe);
	check_probe_done(&probe);
	return NULL;
}

/** One connection of a client's. */
static enum check_outcome serve13(struct other13 *o, const struct check_host *host, unsigned how,
                                  const struct check_ticket13 *resume, struct check_ticket13 *ret,
                                  struct check_served13 *told)
{
	struct check_answer text = { .alert = -1 };
	struct check_offered offered;
	struct check_served13 s;
	struct check_wire wire;
	enum check_outcome outcome;

	check_wire_begin(&wire, &o->target);
	wire.fd = accept(o->listener, NULL, NULL);
	assert_true(wire.fd >= 0);
	do
		assert_true(check_wire_more(&wire) &&
		            !check_answer_read(&text, wire.in.data, wire.in.len));
	while (!check_offered_read(&offered,
	                           (struct check_bytes){ text.text.data, text.text.len }));
	assert_true(check_served13_able(host, &offered,
	                                (struct check_bytes){ text.text.data, text.text.len }));
	assert_true(check_served13_begin(&s, &wire, host, &text));
	outcome = check_served13_shake(&s, how, resume, ret);
	if (outcome == CHECK_ANSWERED)
		check_served13_part(&s);
	*told = s; /* only what is no pointer is looked at */
	check_served13_done(&s);
	check_wire_close(&wire);
	check_answer_done(&text);
	return outcome;
}

static void other13_begin(struct other13 *o, pthread_t *thread)
{
	struct other listening = { .listener = -1 };

	other_listen(&listening);
	o->listener = listening.listener;
	memcpy(&o->target.address, &listening.target.address, sizeof(o->target.address));
	o->target.address_len = listening.target.address_len;
	o->target.timeout_ms = PATIENCE_MS;
	o->target.connections = 9;
	assert_int_equal(pthread_create(thread, NULL, other13_run, o), 0);
}

static void other13_end(struct other13 *o, pthread_t thread)
{
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(close(o->listener), 0);
	check_session13_done(&o->session);
	check_probe_done(&o->probe);
}

/** Suites, groups and kinds of keys; a client that has no certificate to show; its ticket. */
static void later_sessions(void **state)
{
	static const uint16_t groups[] = { 29, 23, 24, 25 };

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		struct other13 o = { .suite = i % 2 ? 0x1301 : 0x1302,
			             .group = groups[i / 2],
			             .again = true };
		const struct check_host host = { i % 3 ? rsa : ec, NULL };
		struct check_ticket13 ticket = { .name_len = 0 };
		struct check_served13 told;
		pthread_t thread;

		other13_begin(&o, &thread);
		assert_int_equal(serve13(&o, &host, CHECK_SERVE_TICKET | CHECK_SERVE_CERTIFICATE,
		                         NULL, &ticket, &told),
		                 CHECK_ANSWERED);
		assert_true(told.asked && !told.proved && !told.resumed);
		assert_int_equal(ticket.name_len, sizeof(ticket.name));
		/* this client goes once it has the hello */
		assert_int_not_equal(serve13(&o, &host, 0, &ticket, NULL, &told), CHECK_GARBLED);
		assert_true(told.resumed);
		assert_int_equal(pthread_join(thread, NULL), 0);
		assert_true(o.session.up && o.taken);
		assert_int_equal(o.session.tickets, 1);
		assert_false(o.session.early_ticket);
		assert_int_equal(close(o.listener), 0);
		check_session13_done(&o.session);
		check_probe_done(&o.probe);
	}
}

static void external_keys(void **state)
{
	static const uint8_t wrong[20] = "another key of their";
	const struct check_psk liar = { psk.identity, { wrong, sizeof(wrong) } };
	const struct check_host host = { NULL, &psk };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct other13 o = { .group = 29, .psk = i ? &liar : &psk };
		struct check_served13 told;
		pthread_t thread;

		other13_begin(&o, &thread);
		assert_int_equal(serve13(&o, &host, 0, NULL, NULL, &told),
		                 i ? CHECK_GARBLED : CHECK_ANSWERED);
		assert_true(told.keyed);
		other13_end(&o, thread);
	}
}

/** A wrong Finished is no session to a client that looks. */
static void later_spoilt(void **state)
{
	struct other13 o = { .suite = 0x1301, .group = 23 };
	const struct check_host host = { rsa, NULL };
	struct check_served13 told;
	pthread_t thread;

	(void)state;
	other13_begin(&o, &thread);
	assert_int_not_equal(serve13(&o, &host, CHECK_SERVE_SPOILT_FINISHED, NULL, NULL, &told),
	                     CHECK_ANSWERED);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_false(o.session.up);
	assert_int_equal(close(o.listener), 0);
	check_session13_done(&o.session);
	check_probe_done(&o.probe);
}

/* -- a flight's parts -------------------------------------------------------------------------- */

static struct check_bytes of(const char *text, size_t len)
{
	return (struct check_bytes){ (const uint8_t *)text, len };
}
#define OF(text) of(text, sizeof(text) - 1)

static void keys_of_clients(void **state)
{
	static const struct check_shape by_rsa = { .exchange = CHECK_BY_RSA },
	                                by_psk = { .exchange = CHECK_BY_PSK, .psk = true },
	                                both = { .exchange = CHECK_BY_ECDH, .psk = true };
	struct check_client_key k;

	(void)state;
	assert_true(check_client_key_read(OF("\x00\x03\x01\x02\x03"), &by_rsa, &k));
	assert_int_equal(k.value.len, 3);
	assert_false(check_client_key_read(OF("\x00\x03\x01\x02"), &by_rsa, &k));
	assert_false(check_client_key_read(OF("\x00\x02\x01\x02\x03"), &by_rsa, &k));
	assert_false(check_client_key_read(OF("\x00\x00"), &by_rsa, &k));
	assert_true(check_client_key_read(OF("\x00\x02me"), &by_psk, &k));
	assert_memory_equal(k.identity.data, "me", 2);
	assert_true(check_client_key_read(OF("\x00\x02me\x01\x04"), &both, &k));
	assert_int_equal(k.value.len, 1);
	assert_false(check_client_key_read(OF("\x00\x02me"), &both, &k));
	assert_false(check_client_key_read(OF(""), &by_psk, &k));
}

static void certificates_of_clients(void **state)
{
	struct check_bytes first;
	struct check_proof proof;

	(void)state;
	assert_true(check_client_certificate_read(OF("\0\0\0"), &first));
	assert_int_equal(first.len, 0);
	assert_true(check_client_certificate_read(OF("\0\0\x09\0\0\x02hi\0\0\x01z"), &first));
	assert_memory_equal(first.data, "hi", 2);
	assert_false(check_client_certificate_read(OF("\0\0\x05\0\0\x03hi"), &first));
	assert_false(check_client_certificate_read(OF("\0\0\x01"), &first));
	assert_false(check_client_certificate_read(OF("\0\0\0\0"), &first));
	assert_true(check_proof_read(OF("\x04\x01\x00\x01s"), 0x0303, &proof));
	assert_int_equal(proof.scheme, 0x0401);
	assert_true(check_proof_read(OF("\x00\x01s"), 0x0301, &proof));
	assert_int_equal(proof.scheme, 0);
	assert_false(check_proof_read(OF("\x04\x01\x00\x00"), 0x0303, &proof));
	assert_false(check_proof_read(OF("\x04\x01\x00\x02s"), 0x0303, &proof));
	assert_true(check_client_certificate13_read(OF("\0\0\0\x07\0\0\x02hi\0\0"), &first));
	assert_memory_equal(first.data, "hi", 2);
	assert_true(check_client_certificate13_read(OF("\0\0\0\0"), &first));
	assert_int_equal(first.len, 0);
	assert_false(check_client_certificate13_read(OF("\0\0\0\x05\0\0\x02hi"), &first));
}

static void parts_of_hellos(void **state)
{
	static const uint16_t suite = 0x1301;
	struct check_offer offer = { .version = PROFILE_TLS_1_3,
		                     .suites = { &suite, 1 },
		                     .share_group = 23,
		                     .share = OF("a share"),
		                     .binder_len = 32,
		                     .ticket = OF("someone") };
	struct base_writer w = { 0 };
	struct check_offered o;
	struct check_offered_psk k;
	struct check_bytes hello;

	(void)state;
	check_hello_message(&offer, &w);
	hello = (struct check_bytes){ w.data, w.len };
	assert_true(check_offered_read(&o, hello));
	assert_int_equal(check_share_find(&o, 23).len, 7);
	assert_int_equal(check_share_find(&o, 29).len, 0);
	assert_true(check_psk_find(&o, hello, OF("someone"), &k));
	assert_int_equal(k.binder.len, 32);
	assert_int_equal(k.before, w.len - 35);
	assert_false(check_psk_find(&o, hello, OF("nobody"), &k));
	assert_false(check_psk_find(&o, hello, OF(""), &k));
	base_writer_u8(&w, 0); /* it is the hello's last, or it is none */
	hello = (struct check_bytes){ w.data, w.len - 1 };
	assert_true(check_offered_read(&o, hello));
	assert_false(check_psk_find(&o, (struct check_bytes){ w.data, w.len }, OF("someone"), &k));
	base_writer_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_suite),
		cmocka_unit_test(taken_up),
		cmocka_unit_test(spoilt),
		cmocka_unit_test(unbound),
		cmocka_unit_test(proofs),
		cmocka_unit_test(refused),
		cmocka_unit_test(later_sessions),
		cmocka_unit_test(external_keys),
		cmocka_unit_test(later_spoilt),
		cmocka_unit_test(keys_of_clients),
		cmocka_unit_test(certificates_of_clients),
		cmocka_unit_test(parts_of_hellos),
	};

	return cmocka_run_group_tests(tests, identities_make, identities_drop);
}
