/* SPDX-License-Identifier: Apache-2.0 */
#include "h248/text_parse.h"

static bool once(struct text_parser *p, bool there, const char *at)
{
	return !there || text_fail(p, H248_E_PROPERTY_TWICE, at, "each parameter once");
}

static bool method(struct text_parser *p, struct h248_services *sv)
{
	struct base_str word;

	if (!text_equal(p))
		return false;
	switch (text_keyword(p, &word)) {
	case TOK_FAILOVER:
		sv->method = H248_FAILOVER;
		return true;
	case TOK_FORCED:
		sv->method = H248_FORCED;
		return true;
	case TOK_GRACEFUL:
		sv->method = H248_GRACEFUL;
		return true;
	case TOK_RESTART:
		sv->method = H248_RESTART;
		return true;
	case TOK_DISCONNECTED:
		sv->method = H248_DISCONNECTED;
		return true;
	case TOK_HAND_OFF:
		sv->method = H248_HAND_OFF;
		return true;
	default:
		sv->method = H248_METHOD_EXTENSION;
		return text_extension_after(p, word, &sv->method_extension);
	}
}

/* A quoted number with words; without quotes it is let pass (trap 7.5). */
static bool reason(struct text_parser *p, struct h248_services *sv)
{
	struct h248_value value = { 0 };
	unsigned code = 0;

	if (!text_equal(p) || !text_value(p, &value))
		return false;
	sv->has_reason = true;
	sv->reason = value.text;
	for (size_t i = 0; i < value.text.len && i < 4 && text_is(value.text.ptr[i], CH_DIGIT); i++)
		code = code * 10 + (unsigned)(value.text.ptr[i] - '0');
	sv->reason_code = (uint16_t)code;
	return true;
}

static bool mid(struct text_parser *p, bool port_alone, struct h248_mid **ret)
{
	*ret = TEXT_NEW(p, struct h248_mid);
	return *ret && text_equal(p) && text_mid(p, port_alone, *ret);
}

static bool version(struct text_parser *p, uint8_t *ret)
{
	uint32_t v = 0;

	if (!text_number(p, 2, 99, &v))
		return false;
	*ret = (uint8_t)v;
	return true;
}

/* NAME / version */
static bool profile(struct text_parser *p, struct h248_services *sv)
{
	sv->has_profile = true;
	if (!text_equal(p) || !text_name(p, &sv->profile))
		return false;
	if (text_peek(p) != '/')
		return text_expected(p, "'/' and a profile version");
	p->at++;
	return version(p, &sv->profile_version);
}

static bool extension(struct text_parser *p, struct base_str head, struct h248_services *sv)
{
	struct h248_parm *parm = TEXT_NEW(p, struct h248_parm), **tail = &sv->parms;
	unsigned count = 0;

	if (!parm || !text_extension_after(p, head, &parm->name.item) || !text_parm_value(p, parm))
		return false;
	for (; *tail; tail = &(*tail)->next)
		count++;
	return text_parm_append(p, &sv->parms, &tail, &count, parm);
}

/*
 * Audit items directly in Services (v2) and ServiceChangeInc (v3). A registration has the header of
 * version 1 whatever it offers, so both are taken under any header (fact sheet 5.1).
 */
static bool audit_item(struct text_parser *p, enum h248_token token, const char *at,
                       struct h248_services *sv)
{
	uint8_t version_was = p->version;
	bool ok;

	if (!sv->info) {
		sv->info = TEXT_NEW(p, struct h248_audit);
		if (!sv->info)
			return false;
		sv->info->d.kind = H248_AUDIT;
	}
	p->version = BASE_MAX(p->version, 2);
	ok = text_audit_item(p, token, at, sv->info);
	p->version = version_was;
	return ok;
}

static bool request_parm(struct text_parser *p, enum h248_token token, struct base_str word,
                         struct h248_services *sv)
{
	switch (token) {
	case TOK_METHOD:
		return once(p, sv->method, word.ptr) && method(p, sv);
	case TOK_REASON:
		return once(p, sv->has_reason, word.ptr) && reason(p, sv);
	case TOK_DELAY:
		if (!once(p, sv->has_delay, word.ptr))
			return false;
		sv->has_delay = true;
		return text_equal(p) && text_number(p, 10, UINT32_MAX, &sv->delay);
	case TOK_SERVICE_CHANGE_INC:
		if (!once(p, sv->incomplete, word.ptr))
			return false;
		sv->incomplete = true;
		return true;
	case TOK_MEDIA:
	case TOK_MODEM:
	case TOK_MUX:
	case TOK_EVENTS:
	case TOK_SIGNALS:
	case TOK_DIGIT_MAP:
	case TOK_STATISTICS:
	case TOK_OBSERVED_EVENTS:
	case TOK_PACKAGES:
	case TOK_EVENT_BUFFER:
		return audit_item(p, token, word.ptr, sv);
	default:
		if (word.len == 1 && (word.ptr[0] | 0x20) == 'x')
			return extension(p, word, sv);
		return text_fail(p, word.len ? H248_E_PARAMETER : p->syntax_code, word.ptr,
		                 "a parameter of Services");
	}
}

static bool service_parm(struct text_parser *p, struct h248_services *sv)
{
	struct base_str word = text_run(p, CH_NAME);
	enum h248_token token = h248_token_of(word); /* of any version, see audit_item */

	switch (token) {
	case TOK_SERVICE_CHANGE_ADDRESS:
		return once(p, sv->address, word.ptr) && mid(p, true, &sv->address);
	case TOK_MGC_ID_TO_TRY:
		return once(p, sv->mgc_id, word.ptr) && mid(p, false, &sv->mgc_id);
	case TOK_PROFILE:
		return once(p, sv->has_profile, word.ptr) && profile(p, sv);
	case TOK_VERSION:
		if (!once(p, sv->has_version, word.ptr))
			return false;
		sv->has_version = true;
		return text_equal(p) && version(p, &sv->version);
	default:
		break;
	}
	if (word.len && text_is(word.ptr[0], CH_DIGIT))
		return once(p, sv->time.digits[0], word.ptr) &&
		       (text_time_check(word, &sv->time) ||
		        text_fail(p, p->syntax_code, word.ptr, "a time stamp yyyymmddThhmmssss"));
	if (p->reply)
		return text_fail(p, word.len ? H248_E_PARAMETER : p->syntax_code, word.ptr,
		                 "a parameter of Services in a reply");
	return request_parm(p, token, word, sv);
}

bool text_services(struct text_parser *p, struct h248_descriptor **ret)
{
	struct h248_services *sv = TEXT_NEW(p, struct h248_services);
	const char *at = p->at;

	if (!sv || !text_open(p))
		return false;
	sv->d.kind = H248_SERVICES;
	*ret = &sv->d;
	do {
		if (!service_parm(p, sv))
			return false;
	} while (text_more(p));
	if (sv->address && sv->mgc_id)
		return text_fail(p, H248_E_CONFLICT, at,
		                 "ServiceChangeAddress or MgcIdToTry, not both");
	if (!p->reply && (!sv->method || !sv->has_reason))
		return text_fail(p, H248_E_REQUIRED_MISSING, at, "Method and Reason");
	return text_close(p);
}
