/* SPDX-License-Identifier: Apache-2.0 */
/** @file `gatehouse mikey decode`: a message from a file, in binary, base64, hex or SDP, in words.
 */
#include <ctype.h>
#include <getopt.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/input.h"
#include "cli/mikey.h"

enum { DONE = 0, FAILED = 1, MISUSED = 2 };

static const char usage[] =
        "usage: gatehouse mikey decode [--json] FILE\n"
        "       gatehouse mikey offer ...   (gatehouse mikey offer --help)\n"
        "\n"
        "Print a MIKEY message (RFC 3830, RFC 6043) in words. FILE - is standard input. It holds\n"
        "the octets themselves, hexadecimal digits, base64, or SDP, of which each\n"
        "a=key-mgmt:mikey line is printed (RFC 4567). Keys are never printed.\n"
        "\n"
        "  --json   machine-readable: a list of messages\n"
        "  --help   this text\n"
        "\n"
        "Exit status: 0 done, 1 the message is bad, 2 wrong usage or a file is not accessible.\n";

struct decoding {
	struct base_arena arena;
	json_t *list;
};

static int decode_one(struct decoding *d, struct base_str octets, struct base_error *err)
{
	struct mikey_message *msg = NULL;
	int rc = mikey_decode(&d->arena, octets.ptr, octets.len, &msg, err);

	if (!rc && json_array_append_new(d->list, mikey_json(msg)))
		rc = base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "out of memory");
	return rc;
}

/* Octets that only this message's model borrows, so they have to live in the arena. */
static int decode_written(struct decoding *d, struct base_writer *w, struct base_error *err)
{
	uint8_t *copy = base_arena_alloc(&d->arena, w->len + 1);

	if (!copy || w->failed)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "out of memory");
	if (w->len)
		memcpy(copy, w->data, w->len);
	return decode_one(d, (struct base_str){ (const char *)copy, w->len }, err);
}

static int decode_line(struct decoding *d, struct base_str line, struct base_error *err)
{
	struct base_writer w = { 0 };
	struct mikey_sdp sdp;
	int rc = mikey_sdp_parse(line, &sdp, err);

	if (!rc)
		rc = mikey_sdp_message(&sdp, &w, err);
	if (!rc)
		rc = decode_written(d, &w, err);
	base_writer_done(&w);
	return rc;
}

static bool is_key_mgmt(struct base_str line)
{
	static const char begin[] = "a=key-mgmt:";

	return line.len >= sizeof(begin) - 1 &&
	       base_str_ieq((struct base_str){ line.ptr, sizeof(begin) - 1 }, BASE_STR(begin));
}

/* The key-mgmt lines of SDP. @return how many, or an error */
static int decode_sdp(struct decoding *d, struct base_str text, struct base_error *err)
{
	unsigned number = 0;
	int found = 0;

	while (text.len) {
		const char *end = memchr(text.ptr, '\n', text.len);
		struct base_str line = { text.ptr, end ? (size_t)(end - text.ptr) : text.len };
		size_t used = line.len + (end ? 1 : 0);
		int rc;

		number++;
		if (is_key_mgmt(base_str_trim(line))) {
			rc = decode_line(d, line, err);
			if (rc) {
				base_error_place(err, "", number, 0);
				return rc;
			}
			found++;
		}
		text.ptr += used;
		text.len -= used;
	}
	return found;
}

/* Hexadecimal digits or base64, by what all of it could be; hex first, as its digits are both. */
static int decode_text(struct decoding *d, struct base_str text, struct base_error *err)
{
	struct base_writer w = { 0 }, digits = { 0 };
	size_t len = 0;
	int rc;

	for (size_t i = 0; i < text.len; i++) {
		if (!isspace((unsigned char)text.ptr[i]))
			base_writer_u8(&digits, (uint8_t)text.ptr[i]);
	}
	if (!digits.failed && base_writer_reserve(&w, digits.len / 2 + 1) &&
	    base_hex_decode(base_writer_view(&digits), w.data, digits.len / 2, &len) == 0) {
		w.len = len;
		rc = 0;
	} else {
		base_writer_reset(&w);
		rc = mikey_base64_decode(text, &w, err);
	}
	if (!rc)
		rc = decode_written(d, &w, err);
	base_writer_done(&digits);
	base_writer_done(&w);
	return rc;
}

/* A message begins with its version, 1, which no text does. */
static int decode_any(struct decoding *d, struct base_str in, struct base_error *err)
{
	int rc;

	if (in.len && in.ptr[0] == 1)
		return decode_one(d, in, err);
	rc = decode_sdp(d, in, err);
	if (rc)
		return rc < 0 ? rc : 0;
	return decode_text(d, in, err);
}

static int print_json(const json_t *list)
{
	if (json_dumpf(list, stdout, JSON_INDENT(2)))
		return FAILED;
	printf("\n");
	return DONE;
}

static int decode_file(const char *path, bool json)
{
	struct decoding d = { .list = json_array() };
	struct base_error err = { 0 };
	const char *place = strcmp(path, "-") ? path : "<stdin>";
	char *data = NULL, text[900];
	size_t len = 0;
	int rc = cli_input_read(path, &data, &len, &err), status = DONE;

	if (!rc)
		rc = decode_any(&d, (struct base_str){ data ? data : "", len }, &err);
	if (rc) {
		base_error_place(&err, place, err.line, 0);
		fprintf(stderr, "gatehouse mikey: %s\n",
		        base_error_format(&err, text, sizeof(text)));
		status = base_err_class(rc) == BASE_CONFIG ? MISUSED : FAILED;
	} else if (json) {
		status = print_json(d.list);
	} else {
		for (size_t i = 0; i < json_array_size(d.list); i++)
			mikey_words(stdout, json_array_get(d.list, i));
	}
	json_decref(d.list);
	base_arena_done(&d.arena);
	free(data);
	return status;
}

static int decode_main(int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' },
		                                 { "help", no_argument, NULL, 'h' },
		                                 { 0 } };
	bool json = false;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'h') {
			fputs(usage, stdout);
			return DONE;
		}
		if (c != 'j') {
			fputs(usage, stderr);
			return MISUSED;
		}
		json = true;
	}
	if (optind + 1 != argc) {
		fputs(usage, stderr);
		return MISUSED;
	}
	return decode_file(argv[optind], json);
}

int cli_mikey_main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "decode") == 0)
		return decode_main(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "offer") == 0)
		return mikey_offer_main(argc - 1, argv + 1);
	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		fputs(usage, stdout);
		return DONE;
	}
	fputs(usage, stderr);
	return MISUSED;
}
