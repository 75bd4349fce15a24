/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ipnapt, NAPT traversal (H.248.37). A listening TCP endpoint takes one connection and from then on
 * hears that peer alone, so it latches by nature. What the signal changes is the filter: with
 * LATCH, gm/saf without gm/sam (gm/spf without gm/spr) no longer means the address (port) in
 * Remote, which a NAT would have falsified; OFF is as before. A mask that is given holds in either
 * case (H.248.43, 6.6). It ends with the bearer. RELATCH would move a connection to another
 * address, which TCP cannot. An endpoint of datagrams sends to Remote, or with LATCH to whom the
 * first one comes from that passes the filter.
 */
#include "mg/pkg.h"

static const char *mode_of(const struct h248_signal *signal)
{
	static const char *const modes[] = { "OFF", "LATCH", "RELATCH" };
	const struct h248_parm *p = h248_parm_find(signal->parms, "", "napt");
	struct base_str v;

	for (size_t i = 0; p && h248_parm_text(p, &v) && i < BASE_COUNT(modes); i++)
		if (base_str_ieq(v, base_str_of(modes[i])))
			return modes[i];
	return NULL;
}

static int latch_check(struct mg_run *run, struct mg_plan *plan, const struct h248_signal *signal)
{
	const char *mode = mode_of(signal);

	(void)plan;
	if (!mode)
		return mg_fail(run, H248_E_NO_VALUE, "Signals ipnapt/latch: napt needs one value");
	if (!strcmp(mode, "RELATCH"))
		return mg_fail(run, H248_E_NOT_IMPLEMENTED,
		               "Signals ipnapt/latch: a TCP connection cannot move to another "
		               "address");
	return 0;
}

/* @return 0, or -1: it could not be ordered */
static int stream_latch(struct mg *mg, struct mg_stream *s, bool latch)
{
	bool before = s->latch;

	s->latch = latch;
	if (!s->leg || s->leg->state == MG_LEG_ENDED)
		return 0;
	if (!mg_leg_gate(mg, s->leg, s) && (!s->leg->udp || !mg_leg_aim(mg, s->leg, s, latch)))
		return 0;
	s->latch = before;
	return -1;
}

static int latch_start(struct mg *mg, struct mg_term *term, const struct h248_signal *signal)
{
	const char *mode = mode_of(signal);
	unsigned found = 0;
	int rc = 0;

	for (struct mg_stream *s = term->media ? term->media->streams : NULL; s; s = s->next) {
		if (signal->has_stream && signal->stream && signal->stream != s->id)
			continue;
		/* Who calls its Remote, or hears nobody else, has nobody to learn from. */
		if (s->leg && (s->leg->tcp_role == RELAY_TCP_CLIENT || s->leg->shared))
			continue;
		found++;
		rc |= stream_latch(mg, s, mode && !strcmp(mode, "LATCH"));
	}
	return found ? rc : -1;
}

static const struct mg_equipment_signal signals[] = {
	{ .name = "latch", .check = latch_check, .start = latch_start },
	{ 0 },
};
const struct mg_equipment mg_pkg_ipnapt = { .package = "ipnapt",
	                                    .on = MG_ON_TERM,
	                                    .signals = signals };
