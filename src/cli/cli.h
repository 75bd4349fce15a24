/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The subcommands of the hand tool `gatehouse`. Each gets its own words (`argv[0]` is the
 * subcommand's name), writes to standard output and standard error, and returns the exit status:
 * 0 done, 1 it could not be done or the answer is no, 2 it was called wrongly.
 */
#ifndef GH_CLI_H
#define GH_CLI_H

#include "base/base.h"

/** `gatehouse check HOST:PORT --profile NAME`: conformance to profiles (docs/check.md) */
int cli_check_main(int argc, char **argv);

/** `gatehouse profile list|show NAME|diff A B` */
int cli_profile_main(int argc, char **argv);

/** `gatehouse h248 play SCENARIO.yaml|convert --to FORM FILE` */
int cli_h248_main(int argc, char **argv);

/** `gatehouse pki init|issue|...`: an operator's certification authorities (docs/pki.md) */
int cli_pki_main(int argc, char **argv);

/** `gatehouse lab interconnect`: two operators on loopback (docs/interconnect.md) */
int cli_lab_main(int argc, char **argv);

/** `gatehouse mikey decode FILE`: a MIKEY message in words (docs/mikey.md) */
int cli_mikey_main(int argc, char **argv);

/** `gatehouse explain [FILE]`: refused handshakes out of the gateway's log (docs/certificates.md)
 */
int cli_explain_main(int argc, char **argv);

#endif
