/* SPDX-License-Identifier: Apache-2.0 */
/* Media, Statistics and the small descriptors. */
#include "h248/ber_names.h"
#include "h248/ber_out.h"
#include "h248/ber_private.h"

/* ---- statistics ---- */

void ber_put_statistics(struct ber_out *o, unsigned tag, const struct h248_statistics *sa)
{
	size_t at = ber_begin(o, tag);

	for (const struct h248_parm *parm = sa->parms; parm; parm = parm->next) {
		size_t one = ber_begin(o, TAG_SEQUENCE);
		const struct h248_package_item *item =
		        ber_put_pkgd(o, TAG(0), H248_STATISTIC, parm->name);

		if (parm->form != H248_FORM_NONE)
			ber_put_values(o, BOX(1), item ? &item->values : NULL, &parm->value);
		ber_close(o, one);
	}
	ber_close(o, at);
}

/* IndAudStatisticsDescriptor: one name. */
static void put_statistic_audit(struct ber_out *o, unsigned tag, struct h248_name name)
{
	size_t at = ber_begin(o, tag);

	(void)ber_put_pkgd(o, TAG(0), H248_STATISTIC, name); /* no value here */
	ber_close(o, at);
}

/* ---- LocalControl, TerminationState ---- */

static void put_control(struct ber_out *o, const struct h248_local_control *c)
{
	size_t at = ber_begin(o, BOX(0));

	ber_put_uint_if(o, c->mode, TAG(0), c->mode - 1U);
	ber_put_bool_if(o, c->reserved_value, TAG(1), c->reserved_value == H248_ON);
	ber_put_bool_if(o, c->reserved_group, TAG(2), c->reserved_group == H248_ON);
	ber_put_properties(o, BOX(3), c->parms);
	ber_close(o, at);
}

static void put_state(struct ber_out *o, const struct h248_term_state *ts)
{
	size_t at = ber_begin(o, BOX(0));

	ber_put_properties(o, BOX(0), ts->parms);
	ber_put_uint_if(o, ts->buffer, TAG(1), ts->buffer - 1U);
	ber_put_uint_if(o, ts->service_state, TAG(2), ts->service_state - 1U);
	ber_close(o, at);
}

/* `Mode#Inactive`: the binary form has no such condition but for equality (P). */
static void put_relation(struct ber_out *o, uint8_t form)
{
	ber_put_uint_if(o, form >= H248_FORM_GREATER && form <= H248_FORM_UNEQUAL, OUR_TAG(0),
	                (uint32_t)(form - H248_FORM_GREATER));
}

static void put_control_audit(struct ber_out *o, const struct h248_local_control *c)
{
	size_t at = ber_begin(o, BOX(0));

	ber_put_null_if(o, c->asked & H248_ASK_MODE, TAG(0));
	ber_put_null_if(o, c->asked & H248_ASK_RESERVED_VALUE, TAG(1));
	ber_put_null_if(o, c->asked & H248_ASK_RESERVED_GROUP, TAG(2));
	if (c->parms)
		ber_put_asked(o, BOX(3), c->parms);
	if (c->mode) {
		ber_put_uint(o, TAG(4), c->mode - 1U);
		put_relation(o, c->mode_form);
	}
	ber_close(o, at);
}

static void put_state_audit(struct ber_out *o, const struct h248_term_state *ts)
{
	size_t at = ber_begin(o, BOX(0));

	ber_put_asked(o, BOX(0), ts->parms);
	ber_put_null_if(o, ts->asked & H248_ASK_BUFFER, TAG(1));
	ber_put_null_if(o, ts->asked & H248_ASK_SERVICE_STATES, TAG(2));
	if (ts->service_state) {
		ber_put_uint(o, TAG(3), ts->service_state - 1U);
		put_relation(o, ts->state_form);
	}
	ber_close(o, at);
}

/* ---- media ---- */

/* StreamParms or IndAudStreamParms. */
static void put_stream_parms(struct ber_out *o, unsigned tag, const struct h248_stream *s,
                             bool audit)
{
	size_t at = ber_begin(o, tag);

	if (s->control && audit)
		put_control_audit(o, s->control);
	else if (s->control)
		put_control(o, s->control);
	if (s->has_local)
		ber_put_sdp(o, BOX(1), s->local, audit);
	if (s->has_remote)
		ber_put_sdp(o, BOX(2), s->remote, audit);
	if (s->statistics && audit) {
		if (!s->statistics->parms || s->statistics->parms->next)
			o->bad = true;
		else
			put_statistic_audit(o, BOX(3), s->statistics->parms->name);
	} else if (s->statistics)
		ber_put_statistics(o, BOX(3), s->statistics);
	ber_put_extensions(o, s->extensions);
	ber_close(o, at);
}

