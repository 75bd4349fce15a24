/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEX_LEN 64

static bool file_ok(struct base_str name)
{
	if (name.len != HEX_LEN + 5 || memcmp(name.ptr + HEX_LEN, ".crlx", 5) != 0)
		return false;
	for (size_t i = 0; i < HEX_LEN; i++)
		if (!(name.ptr[i] >= '0' && name.ptr[i] <= '9') &&
		    !(name.ptr[i] >= 'a' && name.ptr[i] <= 'f'))
			return false;
	return true;
}

static bool url_ok(struct base_str url)
{
	for (size_t i = 0; i < url.len; i++)
		if (url.ptr[i] <= ' ' || url.ptr[i] > '~')
			return false;
	return url.len > 0 && url.len <= 4096;
}

static struct base_str word_take(struct base_str *line)
{
	const char *space = line->len ? memchr(line->ptr, ' ', line->len) : NULL;
	struct base_str word = { line->ptr, space ? (size_t)(space - line->ptr) : line->len };
	size_t skip = word.len + (space ? 1 : 0);

	line->ptr += skip;
	line->len -= skip;
	return word;
}

static bool line_parse(struct base_str line, struct fetch_state_line *ret)
{
	struct base_str file = word_take(&line), kind = word_take(&line);

	if (!file_ok(file) || !url_ok(line))
		return false;
	if (!base_str_eq(kind, BASE_STR("set")) && !base_str_eq(kind, BASE_STR("learnt")))
		return false;
	*ret = (struct fetch_state_line){ .file = file, .url = line, .learnt = kind.len == 6 };
	return true;
}

bool fetch_state_next(struct base_str text, size_t *at, struct fetch_state_line *ret)
{
	while (*at < text.len) {
		const char *begin = text.ptr + *at;
		const char *end = memchr(begin, '\n', text.len - *at);
		struct base_str line = { begin, end ? (size_t)(end - begin) : text.len - *at };

		*at += line.len + (end ? 1 : 0);
		if (line_parse(line, ret))
			return true;
	}
	return false;
}

void fetch_state_line_put(struct base_writer *w, const struct fetch_state_line *line)
{
	base_writer_printf(w, "%.*s %s %.*s\n", BASE_FMT(line->file),
	                   line->learnt ? "learnt" : "set", BASE_FMT(line->url));
}

static int fd_fill(int fd, struct base_str octets)
{
	while (octets.len) {
		ssize_t done = write(fd, octets.ptr, octets.len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? errno : EIO;
		octets.ptr += done;
		octets.len -= (size_t)done;
	}
	return fchmod(fd, 0644) < 0 ? errno : 0;
}

int fetch_file_replace(const char *path, struct base_str octets, struct base_error *err)
{
	char temporary[4096];
	int fd = -1, failed = ENAMETOOLONG;

	if (snprintf(temporary, sizeof(temporary), "%s.new", path) < (int)sizeof(temporary)) {
		(void)unlink(temporary); /* of one that was killed, if any */
		fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		failed = fd < 0 ? errno : fd_fill(fd, octets);
	}
	if (fd >= 0 && close(fd) < 0 && !failed)
		failed = errno;
	if (!failed && rename(temporary, path) < 0)
		failed = errno;
	if (!failed)
		return 0;
	if (fd >= 0)
		(void)unlink(temporary); /* if this fails too, the next writer does it */
	base_error_place(err, path, 0, 0);
	return base_error_set(err, BASE_ERR(BASE_LOCAL, failed), "cannot write: %s",
	                      strerror(failed));
}
