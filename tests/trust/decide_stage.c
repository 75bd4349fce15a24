/* SPDX-License-Identifier: Apache-2.0 */
#include "decide_stage.h"

int decide_setup(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));

	s->root = pki_ca("Root");
	s->sub = pki_make(
	        &(struct pki_spec){ .cn = "Sub", .issuer = &s->root, .ca = true, .path_len = 1 });
	s->leaf = pki_leaf("mg.example", &s->sub);
	s->other_root = pki_ca("Other");
	s->dir = pki_dir_new();
	*state = s;
	return 0;
}

int decide_teardown(void **state)
{
	struct stage *s = *state;

	pki_free(&s->root);
	pki_free(&s->sub);
	pki_free(&s->leaf);
	pki_free(&s->other_root);
	pki_dir_remove(s->dir);
	free(s);
	return 0;
}

struct trust_store *store_of(struct stage *s, X509 *anchor, X509_CRL *const *crls, bool required)
{
	char *file = pki_write_certs(s->dir, "anchor.pem", (X509 *[]){ anchor, NULL });
	char *names[5] = { 0 };
	const char *list[5] = { 0 };
	struct trust_store *store = NULL;
	size_t count = 0;

	for (; crls && crls[count]; count++) {
		char name[8];

		(void)snprintf(name, sizeof(name), "%zu.crl", count);
		list[count] = names[count] = pki_write_crl(s->dir, name, crls[count], count % 2);
	}
	assert_int_equal(trust_store_load(&store,
	                                  &(struct trust_store_files){
	                                          .anchors = (const char *const[]){ file, NULL },
	                                          .crls = list,
	                                          .crl_required = required },
	                                  NULL),
	                 0);
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(file);
	return store;
}

struct trust_verdict ask(struct trust_store *store, const struct trust_question *question,
                         X509 *const *certs)
{
	struct base_str chain[32] = { 0 };
	struct trust_verdict verdict;
	size_t count = 0;

	for (; certs && certs[count]; count++)
		chain[count] = pki_der(certs[count]);
	assert_int_equal(trust_decide(store, question, chain, count, &verdict), 0);
	for (size_t i = 0; i < count; i++)
		pki_der_free(&chain[i]);
	assert_false(verdict.authenticated && verdict.tolerated);
	assert_int_equal(verdict.authenticated, verdict.reason == TRUST_OK);
	assert_int_equal(verdict.authenticated, verdict.failures == 0);
	assert_true(verdict.text[0]);
	return verdict;
}

const struct trust_question by_ca = { .methods = TRUST_CA };

struct trust_verdict ask_leaf(struct stage *s, const struct pki_spec *spec,
                              const struct trust_question *question)
{
	struct pki_spec full = *spec;
	struct trust_store *store = store_of(s, s->root.cert, NULL, false);
	struct trust_verdict verdict;
	struct pki leaf;

	full.issuer = &s->sub;
	leaf = pki_make(&full);
	verdict = ask(store, question, (X509 *[]){ leaf.cert, s->sub.cert, NULL });
	pki_free(&leaf);
	trust_store_unref(store);
	return verdict;
}

void expect(const struct trust_verdict *verdict, enum trust_reason reason, unsigned alert,
            int depth, const char *words)
{
	if (verdict->reason != reason || verdict->alert != alert || verdict->depth != depth ||
	    !strstr(verdict->text, words))
		print_message("got %s, alert %u, depth %d: %s\n",
		              trust_reason_name(verdict->reason), verdict->alert, verdict->depth,
		              verdict->text);
	assert_int_equal(verdict->reason, reason);
	assert_int_equal(verdict->alert, alert);
	assert_int_equal(verdict->depth, depth);
	assert_non_null(strstr(verdict->text, words));
}
