/* SPDX-License-Identifier: Apache-2.0 */
#include "kmsd/service.h"

#include <time.h>

static const struct {
	const char *name;
	unsigned status;
	const char *text;
} turned_away[KMSD_TURNED] = {
#define ROW(word, number, sentence) [KMSD_TURNED_##word] = { #word, number, sentence },
	KMSD_TURNED_AWAY(ROW)
#undef ROW
};

/*
 * The status says of which kind the Error message is that comes with it (P): what it is about is in
 * there, protected where the asker was proved.
 */
static const struct {
	const char *name;
	unsigned status;
	enum base_level level;
} results[KMSD_RESULTS] = {
	[KMS_GRANTED] = { "granted", 200, BASE_LOG_INFO },
	[KMS_RESOLVED] = { "resolved", 200, BASE_LOG_INFO },
	[KMS_REFUSED] = { "refused", 403, BASE_LOG_WARN },
	[KMS_UNPROVED] = { "unproved", 403, BASE_LOG_WARN },
	[KMS_MALFORMED] = { "malformed", 400, BASE_LOG_WARN },
	[KMS_FAILED] = { "failed", 503, BASE_LOG_ERROR },
};

const char *kmsd_result_name(enum kms_result result)
{
	return results[result].name;
}

const char *kmsd_turned_away_name(enum kmsd_turned_away why)
{
	return turned_away[why].name;
}

static void turn_away(struct kmsd_service *s, enum kmsd_turned_away why, struct kmsd_answer *ret)
{
	s->counts.turned_away[why]++;
	*ret = (struct kmsd_answer){ .status = turned_away[why].status,
		                     .type = "text/plain; charset=utf-8",
		                     .allow = why == KMSD_TURNED_method ? "POST" : NULL,
		                     .body = base_str_of(turned_away[why].text) };
}

/* @return what is wrong with the request; KMSD_TURNED = nothing */
static enum kmsd_turned_away judge(const struct kmsd_form *form, const struct kmsd_question *q,
                                   enum kms_kind *ret_kind)
{
	*ret_kind = KMS_ANY;
	if (strcmp(q->path, form->path) != 0)
		return KMSD_TURNED_path;
	if (strcmp(q->method, "POST") != 0)
		return KMSD_TURNED_method;
	if (!q->mikey)
		return KMSD_TURNED_type;
	if (!form->parameter[0])
		return KMSD_TURNED;
	if (q->parameter && !strcmp(q->parameter, form->request))
		*ret_kind = KMS_REQUEST;
	else if (q->parameter && !strcmp(q->parameter, form->resolve))
		*ret_kind = KMS_RESOLVE;
	else
		return KMSD_TURNED_parameter;
	return KMSD_TURNED;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* always there */
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static const char *or_dash(const char *text)
{
	return text[0] ? text : "-";
}

static void tell(const struct kmsd_question *q, const struct kms_outcome *o)
{
	bool well = o->result == KMS_GRANTED || o->result == KMS_RESOLVED;
	const char *error = mikey_name(MIKEY_SPACE_ERROR, o->error_no);

	if (well)
		base_log(results[o->result].level, "kms", "event=%s asker=%s about=%s peer=%s",
		         results[o->result].name, or_dash(o->asker), or_dash(o->about), q->peer);
	else
		base_log(results[o->result].level, "kms",
		         "event=%s asker=%s about=%s peer=%s error=%u (%s): %s",
		         results[o->result].name, or_dash(o->asker), or_dash(o->about), q->peer,
		         o->error_no, error ? error : "?", o->text);
}

static void answer(struct kmsd_service *s, const struct kmsd_question *q, enum kms_kind kind,
                   struct base_writer *out, struct kmsd_answer *ret)
{
	uint64_t begin = now_ns();
	struct kms_outcome o;
	int rc = kms_answer(s->kms, q->unix_s, q->ns, kind,
	                    mikey_octets_of(q->body.ptr, q->body.len), out, &o);

	s->counts.busy_ns += now_ns() - begin;
	if (base_err_class(rc) == BASE_PEER) {
		s->counts.nothing++;
		*ret = (struct kmsd_answer){ .status = 400 };
		base_log(BASE_LOG_WARN, "kms", "event=nothing peer=%s: %zu octets are no question",
		         q->peer, q->body.len);
		return;
	}
	if (rc || out->failed) {
		turn_away(s, KMSD_TURNED_memory, ret);
		return;
	}
	s->counts.results[o.result]++;
	if (results[o.result].status != 200)
		s->counts.errors[o.error_no % KMSD_ERRORS]++;
	tell(q, &o);
	*ret = (struct kmsd_answer){ .status = results[o.result].status,
		                     .type = KMSD_MIKEY,
		                     .body = base_writer_view(out) };
}

void kmsd_service_ask(struct kmsd_service *service, const struct kmsd_question *question,
                      struct base_writer *out, struct kmsd_answer *ret)
{
	enum kms_kind kind;
	enum kmsd_turned_away why = judge(service->form, question, &kind);

	service->counts.requests++;
	if (why != KMSD_TURNED)
		turn_away(service, why, ret);
	else
		answer(service, question, kind, out, ret);
}
