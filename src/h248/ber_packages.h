/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The packages whose numbers the binary form knows: those of h248/package.h, and the rest of
 * RFC 3525, Annex E, which this gateway does not offer but others speak of. Private to the codec.
 * Constant after the program has started; any thread.
 */
#ifndef GH_H248_BER_PACKAGES_H
#define GH_H248_BER_PACKAGES_H

#include "h248/package.h"

/** As their namesakes in h248/package.h. */
const struct h248_package *ber_package_find(struct base_str name);
const struct h248_package *ber_package_by_id(uint16_t id);
const struct h248_package_item *ber_item_find(const struct h248_package *package,
                                              enum h248_package_kind kind, struct base_str name);
const struct h248_package_item *ber_item_by_id(const struct h248_package *package,
                                               enum h248_package_kind kind, uint16_t id);

/** A name of a package and an item by its number, both in two octets, spelled as in the tables. */
struct ber_known {
	uint32_t number;
	uint8_t kind; /**< enum h248_package_kind; 0: none */
	struct base_str package, item;
	const struct h248_package_item *row;
};
/** NULL when either is not known. */
const struct ber_known *ber_known_by_id(enum h248_package_kind kind, uint32_t number);
const struct ber_known *ber_known_by_name(enum h248_package_kind kind, struct h248_name name);

/** SigID of g/sc, which is a name of a signal: four octets (RFC 3525, E.1.2: a pkgdName). */
bool ber_is_signal_name(const struct h248_package_values *values);

/** RFC 3525, E.3 to E.13, as far as h248/package.h has them not: NULL-terminated. */
extern const struct h248_package *const ber_annex_e[];

#endif
