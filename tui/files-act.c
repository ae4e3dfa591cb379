/* SPDX-License-Identifier: MIT */
/* What changes files.  See files.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/api/dirs.h"
#include "lib/base/digest.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "lib/base/urlenc.h"
#include "tui/files.h"

#define EDITED_MAX (64 << 20)

/* What a question or an editor is about. */
struct subject {
	struct files *f;
	char *id, *path, *mode;
	bool dir;
	/* An editor's: the local copy, and what was in it. */
	char *local;
	char before[DIGEST_TEXT + 1];
};

static struct subject *subject_new(struct files *f, const char *path,
				   const cJSON *e)
{
	struct subject *s = xcalloc(1, sizeof(*s));

	s->f = f;
	s->id = xstrdup(f->id);
	s->path = xstrdup(path);
	s->mode = xstrdup(e ? json_text(e, "mode") : "");
	s->dir = e && file_is_dir(e);
	return s;
}

static void subject_free(void *data)
{
	struct subject *s = data;

	if (s->local) {
		char *slash = strrchr(s->local, '/');

		unlink(s->local);
		*slash = '\0';
		rmdir(s->local);
	}
	free(s->local);
	free(s->id);
	free(s->path);
	free(s->mode);
	free(s);
}

/* In the sandbox that it was about, whichever is in view by now. */
static struct request *subject_request(const struct subject *s,
				       const char *method, const char *what,
				       const char *path, request_fn done)
{
	const struct files its = { .id = s->id };
	struct request *r = files_request(&its, method, what, path, done);

	r->data = s->f;
	return r;
}

/* Something changed: look again, if it is still in view. */
static void changed(struct model *m, struct request *r)
{
	struct files *f = r->data;

	if (r->err.code == SVM_OK && f->path)
		files_open(m, f, f->id, f->path);
}

static void send(struct model *m, struct request *r, const char *doing,
		 const char *path)
{
	r->doing = xasprintf("%s %s", doing, path);
	request_send(m, r);
}

static void delete_confirmed(struct model *m, void *data)
{
	struct subject *s = data;
	struct request *r = subject_request(s, "DELETE", "", s->path,
					  changed);

	if (s->dir) {
		char *all = xasprintf("%s&recursive=true", r->target);

		free(r->target);
		r->target = all;
	}
	send(m, r, "delete", s->path);
}

static void ask_delete(struct model *m, struct files *f, const cJSON *e)
{
	const char *path = json_text(e, "path");

	confirm_ask(m, &(struct confirm){
			       .title = "DELETE?",
			       .lines = (const char *const[]){
				       path, file_is_dir(e) ?
					       "and all that is in it" :
					       "It can't be brought back.",
				       NULL },
			       .yes = delete_confirmed,
			       .release = subject_free,
			       .data = subject_new(f, path, e) });
}

static void send_pair(struct model *m, struct subject *s, const char *what,
		      const char *a, const char *a_value, const char *b,
		      const char *b_value)
{
	struct request *r = subject_request(s, "POST", what, NULL, changed);
	struct json_writer w = json_writer(&r->body);

	json_open(&w, NULL, '{');
	json_str(&w, a, a_value);
	json_str(&w, b, b_value);
	json_close(&w, '}');
	r->has_body = true;
	send(m, r, what, s->path);
}

/* A name is beside what it is for; a path is a path. */
static char *resolve(const struct files *f, const char *text)
{
	return *text == '/' ? xstrdup(text) : path_join(f->path, text);
}

static void rename_to(struct model *m, const char *text, void *data)
{
	struct subject *s = data;
	auto_free char *to = resolve(s->f, text);

	send_pair(m, s, "move", "old_path", s->path, "new_path", to);
}

static void chmod_to(struct model *m, const char *text, void *data)
{
	struct subject *s = data;

	send_pair(m, s, "chmod", "path", s->path, "mode", text);
}

static void make_file(struct model *m, const char *text, void *data)
{
	struct subject *s = data;
	auto_free char *path = resolve(s->f, text);
	struct request *r = subject_request(s, "PUT", "", path, changed);

	r->has_body = true;
	send(m, r, "make", path);
}

