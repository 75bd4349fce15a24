/* SPDX-License-Identifier: Apache-2.0 */
/** @file `gatehouse lab`: what it is called with, what it needs, and that nothing of it stays. */
#include "cli/lab.h"

#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <unistd.h>

#include "cli/cli.h"
#include "cli/pki_folder.h"

#define LAB_SKIPPED 77

static const char usage[] =
        "usage: gatehouse lab interconnect [--keep] [--commands]\n"
        "\n"
        "Two operators on this machine's loopback, each with its authorities (gatehouse pki), a\n"
        "CRL server (nginx) and a gateway (gatehouse-mg); then the story of their interconnect:\n"
        "connect, revoke, an outage, a rollover. What has to come is told beside what came.\n"
        "docs/interconnect.md explains each step.\n"
        "\n"
        "  --keep      leave the folder with certificates, configurations and caches, and say\n"
        "              where it is\n"
        "  --commands  show the commands that are run\n"
        "  --help      this text\n"
        "\n"
        "Exit status: 0 every step had the outcome it has to have, 1 one had not, 2 called\n"
        "wrongly, 77 a program is not installed. All that is started is ended, also by Ctrl-C.\n";

/* ---- what it needs ---- */

/* Our own programs are those beside this one. */
static void bin_set(struct lab *lab)
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

	path[len > 0 ? len : 0] = '\0';
	(void)snprintf(lab->bin, sizeof(lab->bin), "%s", dirname(path));
}

static bool in_path(const struct lab *lab, const char *program)
{
	const char *path = getenv("PATH");
	char all[PATH_MAX], file[PATH_MAX + NAME_MAX];

	(void)snprintf(all, sizeof(all), "%s:%s:/usr/sbin", lab->bin, path ? path : "");
	for (char *rest = all, *dir; (dir = strsep(&rest, ":"));) {
		(void)snprintf(file, sizeof(file), "%s/%s", dir, program);
		if (*dir && !access(file, X_OK))
			return true;
	}
	return false;
}

static const char *lacking(const struct lab *lab)
{
	static const char *const needs[] = { "nginx", "slapd", "ldapadd", "gatehouse-fetch" };

	for (size_t i = 0; i < BASE_COUNT(needs); i++)
		if (!in_path(lab, needs[i]))
			return needs[i];
	return NULL;
}

/* ---- set up and clear away ---- */

static void on_interrupt(void *arg, int signum)
{
	(void)signum;
	((struct lab *)arg)->interrupted = true;
}

static void on_child(void *arg, int signum)
{
	(void)arg; /* waking up is all */
	(void)signum;
}

static int signals_start(struct lab *lab)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
	int rc = loop_signal_start(lab->loop, SIGCHLD, on_child, lab);

	for (size_t i = 0; !rc && i < BASE_COUNT(ends); i++)
		rc = loop_signal_start(lab->loop, ends[i], on_interrupt, lab);
	return rc;
}

static int operator_init(struct lab *lab, struct lab_operator *op, const char *name,
                         struct base_error *err)
{
	op->name = name;
	op->http_port = lab_port();
	op->ldap_port = lab_port();
	op->mgc = (struct play_mgc){ .loop = lab->loop, .ladder = &lab->ladder };
	return play_mgc_init(&op->mgc, NULL, NULL, err);
}

static int prepare(struct lab *lab, struct base_error *err)
{
	const char *tmp = getenv("TMPDIR");
	int rc = loop_new(&lab->loop);

	if (!rc)
		rc = signals_start(lab);
	if (rc)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "cannot make an event loop");
	(void)snprintf(lab->dir, sizeof(lab->dir), "%s/gatehouse-lab-XXXXXX",
	               tmp && strlen(tmp) < 96 ? tmp : "/tmp");
	if (!mkdtemp(lab->dir)) {
		lab->dir[0] = '\0';
		return base_error_set(err, BASE_ERR(BASE_LOCAL, errno),
		                      "cannot make a temporary folder: %s", strerror(errno));
	}
	(void)umask(022);                        /* the PKI's own files are its own business */
	if (!geteuid() && chmod(lab->dir, 0711)) /* the fetcher is nobody then */
		return base_error_set(err, BASE_ERR(BASE_LOCAL, errno), "%s: %s", lab->dir,
		                      strerror(errno));
	lab->start_ms = loop_now_ms(lab->loop);
	rc = operator_init(lab, &lab->a, "a", err);
	return rc ? rc : operator_init(lab, &lab->b, "b", err);
}

static void operator_done(struct lab *lab, struct lab_operator *op)
{
	lab->interrupted = false; /* the end is waited for, too */
	lab_stop(lab, &op->gateway);
	lab_stop(lab, &op->fetch);
	lab_stop(lab, &op->nginx);
	lab_stop(lab, &op->slapd);
	if (op->mgc.loop)
		play_mgc_done(&op->mgc);
}

static void clear_away(struct lab *lab)
{
	if (lab->loop) {
		operator_done(lab, &lab->a);
		operator_done(lab, &lab->b);
	}
	BASE_LIST_EACH(&lab->children, node, next)
	play_child_free(BASE_CONTAINER_OF(node, struct play_child, node));
	loop_free(lab->loop);
	if (lab->dir[0] && lab->keep)
		printf("\nAll of it is in %s\n", lab->dir);
	else if (lab->dir[0])
		pki_tree_remove(lab->dir);
}

/* ---- the run ---- */

static int play_story(struct lab *lab, struct base_error *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < lab_interconnect_count; i++) {
		unsigned failed = lab->failed;

		printf("%zu. %s\n", i + 1, lab_interconnect[i].title);
		(void)fflush(stdout); /* as in lab_say */
		rc = lab_interconnect[i].run(lab, err);
		if (!rc && lab->failed != failed)
			lab_say(lab, "^ not what has to come: the lab goes on");
	}
	return rc;
}

static int interconnect(bool keep, bool commands)
{
	struct lab lab = { .keep = keep, .commands = commands };
	struct base_error err = { .rc = 0 };
	char text[1024];
	int rc;

	bin_set(&lab);
	if (lacking(&lab)) {
		printf("skip: the lab needs %s, which is not in PATH (packages nginx, slapd, "
		       "ldap-utils)\n",
		       lacking(&lab));
		return LAB_SKIPPED;
	}
	base_list_init(&lab.children);
	rc = prepare(&lab, &err);
	if (!rc)
		rc = play_story(&lab, &err);
	if (rc)
		fprintf(stderr, "gatehouse lab: %s\n",
		        lab.interrupted ? "interrupted"
		                        : base_error_format(&err, text, sizeof(text)));
	else
		printf("%s in %.1f s\n",
		       lab.failed ? "Not every step had its outcome:"
		                  : "Every step had its outcome,",
		       (double)(loop_now_ms(lab.loop) - lab.start_ms) / 1000);
	clear_away(&lab);
	return rc || lab.failed ? 1 : 0;
}

int cli_lab_main(int argc, char **argv)
{
	static const struct option option[] = {
		{ "keep", no_argument, NULL, 'k' },
		{ "commands", no_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	bool keep = false, commands = false;
	int c;

	while ((c = getopt_long(argc, argv, "h", option, NULL)) != -1) {
		if (c == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (c == '?') {
			fputs(usage, stderr);
			return 2;
		}
		keep = keep || c == 'k';
		commands = commands || c == 'c';
	}
	if (optind != argc - 1 || strcmp(argv[optind], "interconnect") != 0) {
		fputs(usage, stderr);
		return 2;
	}
	return interconnect(keep, commands);
}
