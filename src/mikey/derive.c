/* SPDX-License-Identifier: Apache-2.0 */
#include "mikey/derive.h"

#include "mikey/codec_private.h"
#include "mikey/crypto.h"

#define BLOCK 32 /* octets of inkey at a time (RFC 3830, 4.1.2) */

/* P(s, label, m), of which `len` octets are XORed into `out`. */
static int p_xor(struct mikey_kept *kept, uint8_t mac, struct mikey_octets s,
                 struct mikey_octets label, uint8_t *out, size_t len)
{
	size_t width = (size_t)mikey_mac_len(mac);
	uint8_t a[MIKEY_TAG_MAX], block[MIKEY_TAG_MAX];
	const struct mikey_octets part[] = { { a, width }, label };
	struct mikey_mac_run run;
	int rc = mikey_mac_begin(&run, kept, mac, s);

	if (!rc)
		rc = mikey_mac_tag(&run, &label, 1, a); /* A_1 */
	for (size_t at = 0; !rc && at < len; at += width) {
		rc = mikey_mac_tag(&run, part, 2, block);
		for (size_t i = 0; !rc && i < width && at + i < len; i++)
			out[at + i] ^= block[i];
		if (!rc && at + width < len) {
			rc = mikey_mac_tag(&run, part, 1, block);
			memcpy(a, block, width);
		}
	}
	mikey_mac_end(&run);
	base_wipe(a, sizeof(a));
	base_wipe(block, sizeof(block));
	return rc;
}

int mikey_prf(struct mikey_kept *kept, uint8_t prf, struct mikey_octets inkey,
              struct mikey_octets label, uint8_t *out, size_t len)
{
	uint8_t mac = prf == MIKEY_PRF_MIKEY_1 ? MIKEY_HMAC_SHA_1_160 : MIKEY_HMAC_SHA_256_256;
	int rc = 0;

	memset(out, 0, len);
	for (size_t at = 0; !rc && at < inkey.len; at += BLOCK)
		rc = p_xor(kept, mac,
		           mikey_octets_of(inkey.at + at, BASE_MIN(inkey.len - at, (size_t)BLOCK)),
		           label, out, len);
	if (rc)
		base_wipe(out, len);
	return rc;
}

/* The tables of RFC 3830, 4.1.3 and 4.1.4. */
static const uint32_t message_constant[] = {
	[MIKEY_USE_AUTH] = 0x2D22AC75,
	[MIKEY_USE_ENCR] = 0x150533E1,
	[MIKEY_USE_SALT] = 0x29B88916,
};
static const uint32_t session_constant[] = {
	[MIKEY_SESSION_TEK] = 0x2AD01C64,
	[MIKEY_SESSION_AUTH] = 0x1B5C7973,
	[MIKEY_SESSION_ENCR] = 0x15798CEF,
	[MIKEY_SESSION_SALT] = 0x39A2C14B,
};
/* RFC 6043, Tables 5.1 and A.1 */
#define FORK_MPKR 0x2B288856U
#define FORK_TGK  0x1512B54AU
#define MPK_I     0x220E99A2U
#define MPK_R     0x1F4D675BU

/* The longest label without an identity: what all begin with, and two RANDs. */
#define LABEL_MAX (9 + 1 + 2 * 256)

/* constant || cs || csb: what all labels begin with. */
static void begin(struct base_writer *w, uint32_t constant, uint8_t cs, uint32_t csb)
{
	base_writer_u32(w, constant);
	base_writer_u8(w, cs);
	base_writer_u32(w, csb);
}

/* The label is written: derive with it and let go of it. */
static int finish(struct mikey_kept *kept, uint8_t prf, struct mikey_octets inkey,
                  struct base_writer *label, uint8_t *out, size_t len)
{
	int rc = label->failed ? BASE_ERR(BASE_LOCAL, 0)
	                       : mikey_prf(kept, prf, inkey,
	                                   mikey_octets_of(label->data, label->len), out, len);

	base_writer_done(label);
	return rc;
}

