/* SPDX-License-Identifier: Apache-2.0 */
/** @file The laboratory's profiles: small ones, each with what some test needs. */
#include "lab.h"

/** Comma-separated items in the profile's order; `extra` are whole rules. */
struct lab_profile_row {
	const char *name, *versions, *suites, *groups, *signatures, *extra;
};

#define SIGNATURES                                                                                 \
	"ecdsa_secp256r1_sha256, rsa_pss_rsae_sha256, rsa_pkcs1_sha256, ecdsa_secp384r1_sha384"
#define OLD_SIGNATURES SIGNATURES ", ecdsa_sha1, rsa_pkcs1_sha1"
#define TICKETS                                                                                    \
	"  - { id: X1, subject: resumption, items: [any, tickets], strength: should, mark: P, "    \
	"text: x }\n"
#define IDS                                                                                        \
	"  - { id: X1, subject: resumption, items: [any, session-ids], strength: should, mark: "   \
	"P, "                                                                                      \
	"text: x }\n"                                                                              \
	"  - { id: X1a, subject: resumption, items: [tickets], strength: shall-not, mark: P, "     \
	"text: x }\n"
#define AGAIN                                                                                      \
	"  - { id: X8, subject: renegotiation, items: [renegotiation-info, client-initiated], "    \
	"strength: may, mark: P, text: x }\n"
#define BOTH                                                                                       \
	"  - { id: X8, subject: renegotiation, items: [renegotiation-info, client-initiated, "     \
	"server-initiated], strength: may, mark: P, text: x }\n"
#define ONLY_OURS                                                                                  \
	"  - { id: X8, subject: renegotiation, items: [renegotiation-info, server-initiated], "    \
	"strength: may, mark: P, text: x }\n"
#define TELL(strength)                                                                             \
	"  - { id: X3, subject: failure, items: [unknown-identity-alert], strength: " strength     \
	", mark: P, text: x }\n"
#define PSK                                                                                        \
	"  - { id: X2, subject: authentication, items: [psk, psk-dhe-only], strength: may, mark: " \
	"P, text: x }\n" TELL("shall-not")
#define PSK_TOLD                                                                                   \
	"  - { id: X2, subject: authentication, items: [psk, psk-dhe-only], strength: may, mark: " \
	"P, text: x }\n" TELL("shall")

