/* SPDX-License-Identifier: MIT */
/* The files of a sandbox: where one is among them, and moving about.  See
 * files.h. */
#include "tui/files.h"

#include <stdlib.h>
#include <string.h>

#include "lib/api/event-type.h"
#include "lib/base/mem.h"
#include "lib/base/urlenc.h"
#include "tui/views.h"

/* What happens inside is followed no faster than this. */
#define FOLLOW_NS INT64_C(1000000000)

void files_init(struct files *f)
{
	static const char *const names[] = { "name", "size", "changed",
					     "mode", NULL };

	f->order.names = names;
	f->numbers = true;
}

void files_release(struct files *f)
{
	files_close_content(f);
	files_edit_close(f);
	field_release(&f->search);
	field_release(&f->filter);
	cJSON_Delete(f->found);
	files_tree_clear(&f->tree);
	free(f->rows);
	free(f->select);
	free(f->selected);
	free(f->below);
	free(f->above);
	free(f->glob);
	files_unmark(f);
	free(f->path);
	free(f->id);
}

bool file_is_dir(const cJSON *e)
{
	return cJSON_IsTrue(json_get(e, "is_dir"));
}

struct request *files_request(const struct files *f, const char *method,
			      const char *what, const char *path,
			      request_fn done)
{
	struct buf rest = BUF_INIT;
	struct request *r;

	buf_addf(&rest, "/files%s%s", *what ? "/" : "", what);
	if (path) {
		buf_addstr(&rest, "?path=");
		urlenc_encode(&rest, path, strlen(path));
	}
	r = request_new(method, request_sandbox(f->id, buf_str(&rest)), done);
	r->about = xstrdup(path);
	r->data = (void *)f;
	buf_release(&rest);
	return r;
}

bool files_is_for(const struct files *f, const struct request *r)
{
	auto_free char *prefix = f->id ? request_sandbox(f->id, "/files") :
					 NULL;

	return prefix && strncmp(r->target, prefix, strlen(prefix)) == 0;
}

char *files_dirname(const char *path)
{
	char *dir = xstrdup(path);
	char *slash = strrchr(dir, '/');

	if (slash)
		slash[slash == dir] = '\0';
	return dir;
}

static void close_all(struct files_tree *t)
{
	for (size_t i = 0; i < t->n; i++)
		t->dirs[i]->open = false;
}

/* Nothing of what is shown has anything to do with what comes. */
static void begin_anew(struct files *f)
{
	files_unmark(f);
	field_set(&f->filter, "");
	free(f->selected);
	f->selected = NULL;
	f->n = f->pos.at = 0;
}

void files_open(struct model *m, struct files *f, const char *id,
		const char *path)
{
	auto_free char *where = xstrdup(path);
	auto_free char *whose = xstrdup(id);
	bool other = !f->id || strcmp(f->id, whose) != 0;

	if (other) {
		files_close_content(f);
		files_tree_clear(&f->tree);
		f->stale_at = 0;
	}
	if (other || f->glob || !f->path || strcmp(f->path, where) != 0)
		begin_anew(f);
	free(f->glob);
	cJSON_Delete(f->found);
	f->glob = NULL;
	f->found = NULL;
	free(f->id);
	free(f->path);
	f->id = steal_ptr(&whose);
	f->path = steal_ptr(&where);
	if (!files_tree_get(f, f->path)) {
		close_all(&f->tree);
		files_tree_get(f, f->path);
	}
	files_tree_refresh(m, f, false);
}

static const struct file_row *selected_row(const struct files *f)
{
	return f->pos.at < f->n ? &f->rows[f->pos.at] : NULL;
}

static const cJSON *selected(const struct files *f)
{
	const struct file_row *row = selected_row(f);

	return row ? row->e : NULL;
}

static bool stand_on(struct files *f, const char *path)
{
	for (size_t i = 0; path && i < f->n; i++)
		if (strcmp(json_text(f->rows[i].e, "path"), path) == 0) {
			f->pos.at = i;
			return true;
		}
	return false;
}

/* What was selected, unless another was chosen since.  When it is there no
 * longer: what stood next to it in its directory, else that directory, or the
 * next one up that is there. */
static void find_selected(struct files *f)
{
	auto_free char *up = NULL;

	if (!f->n || !f->selected || f->pos.at != f->settled ||
	    stand_on(f, f->selected) || stand_on(f, f->below) ||
	    stand_on(f, f->above))
		return;
	for (const char *path = f->selected; !f->glob; path = up) {
		char *next = files_dirname(path);
		bool end = strcmp(next, path) == 0;

		free(up);
		up = next;
		if (end || stand_on(f, up))
			return;
	}
}

static void find_wanted(struct files *f)
{
	if (!f->select || !stand_on(f, f->select))
		return;
	free(f->select);
	f->select = NULL;
}

