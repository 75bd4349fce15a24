/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdlib.h>

#include "ue/load_private.h"

#define NAME(id, name, text) [LOAD_##id] = name,
static const char *const work_names[] = { LOAD_WORKS(NAME) };
#undef NAME
#define FAULT(id, name) [LOAD_FAULT_##id] = name,
static const char *const fault_names[] = { LOAD_FAULTS(FAULT) };
#undef FAULT

const char *load_work_name(enum load_work work)
{
	return work_names[work];
}

const char *load_fault_name(enum load_fault fault)
{
	return fault_names[fault];
}

static const char usage[] =
        "usage: gatehouse ue --config FILE --count N [--rate R] [OPTION ...]\n"
        "\n"
        "N user agents in one process, each with a connection of its own to the first of\n"
        "sip.proxy. All register, then work for the duration, then take it back.\n"
        "\n"
        "  --count N        so many; the number goes into the identity, in front of its @\n"
        "  --first N        the first number: 0\n"
        "  --rate R         registrations begun a second; 'max' (the default): as fast as the\n"
        "                   window lets\n"
        "  --window N       of each kind of work at most so many at a time: 64\n"
        "  --duration TIME  of the work, from when all have registered or failed: 10s where there\n"
        "                   is any, else 0s\n"
        "  --message R      MESSAGEs a second, or 'max', each to another of them\n"
        "  --call R         calls (INVITE, ACK, BYE)\n"
        "  --refresh R      REGISTER anew on the connection that is there\n"
        "  --churn R        connections dropped; a new one, by a resumed session, registers\n"
        "  --full           no session is resumed\n"
        "  --ping R         CRLF CRLF\n"
        "  --keep-alive TIME   who was idle for so long pings, as outbound wants: 80s; 0s = never\n"
        "  --octets N       of a MESSAGE's body: 100\n"
        "  --patience TIME  for anything: 30s\n"
        "  --retry          who has failed or was lost registers again, at the rate\n"
        "  --to ADDR:PORT   where to connect, when the proxy is a name\n"
        "  --sources N      connect from N addresses, 127.1.0.1 on\n"
        "  --plain          without outbound (RFC 5626)\n"
        "  --stay           do not take the registrations back\n"
        "  --wait           wait for a line on standard input before the work, and after it\n"
        "  --json           figures as JSON, a line each\n"
        "  --quiet          no line of progress each second\n"
        "  --log LEVEL      error (default), warn, info or debug, to standard error\n"
        "\n"
        "Exit status: 0 all was done, 1 something failed, 2 wrong usage or configuration.\n";

enum {
	O_CONFIG = 256,
	O_COUNT,
	O_FIRST,
	O_WINDOW,
	O_OCTETS,
	O_SOURCES,
	O_RATE,
	O_DURATION,
	O_PATIENCE,
	O_ALIVE,
	O_TO,
	O_LOG,
	O_HELP,
	O_WORK, /* and those behind it */
};

#define FLAG(word, letter)                                                                         \
	{                                                                                          \
		word, no_argument, NULL, letter                                                    \
	}
#define WORD(word, letter)                                                                         \
	{                                                                                          \
		word, required_argument, NULL, letter                                              \
	}
static const struct option options[] = {
	WORD("config", O_CONFIG),
	WORD("count", O_COUNT),
	WORD("first", O_FIRST),
	WORD("window", O_WINDOW),
	WORD("octets", O_OCTETS),
	WORD("sources", O_SOURCES),
	WORD("rate", O_RATE),
	WORD("duration", O_DURATION),
	WORD("patience", O_PATIENCE),
	WORD("keep-alive", O_ALIVE),
	WORD("to", O_TO),
	WORD("log", O_LOG),
	WORD("churn", O_WORK + LOAD_CHURN),
	WORD("refresh", O_WORK + LOAD_REFRESH),
	WORD("message", O_WORK + LOAD_MESSAGE),
	WORD("call", O_WORK + LOAD_CALL),
	WORD("ping", O_WORK + LOAD_PING),
	FLAG("full", 'f'),
	FLAG("retry", 'r'),
	FLAG("plain", 'p'),
	FLAG("stay", 's'),
	FLAG("wait", 'w'),
	FLAG("json", 'j'),
	FLAG("quiet", 'q'),
	FLAG("help", O_HELP),
	{ 0 },
};

