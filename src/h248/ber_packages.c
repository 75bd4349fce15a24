/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every name in a message is looked up, so this is on the fast path: tables with open
 * addressing, filled before main and never written again.
 */
#include "h248/ber_packages.h"

#define SLOTS      256  /* a power of two, well above the number of packages */
#define ITEM_SLOTS 4096 /* the same, of items */

struct name_key {
	uint64_t
	        octets; /* of a name up to eight octets all, in lower case; of a longer one eight */
	size_t len;
};

struct package_slot {
	const struct h248_package *package;
	struct name_key key;
};

struct item_slot {
	const struct h248_package *package; /* also one that extends the item's own */
	const struct h248_package_item *item;
	struct name_key key;
};

static struct package_slot by_name[SLOTS];
static const struct h248_package *by_id[SLOTS];
static struct item_slot items[ITEM_SLOTS];
static const struct h248_package_values *signal_name;

#define KNOWN_SLOTS 2048 /* a power of two, well above the number of items */
#define KNOWN_MOST  1024 /* the rest is found the long way */

static struct ber_known known[KNOWN_SLOTS];
static unsigned known_count;

/* The same by their names. */
struct known_name {
	struct name_key package, item;
	const struct ber_known *known;
};

static struct known_name known_names[KNOWN_SLOTS];
/*
 * By the addresses of their names: what was decoded from binary has those of the tables. Copies,
 * since each place that is looked at is in no near cache.
 */
static struct ber_known known_texts[KNOWN_SLOTS];

static unsigned known_slot(enum h248_package_kind kind, uint32_t number)
{
	return (number + kind) * 0x9E3779B1U >> 21;
}

/* base_lower of eight octets at once. */
static uint64_t lower(uint64_t octets)
{
	const uint64_t each = UINT64_MAX / 255;
	uint64_t low = octets & each * 0x7F;
	uint64_t above_z = low + each * (0x7F - 'Z'), from_a = low + each * (0x80 - 'A');

	return octets | (~octets & (from_a ^ above_z) & each * 0x80) >> 2;
}

/* Few branches, since names come in no order: a part may be read twice, never past the end. */
static struct name_key key_of(struct base_str name)
{
	const char *c = name.ptr;
	uint64_t octets = 0;
	uint32_t first, last;

	if (name.len >= 8) {
		memcpy(&octets, c, 8);
	} else if (name.len >= 4) {
		memcpy(&first, c, 4);
		memcpy(&last, c + name.len - 4, 4);
		octets = (uint64_t)last << 32 | first;
	} else if (name.len) {
		octets = (uint64_t)(uint8_t)c[name.len - 1] << 16 |
		         (uint64_t)(uint8_t)c[name.len / 2] << 8 | (uint8_t)c[0];
	}
	return (struct name_key){ lower(octets), name.len };
}

static unsigned name_slot(struct name_key key)
{
	return (unsigned)((key.octets + key.len) * 0x9E3779B97F4A7C15U >> 56) & (SLOTS - 1);
}

static unsigned item_slot(const struct h248_package *package, enum h248_package_kind kind,
                          struct name_key key)
{
	uint64_t mixed = key.octets + key.len + (uint64_t)package->id * 0xC2B2AE3D27D4EB4FU +
	                 ((uint64_t)kind << 57);

	return (unsigned)(mixed * 0x9E3779B97F4A7C15U >> 48) & (ITEM_SLOTS - 1);
}

/* Equal but for case. */
static bool same(struct name_key key, const char *name, struct name_key asked, struct base_str s)
{
	if (key.octets != asked.octets || key.len != asked.len)
		return false;
	for (size_t i = 8; i < s.len; i++) {
		if (base_lower(name[i]) != base_lower(s.ptr[i]))
			return false;
	}
	return true;
}

static void add(const struct h248_package *package)
{
	struct name_key key = key_of(base_str_of(package->name));
	unsigned slot = name_slot(key);

	while (by_name[slot].package)
		slot = (slot + 1) & (SLOTS - 1);
	by_name[slot] = (struct package_slot){ package, key };
	for (slot = package->id & (SLOTS - 1); by_id[slot];)
		slot = (slot + 1) & (SLOTS - 1);
	by_id[slot] = package;
}

