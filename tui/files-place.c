/* SPDX-License-Identifier: MIT */
/*
 * What is put in a place of a sandbox: a new file, one under a new name, one
 * from here.  It is asked for only where nothing is, and the agent decides; a
 * new file has another name then, the others replace what is there if that is
 * meant.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "tui/files.h"

struct placing {
	struct files *f;
	char *id;
	char *dir;  /* in which a name is meant */
	char *from; /* what is renamed, or the local file; or NULL */
	char *to;
	char *text; /* as it was typed */
};

static void placing_free(void *data)
{
	struct placing *p = data;

	free(p->id);
	free(p->dir);
	free(p->from);
	free(p->to);
	free(p->text);
	free(p);
}

/* Beside `from`, or, with NULL, where one is. */
static struct placing *placing_new(struct files *f, const char *from)
{
	struct placing *p = xcalloc(1, sizeof(*p));

	p->f = f;
	p->id = xstrdup(f->id);
	p->dir = from ? files_dirname(from) : files_base(f);
	p->from = from ? xstrdup(from) : NULL;
	return p;
}

/* What was asked frees what it was about. */
static struct placing *take(struct placing *p)
{
	struct placing *own = xmalloc(sizeof(*own));

	*own = *p;
	*p = (struct placing){ 0 };
	return own;
}

/* In the sandbox that it was about, whichever is in view by now. */
static struct request *placing_request(struct placing *p, const char *method,
				       const char *what, const char *path,
				       bool over, request_fn done)
{
	const struct files its = { .id = p->id };
	struct request *r = files_request(&its, method, what, path, done);

	if (!over)
		r->if_match = xstrdup("");
	r->has_body = true;
	r->data = p;
	r->forget = placing_free;
	return r;
}

/* Something changed: look again, if it is still in view. */
static void placed(struct model *m, struct request *r)
{
	struct placing *p = r->data;

	if (r->err.code == SVM_OK)
		files_reload(m, p->f);
	placing_free(p);
}

/* -- in the place of another */

static void ask_replace(struct model *m, struct placing *p,
			void (*yes)(struct model *m, void *data))
{
	confirm_ask(m, &(struct confirm){
			       .title = "REPLACE A FILE?",
			       .lines = (const char *const[]){
				       p->to, "What it holds now is lost.",
				       NULL },
			       .yes = yes,
			       .release = placing_free,
			       .data = p });
}

/* Only that something is there is no error. */
static bool is_there(struct request *r)
{
	if (r->err.code != SVM_PRECONDITION || !r->if_match)
		return false;
	svm_err_release(&r->err);
	return true;
}

/* -- a new file */

static void ask_file(struct model *m, struct placing *p, const char *error);

static void made(struct model *m, struct request *r)
{
	struct placing *p = r->data;

	if (is_there(r)) {
		ask_file(m, p, "it is there already");
	} else if (r->err.code == SVM_BAD_REQUEST) { /* no name of a file */
		ask_file(m, p, r->err.msg);
		svm_err_release(&r->err);
	} else {
		placed(m, r);
	}
}

static void make_file(struct model *m, const char *text, void *data)
{
	struct placing *p = take(data);
	auto_free char *path = files_resolve(p->dir, text);
	struct request *r = placing_request(p, "PUT", "", path, false, made);

	free(p->text);
	p->text = xstrdup(text);
	r->doing = xasprintf("make %s", path);
	request_send(m, r);
}

static void ask_file(struct model *m, struct placing *p, const char *error)
{
	auto_free char *title = xasprintf("NEW FILE IN %s", p->dir);

	prompt_open(m, &(struct prompt){ .title = title,
					 .label = "name",
					 .text = p->text,
					 .past = PAST_INSIDE,
					 .check = files_name_given,
					 .error = error,
					 .done = make_file,
					 .release = placing_free,
					 .data = p });
}

/* -- another name */

static void move(struct model *m, struct placing *p, bool over);

static void move_over(struct model *m, void *data)
{
	move(m, take(data), true);
}

