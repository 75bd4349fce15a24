/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Inside this folder only: where the tables stand, and how their rows are spelled.
 */
#ifndef GH_H248_PACKAGE_TABLES_H
#define GH_H248_PACKAGE_TABLES_H

#include "h248/package.h"

extern const struct h248_package h248_package_g;
extern const struct h248_package h248_package_root;
extern const struct h248_package h248_package_nt;
extern const struct h248_package h248_package_rtp;
extern const struct h248_package h248_package_it;
extern const struct h248_package h248_package_tcptv;
extern const struct h248_package h248_package_tcpbcc;
extern const struct h248_package h248_package_tcprm;
extern const struct h248_package h248_package_tlsbsc;
extern const struct h248_package h248_package_tlscn;
extern const struct h248_package h248_package_dtlscn;
extern const struct h248_package h248_package_tlsm;
extern const struct h248_package h248_package_tlstv;
extern const struct h248_package h248_package_seplink;
extern const struct h248_package h248_package_private;
/* package_unpublished_app.c */
extern const struct h248_package h248_package_msrp;
extern const struct h248_package h248_package_bfcp;
/* package_unpublished_net.c, package_unpublished_gw.c */
extern const struct h248_package h248_package_ds;
extern const struct h248_package h248_package_gm;
extern const struct h248_package h248_package_tman;
extern const struct h248_package h248_package_ipnapt;
extern const struct h248_package h248_package_adid;
extern const struct h248_package h248_package_ipdc;
extern const struct h248_package h248_package_rtcph;
extern const struct h248_package h248_package_ipra;
extern const struct h248_package h248_package_chp;
extern const struct h248_package h248_package_ocp;
extern const struct h248_package h248_package_hangterm;
extern const struct h248_package h248_package_nb;
extern const struct h248_package h248_package_seg;
extern const struct h248_package h248_package_sdpr;
extern const struct h248_package h248_package_sdpc;

#define V H248_MARK_SEEN
#define R H248_MARK_RECALLED
#define P H248_MARK_OURS

/* Values of a row. Strings and octets are bounded by their length. */
#define ANY(t)                                                                                     \
	{                                                                                          \
		.type = H248_TYPE_##t                                                              \
	}
#define WITHIN(t, lo, hi)                                                                          \
	{                                                                                          \
		.type = H248_TYPE_##t, .bounded = true, .min = (lo), .max = (hi)                   \
	}
#define INITIALLY(t, text)                                                                         \
	{                                                                                          \
		.type = H248_TYPE_##t, .initial = (text)                                           \
	}
#define ONE_OF(table)                                                                              \
	{                                                                                          \
		.type = H248_TYPE_ENUM, .names = (table), .name_count = BASE_COUNT(table)          \
	}
#define ONE_OF_INITIALLY(table, text)                                                              \
	{                                                                                          \
		.type = H248_TYPE_ENUM, .names = (table), .name_count = BASE_COUNT(table),         \
		.initial = (text)                                                                  \
	}
#define LIST_OF(t)                                                                                 \
	{                                                                                          \
		.type = H248_TYPE_##t, .sublist = true                                             \
	}
#define LIST_WITHIN(t, lo, hi)                                                                     \
	{                                                                                          \
		.type = H248_TYPE_##t, .sublist = true, .bounded = true, .min = (lo), .max = (hi)  \
	}

#define PARAMS(table)   .params = (table), .param_count = BASE_COUNT(table)
#define OBSERVED(table) .observed = (table), .observed_count = BASE_COUNT(table)
#define ITEMS(table)    .items = (table), .item_count = BASE_COUNT(table)

#endif
