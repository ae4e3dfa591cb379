/* SPDX-License-Identifier: MIT */
/*
 * A file of a sandbox in the editor: read, edited in place, written back.
 *
 * Nobody's text is lost: what was changed in the sandbox meanwhile is asked
 * about before it is replaced, the answers to a save are compared with what
 * was sent, and a text that can't be saved is kept in a local draft.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/api/dirs.h"
#include "lib/api/limits.h"
#include "lib/base/digest.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "tui/edit.h"
#include "tui/files.h"
#include "tui/frame.h"
#include "tui/glyph.h"

#define LINKS_MAX 8 /* one after the other */

struct file_edit {
	struct edit e;
	char *id, *path, *mode;
	struct digest base; /* what the file held when we looked last */
	unsigned serial;
	bool saving;
	char *draft;        /* a local copy, once saving failed */
	char *warning;      /* "main.py is not saved." */
};

/* On its way into the sandbox. */
struct saving {
	struct files *f;
	char *id, *path, *mode;
	struct buf text;
	struct digest digest;
	uint64_t mark;
	unsigned serial;
	bool leave;
};

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* -- drafts */

static char *draft_path(const struct file_edit *x)
{
	struct dirs dirs;
	char *path;

	dirs_init(&dirs);
	auto_free char *dir = path_join(dirs.state, "drafts");

	if (mkdir(dirs.state, 0700) == 0 || access(dirs.state, W_OK) == 0)
		mkdir(dir, 0700); /* writing says when it isn't there */
	path = xasprintf("%s/%s-%d-%u-%.100s", dir, x->id, (int)getpid(),
			 x->serial, name_of(x->path));
	dirs_release(&dirs);
	return path;
}

static bool keep_draft(struct file_edit *x)
{
	const struct buf *text = &x->e.text.text;

	if (!x->draft)
		x->draft = draft_path(x);
	return fd_replace_path(AT_FDCWD, x->draft, buf_str(text), text->len,
			       0600) == 0;
}

static void drop_draft(struct file_edit *x)
{
	if (x->draft)
		unlink(x->draft);
	free(x->draft);
	x->draft = NULL;
}

void files_edit_rescue(struct files *f, struct buf *say)
{
	struct file_edit *x = f->edit;

	if (x && edit_modified(&x->e) && keep_draft(x))
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
	if (!x)
		return;
	f->edit = NULL;
	edit_release(&x->e);
	free(x->draft);
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
		  name_of(x->path), x->id);
	return true;
}

static void begin(struct files *f, const struct request *r)
{
	struct file_edit *x = f->edit;

	if (!x) {
		x = f->edit = xcalloc(1, sizeof(*x));
		x->serial = ++f->edit_serial;
		x->id = xstrdup(f->id);
		x->path = xstrdup(f->wanted);
		x->warning = xasprintf("%s is not saved.", name_of(x->path));
	}
	free(x->mode);
	x->mode = steal_ptr(&f->wanted_mode);
	x->base = digest_of(buf_str(&r->reply), r->reply.len);
	edit_open(&x->e, buf_str(&r->reply), r->reply.len);
	drop_draft(x);
}

static bool is_wanted(const struct files *f, const struct request *r)
{
	return r->err.code == SVM_OK && f->wanted && r->about &&
	       strcmp(f->wanted, r->about) == 0 && files_is_for(f, r);
}

static void too_long(struct model *m, const char *path)
{
	model_say(m, "%s is over %d MiB: it can be read here, and edited in "
		     "$EDITOR", name_of(path), FILES_SHOWN_MAX >> 20);
}

static void text_arrived(struct model *m, struct request *r)
{
	struct files *f = r->data;

	if (!is_wanted(f, r))
		return;
	if (r->reply.len > FILES_SHOWN_MAX)
		too_long(m, f->wanted);
	else
		begin(f, r);
	free(f->wanted);
	f->wanted = NULL;
}

static void look(struct model *m, struct files *f, const char *path);

