/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What MIKEY-TICKET costs: ticket requests, resolves and pairs of transfer messages a second on one
 * core, the work of all sides counted, beside the same HMACs, hashes, encryptions and random octets
 * done by libcrypto and the kernel alone: contexts are kept there, too, and each HMAC gets its key.
 * What they are is written down while an exchange runs. Prints one JSON object a line.
 */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "mikey/crypto.h"
#include "mikey/mikey.h"
#include "stage.h"

#define BATCHES 20

/* One primitive operation as it was called. */
struct op {
	enum { OP_KEY, OP_TAG, OP_DIGEST, OP_CIPHER, OP_RANDOM } kind;
	uint8_t alg;
	uint32_t key_len, len;
};

static struct {
	bool on;
	size_t key_len; /* of the HMAC that is going on */
	size_t count;
	struct op op[512];
} tape;

static void note(int kind, uint8_t alg, size_t key_len, size_t len)
{
	if (!tape.on || tape.count == BASE_COUNT(tape.op))
		return;
	tape.op[tape.count++] = (struct op){ kind, alg, (uint32_t)key_len, (uint32_t)len };
}

int __real_mikey_mac_begin(struct mikey_mac_run *run, struct mikey_kept *kept, uint8_t mac,
                           struct mikey_octets key);
int __wrap_mikey_mac_begin(struct mikey_mac_run *run, struct mikey_kept *kept, uint8_t mac,
                           struct mikey_octets key);
int __wrap_mikey_mac_begin(struct mikey_mac_run *run, struct mikey_kept *kept, uint8_t mac,
                           struct mikey_octets key)
{
	tape.key_len = key.len;
	note(OP_KEY, mac, key.len, 0);
	return __real_mikey_mac_begin(run, kept, mac, key);
}

int __real_mikey_mac_tag(struct mikey_mac_run *run, const struct mikey_octets *part, size_t count,
                         uint8_t ret[MIKEY_TAG_MAX]);
int __wrap_mikey_mac_tag(struct mikey_mac_run *run, const struct mikey_octets *part, size_t count,
                         uint8_t ret[MIKEY_TAG_MAX]);
int __wrap_mikey_mac_tag(struct mikey_mac_run *run, const struct mikey_octets *part, size_t count,
                         uint8_t ret[MIKEY_TAG_MAX])
{
	size_t len = 0;

	for (size_t i = 0; i < count; i++)
		len += part[i].len;
	note(OP_TAG, 0, tape.key_len, len);
	return __real_mikey_mac_tag(run, part, count, ret);
}

int __real_mikey_hmac(struct mikey_kept *kept, uint8_t mac, struct mikey_octets key,
                      struct mikey_octets data, uint8_t ret[MIKEY_TAG_MAX]);
int __wrap_mikey_hmac(struct mikey_kept *kept, uint8_t mac, struct mikey_octets key,
                      struct mikey_octets data, uint8_t ret[MIKEY_TAG_MAX]);
int __wrap_mikey_hmac(struct mikey_kept *kept, uint8_t mac, struct mikey_octets key,
                      struct mikey_octets data, uint8_t ret[MIKEY_TAG_MAX])
{
	note(OP_KEY, mac, key.len, 0);
	note(OP_TAG, 0, 0, data.len);
	return __real_mikey_hmac(kept, mac, key, data, ret);
}

int __real_mikey_digest(struct mikey_kept *kept, uint8_t hash, struct mikey_octets data,
                        uint8_t ret[MIKEY_TAG_MAX]);
int __wrap_mikey_digest(struct mikey_kept *kept, uint8_t hash, struct mikey_octets data,
                        uint8_t ret[MIKEY_TAG_MAX]);
int __wrap_mikey_digest(struct mikey_kept *kept, uint8_t hash, struct mikey_octets data,
                        uint8_t ret[MIKEY_TAG_MAX])
{
	note(OP_DIGEST, hash, 0, data.len);
	return __real_mikey_digest(kept, hash, data, ret);
}

int __real_mikey_cipher(struct mikey_kept *kept, uint8_t encr, bool encrypt,
                        struct mikey_octets key, struct mikey_octets salt, uint32_t csb_id,
                        uint64_t t, struct mikey_octets in, struct base_writer *out);
int __wrap_mikey_cipher(struct mikey_kept *kept, uint8_t encr, bool encrypt,
                        struct mikey_octets key, struct mikey_octets salt, uint32_t csb_id,
                        uint64_t t, struct mikey_octets in, struct base_writer *out);
