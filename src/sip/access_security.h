/* SPDX-License-Identifier: Apache-2.0 */
/** @file The client's side of RFC 3329 with the mechanism tls; private to access*.c. */
#ifndef GH_SIP_ACCESS_SECURITY_H
#define GH_SIP_ACCESS_SECURITY_H

#include "sip/message.h"

/**
 * What a 401, 421 or 494 offers in Security-Server becomes what Security-Verify says: all of it, as
 * it stands (2.3.1). Nothing changes where it has none.
 * @return 0; BASE_PEER: there is a list, without tls; BASE_LOCAL
 */
int sip_security_take(const struct sip_message *msg, struct base_writer *verify);
/** Header lines of a REGISTER: Security-Client, Security-Verify, Require, Proxy-Require. */
void sip_security_write(const struct base_writer *verify, bool reg, struct base_writer *w);

#endif