static void made_dir(struct model *m, struct request *r)
{
	changed(m, r);
}

/* The API makes parents: a directory is made by a command. */
static void make_dir(struct model *m, const char *text, void *data)
{
	struct subject *s = data;
	auto_free char *path = resolve(s->f, text);
	struct request *r = request_new("POST",
					request_sandbox(s->id, "/exec"),
					made_dir);
	struct json_writer w = json_writer(&r->body);

	json_open(&w, NULL, '{');
	json_str(&w, "command", "mkdir");
	json_str(&w, "mode", "argv");
	json_open(&w, "args", '[');
	json_str(&w, NULL, "-p");
	json_str(&w, NULL, "--");
	json_str(&w, NULL, path);
	json_close(&w, ']');
	json_close(&w, '}');
	r->has_body = true;
	r->data = s->f;
	send(m, r, "make", path);
}

/* -- transfers */

static void transferred(struct model *m, struct request *r)
{
	struct files *f = r->data;

	f->transfers--;
	if (r->err.code != SVM_OK)
		return;
	model_say(m, "copied %s", r->about);
	if (r->upload && f->path)
		files_open(m, f, f->id, f->path);
}

/* "~/x" is what people type. */
static char *local_path(const char *text)
{
	const char *home = getenv("HOME");

	return text[0] == '~' && text[1] == '/' && home ?
		       path_join(home, text + 2) : xstrdup(text);
}

static void download_to(struct model *m, const char *text, void *data)
{
	struct subject *s = data;
	struct request *r = subject_request(s, "GET", "", s->path,
					  transferred);

	r->download = local_path(text);
	s->f->transfers++;
	send(m, r, "download", s->path);
}

static void upload_from(struct model *m, const char *text, void *data)
{
	struct subject *s = data;
	auto_free char *from = local_path(text);
	const char *slash = strrchr(from, '/');
	auto_free char *to = path_join(s->path, slash ? slash + 1 : from);
	struct request *r = subject_request(s, "PUT", "", to, transferred);

	r->upload = xstrdup(from);
	s->f->transfers++;
	send(m, r, "upload", from);
}

/* -- $EDITOR */

static int file_digest(const char *path, char out[DIGEST_TEXT + 1])
{
	auto_buf struct buf b = BUF_INIT;
	struct digest d;
	int r = fd_slurp_path(AT_FDCWD, path, EDITED_MAX, &b);

	if (r < 0)
		return r;
	d = digest_of(buf_str(&b), b.len);
	digest_format(&d, out);
	return 0;
}

static void written_back(struct model *m, struct request *r)
{
	struct subject *s = r->data;

	if (r->err.code == SVM_OK) {
		model_say(m, "saved %s", s->path);
		if (s->f->view_path && strcmp(s->f->view_path, s->path) == 0)
			files_read(m, s->f, s->path);
		if (s->f->path)
			files_open(m, s->f, s->f->id, s->f->path);
	} else {
		/* Nobody's work is thrown away. */
		model_say(m, "not saved; your copy is %s", s->local);
		free(s->local);
		s->local = NULL;
	}
	subject_free(s);
}

static void edited(struct model *m, void *data, bool ok)
{
	struct subject *s = data;
	char after[DIGEST_TEXT + 1];
	struct request *r;

	if (!ok || file_digest(s->local, after) < 0 ||
	    strcmp(after, s->before) == 0) {
		model_say(m, ok ? "%s is as it was" :
				  "the editor failed: %s is as it was",
			  s->path);
		subject_free(s);
		return;
	}
	r = subject_request(s, "PUT", "", s->path, written_back);
	if (*s->mode) {
		char *with = xasprintf("%s&mode=%s", r->target, s->mode);

		free(r->target);
		r->target = with;
	}
	r->upload = xstrdup(s->local);
	r->data = s;
	send(m, r, "save", s->path);
}

static void fetched(struct model *m, struct request *r)
{
	struct subject *s = r->data;

	if (r->err.code != SVM_OK || file_digest(s->local, s->before) < 0 ||
	    m->editor.path) {
		subject_free(s);
		return;
	}
	m->editor.path = xstrdup(s->local);
	m->editor.done = edited;
	m->editor.data = s;
	m->effects |= EFFECT_EDITOR;
}

