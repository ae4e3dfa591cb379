/* SPDX-License-Identifier: MIT */
/* The bulk menu, and copying what many sandboxes have made. */
#include "tui/sandbox-bulk.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "tui/batch.h"
#include "tui/screen.h"

/* -- export */

struct export {
	char *dir;
	char **ids;
};

static void export_free(void *data)
{
	struct export *x = data;

	strv_free(x->ids);
	free(x->dir);
	free(x);
}

/* An id becomes a file's name, and is the daemon's word. */
static bool is_name(const char *id)
{
	return strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") ==
		       strlen(id) && *id;
}

static char *export_path(const char *dir, const char *id)
{
	auto_free char *name = xasprintf("%s.tar", id);

	return path_join(dir, name);
}

static char **exports(const char *text, const void *data)
{
	const struct export *x = data;
	auto_free char *dir = prompt_path(text);
	char **paths = xcalloc(strv_len(x->ids) + 1, sizeof(*paths));

	for (size_t i = 0; x->ids[i]; i++)
		paths[i] = export_path(dir, x->ids[i]);
	return paths;
}

static struct request *make_export(struct model *m, const char *id,
				   void *data, struct svm_err *err)
{
	const struct export *x = data;
	struct request *r;

	(void)m;
	if (!is_name(id)) {
		svm_err_set(err, SVM_BAD_REQUEST, "can't be a file's name");
		return NULL;
	}
	r = request_new("GET", request_sandbox(
				id, "/files/archive?path=/workspace"), NULL);
	r->download = export_path(x->dir, id);
	r->doing = xasprintf("export %s", id);
	return r;
}

static void export_to(struct model *m, const char *text, void *data)
{
	struct export *asked = data;
	struct export *x = xcalloc(1, sizeof(*x));

	x->dir = prompt_path(text);
	batch_start(m, &(struct batch){ .doing = "exporting",
					.done = "exported",
					.make = make_export,
					.data = x,
					.release = export_free },
		    steal_ptr(&asked->ids));
}

void sandbox_export_ask(struct model *m, char **ids)
{
	size_t n = strv_len(ids);
	auto_free char *title = n == 1 ?
		xasprintf("EXPORT /workspace AS %s.tar", ids[0]) :
		xasprintf("EXPORT /workspace OF %zu SANDBOXES AS ID.tar", n);
	struct export *x = xcalloc(1, sizeof(*x));

	x->ids = ids;
	if (!n) {
		export_free(x);
		return;
	}
	prompt_open(m, &(struct prompt){ .title = title,
					 .label = "local directory",
					 .text = ".",
					 .past = PAST_LOCAL,
					 .writes = exports,
					 .done = export_to,
					 .release = export_free,
					 .data = x });
}

/* -- the menu */

void sandbox_bulk_menu(struct model *m)
{
	static const struct {
		enum action action;
		bool marked; /* only when some are */
	} all[] = {
		{ ACT_KILL, true },	{ ACT_EXTEND, true },
		{ ACT_LABEL, true },	{ ACT_EXPORT, true },
		{ ACT_MERGE, true },	{ ACT_UNMARK_ALL, true },
		{ ACT_MARK_ALL, false }, { ACT_KILL_EXPIRED, false },
		{ ACT_PRUNE_ALL, false },
	};
	struct menu_item items[MENU_MAX] = { { 0 } };
	enum context chain[CONTEXT_CHAIN];
	size_t marked = fleet_marked(&m->fleet), n = 0;
	auto_free char *title = marked ? xasprintf("%zu MARKED", marked) :
					 xstrdup("NOTHING IS MARKED");

	update_contexts(m, chain);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		const struct action_info *info = action_info(all[i].action);

		if ((all[i].marked && !marked) ||
		    (m->read_only && info->flags & ACTION_CHANGES))
			continue;
		items[n] = (struct menu_item){ .label = info->what,
					       .action = all[i].action };
		keymap_key(m->keymap, chain, all[i].action, items[n++].key);
	}
	menu_open_own(m, title, items, n, marked ? CTX_SANDBOXES : CTX_NONE);
}