int __wrap_mikey_cipher(struct mikey_kept *kept, uint8_t encr, bool encrypt,
                        struct mikey_octets key, struct mikey_octets salt, uint32_t csb_id,
                        uint64_t t, struct mikey_octets in, struct base_writer *out)
{
	note(OP_CIPHER, encr, key.len, in.len);
	return __real_mikey_cipher(kept, encr, encrypt, key, salt, csb_id, t, in, out);
}

static int random_noted(void *arg, void *out, size_t len)
{
	(void)arg;
	note(OP_RANDOM, 0, 0, len);
	return base_random(out, len);
}

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* cannot fail */
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* The tape again, by libcrypto alone. */
struct bare {
	EVP_MAC_CTX *mac;
	EVP_MD_CTX *md;
	EVP_MD *sha256;
	EVP_CIPHER_CTX *cipher;
	EVP_CIPHER *ctr;
};

static void bare_init(struct bare *b)
{
	const OSSL_PARAM param[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){ "SHA2-256" }, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);

	*b = (struct bare){ .mac = EVP_MAC_CTX_new(hmac),
		            .md = EVP_MD_CTX_new(),
		            .sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL),
		            .cipher = EVP_CIPHER_CTX_new(),
		            .ctr = EVP_CIPHER_fetch(NULL, "AES-128-CTR", NULL) };
	EVP_MAC_free(hmac);
	if (!b->mac || EVP_MAC_CTX_set_params(b->mac, param) != 1 || !b->md || !b->sha256 ||
	    !b->cipher || !b->ctr)
		abort();
}

static void bare_done(struct bare *b)
{
	EVP_MAC_CTX_free(b->mac);
	EVP_MD_CTX_free(b->md);
	EVP_MD_free(b->sha256);
	EVP_CIPHER_CTX_free(b->cipher);
	EVP_CIPHER_free(b->ctr);
}

static bool bare_op(struct bare *b, const struct op *op, bool keyed)
{
	static uint8_t in[8192], out[8192], key[64];
	size_t len = 0;
	int n = 0;

	switch (op->kind) {
	case OP_KEY:
		key[0]++;
		return EVP_MAC_init(b->mac, key, op->key_len, NULL) == 1;
	case OP_TAG:
		return (keyed || EVP_MAC_init(b->mac, key, op->key_len, NULL) == 1) &&
		       EVP_MAC_update(b->mac, in, op->len) == 1 &&
		       EVP_MAC_final(b->mac, out, &len, 32) == 1;
	case OP_DIGEST:
		return EVP_DigestInit_ex(b->md, b->sha256, NULL) == 1 &&
		       EVP_DigestUpdate(b->md, in, op->len) == 1 &&
		       EVP_DigestFinal_ex(b->md, out, NULL) == 1;
	case OP_CIPHER:
		return EVP_CipherInit_ex(b->cipher, b->ctr, NULL, key, in, 1) == 1 &&
		       EVP_CipherUpdate(b->cipher, out, &n, in, (int)op->len) == 1 &&
		       EVP_CipherFinal_ex(b->cipher, out + n, &n) == 1;
	case OP_RANDOM:
		return getrandom(out, op->len, 0) == (ssize_t)op->len;
	}
	return false;
}

/* Seconds of one replay. */
static double bare_seconds(struct bare *b, unsigned rounds)
{
	double begun = now();

	for (unsigned n = 0; n < rounds; n++) {
		for (size_t i = 0; i < tape.count; i++) {
			if (!bare_op(b, &tape.op[i], i && tape.op[i - 1].kind == OP_KEY))
				abort();
		}
	}
	return (now() - begun) / rounds;
}

/* What is measured: steps of the stage, from a state that others of its steps have made. */
struct row {
	const char *name;
	int mode;
	bool forked;
	int (*before)(struct stage *s);
	int (*step)(struct stage *s);
	void (*after)(struct stage *s);
};

static int nothing(struct stage *s)
{
	(void)s;
	return 0;
}

static void grant_forget(struct stage *s)
{
	mikey_asking_done(&s->request);
	base_writer_done(&s->request_resp);
	mikey_grant_done(&s->grant);
	s->request = (struct mikey_asking){ .prf = 0 };
	s->grant = (struct mikey_grant){ .ticket = NULL };
}

static int to_resolve(struct stage *s)
{
	int rc = stage_grant(s);

	if (!rc)
		rc = stage_offer(s);
	return rc ? rc : stage_receive(s);
}

static void resolve_forget(struct stage *s)
{
	mikey_asking_done(&s->resolve);
	base_writer_done(&s->resolve_resp);
	mikey_resolved_done(&s->resolved);
	s->resolve = (struct mikey_asking){ .prf = 0 };
	s->resolved = (struct mikey_resolved){ .rand_kms = { 0 } };
}

