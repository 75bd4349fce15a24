/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/sdp.h"

#include <sys/socket.h>

/* One description being read. */
struct reading {
	struct base_str rest;
	struct sip_sdp_line *lines;
	size_t count;
	unsigned line;
	struct base_error *err;
};

static int bad(struct reading *in, const char *text)
{
	int rc = base_error_set(in->err, BASE_ERR(BASE_PEER, 400), "%s", text);

	base_error_place(in->err, "SDP", in->line, 0);
	return rc;
}

/* The next line without its end; false at the end of the text. */
static bool line_next(struct reading *in, struct base_str *ret)
{
	const char *end;

	if (!in->rest.len)
		return false;
	in->line++;
	end = memchr(in->rest.ptr, '\n', in->rest.len);
	*ret = (struct base_str){ in->rest.ptr, end ? (size_t)(end - in->rest.ptr) : in->rest.len };
	in->rest.ptr += ret->len + (end != NULL);
	in->rest.len -= ret->len + (end != NULL);
	if (ret->len && ret->ptr[ret->len - 1] == '\r')
		ret->len--;
	return true;
}

/* All lines as type and value. */
static int lines(struct reading *in)
{
	struct base_str one;

	while (line_next(in, &one)) {
		if (!one.len && !base_str_trim(in->rest).len)
			return 0; /* empty lines at the end */
		if (one.len < 2 || one.ptr[1] != '=' || one.ptr[0] < 'a' || one.ptr[0] > 'z')
			return bad(in, "a line is no \"letter=value\" (RFC 8866, 5)");
		if (memchr(one.ptr, 0, one.len) || memchr(one.ptr, '\r', one.len))
			return bad(in, "a NUL or CR stands in a line (RFC 8866, 9: byte-string)");
		if (in->count == SIP_SDP_LINES_MAX)
			return bad(in, "too many lines");
		in->lines[in->count++] =
		        (struct sip_sdp_line){ one.ptr[0], { one.ptr + 2, one.len - 2 } };
	}
	return 0;
}

static struct base_str word(struct base_str *rest)
{
	const char *sp = rest->len ? memchr(rest->ptr, ' ', rest->len) : NULL;
	struct base_str one = { rest->ptr, sp ? (size_t)(sp - rest->ptr) : rest->len };

	rest->ptr += one.len + (sp != NULL);
	rest->len -= one.len + (sp != NULL);
	return one;
}

/* media SP port ["/" integer] SP proto 1*(SP fmt) (RFC 8866, 5.14) */
static bool media_line(struct base_str value, struct sip_sdp_media *ret)
{
	struct base_str port;
	const char *slash;
	uint64_t number, count = 1;

	ret->type = word(&value);
	port = word(&value);
	ret->proto = word(&value);
	ret->formats = value;
	slash = port.len ? memchr(port.ptr, '/', port.len) : NULL;
	if (slash) {
		struct base_str after = { slash + 1, port.len - (size_t)(slash - port.ptr) - 1 };

		if (base_str_u64(after, 65535, &count) || !count)
			return false;
		port.len = (size_t)(slash - port.ptr);
	}
	if (!ret->type.len || !ret->proto.len || !value.len || base_str_u64(port, 65535, &number))
		return false;
	ret->port = (uint16_t)number;
	ret->ports = (uint16_t)count;
	return true;
}

/* Each m= begins a description that goes to the next. */
static int sections(struct reading *in, struct base_arena *arena, struct sip_sdp *sdp)
{
	size_t count = 0;

	for (size_t i = 0; i < in->count; i++)
		count += in->lines[i].type == 'm';
	if (count > SIP_SDP_MEDIA_MAX)
		return bad(in, "too many media descriptions");
	sdp->media = base_arena_array(arena, count + 1, sizeof(*sdp->media));
	if (!sdp->media)
		return BASE_ERR(BASE_LOCAL, 500);
	for (size_t i = 0; i < in->count; i++) {
		struct sip_sdp_media *m = &sdp->media[sdp->media_count];

		in->line = (unsigned)i + 1;
		if (in->lines[i].type == 'm') {
			if (!media_line(in->lines[i].value, m))
				return bad(in, "m= is not \"media port proto format...\" (RFC "
				               "8866, 5.14)");
			m->lines = &in->lines[i + 1];
			sdp->media_count++;
		} else if (sdp->media_count) {
			m[-1].line_count++;
		} else if (i >= 2) {
			sdp->line_count++;
		}
	}
	return 0;
}

