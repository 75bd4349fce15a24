/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names and numbers of RFC 3525, Annex E: packages that this gateway does not offer, in their
 * order. Tone ids are enumerations that extending packages go on with, so their values have no type
 * here and are read by their spelling.
 */
#include "h248/ber_packages.h"
#include "h248/package_tables.h"

/* clang-format off */
/* E.3 */
static const struct h248_package_param tonegen_pt[] = {
	{ "tl", 0x0001, V, .values = ANY(NONE) }, { "ind", 0x0002, V, .values = ANY(INTEGER) },
};
static const struct h248_package_item tonegen_items[] = {
	{ "pt", 0x0001, H248_SIGNAL, V, PARAMS(tonegen_pt) },
};
static const struct h248_package tonegen = { "tonegen", 0x0003, 1, V, ITEMS(tonegen_items) };

/* E.4 */
static const struct h248_package_param tonedet_tl[] = {
	{ "tl", 0x0001, V, .values = ANY(NONE) },
};
static const struct h248_package_param tonedet_ltd[] = {
	{ "tl", 0x0001, V, .values = ANY(NONE) }, { "dur", 0x0002, V, .values = ANY(INTEGER) },
};
static const struct h248_package_param tonedet_tid[] = {
	{ "tid", 0x0003, V, .values = ANY(NONE) },
};
static const struct h248_package_param tonedet_etd[] = {
	{ "tid", 0x0003, V, .values = ANY(NONE) }, { "dur", 0x0002, V, .values = ANY(INTEGER) },
};
static const struct h248_package_item tonedet_items[] = {
	{ "std", 0x0001, H248_EVENT, V, PARAMS(tonedet_tl), OBSERVED(tonedet_tid) },
	{ "etd", 0x0002, H248_EVENT, V, PARAMS(tonedet_tl), OBSERVED(tonedet_etd) },
	{ "ltd", 0x0003, H248_EVENT, V, PARAMS(tonedet_ltd), OBSERVED(tonedet_tid) },
};
static const struct h248_package tonedet = { "tonedet", 0x0004, 1, V, ITEMS(tonedet_items) };

/* E.5 */
static const struct h248_package_item dg_items[] = {
	{ "d0", 0x0010, H248_SIGNAL, V },
	{ "d1", 0x0011, H248_SIGNAL, V },
	{ "d2", 0x0012, H248_SIGNAL, V },
	{ "d3", 0x0013, H248_SIGNAL, V },
	{ "d4", 0x0014, H248_SIGNAL, V },
	{ "d5", 0x0015, H248_SIGNAL, V },
	{ "d6", 0x0016, H248_SIGNAL, V },
	{ "d7", 0x0017, H248_SIGNAL, V },
	{ "d8", 0x0018, H248_SIGNAL, V },
	{ "d9", 0x0019, H248_SIGNAL, V },
	{ "ds", 0x0020, H248_SIGNAL, V },
	{ "do", 0x0021, H248_SIGNAL, V },
	{ "da", 0x001A, H248_SIGNAL, V },
	{ "db", 0x001B, H248_SIGNAL, V },
	{ "dc", 0x001C, H248_SIGNAL, V },
	{ "dd", 0x001D, H248_SIGNAL, V },
};
static const struct h248_package dg = { "dg", 0x0005, 1, V, "tonegen", ITEMS(dg_items) };

/* E.6; the version is the registry's */
static const struct h248_package_enum dd_method[] = { { "UM", 1 }, { "PM", 2 }, { "FM", 3 } };
static const struct h248_package_param dd_ce[] = {
	{ "ds", 0x0001, V, .values = ANY(STRING) },
	{ "Meth", 0x0003, V, .values = ONE_OF(dd_method) },
};
static const struct h248_package_item dd_items[] = {
	{ "ce", 0x0004, H248_EVENT, V, OBSERVED(dd_ce) },
	{ "d0", 0x0010, H248_EVENT, V },
	{ "d1", 0x0011, H248_EVENT, V },
	{ "d2", 0x0012, H248_EVENT, V },
	{ "d3", 0x0013, H248_EVENT, V },
	{ "d4", 0x0014, H248_EVENT, V },
	{ "d5", 0x0015, H248_EVENT, V },
	{ "d6", 0x0016, H248_EVENT, V },
	{ "d7", 0x0017, H248_EVENT, V },
	{ "d8", 0x0018, H248_EVENT, V },
	{ "d9", 0x0019, H248_EVENT, V },
	{ "ds", 0x0020, H248_EVENT, V },
	{ "do", 0x0021, H248_EVENT, V },
	{ "da", 0x001A, H248_EVENT, V },
	{ "db", 0x001B, H248_EVENT, V },
	{ "dc", 0x001C, H248_EVENT, V },
	{ "dd", 0x001D, H248_EVENT, V },
};
static const struct h248_package dd = { "dd", 0x0006, 1, V, "tonedet", ITEMS(dd_items) };

