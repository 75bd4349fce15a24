/* SPDX-License-Identifier: Apache-2.0 */
#include "mgc/ask.h"

#include <stdio.h>
#include <stdlib.h>

#include "http/http.h"

#define TYPE    "application/mikey"
#define URL_MAX 1024

struct mgc_kms {
	struct http_client *client;
	const struct mgc_config *config;
};

struct mgc_ask {
	struct http_call *call;
	mgc_answer_fn *fn;
	void *arg;
};

int mgc_kms_new(struct mgc_kms **ret, struct loop *loop, struct streams *streams,
                const struct mgc_config *config)
{
	struct tls_domain *domain = mgc_config_domain(config, config->kms_domain);
	const struct http_client_spec spec = { .total_ms = config->kms_ms,
		                               .domain = domain,
		                               .streams = domain ? streams : NULL,
		                               .user_agent = "gatehouse-mgc" };
	struct mgc_kms *kms = calloc(1, sizeof(*kms));
	int rc = kms ? http_client_new(&kms->client, loop, &spec) : BASE_ERR(BASE_LOCAL, 0);

	if (rc) {
		free(kms);
		return rc;
	}
	kms->config = config;
	*ret = kms;
	return 0;
}

void mgc_kms_free(struct mgc_kms *kms)
{
	if (!kms)
		return;
	http_client_free(kms->client);
	free(kms);
}

/* An Error message of MIKEY comes with a status of 4xx or 5xx (docs/kms.md): it says more. */
static void done(void *arg, const struct http_result *result)
{
	struct mgc_ask *ask = arg;
	mgc_answer_fn *fn = ask->fn;
	void *user = ask->arg;
	char why[640];

	free(ask);
	if (!result->rc && !strcmp(result->type, TYPE) && result->body.len) {
		fn(user, mikey_octets_of(result->body.ptr, result->body.len), NULL);
		return;
	}
	if (result->rc)
		(void)snprintf(why, sizeof(why), "%s",
		               result->err ? result->err->text : "no memory");
	else
		(void)snprintf(why, sizeof(why), "HTTP status %u", result->status);
	base_log(BASE_LOG_WARN, "mgc", "the KMS does not answer: %s", why);
	fn(user, (struct mikey_octets){ NULL, 0 }, why);
}

int mgc_kms_ask(struct mgc_kms *kms, bool resolve, struct mikey_octets octets, mgc_answer_fn *fn,
                void *arg, struct mgc_ask **ret, struct base_error *err)
{
	const struct mgc_config *config = kms->config;
	char url[URL_MAX];
	const struct http_post post = { .url = url,
		                        .type = TYPE,
		                        .body = { (const char *)octets.at, octets.len } };
	struct mgc_ask *ask;
	int rc;

	if (!config->kms_url)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "there is no kms.url");
	if ((size_t)snprintf(url, sizeof(url), "%s%c%s=%s", config->kms_url,
	                     strchr(config->kms_url, '?') ? '&' : '?', config->kms_parameter,
	                     resolve ? "ticketresolve" : "ticketrequest") >= sizeof(url))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "kms.url is too long");
	ask = malloc(sizeof(*ask));
	if (!ask)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "no memory");
	*ask = (struct mgc_ask){ .fn = fn, .arg = arg };
	rc = http_post_start(&ask->call, kms->client, &post, done, ask, err);
	if (rc)
		free(ask);
	else
		*ret = ask;
	return rc;
}

void mgc_kms_forget(struct mgc_kms *kms, struct mgc_ask *ask)
{
	(void)kms;
	http_cancel(ask->call);
	free(ask);
}
