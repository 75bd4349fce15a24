/* SPDX-License-Identifier: Apache-2.0 */
#include "ue/config.h"

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
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t ue_fields[] = {
	TEXT("identity", struct ue_yaml, identity),
	TEXT("name", struct ue_yaml, name),
	CYAML_FIELD_SEQUENCE("profiles", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct ue_yaml,
	                     profiles, &text_entry, 0, CYAML_UNLIMITED),
	CYAML_FIELD_MAPPING_PTR("media", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct ue_yaml,
	                        media, media_fields),
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
