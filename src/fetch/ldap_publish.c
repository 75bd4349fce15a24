/* SPDX-License-Identifier: Apache-2.0 */
/** @file `gatehouse-fetch --publish`: write what authorities made into a directory, entry by entry.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/config.h"
#include "fetch/confine.h"
#include "fetch/fetch.h"
#include "fetch/ldap_change.h"
#include "fetch/ldap_link.h"

static const char usage[] =
        "usage: gatehouse-fetch --publish --to URL [OPTION ...] < JOB\n"
        "\n"
        "Writes CRLs and certificates of authorities into a directory (RFC 4523). Not for hands:\n"
        "'gatehouse pki publish' starts it with the job on its standard input.\n"
        "\n"
        "  --to URL              ldap or ldaps, host, and the DN below which the entries are\n"
        "  --anchors FILE        certificates that vouch for the directory; for ldaps, StartTLS\n"
        "  --start-tls           TLS inside ldap (RFC 4511, 4.14)\n"
        "  --bind DN             who writes\n"
        "  --password-file FILE  with what; never readable by all\n"
        "  --unsafe-clear-bind   the password may go without TLS\n"
        "  --create              make entries that are not there\n"
        "  --help                this text\n";

#define INPUT_MAX    ((size_t)256 << 20)
#define PUBLISH_MS   60000
#define CONNECT_MS   10000
#define ATTEMPTS_MAX 3

struct publish {
	struct fetch_url at;
	struct fetch_ldap_url base;
	struct fetch_ldap_settings settings;
	bool create;
	struct fetch_job job;
	struct fetch_ldap_link link;
	char dn[FETCH_JOB_ENTRIES][FETCH_URL_MAX + 128];
};

static int no_memory(void)
{
	return BASE_ERR(BASE_LOCAL, ENOMEM);
}

/* ---- what is there ---- */

static int there_add(struct base_arena *arena, struct fetch_ldap_entry *entry, unsigned bit,
                     const struct berval *value)
{
	struct fetch_ldap_there *grown = base_arena_array(arena, entry->count + 1, sizeof(*grown));
	char *copy = base_arena_alloc(arena, value->bv_len + 1);

	if (!grown || !copy)
		return no_memory();
	if (entry->count)
		memcpy(grown, entry->there, entry->count * sizeof(*grown));
	memcpy(copy, value->bv_val, value->bv_len);
	grown[entry->count].bit = bit;
	grown[entry->count].value = (struct base_str){ copy, value->bv_len };
	entry->there = grown;
	entry->count++;
	return 0;
}

static int value_note(struct base_arena *arena, struct fetch_ldap_entry *entry,
                      struct base_str attribute, const struct berval *value)
{
	struct base_str text = { value->bv_val, value->bv_len };
	unsigned bit = fetch_ldap_attribute_of(attribute);

	/* of a fixed form (OpenLDAP), so that nothing in it needs to be escaped in a filter */
	if (base_str_ieq(attribute, BASE_STR("entryCSN")) && text.len < sizeof(entry->state)) {
		(void)snprintf(entry->state, sizeof(entry->state), "%.*s", BASE_FMT(text));
		if (strspn(entry->state, "0123456789abcdefABCDEF.Z#") != text.len)
			entry->state[0] = '\0';
	}
	if (base_str_ieq(attribute, BASE_STR("objectClass"))) {
		entry->is_ca |= base_str_ieq(text, BASE_STR("pkiCA")) ||
		                base_str_ieq(text, BASE_STR("2.5.6.22"));
		entry->is_delta |= base_str_ieq(text, BASE_STR("deltaCRL")) ||
		                   base_str_ieq(text, BASE_STR("2.5.6.23"));
	}
	return bit & FETCH_LDAP_CRLS ? there_add(arena, entry, bit, value) : 0;
}

static int entry_note(struct publish *p, LDAPMessage *message, struct base_arena *arena,
                      struct fetch_ldap_entry *entry)
{
	struct berval name, *values = NULL;
	BerElement *ber = NULL;
	int rc = 0;

