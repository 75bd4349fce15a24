/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What this project adds to the binary form so that text survives it (P, docs/h248-ber.md): fields
 * with tags of class private behind the extension marker, which others skip.
 */
#ifndef GH_H248_BER_PRIVATE_H
#define GH_H248_BER_PRIVATE_H

/** Message: SEQUENCE OF IA5String, texts for the numbers of names that no table knows. */
#define BER_OURS_NAMES 0

/** TerminationID: the name, when its id is a hash. MuxDescriptor: the name `X-..`. */
#define BER_OURS_TEXT 0

/** ServiceChangeParm: the method `X-..`, and parameters `X-.. = value`. */
#define BER_OURS_METHOD 0
#define BER_OURS_PARMS  1

/** ContextAttrAuditRequest: SEQUENCE OF ContextID, a ContextList that selects. */
#define BER_OURS_LIST 0

/** An enumeration's value beside which a private field has the name. */
#define BER_OURS_ENUM 127

/** nonStandardIdentifier of what we put into closed types: eight octets. */
#define BER_EXPERIMENTAL "X-GTHOUS"

#endif
