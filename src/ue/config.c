/* SPDX-License-Identifier: Apache-2.0 */
#include "ue/config.h"

#include "ue/words.h"

#define TEXT(key, type, member)                                                                    \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, 0,     \
	                       CYAML_UNLIMITED)

static const cyaml_schema_value_t text_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, CYAML_UNLIMITED),
};

static const cyaml_schema_field_t media_fields[] = {
	TEXT("address", struct ue_yaml_media, address),
	TEXT("profile", struct ue_yaml_media, profile),
	TEXT("inbox", struct ue_yaml_media, inbox),
	TEXT("message-max", struct ue_yaml_media, message_max),
	TEXT("patience", struct ue_yaml_media, patience),
	TEXT("setup", struct ue_yaml_media, setup),
	TEXT("floors", struct ue_yaml_media, floors),
	CYAML_FIELD_END,
};

#define TEXTS(key, type, member)                                                                   \
	CYAML_FIELD_SEQUENCE(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member,          \
	                     &text_entry, 0, CYAML_UNLIMITED)
#define PART(key, type, member, fields)                                                            \
	CYAML_FIELD_MAPPING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, fields)

static const cyaml_schema_field_t tls_fields[] = {
	TEXT("profile", struct ue_yaml_tls, profile),
	TEXT("certificate", struct ue_yaml_tls, certificate),
	TEXT("key", struct ue_yaml_tls, key),
	TEXTS("anchors", struct ue_yaml_tls, anchors),
	CYAML_FIELD_BOOL("unsafe-null-encryption", CYAML_FLAG_OPTIONAL, struct ue_yaml_tls,
	                 null_encryption),
	CYAML_FIELD_END,
};

#define CHOICE(key, type, member)                                                                  \
	CYAML_FIELD_BOOL_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member)

