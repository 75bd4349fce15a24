/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Inside this folder: MIKEY messages for people.
 */
#ifndef GH_CLI_MIKEY_H
#define GH_CLI_MIKEY_H

#include <jansson.h>
#include <stdio.h>

#include "mikey/mikey.h"

/** A message as JSON, with names beside numbers; key material is left out. NULL: out of memory. */
json_t *mikey_json(const struct mikey_message *msg);
/** JSON of an object in words: one line a field, indented. */
void mikey_words(FILE *to, const json_t *object);

/** `gatehouse mikey offer`. @return the exit status */
int mikey_offer_main(int argc, char **argv);

#endif
