/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * `gatehouse kms`: users are enrolled beside a KMS that runs, through its control socket, or in the
 * store itself where none does. Keys come from files.
 */
#include <stdio.h>
#include <stdlib.h>

#include "kmsd/config.h"
#include "kmsd/control.h"
#include "x509/x509.h"

static const char usage[] =
        "usage: gatehouse kms user add -c FILE NAME [--key FILE [--key-id ID]]\n"
        "           [--certificate FILE] [--ticket-key FILE --ticket-key-id ID] [--replace]\n"
        "       gatehouse kms user remove -c FILE NAME\n"
        "       gatehouse kms user list -c FILE\n"
        "       gatehouse kms --help\n"
        "\n"
        "Users of a Key Management Service (docs/kms.md), whether it runs or not.\n"
        "\n"
        "  -c FILE             the configuration of gatehouse-kms\n"
        "  NAME, ID            a URI; nai:NAME; bytes:HEX\n"
        "  --key FILE          the key shared with the user, in hex digits\n"
        "  --key-id ID         its name in messages (IDRpsk); none: the user's is asked\n"
        "  --certificate FILE  the user's certificate (PEM or DER), for requests by public key\n"
        "  --ticket-key FILE   the key by which the user makes tickets itself (mode 3)\n"
        "  --ticket-key-id ID  its name in them\n"
        "  --replace           take the place of a user of that name\n"
        "\n"
        "Exit status: 0 done, 1 not done, 2 not understood.\n";

struct words {
	const char *verb, *file, *name, *key, *key_id, *certificate, *ticket_key, *ticket_key_id;
	bool replace;
};

/* ---- the order ---- */

static int key_write(struct base_writer *line, const char *key, const char *file,
                     struct base_error *err)
{
	struct base_secret secret = { 0 };
	int rc = file ? config_secret_read(file, &secret, err) : 0;

	if (!rc && file)
		kmsd_hex_write(line, key, secret.data, secret.len);
	base_secret_done(&secret);
	return rc;
}

static int certificate_write(struct base_writer *line, const char *file, struct base_error *err)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	uint8_t *der = NULL;
	int rc = certs ? x509_certs_load(file, certs, err) : BASE_ERR(BASE_LOCAL, 0), len;

	if (!rc) {
		len = i2d_X509(sk_X509_value(certs, 0), &der);
		if (len > 0)
			kmsd_hex_write(line, "cert", der, (size_t)len);
		else
			rc = base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "out of memory");
	}
	OPENSSL_free(der);
	sk_X509_pop_free(certs, X509_free);
	return rc;
}

static int order_write(const struct words *w, struct base_writer *line, struct base_error *err)
{
	int rc = 0;

	base_writer_text(line, w->verb);
	if (w->name)
		rc = kmsd_id_write(line, "id", w->name, err);
	if (!rc)
		rc = key_write(line, "psk", w->key, err);
	if (!rc && w->key_id)
		rc = kmsd_id_write(line, "psk-id", w->key_id, err);
	if (!rc && w->certificate)
		rc = certificate_write(line, w->certificate, err);
	if (!rc)
		rc = key_write(line, "tpk", w->ticket_key, err);
	if (!rc && w->ticket_key_id)
		rc = kmsd_id_write(line, "tpk-id", w->ticket_key_id, err);
	if (w->replace)
		base_writer_text(line, " replace");
	if (!rc && (line->failed || line->len >= STREAM_ORDER_MAX))
		rc = base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "the order is too long");
	return rc;
}

/* Nobody has the store: do it ourselves. */
static int order_do(const struct kmsd_config *c, struct base_str line, struct base_writer *answer,
                    struct base_error *err)
{
	struct kms_store *store = NULL;
	int rc = kmsd_store_open(c, &store, err);

	if (!rc)
		(void)kmsd_users_do(store, line, answer); /* the answer says so, too */
	kms_store_close(store);
	return rc;
}

static int order_give(const struct kmsd_config *c, struct base_writer *line,
                      struct base_writer *answer, struct base_error *err)
{
	const struct base_str order = base_writer_view(line);
	int rc = BASE_ERR(BASE_AGAIN, 0);

	if (c->control) {
		base_writer_text(line, "\n");
		rc = line->failed
		             ? BASE_ERR(BASE_LOCAL, 0)
		             : stream_order_give(c->control, base_writer_view(line), answer, err);
	}
	return base_err_class(rc) == BASE_AGAIN
	               ? order_do(c, (struct base_str){ (const char *)line->data, order.len },
	                          answer, err)
	               : rc;
}

