/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/message.h"

#define NAME(text, letter)                                                                         \
	{                                                                                          \
		text, sizeof(text) - 1, letter                                                     \
	}
static const struct {
	const char *name;
	uint8_t len;
	char compact; /* RFC 3261, 7.3.3; 0 = none */
} names[SIP_H_COUNT] = {
	[SIP_H_OTHER] = NAME("", 0),
	[SIP_H_ACCEPT] = NAME("Accept", 0),
	[SIP_H_ALLOW] = NAME("Allow", 0),
	[SIP_H_AUTHORIZATION] = NAME("Authorization", 0),
	[SIP_H_CALL_ID] = NAME("Call-ID", 'i'),
	[SIP_H_CONTACT] = NAME("Contact", 'm'),
	[SIP_H_CONTENT_LENGTH] = NAME("Content-Length", 'l'),
	[SIP_H_CONTENT_TYPE] = NAME("Content-Type", 'c'),
	[SIP_H_CSEQ] = NAME("CSeq", 0),
	[SIP_H_EVENT] = NAME("Event", 'o'),
	[SIP_H_EXPIRES] = NAME("Expires", 0),
	[SIP_H_FROM] = NAME("From", 'f'),
	[SIP_H_MAX_FORWARDS] = NAME("Max-Forwards", 0),
	[SIP_H_MIN_EXPIRES] = NAME("Min-Expires", 0),
	[SIP_H_P_ASSERTED_IDENTITY] = NAME("P-Asserted-Identity", 0),
	[SIP_H_P_ASSOCIATED_URI] = NAME("P-Associated-URI", 0),
	[SIP_H_P_PREFERRED_IDENTITY] = NAME("P-Preferred-Identity", 0),
	[SIP_H_PATH] = NAME("Path", 0),
	[SIP_H_PRIVACY] = NAME("Privacy", 0),
	[SIP_H_PROXY_AUTHENTICATE] = NAME("Proxy-Authenticate", 0),
	[SIP_H_PROXY_AUTHORIZATION] = NAME("Proxy-Authorization", 0),
	[SIP_H_PROXY_REQUIRE] = NAME("Proxy-Require", 0),
	[SIP_H_REASON] = NAME("Reason", 0),
	[SIP_H_RECORD_ROUTE] = NAME("Record-Route", 0),
	[SIP_H_REPLACES] = NAME("Replaces", 0),
	[SIP_H_REQUIRE] = NAME("Require", 0),
	[SIP_H_RETRY_AFTER] = NAME("Retry-After", 0),
	[SIP_H_ROUTE] = NAME("Route", 0),
	[SIP_H_SECURITY_CLIENT] = NAME("Security-Client", 0),
	[SIP_H_SECURITY_SERVER] = NAME("Security-Server", 0),
	[SIP_H_SECURITY_VERIFY] = NAME("Security-Verify", 0),
	[SIP_H_SERVICE_ROUTE] = NAME("Service-Route", 0),
	[SIP_H_SUBSCRIPTION_STATE] = NAME("Subscription-State", 0),
	[SIP_H_SUPPORTED] = NAME("Supported", 'k'),
	[SIP_H_TO] = NAME("To", 't'),
	[SIP_H_UNSUPPORTED] = NAME("Unsupported", 0),
	[SIP_H_VIA] = NAME("Via", 'v'),
	[SIP_H_WWW_AUTHENTICATE] = NAME("WWW-Authenticate", 0),
};
#undef NAME

/* RFC 3261, 6086 (INFO), 3262, 3311, 6665, 3515, 3428 and 3903 */
static const char *const methods[] = {
	[SIP_OTHER] = "",          [SIP_INVITE] = "INVITE",   [SIP_ACK] = "ACK",
	[SIP_BYE] = "BYE",         [SIP_CANCEL] = "CANCEL",   [SIP_REGISTER] = "REGISTER",
	[SIP_OPTIONS] = "OPTIONS", [SIP_MESSAGE] = "MESSAGE", [SIP_INFO] = "INFO",
	[SIP_PRACK] = "PRACK",     [SIP_UPDATE] = "UPDATE",   [SIP_SUBSCRIBE] = "SUBSCRIBE",
	[SIP_NOTIFY] = "NOTIFY",   [SIP_REFER] = "REFER",     [SIP_PUBLISH] = "PUBLISH",
};