static const cyaml_schema_field_t outbound_fields[] = {
	TEXT("name", struct ue_yaml_outbound, name),
	TEXT("instance", struct ue_yaml_outbound, instance),
	CYAML_FIELD_UINT("reg-id", CYAML_FLAG_OPTIONAL, struct ue_yaml_outbound, reg_id),
	TEXT("retry", struct ue_yaml_outbound, retry),
	TEXT("retry-max", struct ue_yaml_outbound, retry_max),
	TEXT("keep-alive", struct ue_yaml_outbound, keep_alive),
	TEXT("renegotiate", struct ue_yaml_outbound, renegotiate),
	CHOICE("at-start", struct ue_yaml_outbound, at_start),
	CHOICE("sec-agree", struct ue_yaml_outbound, sec_agree),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t sip_fields[] = {
	TEXTS("listen", struct ue_yaml_sip, listen),
	TEXTS("proxy", struct ue_yaml_sip, proxy),
	TEXT("answer", struct ue_yaml_sip, answer),
	TEXT("registrar", struct ue_yaml_sip, registrar),
	TEXT("user", struct ue_yaml_sip, user),
	TEXT("password-file", struct ue_yaml_sip, password_file),
	TEXT("realm", struct ue_yaml_sip, realm),
	TEXT("expires", struct ue_yaml_sip, expires),
	TEXT("sdp", struct ue_yaml_sip, sdp),
	TEXT("dns", struct ue_yaml_sip, dns),
	PART("tls", struct ue_yaml_sip, tls, tls_fields),
	PART("outbound", struct ue_yaml_sip, outbound, outbound_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t alias_fields[] = {
	TEXT("name", struct ue_yaml_alias, name),
	TEXT("also", struct ue_yaml_alias, also),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t alias_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct ue_yaml_alias, alias_fields),
};

static const cyaml_schema_field_t kms_fields[] = {
	TEXT("url", struct ue_yaml_kms, url),
	TEXT("identity", struct ue_yaml_kms, identity),
	TEXT("key-file", struct ue_yaml_kms, key_file),
	TEXT("key-id", struct ue_yaml_kms, key_id),
	TEXT("tpk-file", struct ue_yaml_kms, tpk_file),
	TEXT("tpk-id", struct ue_yaml_kms, tpk_id),
	CYAML_FIELD_UINT("mode", CYAML_FLAG_OPTIONAL, struct ue_yaml_kms, mode),
	PART("tls", struct ue_yaml_kms, tls, tls_fields),
	CYAML_FIELD_SEQUENCE("aliases", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
	                     struct ue_yaml_kms, aliases, &alias_entry, 0, CYAML_UNLIMITED),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t ue_fields[] = {
	TEXT("identity", struct ue_yaml, identity),
	TEXT("name", struct ue_yaml, name),
	CYAML_FIELD_SEQUENCE("profiles", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct ue_yaml,
	                     profiles, &text_entry, 0, CYAML_UNLIMITED),
	PART("media", struct ue_yaml, media, media_fields),
	PART("sip", struct ue_yaml, sip, sip_fields),
	PART("kms", struct ue_yaml, kms, kms_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t ue_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct ue_yaml, ue_fields),
};

static int media_read(struct ue_config *c, struct base_error *err)
{
	const struct ue_yaml_media none = { 0 }, *media = c->yaml->media ? c->yaml->media : &none;
	int rc = config_size(c->doc, "media.message-max", media->message_max, 1U << 30,
	                     &c->message_max, err);

	if (!rc)
		rc = config_duration(c->doc, "media.patience", media->patience, 30000,
		                     &c->patience_ms, err);
	if (!rc && (!c->patience_ms || c->patience_ms > 3600000))
		rc = config_refuse(c->doc, err, "media.patience",
		                   "more than nothing and at most 1h");
	if (!rc && media->setup && strcmp(media->setup, "active") != 0 &&
	    strcmp(media->setup, "passive") != 0)
		rc = config_refuse(c->doc, err, "media.setup", "expected active or passive");
	if (!rc && media->floors &&
	    ue_numbers(media->floors, c->floor, BASE_COUNT(c->floor), &c->floors))
		rc = config_refuse(c->doc, err, "media.floors",
		                   "expected at most %zu numbers with commas between",
		                   BASE_COUNT(c->floor));
	c->passive = media->setup && media->setup[0] == 'p';
	c->address = media->address ? media->address : "127.0.0.1";
	c->media_profile = media->profile ? media->profile : "ts33328-annex-h";
	c->inbox = media->inbox ? config_doc_path(c->doc, media->inbox, &c->arena) : NULL;
	return rc;
}

static int folders_read(struct ue_config *c)
{
	const char **list = base_arena_array(&c->arena, c->yaml->profiles_count + 1, sizeof(*list));

	for (unsigned i = 0; list && i < c->yaml->profiles_count; i++)
		list[i] = config_doc_path(c->doc, c->yaml->profiles[i], &c->arena);
	c->profiles = list;
	return list ? 0 : BASE_ERR(BASE_LOCAL, 0);
}

static int outbound_read(struct ue_config *c, const struct ue_yaml_sip *sip, struct base_error *err)
{
	const struct ue_yaml_outbound *y = sip->outbound;
	struct ue_outbound *o = &c->outbound;
	int rc;

	o->yaml = y;
	if (!sip->registrar || !sip->proxy_count)
		return config_refuse(c->doc, err, "sip.outbound",
		                     "it wants sip.registrar, and in sip.proxy the P-CSCF");
	rc = config_duration(c->doc, "sip.outbound.retry", y->retry, 30000, &o->retry_ms, err);
	if (!rc)
		rc = config_duration(c->doc, "sip.outbound.retry-max", y->retry_max, 1800000,
		                     &o->retry_max_ms, err);
	if (!rc && (!o->retry_ms || o->retry_ms > o->retry_max_ms || o->retry_max_ms > UINT32_MAX))
		rc = config_refuse(c->doc, err, "sip.outbound.retry",
		                   "more than nothing, and at most retry-max (RFC 5626, 4.5)");
	if (!rc)
		rc = config_duration(c->doc, "sip.outbound.keep-alive", y->keep_alive, 120000,
		                     &o->keep_alive_ms, err);
	if (!rc)
		rc = config_duration(c->doc, "sip.outbound.renegotiate", y->renegotiate, 0,
		                     &o->renegotiate_ms, err);
	if (!rc && o->keep_alive_ms > UINT32_MAX)
		rc = config_refuse(c->doc, err, "sip.outbound.keep-alive", "at most 49 days");
	if (!rc && y->reg_id > INT32_MAX)
		rc = config_refuse(c->doc, err, "sip.outbound.reg-id",
		                   "at most 2147483647 (RFC 5626, 4.2)");
	if (!rc && y->instance && strpbrk(y->instance, "<>\"\\ \r\n"))
		rc = config_refuse(c->doc, err, "sip.outbound.instance",
		                   "expected a URN such as urn:uuid:... (RFC 5626, 4.1)");
	return rc;
}

static int sip_read(struct ue_config *c, struct base_error *err)
{
	const struct ue_yaml_sip *sip = c->yaml->sip;
	const char *answer = sip && sip->answer ? sip->answer : "auto";
	uint64_t expires_ms = 0;
	int rc = config_duration(c->doc, "sip.expires", sip ? sip->expires : NULL, 3600000,
	                         &expires_ms, err);

	if (rc)
		return rc;
	if (expires_ms < 1000 || expires_ms / 1000 > UINT32_MAX)
		return config_refuse(c->doc, err, "sip.expires", "expected a second or more");
	c->expires_s = (uint32_t)(expires_ms / 1000);
	c->sip = sip;
	if (sip && sip->sdp && strcmp(sip->sdp, "none") != 0)
		c->sdp = config_doc_path(c->doc, sip->sdp, &c->arena);
	if (sip && sip->outbound)
		rc = outbound_read(c, sip, err);
	if (rc)
		return rc;
	if (strcmp(answer, "manual") == 0)
		c->answer = UE_ANSWER_MANUAL;
	else if (strcmp(answer, "busy") == 0)
		c->answer = UE_ANSWER_BUSY;
	else if (strcmp(answer, "auto") != 0)
		return config_refuse(c->doc, err, "sip.answer", "expected auto, manual or busy");
	if (sip && !c->yaml->identity)
		return config_refuse(c->doc, err, "sip",
		                     "SIP wants an identity, a SIP URI; set 'identity'");
	return 0;
}

static int kms_read(struct ue_config *c, struct base_error *err)
{
	const struct ue_yaml_kms *kms = c->yaml->kms;

	c->kms = kms;
	if (!kms)
		return 0;
	if (!kms->url || !kms->identity || !kms->key_file)
		return config_refuse(c->doc, err, "kms",
		                     "url, identity and key-file are needed: where the KMS is, who "
		                     "it is, and the key it shares with us");
	if (!kms->tls != (strncmp(kms->url, "https:", 6) != 0))
		return config_refuse(c->doc, err, kms->tls ? "kms.url" : "kms.tls",
		                     "https:// and tls go together: whose certificates are taken");
	if (kms->mode > 4)
		return config_refuse(c->doc, err, "kms.mode", "expected 1 to 4 (RFC 6043, 4.1.1)");
	if ((kms->mode == 3 || kms->mode == 4) && (!kms->tpk_file || !kms->tpk_id))
		return config_refuse(c->doc, err, "kms.mode",
		                     "modes 3 and 4 want tpk-file and tpk-id");
	for (unsigned i = 0; i < kms->aliases_count; i++)
		if (!kms->aliases[i].name || !kms->aliases[i].also)
			return config_refuse(c->doc, err, "kms.aliases",
			                     "each has a name and an also: who may answer for it");
	return 0;
}

const char *ue_config_path(struct ue_config *c, const char *name)
{
	return config_doc_path(c->doc, name, &c->arena);
}

char *ue_config_user(const struct ue_config *c)
{
	const char *from = strchr(c->identity, ':');
	const char *at = from ? strchr(from, '@') : NULL;

	if (c->sip->user)
		return strdup(c->sip->user);
	return at ? strndup(from + 1, (size_t)(at - from - 1)) : strdup("");
}

int ue_config_load(struct ue_config *ret, const char *path, struct base_error *err)
{
	struct ue_config c = { 0 };
	int rc = path ? config_load(path, &ue_schema, (void **)&c.yaml, &c.doc, err)
	              : config_load_text("<defaults>", "{}", 2, &ue_schema, (void **)&c.yaml,
	                                 &c.doc, err);

	if (!rc) {
		c.identity =
		        c.yaml->identity ? c.yaml->identity : "sip:anonymous@anonymous.invalid";
		c.name = c.yaml->name;
		rc = folders_read(&c);
	}
	if (!rc)
		rc = media_read(&c, err);
	if (!rc)
		rc = sip_read(&c, err);
	if (!rc)
		rc = kms_read(&c, err);
	if (!rc && strpbrk(c.identity, "<> \r\n"))
		rc = config_refuse(c.doc, err, "identity", "expected a URI such as sip:me@home");
	if (rc)
		ue_config_done(&c);
	else
		*ret = c;
	return rc;
}

void ue_config_done(struct ue_config *c)
{
	config_free(&ue_schema, c->yaml);
	config_doc_free(c->doc);
	base_arena_done(&c->arena);
	*c = (struct ue_config){ 0 };
}
