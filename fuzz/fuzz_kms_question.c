/* SPDX-License-Identifier: Apache-2.0 */
/* What comes to a KMS in an HTTP body: nobody proves anything here, so nothing may be granted. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "kms/kms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct kms_rule any = { .from = "*", .to = "*" };
static const struct kms_config config = { .identity = "sip:kms.example.com",
	                                  .rules = &any,
	                                  .rule_count = 1 };
static struct kms_store *store;
static struct kms *kms;

static void enroll(void)
{
	uint8_t key[32];
	struct kms_user user = { .id = { MIKEY_URI, mikey_octets_text("sip:alice@example.com") },
		                 .psk = { key, sizeof(key) },
		                 .psk_id = { MIKEY_BYTE_STRING, mikey_octets_text("alice") } };

	if (base_random(key, sizeof(key)) || kms_store_user_put(store, &user, NULL))
		abort();
}

static void done(void)
{
	kms_free(kms);
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
	if (kms_store_open(&store, name, master, NULL) || kms_new(&kms, &config, store, NULL))
		abort();
	enroll();
	for (size_t i = 0; i < BASE_COUNT(ends); i++) {
		(void)snprintf(name, sizeof(name), "%s/store%s", path, ends[i]);
		(void)unlink(name); /* if it is there */
	}
	(void)rmdir(path);
	(void)atexit(done);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct base_writer out = { 0 };
	struct kms_outcome outcome;
	int rc;

	if (!kms)
		start();
	rc = kms_answer(kms, 1800000000, 0, (enum kms_kind)(size % 3), mikey_octets_of(data, size),
	                &out, &outcome);
	if (outcome.result < KMS_UNPROVED || outcome.asker[0] || (!rc && !out.len))
		abort();
	base_writer_done(&out);
	return 0;
}
