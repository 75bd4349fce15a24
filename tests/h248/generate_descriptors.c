/* SPDX-License-Identifier: Apache-2.0 */
#include "generate_parts.h"

static struct h248_parm *bare_names(struct generator *g, enum h248_package_kind kind, unsigned most,
                                    bool wild)
{
	struct h248_parm *list = NULL, **tail = &list;
	const struct h248_package_item *item;

	for (unsigned n = 1 + gen_pick(g, most); n; n--) {
		struct h248_parm *parm = GEN_NEW(g, struct h248_parm);
		bool twice = false;

		parm->name = gen_pkgd(g, kind, wild, &item);
		for (const struct h248_parm *p = list; p; p = p->next)
			twice = twice || h248_name_equal(p->name, parm->name);
		if (!twice)
			GEN_APPEND(tail, parm);
	}
	return list;
}

/* ---- Media ------------------------------------------------------------------------------- */

static struct h248_term_state *term_state(struct generator *g)
{
	struct h248_term_state *ts = GEN_NEW(g, struct h248_term_state);

	gen_mark(g, GEN_TERM_STATE);
	if (gen_maybe(g, 50, GEN_STATE_SERVICE))
		ts->service_state = (uint8_t)(H248_STATE_TEST + gen_pick(g, 3));
	if (gen_maybe(g, 40, GEN_STATE_BUFFER))
		ts->buffer = (uint8_t)(H248_BUFFER_OFF + gen_pick(g, 2));
	if ((!ts->service_state && !ts->buffer) || gen_chance(g, 30)) {
		gen_mark(g, GEN_STATE_PARM);
		ts->parms = gen_properties(g, 2, 0);
	}
	return ts;
}

static struct h248_local_control *local_control(struct generator *g)
{
	struct h248_local_control *o = GEN_NEW(g, struct h248_local_control);

	gen_mark(g, GEN_CONTROL);
	if (gen_maybe(g, 70, GEN_CONTROL_MODE))
		o->mode = (uint8_t)(H248_SEND_ONLY + gen_pick(g, 5));
	if (gen_maybe(g, 20, GEN_CONTROL_VALUE))
		o->reserved_value = gen_chance(g, 50) ? H248_ON : H248_OFF;
	if (gen_maybe(g, 20, GEN_CONTROL_GROUP))
		o->reserved_group = gen_chance(g, 50) ? H248_ON : H248_OFF;
	if ((!o->mode && !o->reserved_value && !o->reserved_group) || gen_chance(g, 50)) {
		gen_mark(g, GEN_CONTROL_PARM);
		o->parms = gen_properties(g, 3, 0);
	}
	return o;
}

struct h248_statistics *gen_statistics(struct generator *g)
{
	struct h248_statistics *sa = GEN_NEW(g, struct h248_statistics);
	struct h248_parm **tail = &sa->parms;

	sa->d.kind = H248_STATISTICS;
	if (!g->reply) {
		sa->parms = bare_names(g, H248_STATISTIC, 3, true);
		return sa;
	}
	for (unsigned n = 1 + gen_pick(g, 3); n; n--) {
		struct h248_parm *parm = GEN_NEW(g, struct h248_parm);
		const struct h248_package_item *item;
		bool twice = false;

		parm->name = gen_pkgd(g, H248_STATISTIC, false, &item);
		for (const struct h248_parm *p = sa->parms; p; p = p->next)
			twice = twice || h248_name_equal(p->name, parm->name);
		if (twice)
			continue;
		if (gen_maybe(g, 80, GEN_STATISTIC_VALUE)) {
			parm->form = H248_FORM_EQUAL;
			parm->value = gen_value(g, item ? &item->values : NULL);
			if (g->version >= 3 && gen_maybe(g, 5, GEN_STATISTIC_LIST)) {
				parm->form = H248_FORM_AND;
				parm->value.next = GEN_NEW(g, struct h248_value);
				*parm->value.next = gen_value(g, item ? &item->values : NULL);
			}
		} else {
			gen_mark(g, GEN_STATISTIC_NAME);
		}
		GEN_APPEND(tail, parm);
	}
	return sa;
}

