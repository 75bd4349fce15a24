/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * `gatehouse h248 talk`: be the controller by hand. What is typed up to an empty line is sent as
 * one transaction; everything that travels is shown.
 */
#include "cli/talk.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/play.h"

static const char talk_help[] =
        "usage: gatehouse h248 talk [--listen ADDRESS:PORT] [--transport udp|tcp|tls|sctp]\n"
        "                           [--encoding pretty|compact|ber] [--version N]\n"
        "                           [--certificate FILE --key FILE --ca FILE]\n"
        "\n"
        "Be the controller (MGC) of a gateway by hand. Type actions as\n"
        "  Context = - { AuditValue = ROOT { Audit { Packages } } }\n"
        "and an empty line: they are sent as one transaction. Every message is shown. "
        "Registrations\n"
        "and Notify are answered by themselves. The end of the input ends the talk, once the last\n"
        "reply has come; so `gatehouse h248 talk < FILE` works too.\n"
        "\n"
        "  --listen     where the gateway finds us; default 127.0.0.1:2944, port 0 = any\n"
        "  --version    of our messages; default 2\n"
        "  --certificate, --key, --ca   PEM files for tls: ours, and whom gateways' certificates\n"
        "               must come from\n"
        "\n"
        "Exit status: 0 every transaction was answered, 1 one was not or could not be read,\n"
        "2 wrong usage or no socket.\n";

struct talk {
	struct loop *loop;
	struct play_mgc mgc;
	struct loop_fd in;
	struct base_writer text; /**< typed and not sent yet */
	bool over;               /**< the input has ended */
	bool busy;               /**< a transaction of ours is unanswered */
	bool failed;
	bool interrupted; /**< by ^C */
};

/* ---- what was typed ---- */

/** Octets of the first paragraph with its empty line; 0 = it has not ended. */
static size_t paragraph(const struct talk *talk)
{
	struct base_str all = base_writer_view(&talk->text);
	size_t begin = 0;

	for (size_t i = 0; i < all.len; i++) {
		if (all.ptr[i] != '\n')
			continue;
		if (base_str_trim((struct base_str){ all.ptr + begin, i - begin }).len == 0)
			return i + 1;
		begin = i + 1;
	}
	return talk->over ? all.len : 0;
}

static void send_text(struct talk *talk, struct base_str text)
{
	struct base_error err = { 0 };
	char *actions = strndup(text.ptr, text.len), line[1200];

	if (actions && play_mgc_send(&talk->mgc, actions, &err) == 0) {
		talk->busy = true;
	} else {
		talk->failed = true;
		base_error_place(&err, "<typed>", err.line, err.column);
		fprintf(stderr, "%s\n", base_error_format(&err, line, sizeof(line)));
	}
	free(actions);
}

/** Send what is complete, one transaction at a time, once there is a gateway. */
static void go_on(struct talk *talk)
{
	size_t len;

	if (talk->busy && (talk->mgc.answered || talk->mgc.timed_out)) {
		talk->busy = false;
		talk->failed |= talk->mgc.timed_out;
	}
	while (!talk->busy && talk->mgc.gateway && (len = paragraph(talk)) != 0) {
		struct base_str text = base_writer_view(&talk->text);

		text.len = len;
		if (base_str_trim(text).len)
			send_text(talk, text);
		memmove(talk->text.data, talk->text.data + len, talk->text.len - len);
		talk->text.len -= len;
	}
}

static void on_input(void *arg, unsigned events)
{
	struct talk *talk = arg;
	struct pollfd ready = { .fd = STDIN_FILENO, .events = POLLIN };
	char buf[4096];

	(void)events;
	/* The terminal is shared with the shell, so it stays blocking: ask before each read. */
	while (!talk->over && poll(&ready, 1, 0) > 0) {
		ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));

		if (n < 0 && errno == EINTR)
			continue;
		talk->over = n <= 0;
		if (n > 0)
			base_writer_put(&talk->text, buf, (size_t)n);
	}
	if (talk->text.failed) {
		talk->over = talk->failed = true;
		base_writer_reset(&talk->text);
	}
}

static int input_start(struct talk *talk)
{
	int rc;

	talk->in = (struct loop_fd){ .fd = STDIN_FILENO, .fn = on_input, .arg = talk };
	rc = loop_fd_start(talk->loop, &talk->in);
	if (!rc || base_err_detail(rc) != EPERM)
		return rc;
	talk->in.fn = NULL; /* a file is always ready, and cannot be watched */
	on_input(talk, 0);
	return 0;
}

