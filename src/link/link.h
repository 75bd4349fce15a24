/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * H.248 inside TLS: one of our TLS domains as the filter of an H.248 transport (H248_TLS), for the
 * gateway and for the hand tool's controller. Both ends are authenticated: no octet of a peer that
 * has not proven itself by certificate, fingerprint or pre-shared key reaches a decoder. Each
 * handshake ends in one log line. One thread, the transport's.
 */
#ifndef GH_LINK_H
#define GH_LINK_H

#include "base/base.h"
#include "h248/h248.h"
#include "tls/tls.h"

struct link;

/** Who the far ends must be. Strings and arrays are copied. */
struct link_spec {
	/**
	 * The dNSName that a peer's certificate must prove (RFC 6125), whichever side connected,
	 * and the SNI we send as client. NULL: any name under the domain's anchors.
	 */
	const char *peer_name;
	/** Certificates that are taken as they are, where the domain's methods have fingerprint. */
	const struct x509_fingerprint *fingerprints;
	size_t fingerprint_count;
	/** Unsafe: go on with a peer that has proven nothing, where the domain lets it. */
	bool anybody;
};

/** `domain` is referenced. @return 0; BASE_CONFIG or BASE_LOCAL with words. */
int link_new(struct link **ret, struct tls_domain *domain, const struct link_spec *spec,
             struct base_error *err);
/** The transport that uses it must be gone. NULL is fine. */
void link_free(struct link *link);
/**
 * Another domain for connections to come; those that are there keep theirs. On failure nothing
 * changes. @return as link_new.
 */
int link_domain_set(struct link *link, struct tls_domain *domain, struct base_error *err);

/**
 * Something new is known of revocations: hold all connections against what the current domain's
 * store knows now. One whose peer is condemned is over with the next octet in either direction
 * (grace or not), unless the domain only reports; each is told by a log line.
 */
void link_rejudge(struct link *link);

/** For h248_transport_config.filter; its `filter_arg` is the struct link. */
extern const struct h248_filter_ops link_filter;

/* ---- a domain from files, for programs without a table of domains ---- */

/** Paths, NULL-terminated lists; all are borrowed for the call. */
struct link_files {
	const char *profile; /**< NULL = "ts33210-rel17" */
	const char *certificate, *key;
	const char *const *anchors;
	const char *const *profile_dirs; /**< looked into before the installed ones; may be NULL */
};
/**
 * A link with a domain of its own: certificates of both sides are required, peers prove themselves
 * by the anchors or, where `spec` has fingerprints, by those.
 * @return as link_new
 */
int link_new_files(struct link **ret, const struct link_files *files, const struct link_spec *spec,
                   struct base_error *err);

#endif
