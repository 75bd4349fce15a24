/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two journals take turns: one is written until everything in the other is over, then that one is
 * emptied and written. So neither grows without end, and nothing that counts is ever erased.
 *
 * Should the clock go back, then what was erased may count again: until when, is in a record of
 * its own (a text instead of a digest) that goes into one journal before the other is emptied. No
 * message is taken before that time is over.
 */
#include "kms/seen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIGEST 32
#define RECORD (DIGEST + 8)

struct entry {
	struct base_map_node node;
	struct base_node turn; /* in the list of its journal */
	uint8_t digest[DIGEST];
};

struct journal {
	int fd;
	off_t len;
	uint64_t until_s; /* of the last of its records */
	struct base_node entries;
};

struct kms_seen {
	struct base_map map;
	struct journal journal[2];
	unsigned now;     /* the one that is written */
	uint64_t floor_s; /* until when counted what has been erased */
};

static const uint8_t no_digest[DIGEST] = "this is no digest but a time";

static int remember(struct kms_seen *seen, unsigned j, const uint8_t digest[DIGEST],
                    uint64_t until_s)
{
	struct entry *e = calloc(1, sizeof(*e));
	struct base_str key;

	if (!e)
		return BASE_ERR(BASE_LOCAL, 0);
	memcpy(e->digest, digest, DIGEST);
	key = (struct base_str){ (const char *)e->digest, DIGEST };
	if (base_map_insert(&seen->map, key, &e->node)) {
		free(e);
		return BASE_ERR(BASE_LOCAL, 0);
	}
	base_list_append(&seen->journal[j].entries, &e->turn);
	seen->journal[j].until_s = BASE_MAX(seen->journal[j].until_s, until_s);
	return 0;
}

static void forget(struct kms_seen *seen, struct journal *j)
{
	struct base_node *node;

	while ((node = base_list_shift(&j->entries)) != NULL) {
		struct entry *e = BASE_CONTAINER_OF(node, struct entry, turn);

		base_map_remove(&seen->map, &e->node);
		free(e);
	}
	j->until_s = 0;
}

/* A record at the end. Half a one, of a full disk, is written over. */
static int append(struct journal *j, const uint8_t digest[DIGEST], uint64_t until_s)
{
	uint8_t record[RECORD];
	struct base_writer w = base_writer_over(record, sizeof(record));

	base_writer_put(&w, digest, DIGEST);
	base_writer_u32(&w, (uint32_t)(until_s >> 32));
	base_writer_u32(&w, (uint32_t)until_s);
	if (pwrite(j->fd, record, sizeof(record), j->len) != (ssize_t)sizeof(record))
		return BASE_ERR(BASE_LOCAL, EIO);
	j->len += RECORD;
	return 0;
}

/* All records of a journal; half a one at its end is a write that a kill cut short. */
static int load(struct kms_seen *seen, unsigned index)
{
	struct journal *j = &seen->journal[index];
	uint8_t record[RECORD];
	ssize_t n = 0;
	int rc = 0;

	while (!rc && (n = pread(j->fd, record, sizeof(record), j->len)) == RECORD) {
		struct base_reader r = base_reader_of(record + DIGEST, 8);
		struct base_str key = { (const char *)record, DIGEST };
		uint64_t until_s = base_reader_u64(&r);

		j->len += RECORD;
		if (!memcmp(record, no_digest, DIGEST))
			seen->floor_s = BASE_MAX(seen->floor_s, until_s);
		else if (!base_map_find(&seen->map, key))
			rc = remember(seen, index, record, until_s);
	}
	return n < 0 ? BASE_ERR(BASE_CONFIG, errno) : rc; /* what is not read would be forgotten */
}

int kms_seen_open(struct kms_seen **ret, const char *path, struct base_error *err)
{
	struct kms_seen *seen = calloc(1, sizeof(*seen));
	char name[4096];
	int rc = 0;

	if (!seen)
		return BASE_ERR(BASE_LOCAL, 0);
	for (unsigned i = 0; i < 2; i++) {
		seen->journal[i].fd = -1;
		base_list_init(&seen->journal[i].entries);
	}
	for (unsigned i = 0; i < 2 && !rc; i++) {
		(void)snprintf(name, sizeof(name), "%s.%c", path, 'a' + (char)i);
		seen->journal[i].fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (seen->journal[i].fd >= 0 && flock(seen->journal[i].fd, LOCK_EX | LOCK_NB))
			rc = base_error_set(err, BASE_ERR(BASE_CONFIG, errno),
			                    errno == EWOULDBLOCK
			                            ? "%s: another process has this store open"
			                            : "%s: cannot be locked",
			                    name);
		else if (seen->journal[i].fd < 0 || (rc = load(seen, i)) != 0)
			rc = base_error_set(err, rc ? rc : BASE_ERR(BASE_CONFIG, errno), "%s: %s",
			                    name, strerror(errno));
	}
	seen->now = seen->journal[1].until_s > seen->journal[0].until_s;
	if (rc)
		kms_seen_close(seen);
	else
		*ret = seen;
	return rc;
}

void kms_seen_close(struct kms_seen *seen)
{
	if (!seen)
		return;
	for (unsigned i = 0; i < 2; i++) {
		forget(seen, &seen->journal[i]);
		if (seen->journal[i].fd >= 0)
			(void)close(seen->journal[i].fd); /* nothing is buffered */
	}
	base_map_done(&seen->map);
	free(seen);
}

/* The other journal's turn, once all that is in it is over. */
static void turn(struct kms_seen *seen, uint64_t now_s)
{
	struct journal *other = &seen->journal[1 - seen->now];

	if (other->until_s >= now_s || (!other->len && !seen->journal[seen->now].len))
		return;
	seen->floor_s = BASE_MAX(seen->floor_s, other->until_s);
	if (seen->floor_s && append(&seen->journal[seen->now], no_digest, seen->floor_s))
		return;
	if (ftruncate(other->fd, 0)) /* stays as it is: longer, not wrong */
		return;
	forget(seen, other);
	other->len = 0;
	seen->now = 1 - seen->now;
}

int kms_seen(struct kms_seen *seen, const uint8_t digest[DIGEST], uint64_t now_s, uint64_t until_s)
{
	struct base_str key = { (const char *)digest, DIGEST };
	int rc;

	if (base_map_find(&seen->map, key))
		return 1;
	if (seen->floor_s && now_s <= seen->floor_s) /* the clock has gone back */
		return BASE_ERR(BASE_LOCAL, ETIME);
	turn(seen, now_s);
	/* A full disk: nothing is taken that could be replayed. */
	rc = append(&seen->journal[seen->now], digest, until_s);
	return rc ? rc : remember(seen, seen->now, digest, until_s);
}
