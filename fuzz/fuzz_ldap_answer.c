/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What a directory answers to a search, octet by octet, through libldap into values. It comes over
 * a loopback connection, since libldap has no other door; the first octet's lowest bit asks for a
 * repository or for one CRL. Limits hold, and what comes out is what is said to be.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <sys/socket.h>

#include "fetch/ldap.h"
#include "x509/x509.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int listener = -1;
static char url[64];
static struct fetch_url at;

static void start(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(to);
	struct base_error err = { 0 };

	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&to, len) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&to, &len))
		abort();
	(void)snprintf(url, sizeof(url), "ldap://127.0.0.1:%u/o=A", ntohs(to.sin_port));
	if (fetch_url_parse(base_str_of(url), &at, &err) || fetch_ldap_init(&err))
		abort();
}

/* The whole answer is there before the question: one thread does. */
static void *answer(void *arg)
{
	const struct base_str *said = arg;
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		abort();
	(void)!write(fd, said->ptr, said->len); /* the reader may have gone already */
	(void)shutdown(fd, SHUT_WR);
	while (read(fd, (char[512]){ 0 }, 512) > 0)
		;
	(void)close(fd);
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct fetch_ldap_settings anonymous;
	struct base_str said = { (const char *)data + (size != 0), size - (size != 0) };
	struct fetch_ldap_left_out left_out = { 0 };
	struct fetch_blobs blobs = { 0 };
	struct base_error err = { 0 };
	struct fetch_ldap_order order = { .url = url, .at = &at, .left_out = &left_out };
	pthread_t thread;

	if (listener < 0)
		start();
	order.settings = &anonymous;
	order.repository = size && data[0] & 1;
	order.connect_ms = order.total_ms = 5000;
	order.max_octets = 8192;
	order.max_values = 8;
	if (pthread_create(&thread, NULL, answer, &said))
		abort();
	(void)fetch_ldap_get(&order, &blobs, &err); /* what it found is looked at either way */
	if (pthread_join(thread, NULL))
		abort();
	if (blobs.count > order.max_values || blobs.octets > order.max_octets)
		abort();
	for (size_t i = 0; i < blobs.count; i++) {
		const unsigned char *der = blobs.at[i].data;
		X509 *cert = NULL;

		if (!order.repository && blobs.at[i].what != FETCH_CRL)
			abort();
		if (blobs.at[i].what != FETCH_CROSS)
			continue;
		cert = d2i_X509(NULL, &der, (long)blobs.at[i].len);
		if (!cert)
			abort();
		X509_free(cert);
	}
	fetch_blobs_done(&blobs);
	return 0;
}
