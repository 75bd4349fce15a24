/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/engine.h"

const char *tls_engine_name(enum tls_engine engine)
{
	switch (engine) {
	case TLS_ENGINE_OPENSSL:
		return "openssl";
	case TLS_ENGINE_GNUTLS:
		return "gnutls";
	default:
		return "auto";
	}
}

static const struct tls_engine_ops *engine_ops(enum tls_engine engine)
{
	if (engine == TLS_ENGINE_OPENSSL)
		return tls_openssl_ops();
	return engine == TLS_ENGINE_GNUTLS ? tls_gnutls_ops() : NULL;
}

const struct profile_engine_caps *tls_engine_caps(enum tls_engine engine)
{
	const struct tls_engine_ops *ops = engine_ops(engine);

	return ops ? ops->caps : NULL;
}

const char *tls_info_auth(const struct tls_info *info)
{
	if (info->psk)
		return info->established ? "psk" : "psk-failed";
	if (!info->has_verdict)
		return "not-asked";
	if (info->verdict.authenticated)
		return info->verdict.method == TRUST_CA ? "ca" : "fingerprint";
	return trust_reason_name(info->verdict.reason);
}
