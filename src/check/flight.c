/* SPDX-License-Identifier: Apache-2.0 */
#include "check/flight.h"

static struct check_bytes vector(struct base_reader *r, unsigned octets)
{
	size_t len = octets == 1   ? base_reader_u8(r)
	             : octets == 2 ? base_reader_u16(r)
	                           : base_reader_u24(r);
	const uint8_t *data = base_reader_take(r, len);

	return (struct check_bytes){ data, data ? len : 0 };
}

bool check_client_key_read(struct check_bytes body, const struct check_shape *shape,
                           struct check_client_key *ret)
{
	struct base_reader r = base_reader_of(body.data, body.len);

	*ret = (struct check_client_key){ { NULL, 0 }, { NULL, 0 } };
	if (shape->psk)
		ret->identity = vector(&r, 2);
	if (shape->exchange == CHECK_BY_ECDH)
		ret->value = vector(&r, 1);
	else if (shape->exchange == CHECK_BY_DH || shape->exchange == CHECK_BY_RSA)
		ret->value = vector(&r, 2);
	return base_reader_done(&r) && (ret->value.len || shape->exchange == CHECK_BY_PSK);
}

bool check_client_certificate_read(struct check_bytes body, struct check_bytes *ret_first)
{
	struct base_reader r = base_reader_of(body.data, body.len), list;
	struct check_bytes all = vector(&r, 3), one;

	*ret_first = (struct check_bytes){ NULL, 0 };
	if (!base_reader_done(&r))
		return false;
	list = base_reader_of(all.data, all.len);
	while (base_reader_left(&list) && !list.failed) {
		one = vector(&list, 3);
		if (!ret_first->len && !list.failed)
			*ret_first = one;
	}
	return !list.failed;
}

bool check_proof_read(struct check_bytes body, uint16_t version, struct check_proof *ret)
{
	struct base_reader r = base_reader_of(body.data, body.len);

	*ret = (struct check_proof){ .scheme = version >= 0x0303 ? base_reader_u16(&r) : 0 };
	ret->signature = vector(&r, 2);
	return base_reader_done(&r) && ret->signature.len;
}
