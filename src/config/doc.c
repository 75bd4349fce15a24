/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Invariants of a document:
 * 1. Every node's text and key live in the document's arena and are terminated.
 * 2. Keys of one mapping differ; no value is an alias of another; no text holds a NUL.
 * 3. The tree is at most DEPTH_MAX deep, so walking it recursively is safe.
 */
#include "config/doc.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

#define DEPTH_MAX  32
#define NODES_MAX  100000
#define KEYS_MAX   4096
#define MEMORY_MAX ((size_t)64 << 20)

/** The state of one reading: the open collections, and the key that waits for its value. */
struct reading {
	struct config_doc *doc;
	struct base_error *err;
	struct config_node *open[DEPTH_MAX];
	unsigned depth;
	struct base_str key;
	unsigned key_line, key_column;
	bool key_waits;
};

static int out_of_memory(struct base_error *err)
{
	return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "out of memory");
}

int config_refuse_at(const struct config_doc *doc, struct base_error *err, unsigned line,
                     unsigned column, const char *fmt, ...)
{
	char text[sizeof(err->text)];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* shortening is fine here */
	va_end(ap);
	base_error_place(err, doc->file, line, column);
	return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "%s", text);
}

static unsigned mark_line(yaml_mark_t mark)
{
	return (unsigned)mark.line + 1;
}

static unsigned mark_column(yaml_mark_t mark)
{
	return (unsigned)mark.column + 1;
}

/** libyaml gives encoding errors an offset and no mark: count. */
static void offset_place(const char *data, size_t len, size_t offset, unsigned *line, unsigned *col)
{
	*line = *col = 1;
	for (size_t i = 0; i < offset && i < len; i++) {
		++*col;
		if (data[i] == '\n') {
			++*line;
			*col = 1;
		}
	}
}

static int refuse_syntax(struct reading *r, const yaml_parser_t *parser, const char *data,
                         size_t len)
{
	unsigned line = mark_line(parser->problem_mark), column = mark_column(parser->problem_mark);
	const char *problem = parser->problem ? parser->problem : "not YAML";
	const char *remedy = "";

	if (parser->error == YAML_MEMORY_ERROR)
		return out_of_memory(r->err);
	if (parser->error == YAML_READER_ERROR)
		offset_place(data, len, parser->problem_offset, &line, &column);
	else if (parser->problem_mark.index < len && data[parser->problem_mark.index] == '\t')
		remedy = "; indent with spaces, YAML takes no tab there";
	else if (strstr(problem, "did not find expected"))
		remedy = "; look at the indentation here and at the brackets and quotes before";
	if (parser->context)
		return config_refuse_at(r->doc, r->err, line, column, "%s, %s%s", problem,
		                        parser->context, remedy);
	return config_refuse_at(r->doc, r->err, line, column, "%s%s", problem, remedy);
}

static bool key_known(const struct config_node *mapping, struct base_str key)
{
	for (const struct config_node *n = mapping->child; n; n = n->next) {
		if (base_str_eq(n->key, key))
			return true;
	}
	return false;
}

static int copy_text(struct reading *r, const yaml_event_t *event, struct base_str *ret)
{
	struct base_str text = { (const char *)event->data.scalar.value,
		                 event->data.scalar.length };
	const char *copy;

	if (text.len && memchr(text.ptr, '\0', text.len))
		return config_refuse_at(r->doc, r->err, mark_line(event->start_mark),
		                        mark_column(event->start_mark),
		                        "a NUL character in a value");
	copy = base_arena_dup(&r->doc->arena, text);
	if (!copy)
		return out_of_memory(r->err);
	*ret = (struct base_str){ copy, text.len };
	return 0;
}

/** In a mapping, the first of two events is the key. */
static int take_key(struct reading *r, const yaml_event_t *event)
{
	struct config_node *mapping = r->open[r->depth - 1];
	unsigned line = mark_line(event->start_mark), column = mark_column(event->start_mark);
	int rc;

	if (event->type != YAML_SCALAR_EVENT)
		return config_refuse_at(r->doc, r->err, line, column,
		                        "a key must be a word, not a list or a mapping");
	rc = copy_text(r, event, &r->key);
	if (rc)
		return rc;
	if (key_known(mapping, r->key))
		return config_refuse_at(r->doc, r->err, line, column,
		                        "key '%.64s' occurs twice here; keep one", r->key.ptr);
	if (mapping->count >= KEYS_MAX)
		return config_refuse_at(r->doc, r->err, line, column,
		                        "more than %d keys in one mapping", KEYS_MAX);
	r->key_line = line;
	r->key_column = column;
	r->key_waits = true;
	return 0;
}

static void attach(struct reading *r, struct config_node *node)
{
	struct config_node *parent;

	if (!r->depth) {
		r->doc->root = node;
		return;
	}
	parent = r->open[r->depth - 1];
	if (parent->kind == CONFIG_MAPPING) {
		node->key = r->key;
		node->key_line = r->key_line;
		node->key_column = r->key_column;
		r->key_waits = false;
	}
	if (parent->last)
		parent->last->next = node;
	else
		parent->child = node;
	parent->last = node;
	parent->count++;
}

static const yaml_char_t *event_anchor(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return event->data.scalar.anchor;
	case YAML_SEQUENCE_START_EVENT:
		return event->data.sequence_start.anchor;
	case YAML_MAPPING_START_EVENT:
		return event->data.mapping_start.anchor;
	default:
		return NULL;
	}
}

