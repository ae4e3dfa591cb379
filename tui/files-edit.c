/* SPDX-License-Identifier: MIT */
/*
 * A file of a sandbox in the editor: read, edited in place, written back.
 *
 * Nobody's text is lost: what was changed in the sandbox meanwhile is asked
 * about before it is replaced, and what isn't saved yet is in a local draft
 * (files-draft.c).
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "tui/files-edit.h"
#include "tui/frame.h"
#include "tui/glyph.h"

void files_edit_rescue(struct files *f, struct buf *say)
{
	struct file_edit *x = f->edit;

	if (x && edit_modified(&x->e) && files_keep_draft(x))
		buf_addf(say, "%s of %s was not saved; your text is in %s\n",
			 x->path, x->id, x->draft);
}

/* -- opening */

void files_edit_close(struct files *f)
{
	struct file_edit *x = f->edit;

	free(f->wanted);
	free(f->wanted_mode);
	f->wanted = f->wanted_mode = NULL;
	f->look_serial++; /* what was about to be edited isn't any more */
	if (!x)
		return;
	f->edit = NULL;
	edit_release(&x->e);
	free(x->draft);
	free(x->etag);
	free(x->server);
	free(x->warning);
	free(x->id);
	free(x->path);
	free(x->mode);
	free(x);
}

bool files_unsaved(struct model *m, const struct files *f)
{
	const struct file_edit *x = f->edit;

	if (!x || !edit_modified(&x->e))
		return false;
	model_say(m, "%s of %s is not saved: :w saves it, :q! forgets it",
		  files_name(x->path), x->id);
	return true;
}

static void begin(struct model *m, struct files *f, struct request *r)
{
	struct file_edit *x = f->edit;
	bool anew = !x;

	if (anew) {
		x = f->edit = xcalloc(1, sizeof(*x));
		x->serial = ++f->edit_serial;
		x->id = xstrdup(f->id);
		x->path = xstrdup(f->wanted);
		x->server = xstrdup(m->server);
		x->warning = xasprintf("%s is not saved; a draft is kept.",
				       files_name(x->path));
	}
	free(x->mode);
	x->mode = steal_ptr(&f->wanted_mode);
	x->base = digest_of(buf_str(&r->reply), r->reply.len);
	free(x->etag);
	x->etag = steal_ptr(&r->etag);
	edit_open(&x->e, buf_str(&r->reply), r->reply.len);
	x->e.searches = past_of(m, PAST_SEARCH);
	x->e.commands = past_of(m, PAST_EDITOR);
	files_drop_draft(x);
	if (anew)
		files_draft_offer(m, f, &r->reply);
}

static bool is_wanted(const struct files *f, const struct request *r)
{
	return r->err.code == SVM_OK && f->wanted && r->about &&
	       strcmp(f->wanted, r->about) == 0 && files_is_for(f, r);
}

static void too_long(struct model *m, const char *path)
{
	model_say(m, "%s is over %d MiB: it can be read here, and edited in "
		     "$EDITOR", files_name(path), FILES_SHOWN_MAX >> 20);
}

static void text_arrived(struct model *m, struct request *r)
{
	struct files *f = r->data;

	if (!is_wanted(f, r)) {
		if (!files_is_for(f, r)) /* of no matter here */
			svm_err_release(&r->err);
		return;
	}
	if (r->reply.len > FILES_SHOWN_MAX)
		too_long(m, f->wanted);
	else
		begin(m, f, r);
	free(f->wanted);
	f->wanted = NULL;
}

static void looked(struct model *m, struct files *f, const char *path,
		   const cJSON *info)
{
	const cJSON *size = json_get(info, "size");
	struct request *r;

	if (cJSON_IsNumber(size) && size->valuedouble > FILES_SHOWN_MAX) {
		too_long(m, path);
		return;
	}
	free(f->wanted);
	free(f->wanted_mode);
	f->wanted = xstrdup(path);
	f->wanted_mode = xstrdup(json_text(info, "mode"));
	r = files_request(f, "GET", "", path, text_arrived);
	r->most = FILES_SHOWN_MAX + 1;
	r->doing = xasprintf("read %s", path);
	request_send(m, r);
}

void files_edit_open(struct model *m, struct files *f, const char *path)
{
	files_look(m, f, path, looked);
}