static void put_streams(struct ber_out *o, const struct h248_stream *s, bool audit)
{
	size_t at = ber_begin(o, BOX(1)), list;

	if (s->implied) {
		put_stream_parms(o, BOX(0), s, audit);
		ber_close(o, at);
		return;
	}
	list = ber_begin(o, BOX(1));
	for (; s; s = s->next) {
		size_t one = ber_begin(o, TAG_SEQUENCE);

		ber_put_uint(o, TAG(0), s->id);
		put_stream_parms(o, BOX(1), s, audit);
		ber_close(o, one);
	}
	ber_close2(o, list, at);
}

void ber_put_media(struct ber_out *o, unsigned tag, const struct h248_media *m, bool audit)
{
	size_t at = ber_begin(o, tag);

	if (m->state && audit)
		put_state_audit(o, m->state);
	else if (m->state)
		put_state(o, m->state);
	if (m->streams)
		put_streams(o, m->streams, audit);
	ber_close(o, at);
}

/* ---- the small ones ---- */

void ber_put_error(struct ber_out *o, unsigned tag, const struct h248_error *error)
{
	size_t at = ber_begin(o, tag);

	ber_put_uint(o, TAG(0), error->code);
	if (error->has_text)
		ber_put_str(o, TAG(1), error->text);
	ber_close(o, at);
}

/* Modem is closed, so what it cannot hold travels as nonStandardData of ours (P). */
static void put_modem_data(struct ber_out *o, const struct h248_modem *md)
{
	size_t at = ber_begin(o, BOX(2)), id = ber_begin(o, BOX(0)), data;
	uint8_t list = md->list;

	ber_put_str(o, TAG(2), BASE_STR(BER_EXPERIMENTAL));
	ber_close(o, id);
	data = ber_begin(o, TAG(1));
	ber_put_raw(o, &list, 1);
	for (const struct h248_value *v = md->extensions; v; v = v->next) {
		uint8_t len = (uint8_t)v->text.len;

		if (v->text.len == 0 || v->text.len > 8)
			o->bad = true;
		ber_put_raw(o, &len, 1);
		ber_put_raw(o, v->text.ptr, len);
	}
	ber_close2(o, data, at);
}

void ber_put_modem(struct ber_out *o, unsigned tag, const struct h248_modem *md)
{
	size_t at = ber_begin(o, tag), list = ber_begin(o, BOX(0));
	unsigned count = 0;

	for (unsigned type = 0; type <= 8; type++) {
		if (md->types & 1U << type) {
			ber_put_uint(o, TAG_ENUM, type);
			count++;
		}
	}
	ber_close(o, list);
	ber_put_properties(o, BOX(1), md->parms);
	if (md->extensions || md->list != (count != 1))
		put_modem_data(o, md);
	ber_close(o, at);
}

/* Number of an enumeration's value `X-5`; other names travel beside BER_OURS_ENUM. */
static bool number_of_extension(struct base_str name, uint32_t *ret)
{
	uint64_t v = 0;

	if (name.len < 3 || (name.ptr[0] | 0x20) != 'x' || name.ptr[1] != '-' ||
	    (name.ptr[2] == '0' && name.len > 3) ||
	    base_str_u64((struct base_str){ name.ptr + 2, name.len - 2 }, 65535, &v))
		return false;
	*ret = (uint32_t)v;
	return true;
}

void ber_put_mux(struct ber_out *o, unsigned tag, const struct h248_mux *mx)
{
	size_t at = ber_begin(o, tag), list;
	bool named = mx->type == H248_MUX_EXTENSION;
	uint32_t type = mx->type - 1U;

	if (named)
		type = BER_OURS_ENUM;
	if (named && number_of_extension(mx->extension, &type) && type > 4)
		named = false;
	ber_put_uint(o, TAG(0), named ? BER_OURS_ENUM : type);
	list = ber_begin(o, BOX(1));
	for (const struct h248_term *term = mx->terms; term; term = term->next)
		ber_put_term(o, TAG_SEQUENCE, term);
	ber_close(o, list);
	if (named)
		ber_put_str(o, OUR_TAG(BER_OURS_TEXT), mx->extension);
	ber_close(o, at);
}

void ber_put_digit_map_value(struct ber_out *o, unsigned tag, const struct h248_digit_map *dm)
{
	size_t at = ber_begin(o, tag);

	ber_put_uint_if(o, dm->has_t, TAG(0), dm->t);
	ber_put_uint_if(o, dm->has_s, TAG(1), dm->s);
	ber_put_uint_if(o, dm->has_l, TAG(2), dm->l);
	ber_put_str(o, TAG(3), dm->body);
	ber_put_uint_if(o, dm->has_z, TAG(4), dm->z);
	ber_close(o, at);
}

void ber_put_digit_map(struct ber_out *o, unsigned tag, const struct h248_digit_map *dm)
{
	size_t at = ber_begin(o, tag);

	if (dm->name.len)
		ber_put_digit_map_name(o, TAG(0), dm->name);
	if (dm->body.len)
		ber_put_digit_map_value(o, BOX(1), dm);
	ber_close(o, at);
}

void ber_put_package_item(struct ber_out *o, unsigned tag, const struct h248_packages_item *item)
{
	size_t at = ber_begin(o, tag);

	ber_put_package(o, TAG(0), item->name);
	ber_put_uint(o, TAG(1), item->version);
	ber_close(o, at);
}

