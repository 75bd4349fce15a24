/* SPDX-License-Identifier: Apache-2.0 */
/* Text of others through the binary form and back, and what becomes of it when it is cut. */
#include "check.h"
#include "h248/ber.h"
#include "h248/codec.h"
#include "h248/h248.h"
#include "shared.h"

/* SDP comes back with CR LF whatever it had: compare without. */
static void unify(struct base_str *s)
{
	char *out = malloc(s->len + 1);
	size_t len = 0;

	for (size_t i = 0; i < s->len; i++) {
		if (s->ptr[i] == '\r' && i + 1 < s->len && s->ptr[i + 1] == '\n')
			continue;
		out[len++] = s->ptr[i] == '\r' ? '\n' : s->ptr[i];
	}
	if (len)
		memcpy((char *)(uintptr_t)s->ptr, out, len);
	s->len = len;
	free(out);
}

static void unify_media(struct h248_descriptor *d)
{
	for (; d; d = d->next) {
		if (d->kind == H248_AUDIT)
			unify_media(((struct h248_audit *)d)->individual);
		if (d->kind != H248_MEDIA)
			continue;
		for (struct h248_stream *s = ((struct h248_media *)d)->streams; s; s = s->next) {
			unify(&s->local);
			unify(&s->remote);
		}
	}
}

static void unify_message(struct h248_message *msg)
{
	for (struct h248_transaction *t = msg->transactions; t; t = t->next)
		for (struct h248_action *a = t->actions; a; a = a->next)
			for (struct h248_command *c = a->commands; c; c = c->next)
				unify_media(c->descriptors);
}

/* The octets in memory of their exact size, so that reading past them shows. */
static uint8_t *exact(const struct base_writer *w)
{
	uint8_t *copy = malloc(w->len ? w->len : 1);

	memcpy(copy, w->data, w->len);
	return copy;
}

/* `false` of the examples is no Boolean of the grammar (on, off), which BER makes of it. */
static void mend(struct shared_file *file)
{
	for (size_t i = 0; i + 5 <= file->len; i++) {
		if (strncmp(file->text + i, "false", 5) == 0)
			memcpy(file->text + i, "off  ", 5);
	}
}

/* Text -> model -> BER -> model: the same model; BER -> model -> BER: the same octets. */
static void there_and_back(const struct shared_file *file)
{
	struct base_arena arena = { 0 };
	struct base_writer w = { 0 }, again = { 0 };
	struct h248_message *msg = NULL, *back = NULL;
	struct base_error err = { 0 };
	uint8_t *copy;
	int rc;

	if (h248_text_decode(&arena, file->text, file->len, NULL, &msg, &err))
		fail_msg("%s: %s", file->name, err.text);
	rc = h248_ber_encode(&w, msg);
	if (rc)
		fail_msg("%s: cannot be encoded: %d %u", file->name, base_err_class(rc),
		         base_err_detail(rc));
	copy = exact(&w);
	if (h248_ber_decode(&arena, copy, w.len, NULL, &back, &err))
		fail_msg("%s: %s", file->name, err.text);
	assert_int_equal(h248_ber_encode(&again, back), 0);
	if (again.len != w.len || memcmp(again.data, w.data, w.len) != 0)
		fail_msg("%s: other octets the second time", file->name);
	unify_message(msg);
	unify_message(back);
	if (!h248_message_equal(msg, back)) {
		base_writer_reset(&again);
		(void)h248_text_encode(&again, back, H248_TEXT_COMPACT);
		fail_msg("%s: not the same:\n%.*s\n%.*s", file->name, (int)file->len, file->text,
		         (int)again.len, (const char *)again.data);
	}
	free(copy);
	base_writer_done(&w);
	base_writer_done(&again);
	base_arena_done(&arena);
}

static void folder_there_and_back(const char *folder)
{
	struct shared_file *files = NULL;
	size_t count = shared_folder(folder, &files);

	if (!count)
		skip();
	for (size_t i = 0; i < count; i++) {
		mend(&files[i]);
		there_and_back(&files[i]);
	}
	shared_free(files, count);
}

static void examples_survive(void **state)
{
	(void)state;
	folder_there_and_back("spec/h248-examples");
}

static void live_traffic_survives(void **state)
{
	(void)state;
	folder_there_and_back("h248-live/accept");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples_survive),
		cmocka_unit_test(live_traffic_survives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
