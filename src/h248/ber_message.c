/* SPDX-License-Identifier: Apache-2.0 */
/* Not there yet: everything is refused as if memory were short. */
#include "h248/ber.h"
#include "h248/errors.h"

int h248_ber_decode(struct base_arena *arena, const void *input, size_t len,
                    const struct h248_text_options *options, struct h248_message **ret,
                    struct base_error *err)
{
	(void)arena, (void)input, (void)len, (void)options, (void)ret;
	return base_error_set(err, BASE_ERR(BASE_LOCAL, H248_E_RESOURCES),
	                      "the binary encoding is not there yet");
}

int h248_ber_encode(struct base_writer *w, const struct h248_message *msg)
{
	(void)w, (void)msg;
	return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
}

int h248_ber_encode_transaction(struct base_writer *w, const struct h248_transaction *txn,
                                unsigned version)
{
	(void)w, (void)txn, (void)version;
	return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
}
