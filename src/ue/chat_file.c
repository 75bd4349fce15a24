/* SPDX-License-Identifier: Apache-2.0 */
/* A file goes out: read as the peer takes it, hashed as it goes. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ue/chat_private.h"

#define STEP      16384U
#define NO_MEMORY BASE_ERR(BASE_LOCAL, 0)

struct going {
	struct base_node node;
	struct msrp_upload *upload;
	char id[17];
	int fd;
	uint64_t octets, left;
	struct ue_hash hash;
	char *to, *name;
};

#define GOING(ptr) BASE_CONTAINER_OF(ptr, struct going, node)

static void going_free(struct going *g)
{
	ue_hash_done(&g->hash);
	if (g->fd >= 0)
		(void)close(g->fd);
	free(g->to);
	free(g->name);
	free(g);
}

static void broken(struct ue_chat *chat, const struct going *g, const char *why)
{
	UE_TELL(chat->spec.events, "chat.broken", { "session", base_str_of(chat->spec.session) },
	        { "id", base_str_of(g->id) }, { "name", base_str_of(g->name) },
	        { "why", base_str_of(why) });
}

void ue_chat_files_drop(struct ue_chat *chat)
{
	struct base_node *node;

	while ((node = base_list_shift(&chat->files))) {
		broken(chat, GOING(node), "the session has ended");
		msrp_upload_end(GOING(node)->upload, '#');
		going_free(GOING(node));
	}
}

/** @return 0 when all that fits now is given, or an error with errno */
static int give(struct going *g)
{
	char buf[STEP];
	size_t room;
	ssize_t n;
	int rc = 0;

	while (!rc && g->left && (room = msrp_upload_room(g->upload)) != 0) {
		n = read(g->fd, buf, BASE_MIN(BASE_MIN(room, sizeof(buf)), g->left));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return BASE_ERR(BASE_CONFIG, n < 0 ? errno : ENODATA);
		g->left -= (uint64_t)n;
		rc = ue_hash_put(&g->hash, buf, (size_t)n);
		if (!rc)
			rc = msrp_upload_put(g->upload, (struct base_str){ buf, (size_t)n });
	}
	return rc;
}

static void finish(struct ue_chat *chat, struct going *g, int rc)
{
	char sha256[UE_SHA256_TEXT];

	if (!rc)
		rc = ue_hash_text(&g->hash, sha256);
	msrp_upload_end(g->upload, rc ? '#' : '$');
	if (!rc)
		ue_chat_sent(chat, g->id, g->to, g->octets, g->name, sha256);
	else if (base_err_class(rc) == BASE_PEER)
		broken(chat, g, "the peer has refused it");
	else
		broken(chat, g, strerror((int)base_err_detail(rc)));
	base_list_remove(&g->node);
	going_free(g);
}

void ue_chat_pump(struct ue_chat *chat)
{
	BASE_LIST_EACH(&chat->files, node, after)
	{
		struct going *g = GOING(node);
		int rc = give(g);

		if (rc || !g->left)
			finish(chat, g, rc);
	}
}

/* ---- the beginning ---- */

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/** The type with the name as its parameter, as MIME had it before Content-Disposition did.
 * What would need an escape is left out. */
static void put_type(struct base_writer *w, const char *type, const char *name)
{
	base_writer_printf(w, "%s;name=\"", type ? type : "application/octet-stream");
	for (; *name; name++)
		if ((unsigned char)*name >= ' ' && !strchr("\"\\\x7f", *name))
			base_writer_u8(w, (uint8_t)*name);
	base_writer_u8(w, '"');
}

static int file_open(struct going *g, const char *path, struct base_error *err)
{
	struct stat st;

	g->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (g->fd < 0 || fstat(g->fd, &st) != 0)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, errno), "%s: %s", path,
		                      strerror(errno));
	if (!S_ISREG(st.st_mode))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "%s: not a file", path);
	g->octets = g->left = (uint64_t)st.st_size;
	return 0;
}

static int upload(struct ue_chat *chat, struct going *g, const char *type, struct base_error *err)
{
	struct base_writer wrapper = { 0 };
	int rc = ue_chat_wrap(chat, g->to, type, &wrapper, err);
	struct msrp_upload_spec spec = { .content_type = ue_chat_type(chat, type),
		                         .total_known = true,
		                         .total = wrapper.len + g->octets,
		                         .success = true };

	if (!rc) {
		rc = msrp_upload_new(chat->client, &spec, g->id, &g->upload);
		if (!rc && wrapper.len)
			rc = msrp_upload_put(g->upload, base_writer_view(&wrapper));
		if (rc)
			(void)base_error_set(err, rc, "out of memory");
	}
	base_writer_done(&wrapper);
	return rc;
}

static int begin(struct ue_chat *chat, struct going *g, const char *to, const char *path,
                 const char *type, struct base_error *err)
{
	struct base_writer full = { 0 };
	int rc;

	if (type && strpbrk(type, "\r\n"))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "a type has no line breaks");
	g->name = strdup(name_of(path));
	g->to = to ? strdup(to) : NULL;
	put_type(&full, type, name_of(path));
	if (!g->name || (to && !g->to) || !base_writer_cstr(&full)[0] || ue_hash_init(&g->hash))
		rc = base_error_set(err, NO_MEMORY, "out of memory");
	else
		rc = file_open(g, path, err);
	if (!rc)
		rc = upload(chat, g, base_writer_cstr(&full), err);
	base_writer_done(&full);
	return rc;
}

int ue_chat_file(struct ue_chat *chat, const char *to, const char *path, const char *type,
                 struct base_error *err)
{
	struct going *g = calloc(1, sizeof(*g));
	int rc;

	if (!g)
		return base_error_set(err, NO_MEMORY, "out of memory");
	g->fd = -1;
	rc = begin(chat, g, to, path, type, err);
	if (rc) {
		if (g->upload)
			msrp_upload_end(g->upload, '#');
		going_free(g);
		return rc;
	}
	base_list_append(&chat->files, &g->node);
	chat->spec.wake(chat->spec.arg);
	return 0;
}
