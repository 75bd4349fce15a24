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

/* -- TLS 1.3 ----------------------------------------------------------------------------------- */

bool check_client_certificate13_read(struct check_bytes body, struct check_bytes *ret_first)
{
	struct base_reader r = base_reader_of(body.data, body.len), list;
	struct check_bytes all, one;

	*ret_first = (struct check_bytes){ NULL, 0 };
	(void)vector(&r, 1); /* the context of a request in the handshake is empty */
	all = vector(&r, 3);
	if (!base_reader_done(&r))
		return false;
	list = base_reader_of(all.data, all.len);
	while (base_reader_left(&list) && !list.failed) {
		one = vector(&list, 3);
		(void)vector(&list, 2);
		if (!ret_first->len && !list.failed)
			*ret_first = one;
	}
	return !list.failed;
}

struct check_bytes check_share_find(const struct check_offered *o, uint16_t group)
{
	const struct check_extension *e = check_offered_extension(o, 51);
	struct base_reader r = base_reader_of(e ? e->data.data : NULL, e ? e->data.len : 0), list;
	struct check_bytes all = vector(&r, 2);

	list = base_reader_of(all.data, all.len);
	while (base_reader_left(&list) && !list.failed) {
		uint16_t theirs = base_reader_u16(&list);
		struct check_bytes share = vector(&list, 2);

		if (theirs == group && !list.failed)
			return share;
	}
	return (struct check_bytes){ NULL, 0 };
}

bool check_psk_find(const struct check_offered *o, struct check_bytes hello,
                    struct check_bytes identity, struct check_offered_psk *ret)
{
	const struct check_extension *e = check_offered_extension(o, 41);
	struct base_reader r = base_reader_of(e ? e->data.data : NULL, e ? e->data.len : 0);
	struct check_bytes names = vector(&r, 2), binders;
	struct base_reader name = base_reader_of(names.data, names.len), binder;
	bool found = false;

	*ret = (struct check_offered_psk){ .index = 0 };
	if (!e || r.failed || e->data.data + e->data.len != hello.data + hello.len)
		return false;
	ret->before = (size_t)(r.at - hello.data);
	binders = vector(&r, 2);
	binder = base_reader_of(binders.data, binders.len);
	while (!found && base_reader_left(&name) && !name.failed) {
		ret->identity = vector(&name, 2);
		(void)base_reader_u32(&name); /* its age: no ticket is too old here */
		ret->binder = vector(&binder, 1);
		found = !name.failed && !binder.failed && ret->identity.len == identity.len &&
		        identity.len && !memcmp(ret->identity.data, identity.data, identity.len);
		ret->index += !found;
	}
	return found && base_reader_done(&r);
}
