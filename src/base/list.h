/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Intrusive doubly linked list. The head is a node too; an item holds a `struct base_node`.
 */
#ifndef GH_BASE_LIST_H
#define GH_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct base_node {
	struct base_node *next, *prev;
};

static inline void base_list_init(struct base_node *head)
{
	head->next = head->prev = head;
}
static inline bool base_list_empty(const struct base_node *head)
{
	return head->next == head;
}
static inline void base_list_insert(struct base_node *after, struct base_node *node)
{
	node->prev = after;
	node->next = after->next;
	after->next->prev = node;
	after->next = node;
}
/** Append before the head, that is at the tail. */
static inline void base_list_append(struct base_node *head, struct base_node *node)
{
	base_list_insert(head->prev, node);
}
/** Unlink; the node is then a list of its own, so removing it twice is harmless. */
static inline void base_list_remove(struct base_node *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	base_list_init(node);
}

/** Unlink the first node. @return NULL when the list is empty */
static inline struct base_node *base_list_shift(struct base_node *head)
{
	struct base_node *node = head->next;

	if (node == head)
		return NULL;
	head->next = node->next;
	node->next->prev = head;
	base_list_init(node);
	return node;
}

/** Walk a list whose current item may be removed (and freed) by the body, no other one. */
#define BASE_LIST_EACH(head, node, after)                                                          \
	for (struct base_node *node = (head)->next, *after = node->next; node != (head);           \
	     node = after, after = node->next)

#endif
