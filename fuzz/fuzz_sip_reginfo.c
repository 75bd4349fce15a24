/* SPDX-License-Identifier: Apache-2.0 */
/* A document of registration information (RFC 3680): all that is told lies in the arena, in bounds.
 */
#include <stdlib.h>

#include "sip/sip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t look(struct base_str s)
{
	size_t sum = s.len;

	if (s.len > SIP_REGINFO_TEXT_MAX)
		abort();
	for (size_t i = 0; i < s.len; i++)
		sum += (unsigned char)s.ptr[i];
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct base_arena arena = { 0 };
	struct sip_reginfo doc;
	size_t sum = 0, contacts = 0;

	if (sip_reginfo_read(&doc, &arena, (struct base_str){ (const char *)data, size }, NULL) ==
	    0) {
		for (size_t i = 0; i < doc.count; i++) {
			const struct sip_reg_record *record = &doc.records[i];

			sum += look(record->aor) + look(record->id);
			for (size_t j = 0; j < record->count; j++, contacts++) {
				const struct sip_reg_contact *c = &record->contacts[j];

				sum += look(c->id) + look(c->uri) + look(c->callid);
				if (!c->uri.len || c->state == SIP_REG_INIT)
					abort();
			}
		}
		if (doc.count > SIP_REGINFO_RECORDS || contacts > SIP_REGINFO_CONTACTS)
			abort();
	}
	base_arena_done(&arena);
	return sum == SIZE_MAX;
}
