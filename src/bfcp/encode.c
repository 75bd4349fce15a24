/* SPDX-License-Identifier: Apache-2.0 */
/* Messages written: RFC 8855, 5, in the order of its grammar. */
#include "bfcp/message.h"

/* The M bit is set for all that RFC 8855 defines, though nobody looks at it (5.2). */
static size_t open_attribute(struct base_writer *w, unsigned type)
{
	base_writer_u8(w, (uint8_t)(type << 1 | 1));
	base_writer_u8(w, 0);
	return w->len - 2;
}

/** Length, then padding. A group's parts are padded already. */
static void close_attribute(struct base_writer *w, size_t at)
{
	size_t len = w->len - at;

	if (w->failed)
		return;
	if (len > UINT8_MAX) {
		w->failed = true;
		return;
	}
	w->data[at + 1] = (uint8_t)len;
	base_writer_put(w, "\0\0\0", (4 - len % 4) % 4);
}

static void write_u16(struct base_writer *w, unsigned type, uint16_t v)
{
	size_t at = open_attribute(w, type);

	base_writer_u16(w, v);
	close_attribute(w, at);
}

static void write_text(struct base_writer *w, unsigned type, struct base_str text)
{
	size_t at;

	if (!text.len)
		return;
	at = open_attribute(w, type);
	base_writer_str(w, text);
	close_attribute(w, at);
}

static void write_priority(struct base_writer *w, bool has, uint8_t priority)
{
	if (has)
		write_u16(w, BFCP_PRIORITY, (uint16_t)(priority << 13));
}

static void write_user(struct base_writer *w, unsigned type, const struct bfcp_user_info *user)
{
	size_t at;

	if (!user->there)
		return;
	at = open_attribute(w, type);
	base_writer_u16(w, user->id);
	write_text(w, BFCP_USER_DISPLAY_NAME, user->name);
	write_text(w, BFCP_USER_URI, user->uri);
	close_attribute(w, at);
}

static void write_state(struct base_writer *w, unsigned type, uint16_t id,
                        const struct bfcp_state *state)
{
	size_t at = open_attribute(w, type);

	base_writer_u16(w, id);
	if (state->status)
		write_u16(w, BFCP_REQUEST_STATUS, (uint16_t)(state->status << 8 | state->queue));
	write_text(w, BFCP_STATUS_INFO, state->info);
	close_attribute(w, at);
}

static void write_info(struct base_writer *w, const struct bfcp_request_info *info)
{
	size_t at = open_attribute(w, BFCP_FLOOR_REQUEST_INFORMATION);

	base_writer_u16(w, info->id);
	if (info->has_overall)
		write_state(w, BFCP_OVERALL_REQUEST_STATUS, info->id, &info->overall);
	for (size_t i = 0; i < info->floors; i++)
		write_state(w, BFCP_FLOOR_REQUEST_STATUS_GROUP, info->floor[i].floor,
		            &info->floor[i].state);
	write_user(w, BFCP_BENEFICIARY_INFORMATION, &info->beneficiary);
	write_user(w, BFCP_REQUESTED_BY_INFORMATION, &info->requested_by);
	write_priority(w, info->has_priority, info->priority);
	write_text(w, BFCP_PARTICIPANT_PROVIDED_INFO, info->info);
	close_attribute(w, at);
}

static void write_error(struct base_writer *w, const struct bfcp_message *msg)
{
	size_t at;

	if (!msg->error)
		return;
	at = open_attribute(w, BFCP_ERROR_CODE);
	base_writer_u8(w, msg->error);
	base_writer_str(w, msg->error_details);
	close_attribute(w, at);
	write_text(w, BFCP_ERROR_INFO, msg->error_info);
}

static void write_attributes(struct base_writer *w, const struct bfcp_message *msg)
{
	for (size_t i = 0; i < msg->floors; i++)
		write_u16(w, BFCP_FLOOR_ID, msg->floor[i]);
	if (msg->has_request)
		write_u16(w, BFCP_FLOOR_REQUEST_ID, msg->request);
	if (msg->has_beneficiary)
		write_u16(w, BFCP_BENEFICIARY_ID, msg->beneficiary);
	write_text(w, BFCP_PARTICIPANT_PROVIDED_INFO, msg->info);
	write_priority(w, msg->has_priority, msg->priority);
	write_user(w, BFCP_BENEFICIARY_INFORMATION, &msg->about);
	for (size_t i = 0; i < msg->infos; i++)
		write_info(w, &msg->info_of[i]);
	if (msg->primitive == BFCP_HELLO_ACK) { /* also when they are empty */
		size_t at = open_attribute(w, BFCP_SUPPORTED_PRIMITIVES);

		base_writer_str(w, msg->primitives);
		close_attribute(w, at);
		at = open_attribute(w, BFCP_SUPPORTED_ATTRIBUTES);
		base_writer_str(w, msg->attributes);
		close_attribute(w, at);
	}
	write_error(w, msg);
}

int bfcp_encode(struct base_writer *w, const struct bfcp_message *msg)
{
	size_t start = w->len, len;
	bool was = w->failed;

	base_writer_u8(
	        w, (uint8_t)(msg->version << 5 | (msg->version == 2 && msg->response ? 0x10 : 0)));
	base_writer_u8(w, msg->primitive);
	base_writer_u16(w, 0);
	base_writer_u32(w, msg->conference);
	base_writer_u16(w, msg->transaction);
	base_writer_u16(w, msg->user);
	write_attributes(w, msg);
	len = (w->len - start - BFCP_HEADER_OCTETS) / 4;
	if (w->failed || len > UINT16_MAX) {
		w->len = start;
		w->failed = was;
		return BASE_ERR(BASE_BUG, 0);
	}
	w->data[start + 2] = (uint8_t)(len >> 8);
	w->data[start + 3] = (uint8_t)len;
	return 0;
}