/* A directory of its own keeps the name, which tells editors the language. */
static char *make_local(const char *path)
{
	struct dirs dirs;
	const char *slash = strrchr(path, '/');
	char *local = NULL;

	dirs_init(&dirs);
	auto_free char *dir = xasprintf("%s/edit-XXXXXX", dirs.runtime);

	if (mkdtemp(dir))
		local = path_join(dir, slash && slash[1] ? slash + 1 :
							   "file");
	dirs_release(&dirs);
	return local;
}

static void edit(struct model *m, struct files *f, const cJSON *e,
		 const char *path)
{
	struct subject *s = subject_new(f, path, e);
	struct request *r;

	s->local = make_local(path);
	if (!s->local) {
		model_say(m, "no directory for a local copy: %s",
			  strerror(errno));
		subject_free(s);
		return;
	}
	r = files_request(f, "GET", "", path, fetched);
	r->download = xstrdup(s->local);
	r->data = s;
	send(m, r, "edit", path);
}

/* -- all of them */

static bool is_mode(const char *text, struct svm_err *err)
{
	size_t n = strlen(text);

	if ((n == 3 || n == 4) && strspn(text, "01234567") == n)
		return true;
	svm_err_set(err, SVM_BAD_REQUEST, "a mode is three octal digits");
	return false;
}

static bool is_given(const char *text, struct svm_err *err)
{
	if (*text)
		return true;
	svm_err_set(err, SVM_BAD_REQUEST, "a name is needed");
	return false;
}

static bool ask(struct model *m, struct files *f, const cJSON *e,
		enum action a)
{
	static const struct {
		enum action action;
		const char *title, *label;
		void (*done)(struct model *m, const char *text, void *data);
		bool (*check)(const char *text, struct svm_err *err);
		const char *text; /* a key of the entry, or NULL */
		bool entry;       /* is about the selected one */
	} asks[] = {
		{ ACT_RENAME, "RENAME", "to", rename_to, is_given, "name",
		  true },
		{ ACT_CHMOD, "PERMISSIONS", "mode", chmod_to, is_mode,
		  "mode", true },
		{ ACT_DOWNLOAD, "SAVE", "local file", download_to, is_given,
		  "name", true },
		{ ACT_NEW_FILE, "NEW FILE", "name", make_file, is_given,
		  NULL, false },
		{ ACT_NEW_DIR, "NEW DIRECTORY", "name", make_dir, is_given,
		  NULL, false },
		{ ACT_UPLOAD, "UPLOAD", "local file", upload_from, is_given,
		  NULL, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(asks); i++) {
		if (asks[i].action != a)
			continue;
		if (asks[i].entry && !e)
			return true;
		prompt_open(m, &(struct prompt){
			.title = asks[i].title,
			.label = asks[i].label,
			.text = asks[i].text ? json_text(e, asks[i].text) :
					       "",
			.check = asks[i].check,
			.done = asks[i].done,
			.release = subject_free,
			.data = subject_new(f, asks[i].entry ?
						       json_text(e, "path") :
						       f->path, e) });
		return true;
	}
	return false;
}

bool files_act_entry(struct model *m, struct files *f, const cJSON *e,
		     enum action a)
{
	const char *path = e ? json_text(e, "path") : f->view_path;

	if (ask(m, f, e, a))
		return true;
	switch (a) {
	case ACT_DELETE:
		if (e)
			ask_delete(m, f, e);
		return true;
	case ACT_EDITOR:
		if (path && !(e && file_is_dir(e)) && !files_unsaved(m, f))
			edit(m, f, e, path);
		return true;
	case ACT_EDIT:
		if (path && !(e && file_is_dir(e)) && !files_unsaved(m, f)) {
			files_read(m, f, path);
			files_edit_open(m, f, path);
		}
		return true;
	case ACT_COPY:
	case ACT_COPY_PATH:
		if (path)
			model_copy(m, path, strlen(path), path);
		return true;
	default:
		return false;
	}
}
