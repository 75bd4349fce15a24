/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Where one LDAPMessage ends and the next begins (RFC 4511, 4.1.1), and what it is at first sight.
 * Pure. libldap 2.5 loses the memory of a message whose operation it cannot read, and of one that
 * nobody asked for (number 0; 4.4): as much as a message may have. So they are stopped before
 * libldap sees them.
 */
#ifndef GH_FETCH_LDAP_FRAME_H
#define GH_FETCH_LDAP_FRAME_H

#include "base/base.h"

/** All zero stands before the first message. */
struct fetch_ldap_frame {
	uint8_t head[24]; /**< the message's first octets, until its operation is known */
	size_t have;
	size_t left; /**< octets of its body that are still to come */
};

enum fetch_ldap_framed {
	FETCH_LDAP_FRAME_OK,
	FETCH_LDAP_FRAME_GOODBYE, /**< number 0 */
	FETCH_LDAP_FRAME_BAD,     /**< no LDAPMessage */
};

/** Go on by these octets. After another answer than OK nothing more may be given. */
enum fetch_ldap_framed fetch_ldap_frame_take(struct fetch_ldap_frame *frame, const uint8_t *data,
                                             size_t len);

#endif