static void stream_parms(struct generator *g, struct h248_stream *s)
{
	if (gen_chance(g, 60))
		s->control = local_control(g);
	if (gen_maybe(g, 50, GEN_LOCAL)) {
		s->has_local = true;
		s->local = gen_sdp(g, g->reply);
	}
	if (gen_maybe(g, 40, GEN_REMOTE)) {
		s->has_remote = true;
		s->remote = gen_sdp(g, true);
	}
	if (g->version >= 3 && gen_maybe(g, 15, GEN_STREAM_STATISTICS))
		s->statistics = gen_statistics(g);
	if (!s->control && !s->has_local && !s->has_remote && !s->statistics)
		s->control = local_control(g);
}

struct h248_descriptor *gen_media(struct generator *g)
{
	struct h248_media *media = GEN_NEW(g, struct h248_media);
	unsigned streams = gen_pick(g, 4), id = 0;

	gen_mark(g, GEN_MEDIA);
	media->d.kind = H248_MEDIA;
	if (gen_chance(g, 30) || streams == 0)
		media->state = term_state(g);
	for (unsigned n = 0; n < streams; n++) {
		struct h248_stream *s = h248_stream_add(g->arena, media, 1);

		if (!s)
			abort();
		if (streams == 1) {
			gen_mark(g, GEN_MEDIA_IMPLIED);
			s->implied = true;
		} else {
			gen_mark(g, GEN_MEDIA_STREAMS);
			id += 1 + gen_pick(g, 9);
			s->id = (uint16_t)id;
		}
		stream_parms(g, s);
	}
	return &media->d;
}

struct h248_descriptor *gen_modem(struct generator *g)
{
	struct h248_modem *md = GEN_NEW(g, struct h248_modem);

	gen_mark(g, g->reply ? GEN_MODEM_REPLY : GEN_MODEM);
	md->d.kind = H248_MODEM;
	md->types = (uint16_t)(1U << gen_pick(g, 9));
	if (gen_maybe(g, 40, GEN_MODEM_LIST)) {
		md->list = true;
		md->types |= (uint16_t)(1U << gen_pick(g, 9));
	}
	if (gen_maybe(g, 20, GEN_MODEM_EXTENSION)) {
		md->extensions = GEN_NEW(g, struct h248_value);
		md->extensions->text = gen_printf(g, "X-m%u", gen_pick(g, 999));
		if (!md->list)
			md->types = 0;
	}
	if (gen_maybe(g, 30, GEN_MODEM_PARM))
		md->parms = gen_properties(g, 2, 0);
	return &md->d;
}

struct h248_descriptor *gen_mux(struct generator *g)
{
	struct h248_mux *mx = GEN_NEW(g, struct h248_mux);

	gen_mark(g, GEN_MUX);
	mx->d.kind = H248_MUX;
	mx->type = (uint8_t)(H248_MUX_H221 + gen_pick(g, 4));
	if (g->version >= 2 && gen_maybe(g, 30, GEN_MUX_NX64K)) {
		mx->type = H248_MUX_NX64K;
	} else if (gen_maybe(g, 15, GEN_MUX_EXTENSION)) {
		mx->type = H248_MUX_EXTENSION;
		mx->extension = gen_printf(g, "X+%u", gen_pick(g, 999));
	}
	mx->terms = gen_terms(g, 1 + gen_pick(g, 3));
	return &mx->d;
}

/* ---- Events ------------------------------------------------------------------------------ */

static struct h248_digit_map *digit_map_value(struct generator *g)
{
	struct h248_digit_map *dm = GEN_NEW(g, struct h248_digit_map);

	dm->d.kind = H248_DIGIT_MAP;
	dm->body = gen_digits(g);
	if (gen_maybe(g, 40, GEN_DIGIT_MAP_TIMER)) {
		dm->has_t = gen_chance(g, 70);
		dm->t = dm->has_t ? (uint8_t)gen_pick(g, 100) : 0;
		dm->has_s = gen_chance(g, 70);
		dm->s = dm->has_s ? (uint8_t)gen_pick(g, 100) : 0;
		dm->has_l = gen_chance(g, 70);
		dm->l = dm->has_l ? (uint8_t)gen_pick(g, 100) : 0;
		if (g->version >= 2 && gen_maybe(g, 40, GEN_DIGIT_MAP_Z)) {
			dm->has_z = true;
			dm->z = (uint8_t)gen_pick(g, 100);
		}
	}
	return dm;
}