/* ---- the talk ---- */

static void on_interrupt(void *arg, int signum)
{
	(void)signum;
	((struct talk *)arg)->interrupted = true;
}

static int converse(struct talk *talk, const struct play_controller *config)
{
	char mgc[] = "controller", mg[] = "gateway", *parties[] = { mgc, mg };
	struct play_ladder ladder = { .on = true,
		                      .messages = true,
		                      .parties = parties,
		                      .count = 2,
		                      .start_ms = loop_now_ms(talk->loop) };
	struct base_error err = { 0 };
	char line[1200], at[H248_ADDR_TEXT];

	talk->mgc.loop = talk->loop;
	talk->mgc.ladder = &ladder;
	if (play_mgc_init(&talk->mgc, config, NULL, &err) != 0 || input_start(talk) != 0) {
		fprintf(stderr, "gatehouse h248 talk: %s\n",
		        err.text[0] ? base_error_format(&err, line, sizeof(line)) : "no input");
		return 2;
	}
	printf("waiting for a gateway on %s\n", h248_addr_format(&talk->mgc.local, at));
	do {
		(void)fflush(stdout);
		if (loop_run_once(talk->loop, -1) != 0)
			return 2;
		go_on(talk);
	} while (!talk->interrupted && (!talk->over || talk->busy || talk->text.len));
	(void)fflush(stdout);
	return talk->failed || talk->busy || talk->text.len ? 1 : 0;
}

/** What a scenario file's schema checks for `play`; a certificate and a CA come with TLS and only
 * then. */
static bool usable(const struct play_controller *config, const struct play_tls *tls)
{
	struct base_str transport = base_str_of(config->transport ? config->transport : "udp");
	bool secure = h248_transport_find(transport) == H248_TLS;
	enum h248_codec codec;

	return h248_transport_find(transport) && secure == (tls->certificate != NULL) &&
	       secure == (tls->anchors_count != 0) &&
	       (!config->encoding ||
	        h248_codec_by_name(base_str_of(config->encoding), &codec) == 0);
}

static int talk_run(const struct play_controller *config)
{
	struct talk talk = { .text = { .limit = 1U << 20 } };
	int status = 2;

	if (loop_new(&talk.loop) != 0)
		return 2;
	if (loop_signal_start(talk.loop, SIGINT, on_interrupt, &talk) == 0) {
		status = converse(&talk, config);
		loop_signal_stop(talk.loop, SIGINT);
	}
	if (talk.in.fn)
		loop_fd_stop(talk.loop, &talk.in);
	play_mgc_done(&talk.mgc);
	loop_free(talk.loop);
	base_writer_done(&talk.text);
	return status;
}

int cli_talk_main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "listen", required_argument, NULL, 'l' },
		{ "transport", required_argument, NULL, 't' },
		{ "encoding", required_argument, NULL, 'e' },
		{ "version", required_argument, NULL, 'v' },
		{ "certificate", required_argument, NULL, 'c' },
		{ "key", required_argument, NULL, 'k' },
		{ "ca", required_argument, NULL, 'a' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static char where[] = "127.0.0.1:2944";
	char *anchors[1] = { NULL };
	struct play_tls tls = { .anchors = anchors };
	struct play_controller config = { .listen = where };
	uint64_t version = 2;
	int c;

	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (c == 'h') {
			fputs(talk_help, stdout);
			return 0;
		}
		if (c == 'l')
			config.listen = optarg;
		else if (c == 't')
			config.transport = optarg;
		else if (c == 'e')
			config.encoding = optarg;
		else if (c == 'c')
			tls.certificate = optarg;
		else if (c == 'k')
			tls.key = optarg;
		else if (c == 'a')
			anchors[0] = optarg;
		else if (c != 'v' ||
		         base_str_u64(base_str_of(optarg), H248_VERSION_MAX, &version) != 0)
			version = 0;
	}
	config.version = (unsigned)version;
	tls.anchors_count = anchors[0] != NULL;
	if (tls.certificate)
		config.tls = &tls;
	if (!version || optind != argc || !usable(&config, &tls)) {
		fputs(talk_help, stderr);
		return 2;
	}
	return talk_run(&config);
}
