/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>

#include "x509/crl_internal.h"

struct further {
	struct base_str der;
	X509_NAME *parsed;
	uint32_t number;
};

struct x509_crl_index {
	atomic_uint refs;
	struct x509_crl_info info;
	uint64_t seed[2];
	uint8_t *octets; /* mapped from `fd`, or on the heap */
	size_t len;
	uint8_t *about; /* copies of header and further names: safe even where the file is cut */
	const uint8_t *entries;
	X509_NAME *issuer;
	struct further *names;
	size_t name_count;
	int fd; /* -1: on the heap */
	struct timespec written;
};

struct base_str *crlx_field(struct x509_crl_info *info, size_t i)
{
	struct base_str *const fields[CRLX_FIELDS] = { &info->issuer,        &info->number,
		                                       &info->base_number,   &info->scope,
		                                       &info->authority_key, &info->signature_alg,
		                                       &info->signature,     NULL };

	return fields[i];
}

void crlx_key(const uint64_t seed[2], uint32_t name, struct base_str serial, uint8_t ret[CRLX_KEY])
{
	const uint64_t other[2] = { ~seed[0], seed[1] };
	uint8_t text[4 + CRLX_SERIAL_MAX] = { (uint8_t)(name >> 24), (uint8_t)(name >> 16),
		                              (uint8_t)(name >> 8), (uint8_t)name };
	size_t len = BASE_MIN(serial.len, (size_t)CRLX_SERIAL_MAX);
	uint64_t a, b;

	memcpy(text + 4, serial.ptr, len);
	a = __builtin_bswap64(base_hash(seed, text, 4 + len));
	b = base_hash(other, text, 4 + len);
	memcpy(ret, &a, 8);
	memcpy(ret + 8, &b, CRLX_KEY - 8);
}

const struct x509_crl_info *x509_crl_index_info(const struct x509_crl_index *index)
{
	return &index->info;
}

struct base_str x509_crl_index_octets(const struct x509_crl_index *index)
{
	return (struct base_str){ (const char *)index->octets, index->len };
}

struct x509_crl_index *x509_crl_index_ref(struct x509_crl_index *index)
{
	atomic_fetch_add_explicit(&index->refs, 1, memory_order_relaxed);
	return index;
}

