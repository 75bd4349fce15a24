/* SPDX-License-Identifier: Apache-2.0 */
#include "pairs.h"

#include "lab.h"

static int pair_setup(struct lab *lab, struct lab_sides *sides, enum tls_engine server,
                      enum tls_engine client)
{
	if (!tls_engine_caps(server) || !tls_engine_caps(client)) {
		print_message("left out: this build has no %s with %s\n", tls_engine_name(server),
		              tls_engine_name(client));
		return 0;
	}
	*sides = (struct lab_sides){ lab, server, client };
	return 1;
}

static int run(const struct CMUnitTest *tests, size_t count, size_t clients)
{
	static const enum tls_engine engine[] = { TLS_ENGINE_OPENSSL, TLS_ENGINE_GNUTLS };
	struct CMUnitTest *all = calloc(4 * count, sizeof(*all));
	struct base_arena names = { 0 };
	struct lab_sides sides[4];
	struct lab *lab = lab_new();
	size_t used = 0;
	int failed;

	if (!all)
		return 1;
	for (size_t s = 0; s < 2; s++)
		for (size_t c = 0; c < clients; c++) {
			struct lab_sides *pair = &sides[2 * s + c];

			if (!pair_setup(lab, pair, engine[s], engine[clients == 1 ? s : c]))
				continue;
			for (size_t i = 0; i < count; i++) {
				all[used] = tests[i];
				all[used].name = base_arena_printf(&names, "%s server=%s client=%s",
				                                   tests[i].name,
				                                   tls_engine_name(pair->server),
				                                   tls_engine_name(pair->client));
				all[used++].initial_state = pair;
			}
		}
	failed = _cmocka_run_group_tests("tls", all, used, NULL, NULL);
	base_arena_done(&names);
	lab_free(lab);
	free(all);
	return failed;
}

int pairs_run(const struct CMUnitTest *tests, size_t count)
{
	return run(tests, count, 2);
}

int pairs_run_servers(const struct CMUnitTest *tests, size_t count)
{
	return run(tests, count, 1);
}
