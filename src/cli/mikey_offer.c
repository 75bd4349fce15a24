/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * `gatehouse mikey offer`: an offer with keys for whoever carries it to the other end by hand
 * (sipp, say), and what the answer makes of it, for whoever speaks TLS by hand (openssl s_client).
 */
#include <getopt.h>
#include <stdlib.h>
#include <time.h>

#include "cli/input.h"
#include "cli/mikey.h"
#include "config/config.h"
#include "offer/offer.h"

enum { DONE = 0, FAILED = 1, MISUSED = 2 };

static const char usage[] =
        "usage: gatehouse mikey offer --from URI --to URI --kms URI --tpk FILE [options]\n"
        "\n"
        "Print an SDP offer for TCP/TLS/MSRP and TCP/TLS/BFCP with a=key-mgmt:mikey (RFC 6043, a\n"
        "ticket of our own) and an empty line; then read the SDP answer from standard input, to "
        "its\n"
        "end, and print what was agreed, a stream a line.\n"
        "\n"
        "  --from URI, --to URI   who calls, who is called: the identities of MIKEY\n"
        "  --kms URI              IDRkms\n"
        "  --tpk FILE             the key of our tickets in hexadecimal digits, readable by "
        "nobody\n"
        "                         else: shared with the KMS (mode 3) or with the callee (mode 4)\n"
        "  --tpk-id URI           its name, IDRpsk; default: --from\n"
        "  --mode 3|4             of RFC 6043, 4.1.1; default 3\n"
        "  --msrp ADDRESS:PORT    where MSRP is (port 9: nowhere); default 127.0.0.1:9\n"
        "  --bfcp ADDRESS:PORT    likewise BFCP; neither given: MSRP alone\n"
        "  --setup HOW            active (default), passive or actpass\n"
        "  --unsafe-print-psk     print the pre-shared keys, too; whoever reads them reads the "
        "media\n"
        "  --help                 this text\n"
        "\n"
        "Exit status: 0 an answer that was agreed upon, 1 it was not, 2 wrong usage.\n";

struct wish {
	const char *from, *to, *kms, *tpk, *tpk_id, *place[2];
	enum offer_setup setup;
	unsigned mode;
	bool show;
};

static int complain(const struct base_error *err)
{
	char text[900];

	fprintf(stderr, "gatehouse mikey: %s\n", base_error_format(err, text, sizeof(text)));
	return base_err_class(err->rc) == BASE_CONFIG ? MISUSED : FAILED;
}

static int misuse(const char *words)
{
	fprintf(stderr, "gatehouse mikey: %s\n%s", words, usage);
	return MISUSED;
}

static uint64_t now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts); /* CLOCK_REALTIME is there */
	return mikey_ntp((uint64_t)ts.tv_sec, (uint32_t)ts.tv_nsec);
}

/* "ADDRESS:PORT" or "[ADDRESS]:PORT" */
static bool place_read(const char *text, struct base_str *ret_address, uint16_t *ret_port)
{
	const char *colon = strrchr(text, ':');
	uint64_t port;

	if (!colon || base_str_u64(base_str_of(colon + 1), 65535, &port) || !port)
		return false;
	*ret_address = (struct base_str){ text, (size_t)(colon - text) };
	if (ret_address->len > 2 && text[0] == '[')
		*ret_address = (struct base_str){ text + 1, ret_address->len - 2 };
	*ret_port = (uint16_t)port;
	return true;
}

static int place_one(struct offer_session *s, size_t stream, const char *text,
                     struct base_error *err)
{
	struct base_str address;
	uint16_t port;
	uint8_t session[8];
	char hex[3 * sizeof(session) + 1], path[160];

	if (!place_read(text, &address, &port))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "'%s' is no ADDRESS:PORT",
		                      text);
	if (base_random(session, sizeof(session)))
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "no random octets");
	base_hex_encode(session, sizeof(session), 0, false, hex);
	/* the text begins with the address, in the brackets that a URI wants, too */
	(void)snprintf(path, sizeof(path), "msrps://%s/%s;tcp", text, hex);
	return offer_place(s, stream, address, port, base_str_of(path), err);
}

static int wishes(const struct wish *w, struct offer_media media[2])
{
	size_t count = 0;

	for (unsigned app = OFFER_MSRP; app <= OFFER_BFCP; app++) {
		if (!w->place[app])
			continue;
		media[count] = (struct offer_media){ .app = app, .setup = w->setup };
		media[count].msrp.accept_types = BASE_STR("message/cpim text/plain");
		media[count].msrp.wrapped_types = BASE_STR("*");
		media[count].bfcp.versions = OFFER_BFCP_1;
		count++;
	}
	return (int)count;
}

static int offer_print(struct offer_session *s, const struct wish *w, struct base_error *err)
{
	struct base_writer sdp = { 0 };
	int rc = offer_begin(s, now(), err);
	size_t stream = 0;

	for (unsigned app = OFFER_MSRP; app <= OFFER_BFCP && !rc; app++) {
		if (w->place[app])
			rc = place_one(s, stream++, w->place[app], err);
	}
	if (!rc)
		rc = offer_write(s, &sdp, err);
	if (!rc) {
		(void)fwrite(sdp.data, 1, sdp.len, stdout); /* fflush says whether it went */
		(void)fputs("\n", stdout);
		if (fflush(stdout))
			rc = base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "cannot write");
	}
	base_writer_done(&sdp);
	return rc;
}

