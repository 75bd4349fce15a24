/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

static const struct kms_rule rules[] = {
	{ .from = "sip:*@example.com", .to = "sip:enemy@example.com", .deny = true },
	{ .from = "sip:*@example.com", .to = "sip:*@example.com" },
};
static const char *const members[] = { "sip:mrfc@example.com" };
static const struct kms_group groups[] = {
	{ .name = "sip:room@example.com", .members = members, .count = 1 },
};
static const struct kms_config config = { .identity = "sip:kms.example.com",
	                                  .rules = rules,
	                                  .rule_count = BASE_COUNT(rules),
	                                  .groups = groups,
	                                  .group_count = BASE_COUNT(groups) };
static const uint8_t master[KMS_MASTER_KEY] = "master";
/* The room answers as the controller that is in it. */
static const struct offer_alias aliases[] = { { "sip:room@example.com", "sip:mrfc@example.com" } };

#define TYPES "message/cpim text/plain"

const struct offer_media stage_user[2] = {
	{ .app = OFFER_MSRP,
	  .setup = OFFER_ACTPASS,
	  .label = { "10", 2 },
	  .msrp = { .accept_types = { TYPES, sizeof(TYPES) - 1 },
	            .wrapped_types = { "*", 1 },
	            .cema = true,
	            .max_size = 1048576 } },
	{ .app = OFFER_BFCP,
	  .setup = OFFER_ACTPASS,
	  .bfcp = { .versions = OFFER_BFCP_1 | OFFER_BFCP_2 } },
};
const struct offer_media stage_room[2] = {
	{ .app = OFFER_MSRP,
	  .setup = OFFER_PASSIVE,
	  .label = { "10", 2 },
	  .msrp = { .accept_types = { TYPES, sizeof(TYPES) - 1 },
	            .has_chatroom = true,
	            .chatroom = { "nickname private-messages", 25 },
	            .cema = true } },
	{ .app = OFFER_BFCP,
	  .setup = OFFER_PASSIVE,
	  .bfcp = { .server = true,
	            .versions = OFFER_BFCP_1,
	            .conference = 4000000000,
	            .user = 7,
	            .floor = { { 1, { "10", 2 } }, { 2, { "10 11", 5 } } },
	            .floors = 2 } },
};

struct mikey_id stage_uri(const char *text)
{
	return (struct mikey_id){ MIKEY_URI, mikey_octets_text(text) };
}

static void enroll(struct stage *s, const char *name, const char *tpk)
{
	struct kms_user user = { .id = stage_uri(name),
		                 .psk = mikey_octets_text(name),
		                 .psk_id = { MIKEY_BYTE_STRING, mikey_octets_text(name) },
		                 .tpk = mikey_octets_text(tpk),
		                 .tpk_id = stage_uri(tpk ? tpk : "") };

	assert_int_equal(kms_store_user_put(s->store, &user, &s->err), 0);
}

static struct offer_party party(const char *id, const char *user, unsigned mode)
{
	return (struct offer_party){
		.id = stage_uri(id),
		.user = stage_uri(user ? user : ""),
		.kms = stage_uri(config.identity),
		.cred = { .psk = mikey_octets_text(user ? user : id),
		          .psk_id = { MIKEY_BYTE_STRING, mikey_octets_text(user ? user : id) } },
		.mode = mode,
		.aliases = aliases,
		.alias_count = 1,
	};
}

/* Nobody asks a KMS in mode 4. */
static void kms_open(struct stage *s)
{
	folder_make(&s->folder);
	assert_int_equal(kms_store_open(&s->store, s->folder.store, master, &s->err), 0);
	assert_int_equal(kms_new(&s->kms, &config, s->store, &s->err), 0);
	enroll(s, "sip:alice@example.com", "tickets of alice");
	enroll(s, "sip:room@example.com", "tickets of the room");
	enroll(s, "sip:mrfc@example.com", NULL);
	enroll(s, "sip:mallory@example.com", NULL);
}

void stage_open(struct stage *s, unsigned mode)
{
	*s = (struct stage){ .now = mikey_ntp(STAGE_S, 0) };
	if (mode != 4)
		kms_open(s);
	s->alice = party("sip:alice@example.com", NULL, mode);
	s->room = party("sip:room@example.com", "sip:mrfc@example.com", 0);
	s->alice.tpk = (struct mikey_tpk){ mikey_octets_text("tickets of alice"),
		                           stage_uri("tickets of alice"), s->alice.id };
	s->alices[0] = s->alice.tpk;
	s->room.opens = s->alices;
	s->room.open_count = mode == 4;
	s->replay = mikey_replay_new(100);
	assert_non_null(s->replay);
	s->room.replay = s->replay;
}

