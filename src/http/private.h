/* SPDX-License-Identifier: Apache-2.0 */
/** @file Inside this folder: what both sides of HTTP share. */
#ifndef GH_HTTP_PRIVATE_H
#define GH_HTTP_PRIVATE_H

#include "http/http.h"

/** The media type without its parameters (RFC 9110, 8.3.1). Pure. */
struct base_str http_type_of(const char *content_type);
/** Is it `type`? NULL is none. Pure. */
bool http_type_eq(const char *content_type, const char *type);

#endif
