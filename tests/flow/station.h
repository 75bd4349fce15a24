/* SPDX-License-Identifier: Apache-2.0 */
/* One element of SIP on the loopback: what has come to it. */
#ifndef GH_TESTS_FLOW_STATION_H
#define GH_TESTS_FLOW_STATION_H

#include "../tls/lab.h"
#include "flow/flow.h"

extern struct lab *lab;
extern char log_text[65536];

struct station {
	struct streams *streams;
	struct flows *flows;
	struct tls_domain *domain;
	union stream_addr at[3]; /* by enum flow_transport */
	char got[70000];         /* the last message */
	size_t got_len;
	unsigned count, lost, ways;
	struct sip_flow from, way; /* the last */
	uint64_t lost_id, way_id, forgotten_id;
	unsigned forgotten;
	char source[64], why[256];
	uint16_t source_port;
	unsigned status;
	unsigned ups, again[5], shakes[4]; /* by enum stream_again, enum flow_shake */
	uint64_t up_id;
	struct flow_info up; /* the last */
	bool close_up;       /* each that comes up */
	bool answer;         /* each request with 200 */
	bool close_on;       /* the flow of what comes */
};

/* The loop is one for all; transports: bits, those that are listened to. */
void station_open(struct station *s, struct streams *streams, const struct flow_config *config,
                  unsigned transports);
extern const char *station_at;                 /* where those to come listen: "127.0.0.1:0" */
extern struct x509_identity *station_identity; /* theirs; NULL = of server.test */
extern struct trust_store *station_trust;      /* whom they trust; NULL = the laboratory's CA */
extern bool station_nobody;                    /* those to come have no certificate */
/* Answer the last message with 200. @return as flows_send */
int station_reply(struct station *s);
void station_close(struct station *s);
/* A request of about that many octets to a URI. */
size_t request(char *out, size_t cap, const char *uri, const struct sip_local *local, size_t body);
/* Seek and send. @return the flow */
struct sip_flow call(struct station *s, uint64_t id, const char *uri, size_t body);
/* "sip:x@127.0.0.1:PORT;transport=..." of where `s` listens. */
const char *uri_of(const struct station *s, enum flow_transport transport);

#define UNTIL(s, condition)                                                                        \
	do {                                                                                       \
		while (!(condition))                                                               \
			assert_int_equal(loop_run_once(streams_loop((s)->streams), 5000), 0);      \
	} while (0)

int setup(void **state); /* its state is a struct streams */
int teardown(void **state);
int lab_open(void **state);
int lab_close(void **state);

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