const struct h248_package *ber_package_find(struct base_str name)
{
	struct name_key key = key_of(name);
	unsigned slot = name_slot(key);

	for (; by_name[slot].package; slot = (slot + 1) & (SLOTS - 1)) {
		if (same(by_name[slot].key, by_name[slot].package->name, key, name))
			return by_name[slot].package;
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

static const struct h248_package *base_of(const struct h248_package *package)
{
	return package->extends ? ber_package_find(base_str_of(package->extends)) : NULL;
}

const struct h248_package_item *ber_item_find(const struct h248_package *package,
                                              enum h248_package_kind kind, struct base_str name)
{
	struct name_key key = key_of(name);
	unsigned slot = item_slot(package, kind, key);

	for (; items[slot].item; slot = (slot + 1) & (ITEM_SLOTS - 1)) {
		const struct item_slot *s = &items[slot];

		if (s->package == package && s->item->kind == kind &&
		    same(s->key, s->item->name, key, name))
			return s->item;
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

static unsigned known_name_slot(enum h248_package_kind kind, struct name_key package,
                                struct name_key item)
{
	uint64_t mixed = (package.octets + package.len) * 0xC2B2AE3D27D4EB4FU + item.octets +
	                 item.len + ((uint64_t)kind << 57);

	return (unsigned)((mixed ^ mixed >> 32) * 0x9E3779B97F4A7C15U >> 53) & (KNOWN_SLOTS - 1);
}

static const struct ber_known *known_by_spelling(enum h248_package_kind kind, struct h248_name name)
{
	struct name_key package = key_of(name.package), item = key_of(name.item);
	unsigned slot = known_name_slot(kind, package, item);

	for (; known_names[slot].known; slot = (slot + 1) & (KNOWN_SLOTS - 1)) {
		const struct known_name *one = &known_names[slot];

		if (one->known->kind == kind &&
		    same(one->package, one->known->package.ptr, package, name.package) &&
		    same(one->item, one->known->item.ptr, item, name.item))
			return one->known;
	}
	return NULL;
}

static unsigned known_text_slot(enum h248_package_kind kind, struct h248_name name)
{
	uint64_t mixed = (uintptr_t)name.package.ptr * 0xC2B2AE3D27D4EB4FU +
	                 (uintptr_t)name.item.ptr + ((uint64_t)kind << 57);

	return (unsigned)(mixed * 0x9E3779B97F4A7C15U >> 53) & (KNOWN_SLOTS - 1);
}

const struct ber_known *ber_known_by_name(enum h248_package_kind kind, struct h248_name name)
{
	const struct ber_known *one = &known_texts[known_text_slot(kind, name)];

	if (one->package.ptr == name.package.ptr && one->item.ptr == name.item.ptr &&
	    one->package.len == name.package.len && one->item.len == name.item.len &&
	    one->kind == kind)
		return one;
	return known_by_spelling(kind, name);
}

/* An item of an extended package that its own package hides by its name is found by number only. */
static void know_name(const struct ber_known *one)
{
	struct name_key package = key_of(one->package), item = key_of(one->item);
	enum h248_package_kind kind = (enum h248_package_kind)one->kind;
	struct h248_name name = { one->package, one->item };
	unsigned slot = known_name_slot(kind, package, item);

	if (known_by_spelling(kind, name))
		return;
	known_texts[known_text_slot(kind, name)] = *one;
	while (known_names[slot].known)
		slot = (slot + 1) & (KNOWN_SLOTS - 1);
	known_names[slot] = (struct known_name){ package, item, one };
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
	if (known_count++ >= KNOWN_MOST)
		return;
	known[slot] = (struct ber_known){ number, item->kind, base_str_of(package->name),
		                          base_str_of(item->name), item };
	know_name(&known[slot]);
}

/* The package's own, then those of the packages that it extends, which it may hide. */
static void add_items(const struct h248_package *package)
{
	for (const struct h248_package *of = package; of; of = base_of(of)) {
		for (size_t i = 0; i < of->item_count; i++) {
			const struct h248_package_item *item = &of->items[i];
			struct name_key key = key_of(base_str_of(item->name));
			unsigned slot = item_slot(package, item->kind, key);

			while (items[slot].item)
				slot = (slot + 1) & (ITEM_SLOTS - 1);
			items[slot] = (struct item_slot){ package, item, key };
		}
	}
}

static const struct h248_package_values *find_signal_name(void)
{
	const struct h248_package *g = ber_package_find(BASE_STR("g"));
	const struct h248_package_item *sc =
	        g ? ber_item_find(g, H248_EVENT, BASE_STR("sc")) : NULL;
	const struct h248_package_param *id =
	        sc ? h248_package_param_find(sc, H248_OBSERVED, BASE_STR("SigID")) : NULL;

	return id ? &id->values : NULL;
}

bool ber_is_signal_name(const struct h248_package_values *values)
{
	return values && values == signal_name;
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
	for (size_t i = 0; i < SLOTS; i++) { /* bases must be known already */
		if (by_name[i].package)
			add_items(by_name[i].package);
	}
	signal_name = find_signal_name();
}
