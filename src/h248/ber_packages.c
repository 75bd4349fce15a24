/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every name in a message is looked up, so this is on the fast path: two tables with open
 * addressing, filled before main and never written again.
 */
#include "h248/ber_packages.h"

#define SLOTS 256 /* a power of two, well above the number of packages */

static const struct h248_package *by_name[SLOTS];
static const struct h248_package *by_id[SLOTS];

#define KNOWN_SLOTS 2048 /* a power of two, well above the number of items */
#define KNOWN_MOST  1024 /* the rest is found the long way */

static struct ber_known known[KNOWN_SLOTS];
static unsigned known_count;

static unsigned known_slot(enum h248_package_kind kind, uint32_t number)
{
	return (number + kind) * 0x9E3779B1U >> 21;
}

static unsigned name_slot(struct base_str name)
{
	unsigned h = (unsigned)name.len;

	for (size_t i = 0; i < name.len; i++)
		h = h * 31 + ((uint8_t)name.ptr[i] | 0x20U);
	return (h ^ h >> 8) & (SLOTS - 1);
}

static void add(const struct h248_package *package)
{
	unsigned slot = name_slot(base_str_of(package->name));

	while (by_name[slot])
		slot = (slot + 1) & (SLOTS - 1);
	by_name[slot] = package;
	for (slot = package->id & (SLOTS - 1); by_id[slot];)
		slot = (slot + 1) & (SLOTS - 1);
	by_id[slot] = package;
}

static const struct h248_package *base_of(const struct h248_package *package)
{
	return package->extends ? ber_package_find(base_str_of(package->extends)) : NULL;
}

static void know(const struct h248_package *package, const struct h248_package_item *item)
{
	enum h248_package_kind kind = (enum h248_package_kind)item->kind;
	uint32_t number = (uint32_t)package->id << 16 | item->id;
	unsigned slot = known_slot(kind, number);

	for (; known[slot].kind; slot = (slot + 1) & (KNOWN_SLOTS - 1)) {
		if (known[slot].number == number && known[slot].kind == kind)
			return; /* its own goes before that of the package it extends */
	}
	if (known_count++ < KNOWN_MOST)
		known[slot] = (struct ber_known){ number, item->kind, base_str_of(package->name),
			                          base_str_of(item->name), item };
}

/* What the gateway offers comes first; Annex E adds what is missing. */
__attribute__((constructor)) static void fill(void)
{
	const struct h248_package *package;

	for (size_t i = 0; (package = h248_package_at(i)) != NULL; i++)
		add(package);
	for (size_t i = 0; ber_annex_e[i]; i++) {
		if (!h248_package_by_id(ber_annex_e[i]->id))
			add(ber_annex_e[i]);
	}
	for (unsigned slot = 0; slot < SLOTS; slot++) {
		for (package = by_id[slot]; package; package = base_of(package)) {
			for (size_t i = 0; i < package->item_count; i++)
				know(by_id[slot], &package->items[i]);
		}
	}
}

/* Equal but for case; names of tables end in NUL. */
static bool same(const char *name, struct base_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (base_lower(name[i]) != base_lower(s.ptr[i]) || !name[i])
			return false;
	}
	return !name[s.len];
}

const struct h248_package *ber_package_find(struct base_str name)
{
	unsigned slot = name_slot(name);

	for (; by_name[slot]; slot = (slot + 1) & (SLOTS - 1)) {
		if (same(by_name[slot]->name, name))
			return by_name[slot];
	}
	return NULL;
}

const struct h248_package *ber_package_by_id(uint16_t id)
{
	for (unsigned slot = id & (SLOTS - 1); by_id[slot]; slot = (slot + 1) & (SLOTS - 1)) {
		if (by_id[slot]->id == id)
			return by_id[slot];
	}
	return NULL;
}

const struct h248_package_item *ber_item_find(const struct h248_package *package,
                                              enum h248_package_kind kind, struct base_str name)
{
	for (; package; package = base_of(package)) {
		for (size_t i = 0; i < package->item_count; i++) {
			const struct h248_package_item *item = &package->items[i];

			if (item->kind == kind && same(item->name, name))
				return item;
		}
	}
	return NULL;
}

const struct h248_package_item *ber_item_by_id(const struct h248_package *package,
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

const struct ber_known *ber_known_by_id(enum h248_package_kind kind, uint32_t number)
{
	unsigned slot = known_slot(kind, number);

	for (; known[slot].kind; slot = (slot + 1) & (KNOWN_SLOTS - 1)) {
		if (known[slot].number == number && known[slot].kind == kind)
			return &known[slot];
	}
	return NULL;
}
