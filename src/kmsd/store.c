/* SPDX-License-Identifier: Apache-2.0 */
/** @file Which store the file names: SQLite, or the Redis of a pool. */
#include <arpa/inet.h>
#include <ctype.h>

#include "kmsd/config.h"

#define REDIS_PORT 6379
#define PREFIX_MAX 63
#define PATH_LONG  107 /* unix(7) */
#define USER_MAX   63

static int address_read(struct kmsd_config *c, const char *text, struct base_error *err)
{
	struct config_address a;
	uint8_t ip[16];

	c->redis.address = text;
	if (strlen(text) > 119)
		return config_refuse(c->doc, err, "kms.redis.address", "longer than 119 octets");
	if (!strncmp(text, "unix:", 5)) {
		c->redis.path = text + 5;
		return text[5] == '/' && strlen(text + 5) <= PATH_LONG
		               ? 0
		               : config_refuse(c->doc, err, "kms.redis.address",
		                               "unix: and a path from / of at most 107 octets");
	}
	if (config_address_parse(base_str_of(text), REDIS_PORT, &a) || a.transport[0] ||
	    (inet_pton(AF_INET, a.host, ip) != 1 && inet_pton(AF_INET6, a.host, ip) != 1))
		return config_refuse(c->doc, err, "kms.redis.address",
		                     "'%s' is no IP address and port, nor unix: and a path", text);
	c->redis.host = base_arena_dup(&c->arena, base_str_of(a.host));
	c->redis.port = a.port;
	return c->redis.host ? 0 : BASE_ERR(BASE_LOCAL, 0);
}

static int password_read(struct kmsd_config *c, const char *file, struct base_error *err)
{
	const char *path = NULL;
	struct base_error why = { 0 };
	char text[900];
	int rc = kmsd_path(c, file, &path);

	if (rc || !path)
		return rc;
	if (config_password_read(path, &c->redis_password, &why))
		return config_refuse(c->doc, err, "kms.redis.password-file", "%.400s",
		                     base_error_format(&why, text, sizeof(text)));
	c->redis.password = &c->redis_password;
	return c->redis_password.len ? 0
	                             : config_refuse(c->doc, err, "kms.redis.password-file",
	                                             "%s: no password is in it", path);
}

static bool is_prefix(const char *text)
{
	size_t len = strlen(text);

	for (const char *at = text; *at; at++)
		if (!isalnum((unsigned char)*at) && !strchr("-_.:", *at))
			return false;
	return len && len <= PREFIX_MAX;
}

static int redis_read(struct kmsd_config *c, const struct kmsd_yaml_redis *y,
                      struct base_error *err)
{
	uint64_t ms = 0;
	int rc = address_read(c, y->address, err);

	c->redis.user = y->user;
	c->redis.prefix = y->prefix ? y->prefix : "gatehouse-kms";
	if (!rc && !is_prefix(c->redis.prefix))
		rc = config_refuse(c->doc, err, "kms.redis.prefix",
		                   "1 to 63 letters, digits, '-', '_', '.' and ':'");
	if (!rc && y->user && (!*y->user || strlen(y->user) > USER_MAX || !y->password_file))
		rc = config_refuse(c->doc, err, "kms.redis.user",
		                   "1 to 63 octets, and a password-file beside it");
	if (!rc)
		rc = config_duration(c->doc, "kms.redis.patience", y->patience, KMS_REDIS_MS, &ms,
		                     err);
	if (!rc && (ms < 10 || ms > 10000))
		rc = config_refuse(c->doc, err, "kms.redis.patience", "from 10ms to 10s");
	c->redis.patience_ms = (uint32_t)ms;
	if (!rc)
		rc = password_read(c, y->password_file, err);
	return rc;
}

int kmsd_store_read(struct kmsd_config *c, struct base_error *err)
{
	const struct kmsd_yaml_kms *y = c->yaml->kms;

	if (!y->store == !y->redis)
		return config_refuse(c->doc, err, y->store ? "kms.redis" : "kms.store",
		                     "one of store (a file of this KMS) and redis (of a pool)");
	return y->redis ? redis_read(c, y->redis, err) : kmsd_path(c, y->store, &c->store);
}

int kmsd_store_open(const struct kmsd_config *c, struct kms_store **ret, struct base_error *err)
{
	return c->store ? kms_store_open(ret, c->store, c->master.data, err)
	                : kms_store_open_redis(ret, &c->redis, c->master.data, err);
}

const char *kmsd_store_name(const struct kmsd_config *c)
{
	return c->store ? c->store : c->redis.address;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

bool kmsd_store_same(const struct kmsd_config *a, const struct kmsd_config *b)
{
	return same_text(a->store, b->store) && same_text(a->redis.address, b->redis.address) &&
	       same_text(a->redis.user, b->redis.user) &&
	       same_text(a->redis.prefix, b->redis.prefix) &&
	       a->redis.patience_ms == b->redis.patience_ms &&
	       base_secret_equal(a->redis_password.data, a->redis_password.len,
	                         b->redis_password.data, b->redis_password.len);
}