/* E.7 */
static const struct h248_package_item cg_items[] = {
	{ "dt", 0x0030, H248_SIGNAL, V },
	{ "rt", 0x0031, H248_SIGNAL, V },
	{ "bt", 0x0032, H248_SIGNAL, V },
	{ "ct", 0x0033, H248_SIGNAL, V },
	{ "sit", 0x0034, H248_SIGNAL, V },
	{ "wt", 0x0035, H248_SIGNAL, V },
	{ "prt", 0x0036, H248_SIGNAL, V },
	{ "cw", 0x0037, H248_SIGNAL, V },
	{ "cr", 0x0038, H248_SIGNAL, V },
};
static const struct h248_package cg = { "cg", 0x0007, 1, V, "tonegen", ITEMS(cg_items) };

/* E.8 */
static const struct h248_package_item cd_items[] = {
	{ "dt", 0x0030, H248_EVENT, V },
	{ "rt", 0x0031, H248_EVENT, V },
	{ "bt", 0x0032, H248_EVENT, V },
	{ "ct", 0x0033, H248_EVENT, V },
	{ "sit", 0x0034, H248_EVENT, V },
	{ "wt", 0x0035, H248_EVENT, V },
	{ "prt", 0x0036, H248_EVENT, V },
	{ "cw", 0x0037, H248_EVENT, V },
	{ "cr", 0x0038, H248_EVENT, V },
};
static const struct h248_package cd = { "cd", 0x0008, 1, V, "tonedet", ITEMS(cd_items) };

/* E.9 */
static const struct h248_package_enum al_strict[] = {
	{ "exact", 0 }, { "state", 1 }, { "failWrong", 2 },
};
static const struct h248_package_param al_hook[] = {
	{ "strict", 0x0001, V, .values = ONE_OF(al_strict) },
};
static const struct h248_package_param al_hook_observed[] = {
	{ "init", 0x0002, V, .values = ANY(BOOLEAN) },
};
static const struct h248_package_param al_flash[] = {
	{ "mindur", 0x0004, V, .values = ANY(INTEGER) },
	{ "maxdur", 0x0005, V, .values = ANY(INTEGER) },
};
static const struct h248_package_param al_ring[] = {
	{ "cad", 0x0006, V, .values = LIST_OF(INTEGER) },
	{ "freq", 0x0007, V, .values = ANY(INTEGER) },
};
static const struct h248_package_item al_items[] = {
	{ "on", 0x0004, H248_EVENT, V, PARAMS(al_hook), OBSERVED(al_hook_observed) },
	{ "of", 0x0005, H248_EVENT, V, PARAMS(al_hook), OBSERVED(al_hook_observed) },
	{ "fl", 0x0006, H248_EVENT, V, PARAMS(al_flash) },
	{ "ri", 0x0002, H248_SIGNAL, V, PARAMS(al_ring) },
};
static const struct h248_package al = { "al", 0x0009, 1, V, ITEMS(al_items) };

/* E.10 */
static const struct h248_package_enum ct_result[] = { { "success", 1 }, { "failure", 0 } };
static const struct h248_package_param ct_completion[] = {
	{ "res", 0x0008, V, .values = ONE_OF(ct_result) },
};
static const struct h248_package_item ct_items[] = {
	{ "cmp", 0x0005, H248_EVENT, V, OBSERVED(ct_completion) },
	{ "ct", 0x0003, H248_SIGNAL, V }, { "rsp", 0x0004, H248_SIGNAL, V },
};
static const struct h248_package ct = { "ct", 0x000A, 1, V, ITEMS(ct_items) };

/* E.12 */
static const struct h248_package_param rtp_payload[] = {
	{ "rtppltype", 0x0001, V, .values = ANY(NONE) },
};
static const struct h248_package_item rtp_items[] = {
	{ "pltrans", 0x0001, H248_EVENT, V, OBSERVED(rtp_payload) },
	{ "ps", 0x0004, H248_STATISTIC, V, .values = ANY(DOUBLE) },
	{ "pr", 0x0005, H248_STATISTIC, V, .values = ANY(DOUBLE) },
	{ "pl", 0x0006, H248_STATISTIC, V, .values = ANY(DOUBLE) },
	{ "jit", 0x0007, H248_STATISTIC, V, .values = ANY(DOUBLE) },
	{ "delay", 0x0008, H248_STATISTIC, V, .values = ANY(DOUBLE) },
};
static const struct h248_package rtp = { "rtp", 0x000C, 1, V, "nt", ITEMS(rtp_items) };

/* E.13 */
static const struct h248_package_item tdmc_items[] = {
	{ "ec", 0x0008, H248_PROPERTY, V, .values = ANY(BOOLEAN) },
	{ "gain", 0x000A, H248_PROPERTY, V, .values = ANY(INTEGER) },
};
static const struct h248_package tdmc = { "tdmc", 0x000D, 1, V, "nt", ITEMS(tdmc_items) };
/* clang-format on */

const struct h248_package *const ber_annex_e[] = {
	&tonegen, &tonedet, &dg, &dd, &cg, &cd, &al, &ct, &rtp, &tdmc, NULL,
};
