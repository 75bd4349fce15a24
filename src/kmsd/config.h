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
	const char *store, *control;    /**< paths; no control socket, or no file: NULL */
	struct base_secret master;
	struct kms_redis redis; /**< where `store` is NULL */
	struct base_secret redis_password;
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

/** store.c: `kms.store` or `kms.redis` of the file. */
int kmsd_store_read(struct kmsd_config *c, struct base_error *err);
/** The one of them that is configured. @return as kms_store_open */
int kmsd_store_open(const struct kmsd_config *c, struct kms_store **ret, struct base_error *err);
/** As it is named in the log. */
const char *kmsd_store_name(const struct kmsd_config *c);
/** Is it the same, opened in the same way? */
bool kmsd_store_same(const struct kmsd_config *a, const struct kmsd_config *b);
/** domain.c: `tls` of the file. */
int kmsd_domain_load(struct kmsd_config *c, struct base_error *err);
/** A path of the file, relative to it. @return 0 or BASE_LOCAL; NULL gives NULL */
int kmsd_path(struct kmsd_config *c, const char *text, const char **ret);

#endif
