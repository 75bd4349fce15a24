/* SPDX-License-Identifier: Apache-2.0 */
/** @file Words for the numbers of the model, and for TerminationIDs, mIds and times. */
#include "cli/explain.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>

const char *const explain_descriptors[] = {
	"Mux",      "Modem",      "Media",          "Events",   "Signals",
	"DigitMap", "Statistics", "ObservedEvents", "Packages", "EventBuffer",
	"Audit",    "Error",      "Services",       NULL
};
const char *const explain_methods[] = {
	"not given",
	"Failover: the other one of a pair takes over",
	"Forced: it is taken out of service at once, and what it carried is lost",
	"Graceful: it will be taken out of service after the delay; nothing new is to be put on it",
	"Restart: it comes into service after the delay",
	"Disconnected: contact was lost and has come back; state was kept",
	"Handoff: the gateway is to turn to another controller",
	"an extension",
	NULL
};
const char *const explain_modes[] = {
	"not given", "send only", "receive only", "send and receive", "inactive", "loopback", NULL
};
const char *const explain_states[] = { "not given", "test", "out of service", "in service", NULL };
const char *const explain_muxes[] = { "an extension", "H.221", "H.223", "H.226",
	                              "V.76",         "Nx64K", NULL };
const char *const explain_signals[] = { "not given", "brief", "on until it is replaced",
	                                "until its duration is over", NULL };
const char *const explain_directions[] = { "not given", "into the context", "out of the gateway",
	                                   "both ways", NULL };
const char *const explain_topologies[] = { "flows both ways",
	                                   "does not flow",
	                                   "flows from the first to the second only",
	                                   "flows one way, to the outside of the second only",
	                                   "flows one way, to the second and into the context",
	                                   NULL };

const char *explain_word(const char *const *words, unsigned number)
{
	for (unsigned i = 0; words[i]; i++) {
		if (i == number)
			return words[i];
	}
	return "?";
}

const char *explain_shown(struct base_str s, char buf[EXPLAIN_SHOWN])
{
	size_t room = EXPLAIN_SHOWN - 4, len = BASE_MIN(s.len, room);

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		buf[i] = c < 0x20 || c == 0x7f ? '?' : (char)c;
	}
	memcpy(buf + len, s.len > room ? "..." : "", s.len > room ? 4 : 1);
	return buf;
}

const char *explain_put(char buf[EXPLAIN_SHOWN], const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(buf, EXPLAIN_SHOWN, fmt, args);
	va_end(args);
	return buf;
}

const char *explain_term(const struct h248_term *term, char buf[EXPLAIN_SHOWN])
{
	char name[EXPLAIN_SHOWN];

	explain_shown(term->name, name);
	switch (term->kind) {
	case H248_TERM_ROOT:
		return explain_put(buf, "%s (the gateway as a whole)", name);
	case H248_TERM_ALL:
		return explain_put(buf, "every termination (%s)", name);
	case H248_TERM_CHOOSE:
		return explain_put(buf, "a termination that the gateway chooses (%s)", name);
	case H248_TERM_PARTIAL:
		return explain_put(buf,
		                   strchr(name, '$') ? "a termination that the gateway names by %s"
		                                     : "every termination that matches %s",
		                   name);
	default:
		return explain_put(buf, "%s", name);
	}
}

const char *explain_mid(const struct h248_mid *mid, char buf[EXPLAIN_SHOWN])
{
	char name[EXPLAIN_SHOWN], port[8] = "", ip[INET6_ADDRSTRLEN] = "";

	explain_shown(mid->name, name);
	if (mid->has_port)
		(void)snprintf(port, sizeof(port), ":%u", mid->port);
	switch (mid->kind) {
	case H248_MID_DOMAIN:
		(void)explain_put(buf, "<%s>%s", name, port);
		break;
	case H248_MID_IP4:
	case H248_MID_IP6:
		(void)inet_ntop(mid->kind == H248_MID_IP4 ? AF_INET : AF_INET6, mid->address, ip,
		                sizeof(ip));
		(void)explain_put(buf, "[%s]%s", ip, port);
		break;
	case H248_MID_MTP:
		base_hex_encode(mid->address, mid->address_len, 0, true, name);
		(void)explain_put(buf, "MTP{%s}", name);
		break;
	case H248_MID_PORT:
		(void)explain_put(buf, "port %u of the same host", mid->port);
		break;
	default:
		(void)explain_put(buf, "%s", name);
		break;
	}
	return buf;
}

const char *explain_time(const struct h248_time *time, char buf[EXPLAIN_SHOWN])
{
	const char *d = time->digits;

	buf[0] = '\0';
	if (d[0])
		(void)explain_put(buf, "%.4s-%.2s-%.2s %.2s:%.2s:%.2s.%.2s", d, d + 4, d + 6, d + 8,
		                  d + 10, d + 12, d + 14);
	return buf;
}
