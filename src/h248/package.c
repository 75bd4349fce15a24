/* SPDX-License-Identifier: Apache-2.0 */
#include "h248/errors.h"
#include "h248/package_tables.h"
#include "h248/shown.h"

/* In the order of their numbers; a test holds us to it. */
static const struct h248_package *const packages[] = {
	&h248_package_g,      &h248_package_root,    &h248_package_nt,       &h248_package_rtp,
	&h248_package_chp,    &h248_package_it,      &h248_package_ocp,      &h248_package_ds,
	&h248_package_gm,     &h248_package_tman,    &h248_package_hangterm, &h248_package_ipnapt,
	&h248_package_nb,     &h248_package_adid,    &h248_package_ipdc,     &h248_package_seg,
	&h248_package_rtcph,  &h248_package_sdpr,    &h248_package_sdpc,     &h248_package_ipra,
	&h248_package_tcptv,  &h248_package_tcpbcc,  &h248_package_tcprm,    &h248_package_tlsbsc,
	&h248_package_tlscn,  &h248_package_tlsm,    &h248_package_tlstv,    &h248_package_seplink,
	&h248_package_dtlscn, &h248_package_private, &h248_package_msrp,     &h248_package_bfcp,
};

const struct h248_package *h248_package_at(size_t index)
{
	return index < BASE_COUNT(packages) ? packages[index] : NULL;
}

const struct h248_package *h248_package_find(struct base_str name)
{
	for (size_t i = 0; i < BASE_COUNT(packages); i++) {
		if (base_str_ieq(base_str_of(packages[i]->name), name))
			return packages[i];
	}
	return NULL;
}

const struct h248_package *h248_package_by_id(uint16_t id)
{
	for (size_t i = 0; i < BASE_COUNT(packages); i++) {
		if (packages[i]->id == id)
			return packages[i];
	}
	return NULL;
}

/* The package that this one extends (RFC 3525, 12.1.1), or NULL. */
static const struct h248_package *base_of(const struct h248_package *package)
{
	return package->extends ? h248_package_find(base_str_of(package->extends)) : NULL;
}

const struct h248_package_item *h248_package_item_find(const struct h248_package *package,
                                                       enum h248_package_kind kind,
                                                       struct base_str name)
{
	for (; package; package = base_of(package)) {
		for (size_t i = 0; i < package->item_count; i++) {
			const struct h248_package_item *item = &package->items[i];

			if (item->kind == kind && base_str_ieq(base_str_of(item->name), name))
				return item;
		}
	}
	return NULL;
}

const struct h248_package_item *h248_package_item_by_id(const struct h248_package *package,
                                                        enum h248_package_kind kind, uint16_t id)
{
	for (; package; package = base_of(package)) {
		for (size_t i = 0; i < package->item_count; i++) {
			if (package->items[i].kind == kind && package->items[i].id == id)
				return &package->items[i];
		}
	}
	return NULL;
}

static unsigned missing_code(enum h248_package_kind kind)
{
	switch (kind) {
	case H248_PROPERTY:
		return H248_E_NO_PROPERTY;
	case H248_EVENT:
		return H248_E_NO_EVENT;
	case H248_SIGNAL:
		return H248_E_NO_SIGNAL;
	case H248_STATISTIC:
		break;
	}
	return H248_E_NO_STATISTIC;
}

int h248_package_lookup(enum h248_package_kind kind, struct h248_name name,
                        const struct h248_package **ret_package,
                        const struct h248_package_item **ret_item, struct base_error *err)
{
	const struct h248_package *package = h248_package_find(name.package);
	const struct h248_package_item *item;
	char shown[H248_SHOWN_SIZE];

	if (!package)
		return base_error_set(err, BASE_ERR(BASE_PEER, H248_E_PACKAGE),
		                      "unknown package '%s'", h248_shown(name.package, shown));
	item = h248_package_item_find(package, kind, name.item);
	if (!item)
		return base_error_set(err, BASE_ERR(BASE_PEER, missing_code(kind)),
		                      "package %s has no %s '%s'", package->name,
		                      h248_package_kind_name(kind), h248_shown(name.item, shown));
	if (ret_package)
		*ret_package = package;
	if (ret_item)
		*ret_item = item;
	return 0;
}

void h248_package_walk_start(struct h248_package_walk *walk, enum h248_package_kind kind,
                             struct h248_name name)
{
	*walk = (struct h248_package_walk){ .name = name, .kind = kind };
}

/* A whole name or `*`; partial wildcards exist for TerminationIDs only (RFC 3525, 6.2.2). */
static bool name_matches(struct base_str pattern, const char *name)
{
	return base_str_eq(pattern, BASE_STR("*")) || base_str_ieq(pattern, base_str_of(name));
}

const struct h248_package_item *h248_package_walk_next(struct h248_package_walk *walk)
{
	for (; walk->package < BASE_COUNT(packages); walk->package++, walk->item = 0) {
		const struct h248_package *package = packages[walk->package];

		if (!name_matches(walk->name.package, package->name))
			continue;
		while (walk->item < package->item_count) {
			const struct h248_package_item *item = &package->items[walk->item++];

			if (item->kind != walk->kind || !name_matches(walk->name.item, item->name))
				continue;
			walk->of = package;
			return item;
		}
	}
	return NULL;
}

/* The list of an item's parameters that is meant, and how many they are. */
static const struct h248_package_param *params_of(const struct h248_package_item *item,
                                                  enum h248_package_list list, size_t *ret_count)
{
	*ret_count = list == H248_OBSERVED ? item->observed_count : item->param_count;
	return list == H248_OBSERVED ? item->observed : item->params;
}

const struct h248_package_param *h248_package_param_find(const struct h248_package_item *item,
                                                         enum h248_package_list list,
                                                         struct base_str name)
{
	size_t count;
	const struct h248_package_param *params = params_of(item, list, &count);

	for (size_t i = 0; i < count; i++) { /* a name that was decoded may be the table's own */
		if (params[i].name == name.ptr && !name.ptr[name.len])
			return &params[i];
	}
	for (size_t i = 0; i < count; i++) {
		if (base_str_ieq(base_str_of(params[i].name), name))
			return &params[i];
	}
	return NULL;
}

const struct h248_package_param *h248_package_param_by_id(const struct h248_package_item *item,
                                                          enum h248_package_list list, uint16_t id)
{
	size_t count;
	const struct h248_package_param *params = params_of(item, list, &count);

	for (size_t i = 0; i < count; i++) {
		if (params[i].id == id)
			return &params[i];
	}
	return NULL;
}

const char *h248_package_kind_name(enum h248_package_kind kind)
{
	static const char *const names[] = { "", "property", "event", "signal", "statistic" };

	return (size_t)kind < BASE_COUNT(names) ? names[kind] : "";
}

const char *h248_package_type_name(enum h248_package_type type)
{
	static const char *const names[] = { "",        "boolean", "string",    "octet string",
		                             "integer", "double",  "character", "enumeration" };

	return (size_t)type < BASE_COUNT(names) ? names[type] : "";
}
