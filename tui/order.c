/* SPDX-License-Identifier: MIT */
/* By what a list is sorted.  See order.h. */
#include "tui/order.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/defs.h"
#include "lib/base/mem.h"
#include "tui/glyph.h"
#include "tui/screen.h"

const char *order_name(const struct order *o)
{
	return o->names[o->by];
}

const char *order_arrow(const struct model *m, const struct order *o)
{
	if (m->set.ascii)
		return o->invert ? "v" : "^";
	return o->invert ? GLYPH_DOWN : GLYPH_UP;
}

/* In a title there is room for a word. */
static const char *direction(const struct model *m, const struct order *o)
{
	if (m->set.words)
		return o->invert ? "inverted" : "";
	return order_arrow(m, o);
}

void order_title(const struct model *m, const struct order *o,
		 struct buf *out)
{
	if (o->by || o->invert)
		buf_addf(out, "  sort: %s %s", order_name(o),
			 direction(m, o));
}

void order_set(struct order *o, const char *name, bool invert)
{
	for (unsigned i = 0; o->names[i]; i++)
		if (strcmp(o->names[i], name) == 0)
			o->by = i;
	o->invert = invert;
}

static void chosen(struct model *m, size_t i, void *data)
{
	struct order *o = data;

	(void)m;
	if (i != o->by)
		o->invert = false;
	o->by = (unsigned)i;
}

static void choose(struct model *m, struct order *o)
{
	struct menu_item items[MENU_MAX] = { 0 };
	char *marked = xasprintf("%s %s", order_name(o),
				 m->set.words ? o->invert ? "now, inverted" :
							    "now" :
						order_arrow(m, o));
	size_t n = 0;

	for (; n < ARRAY_SIZE(items) && o->names[n]; n++)
		items[n].label = n == o->by ? marked : o->names[n];
	items[o->by].begin = true;
	menu_open(m, "SORT BY", items, n, chosen, o, NULL);
	free(marked);
}

bool order_act(struct model *m, struct order *o, enum action a)
{
	if (a == ACT_SORT)
		choose(m, o);
	else if (a == ACT_SORT_INVERT)
		o->invert = !o->invert;
	return a == ACT_SORT || a == ACT_SORT_INVERT;
}
