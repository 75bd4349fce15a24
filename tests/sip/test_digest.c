/* SPDX-License-Identifier: Apache-2.0 */
/** @file Digest: the examples of RFC 7616 and 2617, a server against its client, and who cheats. */
#include "check.h"
#include "sip/sip.h"

/* -- examples ------------------------------------------------------------------------------------
 */

static void examples(void **state)
{
	struct sip_digest d = {
		.hash = SIP_HASH_MD5,
		.qop = SIP_QOP_AUTH,
		.user = BASE_STR("Mufasa"),
		.realm = BASE_STR("http-auth@example.org"),
		.password = BASE_STR("Circle of Life"),
		.nonce = BASE_STR("7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"),
		.cnonce = BASE_STR("f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"),
		.nc = 1,
		.method = BASE_STR("GET"),
		.uri = BASE_STR("/dir/index.html"),
	};
	char out[SIP_DIGEST_MAX];

	(void)state;
	assert_int_equal(sip_digest_response(&d, out), 0); /* RFC 7616, 3.9.1 */
	assert_string_equal(out, "8ca523f5e9506fed4657c9700eebdbec");
	d.hash = SIP_HASH_SHA256;
	assert_int_equal(sip_digest_response(&d, out), 0);
	assert_string_equal(out,
	                    "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
	d.hash = SIP_HASH_MD5; /* RFC 2617, 3.5 */
	d.realm = BASE_STR("testrealm@host.com");
	d.password = BASE_STR("Circle Of Life");
	d.nonce = BASE_STR("dcd98b7102dd2f0e8b11d0f600bfb0c093");
	d.cnonce = BASE_STR("0a4f113b");
	assert_int_equal(sip_digest_response(&d, out), 0);
	assert_string_equal(out, "6629fae49393a05397450978507c4ef1");
}

/* By another implementation, from the strings that RFC 7616, 3.4 puts together. */
static void others(void **state)
{
	struct sip_digest d = { .hash = SIP_HASH_MD5,
		                .user = BASE_STR("u"),
		                .realm = BASE_STR("r"),
		                .password = BASE_STR("p"),
		                .nonce = BASE_STR("n"),
		                .cnonce = BASE_STR("c"),
		                .nc = 255,
		                .method = BASE_STR("REGISTER"),
		                .uri = BASE_STR("sip:r"),
		                .body = BASE_STR("body") };
	char out[SIP_DIGEST_MAX];

	(void)state;
	assert_int_equal(sip_digest_response(&d, out), 0);
	assert_string_equal(out, "5790559ba44538767b07fb5adb649909");
	d.qop = SIP_QOP_AUTH_INT;
	d.sess = true;
	d.hash = SIP_HASH_SHA256;
	assert_int_equal(sip_digest_response(&d, out), 0);
	assert_string_equal(out,
	                    "d82d410ae67b37f125ce5e8dbe9d4673ceddc7620bb2a910cc3bbae24bd4dd02");
	d.hash = SIP_HASH_SHA512_256;
	assert_int_equal(sip_digest_response(&d, out), 0);
	assert_string_equal(out,
	                    "7c1fffee634aedc1a458d07e59c3d33dbc5a0ce56cdd0d24c0c8732ba298f73b");
}

/** RFC 7616, 3.9.2, with SHA-512/256 as FIPS 180-4 has it: the RFC's own values are those of
 * SHA-512 cut short, which has another start (by python3's hashlib, both ways). */
static void hashed_user(void **state)
{
	struct base_arena arena = { 0 };
	struct base_writer w = { 0 };
	struct sip_challenge c;
	struct sip_proof proof = {
		.user = BASE_STR("J\xc3\xa4s\xc3\xb8n Doe"),
		.password = BASE_STR("Secret, or not?"),
		.nc = 1,
		.cnonce = "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
		.method = BASE_STR("GET"),
		.uri = BASE_STR("/doe.json"),
	};

	(void)state;
	assert_int_equal(
	        sip_challenge_read(
	                BASE_STR("Digest realm=\"api@example.org\", qop=\"auth\", "
	                         "algorithm=SHA-512-256, "
	                         "nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", "
	                         "opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", "
	                         "charset=UTF-8, userhash=true"),
	                &arena, &c),
	        0);
	assert_int_equal(sip_challenge_answer(&c, &proof, &w), 0);
	assert_string_equal(
	        base_writer_cstr(&w),
	        "Digest "
	        "username=\"793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b\", "
	        "realm=\"api@example.org\", "
	        "nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", "
	        "uri=\"/doe.json\", "
	        "response=\"3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5\", "
	        "algorithm=SHA-512-256, opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", "
	        "cnonce=\"NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v\", qop=auth, nc=00000001, "
	        "userhash=true");
	base_writer_done(&w);
	base_arena_done(&arena);
}

static void challenges(void **state)
{
	static const char *const bad[] = {
		"Basic realm=\"x\"",
		"Digest",
		"Digest realm=\"x\"",
		"Digest nonce=\"x\"",
		"Digest realm=\"x\", nonce=\"y\", nonce=\"z\"",
		"Digest realm=\"x\", nonce=\"y\", algorithm=AKAv1-MD5",
		"Digest realm=\"x\", nonce=\"y\", qop=\"auth-conf\"",
		"Digest realm=\"x\", nonce=\"y",
		"Digest realm=\"x\", nonce",
		"Digest realm=\"x\", nonce=\"y\"z",
	};
	struct base_arena arena = { 0 };
	struct sip_challenge c;

	(void)state;
	assert_int_equal(sip_challenge_read(BASE_STR("digest realm = \"a \\\"b\\\"\",NONCE=\"n\", "
	                                             "stale=TRUE, qop=\"auth-int , auth\",,x=y,"
	                                             " algorithm=sha-256-sess, opaque=\"\""),
	                                    &arena, &c),
	                 0);
	assert_true(base_str_eq(c.realm, BASE_STR("a \"b\"")));
	assert_true(base_str_eq(c.nonce, BASE_STR("n")));
	assert_true(c.opaque.ptr && !c.opaque.len && c.stale && c.sess && !c.userhash);
	assert_int_equal(c.hash, SIP_HASH_SHA256);
	assert_int_equal(c.qops, SIP_QOP_AUTH | SIP_QOP_AUTH_INT);
	assert_int_equal(sip_challenge_read(BASE_STR("Digest realm=\"\", nonce=n"), &arena, &c), 0);
	assert_int_equal(c.hash, SIP_HASH_MD5);
	assert_int_equal(c.qops, 0);
	for (size_t i = 0; i < BASE_COUNT(bad); i++)
		assert_int_equal(sip_challenge_read(base_str_of(bad[i]), &arena, &c),
		                 BASE_ERR(BASE_PEER, 400));
	base_arena_done(&arena);
}

/* -- a server ------------------------------------------------------------------------------------
 */

struct bench {
	struct sip_digest_server *server;
	struct base_arena arena;
	uint64_t now_ms;
	uint8_t salt[16];
	struct sip_challenge challenge;
	bool stale;
	const char *before; /* lines before the answer */
};

static bool password_of(void *arg, struct base_str user, struct base_str *ret)
{
	(void)arg;
	*ret = BASE_STR("se\"cret");
	return base_str_eq(user, BASE_STR("al\\ice"));
}

/* The `which`-th challenge, taken. */
static void challenge(struct bench *b, unsigned which)
{
	struct base_writer w = { 0 };
	char *line, *save = NULL, *text;

	b->salt[0]++;
	assert_int_equal(sip_digest_challenge(b->server, b->now_ms, b->salt, false, false, &w), 0);
	text = strdup(base_writer_cstr(&w));
	line = strtok_r(text, "\r\n", &save);
	while (which--)
		line = strtok_r(NULL, "\r\n", &save);
	assert_int_equal(strncmp(line, "WWW-Authenticate: ", 18), 0);
	assert_int_equal(sip_challenge_read(base_str_of(line + 18), &b->arena, &b->challenge), 0);
	free(text);
	base_writer_done(&w);
}

static int check(struct bench *b, struct sip_proof proof, const char *target)
{
	struct base_writer w = { 0 };
	struct sip_message msg;
	struct base_str user;
	int rc;

	proof.method = BASE_STR("MESSAGE");
	proof.body = BASE_STR("hello");
	proof.cnonce = "c";
	if (!proof.uri.len)
		proof.uri = BASE_STR("sip:r");
	base_writer_printf(&w,
	                   "MESSAGE %s SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=z9hG4bKx\r\n"
	                   "Max-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\n"
	                   "Call-ID: 1\r\nCSeq: 1 MESSAGE\r\n%sAuthorization: ",
	                   target, b->before ? b->before : "");
	assert_int_equal(sip_challenge_answer(&b->challenge, &proof, &w), 0);
	base_writer_text(&w, "\r\n");
	sip_body_end(&w, "text/plain", BASE_STR("hello"));
	assert_int_equal(sip_message_parse(&msg, &b->arena, base_writer_view(&w), true), 0);
	rc = sip_digest_check(b->server, b->now_ms, &msg, false, password_of, NULL, &b->arena,
	                      &user, &b->stale);
	if (!rc)
		assert_true(base_str_eq(user, BASE_STR("al\\ice")));
	base_writer_done(&w);
	return rc;
}

static void bench_open(struct bench *b, size_t nonces_max)
{
	static const uint8_t key[32] = "thirty-two octets, by chance";
	struct sip_digest_config config = { .realm = "r", .nonces_max = nonces_max };

	*b = (struct bench){ .now_ms = 1000 };
	assert_int_equal(sip_digest_server_new(&b->server, &config, key), 0);
	challenge(b, 0);
}

static void bench_close(struct bench *b)
{
	sip_digest_server_free(b->server);
	base_arena_done(&b->arena);
}

#define ASK BASE_ERR(BASE_PEER, 401)

static void served(void **state)
{
	struct sip_proof right = { .user = BASE_STR("al\\ice"),
		                   .password = BASE_STR("se\"cret"),
		                   .nc = 1 };
	struct sip_proof wrong = right, nobody = right;
	struct bench b;

	(void)state;
	bench_open(&b, 0);
	wrong.password = BASE_STR("secret");
	nobody.user = BASE_STR("bob");
	for (unsigned which = 0; which < 2; which++) {
		for (unsigned qop = SIP_QOP_AUTH; qop <= SIP_QOP_AUTH_INT; qop++) {
			challenge(&b, which);
			assert_int_equal(b.challenge.hash, which ? SIP_HASH_MD5 : SIP_HASH_SHA256);
			b.challenge.qops = qop;
			assert_int_equal(check(&b, wrong, "sip:r"), ASK);
			assert_int_equal(check(&b, nobody, "sip:r"), ASK);
			assert_false(b.stale);
			assert_int_equal(check(&b, right, "sip:other"), BASE_ERR(BASE_PEER, 400));
			assert_int_equal(check(&b, right, "sip:r"), 0);
			right.nc = 1;
		}
	}
	b.challenge.qops = 0; /* none at all: no count, so no */
	assert_int_equal(check(&b, right, "sip:r"), BASE_ERR(BASE_PEER, 400));
	b.challenge.qops = SIP_QOP_AUTH;
	b.challenge.hash = SIP_HASH_SHA512_256; /* that was not offered */
	assert_int_equal(check(&b, right, "sip:r"), BASE_ERR(BASE_PEER, 400));
	b.challenge.hash = SIP_HASH_MD5;
	b.before = "Authorization: Bearer a.b.c\r\nAuthorization: Basic QWxhZGRpbjpvcGVu\r\n";
	right.nc = 2; /* other schemes are passed over, what is no Digest is not */
	assert_int_equal(check(&b, right, "sip:r"), 0);
	b.before = "Authorization: Digest realm\r\n";
	assert_int_equal(check(&b, right, "sip:r"), BASE_ERR(BASE_PEER, 400));
	b.before = NULL;
	b.challenge.realm = BASE_STR("another");
	assert_int_equal(check(&b, right, "sip:r"), ASK);
	bench_close(&b);
}

/** A count is taken once, in any order within a window; a nonce for its time, and only ours. */
static void replayed(void **state)
{
	struct sip_proof proof = { .user = BASE_STR("al\\ice"), .password = BASE_STR("se\"cret") };
	static const struct {
		uint32_t nc;
		bool fresh;
	} counts[] = { { 1, true },  { 1, false }, { 3, true },  { 2, true },   { 2, false },
		       { 70, true }, { 8, true },  { 6, false }, { 70, false }, { 9999, true } };
	struct sip_challenge old;
	struct bench b;

	(void)state;
	bench_open(&b, 2);
	for (size_t i = 0; i < BASE_COUNT(counts); i++) {
		proof.nc = counts[i].nc;
		assert_int_equal(check(&b, proof, "sip:r"), counts[i].fresh ? 0 : ASK);
		assert_int_equal(b.stale, !counts[i].fresh);
	}
	old = b.challenge;
	b.now_ms += 300001;
	proof.nc = 10000;
	assert_int_equal(check(&b, proof, "sip:r"), ASK);
	assert_true(b.stale);
	b.challenge.nonce = BASE_STR("00");
	assert_int_equal(check(&b, proof, "sip:r"), ASK);
	assert_true(b.stale);
	proof.nc = 1;
	challenge(&b, 0); /* the third makes the second be forgotten */
	old = b.challenge;
	assert_int_equal(check(&b, proof, "sip:r"), 0);
	for (int i = 0; i < 2; i++) {
		b.now_ms++;
		challenge(&b, 0);
		assert_int_equal(check(&b, proof, "sip:r"), 0);
	}
	b.challenge = old;
	proof.nc = 1;
	assert_int_equal(check(&b, proof, "sip:r"), ASK);
	assert_true(b.stale);
	bench_close(&b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples),    cmocka_unit_test(others),
		cmocka_unit_test(hashed_user), cmocka_unit_test(challenges),
		cmocka_unit_test(served),      cmocka_unit_test(replayed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
