/* SPDX-License-Identifier: Apache-2.0 */
/** @file A resolver that is slower than our patience. The system's one is replaced by the test's.
 */
#include "check.h"

#include <pthread.h>
#include <unistd.h>

#include "fetch/ldap_io.h"
#include "fetch/ldap_resolve.h"

static int gate[2];          /* a resolver that waits, waits to read from it */
static int left[2];          /* and says here that it goes */
static struct addrinfo what; /* a list that freeaddrinfo below knows */

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **ret)
{
	char c;

	assert_non_null(service);
	assert_int_equal(hints->ai_socktype, SOCK_STREAM);
	if (!strcmp(node, "nowhere.example"))
		return EAI_NONAME;
	if (!strcmp(node, "slow.example"))
		assert_int_equal(read(gate[0], &c, 1), 1);
	*ret = &what;
	return 0;
}

static unsigned freed;

void freeaddrinfo(struct addrinfo *list)
{
	assert_ptr_equal(list, &what);
	freed++;
	assert_int_equal(write(left[1], "x", 1), 1);
}

static int resolve(const char *host, int64_t patience_ms, struct addrinfo **ret,
                   struct base_error *err)
{
	struct fetch_url at = { .port = 389 };

	(void)snprintf(at.host, sizeof(at.host), "%s", host);
	return fetch_ldap_resolve(&at, fetch_ldap_clock_ms() + patience_ms, ret, err);
}

static void found(void **state)
{
	struct addrinfo *list = NULL;
	struct base_error err = { 0 };

	(void)state;
	assert_int_equal(resolve("ldap.example", 60000, &list, &err), 0);
	assert_ptr_equal(list, &what);
	assert_int_equal(freed, 0);
}

static void not_found(void **state)
{
	struct addrinfo *list = NULL;
	struct base_error err = { 0 };

	(void)state;
	assert_int_equal(base_err_class(resolve("nowhere.example", 60000, &list, &err)), BASE_PEER);
	assert_non_null(strstr(err.text, "nowhere.example"));
	assert_null(list);
}

/* Who waited has gone; what comes then is freed by who brings it. */
static void too_slow(void **state)
{
	struct addrinfo *list = NULL;
	struct base_error err = { 0 };
	char c;

	(void)state;
	assert_int_equal(base_err_class(resolve("slow.example", 20, &list, &err)), BASE_PEER);
	assert_non_null(strstr(err.text, "too long"));
	assert_null(list);
	assert_int_equal(write(gate[1], "x", 1), 1);
	assert_int_equal(read(left[0], &c, 1), 1);
	assert_int_equal(freed, 1);
	/* no patience at all is none */
	assert_int_equal(base_err_class(resolve("slow.example", -5, &list, &err)), BASE_PEER);
	assert_int_equal(write(gate[1], "x", 1), 1);
	assert_int_equal(read(left[0], &c, 1), 1);
}

static int set_up(void **state)
{
	(void)state;
	return pipe(gate) || pipe(left);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found),
		cmocka_unit_test(not_found),
		cmocka_unit_test(too_slow),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
