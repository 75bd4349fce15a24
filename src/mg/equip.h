/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What each package is to this gateway: one row says where it is realized, which of its properties
 * are taken, which events can be detected, which signals generated, which statistics kept. Commands
 * and audits read these rows, so that what is told is what is taken. A name that a package has
 * (h248/package.h) and no row takes is refused: 445 for properties, 512 for events, 513 for
 * signals. Rows live in pkg_*.c or equip.c and are listed in equip.c.
 */
#ifndef GH_MG_EQUIP_H
#define GH_MG_EQUIP_H

#include "mg/plan.h"

/* Where. */
#define MG_ON_ROOT 1U
#define MG_ON_TERM 2U

/*
 * A property that is kept as set and told as it is. The tables' checks (place, access, type, range)
 * have been done before `check`; forms other than `=value` and alternatives, whose first one is
 * then taken, are refused with 449.
 */
struct mg_equipment_property {
	const char *name;
	/* Further checks, in the plan: mg_fail. NULL = none. `s` is NULL in TerminationState. */
	int (*check)(struct mg_run *run, struct mg_plan *plan, struct mg_stream *s,
	             const struct h248_parm *parm);
};

struct mg_equipment_event {
	const char *name;
	/* Further checks, in the plan: mg_fail. NULL = none. */
	int (*check)(struct mg_run *run, struct mg_plan *plan, const struct h248_event *event);
};

#define MG_TYPE(type) (1U << (type)) /* of enum h248_signal_type */

struct mg_equipment_signal {
	const char *name;
	uint8_t types; /* MG_TYPE bits it can be played as; 0 = only as Brief */
	uint16_t
	        duration; /* of a time-out signal without Duration, 10 ms; 0 = it has to be given */
	/* Further checks, in the plan: mg_fail. NULL = none. */
	int (*check)(struct mg_run *run, struct mg_plan *plan, const struct h248_signal *signal);
	/*
	 * It begins, on this stream (0 = of the termination). A brief one is over when this
	 * returns. @return 0, else it is over too and told as not completed
	 */
	int (*start)(struct mg *mg, struct mg_term *term, const struct h248_signal *signal);
	/* A started one, not brief, ends. NULL = nothing to do. */
	void (*stop)(struct mg *mg, struct mg_term *term, const struct h248_signal *signal);
};

struct mg_equipment_statistic {
	const char *name;
	/* `s` NULL: of the termination as a whole. */
	uint64_t (*value)(const struct mg *mg, const struct mg_term *term,
	                  const struct mg_stream *s);
	bool whole_only; /* not possible on a stream (460) */
	/* Without a choice of the controller's, kept only where this says so. NULL = always. */
	bool (*useful)(const struct mg_term *term);
};

/* Arrays end with a row whose name is NULL; NULL = none. */
struct mg_equipment {
	const char *package;
	uint8_t on; /* MG_ON_ bits */
	const struct mg_equipment_property *properties;
	const struct mg_equipment_event *events;
	const struct mg_equipment_signal *signals;
	const struct mg_equipment_statistic *statistics;
	/*
	 * Kept properties may have changed: of a stream, or (`s` NULL) of the termination. After
	 * the command is in force; cannot fail. NULL = nothing to do.
	 */
	void (*apply)(struct mg *mg, struct mg_term *term, struct mg_stream *s);
	/* May this Notify be left out, under load (RegulatedNotify)? NULL = no. */
	bool (*suppress)(struct mg *mg, const struct mg_term *term, const struct h248_event *event);
	/* Further properties to tell an audit, in the order of the tables. NULL = none. */
	bool (*tell)(struct mg_run *run, const struct mg_term *term, const struct mg_stream *s,
	             struct h248_parm **list);
	/* Values that the properties of a stream can take, for AuditCapability. NULL = none. */
	bool (*can)(struct mg_run *run, struct h248_parm **list);
};

/* statistics.c: those of the bearers. */
extern const struct mg_equipment_statistic mg_statistics_nt[], mg_statistics_rtp[],
        mg_statistics_tcptv[], mg_statistics_tcprm[], mg_statistics_gm[], mg_statistics_tlstv[],
        mg_statistics_tlsbsc[], mg_statistics_msrp[], mg_statistics_bfcp[];
/* Rows that live elsewhere: hang.c, load.c. */
extern const struct mg_equipment mg_equipment_hangterm, mg_equipment_ocp, mg_equipment_chp;

/* All rows: index from 0, NULL past the end. */
const struct mg_equipment *mg_equipment_at(size_t index);
/* NULL when the package is not realized by this gateway at all. */
const struct mg_equipment *mg_equipment_find(const struct h248_package *package);
/* As h248_package_lookup; 440 too for a package that this gateway realizes nowhere. */
int mg_package_lookup(enum h248_package_kind kind, struct h248_name name,
                      const struct h248_package **ret_package,
                      const struct h248_package_item **ret_item, struct base_error *err);
/* Is the package realized there? */
bool mg_package_on(const struct mg_run *run, const struct mg_term *term,
                   const struct h248_package *package);

/* The row of an item of a package, by name without case; NULL when it is not equipped. */
const struct mg_equipment_property *mg_equipment_property(const struct mg_equipment *e,
                                                          const char *name);
const struct mg_equipment_event *mg_equipment_event(const struct mg_equipment *e, const char *name);
const struct mg_equipment_signal *mg_equipment_signal(const struct mg_equipment *e,
                                                      const char *name);

/*
 * A property has been read and its row found: check it, keep one value of it in `list`, in the
 * place of a former one. `tell` is set when the value was ours to choose.
 */
int mg_property_keep(struct mg_run *run, struct mg_plan *plan, struct mg_stream *s,
                     const struct mg_equipment_property *row, const struct h248_package_item *item,
                     const struct h248_parm *parm, struct base_arena *arena,
                     struct h248_parm **list, bool *tell);
/* The value of a kept property ("package/item"); false when it is not set. */
bool mg_property_text(const struct h248_parm *list, const char *name, struct base_str *ret);
bool mg_property_number(const struct h248_parm *list, const char *name, uint64_t *ret);
/* Let every package look at what has been set. */
void mg_property_apply(struct mg *mg, struct mg_term *term, struct mg_stream *s);

/* For tests: another table in place of the built-in one; NULL restores that. Not thread safe. */
void mg_equipment_swap(const struct mg_equipment *const *rows);

#endif