static const struct lab_profile_row rows[] = {
	{ "modern", "TLS1.2, TLS1.3",
	  "TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, "
	  "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
	  "secp256r1, secp384r1", SIGNATURES, TICKETS },
	{ "tls12", "TLS1.2",
	  "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "
	  "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256, TLS_RSA_WITH_AES_128_CBC_SHA",
	  "secp256r1", SIGNATURES, TICKETS },
	{ "tls12-reverse", "TLS1.2",
	  "TLS_RSA_WITH_AES_128_CBC_SHA, TLS_DHE_RSA_WITH_AES_128_GCM_SHA256, "
	  "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
	  "secp256r1", SIGNATURES, TICKETS },
	{ "tls13", "TLS1.3", "TLS_AES_128_GCM_SHA256", "secp256r1", SIGNATURES, TICKETS },
	{ "ids", "TLS1.2",
	  "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
	  "secp256r1", SIGNATURES, IDS },
	{ "old", "TLS1.0, TLS1.1, TLS1.2",
	  "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, TLS_RSA_WITH_AES_128_CBC_SHA", "secp256r1",
	  OLD_SIGNATURES, TICKETS },
	{ "tls10", "TLS1.0", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "secp256r1", OLD_SIGNATURES,
	  TICKETS },
	{ "tls11", "TLS1.1", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "secp256r1", OLD_SIGNATURES,
	  TICKETS },
	{ "psk", "TLS1.2", "TLS_PSK_WITH_AES_128_GCM_SHA256", "secp256r1", SIGNATURES, PSK },
	{ "psk-cbc", "TLS1.2", "TLS_PSK_WITH_AES_128_CBC_SHA", "secp256r1", SIGNATURES, PSK },
	{ "psk-dhe", "TLS1.2", "TLS_DHE_PSK_WITH_AES_128_GCM_SHA256", "secp256r1, ffdhe2048",
	  SIGNATURES, PSK },
	{ "psk-ecdhe", "TLS1.2", "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256", "secp256r1", SIGNATURES,
	  PSK },
	{ "psk-rsa", "TLS1.2", "TLS_RSA_PSK_WITH_AES_128_GCM_SHA256", "secp256r1", SIGNATURES,
	  PSK },
	{ "psk13", "TLS1.3", "TLS_AES_128_GCM_SHA256", "secp256r1", SIGNATURES, PSK },
	{ "psk13-tickets", "TLS1.3", "TLS_AES_128_GCM_SHA256", "secp256r1", SIGNATURES,
	  PSK TICKETS },
	{ "psk-told", "TLS1.2", "TLS_PSK_WITH_AES_128_GCM_SHA256", "secp256r1", SIGNATURES,
	  PSK_TOLD },
	{ "psk13-told", "TLS1.3", "TLS_AES_128_GCM_SHA256", "secp256r1", SIGNATURES, PSK_TOLD },
	{ "ems", "TLS1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "secp256r1", SIGNATURES,
	  "  - { id: X4, subject: extension, items: ['require extended_master_secret'], "
	  "strength: shall, mark: P, text: x }\n" },
	{ "no-ems", "TLS1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "secp256r1", SIGNATURES,
	  "  - { id: X5, subject: extension, items: [extended_master_secret], "
	  "strength: shall-not, mark: P, text: x }\n" },
	{ "psk-5746", "TLS1.2", "TLS_PSK_WITH_AES_128_GCM_SHA256", "secp256r1", SIGNATURES,
	  PSK "  - { id: X7, subject: renegotiation, items: [renegotiation-info-peer], "
	      "strength: shall, mark: P, text: x }\n" },
	{ "again", "TLS1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "secp256r1", SIGNATURES,
	  TICKETS AGAIN },
	{ "again-old", "TLS1.0, TLS1.1", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "secp256r1",
	  OLD_SIGNATURES, TICKETS AGAIN },
	{ "both", "TLS1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "secp256r1", SIGNATURES,
	  TICKETS BOTH },
	{ "both-ids", "TLS1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "secp256r1", SIGNATURES,
	  IDS BOTH },
	{ "both-old", "TLS1.0, TLS1.1", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "secp256r1",
	  OLD_SIGNATURES, TICKETS BOTH },
	{ "splice10", "TLS1.0", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "secp256r1", OLD_SIGNATURES,
	  BOTH },
	{ "splice12", "TLS1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "secp256r1", OLD_SIGNATURES,
	  BOTH },
	{ "both-brainpool", "TLS1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
	  "secp256r1, brainpoolP256r1", SIGNATURES, TICKETS BOTH },
	{ "never-again", "TLS1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "secp256r1",
	  SIGNATURES,
	  "  - { id: X8, subject: renegotiation, items: [client-initiated, server-initiated], "
	  "strength: shall-not, mark: P, text: x }\n" },
	{ "only-ours", "TLS1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "secp256r1", SIGNATURES,
	  TICKETS ONLY_OURS },
	{ "again-psk", "TLS1.2", "TLS_PSK_WITH_AES_128_GCM_SHA256", "secp256r1", SIGNATURES,
	  PSK AGAIN },
	{ "finite", "TLS1.3", "TLS_AES_128_GCM_SHA256", "secp256r1, ffdhe2048", SIGNATURES, "" },
	{ "triple", "TLS1.2", "TLS_RSA_WITH_3DES_EDE_CBC_SHA, TLS_RSA_WITH_AES_128_CBC_SHA",
	  "secp256r1", SIGNATURES, "" },
	{ "mixed", "TLS1.2",
	  "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
	  "secp256r1", SIGNATURES, "" },
	{ "mixed-not", "TLS1.2", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "secp256r1", SIGNATURES,
	  "" },
	{ "crossed", "TLS1.2",
	  "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_DHE_RSA_WITH_AES_128_GCM_SHA256, "
	  "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
	  "secp256r1", SIGNATURES, "" },
	{ "crossed-less", "TLS1.2",
	  "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", "secp256r1",
	  SIGNATURES, "" },
	{ "rsa-kx", "TLS1.2", "TLS_RSA_WITH_AES_128_CBC_SHA", "secp256r1", SIGNATURES, "" },
	{ "rsa-kx-old", "TLS1.0", "TLS_RSA_WITH_AES_128_CBC_SHA", "secp256r1", OLD_SIGNATURES, "" },
	{ "only-triple", "TLS1.2", "TLS_RSA_WITH_3DES_EDE_CBC_SHA", "secp256r1", SIGNATURES, "" },
	{ "dtls", "TLS1.1, TLS1.2, DTLS1.0, DTLS1.2",
	  "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "
	  "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, TLS_RSA_WITH_AES_128_CBC_SHA",
	  "secp256r1", OLD_SIGNATURES, TICKETS },
	{ "dtls10", "TLS1.1, DTLS1.0",
	  "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, TLS_RSA_WITH_AES_128_CBC_SHA", "secp256r1",
	  OLD_SIGNATURES, TICKETS },
	{ "dtls12", "TLS1.2, DTLS1.2",
	  "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
	  "secp256r1", SIGNATURES, TICKETS },
	{ "dtls-ids", "TLS1.2, DTLS1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "secp256r1",
	  SIGNATURES, IDS },
	{ "dtls10-ids", "TLS1.1, DTLS1.0", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "secp256r1",
	  OLD_SIGNATURES, IDS },
	{ "dtls-both", "TLS1.2, DTLS1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "secp256r1",
	  SIGNATURES, TICKETS BOTH },
	{ "dtls10-both", "TLS1.1, DTLS1.0", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "secp256r1",
	  OLD_SIGNATURES, TICKETS BOTH },
	{ "dtls-psk", "TLS1.2, DTLS1.2", "TLS_PSK_WITH_AES_128_GCM_SHA256", "secp256r1", SIGNATURES,
	  PSK },
	{ "dtls10-psk", "TLS1.1, DTLS1.0", "TLS_PSK_WITH_AES_128_CBC_SHA", "secp256r1", SIGNATURES,
	  PSK },
	{ "dtls-psk-dhe", "TLS1.2, DTLS1.2", "TLS_DHE_PSK_WITH_AES_128_GCM_SHA256",
	  "secp256r1, ffdhe2048", SIGNATURES, PSK },
	{ "dtls-psk-ecdhe", "TLS1.2, DTLS1.2", "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256", "secp256r1",
	  SIGNATURES, PSK },
	{ "dtls-rc4", "TLS1.1, TLS1.2, DTLS1.0, DTLS1.2",
	  "TLS_RSA_WITH_RC4_128_SHA, TLS_RSA_WITH_AES_128_CBC_SHA", "secp256r1", OLD_SIGNATURES,
	  "" },
	{ "only-rc4", "TLS1.2, DTLS1.2", "TLS_RSA_WITH_RC4_128_SHA", "secp256r1", SIGNATURES, "" },
	{ "never-ask", "TLS1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "secp256r1", SIGNATURES,
	  "  - { id: X6, subject: authentication, items: [client-certificate], "
	  "strength: shall-not, mark: P, text: x }\n" },
};

