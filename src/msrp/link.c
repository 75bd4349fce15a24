/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 4975, 7.2 (responses), 7.3 (requests), 7.1.2 to 7.1.4 (reports). */
#include "msrp/link.h"

int msrp_link_init(struct msrp_link *link, const struct msrp_link_ops *ops, void *arg,
                   struct msrp_pool *pool, struct msrp_ids *ids, struct base_str own,
                   struct base_str peer, struct base_error *err)
{
	const int config = BASE_ERR(BASE_CONFIG, 0);
	struct msrp_uri uri;
	char *mine, *path;

	*link = (struct msrp_link){ .ops = ops, .arg = arg };
	if (msrp_uri_parse(own, &uri))
		return base_error_set(err, config, "'%.*s' is no MSRP URI (RFC 4975, 9)",
		                      BASE_FMT(own));
	if (!msrp_path_count(peer))
		return base_error_set(err, config, "'%.*s' is no path (RFC 4975, 8.2)",
		                      BASE_FMT(peer));
	mine = base_arena_dup(&link->arena, own);
	path = base_arena_dup(&link->arena, peer);
	if (!mine || !path) {
		base_arena_done(&link->arena);
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "no memory");
	}
	link->own = base_str_of(mine);
	link->peer = base_str_of(path);
	msrp_out_init(&link->out, pool, ids);
	link->out.unheard = !ops->answer;
	return msrp_uri_parse(link->own, &link->own_parts);
}

void msrp_link_done(struct msrp_link *link)
{
	msrp_out_done(&link->out);
	msrp_parser_done(&link->parser);
	base_arena_done(&link->arena);
	*link = (struct msrp_link){ 0 };
}

int msrp_link_respond(struct msrp_link *link, const struct msrp_head *head, unsigned status)
{
	struct msrp_head answer = { .tid = head->tid, .status = status };
	struct base_str path = head->from_path;

	if (head->method == MSRP_REPORT) /* 7.1.2 */
		return 0;
	if (head->method == MSRP_SEND) {
		if (head->failure == MSRP_FAILURE_NO ||
		    (head->failure == MSRP_FAILURE_PARTIAL && status / 100 == 2))
			return 0;
		path = msrp_path_next(&path); /* the previous hop alone (7.2) */
	}
	answer.comment = base_str_of(msrp_status_words(status));
	answer.to_path = path;
	answer.from_path = link->own;
	return msrp_out_put(&link->out, &answer, (struct base_str){ 0 });
}

int msrp_link_report(struct msrp_link *link, struct base_str message_id,
                     const struct msrp_range *range, unsigned status)
{
	char tid[17];
	struct msrp_head report = { .method = MSRP_REPORT,
		                    .method_name = BASE_STR("REPORT"),
		                    .message_id = message_id,
		                    .has_range = true,
		                    .range = *range,
		                    .has_report = true,
		                    .report_status = status };

	msrp_id_next(link->out.ids, tid);
	report.tid = base_str_of(tid);
	report.to_path = link->peer;
	report.from_path = link->own;
	report.report_comment = base_str_of(msrp_status_words(status));
	return msrp_out_put(&link->out, &report, (struct base_str){ 0 });
}

/** Exactly one URI, ours (7.3). */
static bool is_for_us(const struct msrp_link *link, const struct msrp_head *head)
{
	struct msrp_uri uri;

	return !msrp_uri_parse(head->to_path, &uri) && msrp_uri_equal(&uri, &link->own_parts);
}

static int refuse(struct msrp_link *link, unsigned status)
{
	if (!status || link->refused)
		return 0;
	link->refused = true;
	return msrp_link_respond(link, &link->parser.head, status);
}

static int on_head(struct msrp_link *link, uint64_t now_ms)
{
	const struct msrp_head *head = &link->parser.head;

	link->refused = false;
	if (head->method == MSRP_RESPONSE)
		return 0;
	link->sends += head->method == MSRP_SEND;
	if (!is_for_us(link, head))
		return refuse(link, MSRP_NO_SESSION);
	if (head->fault)
		return refuse(link, head->fault);
	if (head->method == MSRP_REPORT)
		return 0;
	return refuse(link, link->ops->begin(link->arg, head, now_ms));
}

static int on_body(struct msrp_link *link)
{
	const struct msrp_head *head = &link->parser.head;

	if (link->refused || head->method == MSRP_REPORT)
		return 0;
	return refuse(link, link->ops->body(link->arg, head, link->parser.piece));
}

static void on_response(struct msrp_link *link, const struct msrp_head *head)
{
	struct msrp_answer what;

	if (msrp_out_answered(&link->out, head, &what) && link->ops->answer)
		link->ops->answer(link->arg, &what, head);
}

static int on_end(struct msrp_link *link, uint64_t now_ms)
{
	const struct msrp_head *head = &link->parser.head;
	unsigned status;

	if (head->method == MSRP_RESPONSE) {
		if (is_for_us(link, head) && !head->fault)
			on_response(link, head);
		return 0;
	}
	if (link->refused)
		return 0;
	if (head->method == MSRP_REPORT) {
		if (link->ops->report)
			link->ops->report(link->arg, head);
		return 0;
	}
	status = link->ops->end(link->arg, head, link->parser.flag, now_ms);
	if (status == MSRP_LATER)
		return 0;
	return msrp_link_respond(link, head, status ? status : MSRP_OK);
}

int msrp_link_input(struct msrp_link *link, struct base_str *in, uint64_t now_ms,
                    struct base_error *err)
{
	enum msrp_event event = MSRP_HEAD;
	int rc = 0;

	while (!rc && event != MSRP_MORE) {
		/* An end takes no room, and nothing may come any more that would ask for it. */
		if (!msrp_parser_at_end(&link->parser) && link->ops->ready &&
		    !link->ops->ready(link->arg))
			break;
		rc = msrp_parser_next(&link->parser, in, &event, err);
		if (rc)
			return rc;
		if (event == MSRP_HEAD)
			rc = on_head(link, now_ms);
		else if (event == MSRP_BODY)
			rc = on_body(link);
		else if (event == MSRP_END)
			rc = on_end(link, now_ms);
	}
	if (rc)
		return base_error_set(err, rc, "the peer sends requests and does not read answers");
	return 0;
}

void msrp_link_tick(struct msrp_link *link, uint64_t now_ms)
{
	struct msrp_answer what;

	while (msrp_out_expired(&link->out, now_ms, &what))
		if (link->ops->answer)
			link->ops->answer(link->arg, &what, NULL);
}
