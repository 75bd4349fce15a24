/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/convert.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/input.h"
#include "h248/h248.h"

static const char help[] =
        "usage: gatehouse h248 convert --to pretty|compact|ber [options] FILE\n"
        "\n"
        "Read one H.248 message (text or binary, versions 1 to 3; told by its first octet) and\n"
        "write it in another form. FILE - is standard input.\n"
        "  --to FORM      pretty, compact, or ber (binary, RFC 3525 Annex A)\n"
        "  --output FILE  write there instead of to standard output\n"
        "  --hex          binary as hexadecimal digits, read and written; blanks do not count\n"
        "  --force        write binary to a terminal all the same\n"
        "\n"
        "Exit status: 0 done, 1 the message is bad, 2 wrong usage or a file is not accessible.\n";

struct convert {
	const char *path, *output;
	enum h248_codec to;
	bool hex, force;
};

/* Hexadecimal digits with blanks between them, in place. */
static int unhex(char *text, size_t *len, struct base_error *err)
{
	size_t digits = 0;

	for (size_t i = 0; i < *len; i++) {
		if (!isspace((unsigned char)text[i]))
			text[digits++] = text[i];
	}
	if (base_hex_decode((struct base_str){ text, digits }, (uint8_t *)text, digits / 2, len))
		return base_error_set(err, BASE_ERR(BASE_PEER, 0),
		                      "not an even number of hexadecimal digits");
	return 0;
}

/* Does the text begin like binary in digits? Text messages never do. */
static bool looks_like_hex(const char *text, size_t len)
{
	size_t at = 0;

	while (at < len && isspace((unsigned char)text[at]))
		at++;
	return len - at >= 2 && text[at] == '3' && text[at + 1] == '0';
}

static int read_message(const struct convert *c, struct base_arena *arena, char **text,
                        struct h248_message **ret, struct base_error *err)
{
	size_t len = 0;
	int rc = cli_input_read(c->path, text, &len, err);

	if (rc)
		return rc;
	if (c->hex && *text && looks_like_hex(*text, len) && (rc = unhex(*text, &len, err)) != 0)
		return rc;
	return h248_codec_decode(arena, *text ? *text : "", len, NULL, ret, NULL, err);
}

/* Digits, 32 octets a line. */
static void write_hex(struct base_writer *out)
{
	struct base_writer digits = { 0 };
	char pair[4];

	for (size_t i = 0; i < out->len; i++) {
		base_hex_encode(out->data + i, 1, 0, false, pair);
		base_writer_put(&digits, pair, 2);
		if (i % 32 == 31 || i + 1 == out->len)
			base_writer_u8(&digits, '\n');
	}
	base_writer_done(out);
	*out = digits;
}

static int write_out(const struct convert *c, const struct base_writer *out, struct base_error *err)
{
	FILE *file = c->output ? fopen(c->output, "we") : stdout;
	bool ok;

	if (!file)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, errno), "cannot open: %s",
		                      strerror(errno));
	ok = fwrite(out->data, 1, out->len, file) == out->len;
	ok = fflush(file) == 0 && ok;
	if (c->output)
		ok = fclose(file) == 0 && ok;
	return ok ? 0
	          : base_error_set(err, BASE_ERR(BASE_CONFIG, errno), "cannot write: %s",
	                           strerror(errno));
}

static int convert(const struct convert *c, struct base_error *err)
{
	struct base_arena arena = { 0 };
	struct base_writer out = { 0 };
	struct h248_message *msg = NULL;
	char *text = NULL;
	const char *place = strcmp(c->path, "-") == 0 ? "<stdin>" : c->path;
	int rc = read_message(c, &arena, &text, &msg, err);

	if (!rc && (rc = h248_codec_encode(&out, msg, c->to)) != 0)
		(void)base_error_set(err, rc, "cannot be written in this form");
	if (!rc) {
		if (c->hex && c->to == H248_CODEC_BER)
			write_hex(&out);
		place = c->output ? c->output : "<stdout>";
		rc = write_out(c, &out, err);
	}
	if (rc)
		base_error_place(err, place, err->line, err->column);
	base_writer_done(&out);
	base_arena_done(&arena);
	free(text);
	return rc;
}

static int usage(void)
{
	fputs(help, stderr);
	return 2;
}

/* @return -1 to go on, else the exit status */
static int options(int argc, char **argv, struct convert *ret)
{
	static const struct option longs[] = {
		{ "to", required_argument, NULL, 't' }, { "output", required_argument, NULL, 'o' },
		{ "hex", no_argument, NULL, 'x' },      { "force", no_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },     { NULL, 0, NULL, 0 },
	};
	const char *to = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		switch (c) {
		case 't':
			to = optarg;
			break;
		case 'o':
			ret->output = optarg;
			break;
		case 'x':
			ret->hex = true;
			break;
		case 'f':
			ret->force = true;
			break;
		case 'h':
			fputs(help, stdout);
			return 0;
		default:
			return usage();
		}
	}
	if (!to || optind != argc - 1)
		return usage();
	ret->path = argv[optind];
	if (h248_codec_by_name(base_str_of(to), &ret->to)) {
		fprintf(stderr,
		        "gatehouse h248 convert: --to %s: expected pretty, compact or ber\n", to);
		return 2;
	}
	return -1;
}

int cli_convert_main(int argc, char **argv)
{
	struct convert c = { .path = NULL };
	struct base_error err = { 0 };
	char line[1200];
	int status = options(argc, argv, &c), rc;

	if (status >= 0)
		return status;
	if (c.to == H248_CODEC_BER && !c.hex && !c.output && !c.force && isatty(STDOUT_FILENO)) {
		fputs("gatehouse h248 convert: binary to a terminal: use --output, --hex or "
		      "--force\n",
		      stderr);
		return 2;
	}
	rc = convert(&c, &err);
	if (!rc)
		return 0;
	fprintf(stderr, "%s\n", base_error_format(&err, line, sizeof(line)));
	return base_err_class(rc) == BASE_CONFIG ? 2 : 1;
}
