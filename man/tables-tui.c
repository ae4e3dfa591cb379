/* SPDX-License-Identifier: MIT */
/* The keys of the dashboard, as they come. */
#include "lib/base/mem.h"
#include "man/mdoc.h"
#include "man/page.h"
#include "tui/keymap.h"

static void add_context(struct table *t, const struct keymap *k,
			enum context c)
{
	auto_buf struct buf keys = BUF_INIT;
	struct row *r = table_row(t, ROW_HEADING, xstrdup(context_name(c)),
				  NULL);
	enum action a;

	buf_addf(&r->head, "\"%s (keys.%s)\"", context_what(c),
		 context_name(c));
	for (size_t i = 0; keymap_binding(k, c, i, &keys, &a); i++) {
		const struct action_info *info = action_info(a);

		r = table_row(t, ROW_ITEM,
			      xasprintf("%s.%s", context_name(c), info->name),
			      NULL);
		buf_addstr(&r->head, "Ic ");
		mdoc_word(&r->head, buf_str(&keys));
		buf_addf(&r->head, " Pq Cm %s", info->name);
		mdoc_sentence(&r->text, info->what);
	}
}

void tables_of_tui(struct manual *m)
{
	struct table *t = manual_table(m, xstrdup("keys"));
	struct keymap *k = keymap_new();

	for (int c = CTX_NONE + 1; c < CTX_MAX; c++)
		add_context(t, k, (enum context)c);
	keymap_free(k);
}
