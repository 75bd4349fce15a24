/* SPDX-License-Identifier: Apache-2.0 */
#include "kmsd/control.h"

static void on_order(void *arg, struct base_str line, struct base_writer *answer)
{
	struct base_str rest = line, verb = stream_order_word(&rest);
	bool done = kmsd_users_do(arg, line, answer);

	base_log(BASE_LOG_INFO, "kms", "event=order order=%.*s: %s",
	         (int)BASE_MIN(verb.len, (size_t)20), verb.ptr ? verb.ptr : "",
	         done ? "done" : "not done");
}

int kmsd_control_new(struct stream_orders **ret, struct streams *streams, const char *path,
                     struct kms_store *store, struct base_error *err)
{
	return stream_orders_new(ret, streams, path, on_order, store, err);
}
