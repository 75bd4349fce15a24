/* SPDX-License-Identifier: Apache-2.0 */
#include "compare_plan.h"

void more(struct part *part, int nid, const char *value)
{
	if (part->more_count < MORE)
		part->more[part->more_count++] = (struct ext){ nid, value };
}

#define NAME(name, change) #name,
#define FUNCTION(name, change)                                                                     \
	static void make_##name(struct plan *p)                                                    \
	{                                                                                          \
		change;                                                                            \
	}
#define POINTER(name, change) make_##name,

const char *const defect_names[DEFECT_COUNT] = { DEFECTS(NAME) };
DEFECTS(FUNCTION)
void (*const defects[DEFECT_COUNT])(struct plan *p) = { DEFECTS(POINTER) };