static void rule(struct base_writer *w, const char *id, const char *subject, const char *items)
{
	base_writer_printf(w,
	                   "  - { id: %s, subject: %s, items: [%s], strength: shall, mark: P, "
	                   "text: x }\n",
	                   id, subject, items);
}

static void text_of(const struct lab_profile_row *row, struct base_writer *w)
{
	base_writer_printf(w,
	                   "name: %s\ntitle: laboratory\ndocument: laboratory\nclause: '1'\n"
	                   "release: none\nprecedence:\n  suites: [%s]\n  groups: [%s]\n"
	                   "  signatures: [%s]\nrules:\n",
	                   row->name, row->suites, row->groups, row->signatures);
	rule(w, "V", "version", row->versions);
	rule(w, "S", "suite", row->suites);
	rule(w, "G", "group", row->groups);
	rule(w, "H", "signature", row->signatures);
	base_writer_text(w, row->extra);
}

const struct profile *lab_profile(struct lab *lab, const char *name)
{
	const struct profile *profile;
	struct base_writer w = { 0 };
	struct base_error err = { 0 };
	size_t i = 0;

	if (profile_store_find(lab->profiles, name, &profile, NULL) == 0)
		return profile;
	while (i < BASE_COUNT(rows) && strcmp(rows[i].name, name))
		i++;
	assert_true(i < BASE_COUNT(rows));
	text_of(&rows[i], &w);
	if (profile_store_text(lab->profiles, name, (const char *)w.data, w.len, &profile, &err)) {
		char line[512];

		fail_msg("%s", base_error_format(&err, line, sizeof(line)));
	}
	base_writer_done(&w);
	return profile;
}