static bool number(const char *text, uint32_t least, uint32_t most, uint32_t *ret)
{
	uint64_t value;

	if (base_str_u64(base_str_of(text), most, &value) || value < least)
		return false;
	*ret = (uint32_t)value;
	return true;
}

static bool rate(const char *text, double *ret)
{
	char *end;
	double value = strtod(text, &end);

	if (strcmp(text, "max") == 0) {
		*ret = LOAD_MAX;
		return true;
	}
	if (end == text || *end || !(value >= 1e-6) || value > 1e6)
		return false;
	*ret = value;
	return true;
}

static bool duration(const char *text, uint64_t *ret)
{
	return !config_duration_parse(base_str_of(text), ret);
}

static bool flag(struct load_options *o, int letter)
{
	bool *const flags[] = {
		['f'] = &o->full, ['r'] = &o->retry, ['p'] = &o->plain, ['s'] = &o->stay,
		['w'] = &o->wait, ['j'] = &o->json,  ['q'] = &o->quiet
	};

	if (letter >= (int)BASE_COUNT(flags) || !flags[letter])
		return false;
	*flags[letter] = true;
	return true;
}

static bool take(struct load_options *o, int letter, const char *text)
{
	enum base_level level;
	uint32_t octets;

	switch (letter) {
	case O_CONFIG:
		o->config = text;
		return true;
	case O_TO:
		o->to = text;
		return true;
	case O_COUNT:
		return number(text, 1, 1000000, &o->count);
	case O_FIRST:
		return number(text, 0, 1000000000, &o->first);
	case O_WINDOW:
		return number(text, 1, 1000000, &o->window);
	case O_SOURCES:
		return number(text, 1, 60000, &o->sources);
	case O_OCTETS:
		o->octets = number(text, 0, 32768, &octets) ? octets : SIZE_MAX;
		return o->octets != SIZE_MAX;
	case O_RATE:
		return rate(text, &o->rate[LOAD_REGISTER]);
	case O_DURATION:
		return duration(text, &o->duration_ms);
	case O_PATIENCE:
		return duration(text, &o->patience_ms) && o->patience_ms &&
		       o->patience_ms <= 3600000;
	case O_ALIVE:
		return duration(text, &o->alive_ms);
	case O_LOG:
		if (base_log_level_parse(base_str_of(text), &level))
			return false;
		base_log_level_set(level);
		return true;
	default:
		return letter >= O_WORK ? rate(text, &o->rate[letter - O_WORK]) : flag(o, letter);
	}
}

static bool works(const struct load_options *o)
{
	for (unsigned i = LOAD_CHURN; i < LOAD_LEAVE; i++)
		if (o->rate[i] != 0)
			return true;
	return false;
}

int load_options_read(struct load_options *ret, int argc, char **argv)
{
	struct load_options o = { .window = 64,
		                  .patience_ms = 30000,
		                  .alive_ms = 80000,
		                  .octets = 100,
		                  .duration_ms = UINT64_MAX,
		                  .rate[LOAD_REGISTER] = LOAD_MAX };
	bool wrong = false;
	int letter;

	base_log_level_set(BASE_LOG_ERROR); /* a line a handshake is no news of a thousand */
	optind = 1;
	while ((letter = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (letter == O_HELP) {
			fputs(usage, stdout);
			return 2;
		}
		if (letter == '?')
			wrong = true;
		else if (!take(&o, letter, optarg)) {
			fprintf(stderr, "gatehouse ue: '%s' does not fit its option\n",
			        optarg ? optarg : "");
			wrong = true;
		}
	}
	if (wrong || optind != argc || !o.count) {
		fputs(usage, stderr);
		return 1;
	}
	if (o.duration_ms == UINT64_MAX)
		o.duration_ms = works(&o) ? 10000 : 0;
	o.rate[LOAD_LEAVE] = o.rate[LOAD_REGISTER];
	*ret = o;
	return 0;
}
