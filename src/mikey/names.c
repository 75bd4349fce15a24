/* SPDX-License-Identifier: Apache-2.0 */
#include "mikey/names.h"

#include <stddef.h>

#include "base/base.h"

static const char *const data_type[] = {
	"Pre-shared",       "PSK ver msg",     "Public key",    "PK ver msg",
	"D-H init",         "D-H resp",        "Error",         "DHHMAC init",
	"DHHMAC resp",      "RSA-R I_MSG",     "RSA-R R_MSG",   "REQUEST_INIT_PSK",
	"REQUEST_INIT_PK",  "REQUEST_RESP",    "TRANSFER_INIT", "TRANSFER_RESP",
	"RESOLVE_INIT_PSK", "RESOLVE_INIT_PK", "RESOLVE_RESP",  "I_MESSAGE_1 (IBAKE)",
	"R_MESSAGE_1",      "I_MESSAGE_2",     "R_MESSAGE_2",   "IBAKE error",
	"SHORT_TERM_REQ",   "SHORT_TERM_RESP", "SAKKE",
};
static const char *const payload[] = {
	"Last payload", "KEMAC", "PKE", "DH",     "SIGN",  "T",     "ID",
	"CERT",         "CHASH", "V",   "SP",     "RAND",  "ERR",   "TR",
	"IDR",          "RANDR", "TP",  "TICKET", NULL,    NULL,    "Key data",
	"General Ext.", "IBAKE", "ESK", "SK",     "ECCPT", "SAKKE",
};
static const char *const prf[] = { "MIKEY-1", "PRF-HMAC-SHA-256" };
static const char *const map[] = { "SRTP-ID", "Empty map", "GENERIC-ID" };
static const char *const encr[] = { "NULL", "AES-CM-128", "AES-KW-128", "AES-CM-256" };
static const char *const mac[] = { "NULL", "HMAC-SHA-1-160", "HMAC-SHA-256-256" };
static const char *const hash[] = { "SHA-1", "MD5", "SHA-256" };
static const char *const ts_type[] = { "NTP-UTC", "NTP", "COUNTER", "NTP-UTC-32" };
static const char *const ts_role[] = { NULL, "time of issue (TRi)", "start of validity (TRs)",
	                               "end of validity (TRe)", "rekeying interval (TRr)" };
static const char *const id_type[] = { "NAI", "URI", "byte string" };
static const char *const id_role[] = {
	NULL,
	"Initiator (IDRi)",
	"Responder (IDRr)",
	"KMS (IDRkms)",
	"pre-shared key (IDRpsk)",
	"application (IDRapp)",
	"Initiator's KMS (IDRkmsi)",
	"Responder's KMS (IDRkmsr)",
	"Initiator, hashed",
	"Responder, hashed",
};
static const char *const rand_role[] = { NULL, "Initiator (RANDRi)", "Responder (RANDRr)",
	                                 "KMS (RANDRkms)" };
static const char *const prot[] = { "SRTP", "TESLA" };
static const char *const ticket_type[] = { NULL, "MIKEY base ticket", "3GPP base ticket" };
static const char *const key_type[] = {
	"TGK", "TGK+SALT", "TEK", "TEK+SALT", "GTGK", "GTGK+SALT", "MPK", "K_PR",
};
static const char *const kv[] = { "Null", "SPI", "Interval" };
static const char *const cert[] = { "X.509v3", "X.509v3 URL", "X.509v3 Sign", "X.509v3 Encr" };
static const char *const sign[] = { "RSA/PKCS#1/1.5", "RSA/PSS", "ECCSI" };
static const char *const ext[] = { "Vendor ID", "SDP IDs", NULL, "Key ID" };
static const char *const error[] = {
	"Auth failure",      "Invalid TS",
	"Invalid PRF",       "Invalid MAC",
	"Invalid EA",        "Invalid HA",
	"Invalid DH",        "Invalid ID",
	"Invalid Cert",      "Invalid SP",
	"Invalid SPpar",     "Invalid DT",
	"Unspecified error", "Unsupported message type",
	"Invalid TICKET",    "Invalid TPpar",
};
static const char *const dh_group[] = { "OAKLEY 5", "OAKLEY 1", "OAKLEY 2" };
static const char *const cache[] = { "No cache", "Cache", "Cache for CSB" };
static const char *const srtp_param[] = {
	"Encryption algorithm",     "Session Encr. key length",   "Authentication algorithm",
	"Session Auth. key length", "Session Salt key length",    "SRTP Pseudo Random Function",
	"Key derivation rate",      "SRTP encryption off/on",     "SRTCP encryption off/on",
	"sender's FEC order",       "SRTP authentication off/on", "Authentication tag length",
	"SRTP prefix length",
};

#define SPACE(id, table) [MIKEY_SPACE_##id] = { table, BASE_COUNT(table) }
static const struct {
	const char *const *name;
	size_t count;
} spaces[] = {
	SPACE(DATA_TYPE, data_type),
	SPACE(PAYLOAD, payload),
	SPACE(PRF, prf),
	SPACE(MAP, map),
	SPACE(ENCR, encr),
	SPACE(MAC, mac),
	SPACE(HASH, hash),
	SPACE(TS_TYPE, ts_type),
	SPACE(TS_ROLE, ts_role),
	SPACE(ID_TYPE, id_type),
	SPACE(ID_ROLE, id_role),
	SPACE(RAND_ROLE, rand_role),
	SPACE(PROT, prot),
	SPACE(TICKET_TYPE, ticket_type),
	SPACE(KEY_TYPE, key_type),
	SPACE(KV, kv),
	SPACE(CERT, cert),
	SPACE(SIGN, sign),
	SPACE(EXT, ext),
	SPACE(ERROR, error),
	SPACE(DH_GROUP, dh_group),
	SPACE(CACHE, cache),
	SPACE(SRTP_PARAM, srtp_param),
};

const char *mikey_name(enum mikey_space space, unsigned value)
{
	if (space == MIKEY_SPACE_PROT && value == MIKEY_PROT_TLS)
		return "TLS (private value)";
	return value < spaces[space].count ? spaces[space].name[value] : NULL;
}
