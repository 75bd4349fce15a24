/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/play.h"

/* ---- the schema ---- */

static const cyaml_schema_value_t text_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, CYAML_UNLIMITED),
};

#define TEXT(key, type, member)                                                                    \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, 0,     \
	                       CYAML_UNLIMITED)
#define TEXTS(key, type, member)                                                                   \
	CYAML_FIELD_SEQUENCE(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member,          \
	                     &text_entry, 0, CYAML_UNLIMITED)

static const cyaml_schema_field_t expect_fields[] = {
	TEXTS("match", struct play_expect, match),
	TEXTS("refuse", struct play_expect, refuse),
	TEXTS("capture", struct play_expect, capture),
	CYAML_FIELD_END,
};

#define EXPECT(key, member)                                                                        \
	CYAML_FIELD_MAPPING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct play_step,   \
	                        member, expect_fields)

static const cyaml_schema_field_t step_fields[] = {
	TEXT("name", struct play_step, name),
	TEXT("send", struct play_step, send),
	TEXT("raw", struct play_step, raw),
	EXPECT("receive", receive),
	TEXT("start", struct play_step, start),
	TEXT("wait", struct play_step, wait),
	TEXT("stop", struct play_step, stop),
	TEXT("run", struct play_step, run),
	TEXT("write", struct play_step, write),
	TEXT("command", struct play_step, command),
	TEXT("content", struct play_step, content),
	TEXT("reply", struct play_step, reply),
	TEXT("timeout", struct play_step, timeout),
	TEXTS("set", struct play_step, set),
	TEXTS("note", struct play_step, note),
	EXPECT("expect", expect),
	CYAML_FIELD_INT_PTR("status", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct play_step,
	                    status),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t step_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct play_step, step_fields),
};

