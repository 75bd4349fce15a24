/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/reginfo.h"

#include <expat.h>
#include <stdlib.h>

/** Namespace and name, as expat joins them: no URI has a line end. */
#define SEPARATOR '\n'
#define NAMESPACE "urn:ietf:params:xml:ns:reginfo\n"

struct reading {
	XML_Parser parser;
	struct base_arena *arena;
	struct sip_reginfo *ret;
	struct sip_reg_record records[SIP_REGINFO_RECORDS];
	struct sip_reg_contact contacts[SIP_REGINFO_CONTACTS];
	size_t record_count, contact_count;
	unsigned depth;
	unsigned skip; /**< depth from which on all is another's; 0 = nowhere */
	bool in_uri;
	char uri[SIP_REGINFO_TEXT_MAX];
	size_t uri_len;
	int rc;
	const char *why;
};

static void stop(struct reading *r, int rc, const char *why)
{
	if (r->rc)
		return;
	r->rc = rc;
	r->why = why;
	(void)XML_StopParser(r->parser, XML_FALSE);
}

static void refuse(struct reading *r, const char *why)
{
	stop(r, BASE_ERR(BASE_PEER, 0), why);
}

/* -- attributes ------------------------------------------------------------------------------ */

/** @return NULL when it is not there */
static const char *attribute(const char *const *list, const char *name)
{
	for (; list[0]; list += 2)
		if (strcmp(list[0], name) == 0)
			return list[1];
	return NULL;
}

/** A copy; what is to be there and is not, is empty or too long ends all. */
static struct base_str text_of(struct reading *r, const char *const *list, const char *name)
{
	struct base_str text = base_str_of(attribute(list, name));
	char *copy;

	if (!text.len || text.len > SIP_REGINFO_TEXT_MAX) {
		refuse(r, "an element has no id or URI, or one of more than 1024 octets");
		return (struct base_str){ NULL, 0 };
	}
	copy = base_arena_dup(r->arena, text);
	if (!copy)
		stop(r, BASE_ERR(BASE_LOCAL, 0), "no memory");
	return (struct base_str){ copy, copy ? text.len : 0 };
}

/** @return its place in `words`, or `count` */
static unsigned word_of(const char *const *list, const char *name, const char *const *words,
                        unsigned count)
{
	const char *text = attribute(list, name);
	unsigned i = 0;

	while (i < count && (!text || strcmp(text, words[i]) != 0))
		i++;
	return i;
}

static bool number_of(struct reading *r, const char *const *list, const char *name, uint32_t *ret)
{
	struct base_str text = base_str_trim(base_str_of(attribute(list, name)));
	uint64_t value;

	if (!text.len)
		return false;
	if (base_str_u64(text, UINT32_MAX, &value)) {
		refuse(r, "a number is none of 32 bits");
		return false;
	}
	*ret = (uint32_t)value;
	return true;
}

/* -- elements -------------------------------------------------------------------------------- */

static const char *const states[] = { "init", "active", "terminated" };
static const char *const events[] = { "registered", "created",      "refreshed",
	                              "shortened",  "expired",      "deactivated",
	                              "probation",  "unregistered", "rejected" };

const char *sip_reg_event_name(enum sip_reg_event event)
{
	return event < BASE_COUNT(events) ? events[event] : "other";
}

static void reginfo_begin(struct reading *r, const char *const *list)
{
	static const char *const kinds[] = { "partial", "full" };
	unsigned kind = word_of(list, "state", kinds, 2);

	if (!number_of(r, list, "version", &r->ret->version) || kind == 2)
		refuse(r,
		       "reginfo has no version, or no state of full and partial (RFC 3680, 5.1)");
	r->ret->full = kind == 1;
}

