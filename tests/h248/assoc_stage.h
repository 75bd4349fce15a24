/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The association on a stage: host 1 is the gateway, hosts 2 to 4 are controllers.
 */
#ifndef GH_TESTS_H248_ASSOC_STAGE_H
#define GH_TESTS_H248_ASSOC_STAGE_H

#include "check.h"
#include "net.h"

/** A controller: what it shall do, and what it has seen. */
struct mgc {
	struct net *net;
	unsigned number;
	unsigned refuse;           /* with this error code */
	unsigned redirect;         /* to that host */
	const char *name;          /* or to that name */
	const char *device;        /* or to that, which is no place to go to */
	const char *at;            /* accept, but say this name in ServiceChangeAddress */
	unsigned refuse_above;     /* 406 to offers of a higher version */
	unsigned forgetful;        /* refuse Disconnected with this error code */
	const char *insists;       /* 461 to every other profile, NAME/version */
	struct h248_profile wants; /* the profile that the reply names */
	unsigned version;          /* to choose; 0 = says none */
	uint16_t port;             /* ServiceChangeAddress */
	bool silent;               /* executes, but never answers */
	bool ask_first;            /* sends a request before its reply */
	unsigned changes, notifies;
	uint8_t method;
	uint16_t reason;
	unsigned offered, header;
	char profile[32];
	bool timed;
	struct h248_peer *mg;
	unsigned replies, code;
};

/** The gateway's user, and what it has been told. */
struct mg {
	struct net *net;
	struct h248_assoc *assoc;
	unsigned ups, downs, gone, requests;
	enum h248_assoc_cause cause;
	struct h248_peer *peer;
	char refused[128]; /* why the last controller did not take us */
	uint32_t lookup;   /* number of the last lookup */
	unsigned lookups, family;
	char looked[80];
	unsigned seen[H248_ASSOC_STATES]; /* times entered */
};

struct stage {
	struct net net;
	struct mgc mgc[NET_HOSTS];
	struct mg mg;
	bool no_names; /* from the next restart on: there is no resolver */
};

/** Put controller `n` (2 to 4) there, accepting. */
void mgc_new(struct stage *s, unsigned n, enum h248_transport_kind kind);
/** It asks the gateway something. */
void mgc_ask(struct mgc *m);

/** UDP, three controllers in the list. */
int setup(void **state);
int teardown(void **state);
/** The same again, with these; a number of controllers at the list's beginning. */
void restart(struct stage *s, enum h248_transport_kind kind, size_t controllers,
             struct h248_assoc_config config);
enum h248_assoc_state state_of(const struct stage *s);
/** Start the association; 100 ms pass. */
void start(struct stage *s);
/** The name that is looked up is that host; 0 = it has no address. */
void mg_answer(struct stage *s, unsigned host);
/** The gateway asks its controller something. */
void mg_asks(struct stage *s);

#endif
