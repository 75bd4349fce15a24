/* SPDX-License-Identifier: Apache-2.0 */
/** @file What came of a probe, in words. */
#include <stdio.h>

#include "check/words.h"

const char check_silence[] = "silence, before and after which another hello was answered";

const char *check_alert_name(int alert)
{
	static const struct {
		int code;
		const char *name;
	} names[] = {
		{ 0, "close_notify" },
		{ 10, "unexpected_message" },
		{ 20, "bad_record_mac" },
		{ 22, "record_overflow" },
		{ 40, "handshake_failure" },
		{ 42, "bad_certificate" },
		{ 46, "certificate_unknown" },
		{ 47, "illegal_parameter" },
		{ 48, "unknown_ca" },
		{ 50, "decode_error" },
		{ 51, "decrypt_error" },
		{ 70, "protocol_version" },
		{ 71, "insufficient_security" },
		{ 80, "internal_error" },
		{ 86, "inappropriate_fallback" },
		{ 90, "user_canceled" },
		{ 100, "no_renegotiation" },
		{ 109, "missing_extension" },
		{ 110, "unsupported_extension" },
		{ 112, "unrecognized_name" },
		{ 115, "unknown_psk_identity" },
		{ 116, "certificate_required" },
		{ 120, "no_application_protocol" },
	};

	for (size_t i = 0; i < BASE_COUNT(names); i++)
		if (names[i].code == alert)
			return names[i].name;
	return "alert";
}

const char *check_suite_name(uint16_t code)
{
	const struct profile_suite *suite = profile_suite_find(code);

	return suite ? suite->name : "a suite that is not in the registry here";
}

static void answered(const struct check_answer *a, char *buf, size_t cap)
{
	unsigned version = check_answer_version(a);

	if (version == PROFILE_SSL_2_0)
		(void)snprintf(buf, cap, "SERVER-HELLO of SSL 2.0");
	else
		(void)snprintf(buf, cap, "%s %s, %s%s",
		               a->retry ? "HelloRetryRequest" : "ServerHello",
		               profile_version_name(version), check_suite_name(a->suite),
		               a->compression ? ", compressed" : "");
}

const char *check_probe_words(const struct check_probe *p, char *buf, size_t cap)
{
	const struct check_answer *a = &p->answer;

	switch (a->outcome) {
	case CHECK_ANSWERED:
		answered(a, buf, cap);
		break;
	case CHECK_REFUSED:
		if (a->alert >= 0)
			(void)snprintf(buf, cap, "refused with alert %s (%d)",
			               check_alert_name(a->alert), a->alert);
		else
			(void)snprintf(buf, cap, "refused: %s",
			               a->silent ? check_silence : "the connection ended");
		break;
	case CHECK_STALLED:
		(void)snprintf(buf, cap, "no answer in time");
		break;
	case CHECK_UNREACHABLE:
		(void)snprintf(buf, cap, "no connection");
		break;
	case CHECK_GARBLED:
		(void)snprintf(buf, cap, "what came is not TLS");
		break;
	default:
		(void)snprintf(buf, cap, "not asked");
	}
	return buf;
}