	entry->exists = true;
	if (ldap_get_dn_ber(p->link.ld, message, &ber, &name) != LDAP_SUCCESS)
		return BASE_ERR(BASE_PEER, 0);
	while (!rc &&
	       ldap_get_attribute_ber(p->link.ld, message, ber, &name, &values) == LDAP_SUCCESS &&
	       name.bv_val) {
		const struct base_str attribute = { name.bv_val, name.bv_len };

		for (size_t i = 0; !rc && values && values[i].bv_val; i++)
			rc = value_note(arena, entry, attribute, &values[i]);
		ldap_memfree(values);
		values = NULL;
	}
	ber_free(ber, 0);
	return rc;
}

static int entry_read(struct publish *p, const char *dn, struct base_arena *arena,
                      struct fetch_ldap_entry *entry, struct base_error *err)
{
	static const char *const attributes[] = { "objectClass",
		                                  "entryCSN",
		                                  "certificateRevocationList;binary",
		                                  "authorityRevocationList;binary",
		                                  "deltaRevocationList;binary",
		                                  NULL };
	LDAPMessage *message = NULL;
	int id, type, code = LDAP_OTHER, rc;

	rc = ldap_search_ext(p->link.ld, dn, LDAP_SCOPE_BASE, "(objectClass=*)",
	                     (char **)attributes, 0, NULL, NULL, NULL, 2, &id);
	if (rc != LDAP_SUCCESS)
		return fetch_ldap_link_fail(&p->link, rc, dn, NULL, err);
	for (rc = 0; !rc;) {
		type = fetch_ldap_link_next(&p->link, id, &message, err);
		if (type < 0)
			return type;
		if (type == LDAP_RES_SEARCH_ENTRY)
			rc = entry_note(p, message, arena, entry);
		else if (type == LDAP_RES_SEARCH_RESULT)
			(void)ldap_parse_result(p->link.ld, message, &code, NULL, NULL, NULL, NULL,
			                        0); /* then `code` says that it failed */
		(void)ldap_msgfree(message);        /* returns its type */
		message = NULL;
		if (type == LDAP_RES_SEARCH_RESULT)
			break;
	}
	if (!rc && code != LDAP_SUCCESS && code != LDAP_NO_SUCH_OBJECT)
		rc = fetch_ldap_link_fail(&p->link, code, dn, NULL, err);
	return rc;
}

/* ---- what shall be ---- */

/* Is `dn` the base, or below it? By letters: a DN written in another way is not found to be. */
static bool within(const char *base, const char *dn)
{
	struct base_str b = base_str_of(base), d = base_str_of(dn);
	size_t tail = d.len > b.len ? d.len - b.len : 0;

	return base_str_ieq(b, (struct base_str){ d.ptr + tail, d.len - tail }) &&
	       (!tail || (tail > 1 && (!b.len || d.ptr[tail - 1] == ',')));
}

/* Where the authority's certificates say that its CRL is, if that is here; else cn=NAME. */
static void dn_make(struct publish *p, size_t i)
{
	const struct fetch_job_entry *entry = &p->job.entries[i];
	struct fetch_ldap_url url;

	if (*entry->url && !fetch_ldap_url_parse(base_str_of(entry->url), &url, NULL) &&
	    url.has_dn && within(p->base.dn, url.dn))
		(void)snprintf(p->dn[i], sizeof(p->dn[i]), "%s", url.dn);
	else
		(void)snprintf(p->dn[i], sizeof(p->dn[i]), "cn=%s%s%s", entry->name,
		               *p->base.dn ? "," : "", p->base.dn);
}

static int dns_make(struct publish *p, struct base_error *err)
{
	for (size_t i = 0; i < p->job.count; i++) {
		dn_make(p, i);
		for (size_t j = 0; j < i; j++)
			if (base_str_ieq(base_str_of(p->dn[i]), base_str_of(p->dn[j])))
				return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
				                      "%s and %s would both be published at %.200s",
				                      p->job.entries[j].name,
				                      p->job.entries[i].name, p->dn[i]);
	}
	return 0;
}

