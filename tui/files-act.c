/* SPDX-License-Identifier: MIT */
/* What changes files.  See files.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/mem.h"
#include "lib/base/shell.h"
#include "lib/base/path.h"
#include "tui/files.h"

/* What a question is about. */
struct subject {
	struct files *f;
	char *id, *path;
	bool dir;      /* it is one, or may be */
	bool archive;  /* is saved as one */
	unsigned mode; /* of a file; 0: not known */
};

static struct subject *subject_new(struct files *f, const char *path,
				   const cJSON *e)
{
	struct subject *s = xcalloc(1, sizeof(*s));

	s->f = f;
	s->id = xstrdup(f->id);
	s->path = xstrdup(path);
	/* What was found may be one. */
	s->archive = e && file_is_dir(e);
	s->dir = f->glob || s->archive;
	if (e && !s->archive)
		s->mode = (unsigned)strtoul(json_text(e, "mode"), NULL, 8);
	return s;
}

static void subject_free(void *data)
{
	struct subject *s = data;

	free(s->id);
	free(s->path);
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

	if (r->err.code == SVM_OK)
		files_reload(m, f);
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
				       f->glob ?
					       "and all that is in it, if it "
					       "is a directory" :
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

char *files_resolve(const char *dir, const char *text)
{
	return *text == '/' ? xstrdup(text) : path_join(dir, text);
}

static void chmod_to(struct model *m, const char *text, void *data)
{
	struct subject *s = data;

	send_pair(m, s, "chmod", "path", s->path, "mode", text);
}

/* The command says in its first line why it couldn't. */
static void made_dir(struct model *m, struct request *r)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	const cJSON *o = request_object(r, &doc);
	const cJSON *status = json_get(o, "exit_code");
	const char *why = json_text(o, "stderr");

	if (cJSON_IsNumber(status) && status->valueint != 0)
		svm_err_set(&r->err, SVM_BAD_REQUEST, "%.*s",
			    (int)strcspn(why, "\n"), why);
	changed(m, r);
}

/* The API makes parents: a directory is made by a command. */
static void make_dir(struct model *m, const char *text, void *data)
{
	struct subject *s = data;
	auto_free char *path = files_resolve(s->path, text);
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
}

static void download_to(struct model *m, const char *text, void *data)
{
	struct subject *s = data;
	struct request *r = subject_request(s, "GET",
					    s->archive ? "archive" : "",
					    s->path, transferred);

	r->download = prompt_path(text);
	r->mode = s->mode;
	s->f->transfers++;
	send(m, r, "download", s->path);
}

/* -- all of them */

static bool is_mode(const char *text, struct svm_err *err)
{
	size_t n = strlen(text);

	if ((n == 3 || n == 4) && strspn(text, "01234567") == n)
		return true;
	svm_err_set(err, SVM_BAD_REQUEST, "a mode is three or four octal digits");
	return false;
}

bool files_name_given(const char *text, struct svm_err *err)
{
	if (*text)
		return true;
	svm_err_set(err, SVM_BAD_REQUEST, "a name is needed");
	return false;
}

char *files_archive_name(const char *name)
{
	return xasprintf("%s.tar", name);
}

/* A directory as an archive, which the API reads as well as a file. */
static void ask_archive(struct model *m, struct files *f, const cJSON *e)
{
	const char *name = json_text(e, "name");
	auto_free char *tar = files_archive_name(name);
	auto_free char *title = xasprintf("SAVE %s AS %s", name, tar);

	prompt_open(m, &(struct prompt){
			       .title = title,
			       .label = "local file",
			       .past = PAST_LOCAL,
			       .text = tar,
			       .check = files_name_given,
			       .writes = prompt_writes_it,
			       .done = download_to,
			       .release = subject_free,
			       .data = subject_new(f, json_text(e, "path"),
						   e) });
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
		enum past_kind past;
	} asks[] = {
		{ ACT_CHMOD, "PERMISSIONS", "mode", chmod_to, is_mode,
		  "mode", true, PAST_MODE },
		{ ACT_DOWNLOAD, "SAVE", "local file", download_to,
		  files_name_given, "name", true, PAST_LOCAL },
		{ ACT_NEW_DIR, "NEW DIRECTORY IN", "name", make_dir,
		  files_name_given, NULL, false, PAST_INSIDE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(asks); i++) {
		if (asks[i].action != a)
			continue;
		if (asks[i].entry && !e)
			return true;
		auto_free char *base = files_base(f);
		auto_free char *title = asks[i].entry ?
			xstrdup(asks[i].title) :
			xasprintf("%s %s", asks[i].title, base);

		prompt_open(m, &(struct prompt){
			.title = title,
			.label = asks[i].label,
			.past = asks[i].past,
			.text = asks[i].text ? json_text(e, asks[i].text) :
					       "",
			.check = asks[i].check,
			.writes = a == ACT_DOWNLOAD ? prompt_writes_it : NULL,
			.done = asks[i].done,
			.release = subject_free,
			.data = subject_new(f, asks[i].entry ?
						       json_text(e, "path") :
						       base, e) });
		return true;
	}
	return false;
}

/* In the place of bytes that JSON can't have. */
#define REPLACED "\xef\xbf\xbd"

/* As it is; but what a terminal or a shell would take for more than a name is
 * written so that it is safe to paste. */
static void copy_path(struct model *m, const char *path)
{
	auto_buf struct buf word = BUF_INIT;

	if (!shell_seen_word(&word, path)) {
		model_copy(m, path, strlen(path), path);
		if (strstr(path, REPLACED))
			model_say(m, "copied %s, but it may have another name: "
				     "U+FFFD stands for what is no text", path);
		return;
	}
	auto_free char *what = xasprintf("%s, as a shell reads it",
					 buf_str(&word));

	model_copy(m, buf_str(&word), word.len, what);
}

bool files_act_entry(struct model *m, struct files *f, const cJSON *e,
		     enum action a)
{
	/* What is read or listed anew takes both of these away. */
	auto_free char *path =
		xstrdup(e ? json_text(e, "path") : f->view_path);

	if (a == ACT_DOWNLOAD && e && file_is_dir(e)) {
		ask_archive(m, f, e);
		return true;
	}
	if (ask(m, f, e, a) || files_act_place(m, f, e, a))
		return true;
	switch (a) {
	case ACT_DELETE:
		if (e)
			ask_delete(m, f, e);
		return true;
	case ACT_EDITOR:
		if (path && !(e && file_is_dir(e)) && !files_unsaved(m, f))
			files_editor(m, f, path);
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
			copy_path(m, path);
		return true;
	case ACT_COPY_JSON:
		if (e)
			model_copy_json(m, e, "it as JSON");
		return true;
	default:
		return false;
	}
}
