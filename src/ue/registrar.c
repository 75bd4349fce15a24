/* SPDX-License-Identifier: Apache-2.0 */
#include "ue/registrar.h"

#include <stdlib.h>

struct ue_registrar {
	struct ue_app *app;
	struct sip_register *reg; /* NULL: it only proves itself, or `access` does it */
	struct ue_access *access; /* NULL: it looks for a way like any request */
	const struct base_str *given;
	size_t given_count;
	struct base_arena arena; /* of what the registrar has said */
	struct base_str *routes;
	size_t route_count;
	bool ending;
};

/* Behind the proxies that were given; one that stands there already is not asked twice. */
static void routes_take(struct ue_registrar *r)
{
	size_t count, skip = 0;
	const struct base_str *said = r->access ? ue_access_routes(r->access, &count)
	                                        : sip_register_routes(r->reg, &count);

	base_arena_reset(&r->arena);
	r->route_count = 0;
	r->routes = base_arena_array(&r->arena, r->given_count + count + 1, sizeof(*r->routes));
	if (!r->routes)
		return;
	while (r->route_count < r->given_count) {
		r->routes[r->route_count] = r->given[r->route_count];
		r->route_count++;
	}
	while (skip < count && skip < r->given_count && base_str_eq(said[skip], r->given[skip]))
		skip++;
	for (; skip < count; skip++) {
		char *copy = base_arena_dup(&r->arena, said[skip]);

		if (copy)
			r->routes[r->route_count++] = (struct base_str){ copy, said[skip].len };
	}
}

static void on_register(void *user, enum sip_register_what what, unsigned status,
                        const struct sip_message *msg)
{
	static const char *const names[] = { [SIP_REGISTERED] = "sip.registered",
		                             [SIP_UNREGISTERED] = "sip.unregistered",
		                             [SIP_UNANSWERED] = "sip.unanswered" };
	struct ue_registrar *r = user;
	struct ue_number code;

	(void)msg;
	if (what == SIP_REGISTERED)
		routes_take(r);
	if (r->ending)
		r->ending = false;
	UE_TELL(&r->app->events, names[what], { "status", ue_number(&code, status) });
}

static int credential(struct ue_app *app, struct sip_ua *ua, struct base_error *err)
{
	const char *file = app->config.sip->password_file;
	struct base_secret password = { 0 };
	char *user;
	int rc;

	if (!file)
		return 0;
	rc = config_secret_read(ue_config_path(&app->config, file), &password, err);
	if (rc)
		return rc;
	user = ue_config_user(&app->config);
	rc = user ? sip_ua_credential(ua, app->config.sip->realm, user, password.data, password.len)
	          : BASE_ERR(BASE_LOCAL, 0);
	free(user);
	base_secret_done(&password);
	return rc ? base_error_set(err, rc, "out of memory") : 0;
}

static int start(struct ue_registrar *r, struct flow_ua *net, const char *self,
                 struct base_error *err)
{
	const struct ue_config *config = &r->app->config;
	struct sip_register_config reg = { .registrar = base_str_of(config->sip->registrar),
		                           .aor = base_str_of(self),
		                           .routes = r->given,
		                           .route_count = r->given_count,
		                           .expires_s = config->expires_s };

	if (config->outbound.yaml)
		return ue_access_new(&r->access, r->app, net, self, r->given, r->given_count, err);
	if (!config->sip->registrar)
		return 0;
	return sip_register_new(&r->reg, flow_ua_sip(net), &reg, on_register, r)
	               ? base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "out of memory")
	               : 0;
}

int ue_registrar_new(struct ue_registrar **ret, struct ue_app *app, struct flow_ua *net,
                     const char *self, const struct base_str *routes, size_t route_count,
                     struct base_error *err)
{
	struct ue_registrar *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "out of memory");
	r->app = app;
	r->given = routes;
	r->given_count = route_count;
	r->arena.chunk_size = 512;
	*ret = r; /* what it begins may be told at once */
	rc = credential(app, flow_ua_sip(net), err);
	if (!rc)
		rc = start(r, net, self, err);
	if (rc) {
		ue_registrar_free(r);
		*ret = NULL;
	}
	return rc;
}

void ue_registrar_free(struct ue_registrar *r)
{
	if (!r)
		return;
	sip_register_free(r->reg);
	ue_access_free(r->access);
	base_arena_done(&r->arena);
	free(r);
}

struct ue_access *ue_registrar_access(const struct ue_registrar *r)
{
	return r->access;
}

void ue_registrar_quit(struct ue_registrar *r)
{
	if (r->access)
		ue_access_stop(r->access);
	if (!r->reg || !sip_register_is(r->reg))
		return; /* there is nothing to take back */
	r->ending = true;
	sip_register_stop(r->reg);
}

bool ue_registrar_busy(const struct ue_registrar *r)
{
	return r->ending || (r->access && ue_access_busy(r->access));
}

const struct base_str *ue_registrar_routes(struct ue_registrar *r, size_t *ret_count)
{
	if (r->access)
		routes_take(r);
	*ret_count = r->routes ? r->route_count : r->given_count;
	return r->routes ? r->routes : r->given;
}