/* The path of the next one of the same directory, if there is one. */
static char *beside(const struct files *f, int step)
{
	unsigned depth = f->rows[f->pos.at].depth;
	size_t i = f->pos.at + (size_t)step;

	while (i < f->n && f->rows[i].depth > depth)
		i += (size_t)step;
	return i < f->n && f->rows[i].depth == depth ?
		       xstrdup(json_text(f->rows[i].e, "path")) : NULL;
}

static void remember_selected(struct files *f)
{
	f->settled = f->pos.at;
	if (!f->n)
		return; /* it may come back */
	free(f->selected);
	free(f->below);
	free(f->above);
	f->selected = xstrdup(json_text(selected(f), "path"));
	f->below = beside(f, 1);
	f->above = beside(f, -1);
}

/* What is read goes on being shown, but not as if it were there. */
static void see_gone(struct model *m, struct files *f)
{
	enum files_known known = f->view_path ?
		files_tree_knows(&f->tree, f->view_path) : FILES_UNKNOWN;

	f->listed |= known == FILES_THERE;
	if (f->gone == (f->listed && known == FILES_GONE) ||
	    known == FILES_UNKNOWN)
		return;
	f->gone = !f->gone;
	if (f->gone)
		model_say(m, "%s was deleted in the sandbox; what you see is "
			     "what was read", f->view_path);
}

void files_settle(struct model *m, struct files *f, struct area list,
		  struct area content)
{
	files_fill_rows(f);
	find_selected(f);
	find_wanted(f);
	list_settle(&f->pos, f->n, list.rows);
	remember_selected(f);
	see_gone(m, f);
	f->list_area = list;
	if (!content.rows)
		return;
	f->content_area = content;
	if (f->edit)
		files_edit_settle(f, content);
	else
		files_settle_content(m, f, content);
}

const char *files_path(const struct files *f, bool content)
{
	const cJSON *e = selected(f);

	return content ? f->view_path : e ? json_text(e, "path") : NULL;
}

/* -- moving about */

static void go_up(struct model *m, struct files *f)
{
	auto_free char *path = files_dirname(f->path);

	if (strcmp(path, f->path) == 0)
		return;
	free(f->select);
	f->select = xstrdup(f->path);
	files_open(m, f, f->id, path);
}

static void expand(struct model *m, struct files *f, const cJSON *e)
{
	struct files_dir *d = files_tree_get(f, json_text(e, "path"));

	if (!d) {
		model_say(m, "%d directories are open; close some of them",
			  LIMIT_TUI_TREE_DIRS);
		return;
	}
	d->open = true;
	d->error = SVM_OK;
	files_tree_ask(m, f, d, false);
}

/* That of an entry which is where it says to be. */
static bool can_expand(const struct files *f, const cJSON *e)
{
	auto_free char *up = files_dirname(json_text(e, "path"));
	const struct files_dir *d = files_tree_find(&f->tree, up);

	return file_is_dir(e) && d && files_tree_is_in(d, e);
}

static void toggle(struct model *m, struct files *f)
{
	const struct file_row *row = selected_row(f);

	if (row && row->dir && row->dir->open)
		row->dir->open = false;
	else if (row && can_expand(f, row->e))
		expand(m, f, row->e);
}

static void open_it(struct model *m, struct files *f)
{
	const cJSON *e = selected(f);

	if (!e || !*json_text(e, "path"))
		return;
	if (file_is_dir(e))
		toggle(m, f);
	else if (!files_unsaved(m, f))
		files_read(m, f, json_text(e, "path"));
}

/* Into it; what is open already is gone into by one row. */
static void go_right(struct model *m, struct files *f)
{
	const struct file_row *row = selected_row(f);

	if (!row || !row->dir || !row->dir->open)
		open_it(m, f);
	else if (f->pos.at + 1 < f->n && row[1].depth > row->depth)
		f->pos.at++;
}

/* Out of it: it is closed, then its own directory is gone to. */
static void go_left(struct model *m, struct files *f)
{
	const struct file_row *row = selected_row(f);
	unsigned depth = row ? row->depth : 0;

	if (row && row->dir && row->dir->open) {
		row->dir->open = false;
		return;
	}
	if (!depth) {
		go_up(m, f);
		return;
	}

	while (f->pos.at && f->rows[f->pos.at].depth >= depth)
		f->pos.at--;
}

/* The tree begins with the directory that is selected, or in which one is. */
static void go_in(struct model *m, struct files *f)
{
	const cJSON *e = selected(f);

	if (!e)
		return;
	auto_free char *path = file_is_dir(e) ? xstrdup(json_text(e, "path")) :
						files_base(f);

	if (strcmp(path, f->path) != 0)
		files_open(m, f, f->id, path);
}

char *files_base(const struct files *f)
{
	const struct file_row *row = selected_row(f);

	if (f->glob || !row)
		return xstrdup(f->path);
	return row->dir && row->dir->open ? xstrdup(row->dir->path) :
		files_dirname(json_text(row->e, "path"));
}