void stage_close(struct stage *s)
{
	offer_free(s->caller);
	offer_free(s->called);
	base_writer_done(&s->offer);
	base_writer_done(&s->answer);
	mikey_replay_free(s->replay);
	if (!s->kms)
		return;
	kms_free(s->kms);
	kms_store_close(s->store);
	folder_remove(&s->folder);
}

void stage_sessions(struct stage *s, const struct offer_media *calls,
                    const struct offer_media *is_called, size_t count)
{
	offer_free(s->caller);
	offer_free(s->called);
	s->caller = s->called = NULL;
	assert_int_equal(offer_new(&s->caller, &s->alice, &s->room.id, calls, count, &s->err), 0);
	assert_int_equal(offer_new(&s->called, &s->room, &s->alice.id, is_called, count, &s->err),
	                 0);
}

int stage_kms(struct stage *s, struct offer_session *session)
{
	struct base_writer answer = { 0 };
	struct kms_outcome outcome;
	struct offer_question q;
	int rc = 0;

	while (!rc && offer_question(session, &q)) {
		base_writer_reset(&answer);
		s->asked++;
		assert_int_equal(kms_answer(s->kms, STAGE_S, 0,
		                            q.resolve ? KMS_RESOLVE : KMS_REQUEST, q.octets,
		                            &answer, &outcome),
		                 0);
		rc = offer_told(session, s->now, q.stream, mikey_octets_of(answer.data, answer.len),
		                &s->err);
	}
	base_writer_done(&answer);
	return rc;
}

void stage_place(struct offer_session *session, unsigned n)
{
	char address[32], path[64];

	for (size_t i = 0; i < offer_count(session); i++) {
		struct offer_stream st = stage_stream(session, i);

		if (st.verdict == OFFER_REFUSED)
			continue;
		(void)snprintf(address, sizeof(address), "192.0.2.%u", n);
		(void)snprintf(path, sizeof(path), "msrps://%s:%zu/s%u;tcp", address, 4000 + i, n);
		assert_int_equal(
		        offer_place(session, i, base_str_of(address), (uint16_t)(4000 + i),
		                    st.app == OFFER_MSRP ? base_str_of(path) : base_str_of(NULL),
		                    NULL),
		        0);
	}
}

int stage_offer(struct stage *s)
{
	int rc = offer_begin(s->caller, s->now, &s->err);

	if (!rc)
		rc = stage_kms(s, s->caller);
	if (rc)
		return rc;
	stage_place(s->caller, 1);
	base_writer_reset(&s->offer);
	return offer_write(s->caller, &s->offer, &s->err);
}

int stage_answer(struct stage *s)
{
	int rc = offer_take(s->called, s->now, stage_text(&s->offer), &s->err);

	if (!rc)
		rc = stage_kms(s, s->called);
	if (rc)
		return rc;
	stage_place(s->called, 2);
	base_writer_reset(&s->answer);
	return offer_write(s->called, &s->answer, &s->err);
}

int stage_taken(struct stage *s)
{
	return offer_take(s->caller, s->now, stage_text(&s->answer), &s->err);
}

int stage_play(struct stage *s)
{
	int rc = stage_offer(s);

	if (!rc)
		rc = stage_answer(s);
	return rc ? rc : stage_taken(s);
}

struct base_str stage_text(const struct base_writer *w)
{
	return base_writer_view(w);
}

void stage_edit(struct base_writer *w, const char *from, const char *to)
{
	const char *all = base_writer_cstr(w), *at = strstr(all, from);
	struct base_writer out = { 0 };

	if (!at)
		fail_msg("no %s in\n%s", from, all);
	base_writer_put(&out, all, (size_t)(at - all));
	base_writer_text(&out, to);
	base_writer_text(&out, at + strlen(from));
	base_writer_done(w);
	*w = out;
}

struct offer_stream stage_stream(const struct offer_session *session, size_t stream)
{
	struct offer_stream st;

	offer_stream(session, stream, &st);
	return st;
}