void x509_crl_index_unref(struct x509_crl_index *index)
{
	if (!index || atomic_fetch_sub_explicit(&index->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < index->name_count; i++)
		X509_NAME_free(index->names[i].parsed);
	free(index->names);
	free(index->about);
	X509_NAME_free(index->issuer);
	if (index->fd < 0) {
		free(index->octets);
	} else {
		(void)munmap(index->octets, index->len); /* it was mapped so */
		(void)close(index->fd);                  /* only read from */
	}
	free(index);
}

bool x509_crl_index_intact(const struct x509_crl_index *index)
{
	struct stat st;

	return index->fd < 0 || (fstat(index->fd, &st) == 0 && (size_t)st.st_size == index->len &&
	                         st.st_mtim.tv_sec == index->written.tv_sec &&
	                         st.st_mtim.tv_nsec == index->written.tv_nsec);
}

static X509_NAME *name_parse(struct base_str der)
{
	const unsigned char *at = (const unsigned char *)der.ptr;
	X509_NAME *name = d2i_X509_NAME(NULL, &at, (long)der.len);

	if (name && at != (const unsigned char *)der.ptr + der.len) {
		X509_NAME_free(name);
		name = NULL;
	}
	ERR_clear_error();
	return name;
}

/* The strings behind the fixed part of the header. */
static const char *fields_read(struct x509_crl_index *index, size_t header)
{
	static const char bad[] = "its header is malformed";
	struct base_reader in = base_reader_of(index->about + CRLX_FIXED, header - CRLX_FIXED);

	for (size_t i = 0; i < CRLX_FIELDS; i++) {
		uint32_t len = crlx_u32(index->about + CRLX_AT_FIELDS + 4 * i);
		struct base_str *field = crlx_field(&index->info, i);
		const uint8_t *at = base_reader_take(&in, len);

		if (!at || (!field && len))
			return bad;
		if (field)
			*field = (struct base_str){ len ? (const char *)at : NULL, len };
	}
	if (base_reader_left(&in) >= CRLX_ENTRY)
		return bad;
	index->issuer = name_parse(index->info.issuer);
	return index->issuer ? NULL : bad;
}

static const char *names_read(struct x509_crl_index *index, struct base_reader in)
{
	static const char bad[] = "its names are malformed";
	size_t count = crlx_u32(index->about + CRLX_AT_NAMES + 4);

	if (count > CRLX_NAMES_MAX)
		return bad;
	index->names = calloc(count + 1, sizeof(*index->names));
	if (!index->names)
		return "memory is short";
	while (index->name_count < count) {
		struct further *name = &index->names[index->name_count++];
		uint32_t len;

		name->number = base_reader_u32(&in);
		len = base_reader_u32(&in);
		name->der = (struct base_str){ (const char *)base_reader_take(&in, len), len };
		if (in.failed || name->number > index->name_count)
			return bad;
		name->parsed = name_parse(name->der);
		if (!name->parsed)
			return bad;
	}
	return base_reader_done(&in) ? NULL : bad;
}

static bool entries_sound(const struct x509_crl_index *index)
{
	const uint8_t *at = index->entries;

	for (size_t i = 0; i < index->info.count; i++, at += CRLX_ENTRY)
		if (at[CRLX_KEY] > 10 || (i && crlx_key_compare(at - CRLX_ENTRY, at) >= 0))
			return false;
	return true;
}

/* Everything that can be checked of the octets but their sum. */
static const char *octets_read(struct x509_crl_index *index)
{
	const uint8_t *p = index->octets;
	uint64_t header, names, rest;

	if (index->len < CRLX_FIXED + CRLX_SUM || memcmp(p, CRLX_MAGIC, 8) != 0)
		return "it is not an index of a CRL";
	if (crlx_u32(p + CRLX_AT_VERSION) != CRLX_VERSION)
		return "its version is not known";
	header = crlx_u32(p + CRLX_AT_HEADER);
	names = crlx_u32(p + CRLX_AT_NAMES);
	if (crlx_u64(p + CRLX_AT_LENGTH) != index->len || header < CRLX_FIXED ||
	    header > CRLX_HEADER_MAX || header % CRLX_ENTRY ||
	    header + names + CRLX_SUM > index->len)
		return "its sizes do not fit the file";
	rest = index->len - header - names - CRLX_SUM;
	if (rest % CRLX_ENTRY || crlx_u64(p + CRLX_AT_COUNT) != rest / CRLX_ENTRY)
		return "its sizes do not fit the file";
	index->info.count = rest / CRLX_ENTRY;
	index->info.this_update_s = (int64_t)crlx_u64(p + CRLX_AT_UPDATES);
	index->info.next_update_s = (int64_t)crlx_u64(p + CRLX_AT_UPDATES + 8);
	index->info.flags = crlx_u32(p + CRLX_AT_FLAGS);
	index->info.reasons = crlx_u32(p + CRLX_AT_FLAGS + 4);
	index->seed[0] = crlx_u64(p + CRLX_AT_SEED);
	index->seed[1] = crlx_u64(p + CRLX_AT_SEED + 8);
	index->entries = p + header;
	if (index->info.flags >= X509_CRL_VERIFIED << 1 ||
	    index->info.reasons & ~X509_CRL_ALL_REASONS)
		return "its header is malformed";
	return NULL;
}

static const char *about_copy(struct x509_crl_index *index, size_t header, size_t names)
{
	index->about = malloc(header + names);
	if (!index->about)
		return "memory is short";
	memcpy(index->about, index->octets, header);
	memcpy(index->about + header, index->entries + index->info.count * CRLX_ENTRY, names);
	index->info.signer = index->about + CRLX_AT_SIGNER;
	index->info.tbs_sha256 = index->about + CRLX_AT_TBS;
	return NULL;
}

static const char *octets_check(struct x509_crl_index *index, bool made)
{
	size_t names = 0, header = 0;
	uint8_t sum[CRLX_SUM];
	const char *why = octets_read(index);

	if (why)
		return why;
	header = crlx_u32(index->octets + CRLX_AT_HEADER);
	names = crlx_u32(index->octets + CRLX_AT_NAMES);
	if (!made && (crlx_sha256(index->octets, index->len - CRLX_SUM, sum) ||
	              memcmp(sum, index->octets + index->len - CRLX_SUM, CRLX_SUM) != 0))
		return "its checksum is wrong";
	if (!made && !(index->info.flags & X509_CRL_VERIFIED))
		return "nobody verified the CRL's signature";
	why = about_copy(index, header, names);
	if (!why)
		why = fields_read(index, header);
	if (!why)
		why = names_read(index, base_reader_of(index->about + header, names));
	if (!why && !made && !entries_sound(index))
		why = "its entries are not in order";
	return why;
}

static int refuse(const char *file, struct base_error *err, int rc, const char *why)
{
	base_error_place(err, file, 0, 0);
	return base_error_set(err, rc, "the CRL index cannot be used: %s", why);
}

/* Takes over `index` with its octets. */
static int publish(struct x509_crl_index **ret, const char *name, struct x509_crl_index *index,
                   bool made, struct base_error *err)
{
	const char *why = octets_check(index, made);

	if (why) {
		x509_crl_index_unref(index);
		return refuse(name, err, BASE_ERR(BASE_CONFIG, 0), why);
	}
	*ret = index;
	return 0;
}

int crlx_adopt(struct x509_crl_index **ret, const char *name, uint8_t *octets, size_t len,
               bool checked, struct base_error *err)
{
	struct x509_crl_index *index = calloc(1, sizeof(*index));

	if (!index) {
		free(octets);
		return BASE_ERR(BASE_LOCAL, 0);
	}
	atomic_init(&index->refs, 1);
	index->fd = -1;
	index->octets = octets;
	index->len = len;
	return publish(ret, name, index, checked, err);
}

int x509_crl_index_parse(struct x509_crl_index **ret, const char *name, const void *data,
                         size_t len, struct base_error *err)
{
	uint8_t *copy = malloc(len + 1);

	if (!copy)
		return BASE_ERR(BASE_LOCAL, 0);
	if (len)
		memcpy(copy, data, len);
	return crlx_adopt(ret, name, copy, len, false, err);
}

int x509_crl_index_map(struct x509_crl_index **ret, const char *file, struct base_error *err)
{
	struct x509_crl_index *index;
	struct stat st;
	void *at = MAP_FAILED;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), failed;

	if (fd < 0)
		return refuse(file, err, BASE_ERR(BASE_CONFIG, errno), strerror(errno));
	failed = fstat(fd, &st) < 0 ? errno : !S_ISREG(st.st_mode) ? EINVAL : 0;
	if (!failed && st.st_size < CRLX_FIXED + CRLX_SUM)
		failed = ENODATA;
	if (!failed) {
		at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
		failed = at == MAP_FAILED ? errno : 0;
	}
	index = failed ? NULL : calloc(1, sizeof(*index));
	if (!index) {
		if (at != MAP_FAILED)
			(void)munmap(at, (size_t)st.st_size); /* it was mapped so */
		(void)close(fd);                              /* only read from */
		return refuse(
		        file, err,
		        BASE_ERR(failed && failed != ENOMEM ? BASE_CONFIG : BASE_LOCAL, failed),
		        failed == EINVAL    ? "it is not a regular file"
		        : failed == ENODATA ? "it is cut short"
		                            : strerror(failed ? failed : ENOMEM));
	}
	atomic_init(&index->refs, 1);
	index->fd = fd;
	index->octets = at;
	index->len = (size_t)st.st_size;
	index->written = st.st_mtim;
	return publish(ret, file, index, false, err);
}

