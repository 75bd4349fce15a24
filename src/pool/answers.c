/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What we let Redis say. hiredis 0.14 ends the process (an assert) at an answer that nobody asked
 * for, and keeps as much of one as comes. So its parser asks us before it makes anything: answers
 * to questions of ours, none of them a list, none of them long. All else ends the connection.
 */
#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <stdio.h>

#include "pool/private.h"

#define ANSWER_MAX 1024U /**< what we ask for is POOL_SEALED octets, or a line */
#define BUFFER_MAX 4096U /**< of one that is not whole yet */

static const redisReplyObjectFunctions *makers(const redisReadTask *task)
{
	const struct pool_link *link = task->privdata;

	return link->makers;
}

static void refuse(struct pool_link *link, const char *why)
{
	if (!link->why[0])
		(void)snprintf(link->why, sizeof(link->why), "%s", why);
}

static bool asked(const redisReadTask *task)
{
	struct pool_link *link = task->privdata;

	if (link->redis && link->redis->replies.head)
		return true;
	refuse(link, "it says what nobody has asked");
	return false;
}

/** NULL is an error to hiredis, which ends the connection. An error unasked it knows how to take
 * ("max number of clients reached"). */
static void *make_string(const redisReadTask *task, char *text, size_t len)
{
	if (task->type != REDIS_REPLY_ERROR && !asked(task))
		return NULL;
	if (len <= ANSWER_MAX)
		return makers(task)->createString(task, text, len);
	refuse(task->privdata, "it says more than was asked");
	return NULL;
}

static void *make_array(const redisReadTask *task, int elements)
{
	(void)elements;
	refuse(task->privdata, "it answers with a list");
	return NULL;
}

static void *make_integer(const redisReadTask *task, long long value)
{
	return asked(task) ? makers(task)->createInteger(task, value) : NULL;
}

static void *make_nil(const redisReadTask *task)
{
	return asked(task) ? makers(task)->createNil(task) : NULL;
}

void pool_answers_guard(struct pool_link *link)
{
	/* Not const: hiredis has it so, and only reads. */
	static redisReplyObjectFunctions ours = { make_string, make_array, make_integer, make_nil,
		                                  freeReplyObject };
	redisReader *reader = link->redis->c.reader;

	link->makers = reader->fn;
	reader->fn = &ours;
	reader->privdata = link;
}

bool pool_answers_long(const struct pool_link *link)
{
	const redisReader *reader = link->redis->c.reader;

	return reader->len - reader->pos > BUFFER_MAX;
}