/* ---- its answer ---- */

static void user_print(struct base_str line)
{
	struct base_writer out = { 0 };
	struct base_str word;

	(void)stream_order_word(&line); /* "user" */
	for (bool first = true; (word = stream_order_word(&line)).len; first = false) {
		const char *equals = memchr(word.ptr, '=', word.len);
		size_t len = equals ? (size_t)(equals - word.ptr) : word.len;

		if (!first)
			base_writer_text(&out, " ");
		if (equals && !(len == 2 && !memcmp(word.ptr, "id", 2)))
			base_writer_printf(&out, "%.*s=", (int)len, word.ptr);
		if (!equals ||
		    !kmsd_id_print(&out, (struct base_str){ equals + 1, word.len - len - 1 }))
			base_writer_str(&out, word);
	}
	printf("%s\n", base_writer_cstr(&out));
	base_writer_done(&out);
}

static int answer_print(struct base_str answer)
{
	while (answer.len) {
		const char *end = memchr(answer.ptr, '\n', answer.len);
		struct base_str line = { answer.ptr,
			                 end ? (size_t)(end - answer.ptr) : answer.len };
		size_t taken = line.len + (end ? 1 : 0);

		if (base_str_eq(line, BASE_STR("ok")))
			return fflush(stdout) ? 1 : 0;
		if (line.len > 6 && !memcmp(line.ptr, "error ", 6)) {
			fprintf(stderr, "gatehouse kms: %.*s\n", (int)line.len - 6, line.ptr + 6);
			return 1;
		}
		user_print(line);
		answer.ptr += taken;
		answer.len -= taken;
	}
	fputs("gatehouse kms: the answer has no end\n", stderr);
	return 1;
}

/* ---- words of the command line ---- */

static bool option_take(struct words *w, int argc, char **argv, int *i)
{
	const struct {
		const char *word, **to;
	} options[] = {
		{ "-c", &w->file },
		{ "--key", &w->key },
		{ "--key-id", &w->key_id },
		{ "--certificate", &w->certificate },
		{ "--ticket-key", &w->ticket_key },
		{ "--ticket-key-id", &w->ticket_key_id },
	};

	if (!strcmp(argv[*i], "--replace")) {
		w->replace = true;
		return true;
	}
	for (size_t k = 0; k < BASE_COUNT(options); k++)
		if (!strcmp(argv[*i], options[k].word) && *i + 1 < argc) {
			*options[k].to = argv[++*i];
			return true;
		}
	if (argv[*i][0] == '-' || w->name)
		return false;
	w->name = argv[*i];
	return true;
}

static bool words_fit(const struct words *w)
{
	bool add = !strcmp(w->verb, "add"), list = !strcmp(w->verb, "list");
	bool more = w->key || w->key_id || w->certificate || w->ticket_key || w->ticket_key_id ||
	            w->replace;

	if (!add && !list && strcmp(w->verb, "remove") != 0)
		return false;
	return w->file && !w->name == list && (add || !more);
}

static int run(const struct words *w)
{
	struct base_writer line = { .wipe = true }, answer = { 0 };
	struct kmsd_config *config = NULL;
	struct base_error err = { 0 };
	char text[900];
	int status = 1, rc = kmsd_config_load(&config, w->file, &err);

	if (!rc)
		rc = order_write(w, &line, &err);
	if (!rc)
		rc = order_give(config, &line, &answer, &err);
	if (rc)
		fprintf(stderr, "gatehouse kms: %s\n", base_error_format(&err, text, sizeof(text)));
	else
		status = answer_print(base_writer_view(&answer));
	base_writer_done(&line);
	base_writer_done(&answer);
	kmsd_config_free(config);
	return status;
}

int kmsd_tool_main(int argc, char **argv)
{
	struct words w = { 0 };

	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			fputs(usage, stdout);
			return 0;
		}
	if (argc < 3 || strcmp(argv[1], "user") != 0) {
		fputs(usage, stderr);
		return 2;
	}
	w.verb = argv[2];
	for (int i = 3; i < argc; i++)
		if (!option_take(&w, argc, argv, &i)) {
			fprintf(stderr, "gatehouse kms: '%s'?\n%s", argv[i], usage);
			return 2;
		}
	if (!words_fit(&w)) {
		fputs(usage, stderr);
		return 2;
	}
	return run(&w);
}
