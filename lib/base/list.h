/* SPDX-License-Identifier: MIT */
/*
 * A doubly linked ring with the links inside the members.  The head is a
 * member too; an empty list points at itself.
 */
#ifndef SVM_BASE_LIST_H
#define SVM_BASE_LIST_H

#include <stdbool.h>

#include "lib/base/defs.h"

struct list {
	struct list *next, *prev;
};

#define LIST_INIT(name) { &(name), &(name) }

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

/* Insert `item` at the end of the list `head`. */
static inline void list_append(struct list *head, struct list *item)
{
	item->prev = head->prev;
	item->next = head;
	head->prev->next = item;
	head->prev = item;
}

/* Unlink; the item becomes an empty list, so removing twice is harmless. */
static inline void list_remove(struct list *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	list_init(item);
}

#define list_entry(ptr, type, member) container_of(ptr, type, member)

/* The current entry may be removed and freed inside the loop. */
#define list_for_each_safe(pos, tmp, head)                    \
	for ((pos) = (head)->next, (tmp) = (pos)->next;       \
	     (pos) != (head); (pos) = (tmp), (tmp) = (pos)->next)

#endif