int sip_sdp_parse(struct sip_sdp *ret, struct base_arena *arena, struct base_str text,
                  struct base_error *err)
{
	struct reading in = { .rest = text, .err = err };
	struct sip_sdp sdp = { 0 };
	size_t count = 1;
	int rc;

	if (text.len > SIP_SDP_OCTETS_MAX)
		return bad(&in, "too long");
	for (size_t i = 0; i < text.len && count < SIP_SDP_LINES_MAX; i++)
		count += text.ptr[i] == '\n';
	in.lines = base_arena_array(arena, count, sizeof(*in.lines));
	if (!in.lines)
		return BASE_ERR(BASE_LOCAL, 500);
	rc = lines(&in);
	if (rc)
		return rc;
	in.line = 1;
	if (in.count < 2 || in.lines[0].type != 'v' ||
	    !base_str_eq(in.lines[0].value, BASE_STR("0")) || in.lines[1].type != 'o' ||
	    !in.lines[1].value.len)
		return bad(&in, "it does not begin with v=0 and o= (RFC 8866, 5.1 and 5.2)");
	sdp.origin = in.lines[1].value;
	sdp.lines = in.lines + 2;
	rc = sections(&in, arena, &sdp);
	if (!rc)
		*ret = sdp;
	return rc;
}

bool sip_sdp_attribute_next(const struct sip_sdp_line *lines, size_t count, size_t *index,
                            const char *name, struct base_str *ret)
{
	size_t len = strlen(name);

	while (*index < count) {
		const struct sip_sdp_line *line = &lines[(*index)++];
		struct base_str value = line->value;

		if (line->type != 'a' || value.len < len || memcmp(value.ptr, name, len) != 0 ||
		    (value.len > len && value.ptr[len] != ':'))
			continue;
		*ret = value.len > len
		               ? (struct base_str){ value.ptr + len + 1, value.len - len - 1 }
		               : (struct base_str){ value.ptr + len, 0 };
		return true;
	}
	return false;
}

bool sip_sdp_attribute(const struct sip_sdp *sdp, const struct sip_sdp_media *media,
                       const char *name, struct base_str *ret)
{
	size_t index = 0;

	if (media && sip_sdp_attribute_next(media->lines, media->line_count, &index, name, ret))
		return true;
	index = 0;
	return sip_sdp_attribute_next(sdp->lines, sdp->line_count, &index, name, ret);
}

/* nettype SP addrtype SP connection-address (RFC 8866, 5.7) */
static int address_of(const struct sip_sdp_line *lines, size_t count, struct base_str *ret)
{
	for (size_t i = 0; i < count; i++) {
		struct base_str rest = lines[i].value, family;

		if (lines[i].type != 'c')
			continue;
		if (!base_str_ieq(word(&rest), BASE_STR("IN")))
			return 0;
		family = word(&rest);
		*ret = word(&rest);
		if (!ret->len || rest.len)
			return 0;
		return base_str_ieq(family, BASE_STR("IP4"))   ? AF_INET
		       : base_str_ieq(family, BASE_STR("IP6")) ? AF_INET6
		                                               : 0;
	}
	return -1;
}

int sip_sdp_address(const struct sip_sdp *sdp, const struct sip_sdp_media *media,
                    struct base_str *ret)
{
	int family = media ? address_of(media->lines, media->line_count, ret) : -1;

	if (family < 0)
		family = address_of(sdp->lines, sdp->line_count, ret);
	return family < 0 ? 0 : family;
}