void files_edit_leave(struct model *m, struct files *f)
{
	auto_free char *path = xstrdup(f->edit->path);

	files_edit_close(f);
	files_read(m, f, path);
}

static void leave_confirmed(struct model *m, void *data)
{
	struct files *f = data;

	if (!f->edit)
		return;
	files_drop_draft(f->edit);
	files_edit_leave(m, f);
}

static void ask_leave(struct model *m, struct files *f)
{
	confirm_ask(m, &(struct confirm){
			       .title = "LEAVE WITHOUT SAVING?",
			       .lines = (const char *const[]){
				       f->edit->path,
				       "What you changed is lost.", NULL },
			       .yes = leave_confirmed,
			       .data = f });
}

/* What the keys led to. */
static void carry_out(struct model *m, struct files *f)
{
	struct file_edit *x = f->edit;
	unsigned wants = x->e.wants;

	files_draft_changed(m, x);
	bool modified = edit_modified(&x->e);

	x->e.wants = 0;
	if (x->e.message) {
		model_say(m, "%s", x->e.message);
		free(x->e.message);
		x->e.message = NULL;
	}
	if (wants & EDIT_WRITE &&
	    (modified || wants & EDIT_FORCE || x->saving))
		files_save(m, f, wants);
	else if (wants & EDIT_RELOAD && modified && !(wants & EDIT_FORCE))
		files_unsaved(m, f);
	else if (wants & EDIT_RELOAD)
		files_edit_open(m, f, x->path);
	else if (wants & EDIT_LEAVE && modified && !(wants & EDIT_FORCE))
		ask_leave(m, f);
	else if (wants & EDIT_LEAVE)
		leave_confirmed(m, f);
	else if (wants & EDIT_WRITE)
		model_say(m, "%s is as it was", files_name(x->path));
}

bool files_edit_act(struct model *m, struct files *f, enum action a)
{
	bool taken = edit_act(&f->edit->e, a);

	carry_out(m, f);
	return taken;
}

bool files_edit_input(struct model *m, struct files *f,
		      const struct input_event *ev)
{
	struct input_event own = *ev;
	bool taken;

	if (ev->type == INPUT_MOUSE) {
		own.mouse.row -= f->content_area.row;
		own.mouse.col -= f->content_area.col + EDIT_NUMBERS;
	}
	taken = edit_input(&f->edit->e, m->keymap, &own);
	carry_out(m, f);
	return taken;
}

/* -- showing */

void files_edit_settle(struct files *f, struct area in)
{
	edit_settle(&f->edit->e, in.rows, in.cols);
}

void files_edit_contexts(const struct files *f,
			 enum context ret[CONTEXT_CHAIN])
{
	ret[0] = f->edit->e.mode == EDIT_INSERT ? CTX_INSERT :
		 f->edit->e.mode == EDIT_LINE   ? CTX_FIELD :
						  CTX_EDIT;
}

unsigned files_edit_serial(const struct files *f)
{
	return f->edit ? f->edit->serial : 0;
}

const char *files_edit_busy(const struct files *f)
{
	const struct file_edit *x = f->edit;

	return x && edit_modified(&x->e) ? x->warning : NULL;
}

void files_edit_view(const struct model *m, const struct files *f,
		     struct canvas *c, struct area pane, bool focused)
{
	const struct file_edit *x = f->edit;
	struct area in = frame_pane(c, pane, x->path, focused);
	auto_free char *mode = xasprintf(" %s ", edit_mode_name(&x->e));
	auto_free char *title = xasprintf(" %s%s WRITE ",
					  f->gone ? "gone  " : "",
					  m->set.ascii ? "*" : GLYPH_DOT);
	auto_buf struct buf status = BUF_INIT;

	frame_corner(c, pane, false, pen_role(ROLE_ACCENT), title);
	buf_addch(&status, ' ');
	if (x->saving)
		buf_addstr(&status, "saving  ");
	edit_status(&x->e, &status);
	buf_addch(&status, ' ');
	frame_corner(c, pane, true, pen_role(ROLE_DIM), buf_str(&status));
	if (pane.cols > (int)status.len + 14)
		canvas_text(c, pane.row + pane.rows - 1, pane.col + 2, 8,
			    pen_role(x->e.mode == EDIT_INSERT ? ROLE_ACCENT2 :
								ROLE_DIM),
			    mode);
	edit_view(&x->e, c, in, focused);
}
