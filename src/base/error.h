/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * One convention for results: 0 is success, a negative int is an error whose class answers one
 * question: what does the caller do now? Where words help a person, a function also takes a
 * `struct base_error *` (may be NULL) and fills it on failure.
 */
#ifndef GH_BASE_ERROR_H
#define GH_BASE_ERROR_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

enum base_class {
	BASE_AGAIN = 1, /**< nothing is wrong; come back on the next event */
	BASE_PEER,      /**< the far end broke a rule: answer with `detail` */
	BASE_LOCAL,     /**< we ran out of something: refuse, keep serving */
	BASE_CONFIG,    /**< the operator must act: the text says which key, which file */
	BASE_BUG,       /**< we broke our own promise: log loudly, drop this leg */
};

/** `detail` is the class's own number, 0 to 65535: a TLS alert, an H.248 error code, an errno. */
#define BASE_ERR(class, detail) (-(int)(((unsigned)(class) << 16) | ((unsigned)(detail)&0xffffU)))

/** Class of a negative result. Pure. */
static inline enum base_class base_err_class(int rc)
{
	return (enum base_class)((unsigned)-rc >> 16);
}

/** Detail of a negative result. Pure. */
static inline unsigned base_err_detail(int rc)
{
	return (unsigned)-rc & 0xffffU;
}

/** An error told to a person: where (file, line, column count from 1; 0 = unknown) and why. */
struct base_error {
	int rc;          /**< the result returned beside it */
	unsigned line;   /**< 1-based, 0 when it does not apply */
	unsigned column; /**< 1-based, in octets */
	char file[256];  /**< empty when it does not apply */
	char text[512];  /**< one sentence, no line end */
};

/**
 * Fill `err` (NULL is fine) and hand back `rc`, so that a function can end in
 * `return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "...", ...)`. Leaves the place untouched.
 */
int base_error_set(struct base_error *err, int rc, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

/** Record where: `file` is copied (shortened from the left if it must be). NULL `err` is fine. */
void base_error_place(struct base_error *err, const char *file, unsigned line, unsigned column);

/**
 * The error as people expect it: `FILE:LINE:COL: text`, leaving out what is unknown.
 * @return `buf`, always terminated.
 */
const char *base_error_format(const struct base_error *err, char *buf, size_t cap);

#endif