struct h248_descriptor *gen_digit_map(struct generator *g)
{
	struct h248_digit_map *dm = digit_map_value(g);

	switch (gen_pick(g, 3)) {
	case 0:
		gen_mark(g, GEN_DIGIT_MAP_VALUE);
		break;
	case 1:
		gen_mark(g, GEN_DIGIT_MAP_BOTH);
		dm->name = gen_name(g);
		break;
	default:
		gen_mark(g, GEN_DIGIT_MAP_NAME);
		*dm = (struct h248_digit_map){ .d.kind = H248_DIGIT_MAP, .name = gen_name(g) };
	}
	return &dm->d;
}

static struct h248_embed *embed(struct generator *g, unsigned level)
{
	struct h248_embed *e = GEN_NEW(g, struct h248_embed);

	if (level > 0) { /* a second event embeds signals only */
		gen_mark(g, GEN_EMBED_SECOND);
		e->signals = gen_signals(g);
		if (!e->signals->signals)
			gen_mark(g, GEN_EMBED_SIGNALS_EMPTY);
		return e;
	}
	switch (gen_pick(g, 3)) {
	case 0:
		gen_mark(g, GEN_EMBED_SIGNALS);
		e->signals = gen_signals(g);
		break;
	case 1:
		gen_mark(g, GEN_EMBED_EVENTS);
		e->events = gen_events(g, 1);
		break;
	default:
		gen_mark(g, GEN_EMBED_BOTH);
		e->signals = gen_signals(g);
		e->events = gen_events(g, 1);
	}
	if (e->signals && !e->signals->signals)
		gen_mark(g, GEN_EMBED_SIGNALS_EMPTY);
	return e;
}

static void notify_behaviour(struct generator *g, struct h248_event *e, unsigned level)
{
	e->notify = (uint8_t)(H248_NOTIFY_IMMEDIATE + gen_pick(g, 3));
	gen_mark(g, e->notify == H248_NOTIFY_IMMEDIATE   ? GEN_NOTIFY_IMMEDIATE
	            : e->notify == H248_NOTIFY_REGULATED ? GEN_NOTIFY_REGULATED
	                                                 : GEN_NOTIFY_NEVER);
	if (e->notify == H248_NOTIFY_REGULATED && gen_maybe(g, 60, GEN_NOTIFY_REGULATED_EMBED))
		e->regulated = embed(g, level);
}

static void event_digit_map(struct generator *g, struct h248_event *e)
{
	if (gen_chance(g, 50)) {
		gen_mark(g, GEN_EVENT_DIGIT_MAP_NAME);
		e->digit_map = GEN_NEW(g, struct h248_digit_map);
		e->digit_map->d.kind = H248_DIGIT_MAP;
		e->digit_map->name = gen_name(g);
	} else {
		gen_mark(g, GEN_EVENT_DIGIT_MAP_VALUE);
		e->digit_map = digit_map_value(g);
	}
}

/* Events of packages that Wireshark reads by itself, g and chp: when there is more to them. */
static void mark_generic(struct generator *g, struct h248_name name, const struct h248_parm *parm,
                         bool embeds)
{
	if (!base_str_ieq(name.package, BASE_STR("g")) &&
	    !base_str_ieq(name.package, BASE_STR("chp")))
		return;
	for (; parm; parm = parm->next)
		embeds = embeds || parm->form >= H248_FORM_AND ||
		         base_str_eq(parm->value.text, BASE_STR("$"));
	if (embeds)
		gen_mark(g, GEN_GENERIC_MORE);
}

static struct h248_event *event(struct generator *g, unsigned level)
{
	struct h248_event *e = GEN_NEW(g, struct h248_event);
	const struct h248_package_item *item;