static void registration_begin(struct reading *r, const char *const *list)
{
	struct sip_reg_record *record = &r->records[r->record_count];
	unsigned state = word_of(list, "state", states, 3);

	if (r->record_count == SIP_REGINFO_RECORDS) {
		refuse(r, "more than 64 addresses-of-record");
		return;
	}
	if (state == 3)
		refuse(r, "a registration has no state (RFC 3680, 5.1)");
	*record = (struct sip_reg_record){ .aor = text_of(r, list, "aor"),
		                           .id = text_of(r, list, "id"),
		                           .state = (enum sip_reg_state)state };
	r->record_count++;
}

static void contact_begin(struct reading *r, const char *const *list)
{
	struct sip_reg_contact *contact = &r->contacts[r->contact_count];
	unsigned state = word_of(list, "state", states, 3);

	if (r->contact_count == SIP_REGINFO_CONTACTS) {
		refuse(r, "more than 256 contacts");
		return;
	}
	if (state != SIP_REG_ACTIVE && state != SIP_REG_TERMINATED)
		refuse(r, "a contact is neither active nor terminated (RFC 3680, 5.1)");
	*contact = (struct sip_reg_contact){ .id = text_of(r, list, "id"),
		                             .state = (enum sip_reg_state)state,
		                             .event = (enum sip_reg_event)word_of(
		                                     list, "event", events, BASE_COUNT(events)) };
	if (attribute(list, "callid") && *attribute(list, "callid"))
		contact->callid = text_of(r, list, "callid");
	contact->has_expires = number_of(r, list, "expires", &contact->expires_s);
	contact->has_retry = number_of(r, list, "retry-after", &contact->retry_s);
	r->contact_count++;
	r->records[r->record_count - 1].count++;
}

static void uri_begin(struct reading *r, const char *const *list)
{
	(void)list;
	r->in_uri = true;
	r->uri_len = 0;
	if (r->contacts[r->contact_count - 1].uri.ptr)
		refuse(r, "a contact with two URIs");
}

static void uri_end(struct reading *r)
{
	struct base_str uri = base_str_trim((struct base_str){ r->uri, r->uri_len });
	const char *copy = base_arena_dup(r->arena, uri);

	r->in_uri = false;
	if (!uri.len)
		refuse(r, "a contact with an empty URI");
	else if (!copy)
		stop(r, BASE_ERR(BASE_LOCAL, 0), "no memory");
	else
		r->contacts[r->contact_count - 1].uri = (struct base_str){ copy, uri.len };
}

/** What may stand where: the elements of RFC 3680, 5.4, by their depth. All else is passed over. */
static const struct {
	const char *name;
	void (*begin)(struct reading *r, const char *const *list);
} elements[] = {
	{ "reginfo", reginfo_begin },
	{ "registration", registration_begin },
	{ "contact", contact_begin },
	{ "uri", uri_begin },
};

static void on_begin(void *arg, const char *name, const char **list)
{
	struct reading *r = arg;
	bool ours = strncmp(name, NAMESPACE, sizeof(NAMESPACE) - 1) == 0;
	unsigned depth = r->depth++;

	if (r->rc)
		return; /* expat may say some more after it was stopped */
	if (r->depth > SIP_REGINFO_DEPTH) {
		refuse(r, "elements in each other, more than 16");
		return;
	}
	if (r->skip)
		return;
	if (ours && depth < BASE_COUNT(elements) &&
	    strcmp(name + sizeof(NAMESPACE) - 1, elements[depth].name) == 0)
		elements[depth].begin(r, (const char *const *)list);
	else if (depth == 0)
		refuse(r, "no reginfo (RFC 3680, 5.1)");
	else
		r->skip = r->depth;
}

static void on_end(void *arg, const char *name)
{
	struct reading *r = arg;

	(void)name;
	if (r->rc)
		return;
	if (r->skip == r->depth)
		r->skip = 0;
	else if (!r->skip && r->depth == 4)
		uri_end(r);
	else if (!r->skip && r->depth == 3 && !r->contacts[r->contact_count - 1].uri.ptr)
		refuse(r, "a contact without URI");
	r->depth--;
}