/* ---- one entry ---- */

/* "As long as the entry is what it was" (RFC 4528). @return NULL where it has no state */
static LDAPControl *unchanged(struct publish *p, const struct fetch_ldap_entry *have)
{
	struct berval value = { 0, NULL };
	LDAPControl *control = NULL;
	char filter[96];

	if (!*have->state)
		return NULL;
	(void)snprintf(filter, sizeof(filter), "(entryCSN=%s)", have->state);
	if (ldap_create_assertion_control_value(p->link.ld, filter, &value) != LDAP_SUCCESS)
		return NULL;
	if (ldap_control_create(LDAP_CONTROL_ASSERT, 1, &value, 1, &control) != LDAP_SUCCESS)
		control = NULL;
	ldap_memfree(value.bv_val);
	return control;
}

static int change_send(struct publish *p, const char *dn, const struct fetch_ldap_entry *have,
                       struct fetch_ldap_change *change, int *ret_code, struct base_error *err)
{
	LDAPControl *controls[] = { unchanged(p, have), NULL };
	int id, rc;

	*ret_code = -1;
	if (*have->state && !controls[0])
		return no_memory();
	rc = have->exists ? ldap_modify_ext(p->link.ld, dn, change->list, controls, NULL, &id)
	                  : ldap_add_ext(p->link.ld, dn, change->list, NULL, NULL, &id);
	ldap_control_free(controls[0]);
	if (rc != LDAP_SUCCESS)
		return fetch_ldap_link_fail(&p->link, rc, dn, NULL, err);
	return fetch_ldap_link_answer(&p->link, id, dn, ret_code, err);
}

/* Read, decide and, unless it is only asked whether it could, write. */
static int entry_once(struct publish *p, size_t i, bool write, int *ret_code,
                      struct base_error *err)
{
	struct base_arena arena = { 0 };
	struct fetch_ldap_change change = { .arena = &arena };
	struct fetch_ldap_entry have = { 0 };
	const char *dn = p->dn[i];
	int rc = entry_read(p, dn, &arena, &have, err);

	*ret_code = -1;
	if (!rc && !have.exists && !p->create)
		rc = base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                    "%s: there is no entry %.200s: make it, or say --create",
		                    p->link.where, dn);
	if (!rc)
		rc = fetch_ldap_change_make(&change, dn, &p->job.entries[i], &have, err);
	if (!rc && write && change.count)
		rc = change_send(p, dn, &have, &change, ret_code, err);
	if (!rc && write)
		printf("%s %s\n", !have.exists ? "created" : change.count ? "wrote" : "kept", dn);
	base_arena_done(&arena);
	return rc;
}

/* Somebody else wrote between our reading and our writing: look again. */
static bool met_another(int code)
{
	return code == LDAP_ASSERTION_FAILED || code == LDAP_ALREADY_EXISTS;
}

static int entry_write(struct publish *p, size_t i, struct base_error *err)
{
	int code, rc = 0;

	for (unsigned attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
		rc = entry_once(p, i, true, &code, err);
		if (!rc || !met_another(code))
			break;
	}
	return rc;
}

static int publish_all(struct publish *p, struct base_error *err)
{
	const struct fetch_ldap_bounds bounds = {
		.connect_ms = CONNECT_MS,
		.deadline_ms = fetch_ldap_clock_ms() + PUBLISH_MS,
		.max_octets = INPUT_MAX,
	};
	int code, rc = dns_make(p, err);

	if (!rc)
		rc = fetch_ldap_link_open(&p->link, &p->at, &p->settings, &bounds, err);
	/* what can be refused is refused before anything is written */
	for (size_t i = 0; !rc && i < p->job.count; i++)
		rc = entry_once(p, i, false, &code, err);
	for (size_t i = 0; !rc && i < p->job.count; i++)
		rc = entry_write(p, i, err);
	fetch_ldap_link_close(&p->link);
	return rc;
}

/* ---- the program ---- */

