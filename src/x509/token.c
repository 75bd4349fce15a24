/* SPDX-License-Identifier: Apache-2.0 */
/** @file PKCS#11: from a URI (RFC 7512) to a session, logged in, and to objects in it. */
#include <assert.h>
#include <errno.h>
#include <sys/stat.h>

#include "x509/token_internal.h"

#define SLOTS_MAX 256

static int refuse(struct base_error *err, const char *fmt, ...)
        __attribute__((format(printf, 2, 3)));
static int refuse(struct base_error *err, const char *fmt, ...)
{
	char text[sizeof(err->text)];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "%s", text);
}

int token_error(const struct token *t, CK_RV rv, const char *what, struct base_error *err)
{
	const char *words = p11_kit_strerror(rv);

	return base_error_set(err, BASE_ERR(rv == CKR_HOST_MEMORY ? BASE_LOCAL : BASE_CONFIG, 0),
	                      "token '%s': %s: %s (0x%lx)", t->label, what,
	                      words ? words : "no reason given", rv);
}

/* -- the URI --------------------------------------------------------------------------------- */

static int uri_check(P11KitUri *uri, int parsed, struct base_error *err)
{
	if (parsed != P11_KIT_URI_OK)
		return refuse(err, "not a PKCS#11 URI (RFC 7512): %s", p11_kit_uri_message(parsed));
	if (p11_kit_uri_get_pin_value(uri))
		return refuse(err, "a PIN stands in the URI (pin-value), where process lists and "
		                   "logs show it: put it into a file of mode 0600 and name that "
		                   "with ?pin-source=file:/...; and change the PIN");
	if (p11_kit_uri_any_unrecognized(uri))
		return refuse(err,
		              "the URI has an attribute that is not known here (RFC 7512, 2.3)");
	if (!p11_kit_uri_get_attribute(uri, CKA_LABEL) && !p11_kit_uri_get_attribute(uri, CKA_ID))
		return refuse(err, "the URI names no key: add ;object=NAME or ;id=...");
	return 0;
}

/* -- the PIN --------------------------------------------------------------------------------- */

static int pin_from_file(const char *source, struct base_secret *ret, struct base_error *err)
{
	const char *file = source;
	struct base_str text;
	struct stat st;
	int rc;

	if (!strncmp(file, "file:", 5))
		file += 5;
	if (!strncmp(file, "//", 2))
		file += 2; /* file:///path: no host */
	if (*file != '/')
		return refuse(err, "pin-source is file: and a whole path, not '%s'", source);
	if (!stat(file, &st) && (st.st_mode & (S_IRWXG | S_IRWXO)))
		return refuse(err,
		              "%s holds a PIN and is open to others than its owner (mode "
		              "%04o); chmod 600 it",
		              file, (unsigned)st.st_mode & 07777U);
	rc = x509_file_read(file, ret, err);
	if (rc)
		return rc;
	text = base_str_trim((struct base_str){ (const char *)ret->data, ret->len });
	memmove(ret->data, text.ptr, text.len);
	ret->len = text.len;
	return text.len ? 0 : refuse(err, "%s is empty: a PIN is wanted", file);
}

static int pin_get(const struct token *t, P11KitUri *uri, x509_pin_ask *ask, void *arg,
                   struct base_secret *ret, struct base_error *err)
{
	const char *source = p11_kit_uri_get_pin_source(uri);

	if (source)
		return pin_from_file(source, ret, err);
	if (ask && !ask(arg, t->label, ret))
		return 0;
	return refuse(err,
	              "token '%s' wants its PIN: name a file that holds it with "
	              "?pin-source=file:/... in the URI%s",
	              t->label, ask ? ", or call this on a terminal" : "");
}

