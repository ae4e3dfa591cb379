/* SPDX-License-Identifier: MIT */
/* A directory of a sandbox.  See files.h. */
#include "tui/files.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "lib/base/urlenc.h"
#include "tui/frame.h"
#include "tui/glyph.h"
#include "tui/views.h"

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
	cJSON_Delete(f->entries);
	free(f->shown);
	free(f->select);
	free(f->selected);
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

static void arrived(struct model *m, struct request *r)
{
	struct files *f = r->data;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	cJSON *array = request_array(r, &doc);

	(void)m;
	if (!array || f->glob || !f->path || strcmp(f->path, r->about) != 0 ||
	    !files_is_for(f, r))
		return;
	cJSON_Delete(f->entries);
	f->entries = request_steal(&doc, array);
}

void files_open(struct model *m, struct files *f, const char *id,
		const char *path)
{
	auto_free char *where = xstrdup(path);
	auto_free char *whose = xstrdup(id);
	struct request *r;

	if (!f->id || strcmp(f->id, whose) != 0)
		files_close_content(f);
	if (f->glob || !f->path || strcmp(f->path, where) != 0 ||
	    strcmp(f->id, whose) != 0) {
		files_unmark(f);
		field_set(&f->filter, "");
		cJSON_Delete(f->entries);
		free(f->selected);
		f->entries = NULL;
		f->selected = NULL;
		f->n = 0;
		f->pos.at = 0;
	}
	free(f->glob);
	f->glob = NULL;
	free(f->id);
	free(f->path);
	f->id = steal_ptr(&whose);
	f->path = steal_ptr(&where);
	r = files_request(f, "GET", "list", f->path, arrived);
	r->doing = xasprintf("list %s", f->path);
	request_send(m, r);
}

enum files_sort { FILES_BY_NAME, FILES_BY_SIZE, FILES_BY_CHANGED,
		  FILES_BY_MODE };

static double size_of(const cJSON *e)
{
	const cJSON *size = json_get(e, "size");

	return cJSON_IsNumber(size) ? size->valuedouble : -1;
}

/* The largest and the newest first.  Sizes of directories aren't shown. */
static int compare(const cJSON *a, const cJSON *b, enum files_sort by)
{
	switch (by) {
	case FILES_BY_SIZE:
		if (file_is_dir(a))
			return 0;
		return (size_of(a) < size_of(b)) - (size_of(a) > size_of(b));
	case FILES_BY_CHANGED: /* RFC 3339 in UTC: in order as text */
		return strcmp(json_text(b, "mod_time"),
			      json_text(a, "mod_time"));
	case FILES_BY_MODE:
		return strcmp(json_text(a, "mode"), json_text(b, "mode"));
	default:
		return strcmp(json_text(a, "name"), json_text(b, "name"));
	}
}

/* Directories first, in any order. */
static int in_order(const void *pa, const void *pb, void *pf)
{
	const struct files *f = pf;
	const cJSON *a = *(const cJSON *const *)pa;
	const cJSON *b = *(const cJSON *const *)pb;
	int r;

	if (file_is_dir(a) != file_is_dir(b))
		return file_is_dir(a) ? -1 : 1;
	r = compare(a, b, (enum files_sort)f->order.by);
	if (r == 0 && f->order.by != FILES_BY_NAME)
		return compare(a, b, FILES_BY_NAME);
	return f->order.invert ? -r : r;
}

static const cJSON *selected(const struct files *f)
{
	return f->pos.at < f->n ? f->shown[f->pos.at] : NULL;
}

/* Unless another was chosen since. */
static void find_selected(struct files *f)
{
	for (size_t i = 0; f->selected && f->pos.at == f->settled && i < f->n;
	     i++)
		if (strcmp(json_text(f->shown[i], "path"), f->selected) == 0) {
			f->pos.at = i;
			return;
		}
}

static void remember_selected(struct files *f)
{
	f->settled = f->pos.at;
	if (!f->n)
		return; /* it may come back */
	free(f->selected);
	f->selected = xstrdup(json_text(selected(f), "path"));
}

void files_settle(struct model *m, struct files *f, struct area list,
		  struct area content)
{
	const cJSON *e;

