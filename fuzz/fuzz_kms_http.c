/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What HTTP brings to a KMS: "METHOD PATH PARAMETER" in a line, then the body; or, where the line
 * begins with '!', an order about users as the control socket has it. Nobody who asks proves
 * anything, so nothing is granted, and no answer is without its status.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "kmsd/service.h"
#include "kmsd/users.h"
#include "stream/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct kms_rule any = { .from = "*", .to = "*" };
static const struct kms_config config = { .identity = "sip:kms.example.com",
	                                  .rules = &any,
	                                  .rule_count = 1 };
static const struct kmsd_form form = { "/keymanagement", "requesttype", "ticketrequest",
	                               "ticketresolve" };
static struct kms_store *store;
static struct kmsd_service service;

static void done(void)
{
	kms_free(service.kms);
	kms_store_close(store);
}

/* A store in a folder that is gone at once: its files live as long as they are open. */
static void start(void)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-seen.a", "-seen.b" };
	char path[] = "/tmp/gatehouse-fuzz-XXXXXX", name[64];
	uint8_t master[KMS_MASTER_KEY];

	if (!mkdtemp(path) || base_random(master, sizeof(master)))
		abort();
	(void)snprintf(name, sizeof(name), "%s/store", path);
	if (kms_store_open(&store, name, master, NULL) ||
	    kms_new(&service.kms, &config, store, NULL))
		abort();
	service.form = &form;
	for (size_t i = 0; i < BASE_COUNT(ends); i++) {
		(void)snprintf(name, sizeof(name), "%s/store%s", path, ends[i]);
		(void)unlink(name); /* if it is there */
	}
	(void)rmdir(path);
	base_log_level_set(BASE_LOG_ERROR);
	(void)atexit(done);
}

static void order(struct base_str line)
{
	struct base_writer out = { 0 };
	bool well = kmsd_users_do(store, line, &out);
	const char *end = well ? "ok\n" : "\n";

	if (out.failed || out.len < strlen(end) ||
	    memcmp(out.data + out.len - strlen(end), end, strlen(end)) != 0)
		abort();
	base_writer_done(&out);
}

static const char *text_take(struct base_arena *arena, struct base_str *line)
{
	struct base_str word = stream_order_word(line);

	return word.len ? base_arena_dup(arena, word) : NULL;
}

static void request(struct base_str line, struct base_str body)
{
	struct base_arena arena = { 0 };
	struct base_writer out = { 0 };
	struct kmsd_answer answer = { 0 };
	const char *method = text_take(&arena, &line), *path = text_take(&arena, &line);
	const struct kmsd_question question = { .method = method ? method : "",
		                                .path = path ? path : "",
		                                .parameter = text_take(&arena, &line),
		                                .mikey = true,
		                                .body = body,
		                                .peer = "peer",
		                                .unix_s = 1800000000 };

	kmsd_service_ask(&service, &question, &out, &answer);
	if (answer.status < 400 || answer.status > 503)
		abort();
	base_writer_done(&out);
	base_arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
	size_t len = end ? (size_t)(end - data) : size;
	struct base_str line = { (const char *)data, len };

	if (!service.kms)
		start();
	if (len && line.ptr[0] == '!')
		order((struct base_str){ line.ptr + 1, len - 1 });
	else
		request(line, (struct base_str){ line.ptr + len + (end != NULL),
		                                 size - len - (end != NULL) });
	return 0;
}
