/* SPDX-License-Identifier: Apache-2.0 */
/** @file Several KMSs at one Redis, a real one: they answer for one another, and nobody else reads.
 */
#include "check.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "folder.h"
#include "kms/store.h"

static const uint8_t master[KMS_MASTER_KEY] = "master key of the test, 32 octs";
static const uint8_t other_master[KMS_MASTER_KEY] = "another key";

struct server {
	struct folder folder;
	pid_t pid;
	uint16_t port;
	uint32_t patience_ms;
	char address[32];
};

static int bound(uint16_t *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

static int reach(const struct server *s)
{
	const struct sockaddr_in at = { .sin_family = AF_INET,
		                        .sin_port = htons(s->port),
		                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (const struct sockaddr *)&at, sizeof(at)) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

/* A command as one types it; what Redis says first. False: it does not talk, or is loading. */
static bool tell(const struct server *s, const char *command, char answer[512])
{
	int fd = reach(s);
	ssize_t n = -1;

	if (fd < 0)
		return false;
	if (write(fd, command, strlen(command)) > 0 && write(fd, "\r\n", 2) == 2)
		n = read(fd, answer, 511);
	(void)close(fd);
	answer[n > 0 ? n : 0] = '\0';
	return n > 0 && answer[0] != '-';
}

/* Until it says that it is there. */
static void await_ready(int fd)
{
	FILE *said = fdopen(fd, "r");
	char line[512] = "";

	assert_non_null(said);
	while (!strstr(line, "Ready to accept"))
		assert_non_null(fgets(line, sizeof(line), said));
	(void)fclose(said);
}

static void server_run(struct server *s)
{
	char port[8];
	int out[2];

	(void)snprintf(port, sizeof(port), "%u", s->port);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (!s->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* where a test fails */
		(void)dup2(out[1], STDOUT_FILENO);
		execlp("redis-server", "redis-server", "--port", port, "--bind", "127.0.0.1",
		       "--save", "", "--appendonly", "yes", "--appendfsync", "no", "--dir",
		       s->folder.path, (char *)NULL);
		_exit(127);
	}
	(void)close(out[1]);
	await_ready(out[0]);
}

static void server_start(struct server *s)
{
	(void)signal(SIGPIPE, SIG_IGN);
	folder_make(&s->folder);
	s->patience_ms = 10000; /* a busy machine */
	(void)close(bound(&s->port));
	(void)snprintf(s->address, sizeof(s->address), "127.0.0.1:%u", s->port);
	server_run(s);
}

static void server_kill(struct server *s)
{
	(void)kill(s->pid, SIGKILL);
	assert_int_equal(waitpid(s->pid, NULL, 0), s->pid);
}

static void server_stop(struct server *s)
{
	server_kill(s);
	folder_remove(&s->folder);
}

static int opens(const struct server *s, const uint8_t *key, struct kms_store **ret,
                 struct base_error *err)
{
	const struct kms_redis spec = { .address = s->address,
		                        .host = "127.0.0.1",
		                        .port = s->port,
		                        .prefix = "test",
		                        .patience_ms = s->patience_ms };

	return kms_store_open_redis(ret, &spec, key, err);
}

static struct kms_store *opened(const struct server *s)
{
	struct base_error err = { 0 };
	struct kms_store *store = NULL;

	if (opens(s, master, &store, &err))
		fail_msg("%s", err.text);
	return store;
}

static struct mikey_id uri(const char *text)
{
	return (struct mikey_id){ MIKEY_URI, mikey_octets_text(text) };
}

static struct kms_user user_of(const char *name, const char *psk, const char *psk_id)
{
	return (struct kms_user){ .id = uri(name),
		                  .psk = mikey_octets_text(psk),
		                  .psk_id = { MIKEY_BYTE_STRING, mikey_octets_text(psk_id) } };
}

static void is(struct mikey_octets octets, const char *text)
{
	assert_true(mikey_octets_eq(octets, mikey_octets_text(text)));
}

static int listed(void *arg, const struct kms_user *user)
{
	char *names = arg;

	assert_int_equal(user->psk.len + user->tpk.len, 0);
	(void)snprintf(names + strlen(names), 200 - strlen(names), "%.*s ", (int)user->id.data.len,
	               (const char *)user->id.data.at);
	return 0;
}

/** Who is enrolled at one is a user of the other, by each name; and gone where one removes him. */
static void users(void **state)
{
	struct kms_user alice = user_of("sip:alice", "alice's secret key", "a"),
	                bob = user_of("sip:bob", "bob's secret key", "a"), got;
	struct base_arena arena = { .wipe = true };
	struct base_error err = { 0 };
	struct kms_store *a, *b;
	char names[200] = "";
	struct server s;

	(void)state;
	server_start(&s);
	a = opened(&s);
	b = opened(&s);
	alice.cert = mikey_octets_text("certificate");
	alice.tpk = mikey_octets_text("alice's tickets");
	alice.tpk_id = uri("tpk of alice");
	assert_int_equal(kms_store_user_put(a, &alice, &err), 0);
	assert_int_equal(kms_store_user(b, KMS_BY_ID, &alice.id, &arena, &got), 1);
	is(got.psk, "alice's secret key");
	is(got.cert, "certificate");
	assert_int_equal(kms_store_user(b, KMS_BY_PSK_ID, &alice.psk_id, &arena, &got), 1);
	is(got.id.data, "sip:alice");
	assert_int_equal(kms_store_user(b, KMS_BY_TPK_ID, &alice.tpk_id, &arena, &got), 1);
	is(got.tpk, "alice's tickets");
	assert_int_equal(base_err_class(kms_store_user_put(b, &bob, &err)), BASE_CONFIG);
	assert_int_equal(kms_store_user(a, KMS_BY_ID, &bob.id, &arena, &got), 0);
	alice.psk_id = uri("another name");
	assert_int_equal(kms_store_user_put(b, &alice, &err), 0);
	assert_int_equal(kms_store_user_put(b, &bob, &err), 0); /* the name is free now */
	assert_int_equal(kms_store_user(a, KMS_BY_PSK_ID, &bob.psk_id, &arena, &got), 1);
	is(got.id.data, "sip:bob");
	assert_int_equal(kms_store_user(a, KMS_BY_PSK_ID, &alice.psk_id, &arena, &got), 1);
	assert_int_equal(kms_store_users(a, listed, names), 0);
	assert_string_equal(names, "sip:alice sip:bob ");
	assert_int_equal(kms_store_user_remove(a, &alice.id, &err), 0);
	assert_int_equal(kms_store_user(b, KMS_BY_PSK_ID, &alice.psk_id, &arena, &got), 0);
	assert_int_equal(kms_store_user(b, KMS_BY_ID, &alice.id, &arena, &got), 0);
	assert_int_equal(base_err_class(kms_store_user_remove(b, &alice.id, &err)), BASE_CONFIG);
	kms_store_close(a);
	kms_store_close(b);
	base_arena_done(&arena);
	server_stop(&s);
}

/** Another's TPK is found when its ticket comes, and used instead of a new one of one's own. */
static void ticket_keys(void **state)
{
	const struct kms_tpk *mine, *theirs;
	struct base_error err = { 0 };
	struct kms_store *a, *b;
	struct server s;

	(void)state;
	server_start(&s);
	a = opened(&s);
	b = opened(&s);
	assert_int_equal(kms_store_tpk(a, 1000, 100, 50, &mine, &err), 0);
	assert_int_equal(mine->generation, 1);
	assert_int_equal(kms_store_tpk_of(b, 1, 1000, &theirs), 1);
	assert_memory_equal(mine->key.data, theirs->key.data, 32);
	assert_int_equal(kms_store_tpk(b, 1099, 100, 50, &theirs, &err), 0);
	assert_int_equal(theirs->generation, 1);
	assert_int_equal(kms_store_tpk(b, 1100, 100, 50, &theirs, &err), 0);
	assert_int_equal(theirs->generation, 2);
	assert_int_equal(kms_store_tpk(a, 1101, 100, 50, &mine, &err), 0);
	assert_int_equal(mine->generation, 2);
	assert_memory_equal(mine->key.data, theirs->key.data, 32);
	assert_int_equal(kms_store_tpk_of(a, 7, 1101, &mine), 0);
	assert_int_equal(kms_store_tpk(a, 5000, 100, 50, &mine, &err), 0);
	assert_int_equal(mine->generation, 3);
	kms_store_close(a);
	a = opened(&s);
	assert_int_equal(kms_store_tpk_of(a, 2, 1100, &mine), 0); /* erased, for all of them */
	assert_int_equal(kms_store_tpk(a, 9000, 100, 50, &mine, &err), 0);
	assert_int_equal(mine->generation, 4); /* and no number again */
	kms_store_close(a);
	kms_store_close(b);
	server_stop(&s);
}

#define KMSS  4
#define TURNS 25

/* Turns when it is told to, and says which key it has then. */
static void turn_on_demand(const struct server *s, int go, int done)
{
	struct kms_store *store = opened(s);
	const struct kms_tpk *tpk;
	uint8_t said[33], turn;

	while (read(go, &turn, 1) == 1) {
		if (kms_store_tpk(store, 1000ULL * turn, 1000, 50, &tpk, NULL))
			_exit(1);
		said[0] = (uint8_t)tpk->generation;
		memcpy(said + 1, tpk->key.data, 32);
		if (write(done, said, sizeof(said)) != (ssize_t)sizeof(said))
			_exit(1);
	}
	kms_store_close(store);
	_exit(0);
}

/** Processes that turn the TPK at the same moment have one and the same then, and one only. */
static void turning_at_once(void **state)
{
	int go[KMSS][2], done[2], status;
	pid_t kmss[KMSS];
	uint8_t first[33], said[33];
	struct server s;

	(void)state;
	server_start(&s);
	assert_int_equal(pipe2(done, O_CLOEXEC), 0);
	for (int i = 0; i < KMSS; i++) {
		assert_int_equal(pipe2(go[i], O_CLOEXEC), 0);
		kmss[i] = fork();
		if (kmss[i])
			continue;
		for (int n = 0; n <= i; n++)
			(void)close(go[n][1]);
		turn_on_demand(&s, go[i][0], done[1]);
	}
	for (uint8_t turn = 1; turn <= TURNS; turn++) {
		for (int i = 0; i < KMSS; i++)
			assert_int_equal(write(go[i][1], &turn, 1), 1);
		for (int i = 0; i < KMSS; i++) {
			assert_int_equal(read(done[0], said, sizeof(said)), sizeof(said));
			assert_int_equal(said[0], turn);
			if (!i)
				memcpy(first, said, sizeof(said));
			assert_memory_equal(first, said, sizeof(said));
		}
	}
	for (int i = 0; i < KMSS; i++) {
		(void)close(go[i][0]);
		(void)close(go[i][1]);
	}
	for (int i = 0; i < KMSS; i++) {
		assert_int_equal(waitpid(kmss[i], &status, 0), kmss[i]);
		assert_int_equal(status, 0);
	}
	(void)close(done[0]);
	(void)close(done[1]);
	server_stop(&s);
}

static bool in_dump(const struct server *s, const void *what, size_t len)
{
	static char octets[1 << 20];
	char path[256];
	size_t n = 0;
	FILE *pipe;

	(void)snprintf(path, sizeof(path), "cat %s/appendonly*/* %s/*.aof 2>/dev/null",
	               s->folder.path, s->folder.path);
	pipe = popen(path, "r");
	assert_non_null(pipe);
	n = fread(octets, 1, sizeof(octets), pipe);
	(void)pclose(pipe);
	assert_true(n > 100 && n < sizeof(octets));
	return memmem(octets, n, what, len) != NULL;
}

/** What Redis has written shows no key, opens by no other master key, and nowhere else. */
static void sealed(void **state)
{
	struct kms_user alice = user_of("sip:alice", "alice's secret key", "a"),
	                bob = user_of("sip:bob", "bob's own secret key", "b"), got;
	struct base_arena arena = { .wipe = true };
	const struct kms_tpk *tpk;
	struct base_error err = { 0 };
	struct kms_store *a, *b = NULL;
	char answer[512];
	struct server s;

	(void)state;
	server_start(&s);
	a = opened(&s);
	alice.tpk = mikey_octets_text("alice's tickets");
	alice.tpk_id = uri("tpk of alice");
	assert_int_equal(kms_store_user_put(a, &alice, &err), 0);
	assert_int_equal(kms_store_user_put(a, &bob, &err), 0);
	assert_int_equal(kms_store_tpk(a, 1000, 100, 50, &tpk, &err), 0);
	assert_true(in_dump(&s, "sip:alice", 9));
	assert_false(in_dump(&s, "secret key", 10));
	assert_false(in_dump(&s, "alice's tickets", 15));
	assert_false(in_dump(&s, tpk->key.data, 32));
	assert_false(in_dump(&s, master, 16));
	assert_int_equal(base_err_class(opens(&s, other_master, &b, &err)), BASE_CONFIG);
	assert_non_null(strstr(err.text, "master key"));
	/* bob's record where alice's was: it is nobody's */
	assert_true(
	        tell(&s,
	             "EVAL \"local u=redis.call('HGET','test:users','\\\\1sip:bob') "
	             "if not u then u=redis.call('HGET','test:users',string.char(1)..'sip:bob') "
	             "end return redis.call('HSET','test:users',KEYS[1],u)\" 1 "
	             "\"\\x01sip:alice\"",
	             answer));
	assert_int_equal(base_err_class(kms_store_user(a, KMS_BY_ID, &alice.id, &arena, &got)),
	                 BASE_CONFIG);
	/* alice's name for a key, said to be bob's */
	assert_true(tell(&s, "HSET test:psk-names \"\\x02a\" \"\\x01sip:bob\"", answer));
	assert_int_equal(kms_store_user(a, KMS_BY_PSK_ID, &alice.psk_id, &arena, &got), 0);
	kms_store_close(a);
	base_arena_done(&arena);
	server_stop(&s);
}

static void digest_of(unsigned n, uint8_t out[32])
{
	memset(out, 0, 32);
	memcpy(out, &n, sizeof(n));
}

/** What one has taken, no other takes; and not for ever. */
static void taken(void **state)
{
	struct kms_store *a, *b;
	uint8_t digest[32];
	char answer[512];
	struct server s;
	long ms;

	(void)state;
	server_start(&s);
	a = opened(&s);
	b = opened(&s);
	digest_of(1, digest);
	assert_int_equal(kms_store_seen(a, digest, 5000, 5100), 0);
	assert_int_equal(kms_store_seen(b, digest, 5000, 5100), 1);
	assert_int_equal(kms_store_seen(a, digest, 5000, 5100), 1);
	assert_true(tell(&s,
	                 "PTTL test:seen:"
	                 "0100000000000000000000000000000000000000000000000000000000000000",
	                 answer));
	ms = strtol(answer + 1, NULL, 10);
	assert_true(ms > 100000 && ms <= 200000);
	digest_of(2, digest);
	assert_true(kms_store_seen(a, digest, 4800, 4900) < 0);     /* its clock has gone back */
	assert_int_equal(kms_store_seen(a, digest, 4950, 5050), 0); /* a little */
	kms_store_close(a);
	kms_store_close(b);
	server_stop(&s);
}

/** Redis gone: nobody is told that it is new; back: all goes on, and what was taken still is. */
static void gone_and_back(void **state)
{
	struct base_arena arena = { .wipe = true };
	struct base_error err = { 0 };
	struct kms_user alice = user_of("sip:alice", "alice's secret key", "a"), got;
	const struct kms_tpk *tpk = NULL;
	uint8_t first[32], second[32];
	struct kms_store *a;
	char answer[512];
	struct server s;
	int rc = -1;

	(void)state;
	server_start(&s);
	a = opened(&s);
	digest_of(1, first);
	digest_of(2, second);
	assert_int_equal(kms_store_user_put(a, &alice, &err), 0);
	assert_int_equal(kms_store_seen(a, first, 5000, 5100), 0);
	server_kill(&s);
	assert_int_equal(base_err_class(kms_store_seen(a, second, 5000, 5100)), BASE_LOCAL);
	assert_int_equal(base_err_class(kms_store_user(a, KMS_BY_ID, &alice.id, &arena, &got)),
	                 BASE_LOCAL);
	assert_int_equal(base_err_class(kms_store_tpk(a, 5000, 100, 50, &tpk, &err)), BASE_LOCAL);
	assert_int_equal(base_err_class(kms_store_tpk_of(a, 1, 5000, &tpk)), BASE_LOCAL);
	server_run(&s);
	for (int i = 0; i < 1000000 && rc; i++) { /* it rests for a while */
		assert_true(tell(&s, "PING", answer));
		rc = kms_store_seen(a, second, 5000, 5100);
		assert_true(rc <= 0);
	}
	assert_int_equal(rc, 0);
	assert_int_equal(kms_store_seen(a, first, 5000, 5100), 1);
	assert_int_equal(kms_store_user(a, KMS_BY_ID, &alice.id, &arena, &got), 1);
	kms_store_close(a);
	base_arena_done(&arena);
	server_stop(&s);
}

/** A Redis that comes back empty would let everything in again: it is not believed. */
static void back_and_empty(void **state)
{
	struct base_error err = { 0 };
	struct kms_store *a;
	uint8_t digest[32];
	char answer[512];
	struct server s;

	(void)state;
	server_start(&s);
	a = opened(&s);
	digest_of(1, digest);
	assert_int_equal(kms_store_seen(a, digest, 5000, 5100), 0);
	assert_true(tell(&s, "FLUSHALL", answer));
	assert_true(tell(&s, "CLIENT KILL TYPE normal", answer));
	assert_int_equal(base_err_class(kms_store_seen(a, digest, 5000, 5100)), BASE_LOCAL);
	assert_int_equal(base_err_class(kms_store_user_remove(
	                         a, &(struct mikey_id){ MIKEY_URI, { 0 } }, &err)),
	                 BASE_LOCAL);
	assert_non_null(strstr(err.text, "has lost what it kept"));
	kms_store_close(a);
	server_stop(&s);
}

/** A connection that died unnoticed costs nobody a question. */
static void dead_connection(void **state)
{
	struct kms_store *a;
	uint8_t digest[32];
	char answer[512];
	struct server s;

	(void)state;
	server_start(&s);
	a = opened(&s);
	assert_true(tell(&s, "CLIENT KILL TYPE normal", answer));
	digest_of(1, digest);
	assert_int_equal(kms_store_seen(a, digest, 5000, 5100), 0);
	kms_store_close(a);
	server_stop(&s);
}

/** One that never answers: an end after a bounded time, and at once the second time. */
static void silent(void **state)
{
	struct base_error err = { 0 };
	struct kms_store *a = NULL;
	struct server s = { .address = "silent", .patience_ms = 50 };
	int fd = bound(&s.port);

	(void)state;
	assert_int_equal(listen(fd, 4), 0);
	assert_int_equal(base_err_class(opens(&s, master, &a, &err)), BASE_LOCAL);
	assert_non_null(strstr(err.text, "no answer in time"));
	(void)close(fd);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(users),           cmocka_unit_test(ticket_keys),
		cmocka_unit_test(turning_at_once), cmocka_unit_test(sealed),
		cmocka_unit_test(taken),           cmocka_unit_test(gone_and_back),
		cmocka_unit_test(back_and_empty),  cmocka_unit_test(dead_connection),
		cmocka_unit_test(silent),
	};

	if (system("command -v redis-server >/dev/null 2>&1") != 0) /* NOLINT: a test */
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