/* Which of the CRL's names is that? -1: none. */
static int64_t name_number(const struct x509_crl_index *index, struct base_str der)
{
	int64_t number = -1;
	X509_NAME *parsed;

	if (base_str_eq(der, index->info.issuer))
		return 0;
	for (size_t i = 0; i < index->name_count; i++)
		if (base_str_eq(der, index->names[i].der))
			return index->names[i].number;
	parsed = name_parse(der);
	if (!parsed)
		return -1;
	if (!X509_NAME_cmp(parsed, index->issuer))
		number = 0;
	for (size_t i = 0; number < 0 && i < index->name_count; i++)
		if (!X509_NAME_cmp(parsed, index->names[i].parsed))
			number = index->names[i].number;
	X509_NAME_free(parsed);
	return number;
}

bool x509_crl_index_issued_by(const struct x509_crl_index *index, struct base_str name)
{
	return name_number(index, name) == 0;
}

/*
 * Keys are hashes, so they lie evenly: a place guessed by the key's value is near. A file whose
 * keys do not lie so costs the halving that follows, no more.
 */
static const uint8_t *entry_find(const struct x509_crl_index *index, const uint8_t *key)
{
	size_t low = 0, high = index->info.count;
	uint64_t want = crlx_u64(key), least = 0, most = UINT64_MAX;

	for (unsigned guesses = 0; low < high; guesses++) {
		size_t at = low + (high - low) / 2;
		const uint8_t *entry;
		int order;

		if (guesses < 4 && high - low > 8) {
			double part = (double)(want - least) / ((double)(most - least) + 1);

			at = low + (size_t)(part * (double)(high - low));
			at = at < high ? at : high - 1;
		}
		entry = index->entries + at * CRLX_ENTRY;
		order = crlx_key_compare(key, entry);
		if (!order)
			return entry;
		if (order < 0) {
			high = at;
			most = crlx_u64(entry);
		} else {
			low = at + 1;
			least = crlx_u64(entry);
		}
	}
	return NULL;
}