static int input_read(struct base_writer *into, struct base_error *err)
{
	into->limit = INPUT_MAX;
	for (;;) {
		ssize_t got;

		if (!base_writer_reserve(into, 65536))
			return base_error_set(err, BASE_ERR(BASE_CONFIG, EFBIG),
			                      "the job is too large");
		got = read(STDIN_FILENO, into->data + into->len, 65536);
		if (got == 0)
			return 0;
		if (got < 0 && errno != EINTR)
			return base_error_set(err, BASE_ERR(BASE_LOCAL, errno), "%s",
			                      strerror(errno));
		into->len += got > 0 ? (size_t)got : 0;
	}
}

static int to_read(struct publish *p, const char *to, struct base_error *err)
{
	int rc = fetch_ldap_url_parse(base_str_of(to), &p->base, err);

	if (!rc)
		rc = fetch_url_parse(base_str_of(to), &p->at, err);
	if (!rc && (p->base.attributes || p->base.has_scope || *p->base.filter))
		rc = base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                    "%.200s: only a host and a DN are meant here", to);
	return rc;
}

static int complain(const struct base_error *err)
{
	char text[sizeof(err->file) + sizeof(err->text) + 32];

	fprintf(stderr, "gatehouse-fetch: %s\n",
	        *err->text ? base_error_format(err, text, sizeof(text)) : "out of memory");
	return 1;
}

/* @return 0 to go on, 1 when all is said, 2 on wrong words */
static int options_read(struct publish *p, int argc, char **argv, const char **ret_to,
                        const char **ret_password)
{
	static const struct option option[] = { { "to", required_argument, NULL, 't' },
		                                { "anchors", required_argument, NULL, 'a' },
		                                { "start-tls", no_argument, NULL, 's' },
		                                { "bind", required_argument, NULL, 'b' },
		                                { "password-file", required_argument, NULL, 'p' },
		                                { "unsafe-clear-bind", no_argument, NULL, 'u' },
		                                { "create", no_argument, NULL, 'c' },
		                                { "help", no_argument, NULL, 'h' },
		                                { NULL, 0, NULL, 0 } };
	int c;

	optind = 0; /* the program has read its own options */
	while ((c = getopt_long(argc, argv, "h", option, NULL)) != -1) {
		switch (c) {
		case 't':
			*ret_to = optarg;
			break;
		case 'a':
			p->settings.anchors = optarg;
			break;
		case 's':
			p->settings.start_tls = true;
			break;
		case 'b':
			p->settings.bind_dn = optarg;
			break;
		case 'p':
			*ret_password = optarg;
			break;
		case 'u':
			p->settings.unsafe_clear_bind = true;
			break;
		case 'c':
			p->create = true;
			break;
		case 'h':
			printf("%s", usage);
			return 1;
		default:
			return 2;
		}
	}
	return optind == argc && *ret_to && !*ret_password == !p->settings.bind_dn ? 0 : 2;
}

int fetch_publish_main(int argc, char **argv)
{
	const char *to = NULL, *password = NULL;
	struct publish *p = calloc(1, sizeof(*p));
	struct base_writer input = { 0 };
	struct base_error err = { 0 };
	int rc = p ? options_read(p, argc, argv, &to, &password) : 1;

	if (!p || rc) {
		if (rc == 2)
			fputs(usage, stderr);
		free(p);
		return rc == 1 && p ? 0 : rc;
	}
	rc = to_read(p, to, &err);
	if (!rc && password)
		rc = config_password_read(password, &p->settings.password, &err);
	if (!rc)
		rc = input_read(&input, &err);
	if (!rc)
		rc = fetch_job_parse(&p->job, base_writer_view(&input), &err);
	if (!rc)
		rc = fetch_ldap_init(&err);
	if (!rc)
		rc = fetch_confine_calls(&err);
	if (!rc)
		rc = publish_all(p, &err);
	base_secret_done(&p->settings.password);
	fetch_job_done(&p->job);
	base_writer_done(&input);
	free(p);
	return rc ? complain(&err) : 0;
}