static const cyaml_schema_field_t tls_fields[] = {
	TEXT("profile", struct play_tls, profile),
	TEXT("certificate", struct play_tls, certificate),
	TEXT("key", struct play_tls, key),
	TEXT("peer-name", struct play_tls, peer_name),
	TEXTS("anchors", struct play_tls, anchors),
	TEXTS("fingerprints", struct play_tls, fingerprints),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t controller_fields[] = {
	TEXT("listen", struct play_controller, listen),
	TEXT("transport", struct play_controller, transport),
	TEXT("encoding", struct play_controller, encoding),
	TEXT("timeout", struct play_controller, timeout),
	TEXT("mid", struct play_controller, mid),
	TEXT("profile", struct play_controller, profile),
	CYAML_FIELD_MAPPING_PTR("tls", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
	                        struct play_controller, tls, tls_fields),
	CYAML_FIELD_UINT("version", CYAML_FLAG_OPTIONAL, struct play_controller, version),
	CYAML_FIELD_UINT("sctp-udp-port", CYAML_FLAG_OPTIONAL, struct play_controller,
	                 sctp_udp_port),
	CYAML_FIELD_UINT("sctp-udp-remote", CYAML_FLAG_OPTIONAL, struct play_controller,
	                 sctp_udp_remote),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t scenario_fields[] = {
	TEXT("scenario", struct play_scenario, scenario),
	CYAML_FIELD_SEQUENCE("parties", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
	                     struct play_scenario, parties, &text_entry, 2, PLAY_PARTIES_MAX),
	CYAML_FIELD_MAPPING_PTR("controller", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
	                        struct play_scenario, controller, controller_fields),
	TEXTS("vars", struct play_scenario, vars),
	TEXTS("needs", struct play_scenario, needs),
	CYAML_FIELD_SEQUENCE("steps", CYAML_FLAG_POINTER, struct play_scenario, steps, &step_entry,
	                     1, CYAML_UNLIMITED),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t scenario_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct play_scenario, scenario_fields),
};

/* ---- what the schema cannot say ---- */

static int refuse_step(const struct config_doc *doc, struct base_error *err, unsigned i,
                       const char *key, const char *why)
{
	char where[64];

	(void)snprintf(where, sizeof(where), "steps[%u]%s%s", i, key[0] ? "." : "", key);
	return config_refuse(doc, err, where, "%s", why);
}

static int check_step(const struct config_doc *doc, const struct play_step *s, unsigned i,
                      struct base_error *err)
{
	unsigned kinds = !!s->send + !!s->raw + !!s->receive + !!s->start + !!s->wait + !!s->stop +
	                 !!s->run + !!s->write;
	uint64_t ms;

	if (kinds > 1 || (kinds == 0 && !s->set_count && !s->note_count))
		return refuse_step(doc, err, i, "",
		                   "a step is one of send, raw, receive, start, wait, stop, run, "
		                   "write (or only set or note)");
	if (!!s->start != !!s->command)
		return refuse_step(doc, err, i, s->command ? "command" : "start",
		                   "start and command go together");
	if (!!s->write != !!s->content)
		return refuse_step(doc, err, i, s->content ? "content" : "write",
		                   "write and content go together");
	if (s->reply && !s->receive)
		return refuse_step(doc, err, i, "reply", "reply belongs to receive");
	if (s->status && !s->wait && !s->run && !s->stop)
		return refuse_step(doc, err, i, "status", "status belongs to wait, stop or run");
	if (s->expect && !s->send && !s->raw && !s->start && !s->wait && !s->stop && !s->run)
		return refuse_step(doc, err, i, "expect",
		                   "expect belongs to send, raw, start, wait, stop or run");
	if (s->timeout && config_duration_parse(base_str_of(s->timeout), &ms) != 0)
		return refuse_step(doc, err, i, "timeout",
		                   "expected a duration such as 500ms, 10s or 2m");
	return 0;
}

static int check_controller(const struct config_doc *doc, const struct play_controller *c,
                            struct base_error *err)
{
	struct config_address address;
	enum h248_codec codec;
	uint64_t ms;

	if (!h248_transport_find(base_str_of(c->transport ? c->transport : "udp")))
		return config_refuse(doc, err, "controller.transport",
		                     "expected udp, tcp, tls or sctp");
	if (!!c->tls != (c->transport && strcmp(c->transport, "tls") == 0))
		return config_refuse(doc, err, c->tls ? "controller.tls" : "controller.transport",
		                     "transport tls and the mapping tls go together");
	if (c->encoding && h248_codec_by_name(base_str_of(c->encoding), &codec) != 0)
		return config_refuse(doc, err, "controller.encoding",
		                     "expected pretty, compact or ber");
	if (c->version > H248_VERSION_MAX)
		return config_refuse(doc, err, "controller.version", "expected 1 to %d",
		                     H248_VERSION_MAX);
	if (c->listen && config_address_parse(base_str_of(c->listen), 0, &address) != 0 &&
	    !strstr(c->listen, ":0"))
		return config_refuse(doc, err, "controller.listen",
		                     "expected an address and port such as 127.0.0.1:0");
	return config_duration(doc, "controller.timeout", c->timeout, 0, &ms, err);
}

int play_scenario_load(const char *path, struct play_scenario **ret, struct config_doc **ret_doc,
                       struct base_error *err)
{
	struct play_scenario *scenario = NULL;
	struct config_doc *doc = NULL;
	int rc = config_load(path, &scenario_schema, (void **)&scenario, &doc, err);

	if (!rc && scenario->controller)
		rc = check_controller(doc, scenario->controller, err);
	for (unsigned i = 0; !rc && i < scenario->steps_count; i++)
		rc = check_step(doc, &scenario->steps[i], i, err);
	if (rc) {
		config_doc_free(doc);
		play_scenario_free(scenario);
		return rc;
	}
	*ret = scenario;
	*ret_doc = doc;
	return 0;
}

void play_scenario_free(struct play_scenario *scenario)
{
	config_free(&scenario_schema, scenario);
}