/* A link is followed here: writing would replace it by a file. */
static void follow(struct model *m, struct files *f, const char *target)
{
	auto_free char *path = xstrdup(f->wanted), *to = NULL;
	char *slash = strrchr(path, '/');

	if (slash)
		slash[slash == path] = '\0';
	to = *target == '/' ? xstrdup(target) : path_join(path, target);
	if (++f->wanted_links > LINKS_MAX)
		model_say(m, "%s: too many links", f->wanted);
	else
		look(m, f, to);
}

static void looked(struct model *m, struct request *r)
{
	struct files *f = r->data;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	const cJSON *o = request_object(r, &doc), *size;
	struct request *get;

	if (!o || !is_wanted(f, r))
		return;
	size = json_get(o, "size");
	if (*json_text(o, "target")) {
		follow(m, f, json_text(o, "target"));
	} else if (strcmp(json_text(o, "type"), "file") != 0) {
		model_say(m, "%s is a %s", f->wanted, json_text(o, "type"));
	} else if (cJSON_IsNumber(size) &&
		   size->valuedouble > FILES_SHOWN_MAX) {
		too_long(m, f->wanted);
	} else {
		free(f->wanted_mode);
		f->wanted_mode = xstrdup(json_text(o, "mode"));
		get = files_request(f, "GET", "", f->wanted, text_arrived);
		get->most = FILES_SHOWN_MAX + 1;
		get->doing = xasprintf("read %s", f->wanted);
		request_send(m, get);
	}
}

static void look(struct model *m, struct files *f, const char *path)
{
	char *what = xstrdup(path);
	struct request *r;

	free(f->wanted);
	f->wanted = what;
	r = files_request(f, "GET", "stat", what, looked);
	r->doing = xasprintf("edit %s", what);
	request_send(m, r);
}

void files_edit_open(struct model *m, struct files *f, const char *path)
{
	f->wanted_links = 0;
	look(m, f, path);
}

/* -- saving */

static void saving_free(void *data)
{
	struct saving *s = data;

	free(s->id);
	free(s->path);
	free(s->mode);
	buf_release(&s->text);
	free(s);
}

/* The editor it came from, if that is still there. */
static struct file_edit *editor_of(const struct saving *s)
{
	struct file_edit *x = s->f->edit;

	return x && x->serial == s->serial ? x : NULL;
}

static struct request *saving_request(struct saving *s, const char *method,
				      request_fn done)
{
	const struct files its = { .id = s->id };
	struct request *r = files_request(&its, method, "", s->path, done);

	r->data = s;
	r->forget = saving_free;
	r->doing = xasprintf("save %s", s->path);
	return r;
}

static void leave(struct model *m, struct files *f)
{
	auto_free char *path = xstrdup(f->edit->path);

	files_edit_close(f);
	files_read(m, f, path);
}

static void not_saved(struct model *m, struct file_edit *x,
		      struct svm_err *err)
{
	if (!keep_draft(x))
		return; /* the error is shown, the text is still here */
	model_say(m, "not saved: %s; a draft is %s",
		  err->msg ? err->msg : "it failed", x->draft);
	svm_err_release(err);
}

static void saved(struct model *m, struct request *r)
{
	struct saving *s = r->data;
	struct file_edit *x = editor_of(s);
	char size[FRAME_TIME_SIZE];

	frame_bytes((int64_t)s->text.len, size);
	if (x)
		x->saving = false;
	if (r->err.code != SVM_OK) {
		if (x)
			not_saved(m, x, &r->err);
		saving_free(s);
		return;
	}
	model_say(m, "saved %s, %s", name_of(s->path), size);
	if (x) {
		x->base = s->digest;
		x->e.saved = s->mark;
		drop_draft(x);
		if (s->leave && !edit_modified(&x->e))
			leave(m, s->f);
	}
	if (s->f->path)
		files_open(m, s->f, s->f->id, s->f->path);
	saving_free(s);
}