	e->name = gen_pkgd(g, H248_EVENT, true, &item);
	if (gen_maybe(g, 15, GEN_EVENT_STREAM)) {
		e->has_stream = true;
		e->stream = gen_u16(g);
	}
	if (gen_chance(g, 15))
		event_digit_map(g, e);
	if (g->version >= 3 && gen_chance(g, 25))
		notify_behaviour(g, e, level);
	if (g->version >= 3)
		e->reset_events = gen_maybe(g, 10, GEN_RESET_EVENTS);
	if (level && (e->notify || e->reset_events))
		gen_mark(g, GEN_SECOND_NOTIFY);
	if (gen_chance(g, level ? 20 : 30))
		e->embed = embed(g, level);
	if (!(e->embed && e->embed->signals)) /* they exclude each other */
		e->keep_active = gen_maybe(g, 15, GEN_EVENT_KEEP_ACTIVE);
	e->parms = gen_parms(g, item, H248_PARAMS);
	if (e->parms)
		gen_mark(g, GEN_EVENT_PARM);
	mark_generic(g, e->name, e->parms,
	             (e->embed && e->embed->events) || (e->regulated && e->regulated->events));
	return e;
}

struct h248_events *gen_events(struct generator *g, unsigned level)
{
	struct h248_events *events = GEN_NEW(g, struct h248_events);
	struct h248_event **tail = &events->events;

	gen_mark(g, GEN_EVENTS);
	events->d.kind = H248_EVENTS;
	if (gen_maybe(g, 10, GEN_EVENTS_EMPTY))
		return events;
	events->has_request_id = true;
	events->request_id = gen_request_id(g);
	for (unsigned n = 1 + gen_pick(g, 3); n; n--) {
		struct h248_event *e = event(g, level);

		GEN_APPEND(tail, e);
	}
	return events;
}

struct h248_descriptor *gen_event_buffer(struct generator *g)
{
	struct h248_event_buffer *eb = GEN_NEW(g, struct h248_event_buffer);
	struct h248_event **tail = &eb->events;

	gen_mark(g, GEN_EVENT_BUFFER);
	eb->d.kind = H248_EVENT_BUFFER;
	if (gen_maybe(g, 20, GEN_EVENT_BUFFER_EMPTY))
		return &eb->d;
	for (unsigned n = 1 + gen_pick(g, 3); n; n--) {
		struct h248_event *e = GEN_NEW(g, struct h248_event);
		const struct h248_package_item *item;

		e->name = gen_pkgd(g, H248_EVENT, true, &item);
		if (gen_maybe(g, 30, GEN_SPEC_STREAM)) {
			e->has_stream = true;
			e->stream = gen_u16(g);
		}
		e->parms = gen_parms(g, item, H248_PARAMS);
		if (e->parms)
			gen_mark(g, GEN_SPEC_PARM);
		GEN_APPEND(tail, e);
	}
	return &eb->d;
}

struct h248_descriptor *gen_observed(struct generator *g)
{
	struct h248_observed_events *oe = GEN_NEW(g, struct h248_observed_events);
	struct h248_observed_event **tail = &oe->events;

	gen_mark(g, GEN_OBSERVED);
	oe->d.kind = H248_OBSERVED_EVENTS;
	oe->request_id = gen_request_id(g);
	for (unsigned n = 1 + gen_pick(g, 3); n; n--) {
		struct h248_observed_event *e = GEN_NEW(g, struct h248_observed_event);
		const struct h248_package_item *item;

		e->name = gen_pkgd(g, H248_EVENT, false, &item);
		if (gen_maybe(g, 70, GEN_OBSERVED_TIME))
			e->time = gen_time(g);
		if (gen_maybe(g, 20, GEN_OBSERVED_STREAM)) {
			e->has_stream = true;
			e->stream = gen_u16(g);
		}
		e->parms = gen_parms(g, item, H248_OBSERVED);
		if (e->parms)
			gen_mark(g, GEN_OBSERVED_PARM);
		mark_generic(g, e->name, e->parms, false);
		GEN_APPEND(tail, e);
	}
	return &oe->d;
}

/* ---- Signals ----------------------------------------------------------------------------- */

