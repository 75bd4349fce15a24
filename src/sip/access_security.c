/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/access_security.h"

#define VERIFY_MAX 1024 /* it is said again in each request */

static bool is_tls(struct base_str element)
{
	struct base_str name = { element.ptr, sip_span(element, SIP_CH_TOKEN) };

	return base_str_ieq(name, BASE_STR("tls"));
}

int sip_security_take(const struct sip_message *msg, struct base_writer *verify)
{
	struct sip_values values = { .msg = msg, .id = SIP_H_SECURITY_SERVER };
	struct base_str one;
	bool tls = false;
	size_t count = 0;

	while (sip_values_next(&values, &one)) {
		if (!one.len)
			continue;
		if (!count)
			base_writer_reset(verify);
		base_writer_text(verify, count++ ? ", " : "");
		for (size_t i = 0; i < one.len; i++) /* a folded line becomes one */
			base_writer_u8(verify, one.ptr[i] == '\r' || one.ptr[i] == '\n'
			                               ? ' '
			                               : (uint8_t)one.ptr[i]);
		tls |= is_tls(one);
	}
	if (verify->failed)
		return BASE_ERR(BASE_LOCAL, 500);
	return count && (!tls || verify->len > VERIFY_MAX) ? BASE_ERR(BASE_PEER, 0) : 0;
}

void sip_security_write(const struct base_writer *verify, bool reg, struct base_writer *w)
{
	if (reg)
		base_writer_text(w, "Security-Client: tls\r\n");
	if (verify->len) {
		base_writer_text(w, "Security-Verify: ");
		base_writer_str(w, base_writer_view(verify));
		base_writer_text(w, "\r\n");
	}
	if (reg || verify->len)
		base_writer_text(w, "Require: sec-agree\r\nProxy-Require: sec-agree\r\n");
}
