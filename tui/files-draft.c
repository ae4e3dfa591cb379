/* SPDX-License-Identifier: MIT */
/*
 * The draft of what is being edited: written when typing pauses, for a
 * program that is killed before it is saved; offered when the file is edited
 * again.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "tui/draft.h"
#include "tui/files-edit.h"
#include "tui/frame.h"
#include "tui/output.h"
#include "tui/text-diff.h"

#define SECOND INT64_C(1000000000)
#define PAUSE (1 * SECOND) /* in typing */
#define MOST (5 * SECOND)  /* also without one */

static struct draft_of of(const struct file_edit *x)
{
	return (struct draft_of){ x->server, x->id, x->path, &x->base };
}

static const char *path_of(struct file_edit *x)
{
	const struct draft_of o = of(x);

	if (!x->draft)
		x->draft = draft_file(&o);
	return x->draft;
}

bool files_keep_draft(struct file_edit *x)
{
	const struct buf *text = &x->e.text.text;

	if (fd_replace_path(AT_FDCWD, path_of(x), buf_str(text), text->len,
			    0600) < 0)
		return false;
	x->drafted = x->e.text.changed;
	x->draft_due = 0;
	return true;
}

void files_drop_draft(struct file_edit *x)
{
	if (x->draft)
		unlink(x->draft);
	free(x->draft);
	x->draft = NULL;
	x->draft_due = 0;
	x->drafted = x->seen = x->e.text.changed;
}

/* -- when typing pauses */

void files_draft_changed(const struct model *m, struct file_edit *x)
{
	if (x->e.text.changed == x->seen)
		return;
	x->seen = x->e.text.changed;
	if (!edit_modified(&x->e)) {
		files_drop_draft(x);
		return;
	}
	if (!x->draft_due)
		x->draft_since = m->boot_ns;
	x->draft_due = MIN(m->boot_ns + PAUSE, x->draft_since + MOST);
}

int64_t files_draft_wake(const struct files *f)
{
	return f->edit && !f->edit->drafting ? f->edit->draft_due : 0;
}

static void kept(struct model *m, struct request *r)
{
	struct files *f = r->data;
	struct file_edit *x = f->edit;
	auto_free char *whose = x ? xasprintf("%u", x->serial) : NULL;
	bool ours = x && strcmp(whose, r->about) == 0;

	if (ours)
		x->drafting = false;
	/* It was saved, or left, in the meantime. */
	if (!ours || !x->draft || strcmp(x->draft, r->download) != 0) {
		unlink(r->download);
		return;
	}
	if (r->err.code == SVM_OK)
		return;
	model_say(m, "no draft can be kept: %s", r->err.msg);
	x->drafted = 0;
}

void files_draft_tick(struct model *m, struct files *f)
{
	struct file_edit *x = f->edit;
	const struct buf *text;
	struct request *r;

	if (!files_draft_wake(f) || m->boot_ns < x->draft_due)
		return;
	text = &x->e.text.text;
	r = request_new(REQUEST_KEEP, xstrdup("draft"), kept);
	r->download = xstrdup(path_of(x));
	r->about = xasprintf("%u", x->serial);
	r->data = f;
	r->quiet = true;
	buf_add(&r->body, buf_str(text), text->len);
	x->drafting = true;
	x->draft_due = 0;
	x->drafted = x->e.text.changed;
	request_send(m, r);
}

/* -- what was left behind */

struct offer {
	struct files *f;
	unsigned serial;
	struct draft draft;
};

static void offer_free(void *data)
{
	struct offer *o = data;

	draft_release(&o->draft);
	free(o);
}

/* It becomes ours as it is, so there is no time without one. */
static void restore(struct model *m, struct file_edit *x, struct draft *d)
{
	edit_replace(&x->e, buf_str(&d->text), d->text.len);
	if (rename(d->file, path_of(x)) == 0)
		x->seen = x->drafted = x->e.text.changed;
	else
		files_draft_changed(m, x);
	model_say(m, "the draft is back; u takes it away, ^S saves it");
}

static void offer(struct model *m, struct offer *o);

static void show_differences(struct model *m, const struct offer *o,
			     const struct file_edit *x)
{
	auto_buf struct buf text = BUF_INIT;

	text_diff(&text, "the file", &x->e.text.text, "the draft",
		  &o->draft.text);
	output_open(m, "THE DRAFT", buf_str(&text));
}

enum offered { RESTORE, DIFFERENCES, LATER, DISCARD };

static void chosen(struct model *m, size_t i, void *data)
{
	struct offer *o = data, *again;
	struct file_edit *x = o->f->edit;

	if (!x || x->serial != o->serial)
		return;
	switch ((enum offered)i) {
	case RESTORE:
		restore(m, x, &o->draft);
		break;
	case DIFFERENCES:
		/* The menu frees what it was about. */
		again = xmalloc(sizeof(*again));
		*again = *o;
		o->draft = (struct draft){ 0 };
		offer(m, again);
		show_differences(m, again, x);
		break;
	case LATER:
		break;
	case DISCARD:
		unlink(o->draft.file);
		model_say(m, "the draft is gone");
		break;
	}
}

static void offer(struct model *m, struct offer *o)
{
	const struct menu_item items[] = {
		[RESTORE] = { .label = o->draft.same_base ?
				"restore it" :
				"restore it over what was changed since",
			      .key = "r" },
		[DIFFERENCES] = { .label = "view the differences",
				  .key = "v" },
		[LATER] = { .label = "ask again the next time",
			    .key = "Escape" },
		[DISCARD] = { .label = "discard it", .key = "d" },
	};
	char when[FRAME_CLOCK_SIZE];

	frame_clock(m, o->draft.wall_ns, when);
	auto_free char *title = xasprintf("A DRAFT FROM %s EXISTS", when);
	menu_open(m, title, items, ARRAY_SIZE(items), chosen, o, offer_free);
}

void files_draft_offer(struct model *m, struct files *f,
		       const struct buf *text)
{
	const struct draft_of what = of(f->edit);
	struct offer *o = xcalloc(1, sizeof(*o));

	o->f = f;
	o->serial = f->edit->serial;
	if (draft_find(&what, &o->draft)) {
		if (o->draft.text.len != text->len ||
		    memcmp(buf_str(&o->draft.text), buf_str(text),
			   text->len) != 0) {
			offer(m, o);
			return;
		}
		unlink(o->draft.file); /* it is the file's text by now */
	}
	offer_free(o);
}