static int take_value(struct reading *r, const yaml_event_t *event)
{
	unsigned line = mark_line(event->start_mark), column = mark_column(event->start_mark);
	struct config_node *node;
	int rc;

	if (++r->doc->nodes > NODES_MAX)
		return config_refuse_at(r->doc, r->err, line, column, "more than %d values",
		                        NODES_MAX);
	node = BASE_NEW(&r->doc->arena, struct config_node);
	if (!node)
		return out_of_memory(r->err);
	node->line = line;
	node->column = column;
	if (event->type == YAML_SCALAR_EVENT) {
		node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
		rc = copy_text(r, event, &node->text);
		if (!rc)
			attach(r, node);
		return rc;
	}
	node->kind = event->type == YAML_MAPPING_START_EVENT ? CONFIG_MAPPING : CONFIG_SEQUENCE;
	attach(r, node);
	if (r->depth == DEPTH_MAX)
		return config_refuse_at(r->doc, r->err, line, column,
		                        "nested deeper than %d levels", DEPTH_MAX);
	r->open[r->depth++] = node;
	return 0;
}

static int take_event(struct reading *r, const yaml_event_t *event)
{
	unsigned line = mark_line(event->start_mark), column = mark_column(event->start_mark);

	switch (event->type) {
	case YAML_ALIAS_EVENT:
		return config_refuse_at(r->doc, r->err, line, column,
		                        "aliases (*name) are not accepted; write the value out");
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		assert(r->depth > 0); /* libyaml balances its events */
		r->depth--;
		return 0;
	case YAML_DOCUMENT_START_EVENT:
		if (r->doc->root)
			return config_refuse_at(r->doc, r->err, line, column,
			                        "a second document begins here; one file, one");
		return 0;
	case YAML_SCALAR_EVENT:
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		break;
	default:
		return 0;
	}
	if (event_anchor(event))
		return config_refuse_at(r->doc, r->err, line, column,
		                        "anchors (&name) are not accepted; write the value out");
	if (r->depth && r->open[r->depth - 1]->kind == CONFIG_MAPPING && !r->key_waits)
		return take_key(r, event);
	return take_value(r, event);
}

static int read_events(struct reading *r, const char *data, size_t len)
{
	yaml_parser_t parser;
	yaml_event_t event;
	bool more = true;
	int rc = 0;

	if (!yaml_parser_initialize(&parser))
		return out_of_memory(r->err);
	yaml_parser_set_input_string(&parser, (const unsigned char *)data, len);
	while (more && !rc) {
		if (!yaml_parser_parse(&parser, &event)) {
			rc = refuse_syntax(r, &parser, data, len);
			break;
		}
		more = event.type != YAML_STREAM_END_EVENT;
		rc = take_event(r, &event);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return rc;
}

int config_doc_read(const char *name, const char *data, size_t len, struct config_doc **ret,
                    struct base_error *err)
{
	struct config_doc *doc = calloc(1, sizeof(*doc));
	struct reading r = { .doc = doc, .err = err };
	int rc;

	if (!doc)
		return out_of_memory(err);
	doc->arena.limit = MEMORY_MAX;
	doc->file = base_arena_dup(&doc->arena, base_str_of(name));
	rc = doc->file ? read_events(&r, data, len) : out_of_memory(err);
	if (rc) {
		config_doc_free(doc);
		return rc;
	}
	*ret = doc;
	return 0;
}

void config_doc_free(struct config_doc *doc)
{
	if (!doc)
		return;
	base_arena_done(&doc->arena);
	free(doc);
}

const char *config_doc_file(const struct config_doc *doc)
{
	return doc->file;
}

const char *config_doc_path(const struct config_doc *doc, const char *name,
                            struct base_arena *arena)
{
	const char *slash = strrchr(doc->file, '/');

	if (name[0] == '/' || !slash)
		return base_arena_dup(arena, base_str_of(name));
	return base_arena_printf(arena, "%.*s/%s", (int)(slash - doc->file), doc->file, name);
}

/** The child that the next part of a path names; `*at` moves past it. NULL when there is none. */
static const struct config_node *place_step(const struct config_node *node, const char **at)
{
	const struct config_node *n = node->child;
	const char *start;

	if (**at == '[') {
		char *end;
		unsigned long index = strtoul(*at + 1, &end, 10);

		*at = *end == ']' ? end + 1 : end;
		for (; n && node->kind == CONFIG_SEQUENCE && index; index--)
			n = n->next;
		return node->kind == CONFIG_SEQUENCE ? n : NULL;
	}
	if (**at == '.')
		++*at;
	start = *at;
	*at += strcspn(start, ".[");
	for (; n && node->kind == CONFIG_MAPPING; n = n->next) {
		if (base_str_eq(n->key, (struct base_str){ start, (size_t)(*at - start) }))
			return n;
	}
	return NULL;
}

int config_place(const struct config_doc *doc, const char *where, unsigned *ret_line,
                 unsigned *ret_column)
{
	const struct config_node *node = doc->root, *next;
	const char *at = where;

	*ret_line = *ret_column = 1;
	while (node) {
		*ret_line = node->line;
		*ret_column = node->column;
		if (!*at)
			return 0;
		next = place_step(node, &at);
		node = next;
	}
	return BASE_ERR(BASE_CONFIG, 0);
}

int config_refuse(const struct config_doc *doc, struct base_error *err, const char *where,
                  const char *fmt, ...)
{
	char text[sizeof(err->text)];
	unsigned line, column;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* shortening is fine here */
	va_end(ap);
	(void)config_place(doc, where, &line, &column); /* the deepest part that exists will do */
	return config_refuse_at(doc, err, line, column, "%s", text);
}
