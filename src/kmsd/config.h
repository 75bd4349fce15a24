/* SPDX-License-Identifier: Apache-2.0 */
/** @file The configuration, understood; private to this folder. */
#ifndef GH_KMSD_CONFIG_H
#define GH_KMSD_CONFIG_H

#include <sys/socket.h>

#include "kms/kms.h"
#include "kmsd/kmsd.h"
#include "kmsd/yaml.h"
#include "tls/tls.h"

#define KMSD_LISTEN_MAX 8

struct kmsd_listen {
	struct sockaddr_storage at;
	bool tls;
	char text[80];
};

/** How a question looks in HTTP (TS 33.328, annex A; recalled, so all of it can be changed). */
struct kmsd_form {
	const char *path;              /**< "/keymanagement" */
	const char *parameter;         /**< "requesttype"; "" = there is none */
	const char *request, *resolve; /**< its values: "ticketrequest", "ticketresolve" */
};

struct kmsd_config {
	struct kmsd_config *older; /**< the shell's */
	const char *file;
	struct kmsd_yaml *yaml;
	struct config_doc *doc;
	struct base_arena arena;

	struct kms_config kms;
	struct x509_identity *identity; /**< for requests by public key; NULL = none */
	const char *store, *control;    /**< paths; no control socket: NULL */
	struct base_secret master;
	struct kmsd_listen listen[KMSD_LISTEN_MAX];
	size_t listen_count;
	struct kmsd_form form;
	uint64_t body_max, request_ms;
	unsigned connections, per_source;
	bool has_metrics;
	struct kmsd_listen metrics;
	enum base_level level;

	struct profile_store *profiles;
	struct tls_domain *domain; /**< of `https`; NULL = none */
	bool anybody;              /**< its clients show no certificate */
};

/** domain.c: `tls` of the file. */
int kmsd_domain_load(struct kmsd_config *c, struct base_error *err);
/** A path of the file, relative to it. @return 0 or BASE_LOCAL; NULL gives NULL */
int kmsd_path(struct kmsd_config *c, const char *text, const char **ret);

#endif
