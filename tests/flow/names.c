/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

static void put_name(struct base_writer *w, const char *name)
{
	while (*name) {
		size_t len = strcspn(name, ".");

		base_writer_u8(w, (uint8_t)len);
		base_writer_put(w, name, len);
		name += len + (name[len] == '.');
	}
	base_writer_u8(w, 0);
}

static void put_text(struct base_writer *w, const char *text)
{
	base_writer_u8(w, (uint8_t)strlen(text));
	base_writer_text(w, text);
}

static void put_data(struct base_writer *w, const struct record *r)
{
	uint8_t ip[16];

	switch (r->type) {
	case TYPE_A:
	case TYPE_AAAA:
		assert_int_equal(inet_pton(r->type == TYPE_A ? AF_INET : AF_INET6, r->target, ip),
		                 1);
		base_writer_put(w, ip, r->type == TYPE_A ? 4 : 16);
		break;
	case TYPE_SRV:
		base_writer_u16(w, (uint16_t)r->a);
		base_writer_u16(w, (uint16_t)r->b);
		base_writer_u16(w, (uint16_t)r->c);
		put_name(w, r->target);
		break;
	default:
		base_writer_u16(w, (uint16_t)r->a);
		base_writer_u16(w, (uint16_t)r->b);
		put_text(w, "s");
		put_text(w, r->service);
		put_text(w, "");
		put_name(w, r->target);
	}
}

static void put_record(struct base_writer *w, const struct record *r)
{
	struct base_writer data = { 0 };

	put_name(w, r->name);
	base_writer_u16(w, (uint16_t)r->type);
	base_writer_u16(w, 1);
	base_writer_u32(w, 60);
	put_data(&data, r);
	base_writer_u16(w, (uint16_t)data.len);
	base_writer_put(w, data.data, data.len);
	base_writer_done(&data);
}

/* @return its type; the name as text */
static int read_question(struct base_reader *in, char *name, size_t cap)
{
	size_t at = 0;
	uint8_t len;

	while ((len = base_reader_u8(in)) != 0 && !in->failed) {
		const uint8_t *label = base_reader_take(in, len);

		assert_non_null(label);
		at += (size_t)snprintf(name + at, cap - at, "%s%.*s", at ? "." : "", len, label);
	}
	return base_reader_u16(in);
}

static void answer(struct names *n, const uint8_t *question, size_t len, struct base_writer *w)
{
	struct base_reader in = base_reader_of(question, len);
	struct base_writer records = { 0 };
	char name[256] = "";
	uint16_t id = base_reader_u16(&in), count = 0;
	size_t whole;
	bool known = false;
	int type;

	(void)base_reader_take(&in, 10);
	type = read_question(&in, name, sizeof(name));
	(void)base_reader_u16(&in);
	whole = (size_t)(in.at - question);
	for (const struct record *r = n->records; r->name; r++) {
		bool same = base_str_ieq(base_str_of(r->name), base_str_of(name));

		known = known || same;
		if (same && r->type == type) {
			put_record(&records, r);
			count++;
		}
	}
	base_writer_u16(w, id);
	base_writer_u16(w, (uint16_t)(0x8180 | (known ? 0 : 3) | (n->truncated ? 0x200 : 0)));
	base_writer_u16(w, 1);
	base_writer_u16(w, count);
	base_writer_u32(w, 0);
	base_writer_put(w, question + 12, whole - 12);
	base_writer_put(w, records.data, records.len);
	base_writer_done(&records);
}

static void on_event(void *arg, unsigned events)
{
	struct names *n = arg;
	uint8_t question[512];
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	ssize_t got;

	(void)events;
	while ((got = recvfrom(n->w.fd, question, sizeof(question), 0, (struct sockaddr *)&from,
	                       &len)) > 0) {
		struct base_writer w = { 0 };

		n->asked++;
		if (!n->silent) {
			answer(n, question, (size_t)got, &w);
			sendto(n->w.fd, w.data, w.len, 0, (struct sockaddr *)&from, len);
		}
		base_writer_done(&w);
		len = sizeof(from);
	}
}

void names_open(struct names *n, struct loop *loop, const struct record *records)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);

	memset(n, 0, sizeof(*n));
	n->loop = loop;
	n->records = records;
	n->w.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(n->w.fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(n->w.fd, (struct sockaddr *)&at, &len), 0);
	snprintf(n->at, sizeof(n->at), "127.0.0.1:%u", ntohs(at.sin_port));
	n->w.fn = on_event;
	n->w.arg = n;
	assert_int_equal(loop_fd_start(loop, &n->w), 0);
}

void names_close(struct names *n)
{
	loop_fd_close(n->loop, &n->w);
}
