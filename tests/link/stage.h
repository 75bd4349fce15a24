/* SPDX-License-Identifier: Apache-2.0 */
/* Two sides of H.248 inside TLS over loopback, in one loop, and what the log says of them. */
#ifndef GH_TESTS_LINK_STAGE_H
#define GH_TESTS_LINK_STAGE_H

#include "../tls/lab.h"
#include "link/link.h"

extern struct lab *lab;
extern char log_text[65536]; /* of one test */
extern unsigned log_lines;

struct side {
	struct loop *loop;
	struct tls_domain *domain;
	struct link *link;
	struct h248_transport *t;
	struct h248_addr local, from;
	bool echo;
	char got[256];
	size_t count, got_len, total;
	unsigned opened, closed, drained;
	char reason[200];
};

/* What both sides have when nothing is said otherwise. */
struct tls_domain_spec good(enum tls_role role, enum tls_engine engine, const char *profile);

void side_new(struct side *s, struct loop *loop, const struct tls_domain_spec *domain,
              const struct link_spec *spec, const struct h248_transport_config *base);
void side_listen(struct side *s);
void side_free(struct side *s);
struct h248_addr target_of(const struct side *s);

#define UNTIL(loop, condition)                                                                     \
	do {                                                                                       \
		while (!(condition))                                                               \
			assert_int_equal(loop_run_once(loop, 5000), 0);                            \
	} while (0)

extern const struct link_spec server_name, client_name, any_name;

/* Of each test, and of all. */
int setup(void **state);
int teardown(void **state);
int lab_open(void **state);
int lab_close(void **state);

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
