/* SPDX-License-Identifier: MIT */
/* Writing a text back to where it came from, and drafts when that fails. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/api/dirs.h"
#include "lib/api/limits.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "tui/files-edit.h"
#include "tui/frame.h"

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

const char *files_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* -- drafts */

static char *draft_path(const struct file_edit *x)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct dirs dirs;
	char *path;

	dirs_init(&dirs);
	auto_free char *dir = path_join(dirs.state, "drafts");

	path_make_private_dir(dir, 0700, &err); /* else it can't be written */
	auto_free char *name = xasprintf("draft-%.40s-%d-%u-%.100s", x->id,
					 (int)getpid(), x->serial,
					 files_name(x->path));

	/* The id is a daemon's word, and this is a file of ours. */
	for (char *p = name; (p = strchr(p, '/'));)
		*p = '_';
	path = path_join(dir, name);
	dirs_release(&dirs);
	return path;
}

bool files_keep_draft(struct file_edit *x)
{
	const struct buf *text = &x->e.text.text;

	if (!x->draft)
		x->draft = draft_path(x);
	return fd_replace_path(AT_FDCWD, x->draft, buf_str(text), text->len,
			       0600) == 0;
}

void files_drop_draft(struct file_edit *x)
{
	if (x->draft)
		unlink(x->draft);
	free(x->draft);
	x->draft = NULL;
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

static void not_saved(struct model *m, struct file_edit *x,
		      struct svm_err *err)
{
	if (!files_keep_draft(x))
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
	model_say(m, "saved %s, %s", files_name(s->path), size);
	if (x) {
		x->base = s->digest;
		x->e.saved = s->mark;
		files_drop_draft(x);
		if (s->leave && !edit_modified(&x->e))
			files_edit_leave(m, s->f);
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

void files_save(struct model *m, struct files *f, unsigned wants)
{
	struct file_edit *x = f->edit;
	const struct buf *text = &x->e.text.text;
	struct saving *s;
	struct request *r;

	if (model_refuses(m, ACT_WRITE))
		return;
	if (x->saving) {
		model_say(m, "%s is being saved", files_name(x->path));
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
