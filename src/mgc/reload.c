/* SPDX-License-Identifier: Apache-2.0 */
#include "mgc/reload.h"

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool same_texts(const char *const *a, size_t a_count, const char *const *b, size_t b_count)
{
	for (size_t i = 0; a_count == b_count && i < a_count; i++)
		if (!same(a[i], b[i]))
			return false;
	return a_count == b_count;
}

static const char *sip_obstacle(const struct mgc_config *a, const struct mgc_config *b)
{
	if (!same_texts(a->sip_listen, a->sip_listen_count, b->sip_listen, b->sip_listen_count))
		return "sip.listen";
	if (!a->sip_domain != !b->sip_domain)
		return "sip.domain";
	if (!same(a->sip_host, b->sip_host))
		return "sip.host";
	if (!same(a->dns, b->dns))
		return "sip.dns";
	return a->session_s != b->session_s ? "sip.session" : NULL;
}

static const char *mp_obstacle(const struct mgc_config *a, const struct mgc_config *b)
{
	const struct h248_node_config *x = &a->mp.node, *y = &b->mp.node;

	if (a->mp.listen.transport != b->mp.listen.transport ||
	    !h248_addr_equal(&a->mp.listen, &b->mp.listen))
		return "h248.listen";
	if (!h248_mid_equal(&x->txn.mid, &y->txn.mid))
		return "h248.mid";
	if (x->txn.codec != y->txn.codec)
		return "h248.encoding";
	if (x->txn.t_max_ms != y->txn.t_max_ms)
		return "h248.t-max";
	if (!same(a->link.peer_name, b->link.peer_name))
		return "h248.peer-name";
	return a->messages != b->messages ? "log.unsafe-messages" : NULL;
}

const char *mgc_reload_obstacle(const struct mgc_config *now, const struct mgc_config *fresh)
{
	const char *what = sip_obstacle(now, fresh);

	if (!what)
		what = mp_obstacle(now, fresh);
	if (!what && !same(now->media_domain, fresh->media_domain))
		what = "mrfp.domain";
	if (!what && now->agnostic != fresh->agnostic)
		what = "mrfp.agnostic";
	if (!what && !same(now->metrics, fresh->metrics))
		what = "metrics.listen";
	return what;
}

void mgc_reload_inherit(struct mgc_config *fresh, struct mgc_config *now)
{
	struct mikey_replay *seen = now->replay;

	now->replay = fresh->replay; /* unused; it goes with `now` */
	fresh->replay = seen;
	for (size_t i = 0; i < fresh->room_count; i++)
		fresh->rooms[i].party.replay = seen;
}

bool mgc_reload_idle(const struct mgc_config *config)
{
	for (size_t i = 0; i < config->domain_count; i++)
		if (tls_domain_shared(config->domains[i].tls))
			return false;
	return true;
}
