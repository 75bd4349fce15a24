/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/error.h"

void base_wipe(void *data, size_t len)
{
	if (len)
		explicit_bzero(data, len);
}

int base_secret_set(struct base_secret *s, const void *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	if (!copy)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	if (len)
		memcpy(copy, data, len);
	base_secret_done(s);
	s->data = copy;
	s->len = len;
	return 0;
}

void base_secret_done(struct base_secret *s)
{
	base_wipe(s->data, s->len);
	free(s->data);
	s->data = NULL;
	s->len = 0;
}

bool base_secret_equal(const void *a, size_t a_len, const void *b, size_t b_len)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t diff = 0;

	if (a_len != b_len)
		return false;
	for (size_t i = 0; i < a_len; i++)
		diff |= (uint8_t)(x[i] ^ y[i]);
	return diff == 0;
}

int base_random(void *out, size_t len)
{
	uint8_t *at = out;

	while (len) {
		ssize_t n = getrandom(at, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return BASE_ERR(BASE_LOCAL, errno);
		at += n;
		len -= (size_t)n;
	}
	return 0;
}