static int log_in(const struct token *t, P11KitUri *uri, const CK_TOKEN_INFO *info,
                  x509_pin_ask *ask, void *arg, struct base_error *err)
{
	struct base_secret pin = { 0 };
	int rc = 0;
	CK_RV rv;

	if (!(info->flags & CKF_LOGIN_REQUIRED))
		return 0;
	if (info->flags & CKF_USER_PIN_LOCKED)
		return refuse(err, "token '%s' is locked after too many wrong PINs", t->label);
	if (!(info->flags & CKF_PROTECTED_AUTHENTICATION_PATH)) /* no PIN pad of its own */
		rc = pin_get(t, uri, ask, arg, &pin, err);
	if (rc) {
		base_secret_done(&pin);
		return rc;
	}
	rv = t->f->C_Login(t->session, CKU_USER, pin.data, pin.len);
	base_secret_done(&pin);
	if (rv == CKR_PIN_INCORRECT || rv == CKR_PIN_LEN_RANGE)
		return refuse(err,
		              "token '%s' says the PIN is wrong; it was tried once, since tokens "
		              "lock after a few",
		              t->label);
	return rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN
	               ? 0
	               : token_error(t, rv, "cannot log in", err);
}

/* -- modules and slots ----------------------------------------------------------------------- */

static int modules_load(struct token *t, P11KitUri *uri, struct base_error *err)
{
	const char *path = p11_kit_uri_get_module_path(uri);
	CK_RV rv;

	p11_kit_be_quiet(); /* it would write to standard error on its own */
	if (!path) {
		t->modules = p11_kit_modules_load_and_initialize(0);
		return t->modules ? 0
		                  : refuse(err, "p11-kit's PKCS#11 modules cannot be loaded: %s",
		                           p11_kit_message());
	}
	t->own = p11_kit_module_load(path, 0);
	if (!t->own)
		return refuse(err, "the PKCS#11 module cannot be loaded: %s: %s", path,
		              p11_kit_message());
	rv = p11_kit_module_initialize(t->own);
	if (rv == CKR_OK)
		return 0;
	p11_kit_module_release(t->own);
	t->own = NULL;
	return refuse(err, "the PKCS#11 module %s does not start: %s", path, p11_kit_strerror(rv));
}

static bool module_fits(CK_FUNCTION_LIST *f, P11KitUri *uri)
{
	const char *wanted = p11_kit_uri_get_module_name(uri);
	char *name = wanted ? p11_kit_module_get_name(f) : NULL;
	bool fits = !wanted || (name && !strcmp(name, wanted));
	CK_INFO info;

	free(name);
	return fits && f->C_GetInfo(&info) == CKR_OK && p11_kit_uri_match_module_info(uri, &info);
}

static bool slot_fits(CK_FUNCTION_LIST *f, CK_SLOT_ID slot, P11KitUri *uri, CK_TOKEN_INFO *ret)
{
	CK_SLOT_INFO info;

	return f->C_GetTokenInfo(slot, ret) == CKR_OK && (ret->flags & CKF_TOKEN_INITIALIZED) &&
	       f->C_GetSlotInfo(slot, &info) == CKR_OK && p11_kit_uri_match_slot_info(uri, &info) &&
	       p11_kit_uri_match_token_info(uri, ret);
}

static unsigned module_look(struct token *t, CK_FUNCTION_LIST *f, P11KitUri *uri,
                            CK_TOKEN_INFO *ret)
{
	CK_SLOT_ID slot[SLOTS_MAX];
	CK_ULONG count = SLOTS_MAX;
	CK_TOKEN_INFO info;
	unsigned found = 0;

	if (!module_fits(f, uri) || f->C_GetSlotList(CK_TRUE, slot, &count) != CKR_OK)
		return 0;
	for (CK_ULONG i = 0; i < count; i++) {
		if (!slot_fits(f, slot[i], uri, &info))
			continue;
		t->f = f;
		t->slot = slot[i];
		*ret = info;
		found++;
	}
	return found;
}

static int token_look(struct token *t, P11KitUri *uri, CK_TOKEN_INFO *ret, struct base_error *err)
{
	unsigned found = 0;
	size_t len;

	if (t->own)
		found = module_look(t, t->own, uri, ret);
	for (size_t i = 0; t->modules && t->modules[i]; i++)
		found += module_look(t, t->modules[i], uri, ret);
	if (!found)
		return refuse(err, "no token that is here fits the URI");
	if (found > 1)
		return refuse(err, "%u tokens fit the URI; name one by token= or serial=", found);
	len = p11_kit_space_strlen(ret->label, sizeof(ret->label));
	(void)snprintf(t->label, sizeof(t->label), "%.*s", (int)len, (const char *)ret->label);
	return 0;
}

