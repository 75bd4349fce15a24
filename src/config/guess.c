/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#define WORD_MAX 48

/** Steps between two words: change, drop or add a letter, or swap two neighbours. */
static unsigned word_distance(struct base_str a, struct base_str b)
{
	unsigned row[3][WORD_MAX + 1];
	unsigned *before = row[0], *last = row[1], *now = row[2];

	for (size_t j = 0; j <= b.len; j++)
		last[j] = (unsigned)j;
	for (size_t i = 1; i <= a.len; i++) {
		unsigned *spare = before;

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= b.len; j++) {
			int x = base_lower(a.ptr[i - 1]), y = base_lower(b.ptr[j - 1]);
			unsigned steps = last[j - 1] + (x != y);

			steps = BASE_MIN(steps, BASE_MIN(last[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && x == base_lower(b.ptr[j - 2]) &&
			    y == base_lower(a.ptr[i - 2]))
				steps = BASE_MIN(steps, before[j - 2] + 1);
			now[j] = steps;
		}
		before = last;
		last = now;
		now = spare;
	}
	return last[b.len];
}

void config_guess_offer(struct config_guess *guess, const char *candidate)
{
	struct base_str c = base_str_of(candidate);
	unsigned distance, most;

	if (!guess->word.len || guess->word.len > WORD_MAX || c.len > WORD_MAX)
		return;
	distance = word_distance(guess->word, c);
	most = 1 + (unsigned)BASE_MIN(guess->word.len, c.len) / 4;
	if (distance > most || (guess->best && distance >= guess->distance))
		return;
	guess->best = candidate;
	guess->distance = distance;
}

void config_guess_print(const struct config_guess *guess, struct base_writer *w)
{
	if (guess->best)
		base_writer_printf(w, "; did you mean '%s'?", guess->best);
}