	(void)m;
	f->shown = xreallocarray(f->shown,
				 (size_t)cJSON_GetArraySize(f->entries) + 1,
				 sizeof(*f->shown));
	f->n = 0;
	cJSON_ArrayForEach(e, f->entries)
		if ((f->hidden || f->glob || json_text(e, "name")[0] != '.') &&
		    strcasestr(json_text(e, "name"), field_text(&f->filter)))
			f->shown[f->n++] = e;
	qsort_r(f->shown, f->n, sizeof(*f->shown), in_order, f);
	find_selected(f);
	for (size_t i = 0; f->select && i < f->n; i++)
		if (strcmp(json_text(f->shown[i], "name"), f->select) == 0) {
			f->pos.at = i;
			free(f->select);
			f->select = NULL;
		}
	list_settle(&f->pos, f->n, list.rows);
	remember_selected(f);
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

static void view_entry(const struct model *m, const struct files *f,
		       struct canvas *c, int row, struct area in,
		       const cJSON *e)
{
	bool dir = file_is_dir(e);
	const char *target = json_text(e, "target");
	const cJSON *size = json_get(e, "size");
	char bytes[FRAME_TIME_SIZE] = "", changed[FRAME_TIME_SIZE] = "";
	int right = in.cols >= 50 ? 22 : in.cols >= 40 ? 17 :
		    in.cols >= 28 ? 10 : 0;
	/* Where one of the two has room: what is sorted by. */
	bool mode = in.cols >= 50 || f->order.by != FILES_BY_CHANGED;
	int64_t when;
	int used;

	if (in.cols >= 50 || !mode)
		if (clock_parse_rfc3339(json_text(e, "mod_time"), &when) == 0)
			frame_left(MAX(m->wall_ns - when, 0), changed);
	used = canvas_textf(c, row, in.col + 2, in.cols - 2 - right,
			    pen_role(dir ? ROLE_VALUE : ROLE_INK), "%s%s",
			    json_text(e, "name"), dir ? "/" : "");
	if (*target)
		canvas_textf(c, row, in.col + 2 + used,
			     in.cols - 2 - right - used, pen_role(ROLE_DIM),
			     " -> %s", target);
	if (!dir && cJSON_IsNumber(size) && size->valuedouble >= 0 &&
	    size->valuedouble < 9e18)
		frame_bytes((int64_t)size->valuedouble, bytes);
	if (right)
		canvas_textf(c, row, in.col + in.cols - right, right,
			     pen_role(ROLE_DIM), "%9s %s%s%s", bytes,
			     right > 10 && mode ? json_text(e, "mode") : "",
			     mode && *changed ? "  " : "",
			     right > 10 ? changed : "");
}

void files_view(const struct model *m, const struct files *f,
		struct canvas *c, struct area pane, bool focused)
{
	auto_buf struct buf title = BUF_INIT;
	struct area in;

	buf_addf(&title, "%s %s", f->glob ? "FOUND" : "FILES",
		 f->glob ? f->glob : f->path ? f->path : "");
	order_title(m, &f->order, &title);
	in = frame_pane(c, pane, buf_str(&title), focused);

	frame_place(c, pane, f->pos.at, f->n);
	if (!f->n)
		canvas_text(c, in.row, in.col + 2, in.cols - 2,
			    pen_role(ROLE_DIM),
			    !f->entries ? "asking" :
			    f->glob || *field_text(&f->filter) ?
				      "nothing matches; Esc goes back" :
				      "empty");
	for (int i = 0; i < in.rows; i++) {
		size_t at = f->pos.top + (size_t)i;

		if (at >= f->n)
			break;
		view_entry(m, f, c, in.row + i, in, f->shown[at]);
		if (files_marked(f, f->shown[at]))
			canvas_text(c, in.row + i, in.col + 1, 1,
				    pen_role(ROLE_ACCENT), "*");
		if (at != f->pos.at)
			continue;
		if (focused) {
			canvas_shade(c, in.row + i, in.col, 1, in.cols,
				     ROLE_SELECTED);
			canvas_cursor(c, in.row + i, in.col);
		}
		canvas_text(c, in.row + i, in.col, 1,
			    pen_role(ROLE_ACCENT),
			    m->set.ascii ? ">" : GLYPH_MARKER);
	}
}

static void go_up(struct model *m, struct files *f)
{
	auto_free char *path = xstrdup(f->path);
	char *slash = strrchr(path, '/');

	if (strcmp(path, "/") == 0)
		return;
	free(f->select);
	f->select = xstrdup(slash + 1);
	slash[slash == path] = '\0';
	files_open(m, f, f->id, path);
}

static void go_in(struct model *m, struct files *f, const cJSON *e)
{
	const char *path = json_text(e, "path");

	if (!e || !*path)
		return;
	if (file_is_dir(e))
		files_open(m, f, f->id, path);
	else if (!files_unsaved(m, f))
		files_read(m, f, path);
}

/* What is said of the file in view, if its directory is the one shown. */
static const cJSON *viewed(const struct files *f)
{
	const cJSON *e;

	cJSON_ArrayForEach(e, f->entries)
		if (f->view_path &&
		    strcmp(json_text(e, "path"), f->view_path) == 0)
			return e;
	return NULL;
}

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
	case ACT_RIGHT:
		go_in(m, f, e);
		return true;
	case ACT_PARENT:
	case ACT_LEFT:
		go_up(m, f);
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

bool files_input(struct model *m, struct files *f,
		 const struct input_event *ev, bool content)
{
	const struct area *list = &f->list_area;

	if (!content && ev->type == INPUT_MOUSE &&
	    ev->mouse.kind == MOUSE_PRESS && ev->mouse.row >= list->row &&
	    ev->mouse.row < list->row + list->rows) {
		f->pos.at = f->pos.top + (size_t)(ev->mouse.row - list->row);
		return true;
	}
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
