/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All alternatives stand one after the other in one array of positions, each with an end; a match
 * is the set of positions that wait for the next event, so an event costs what the map is long,
 * whatever is in it.
 */
#include "h248/digitmap.h"
#include "h248/errors.h"

struct position {
	uint32_t set;  /* bit 0-9: digits, 10-20: A-K; 0 at an end */
	char timer;    /* explicit timing while waiting here: 'S', 'L', 'T'; 0 = none */
	bool lasting;  /* Z: a long event only */
	bool repeated; /* '.': any number of times, also none */
	bool first;    /* an alternative begins here */
	bool end;      /* it is satisfied here */
};

struct h248_digit_program {
	uint32_t start_ms, short_ms, long_ms, z_ms;
	size_t count;
	struct position position[];
};

const char *h248_digit_method_name(enum h248_digit_method method)
{
	static const char *const names[] = { NULL, "UM", "PM", "FM" };

	return (unsigned)method < BASE_COUNT(names) ? names[method] : NULL;
}

/* ---- compiling ---- */

#define DIGITS 0x3ffU

/* The bit of 0-9, A-K; 0 for anything else. */
static uint32_t bit_of(char c)
{
	int low = base_lower(c);

	if (c >= '0' && c <= '9')
		return UINT32_C(1) << (c - '0');
	return low >= 'a' && low <= 'k' ? UINT32_C(1) << (10 + low - 'a') : 0;
}

struct compiler {
	const char *at, *end;
	struct h248_digit_program *program;
	char timer;   /* in effect from here on */
	bool lasting; /* Z before the next symbol */
	bool first;   /* nothing of this alternative yet */
	bool can_repeat;
};

static bool position_add(struct compiler *c, uint32_t set)
{
	struct h248_digit_program *p = c->program;

	if (p->count == H248_DIGIT_POSITIONS_MAX)
		return false;
	p->position[p->count++] = (struct position){
		.set = set, .timer = c->timer, .lasting = c->lasting, .first = c->first, .end = !set
	};
	c->first = false;
	c->lasting = false;
	c->can_repeat = set != 0;
	return true;
}

/* After '[': symbols, and ranges of two digits. */
static uint32_t set_read(struct compiler *c)
{
	uint32_t set = 0;

	for (; c->at < c->end && *c->at != ']'; c->at++) {
		uint32_t bit = bit_of(*c->at);

		if (!bit)
			return 0;
		set |= bit;
		if (c->end - c->at < 3 || c->at[1] != '-')
			continue;
		if (!(bit & DIGITS) || !(bit_of(c->at[2]) & DIGITS) || c->at[2] < *c->at)
			return 0;
		for (char d = *c->at; d <= c->at[2]; d++)
			set |= bit_of(d);
		c->at += 2;
	}
	if (c->at == c->end)
		return 0;
	c->at++;
	return set;
}

/* One symbol of an alternative. */
static bool symbol_read(struct compiler *c)
{
	char one = *c->at++;
	int low = base_lower(one);

	switch (low) {
	case '.':
		if (!c->can_repeat)
			return false;
		c->program->position[c->program->count - 1].repeated = true;
		c->can_repeat = false;
		return true;
	case 's':
	case 'l':
	case 't':
		c->timer = (char)(low - 'a' + 'A');
		c->can_repeat = false;
		return !c->lasting;
	case 'z':
		c->can_repeat = false;
		return !c->lasting && (c->lasting = true);
	case 'x':
		return position_add(c, DIGITS);
	case '[': {
		uint32_t set = set_read(c);

		return set && position_add(c, set);
	}
	default:
		return bit_of(one) && position_add(c, bit_of(one));
	}
}

static bool alternative_end(struct compiler *c)
{
	if (c->first || c->lasting || !position_add(c, 0))
		return false;
	c->first = true;
	c->timer = 0;
	return true;
}

static bool body_read(struct compiler *c)
{
	bool parens = c->at < c->end && *c->at == '(';

	if (parens)
		c->at++;
	if (parens && (c->end == c->at || c->end[-1] != ')'))
		return false;
	c->end -= parens;
	while (c->at < c->end) {
		if (*c->at == '|') {
			if (!parens || !alternative_end(c))
				return false;
			c->at++;
		} else if (!symbol_read(c)) {
			return false;
		}
	}
	return alternative_end(c);
}

static uint32_t seconds(bool given, unsigned value, uint32_t otherwise_ms)
{
	return given ? value * 1000U : otherwise_ms;
}

int h248_digit_compile(struct base_arena *arena, const struct h248_digit_map *map,
                       const struct h248_digit_program **ret, struct base_error *err)
{
	struct compiler c = { .at = map->body.ptr, .end = map->body.ptr + map->body.len };
	/* Each octet makes one position at most, and the last alternative has its end. */
	size_t room = BASE_MIN(map->body.len + 1, (size_t)H248_DIGIT_POSITIONS_MAX);

	c.first = true;
	if (!map->body.len)
		return base_error_set(err, BASE_ERR(BASE_PEER, H248_E_VALUE), "empty digit map");
	c.program = base_arena_alloc(arena, sizeof(*c.program) + room * sizeof(struct position));
	if (!c.program)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, H248_E_RESOURCES),
		                      "memory is short");
	if (!body_read(&c)) {
		if (c.program->count == H248_DIGIT_POSITIONS_MAX)
			return base_error_set(err, BASE_ERR(BASE_LOCAL, H248_E_RESOURCES),
			                      "the digit map has more than %u positions",
			                      H248_DIGIT_POSITIONS_MAX);
		return base_error_set(err, BASE_ERR(BASE_PEER, H248_E_VALUE),
		                      "no digit map at its octet %zu",
		                      (size_t)(c.at - map->body.ptr));
	}
	c.program->start_ms = seconds(map->has_t, map->t, H248_DIGIT_START_MS);
	c.program->short_ms = seconds(map->has_s, map->s, H248_DIGIT_SHORT_MS);
	c.program->long_ms = seconds(map->has_l, map->l, H248_DIGIT_LONG_MS);
	c.program->z_ms = map->has_z ? map->z * 100U : H248_DIGIT_Z_MS;
	*ret = c.program;
	return 0;
}