static void signal_v3(struct generator *g, struct h248_signal *s)
{
	if (gen_maybe(g, 20, GEN_SIGNAL_DIRECTION)) {
		s->direction = (uint8_t)(H248_INTERNAL + gen_pick(g, 3));
		if (s->direction == H248_BOTH)
			gen_mark(g, GEN_SIGNAL_DIRECTION_BOTH);
	}
	if (gen_maybe(g, 20, GEN_SIGNAL_REQUEST_ID)) {
		s->has_request_id = true;
		s->request_id = gen_request_id(g);
	}
	if (gen_maybe(g, 20, GEN_SIGNAL_INTERSIGNAL)) {
		s->has_intersignal = true;
		s->intersignal = gen_u16(g);
	}
}

static struct h248_signal *signal_one(struct generator *g)
{
	struct h248_signal *s = GEN_NEW(g, struct h248_signal);
	const struct h248_package_item *item;

	s->name = gen_pkgd(g, H248_SIGNAL, false, &item);
	if (gen_maybe(g, 20, GEN_SIGNAL_STREAM)) {
		s->has_stream = true;
		s->stream = gen_u16(g);
	}
	if (gen_maybe(g, 25, GEN_SIGNAL_TYPE))
		s->type = (uint8_t)(H248_BRIEF + gen_pick(g, 3));
	if (gen_maybe(g, 25, GEN_SIGNAL_DURATION)) {
		s->has_duration = true;
		s->duration = gen_u16(g);
	}
	if (gen_maybe(g, 20, GEN_SIGNAL_COMPLETION)) {
		s->has_completion = true;
		s->completion = (uint8_t)(1 + gen_pick(g, 15));
		if (g->version >= 3 && gen_maybe(g, 20, GEN_SIGNAL_ITERATION))
			s->completion |= H248_ON_ITERATION;
	}
	s->keep_active = gen_maybe(g, 20, GEN_SIGNAL_KEEP_ACTIVE);
	if (g->version >= 3)
		signal_v3(g, s);
	s->parms = gen_parms(g, item, H248_PARAMS);
	if (s->parms)
		gen_mark(g, GEN_SIGNAL_PARM);
	return s;
}

struct h248_signals *gen_signals(struct generator *g)
{
	struct h248_signals *signals = GEN_NEW(g, struct h248_signals);
	struct h248_signal **tail = &signals->signals;

	gen_mark(g, GEN_SIGNALS);
	signals->d.kind = H248_SIGNALS;
	if (gen_maybe(g, 10, GEN_SIGNALS_EMPTY))
		return signals;
	for (unsigned n = 1 + gen_pick(g, 2); n; n--) {
		struct h248_signal *s, **inner;

		if (!gen_maybe(g, 20, GEN_SIGNAL_LIST)) {
			s = signal_one(g);
			GEN_APPEND(tail, s);
			continue;
		}
		s = GEN_NEW(g, struct h248_signal);
		s->is_list = true;
		s->list_id = gen_u16(g);
		inner = &s->list;
		for (unsigned k = 1 + gen_pick(g, 3); k; k--) {
			struct h248_signal *one = signal_one(g);

			GEN_APPEND(inner, one);
		}
		GEN_APPEND(tail, s);
	}
	return signals;
}

/* ---- Packages, Error, Audit, Services ---------------------------------------------------- */

static struct h248_packages *packages(struct generator *g, unsigned count)
{
	struct h248_packages *pg = GEN_NEW(g, struct h248_packages);

	pg->d.kind = H248_PACKAGES;
	while (count--) {
		const struct h248_package *package = NULL;
		struct base_str name;

		if (!gen_item(g, H248_PROPERTY, &package))
			name = gen_name(g);
		else
			name = base_str_of(package->name);
		if (!h248_packages_item_add(g->arena, pg, name, gen_pick(g, 100)))
			abort();
	}
	return pg;
}

struct h248_descriptor *gen_packages(struct generator *g)
{
	gen_mark(g, GEN_PACKAGES);
	return &packages(g, 1 + gen_pick(g, 4))->d;
}

struct h248_error *gen_error(struct generator *g)
{
	static const uint16_t codes[] = {
		400, 401, 403, 406, 411, 421, 430, 442, 500, 510, 533, 581
	};
	struct h248_error *error = GEN_NEW(g, struct h248_error);