void ber_put_packages(struct ber_out *o, unsigned tag, const struct h248_packages *pg)
{
	size_t at = ber_begin(o, tag);

	for (const struct h248_packages_item *item = pg->items; item; item = item->next)
		ber_put_package_item(o, TAG_SEQUENCE, item);
	ber_close(o, at);
}

/* ---- audit ---- */

static void put_digit_map_audit(struct ber_out *o, const struct h248_digit_map *dm)
{
	size_t at = ber_begin(o, BOX(4));

	if (dm->name.len)
		ber_put_digit_map_name(o, TAG(0), dm->name);
	ber_close(o, at);
}

static void put_event_audit(struct ber_out *o, const struct h248_events *ev,
                            const struct h248_event *e)
{
	size_t at = ber_begin(o, BOX(1));

	ber_put_uint_if(o, ev->has_request_id, TAG(0), ev->request_id);
	(void)ber_put_pkgd(o, TAG(1), H248_EVENT, e->name); /* no parameters here */
	ber_put_uint_if(o, e->has_stream, TAG(2), e->stream);
	ber_close(o, at);
}

static void put_event_spec_audit(struct ber_out *o, const struct h248_event *e)
{
	size_t at = ber_begin(o, BOX(2)), list;

	(void)ber_put_pkgd(o, TAG(0), H248_EVENT, e->name); /* no values here */
	ber_put_uint_if(o, e->has_stream, TAG(1), e->stream);
	if (e->parms) { /* only text can name a parameter (P) */
		list = ber_begin(o, OUR_BOX(0));
		for (const struct h248_parm *parm = e->parms; parm; parm = parm->next)
			ber_put_str(o, TAG_IA5, parm->name.item);
		ber_close(o, list);
	}
	ber_close(o, at);
}

static void put_signal_audit(struct ber_out *o, unsigned tag, const struct h248_signal *s)
{
	size_t at = ber_begin(o, tag);

	(void)ber_put_pkgd(o, TAG(0), H248_SIGNAL, s->name); /* no parameters here */
	ber_put_uint_if(o, s->has_stream, TAG(1), s->stream);
	ber_put_uint_if(o, s->has_request_id, TAG(2), s->request_id);
	ber_close(o, at);
}

static void put_signals_audit(struct ber_out *o, const struct h248_signals *sg)
{
	size_t at = ber_begin(o, BOX(3)), list;
	const struct h248_signal *s = sg->signals;

	if (!s) {
		ber_put_null(o, OUR_TAG(0));
	} else if (s->next) {
		o->bad = true;
	} else if (!s->is_list) {
		put_signal_audit(o, BOX(0), s);
	} else {
		list = ber_begin(o, BOX(1));
		ber_put_uint(o, TAG(0), s->list_id);
		if (s->list)
			put_signal_audit(o, BOX(1), s->list);
		ber_close(o, list);
	}
	ber_close(o, at);
}

/* The binary form has one item each; what text put into one list is split. */
static void put_individual(struct ber_out *o, const struct h248_descriptor *d)
{
	const struct h248_events *ev = (const struct h248_events *)d;
	const struct h248_event_buffer *eb = (const struct h248_event_buffer *)d;
	const struct h248_statistics *sa = (const struct h248_statistics *)d;
	const struct h248_packages *pg = (const struct h248_packages *)d;

	switch (d->kind) {
	case H248_MEDIA:
		ber_put_media(o, BOX(0), (const struct h248_media *)d, true);
		break;
	case H248_EVENTS:
		for (const struct h248_event *e = ev->events; e; e = e->next)
			put_event_audit(o, ev, e);
		break;
	case H248_EVENT_BUFFER:
		for (const struct h248_event *e = eb->events; e; e = e->next)
			put_event_spec_audit(o, e);
		break;
	case H248_SIGNALS:
		put_signals_audit(o, (const struct h248_signals *)d);
		break;
	case H248_DIGIT_MAP:
		put_digit_map_audit(o, (const struct h248_digit_map *)d);
		break;
	case H248_STATISTICS:
		for (const struct h248_parm *parm = sa->parms; parm; parm = parm->next)
			put_statistic_audit(o, BOX(5), parm->name);
		break;
	case H248_PACKAGES:
		for (const struct h248_packages_item *item = pg->items; item; item = item->next)
			ber_put_package_item(o, BOX(6), item);
		break;
	default:
		o->bad = true;
	}
}

static void put_individuals(struct ber_out *o, const struct h248_descriptor *d)
{
	size_t at = ber_begin(o, BOX(1));

	for (; d; d = d->next)
		put_individual(o, d);
	ber_close(o, at);
}

void ber_put_audit(struct ber_out *o, unsigned tag, const struct h248_audit *audit)
{
	size_t at = ber_begin(o, tag);

	if (audit->items)
		ber_put_bits(o, TAG(0), audit->items);
	if (audit->individual)
		put_individuals(o, audit->individual);
	ber_close(o, at);
}
