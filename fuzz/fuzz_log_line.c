/* SPDX-License-Identifier: Apache-2.0 */
/** @file Octets as a log line about a handshake; the names in one come from peers. */
#include <stdlib.h>

#include "cli/log_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void within(struct base_str value, struct base_str line)
{
	if (value.len && (value.ptr < line.ptr || value.ptr + value.len > line.ptr + line.len))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct base_str line = { (const char *)data, size };
	struct log_line l;

	if (!log_line_read(line, &l))
		return 0;
	within(l.time, line);
	within(l.peer, line);
	within(l.subject, line);
	within(l.culprit, line);
	within(l.crl, line);
	within(l.words, line);
	if (l.down && !l.from_peer)
		abort();
	return 0;
}