static void moved(struct model *m, struct request *r)
{
	if (is_there(r))
		ask_replace(m, r->data, move_over);
	else
		placed(m, r);
}

static void move(struct model *m, struct placing *p, bool over)
{
	struct request *r = placing_request(p, "POST", "move", NULL, over,
					    moved);
	struct json_writer w = json_writer(&r->body);

	json_open(&w, NULL, '{');
	json_str(&w, "old_path", p->from);
	json_str(&w, "new_path", p->to);
	json_close(&w, '}');
	r->doing = xasprintf("move %s", p->from);
	request_send(m, r);
}

static void rename_to(struct model *m, const char *text, void *data)
{
	struct placing *p = data;

	p->to = files_resolve(p->dir, text);
	if (strcmp(p->to, p->from) != 0)
		move(m, take(p), false);
}

static void ask_rename(struct model *m, struct files *f, const cJSON *e)
{
	const char *path = json_text(e, "path");

	prompt_open(m, &(struct prompt){ .title = "RENAME",
					 .label = "to",
					 .text = json_text(e, "name"),
					 .past = PAST_INSIDE,
					 .check = files_name_given,
					 .done = rename_to,
					 .release = placing_free,
					 .data = placing_new(f, path) });
}

/* -- from here */

static void upload(struct model *m, struct placing *p, bool over);

static void upload_over(struct model *m, void *data)
{
	upload(m, take(data), true);
}

static void uploaded(struct model *m, struct request *r)
{
	struct placing *p = r->data;

	p->f->transfers--;
	if (is_there(r)) {
		ask_replace(m, p, upload_over);
		return;
	}
	if (r->err.code == SVM_OK)
		model_say(m, "copied %s", p->to);
	placed(m, r);
}

static void upload(struct model *m, struct placing *p, bool over)
{
	struct request *r = placing_request(p, "PUT", "", p->to, over,
					    uploaded);

	r->has_body = false;
	r->upload = xstrdup(p->from);
	p->f->transfers++;
	r->doing = xasprintf("upload %s", p->from);
	request_send(m, r);
}

static void upload_from(struct model *m, const char *text, void *data)
{
	struct placing *p = take(data);
	const char *slash;

	p->from = prompt_path(text);
	slash = strrchr(p->from, '/');
	p->to = path_join(p->dir, slash ? slash + 1 : p->from);
	upload(m, p, false);
}

/* Now, while the path can still be mended. */
static bool is_upload(const char *text, struct svm_err *err)
{
	auto_free char *path = prompt_path(text);
	struct stat st;

	if (!files_name_given(text, err))
		return false;
	if (stat(path, &st) < 0 || access(path, R_OK) < 0)
		svm_err_sys(err, SVM_BAD_REQUEST, errno, "can't read it");
	else if (S_ISDIR(st.st_mode))
		svm_err_set(err, SVM_BAD_REQUEST, "a directory: stacyvm cp -r "
						  "DIR ID:PATH");
	else if (!S_ISREG(st.st_mode))
		svm_err_set(err, SVM_BAD_REQUEST, "it is no file");
	return err->code == SVM_OK;
}

static void ask_upload(struct model *m, struct files *f)
{
	struct placing *p = placing_new(f, NULL);
	auto_free char *title = xasprintf("UPLOAD TO %s", p->dir);

	prompt_open(m, &(struct prompt){ .title = title,
					 .label = "local file",
					 .past = PAST_LOCAL,
					 .check = is_upload,
					 .done = upload_from,
					 .release = placing_free,
					 .data = p });
}

bool files_act_place(struct model *m, struct files *f, const cJSON *e,
		     enum action a)
{
	switch (a) {
	case ACT_NEW_FILE:
		ask_file(m, placing_new(f, NULL), NULL);
		return true;
	case ACT_RENAME:
		if (e)
			ask_rename(m, f, e);
		return true;
	case ACT_UPLOAD:
		ask_upload(m, f);
		return true;
	default:
		return false;
	}
}
