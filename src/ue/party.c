/* SPDX-License-Identifier: Apache-2.0 */
#include "ue/party.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define REPLAYS_MAX 1024 /* messages that are remembered as taken */

static struct mikey_id uri_id(const char *text)
{
	return (struct mikey_id){ MIKEY_URI, mikey_octets_text(text) };
}

static int keys_read(struct ue_party *p, struct ue_config *config, struct base_error *err)
{
	const struct ue_yaml_kms *kms = config->kms;
	const char *key = ue_config_path(config, kms->key_file), *tpk = NULL;
	int rc;

	if (kms->tpk_file)
		tpk = ue_config_path(config, kms->tpk_file);
	if (!key || (kms->tpk_file && !tpk))
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "out of memory");
	rc = config_secret_read(key, &p->key, err);
	if (!rc && tpk)
		rc = config_secret_read(tpk, &p->tpk, err);
	return rc;
}

static int aliases_read(struct ue_party *p, const struct ue_yaml_kms *kms)
{
	p->aliases = calloc(kms->aliases_count + 1, sizeof(*p->aliases));
	for (unsigned i = 0; p->aliases && i < kms->aliases_count; i++)
		p->aliases[i] = (struct offer_alias){ kms->aliases[i].name, kms->aliases[i].also };
	return p->aliases ? 0 : BASE_ERR(BASE_LOCAL, 0);
}

int ue_party_init(struct ue_party *p, struct ue_config *config, struct loop *loop,
                  struct tls_domain *domain, struct streams *streams, struct base_error *err)
{
	const struct http_client_spec http = { .user_agent = "gatehouse-ue",
		                               .domain = domain,
		                               .streams = domain ? streams : NULL };
	const struct ue_yaml_kms *kms = config->kms;
	int rc = keys_read(p, config, err);

	if (rc)
		return rc;
	if (!offer_identity(base_str_of(config->identity), p->id, sizeof(p->id)))
		return config_refuse(config->doc, err, "identity",
		                     "a KMS knows users by sip, sips and tel URIs");
	p->url = kms->url;
	p->offer = (struct offer_party){
		.id = uri_id(p->id),
		.kms = uri_id(kms->identity),
		.cred = { .psk = mikey_secret(&p->key) },
		.mode = kms->mode,
		.replay = mikey_replay_new(REPLAYS_MAX),
	};
	if (kms->key_id)
		p->offer.cred.psk_id = uri_id(kms->key_id);
	if (kms->tpk_file)
		p->offer.tpk = (struct mikey_tpk){ mikey_secret(&p->tpk), uri_id(kms->tpk_id),
			                           p->offer.id };
	if (!p->offer.replay || aliases_read(p, kms) || http_client_new(&p->http, loop, &http))
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "out of memory");
	p->offer.aliases = p->aliases;
	p->offer.alias_count = kms->aliases_count;
	return 0;
}

void ue_party_done(struct ue_party *p)
{
	http_client_free(p->http);
	mikey_replay_free(p->offer.replay);
	base_secret_done(&p->key);
	base_secret_done(&p->tpk);
	free(p->aliases);
	*p = (struct ue_party){ 0 };
}

int ue_party_ask(const struct ue_party *p, const struct offer_question *question, http_done_fn *fn,
                 void *arg, struct http_call **ret, struct base_error *err)
{
	char url[2048];
	const struct http_post post = {
		.url = url,
		.type = "application/mikey",
		.body = { (const char *)question->octets.at, question->octets.len },
	};
	int n = snprintf(url, sizeof(url), "%s%srequesttype=%s", p->url,
	                 strchr(p->url, '?') ? "&" : "?",
	                 question->resolve ? "ticketresolve" : "ticketrequest");

	if (n < 0 || (size_t)n >= sizeof(url))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "the KMS's URL is too long");
	return http_post_start(ret, p->http, &post, fn, arg, err);
}

uint64_t ue_party_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return mikey_ntp((uint64_t)now.tv_sec, (uint32_t)now.tv_nsec);
}
