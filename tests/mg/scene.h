/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Sentences for scenario tests. Line ends of SDP in replies become blanks, so that an expected
 * reply is one line.
 */
#ifndef GH_TESTS_MG_SCENE_H
#define GH_TESTS_MG_SCENE_H

#include "check.h"
#include "stage.h"

#define TCP_ANY  "L{\nv=0\nc=IN IP4 $\nm=message $ TCP/MSRP *\n}"
#define TLS_ANY  "L{\nv=0\nc=IN IP4 $\nm=message $ TCP/TLS/MSRP *\n}"
#define TCP_PEER "R{\nv=0\nc=IN IP4 198.51.100.7\nm=message 7000 TCP/MSRP *\n}"
#define TLS_PEER "R{\nv=0\nc=IN IP4 198.51.100.7\nm=message 7000 TCP/TLS/MSRP *\n}"

extern struct stage st;

/** Default settings. */
void scene_start(void);
/** Everything still right; then nothing may be left. */
void scene_end(void);
/** Exactly this reply. */
void says(const char *actions, const char *reply);
/** No error in the reply. */
void accepted(const char *actions);
void accepted_v(unsigned version, const char *actions);
/** An error of that code in the reply, and these words. */
void refused(const char *actions, unsigned code, const char *words);
void refused_v(unsigned version, const char *actions, unsigned code, const char *words);
/** About the last reply. */
void contains(const char *part);
void lacks(const char *part);
/** What the bearer was told since the last call, separated by blanks; then forgotten. */
void ordered(const char *orders);
/** The last request of the gateway holds this. */
void notified(const char *part);

#endif
