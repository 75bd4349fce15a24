/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A description of the peer's: the first octet says whether it is an offer, a later one, or the
 * answer to ours. Whatever it is, the session fails as a whole or can be answered, and what is
 * answered is a description with as many streams.
 */
#include <stdlib.h>

#include "offer/offer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint64_t now = (uint64_t)(1800000000U + 2208988800U) << 32;

static struct mikey_id uri(const char *text)
{
	return (struct mikey_id){ MIKEY_URI, mikey_octets_text(text) };
}

static void wants(struct offer_media media[2], bool server)
{
	memset(media, 0, 2 * sizeof(*media));
	media[0].msrp.accept_types = BASE_STR("message/cpim text/plain");
	media[0].msrp.cema = true;
	media[1].app = OFFER_BFCP;
	media[1].bfcp.versions = OFFER_BFCP_1 | OFFER_BFCP_2;
	media[1].bfcp.server = server;
	media[1].bfcp.floor[0].id = 1;
	media[1].bfcp.floors = server;
}

static struct offer_session *session(const struct offer_party *party, const char *peer, bool server)
{
	const struct mikey_id id = uri(peer);
	struct offer_media media[2];
	struct offer_session *s = NULL;

	wants(media, server);
	if (offer_new(&s, party, &id, media, 2, NULL))
		abort();
	return s;
}

static void place(struct offer_session *s)
{
	for (size_t i = 0; i < offer_count(s); i++) {
		struct offer_stream st;

		offer_stream(s, i, &st);
		if (st.verdict != OFFER_REFUSED &&
		    offer_place(s, i, BASE_STR("192.0.2.1"), 4000,
		                BASE_STR("msrps://192.0.2.1:4000/s;tcp"), NULL))
			abort();
	}
}

static void write_it(struct offer_session *s, struct base_writer *out)
{
	struct base_arena arena = { 0 };
	struct sip_sdp sdp;
	size_t count = offer_count(s);

	place(s);
	base_writer_reset(out);
	if (offer_write(s, out, NULL))
		abort();
	if (sip_sdp_parse(&sdp, &arena, base_writer_view(out), NULL) || sdp.media_count != count)
		abort();
	base_arena_done(&arena);
}

static void take(struct offer_session *s, struct base_str text)
{
	bool answer = offer_state(s) == OFFER_OFFERED;
	struct base_writer out = { 0 };
	struct offer_stream st;
	int rc = offer_take(s, now, text, NULL);

	if ((rc < 0) != (offer_state(s) == OFFER_FAILED))
		abort();
	for (size_t i = 0; i < offer_count(s); i++) {
		offer_stream(s, i, &st);
		if (st.verdict == OFFER_AGREED && !rc && offer_state(s) != OFFER_ASKING && !st.psk)
			abort();
	}
	if (!rc && !answer && offer_state(s) == OFFER_TO_ANSWER)
		write_it(s, &out);
	base_writer_done(&out);
}

/* Both agree once, so that a later offer may come. */
static void agree(struct offer_session *a, struct offer_session *b)
{
	struct base_writer offer = { 0 }, answer = { 0 };

	if (offer_begin(a, now, NULL))
		abort();
	write_it(a, &offer);
	if (offer_take(b, now, base_writer_view(&offer), NULL))
		abort();
	write_it(b, &answer);
	if (offer_take(a, now, base_writer_view(&answer), NULL))
		abort();
	base_writer_done(&offer);
	base_writer_done(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct mikey_tpk tpk = { mikey_octets_text("tickets of alice"),
		                       uri("tickets of alice"), uri("sip:alice@example.com") };
	struct offer_party alice = { .id = uri("sip:alice@example.com"),
		                     .kms = uri("sip:kms.example.com"),
		                     .mode = 4,
		                     .tpk = tpk };
	struct offer_party room = { .id = uri("sip:room@example.com"),
		                    .kms = uri("sip:kms.example.com"),
		                    .user = uri("sip:mrfc@example.com"),
		                    .cred = { .psk = mikey_octets_text("a key") },
		                    .opens = &tpk,
		                    .open_count = 1 };
	struct offer_session *a, *b;
	struct base_writer offer = { 0 };

	if (!size)
		return 0;
	a = session(&alice, "sip:room@example.com", false);
	b = session(&room, "sip:alice@example.com", true);
	if (data[0] & 1) {
		agree(a, b);
		take(data[0] & 2 ? a : b, (struct base_str){ (const char *)data + 1, size - 1 });
	} else if (data[0] & 2) {
		if (offer_begin(a, now, NULL))
			abort();
		write_it(a, &offer);
		take(a, (struct base_str){ (const char *)data + 1, size - 1 });
	} else {
		take(b, (struct base_str){ (const char *)data + 1, size - 1 });
	}
	base_writer_done(&offer);
	offer_free(a);
	offer_free(b);
	return 0;
}