static const struct {
	unsigned status;
	const char *reason;
} reasons[] = {
	{ 100, "Trying" },
	{ 180, "Ringing" },
	{ 181, "Call Is Being Forwarded" },
	{ 182, "Queued" },
	{ 183, "Session Progress" },
	{ 200, "OK" },
	{ 202, "Accepted" },
	{ 300, "Multiple Choices" },
	{ 301, "Moved Permanently" },
	{ 302, "Moved Temporarily" },
	{ 305, "Use Proxy" },
	{ 380, "Alternative Service" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 407, "Proxy Authentication Required" },
	{ 408, "Request Timeout" },
	{ 410, "Gone" },
	{ 413, "Request Entity Too Large" },
	{ 414, "Request-URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 416, "Unsupported URI Scheme" },
	{ 420, "Bad Extension" },
	{ 421, "Extension Required" },
	{ 423, "Interval Too Brief" },
	{ 430, "Flow Failed" }, /* RFC 5626, 11.5 */
	{ 439, "First Hop Lacks Outbound Support" },
	{ 440, "Max-Breadth Exceeded" }, /* RFC 5393, 7 */
	{ 480, "Temporarily Unavailable" },
	{ 481, "Call/Transaction Does Not Exist" },
	{ 482, "Loop Detected" },
	{ 483, "Too Many Hops" },
	{ 484, "Address Incomplete" },
	{ 485, "Ambiguous" },
	{ 486, "Busy Here" },
	{ 487, "Request Terminated" },
	{ 488, "Not Acceptable Here" },
	{ 489, "Bad Event" },
	{ 491, "Request Pending" },
	{ 493, "Undecipherable" },
	{ 494, "Security Agreement Required" }, /* RFC 3329, 6 */
	{ 500, "Server Internal Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Server Time-out" },
	{ 505, "Version Not Supported" },
	{ 513, "Message Too Large" },
	{ 580, "Precondition Failure" },
	{ 600, "Busy Everywhere" },
	{ 603, "Decline" },
	{ 604, "Does Not Exist Anywhere" },
	{ 606, "Not Acceptable" },
};

enum sip_header_id sip_header_id_of(struct base_str name)
{
	char compact = name.len == 1 ? (char)base_lower(name.ptr[0]) : 0;

	for (unsigned id = 1; id < SIP_H_COUNT; id++) {
		if (compact ? names[id].compact == compact
		            : names[id].len == name.len &&
		                      base_lower(names[id].name[0]) == base_lower(name.ptr[0]) &&
		                      base_str_ieq(name,
		                                   (struct base_str){ names[id].name, name.len }))
			return (enum sip_header_id)id;
	}
	return SIP_H_OTHER;
}

const char *sip_header_name(enum sip_header_id id)
{
	return names[id].name;
}

enum sip_method sip_method_of(struct base_str name)
{
	for (unsigned m = 1; m < BASE_COUNT(methods); m++) {
		if (base_str_eq(name, base_str_of(methods[m]))) /* case counts (7.1) */
			return (enum sip_method)m;
	}
	return SIP_OTHER;
}

const char *sip_method_name(enum sip_method method)
{
	return methods[method];
}

const char *sip_reason(unsigned status)
{
	for (size_t i = 0; i < BASE_COUNT(reasons); i++) {
		if (reasons[i].status == status)
			return reasons[i].reason;
	}
	return "Unknown";
}

const struct sip_header *sip_header_after(const struct sip_message *msg,
                                          const struct sip_header *after)
{
	for (size_t i = (size_t)(after - msg->headers) + 1; i < msg->header_count; i++) {
		if (msg->headers[i].id == after->id &&
		    (after->id || base_str_ieq(msg->headers[i].name, after->name)))
			return &msg->headers[i];
	}
	return NULL;
}

const struct sip_header *sip_header(const struct sip_message *msg, enum sip_header_id id)
{
	for (size_t i = 0; i < msg->header_count; i++) {
		if (msg->headers[i].id == id)
			return &msg->headers[i];
	}
	return NULL;
}

const struct sip_header *sip_header_named(const struct sip_message *msg, const char *name)
{
	for (size_t i = 0; i < msg->header_count; i++) {
		if (base_str_ieq(msg->headers[i].name, base_str_of(name)))
			return &msg->headers[i];
	}
	return NULL;
}

int sip_header_number(const struct sip_header *header, uint64_t max, uint64_t *ret)
{
	struct base_str s = header->value;

	/* Leading zeros are fine, in any number (RFC 4475, 3.1.1.1). */
	while (s.len > 1 && s.ptr[0] == '0')
		s = sip_from(s, 1);
	return base_str_u64(s, max, ret);
}

bool sip_values_next(struct sip_values *values, struct base_str *ret)
{
	while (!sip_list_next(&values->rest, ret)) {
		values->header = values->header ? sip_header_after(values->msg, values->header)
		                                : sip_header(values->msg, values->id);
		if (!values->header)
			return false;
		values->rest = values->header->value;
	}
	return true;
}

bool sip_header_has(const struct sip_message *msg, enum sip_header_id id, const char *token)
{
	struct sip_values values = { .msg = msg, .id = id };
	struct base_str one;

	while (sip_values_next(&values, &one)) {
		if (base_str_ieq(one, base_str_of(token)))
			return true;
	}
	return false;
}
