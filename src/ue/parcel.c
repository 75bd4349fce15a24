/* SPDX-License-Identifier: Apache-2.0 */
#include "ue/parcel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NO_MEMORY BASE_ERR(BASE_LOCAL, 0)
#define NAME_MAX_ 64   /* octets of a sender's name that are used */
#define NAMES_MAX 1000 /* files of one name that are beside each other */

struct ue_parcel {
	const struct ue_inbox *inbox;
	struct base_writer head; /* the first octets */
	uint64_t len;            /* up to the last octet that has come */
	int fd;                  /* those behind them; -1 = there are none */
};

int ue_parcel_new(struct ue_parcel **ret, const struct ue_inbox *inbox)
{
	struct ue_parcel *parcel = calloc(1, sizeof(*parcel));

	if (!parcel)
		return NO_MEMORY;
	parcel->inbox = inbox;
	parcel->fd = -1;
	*ret = parcel;
	return 0;
}

void ue_parcel_free(struct ue_parcel *parcel)
{
	if (!parcel)
		return;
	if (parcel->fd >= 0)
		(void)close(parcel->fd);
	base_writer_done(&parcel->head);
	free(parcel);
}

struct base_str ue_parcel_head(const struct ue_parcel *parcel)
{
	return base_writer_view(&parcel->head);
}

/** A file without a name: gone with us, whatever happens. */
static int spill(struct ue_parcel *parcel)
{
	const char *folder = parcel->inbox->folder;

	if (!folder)
		return BASE_ERR(BASE_PEER, EFBIG);
	if (parcel->fd < 0)
		parcel->fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	return parcel->fd < 0 ? BASE_ERR(BASE_LOCAL, errno) : 0;
}

static int write_at(int fd, const char *data, size_t len, uint64_t at)
{
	while (len) {
		ssize_t n = pwrite(fd, data, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return BASE_ERR(BASE_LOCAL, n < 0 ? errno : ENOSPC);
		data += n;
		len -= (size_t)n;
		at += (uint64_t)n;
	}
	return 0;
}

static int put_head(struct ue_parcel *parcel, size_t at, const char *data, size_t len)
{
	struct base_writer *head = &parcel->head;

	if (at + len > head->len) {
		if (!base_writer_reserve(head, at + len - head->len))
			return NO_MEMORY;
		memset(head->data + head->len, 0, at + len - head->len);
		head->len = at + len;
	}
	memcpy(head->data + at, data, len);
	return 0;
}

int ue_parcel_put(struct ue_parcel *parcel, uint64_t at, struct base_str data)
{
	uint64_t max = parcel->inbox->octets_max ? parcel->inbox->octets_max : 1U << 30;
	size_t first = at < UE_PARCEL_HEAD ? BASE_MIN(data.len, UE_PARCEL_HEAD - (size_t)at) : 0;
	int rc = 0;

	if (!data.len)
		return 0;
	if (at > max || data.len > max - at)
		return BASE_ERR(BASE_PEER, EFBIG);
	if (first)
		rc = put_head(parcel, (size_t)at, data.ptr, first);
	if (!rc && first < data.len)
		rc = spill(parcel);
	if (!rc && first < data.len)
		rc = write_at(parcel->fd, data.ptr + first, data.len - first,
		              at + first - UE_PARCEL_HEAD);
	if (!rc)
		parcel->len = BASE_MAX(parcel->len, at + data.len);
	return rc;
}

/* ---- kept ---- */

/** The last part of a path, of harmless characters, not beginning with a dot or a
 * hyphen, which commands take for an option. */
static void safe_name(struct base_str name, char ret[NAME_MAX_ + 1])
{
	const char *slash = name.len ? memrchr(name.ptr, '/', name.len) : NULL;
	size_t n = 0, at = slash ? (size_t)(slash + 1 - name.ptr) : 0;

	for (; at < name.len && n < NAME_MAX_; at++) {
		char c = name.ptr[at];
		bool plain = (c >= '0' && c <= '9') ||
		             (base_lower(c) >= 'a' && base_lower(c) <= 'z') || c == '_' ||
		             ((c == '.' || c == '-') && n);

		if (plain)
			ret[n++] = c;
	}
	ret[n] = '\0';
	if (!n)
		(void)snprintf(ret, NAME_MAX_ + 1, "message");
}

static int create(const struct ue_inbox *inbox, struct base_str name, char *path, size_t cap,
                  struct base_error *err)
{
	char safe[NAME_MAX_ + 1];
	int fd = -1, why = 0;

	if (!inbox->folder)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "there is no folder for files; set 'inbox' of 'media'");
	safe_name(name, safe);
	for (unsigned i = 0; i < NAMES_MAX && fd < 0 && (i == 0 || why == EEXIST); i++) {
		int n = i ? snprintf(path, cap, "%s/%u-%s", inbox->folder, i, safe)
		          : snprintf(path, cap, "%s/%s", inbox->folder, safe);

		if (n < 0 || (size_t)n >= cap)
			return base_error_set(err, BASE_ERR(BASE_CONFIG, ENAMETOOLONG),
			                      "the path of folder '%s' is too long", inbox->folder);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		why = errno;
	}
	if (fd < 0)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, why), "%s: %s", path,
		                      strerror(why));
	return fd;
}

/** Hash and write one piece of the file. */
static int pass(struct ue_hash *hash, int fd, uint64_t *at, const char *data, size_t len)
{
	int rc = ue_hash_put(hash, data, len);

	if (!rc)
		rc = write_at(fd, data, len, *at);
	*at += len;
	return rc;
}

static int copy_rest(const struct ue_parcel *parcel, struct ue_hash *hash, int fd, uint64_t *at)
{
	uint64_t left = parcel->len - UE_PARCEL_HEAD, from = 0;
	char buf[16384];
	int rc = 0;

	while (left && !rc) {
		ssize_t n = pread(parcel->fd, buf, BASE_MIN(left, sizeof(buf)), (off_t)from);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return BASE_ERR(BASE_LOCAL, n < 0 ? errno : EIO);
		rc = pass(hash, fd, at, buf, (size_t)n);
		from += (uint64_t)n;
		left -= (uint64_t)n;
	}
	return rc;
}

static int copy(const struct ue_parcel *parcel, uint64_t from, int fd, char sha256[UE_SHA256_TEXT])
{
	struct base_str head = ue_parcel_head(parcel);
	struct ue_hash hash = { 0 };
	uint64_t at = 0;
	int rc = ue_hash_init(&hash);

	if (!rc && from < head.len)
		rc = pass(&hash, fd, &at, head.ptr + from, head.len - (size_t)from);
	if (!rc && parcel->len > UE_PARCEL_HEAD)
		rc = copy_rest(parcel, &hash, fd, &at);
	if (!rc)
		rc = ue_hash_text(&hash, sha256);
	ue_hash_done(&hash);
	return rc;
}

int ue_parcel_keep(struct ue_parcel *parcel, uint64_t from, struct base_str name, char *path,
                   size_t cap, char sha256[UE_SHA256_TEXT], struct base_error *err)
{
	int fd = create(parcel->inbox, name, path, cap, err), rc;

	if (fd < 0)
		return fd;
	rc = copy(parcel, from, fd, sha256);
	if (close(fd) != 0 && !rc)
		rc = BASE_ERR(BASE_LOCAL, errno);
	if (!rc)
		return 0;
	(void)unlink(path);
	return base_error_set(err, rc, "%s: %s", path, strerror((int)base_err_detail(rc)));
}
