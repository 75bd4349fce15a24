/* SPDX-License-Identifier: Apache-2.0 */
/** @file What the edges of a pool have in common. */
#include "edge/yaml.h"

static int refuse(const struct edge_config *c, const char *where, const struct base_error *why,
                  struct base_error *err)
{
	char text[900];

	return config_refuse(c->doc, err, where, "%.380s",
	                     base_error_format(why, text, sizeof(text)));
}

int edge_pool_read(struct edge_config *c, struct base_error *err)
{
	const struct edge_yaml_pool *y = c->yaml->pool;
	struct base_error why = { 0 };
	const char *secret, *password = NULL;
	struct sip_uri uri;

	if (!y)
		return 0;
	secret = config_doc_path(c->doc, y->secret, &c->arena);
	if (y->password)
		password = config_doc_path(c->doc, y->password, &c->arena);
	if (!secret || (y->password && !password))
		return BASE_ERR(BASE_LOCAL, 0);
	if (config_secret_read(secret, &c->pool.secret, &why))
		return refuse(c, "pool.secret-file", &why, err);
	if (password && config_password_read(password, &c->pool.password, &why))
		return refuse(c, "pool.password-file", &why, err);
	c->pool.name = y->name;
	c->pool.redis = y->redis;
	c->pool_id = y->id;
	c->pool_address = y->address;
	if (y->address && (sip_uri_parse(base_str_of(y->address), &uri) || !uri.host.len))
		return config_refuse(c->doc, err, "pool.address", "'%s' is no SIP URI", y->address);
	return pool_check(&c->pool, &why) ? refuse(c, "pool", &why, err) : 0;
}