	error->d.kind = H248_ERROR;
	error->code = codes[gen_pick(g, BASE_COUNT(codes))];
	if (gen_maybe(g, 3, GEN_ERROR_4_DIGITS))
		error->code = 1234;
	if (gen_maybe(g, 30, GEN_ERROR_NO_TEXT))
		return error;
	error->has_text = true;
	error->text = gen_quoted(g);
	if (!error->text.len)
		gen_mark(g, GEN_ERROR_TEXT_EMPTY);
	return error;
}

void gen_audit_items(struct generator *g, struct h248_audit *audit)
{
	while (!audit->items)
		audit->items = (uint16_t)(gen_next(g) & gen_next(g) & 0x3FF);
}

static void services_request(struct generator *g, struct h248_services *sv)
{
	sv->method = (uint8_t)(H248_FAILOVER + gen_pick(g, 6));
	if (gen_maybe(g, 5, GEN_METHOD_EXTENSION)) {
		sv->method = H248_METHOD_EXTENSION;
		sv->method_extension = gen_printf(g, "X-a%u", gen_pick(g, 9999));
	}
	sv->has_reason = true;
	sv->reason_code = (uint16_t)(900 + gen_pick(g, 21));
	sv->reason = gen_printf(g, gen_chance(g, 70) ? "%u Some Reason" : "%u", sv->reason_code);
	if (gen_maybe(g, 30, GEN_SERVICES_DELAY)) {
		sv->has_delay = true;
		sv->delay = gen_u32(g);
	}
	if (gen_maybe(g, 8, GEN_SERVICES_EXTENSION)) {
		sv->parms = GEN_NEW(g, struct h248_parm);
		sv->parms->name.item = gen_printf(g, "X-b%u", gen_pick(g, 9999));
		gen_parm_value(g, NULL, sv->parms);
	}
	if (g->version >= 2 && gen_maybe(g, 15, GEN_SERVICES_AUDIT)) {
		sv->info = GEN_NEW(g, struct h248_audit);
		sv->info->d.kind = H248_AUDIT;
		gen_audit_items(g, sv->info);
		if (gen_maybe(g, 30, GEN_SERVICES_AUDIT_ITEM))
			sv->info->individual = sv->info->last = &packages(g, 1)->d;
	}
	if (g->version >= 3)
		sv->incomplete = gen_maybe(g, 10, GEN_SERVICES_INCOMPLETE);
}

struct h248_descriptor *gen_services(struct generator *g)
{
	struct h248_services *sv = GEN_NEW(g, struct h248_services);

	sv->d.kind = H248_SERVICES;
	gen_mark(g, g->reply ? GEN_SERVICES_REPLY : GEN_SERVICES);
	if (!g->reply)
		services_request(g, sv);
	if (gen_maybe(g, 20, GEN_SERVICES_ADDRESS)) {
		sv->address = GEN_NEW(g, struct h248_mid);
		*sv->address = gen_mid(g);
		if (gen_maybe(g, 40, GEN_SERVICES_PORT))
			*sv->address = (struct h248_mid){ .kind = H248_MID_PORT,
				                          .port = gen_u16(g),
				                          .has_port = true };
		if (sv->address->kind == H248_MID_DEVICE)
			gen_mark(g, GEN_SERVICES_DEVICE);
	} else if (gen_maybe(g, 20, GEN_SERVICES_MGC)) {
		sv->mgc_id = GEN_NEW(g, struct h248_mid);
		*sv->mgc_id = gen_mid(g);
	}
	if (gen_maybe(g, 50, GEN_SERVICES_VERSION)) {
		sv->has_version = true;
		sv->version = (uint8_t)(1 + gen_pick(g, 3));
	}
	if (gen_maybe(g, 30, GEN_SERVICES_PROFILE)) {
		sv->has_profile = true;
		sv->profile = gen_chance(g, 50) ? BASE_STR("NoProfile") : BASE_STR("ETSI_BGF");
		sv->profile_version = (uint8_t)(1 + gen_pick(g, 9));
	}
	if (gen_maybe(g, 40, GEN_SERVICES_TIME) || (g->reply && !sv->has_version))
		sv->time = gen_time(g);
	return &sv->d;
}
