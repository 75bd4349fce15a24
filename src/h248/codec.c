/* SPDX-License-Identifier: Apache-2.0 */
#include "h248/codec.h"

#include "h248/ber.h"

static const char *const names[] = {
	[H248_CODEC_COMPACT] = "compact",
	[H248_CODEC_PRETTY] = "pretty",
	[H248_CODEC_BER] = "ber",
};

const char *h248_codec_name(enum h248_codec codec)
{
	return names[codec];
}

int h248_codec_by_name(struct base_str name, enum h248_codec *ret)
{
	for (size_t i = 0; i < BASE_COUNT(names); i++) {
		if (base_str_ieq(name, base_str_of(names[i]))) {
			*ret = (enum h248_codec)i;
			return 0;
		}
	}
	return BASE_ERR(BASE_CONFIG, 0);
}

/* Step over LWSP, comments included, to the first word. */
static struct base_str first_word(const char *at, const char *end)
{
	const char *from;

	for (; at < end && (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n' || *at == ';');
	     at++) {
		if (*at == ';')
			while (at + 1 < end && at[1] != '\r' && at[1] != '\n')
				at++;
	}
	for (from = at; at < end && base_lower(*at) >= 'a' && base_lower(*at) <= 'z';)
		at++;
	return (struct base_str){ from, (size_t)(at - from) };
}

enum h248_codec h248_codec_detect(const void *input, size_t len)
{
	struct base_str word;

	if (h248_ber_looks_like(input, len))
		return H248_CODEC_BER;
	if (!len)
		return H248_CODEC_COMPACT;
	word = first_word(input, (const char *)input + len);
	return base_str_ieq(word, BASE_STR("MEGACO")) ||
	                       base_str_ieq(word, BASE_STR("Authentication"))
	               ? H248_CODEC_PRETTY
	               : H248_CODEC_COMPACT;
}

int h248_codec_decode(struct base_arena *arena, const void *input, size_t len,
                      const struct h248_text_options *options, struct h248_message **ret,
                      enum h248_codec *ret_codec, struct base_error *err)
{
	enum h248_codec codec = h248_codec_detect(input, len);

	if (ret_codec)
		*ret_codec = codec;
	if (codec == H248_CODEC_BER)
		return h248_ber_decode(arena, input, len, options, ret, err);
	return h248_text_decode(arena, input, len, options, ret, err);
}

int h248_codec_encode(struct base_writer *w, const struct h248_message *msg, enum h248_codec codec)
{
	if (codec == H248_CODEC_BER)
		return h248_ber_encode(w, msg);
	return h248_text_encode(w, msg,
	                        codec == H248_CODEC_PRETTY ? H248_TEXT_PRETTY : H248_TEXT_COMPACT);
}

int h248_codec_encode_transaction(struct base_writer *w, const struct h248_transaction *txn,
                                  unsigned version, enum h248_codec codec)
{
	if (codec == H248_CODEC_BER)
		return h248_ber_encode_transaction(w, txn, version);
	return h248_text_encode_transaction(
	        w, txn, version, codec == H248_CODEC_PRETTY ? H248_TEXT_PRETTY : H248_TEXT_COMPACT);
}