static void stream_print(const struct offer_stream *st, bool show)
{
	char hex[3 * OFFER_PSK + 1] = "";

	if (st->verdict != OFFER_AGREED) {
		printf("stream=%s verdict=refused why=\"%s\"\n",
		       st->app == OFFER_MSRP ? "msrp" : "bfcp", st->why ? st->why : "");
		return;
	}
	if (show && st->psk)
		base_hex_encode(st->psk->data, st->psk->len, 0, false, hex);
	printf("stream=%s verdict=agreed tcp=%s tls=%s host=%.*s port=%u%s%.*s peer=%s "
	       "psk-identity=%s%s%s\n",
	       st->app == OFFER_MSRP ? "msrp" : "bfcp", st->tcp_client ? "client" : "server",
	       st->tls_client ? "client" : "server", BASE_FMT(st->host), (unsigned)st->port,
	       st->app == OFFER_MSRP ? " path=" : "", BASE_FMT(st->msrp.path), st->peer,
	       st->psk_identity, hex[0] ? " psk=" : "", hex);
	base_wipe(hex, sizeof(hex));
}

static int answer_take(struct offer_session *s, bool show, struct base_error *err)
{
	char *data = NULL;
	size_t len = 0;
	int rc = cli_input_read("-", &data, &len, err);

	if (!rc)
		rc = offer_take(s, now(), (struct base_str){ data ? data : "", len }, err);
	free(data);
	for (size_t i = 0; !rc && i < offer_count(s); i++) {
		struct offer_stream st;

		offer_stream(s, i, &st);
		stream_print(&st, show);
	}
	return rc;
}

static int play(const struct wish *w, const struct base_secret *tpk)
{
	const char *const names[] = { w->from, w->to };
	char id[2][OFFER_NAME_MAX];
	struct offer_party party = { .kms = { MIKEY_URI, mikey_octets_text(w->kms) },
		                     .mode = w->mode };
	struct offer_session *s = NULL;
	struct offer_media media[2];
	struct mikey_id peer;
	struct base_error err = { 0 };
	int rc;

	for (size_t i = 0; i < 2; i++) {
		if (!offer_identity(base_str_of(names[i]), id[i], sizeof(id[i])))
			return misuse("--from and --to are SIP URIs");
	}
	party.id = (struct mikey_id){ MIKEY_URI, mikey_octets_text(id[0]) };
	peer = (struct mikey_id){ MIKEY_URI, mikey_octets_text(id[1]) };
	party.tpk =
	        (struct mikey_tpk){ { tpk->data, tpk->len },
		                    { MIKEY_URI, mikey_octets_text(w->tpk_id ? w->tpk_id : id[0]) },
		                    party.id };
	rc = offer_new(&s, &party, &peer, media, (size_t)wishes(w, media), &err);
	if (!rc)
		rc = offer_print(s, w, &err);
	if (!rc)
		rc = answer_take(s, w->show, &err);
	offer_free(s);
	return rc ? complain(&err) : DONE;
}

static bool setup_read(const char *text, enum offer_setup *ret)
{
	static const char *const names[] = {
		[OFFER_ACTPASS] = "actpass", [OFFER_ACTIVE] = "active", [OFFER_PASSIVE] = "passive"
	};

	for (size_t i = 0; i < BASE_COUNT(names); i++) {
		if (strcmp(names[i], text) == 0) {
			*ret = (enum offer_setup)i;
			return true;
		}
	}
	return false;
}

/* @return 0 to go on; DONE + 1 more: the exit status */
static int words_read(int argc, char **argv, struct wish *w)
{
	static const struct option options[] = {
		{ "from", 1, NULL, 'f' },   { "to", 1, NULL, 't' },
		{ "kms", 1, NULL, 'k' },    { "tpk", 1, NULL, 'p' },
		{ "tpk-id", 1, NULL, 'i' }, { "mode", 1, NULL, 'm' },
		{ "msrp", 1, NULL, 'M' },   { "bfcp", 1, NULL, 'B' },
		{ "setup", 1, NULL, 's' },  { "unsafe-print-psk", 0, NULL, 'u' },
		{ "help", 0, NULL, 'h' },   { 0 },
	};
	bool bad = false;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'f':
			w->from = optarg;
			break;
		case 't':
			w->to = optarg;
			break;
		case 'k':
			w->kms = optarg;
			break;
		case 'p':
			w->tpk = optarg;
			break;
		case 'i':
			w->tpk_id = optarg;
			break;
		case 'm':
			bad |= strcmp(optarg, "3") != 0 && strcmp(optarg, "4") != 0;
			w->mode = strcmp(optarg, "4") == 0 ? 4 : 3;
			break;
		case 'M':
			w->place[OFFER_MSRP] = optarg;
			break;
		case 'B':
			w->place[OFFER_BFCP] = optarg;
			break;
		case 's':
			bad |= !setup_read(optarg, &w->setup);
			break;
		case 'u':
			w->show = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return DONE + 1;
		default:
			return MISUSED + 1;
		}
	}
	if (!w->place[OFFER_MSRP] && !w->place[OFFER_BFCP])
		w->place[OFFER_MSRP] = "127.0.0.1:9";
	return bad || optind != argc || !w->from || !w->to || !w->kms || !w->tpk
	               ? misuse("--from, --to, --kms and --tpk are needed") + 1
	               : 0;
}

int mikey_offer_main(int argc, char **argv)
{
	struct wish w = { .mode = 3, .setup = OFFER_ACTIVE };
	struct base_secret tpk = { 0 };
	struct base_error err = { 0 };
	int status = words_read(argc, argv, &w);

	if (status)
		return status - 1;
	if (config_secret_read(w.tpk, &tpk, &err))
		return complain(&err);
	status = play(&w, &tpk);
	base_secret_done(&tpk);
	return status;
}