static int to_transfer(struct stage *s)
{
	int rc = to_resolve(s);

	if (!rc)
		rc = stage_resolve(s);
	mikey_transfer_done(&s->transfer);
	s->transfer = (struct mikey_transfer){ .prf = 0 };
	return rc;
}

static int transfer(struct stage *s)
{
	uint8_t tek[2][STAGE_TEK];
	int rc = stage_offer(s);

	if (!rc)
		rc = stage_receive(s);
	if (!rc) /* the ticket is the same, and resolved */
		rc = stage_answer(s);
	if (!rc)
		rc = mikey_session_tek(&s->initiator.env, &s->session_i, 1, tek[0], STAGE_TEK,
		                       &s->err);
	return rc ? rc
	          : mikey_session_tek(&s->responder.env, &s->session_r, 1, tek[1], STAGE_TEK,
	                              &s->err);
}

static void transfer_forget(struct stage *s)
{
	mikey_transfer_done(&s->transfer);
	base_writer_done(&s->transfer_resp);
	mikey_session_done(&s->session_i);
	mikey_session_done(&s->session_r);
	s->transfer = (struct mikey_transfer){ .prf = 0 };
	s->session_i = (struct mikey_session){ .prf = 0 };
	s->session_r = (struct mikey_session){ .prf = 0 };
}

static const struct row rows[] = {
	{ "ticket request", 1, true, nothing, stage_grant, grant_forget },
	{ "ticket resolve", 1, true, to_resolve, stage_resolve, resolve_forget },
	{ "transfer pair, with TEKs", 1, true, to_transfer, transfer, transfer_forget },
	{ "transfer pair of a ticket of one's own", 4, false, to_transfer, transfer,
	  transfer_forget },
};

static void parties(struct stage *s)
{
	struct stage_party *party[] = { &s->initiator, &s->responder, &s->kms };

	for (size_t i = 0; i < BASE_COUNT(party); i++) {
		mikey_replay_free(party[i]->env.replay);
		party[i]->env.replay = mikey_replay_new(1024);
		if (!party[i]->env.kept)
			party[i]->env.kept = mikey_kept_new();
		party[i]->env.random = random_noted;
	}
}

/* Seconds of one step; what it takes is given back, and the clock goes on, as replay caches want.
 */
static double step_seconds(const struct row *row, struct stage *s, unsigned rounds)
{
	double begun = now();

	for (unsigned i = 0; i < rounds; i++) {
		struct base_arena kept = s->arena;

		s->arena = (struct base_arena){ 0 };
		s->initiator.env.now += (uint64_t)1 << 20; /* a quarter of a millisecond */
		s->responder.env.now = s->kms.env.now = s->initiator.env.now;
		if (row->step(s)) {
			(void)fprintf(stderr, "%s: %s\n", row->name, s->err.text);
			exit(1);
		}
		row->after(s);
		base_arena_done(&s->arena);
		s->arena = kept;
	}
	return (now() - begun) / rounds;
}

/* The best of several batches, the two by turns: others use the machine, too. */
static void measure(const struct row *row, unsigned rounds)
{
	struct stage s = { .mode = row->mode,
		           .forked = row->forked,
		           .suite = { MIKEY_PRF_HMAC_SHA_256, MIKEY_AES_CM_128,
		                      MIKEY_HMAC_SHA_256_256 },
		           .ticket_prf = MIKEY_PRF_HMAC_SHA_256 };
	double used = 1, bare = 1;
	struct bare b;

	stage_init(&s);
	bare_init(&b);
	parties(&s);
	if (row->before(&s))
		exit(1);
	tape.count = 0;
	tape.on = true;
	(void)step_seconds(row, &s, 1);
	tape.on = false;
	for (unsigned i = 0; i < BATCHES; i++) {
		used = BASE_MIN(used, step_seconds(row, &s, rounds));
		bare = BASE_MIN(bare, bare_seconds(&b, rounds));
	}
	printf("{\"name\": \"%s\", \"per_s\": %.0f, \"us\": %.2f, \"bare_us\": %.2f, "
	       "\"operations\": %zu, \"share\": %.3f}\n",
	       row->name, 1 / used, used * 1e6, bare * 1e6, tape.count, bare / used);
	bare_done(&b);
	stage_done(&s);
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 1000;

	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		if (argc < 3 || i == (size_t)atoi(argv[2]))
			measure(&rows[i], rounds ? rounds : 1);
	}
	return 0;
}