uint32_t h248_digit_long_ms(const struct h248_digit_program *program)
{
	return program->z_ms;
}

/* ---- matching ---- */

static bool is_at(const uint64_t *set, size_t i)
{
	return set[i / 64] >> (i % 64) & 1;
}

/* Wait at this position, and behind it where it may be left out. */
static void put(const struct h248_digit_program *p, uint64_t *set, size_t i)
{
	for (;; i++) {
		set[i / 64] |= UINT64_C(1) << (i % 64);
		if (!p->position[i].repeated)
			return;
	}
}

struct outlook {
	bool satisfied; /* an alternative is */
	bool more;      /* an event could still be matched */
	bool t, s, l;   /* explicit timing of some */
};

static struct outlook look(const struct h248_digit_match *m)
{
	struct outlook o = { 0 };

	for (size_t i = 0; i < m->program->count; i++) {
		const struct position *p = &m->program->position[i];

		if (!is_at(m->at, i))
			continue;
		o.satisfied |= p->end;
		o.more |= !p->end;
		o.t |= p->timer == 'T';
		o.s |= p->timer == 'S';
		o.l |= p->timer == 'L';
	}
	return o;
}

/* Explicit timing wins over the rules of 7.1.14.2, and L where it is at odds (7.1.14.3). */
static void timer_set(struct h248_digit_match *m, const struct outlook *o)
{
	const struct h248_digit_program *p = m->program;

	if (o->l || (o->s && o->t))
		m->timer = 'L';
	else if (o->s)
		m->timer = 'S';
	else if (o->t || !m->len)
		m->timer = 'T';
	else
		m->timer = o->satisfied ? 'S' : 'L';
	m->timer_ms = m->timer == 'L' ? p->long_ms : m->timer == 'S' ? p->short_ms : p->start_ms;
	if (!m->timer_ms) /* T:0 waits for ever */
		m->timer = 0;
}

static enum h248_digit_method complete(struct h248_digit_match *m, enum h248_digit_method method)
{
	m->method = (uint8_t)method;
	m->timer = 0;
	m->timer_ms = 0;
	return method;
}

void h248_digit_start(struct h248_digit_match *match, const struct h248_digit_program *program)
{
	struct outlook o;

	memset(match, 0, sizeof(*match));
	match->program = program;
	for (size_t i = 0; i < program->count; i++)
		if (program->position[i].first)
			put(program, match->at, i);
	o = look(match);
	timer_set(match, &o);
}

/* Does one that asks for a long event take this one (rule 4)? */
static bool lasting_taken(const struct h248_digit_match *m, uint32_t bit)
{
	for (size_t i = 0; i < m->program->count; i++) {
		const struct position *p = &m->program->position[i];

		if (p->lasting && (p->set & bit) && is_at(m->at, i))
			return true;
	}
	return false;
}

/* The positions after the event. @return there are some */
static bool advance(const struct h248_digit_match *m, uint32_t bit, bool lasting, uint64_t *next)
{
	bool any = false;

	for (size_t i = 0; i < m->program->count; i++) {
		const struct position *p = &m->program->position[i];

		if (!is_at(m->at, i) || !(p->set & bit) || p->lasting != lasting)
			continue;
		put(m->program, next, p->repeated ? i : i + 1);
		any = true;
	}
	return any;
}

enum h248_digit_method h248_digit_event(struct h248_digit_match *match, char symbol, bool lasted)
{
	uint64_t next[H248_DIGIT_POSITIONS_MAX / 64] = { 0 };
	uint32_t bit = bit_of(symbol);
	bool lasting = bit && lasted && lasting_taken(match, bit);
	struct outlook o;

	if (match->method)
		return (enum h248_digit_method)match->method;
	o = look(match);
	if (!bit || match->len + 2U > H248_DIGITS_MAX || !advance(match, bit, lasting, next)) {
		match->returned = true;
		return complete(match, o.satisfied ? H248_DIGIT_FULL : H248_DIGIT_PARTIAL);
	}
	memcpy(match->at, next, sizeof(next));
	if (lasting)
		match->digits[match->len++] = 'Z';
	match->digits[match->len++] = symbol >= 'a' ? (char)(symbol - 'a' + 'A') : symbol;
	o = look(match);
	if (o.satisfied && !o.more)
		return complete(match, H248_DIGIT_UNAMBIGUOUS);
	timer_set(match, &o);
	return H248_DIGIT_GOING_ON;
}

enum h248_digit_method h248_digit_expire(struct h248_digit_match *match)
{
	struct outlook o;

	if (match->method)
		return (enum h248_digit_method)match->method;
	o = look(match);
	return complete(match, o.satisfied ? H248_DIGIT_FULL : H248_DIGIT_PARTIAL);
}

char h248_digit_of_dd(struct base_str event)
{
	int low;

	if (event.len != 2 || base_lower(event.ptr[0]) != 'd')
		return 0;
	low = base_lower(event.ptr[1]);
	if ((low >= '0' && low <= '9') || (low >= 'a' && low <= 'd'))
		return (char)(low >= 'a' ? low - 'a' + 'A' : low);
	if (low == 's')
		return 'E';
	return low == 'o' ? 'F' : 0;
}
