/* SPDX-License-Identifier: Apache-2.0 */
/** @file The file as its schema gives it, before anything is understood. */
#ifndef GH_FETCH_YAML_H
#define GH_FETCH_YAML_H

#include "fetch/config.h"

struct fetch_yaml_fetch {
	const char *user, *cache, *metrics;
};

struct fetch_yaml_source {
	const char *name, *crl, *delta, *repository, *issuer, *refresh, *delta_refresh;
};

struct fetch_yaml_directory {
	const char *host, *anchors, *bind_dn, *password_file;
	bool start_tls, clear_bind;
};

struct fetch_yaml_allow {
	const char **hosts, **schemes;
	unsigned hosts_count, schemes_count;
};

struct fetch_yaml_limits {
	const char *size, *time, *connect_time;
	const unsigned *redirects; /* 0 is a value of its own */
	unsigned parallel, per_host, values;
};

struct fetch_yaml_schedule {
	const char *refresh, *delta_refresh, *retry, *retry_max;
};

struct fetch_yaml_socket {
	const char *path, *pause, *time, *forget;
	const char **users, **groups;
	unsigned users_count, groups_count;
	unsigned clients, per_client, sources;
};

struct fetch_yaml_alarms {
	const char *warn, *critical, *remind;
};

struct fetch_yaml_http {
	const char *proxy, *anchors;
};

struct fetch_yaml_log {
	const char *level;
};

struct fetch_yaml {
	struct fetch_yaml_fetch *fetch;
	const char **issuers, **interconnection, **cross;
	unsigned issuers_count, interconnection_count, cross_count;
	struct fetch_yaml_source *sources;
	unsigned sources_count;
	struct fetch_yaml_directory *directories;
	unsigned directories_count;
	struct fetch_yaml_allow *allow;
	struct fetch_yaml_limits *limits;
	struct fetch_yaml_schedule *schedule;
	struct fetch_yaml_socket *socket;
	struct fetch_yaml_alarms *alarms;
	struct fetch_yaml_http *http;
	struct fetch_yaml_log *log;
};

#endif