int mikey_derive_message(struct mikey_kept *kept, uint8_t prf, struct mikey_octets inkey,
                         enum mikey_use use, uint32_t csb_id, bool response,
                         const struct mikey_rands *rands, uint8_t *out, size_t len)
{
	uint8_t label[LABEL_MAX];
	struct base_writer w = base_writer_over(label, sizeof(label));

	begin(&w, message_constant[use], 0xff, csb_id);
	base_writer_u8(&w, response ? 0x02 : 0x01);
	mikey_put_counted(&w, 1, rands->initiator);
	mikey_put_counted(&w, 1, rands->responder);
	return finish(kept, prf, inkey, &w, out, len);
}

int mikey_derive_session(struct mikey_kept *kept, uint8_t prf, struct mikey_octets tgk,
                         enum mikey_session_use use, uint8_t cs_id, const struct mikey_rands *rands,
                         uint8_t *out, size_t len)
{
	uint8_t label[LABEL_MAX];
	struct base_writer w = base_writer_over(label, sizeof(label));

	begin(&w, session_constant[use], cs_id, 0xffffffff);
	base_writer_u8(&w, 0x03);
	mikey_put_counted(&w, 1, rands->initiator);
	mikey_put_counted(&w, 1, rands->responder);
	return finish(kept, prf, tgk, &w, out, len);
}

int mikey_derive_fork(struct mikey_kept *kept, uint8_t prf, struct mikey_octets inkey, bool tgk,
                      struct mikey_octets id_data, struct mikey_octets rand_kms, uint8_t *out)
{
	struct base_writer w = { 0 };

	begin(&w, tgk ? FORK_TGK : FORK_MPKR, 0xff, 0xffffffff);
	base_writer_u8(&w, 0x00);
	mikey_put_counted(&w, 2, id_data);
	mikey_put_counted(&w, 1, rand_kms);
	return finish(kept, prf, inkey, &w, out, inkey.len);
}

int mikey_derive_vr(struct mikey_kept *kept, uint8_t prf, struct mikey_octets mpkr, uint8_t *out,
                    size_t len)
{
	uint8_t label[LABEL_MAX];
	struct base_writer w = base_writer_over(label, sizeof(label));

	begin(&w, message_constant[MIKEY_USE_AUTH], 0xff, 0xffffffff);
	base_writer_u8(&w, 0x04);
	return finish(kept, prf, mpkr, &w, out, len);
}

int mikey_derive_ticket(struct mikey_kept *kept, uint8_t prf, struct mikey_octets tpk,
                        enum mikey_use use, struct mikey_octets rand, uint8_t *out, size_t len)
{
	uint8_t label[LABEL_MAX];
	struct base_writer w = base_writer_over(label, sizeof(label));

	begin(&w, message_constant[use], 0xff, 0xffffffff);
	base_writer_u8(&w, 0x05);
	mikey_put_counted(&w, 1, rand);
	return finish(kept, prf, tpk, &w, out, len);
}

int mikey_derive_mpk(struct mikey_kept *kept, uint8_t prf, struct mikey_octets mpk, bool responder,
                     struct mikey_octets rand, uint8_t *out)
{
	uint8_t label[LABEL_MAX];
	struct base_writer w = base_writer_over(label, sizeof(label));

	begin(&w, responder ? MPK_R : MPK_I, 0xff, 0xffffffff);
	base_writer_u8(&w, 0x06);
	mikey_put_counted(&w, 1, rand);
	return finish(kept, prf, mpk, &w, out, mpk.len);
}

int mikey_derive_3830_session(struct mikey_kept *kept, uint8_t prf, struct mikey_octets tgk,
                              enum mikey_session_use use, uint8_t cs_id, uint32_t csb_id,
                              struct mikey_octets rand, uint8_t *out, size_t len)
{
	struct base_writer w = { 0 };

	begin(&w, session_constant[use], cs_id, csb_id);
	mikey_put(&w, rand);
	return finish(kept, prf, tgk, &w, out, len);
}

int mikey_derive_3830_message(struct mikey_kept *kept, uint8_t prf, struct mikey_octets inkey,
                              enum mikey_use use, uint32_t csb_id, struct mikey_octets rand,
                              uint8_t *out, size_t len)
{
	struct base_writer w = { 0 };

	begin(&w, message_constant[use], 0xff, csb_id);
	mikey_put(&w, rand);
	return finish(kept, prf, inkey, &w, out, len);
}