/* What is said of the file in view, if its directory is known. */
static const cJSON *viewed(const struct files *f)
{
	auto_free char *up = f->view_path ? files_dirname(f->view_path) : NULL;
	const struct files_dir *d = up ? files_tree_find(&f->tree, up) : NULL;

	for (size_t i = 0; d && i < d->n; i++)
		if (strcmp(json_text(d->rows[i].e, "path"), f->view_path) == 0)
			return d->rows[i].e;
	return NULL;
}

bool files_follow(struct model *m, struct files *f)
{
	const cJSON *e = viewed(f);

	if (!e || strcmp(json_text(e, "type"), "symlink") != 0)
		return false;
	auto_free char *path = xstrdup(json_text(e, "path"));

	files_close_content(f);
	files_open(m, f, f->id, path);
	f->followed = true;
	return true;
}

/* -- what happens inside without us */

void files_event(struct model *m, struct files *f, const cJSON *event)
{
	static const enum event_type all[] = {
		EVENT_FILE_WRITTEN, EVENT_FILE_DELETED, EVENT_FILE_MOVED,
		EVENT_EXEC_COMPLETED,
	};
	enum event_type type;

	if (!f->id || strcmp(json_text(event, "sandbox_id"), f->id) != 0 ||
	    !event_type_parse(json_text(event, "type"), &type))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (type == all[i])
			files_look_soon(m, f);
}

void files_look_soon(struct model *m, struct files *f)
{
	if (!f->stale_at)
		f->stale_at = m->boot_ns + FOLLOW_NS;
}

void files_look_again(struct model *m, struct files *f)
{
	f->stale_at = m->boot_ns;
}

int64_t files_wake(const struct model *m, const struct files *f)
{
	return m->screen == SCREEN_WORKSPACE && !f->glob ? f->stale_at : 0;
}

void files_tick(struct model *m, struct files *f)
{
	int64_t due = files_wake(m, f);

	if (!due || m->boot_ns < due)
		return;
	f->stale_at = 0;
	files_tree_refresh(m, f, true);
}

/* -- actions */

bool files_act(struct model *m, struct files *f, enum action a, bool content)
{
	const cJSON *e = content ? viewed(f) : selected(f);

	if (!f->path)
		return false;
	if (content && f->edit)
		return files_edit_act(m, f, a);
	if (content && files_act_content(m, f, a))
		return true;
	if (list_act(&f->pos, a) ||
	    (!content && files_act_many(m, f, e, a)))
		return true;
	switch (a) {
	case ACT_OPEN:
		open_it(m, f);
		return true;
	case ACT_RIGHT:
		go_right(m, f);
		return true;
	case ACT_LEFT:
		go_left(m, f);
		return true;
	case ACT_PARENT:
		go_up(m, f);
		return true;
	case ACT_ENTER_DIRECTORY:
		go_in(m, f);
		return true;
	case ACT_HOME:
		files_open(m, f, f->id, "/workspace");
		return true;
	case ACT_HIDDEN:
		f->hidden = !f->hidden;
		return true;
	case ACT_REFRESH:
		files_open(m, f, f->id, f->path);
		return true;
	case ACT_SAVE_VIEW:
		views_keep(m);
		return true;
	default:
		return (!content && order_act(m, &f->order, a)) ||
		       files_act_entry(m, f, e, a);
	}
}

/* A click selects; on the arrow of a directory it opens and closes that. */
static bool clicked(struct model *m, struct files *f,
		    const struct mouse *mouse)
{
	const struct area *list = &f->list_area;
	size_t at = f->pos.top + (size_t)(mouse->row - list->row);
	int arrow;

	if (mouse->row < list->row || mouse->row >= list->row + list->rows)
		return false;
	f->pos.at = at;
	if (at >= f->n || f->glob || !file_is_dir(f->rows[at].e))
		return true;
	arrow = files_arrow_col(*list, &f->rows[at]);
	if (mouse->col == arrow || mouse->col == arrow + 1)
		toggle(m, f);
	return true;
}

bool files_input(struct model *m, struct files *f,
		 const struct input_event *ev, bool content)
{
	if (!content && ev->type == INPUT_MOUSE &&
	    ev->mouse.kind == MOUSE_PRESS && clicked(m, f, &ev->mouse))
		return true;
	if (content && f->edit)
		return files_edit_input(m, f, ev);
	if (content)
		return files_input_content(m, f, ev);
	if (f->typing && ev->type != INPUT_MOUSE) {
		f->typing = field_type(&f->filter, m->keymap, ev) ==
			    FIELD_GOES_ON;
		return true;
	}
	if (ev->type == INPUT_MOUSE &&
	    (ev->mouse.kind == MOUSE_WHEEL_UP ||
	     ev->mouse.kind == MOUSE_WHEEL_DOWN)) {
		list_scroll(&f->pos,
			    ev->mouse.kind == MOUSE_WHEEL_UP ? -3 : 3);
		return true;
	}
	return false;
}
