/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"

#define LINE_MAX_LEN 2048

static const char *const names[] = { "error", "warn", "info", "debug" };

/* The program's one log: set at start, read by all threads. */
static struct {
	enum base_level level;
	base_log_fn *fn;
	void *arg;
} sink = { .level = BASE_LOG_INFO };

void base_log_level_set(enum base_level level)
{
	sink.level = level;
}

bool base_log_on(enum base_level level)
{
	return level <= sink.level;
}

int base_log_level_parse(struct base_str name, enum base_level *ret)
{
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (base_str_ieq(name, base_str_of(names[i]))) {
			*ret = (enum base_level)i;
			return 0;
		}
	}
	return BASE_ERR(BASE_CONFIG, 0);
}

void base_log_sink_set(base_log_fn *fn, void *arg)
{
	sink.fn = fn;
	sink.arg = arg;
}

/* Copy `text` with control characters made visible, so that a peer cannot forge log lines. */
static size_t put_clean(char *out, size_t cap, const char *text)
{
	size_t len = 0;

	for (; *text && len + 5 < cap; text++) {
		unsigned char c = (unsigned char)*text;

		if (c >= 0x20 && c != 0x7f)
			out[len++] = (char)c;
		else
			len += (size_t)snprintf(out + len, cap - len, "\\x%02x", c);
	}
	return len;
}

void base_log(enum base_level level, const char *area, const char *fmt, ...)
{
	char text[LINE_MAX_LEN], line[LINE_MAX_LEN + 128];
	struct timespec now;
	struct tm tm;
	size_t len;
	va_list ap;

	if (!base_log_on(level))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* an over-long line is shortened */
	va_end(ap);
	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail for this clock */
	gmtime_r(&now.tv_sec, &tm);
	len = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%S", &tm);
	len += (size_t)snprintf(line + len, sizeof(line) - len,
	                        ".%03ldZ %-5s %s: ", now.tv_nsec / 1000000, names[level], area);
	len += put_clean(line + len, sizeof(line) - len - 1, text);
	line[len] = '\0';
	if (sink.fn) {
		sink.fn(sink.arg, level, line);
		return;
	}
	line[len] = '\n';
	if (write(STDERR_FILENO, line, len + 1) < 0)
		return; /* nowhere left to complain */
}