int token_open(struct token *t, P11KitUri *uri, bool write, x509_pin_ask *ask, void *arg,
               struct base_error *err)
{
	CK_TOKEN_INFO info;
	CK_RV rv;
	int rc;

	*t = (struct token){ .open = false };
	rc = modules_load(t, uri, err);
	if (!rc)
		rc = token_look(t, uri, &info, err);
	assert(rc || t->f); /* the token was found in one of the modules */
	if (!rc) {
		rv = t->f->C_OpenSession(t->slot, CKF_SERIAL_SESSION | (write ? CKF_RW_SESSION : 0),
		                         NULL, NULL, &t->session);
		t->open = rv == CKR_OK;
		rc = t->open ? log_in(t, uri, &info, ask, arg, err)
		             : token_error(t, rv, "cannot open a session", err);
	}
	if (rc)
		token_close(t);
	return rc;
}

void token_close(struct token *t)
{
	if (t->open)
		(void)t->f->C_CloseSession(t->session); /* the token may be gone by now */
	if (t->own) {
		(void)p11_kit_module_finalize(t->own); /* likewise */
		p11_kit_module_release(t->own);
	}
	if (t->modules)
		p11_kit_modules_finalize_and_release(t->modules);
	*t = (struct token){ .open = false };
}

/* -- objects --------------------------------------------------------------------------------- */

int token_find(const struct token *t, P11KitUri *uri, CK_OBJECT_CLASS class, CK_OBJECT_HANDLE *ret,
               unsigned *ret_count, struct base_error *err)
{
	CK_ATTRIBUTE *label = p11_kit_uri_get_attribute(uri, CKA_LABEL);
	CK_ATTRIBUTE *id = p11_kit_uri_get_attribute(uri, CKA_ID);
	CK_ATTRIBUTE wanted[3] = { { CKA_CLASS, &class, sizeof(class) } };
	CK_OBJECT_HANDLE found[2];
	CK_ULONG attributes = 1, count = 0;
	CK_RV rv;

	if (label)
		wanted[attributes++] = *label;
	if (id)
		wanted[attributes++] = *id;
	rv = t->f->C_FindObjectsInit(t->session, wanted, attributes);
	if (rv == CKR_OK) {
		rv = t->f->C_FindObjects(t->session, found, BASE_COUNT(found), &count);
		(void)t->f->C_FindObjectsFinal(t->session); /* the search has told its result */
	}
	if (rv != CKR_OK)
		return token_error(t, rv, "cannot look for the key", err);
	*ret_count = (unsigned)count;
	if (count == 1)
		*ret = found[0];
	return 0;
}

static int one(const struct token *t, P11KitUri *uri, CK_OBJECT_CLASS class, const char *what,
               CK_OBJECT_HANDLE *ret, struct base_error *err)
{
	unsigned count = 0;
	int rc = token_find(t, uri, class, ret, &count, err);

	if (rc || count == 1)
		return rc;
	return refuse(err, "token '%s' has %s %s with the name or id of the URI", t->label,
	              count ? "more than one" : "no", what);
}

static int pair_find(struct token *t, P11KitUri *uri, EVP_PKEY **ret, struct base_error *err)
{
	CK_OBJECT_HANDLE private = 0, public = 0;
	int rc = one(t, uri, CKO_PRIVATE_KEY, "private key", &private, err);

	if (!rc)
		rc = one(t, uri, CKO_PUBLIC_KEY, "public key", &public, err);
	return rc ? rc : token_key_wrap(ret, t, private, public, err);
}

int x509_token_key(EVP_PKEY **ret, const char *text, const enum x509_key_kind *make,
                   x509_pin_ask *ask, void *arg, struct base_error *err)
{
	P11KitUri *uri = p11_kit_uri_new();
	struct token t = { .open = false };
	int rc = uri ? uri_check(uri, p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, uri), err)
	             : BASE_ERR(BASE_LOCAL, ENOMEM);

	if (!rc)
		rc = token_open(&t, uri, make != NULL, ask, arg, err);
	if (!rc && make)
		rc = token_generate(&t, uri, *make, err);
	if (!rc)
		rc = pair_find(&t, uri, ret, err);
	token_close(&t);
	p11_kit_uri_free(uri);
	return rc;
}