static void put(struct model *m, struct saving *s)
{
	struct request *r = saving_request(s, "PUT", saved);
	struct file_edit *x = editor_of(s);

	if (*s->mode) {
		char *with = xasprintf("%s&mode=%s", r->target, s->mode);

		free(r->target);
		r->target = with;
	}
	buf_add(&r->body, buf_str(&s->text), s->text.len);
	r->has_body = true;
	if (x)
		x->saving = true;
	request_send(m, r);
}

static void overwrite(struct model *m, void *data)
{
	struct saving *s = data, *own = xmalloc(sizeof(*own));

	/* The question frees what it was about. */
	*own = *s;
	*s = (struct saving){ 0 };
	put(m, own);
}

static void ask_conflict(struct model *m, struct saving *s, bool gone)
{
	confirm_ask(m, &(struct confirm){
		.title = gone ? "WRITE IT AGAIN?" : "OVERWRITE IT?",
		.lines = (const char *const[]){
			s->path,
			gone ? "is no longer there." :
			       "was changed by another since you read it.",
			gone ? "Yes makes it again with your text." :
			       "Yes replaces that by your text; No keeps both.",
			NULL },
		.yes = overwrite,
		.release = saving_free,
		.data = s });
}

/* What is in the file now, before it is replaced. */
static void compared(struct model *m, struct request *r)
{
	struct saving *s = r->data;
	struct file_edit *x = editor_of(s);
	bool gone = r->err.code == SVM_NOT_FOUND;
	struct digest is;

	if (x)
		x->saving = false;
	if (!x || (r->err.code != SVM_OK && !gone)) {
		if (x)
			not_saved(m, x, &r->err);
		saving_free(s);
		return;
	}
	is = digest_of(buf_str(&r->reply), r->reply.len);
	svm_err_release(&r->err);
	if (!gone && digest_equal(&is, &x->base))
		put(m, s);
	else
		ask_conflict(m, s, gone);
}

static void save(struct model *m, struct files *f, unsigned wants)
{
	struct file_edit *x = f->edit;
	const struct buf *text = &x->e.text.text;
	struct saving *s;
	struct request *r;

	if (model_refuses(m, ACT_WRITE))
		return;
	if (x->saving) {
		model_say(m, "%s is being saved", name_of(x->path));
		return;
	}
	s = xcalloc(1, sizeof(*s));
	s->f = f;
	s->id = xstrdup(x->id);
	s->path = xstrdup(x->path);
	s->mode = xstrdup(x->mode ? x->mode : "");
	buf_add(&s->text, buf_str(text), text->len);
	s->digest = digest_of(buf_str(text), text->len);
	s->mark = edit_text_mark(&x->e.text);
	s->serial = x->serial;
	s->leave = wants & EDIT_LEAVE;
	x->saving = true;
	if (wants & EDIT_FORCE) {
		put(m, s);
		return;
	}
	r = saving_request(s, "GET", compared);
	r->most = LIMIT_TUI_EDIT + 1;
	request_send(m, r);
}

static void leave_confirmed(struct model *m, void *data)
{
	struct files *f = data;

	if (!f->edit)
		return;
	drop_draft(f->edit);
	leave(m, f);
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
	bool modified = edit_modified(&x->e);

	x->e.wants = 0;
	if (x->e.message) {
		model_say(m, "%s", x->e.message);
		free(x->e.message);
		x->e.message = NULL;
	}
	if (wants & EDIT_WRITE && (modified || wants & EDIT_FORCE))
		save(m, f, wants);
	else if (wants & EDIT_RELOAD && modified && !(wants & EDIT_FORCE))
		files_unsaved(m, f);
	else if (wants & EDIT_RELOAD)
		files_edit_open(m, f, x->path);
	else if (wants & EDIT_LEAVE && modified && !(wants & EDIT_FORCE))
		ask_leave(m, f);
	else if (wants & EDIT_LEAVE)
		leave_confirmed(m, f);
	else if (wants & EDIT_WRITE)
		model_say(m, "%s is as it was", name_of(x->path));
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
	auto_buf struct buf status = BUF_INIT;

	frame_corner(c, pane, false, pen_role(ROLE_ACCENT),
		     m->set.ascii ? " * WRITE " : " " GLYPH_DOT " WRITE ");
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