enum x509_crl_status x509_crl_index_find(const struct x509_crl_index *index, struct base_str issuer,
                                         struct base_str serial, struct x509_crl_entry *ret)
{
	int64_t name = name_number(index, issuer);
	uint8_t key[CRLX_KEY];
	const uint8_t *entry;

	if (name < 0)
		return index->info.flags & X509_CRL_INDIRECT ? X509_CRL_GOOD : X509_CRL_OTHER;
	serial = der_integer_trim(serial);
	if (!serial.len || serial.len > CRLX_SERIAL_MAX)
		return X509_CRL_GOOD; /* no index holds such a one: making it would have failed */
	crlx_key(index->seed, (uint32_t)name, serial, key);
	entry = entry_find(index, key);
	if (!entry)
		return X509_CRL_GOOD;
	if (ret)
		*ret = (struct x509_crl_entry){ entry[CRLX_KEY], crlx_u32(entry + CRLX_KEY + 1) };
	return entry[CRLX_KEY] == 8 && index->info.flags & X509_CRL_DELTA ? X509_CRL_REMOVED
	                                                                  : X509_CRL_REVOKED;
}

enum x509_crl_status x509_crl_index_find_cert(const struct x509_crl_index *index, const X509 *cert,
                                              struct x509_crl_entry *ret)
{
	const ASN1_INTEGER *number = X509_get0_serialNumber(cert);
	unsigned char der[CRLX_SERIAL_MAX + 8], *end = der;
	const unsigned char *name;
	size_t name_len;
	int len = i2d_ASN1_INTEGER(number, NULL);

	if (!X509_NAME_get0_der(X509_get_issuer_name(cert), &name, &name_len))
		return X509_CRL_OTHER;
	if (len < 3 || (size_t)len > CRLX_SERIAL_MAX + 2)
		len = 2; /* too long to be in an index */
	else
		(void)i2d_ASN1_INTEGER(number, &end); /* fits */
	/* lengths up to 64 take one octet */
	return x509_crl_index_find(index, (struct base_str){ (const char *)name, name_len },
	                           (struct base_str){ (const char *)der + 2, (size_t)len - 2 },
	                           ret);
}

int x509_crl_number_compare(struct base_str a, struct base_str b)
{
	if (!a.ptr || !b.ptr)
		return (a.ptr != NULL) - (b.ptr != NULL);
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return memcmp(a.ptr, b.ptr, a.len);
}

const char *x509_crl_reason_name(unsigned reason)
{
	static const char *const names[] = {
		"unspecified",   "keyCompromise",        "cACompromise",    "affiliationChanged",
		"superseded",    "cessationOfOperation", "certificateHold", "unknown",
		"removeFromCRL", "privilegeWithdrawn",   "aACompromise"
	};

	return names[reason < BASE_COUNT(names) ? reason : 7];
}
