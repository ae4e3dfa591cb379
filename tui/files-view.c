/* SPDX-License-Identifier: MIT */
/*
 * The list of files as it is drawn.  Of a line, from the left: the marker of
 * the selected one, the mark, the arrow of a directory behind its indentation,
 * the name; at the right its size or what there is to say of a directory, mode
 * and age as far as there is room, and in the last column A for what is new
 * and M for what changed (see files-tree.h).
 */
#include <string.h>

#include "lib/base/clock.h"
#include "tui/files.h"
#include "tui/frame.h"
#include "tui/glyph.h"

#define LEFT 2 /* marker and mark */

int files_arrow_col(struct area in, const struct file_row *row)
{
	int most = MAX((in.cols - LEFT) / 3, 0);

	/* However deep it is, something of the name is in view. */
	return in.col + LEFT + (int)MIN(row->depth * 2, (unsigned)most);
}

/* In the place of a size, which directories have none of. */
static const char *dir_note(const struct files_dir *d)
{
	if (!d)
		return "";
	switch (d->error) {
	case SVM_OK:
		break;
	case SVM_FORBIDDEN:
		return "denied";
	case SVM_FILE_NOT_FOUND:
	case SVM_BAD_REQUEST:
		return "gone";
	default:
		return "failed";
	}
	if (!d->open)
		return "";
	return !d->entries ? "asking" : d->cut ? "partial" :
	       !d->n ? "empty" : "";
}

static const char *change_letter(enum file_change change)
{
	return change == FILE_NEW ? "A" : change == FILE_CHANGED ? "M" : "";
}

static const char *arrow(const struct model *m, bool open)
{
	if (m->set.ascii)
		return open ? "-" : "+";
	return open ? GLYPH_DOWN : GLYPH_RIGHT;
}

static void view_right(const struct model *m, const struct files *f,
		       struct canvas *c, int row, struct area in, int width,
		       const struct file_row *r)
{
	const cJSON *size = json_get(r->e, "size");
	char bytes[FRAME_TIME_SIZE] = "", changed[FRAME_TIME_SIZE] = "";
	/* Where one of the two has room: what is sorted by. */
	bool mode = in.cols >= 50 || f->order.by != FILES_BY_CHANGED;
	const char *what = bytes;
	struct cell pen = pen_role(ROLE_DIM);
	int64_t when;

	if (in.cols >= 50 || !mode)
		if (clock_parse_rfc3339(json_text(r->e, "mod_time"),
					&when) == 0)
			frame_left(MAX(m->wall_ns - when, 0), changed);
	if (file_is_dir(r->e)) {
		what = dir_note(r->dir);
		if (r->dir && r->dir->error != SVM_OK)
			pen = pen_role(ROLE_BAD);
	} else if (cJSON_IsNumber(size) && size->valuedouble >= 0 &&
		   size->valuedouble < 9e18) {
		frame_bytes((int64_t)size->valuedouble, bytes);
	}
	canvas_textf(c, row, in.col + in.cols - width, 9, pen, "%9s", what);
	if (width > 12)
		canvas_textf(c, row, in.col + in.cols - width + 10,
			     width - 12, pen_role(ROLE_DIM), "%s%s%s",
			     mode ? json_text(r->e, "mode") : "",
			     mode && *changed ? "  " : "", changed);
}

static void view_row(const struct model *m, const struct files *f,
		     struct canvas *c, int row, struct area in,
		     const struct file_row *r)
{
	bool dir = file_is_dir(r->e);
	const char *target = json_text(r->e, "target");
	int right = in.cols >= 50 ? 24 : in.cols >= 40 ? 19 :
		    in.cols >= 30 ? 12 : 2;
	int col = f->glob ? in.col + LEFT : files_arrow_col(in, r) + 2;
	int end = in.col + in.cols - right;
	const char *note = right > 2 || !dir ? "" : dir_note(r->dir);

	if (dir && !f->glob)
		canvas_text(c, row, col - 2, 1, pen_role(ROLE_ACCENT),
			    arrow(m, r->dir && r->dir->open));
	col += canvas_textf(c, row, col, end - col,
			    pen_role(dir ? ROLE_VALUE : ROLE_INK), "%s%s",
			    json_text(r->e, "name"), dir ? "/" : "");
	if (*target)
		canvas_textf(c, row, col, end - col, pen_role(ROLE_DIM),
			     " -> %s", target);
	if (*note)
		canvas_textf(c, row, col, end - col, pen_role(ROLE_BAD),
			     " %s", note);
	if (right > 2)
		view_right(m, f, c, row, in, right, r);
	canvas_text(c, row, in.col + in.cols - 1, 1,
		    pen_role(r->change == FILE_NEW ? ROLE_OK : ROLE_ACCENT2),
		    change_letter(r->change));
}

static const struct files_dir *root_of(const struct files *f)
{
	return f->path ? files_tree_find(&f->tree, f->path) : NULL;
}

/* Why there is nothing. */
static const char *nothing(const struct files *f)
{
	const struct files_dir *root = root_of(f);

	if (!f->glob && root && root->error != SVM_OK)
		return dir_note(root);
	if (f->glob ? !f->found : !root || !root->entries)
		return "asking";
	return f->glob || *field_text(&f->filter) ?
		       "nothing matches; Esc goes back" : "empty";
}

static void view_title(const struct model *m, const struct files *f,
		       struct buf *out)
{
	const struct files_dir *root = root_of(f);

	buf_addf(out, "%s %s", f->glob ? "FOUND" : "FILES",
		 f->glob ? f->glob : f->path ? f->path : "");
	if (!f->glob && root && root->n && (root->error || root->cut))
		buf_addf(out, " (%s)",
			 root->error ? dir_note(root) : "partial");
	order_title(m, &f->order, out);
}

void files_view(const struct model *m, const struct files *f,
		struct canvas *c, struct area pane, bool focused)
{
	auto_buf struct buf title = BUF_INIT;
	struct area in;

	view_title(m, f, &title);
	in = frame_pane(c, pane, buf_str(&title), focused);
	frame_place(c, pane, f->pos.at, f->n);
	if (!f->n)
		canvas_text(c, in.row, in.col + 2, in.cols - 2,
			    pen_role(ROLE_DIM), nothing(f));
	for (int i = 0; i < in.rows; i++) {
		size_t at = f->pos.top + (size_t)i;

		if (at >= f->n)
			break;
		view_row(m, f, c, in.row + i, in, &f->rows[at]);
		if (files_marked(f, f->rows[at].e))
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

void files_status(const struct files *f, struct buf *out)
{
	if (f->n_new)
		buf_addf(out, "  %zu new", f->n_new);
	if (f->n_changed)
		buf_addf(out, "  %zu changed", f->n_changed);
}
