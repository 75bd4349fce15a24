/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets for Wireshark, where a domain says so: both ends tell the same lines, whichever engine.
 */
#include "lab.h"
#include "pairs.h"

struct log {
	struct base_writer text;
};

static void on_line(void *arg, const char *line)
{
	struct log *log = arg;

	base_writer_printf(&log->text, "%s\n", line);
}

/** Each line of `log` with this label is in `other`, too, and there is one. */
static void check_label(struct log *log, struct log *other, const char *label)
{
	const char *text = base_writer_cstr(&log->text), *there = base_writer_cstr(&other->text);
	char line[300];
	size_t len;

	text = strstr(text, label);
	assert_non_null(text);
	len = strcspn(text, "\n");
	assert_true(len > strlen(label) + 1 + 64 + 1 && len < sizeof(line));
	(void)snprintf(line, sizeof(line), "%.*s", (int)len, text);
	assert_non_null(strstr(there, line));
}

static void same_lines(void **state)
{
	static const struct {
		const char *profile, *label[4];
	} rows[] = {
		{ "tls12", { "CLIENT_RANDOM" } },
		{ "tls13",
		  { "CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET",
		    "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0" } },
	};
	struct lab_sides *sides = *state;

	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, rows[i].profile);
		struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, rows[i].profile);
		struct log log[2] = { 0 };
		struct lab_pair pair;

		s.identity = sides->lab->server_ec;
		c.unsafe_key_log = s.unsafe_key_log = on_line;
		c.unsafe_key_log_arg = &log[0];
		s.unsafe_key_log_arg = &log[1];
		lab_pair_open(&pair, &s, &c, NULL, NULL);
		lab_pair_shake(&pair);
		lab_assert_up(&pair);
		for (size_t n = 0; n < 4 && rows[i].label[n]; n++)
			check_label(&log[0], &log[1], rows[i].label[n]);
		lab_pair_close(&pair);
		base_writer_done(&log[0].text);
		base_writer_done(&log[1].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(same_lines) };

	return pairs_run(tests, BASE_COUNT(tests));
}