static void on_text(void *arg, const char *text, int len)
{
	struct reading *r = arg;

	if (!r->in_uri || r->skip || r->rc)
		return;
	if ((size_t)len > sizeof(r->uri) - r->uri_len) {
		refuse(r, "a URI of more than 1024 octets");
		return;
	}
	memcpy(r->uri + r->uri_len, text, (size_t)len);
	r->uri_len += (size_t)len;
}

/** Entities are declared in one, and nowhere else. */
static void on_doctype(void *arg, const char *name, const char *system_id, const char *public_id,
                       int internal)
{
	(void)name;
	(void)system_id;
	(void)public_id;
	(void)internal;
	refuse(arg, "a document type, which nobody needs here");
}

/* -- documents ------------------------------------------------------------------------------- */

static int parse(struct reading *r, struct base_str body)
{
	enum XML_Status status;

	XML_SetUserData(r->parser, r);
	XML_SetElementHandler(r->parser, on_begin, on_end);
	XML_SetCharacterDataHandler(r->parser, on_text);
	XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
	status = XML_Parse(r->parser, body.ptr, (int)body.len, XML_TRUE);
	if (status != XML_STATUS_OK && !r->rc) {
		enum XML_Error error = XML_GetErrorCode(r->parser);

		r->why = XML_ErrorString(error);
		r->rc = error == XML_ERROR_NO_MEMORY ? BASE_ERR(BASE_LOCAL, 0)
		                                     : BASE_ERR(BASE_PEER, 0);
	}
	return r->rc;
}

/** From scratch memory to the arena, each registration with its contacts. */
static int hand_out(struct reading *r)
{
	struct sip_reg_record *records =
	        base_arena_array(r->arena, r->record_count + 1, sizeof(*records));
	struct sip_reg_contact *contacts =
	        base_arena_array(r->arena, r->contact_count + 1, sizeof(*contacts));

	if (!records || !contacts)
		return BASE_ERR(BASE_LOCAL, 0);
	memcpy(records, r->records, r->record_count * sizeof(*records));
	memcpy(contacts, r->contacts, r->contact_count * sizeof(*contacts));
	for (size_t i = 0; i < r->record_count; i++) {
		records[i].contacts = contacts;
		contacts += records[i].count;
	}
	r->ret->records = records;
	r->ret->count = r->record_count;
	return 0;
}

int sip_reginfo_read(struct sip_reginfo *ret, struct base_arena *arena, struct base_str body,
                     struct base_error *err)
{
	struct sip_reginfo doc = { 0 };
	struct reading *r;
	int rc;

	if (body.len == 0 || body.len > SIP_REGINFO_MAX)
		return base_error_set(err, BASE_ERR(BASE_PEER, 0),
		                      "a document of %zu octets; 1 to %u are read", body.len,
		                      SIP_REGINFO_MAX);
	r = calloc(1, sizeof(*r));
	if (r)
		r->parser = XML_ParserCreateNS("UTF-8", SEPARATOR); /* 5.1: it MUST be UTF-8 */
	if (!r || !r->parser) {
		free(r);
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "no memory");
	}
	r->arena = arena;
	r->ret = &doc;
	rc = parse(r, body);
	if (!rc)
		rc = hand_out(r);
	if (rc)
		(void)base_error_set(err, rc, "%s", r->why ? r->why : "no memory");
	else
		*ret = doc;
	XML_ParserFree(r->parser);
	free(r);
	return rc;
}

enum sip_reginfo_turn sip_reginfo_turn(struct sip_reginfo_versions *versions,
                                       const struct sip_reginfo *doc)
{
	enum sip_reginfo_turn turn = SIP_REGINFO_NEXT;

	if (versions->begun && doc->version < versions->last)
		return SIP_REGINFO_OLD;
	/* The same again is no case of 5.2. Some registrars say 0 each time and all there is. */
	if (versions->begun && doc->version == versions->last)
		return doc->full ? SIP_REGINFO_NEXT : SIP_REGINFO_OLD;
	if (versions->begun ? doc->version > versions->last + 1 : !doc->full)
		turn = SIP_REGINFO_GAP;
	versions->begun = true;
	versions->last = doc->version;
	return turn;
}
