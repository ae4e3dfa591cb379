/* SPDX-License-Identifier: MIT */
/*
 * Files: list, stat, glob, move, chmod, delete.  Contents are read in
 * api-file-read.c and written in api-file-write.c.
 *
 * Paths in replies are made from what the caller asked for; of the agent's
 * words only single components and whole absolute paths are used, after a
 * check.
 */
#include "daemon/api-files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/api-call.h"
#include "daemon/api.h"
#include "daemon/audit.h"
#include "daemon/daemon.h"
#include "daemon/events.h"
#include "daemon/http/http.h"
#include "daemon/sandbox.h"
#include "daemon/store.h"
#include "lib/api/msg.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"

const char *api_files_path(struct http_req *r, const char *fallback)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	const char *path = http_query(r, "path");

	if ((!path || !*path) && fallback)
		return fallback;
	http_note(r, HTTP_NOTE_TARGET, path);
	if (!path)
		svm_err_set(&err, SVM_BAD_REQUEST,
			    "the query parameter 'path' is missing");
	else if (path_validate(path, strlen(path), &err) == 0)
		return path;
	http_reply_error(r, &err);
	return NULL;
}

int api_files_mode(const char *text, uint32_t *ret, struct svm_err *err)
{
	uint32_t mode = 0;

	if (!text || !*text)
		return 0;
	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '7' || p - text >= 5) {
			svm_err_set(err, SVM_BAD_REQUEST,
				    "'mode' is not an octal mode: '%.20s'",
				    text);
			return svm_err_hint(err, "write it like 755 or 0644");
		}
		mode = mode << 3 | (uint32_t)(*p - '0');
	}
	if (mode > 07777)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "'mode' is larger than 7777: '%.20s'",
				   text);
	*ret = mode;
	return 0;
}

static const char *type_name(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "dir";
	case S_IFLNK:
		return "symlink";
	case S_IFIFO:
		return "fifo";
	case S_IFSOCK:
		return "socket";
	case S_IFCHR:
		return "char";
	case S_IFBLK:
		return "block";
	default:
		return "file";
	}
}

void api_files_add_info(struct json_writer *w, const char *path,
			const char *name, const struct agent_file *f)
{
	char mode[8], when[CLOCK_RFC3339_SIZE];

	(void)snprintf(mode, sizeof(mode), "%04o", f->mode & 07777);
	clock_format_rfc3339(f->mtime_ns, when);
	json_open(w, NULL, '{');
	json_str(w, "name", name);
	json_str(w, "path", path);
	json_int(w, "size", (int64_t)MIN(f->size, (uint64_t)INT64_MAX));
	json_bool(w, "is_dir", S_ISDIR(f->mode));
	json_str(w, "mode", mode);
	json_str(w, "mod_time", when);
	json_str(w, "type", type_name(f->mode));
	if (S_ISLNK(f->mode))
		json_str(w, "target", f->target);
	json_close(w, '}');
}

void api_files_changed(const struct api_call *c, const char *action,
		       enum event_type event, const char *path,
		       const char *to)
{
	struct sandbox *s = c->sandbox;
	struct store_txn *t = store_begin(s->daemon->store);
	auto_buf struct buf data = BUF_INIT, target = BUF_INIT;
	struct json_writer w = json_writer(&data);

	buf_addstr(&target, path);
	if (to)
		buf_addf(&target, " -> %s", to);
	audit_add(t, &c->who, s, action, buf_str(&target), "ok");
	json_open(&w, NULL, '{');
	json_str(&w, "path", path);
	if (to)
		json_str(&w, "new_path", to);
	json_close(&w, '}');
	if (event != EVENT_NONE)
		store_add_event(t, event, s->id, s->spec.owner,
				buf_str(&data));
	events_commit(s->daemon, t);
}

/* Without doubled and trailing slashes; dots are the kernel's business. */
static char *tidy(const char *path)
{
	auto_buf struct buf b = BUF_INIT;

	for (; *path; path++)
		if (*path != '/' || !b.len || b.data[b.len - 1] != '/')
			buf_addch(&b, *path);
	if (b.len > 1 && b.data[b.len - 1] == '/')
		buf_truncate(&b, b.len - 1);
	return buf_steal(&b);
}

/* Operations whose answer is one word. */

struct word {
	const char *status; /* the word */
	const char *action; /* of the audit trail */
	enum event_type event;
};

struct word_call {
	struct api_call call;
	const struct word *word;
	char *path, *to;
	bool happened;
};

static void word_frame(struct api_call *c, const struct frame *f)
{
	struct word_call *wc = container_of(c, struct word_call, call);
	struct msg_reader r = msg_reader(f->payload, f->len);

	/* DELETE says whether something was there; the others say nothing. */
	wc->happened = f->len < 4 || msg_u32(&r) != 0;
}

static void word_done(struct api_call *c)
{
	struct word_call *wc = container_of(c, struct word_call, call);

	if (wc->happened)
		api_files_changed(c, wc->word->action, wc->word->event,
				  wc->path, wc->to);
	api_call_reply_status(c, wc->word->status);
}

static void word_release(struct api_call *c)
{
	struct word_call *wc = container_of(c, struct word_call, call);

	free(wc->path);
	free(wc->to);
}

static const struct api_call_ops word_ops = {
	.frame = word_frame, .done = word_done, .release = word_release,
};

static void start_word(struct http_req *r, struct sandbox *s,
		       enum frame_type type, const struct buf *payload,
		       const struct word *word, const char *path,
		       const char *to)
{
	struct word_call *wc = xcalloc(1, sizeof(*wc));

	wc->word = word;
	wc->path = xstrdup(path);
	wc->to = xstrdup(to);
	(void)api_call_start(&wc->call, r, s, &word_ops, type, payload);
}

void api_file_delete(struct http_req *r, void *app)
{
	static const struct word word = { "deleted", "file.delete",
					  EVENT_FILE_DELETED };
	auto_buf struct buf payload = BUF_INIT;
	struct sandbox *s = api_call_sandbox(r, app);
	const char *path = s ? api_files_path(r, NULL) : NULL;

	if (!path)
		return;
	const char *recursive = http_query(r, "recursive");
	msg_add_str(&payload, path);
	msg_add_u32(&payload, recursive && strcmp(recursive, "true") == 0);
	start_word(r, s, FRAME_DELETE, &payload, &word, path, NULL);
}

/* A path member of a body. */
static int get_path(struct http_req *r, const struct json_doc *doc,
		    const char *key, const char **ret, struct svm_err *err)
{
	const char *path = NULL;

	if (json_get_string(doc->root, key, &path, err) < 0)
		return -1;
	if (!path)
		return svm_err_set(err, SVM_BAD_REQUEST, "'%s' is missing",
				   key);
	if (path_validate(path, strlen(path), err) < 0)
		return svm_err_prefix(err, "'%s'", key);
	http_note(r, HTTP_NOTE_TARGET, path);
	*ret = path;
	return 0;
}

static int parse_body(struct http_req *r, struct json_doc *doc,
		      struct svm_err *err)
{
	const struct buf *body = http_body(r);

	return json_parse_object(doc, buf_str(body), body->len, err);
}

void api_file_move(struct http_req *r, void *app)
{
	static const struct word word = { "moved", "file.move",
					  EVENT_FILE_MOVED };
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_buf struct buf payload = BUF_INIT;
	const char *from, *to;
	struct sandbox *s = api_call_sandbox(r, app);

	if (!s)
		return;
	if (parse_body(r, &doc, &err) < 0 ||
	    get_path(r, &doc, "old_path", &from, &err) < 0 ||
	    get_path(r, &doc, "new_path", &to, &err) < 0) {
		http_reply_error(r, &err);
		return;
	}
	msg_add_str(&payload, from);
	msg_add_str(&payload, to);
	msg_add_u32(&payload, 0);
	start_word(r, s, FRAME_MOVE, &payload, &word, from, to);
}

void api_file_chmod(struct http_req *r, void *app)
{
	static const struct word word = { "chmod applied", "file.chmod",
					  EVENT_NONE };
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_buf struct buf payload = BUF_INIT;
	const char *path, *text = NULL;
	uint32_t mode = 0;
	struct sandbox *s = api_call_sandbox(r, app);

	if (!s)
		return;
	if (parse_body(r, &doc, &err) == 0 &&
	    get_path(r, &doc, "path", &path, &err) == 0 &&
	    json_get_string(doc.root, "mode", &text, &err) == 0 && !text)
		svm_err_set(&err, SVM_BAD_REQUEST, "'mode' is missing");
	if (err.code || api_files_mode(text, &mode, &err) < 0) {
		http_reply_error(r, &err);
		return;
	}
	msg_add_str(&payload, path);
	msg_add_u32(&payload, mode);
	start_word(r, s, FRAME_CHMOD, &payload, &word, path, NULL);
}

/* Lists. */

struct entry {
	char *name; /* or the whole path of a glob */
	struct agent_file file;
};

struct list_call {
	struct api_call call;
	char *dir;
	struct entry *v;
	size_t n, cap, max;
	bool truncated;
};

static struct list_call *list_call(struct api_call *c)
{
	return container_of(c, struct list_call, call);
}

static struct entry *add_entry(struct list_call *lc)
{
	if (lc->n == lc->cap) {
		lc->cap = lc->cap ? lc->cap * 2 : 16;
		lc->v = xreallocarray(lc->v, lc->cap, sizeof(*lc->v));
	}
	lc->v[lc->n] = (struct entry){ 0 };
	return &lc->v[lc->n++];
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name,
		      ((const struct entry *)b)->name);
}

static void sort(struct list_call *lc)
{
	if (lc->n)
		qsort(lc->v, lc->n, sizeof(*lc->v), by_name);
}

static bool is_component(const char *name)
{
	return *name && strlen(name) <= 255 && !strchr(name, '/') &&
	       strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static void note_end(struct list_call *lc, const struct frame *f)
{
	struct msg_reader r = msg_reader(f->payload, f->len);

	lc->truncated = msg_u32(&r) != 0;
}

static void list_frame(struct api_call *c, const struct frame *f)
{
	struct list_call *lc = list_call(c);
	struct agent_file file;

	if (f->type == FRAME_END) {
		note_end(lc, f);
		return;
	}
	if (lc->n == lc->max ||
	    agent_file_decode(f->payload, f->len, &file) < 0) {
		api_call_fail_broken(c, "a bad entry of a directory");
		return;
	}
	if (!is_component(file.name)) {
		agent_file_release(&file);
		api_call_fail_broken(c, "a name that is none");
		return;
	}
	struct entry *e = add_entry(lc);
	e->file = file;
	e->name = steal_ptr(&e->file.name);
}

static void reply_list(struct list_call *lc, struct buf *json)
{
	if (lc->truncated && lc->call.req)
		http_reply_header(lc->call.req, "X-Truncated", "true");
	api_call_reply(&lc->call, json);
}

static void list_done(struct api_call *c)
{
	struct list_call *lc = list_call(c);
	auto_buf struct buf json = BUF_INIT;
	struct json_writer w = json_writer(&json);

	sort(lc);
	json_open(&w, NULL, '[');
	for (size_t i = 0; i < lc->n; i++) {
		auto_free char *path = path_join(lc->dir, lc->v[i].name);

		api_files_add_info(&w, path, lc->v[i].name, &lc->v[i].file);
	}
	json_close(&w, ']');
	reply_list(lc, &json);
}

static void list_release(struct api_call *c)
{
	struct list_call *lc = list_call(c);

	for (size_t i = 0; i < lc->n; i++) {
		free(lc->v[i].name);
		agent_file_release(&lc->v[i].file);
	}
	free(lc->v);
	free(lc->dir);
}

static const struct api_call_ops list_ops = {
	.frame = list_frame, .done = list_done, .release = list_release,
	.drop_when_gone = true,
};

void api_file_list(struct http_req *r, void *app)
{
	auto_buf struct buf payload = BUF_INIT;
	struct sandbox *s = api_call_sandbox(r, app);
	const char *path = s ? api_files_path(r, "/") : NULL;

	if (!path)
		return;
	struct list_call *lc = xcalloc(1, sizeof(*lc));
	lc->dir = tidy(path);
	lc->max = LIMIT_LIST_ENTRIES;
	msg_add_str(&payload, path);
	msg_add_u32(&payload, LIMIT_LIST_ENTRIES);
	(void)api_call_start(&lc->call, r, s, &list_ops, FRAME_LIST,
			     &payload);
}

/* Globs. */

static void glob_frame(struct api_call *c, const struct frame *f)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct list_call *lc = list_call(c);
	struct msg_reader r = msg_reader(f->payload, f->len);

	if (f->type == FRAME_END) {
		note_end(lc, f);
		return;
	}
	char *path = msg_str(&r, LIMIT_PATH);
	if (!path || lc->n == lc->max ||
	    path_validate(path, strlen(path), &err) < 0) {
		free(path);
		api_call_fail_broken(c, "a bad path of a glob");
		return;
	}
	add_entry(lc)->name = path;
}

static void glob_done(struct api_call *c)
{
	struct list_call *lc = list_call(c);
	auto_buf struct buf json = BUF_INIT;
	struct json_writer w = json_writer(&json);

	sort(lc);
	json_open(&w, NULL, '[');
	for (size_t i = 0; i < lc->n; i++)
		if (!i || strcmp(lc->v[i].name, lc->v[i - 1].name) != 0)
			json_str(&w, NULL, lc->v[i].name);
	json_close(&w, ']');
	reply_list(lc, &json);
}

static const struct api_call_ops glob_ops = {
	.frame = glob_frame, .done = glob_done, .release = list_release,
	.drop_when_gone = true,
};

void api_file_glob(struct http_req *r, void *app)
{
	auto_buf struct buf payload = BUF_INIT;
	struct sandbox *s = api_call_sandbox(r, app);

	if (!s)
		return;
	const char *pattern = http_query(r, "pattern");
	if (!pattern || *pattern != '/' || strlen(pattern) > LIMIT_PATH) {
		api_call_refuse(r, SVM_BAD_REQUEST,
				"the query parameter 'pattern' must be an "
				"absolute pattern of at most %d bytes",
				LIMIT_PATH);
		return;
	}
	struct list_call *lc = xcalloc(1, sizeof(*lc));
	lc->max = LIMIT_GLOB_RESULTS;
	msg_add_str(&payload, pattern);
	msg_add_u32(&payload, LIMIT_GLOB_RESULTS);
	(void)api_call_start(&lc->call, r, s, &glob_ops, FRAME_GLOB,
			     &payload);
}

/* One file. */

static void stat_frame(struct api_call *c, const struct frame *f)
{
	struct list_call *lc = list_call(c);
	struct agent_file file;

	if (f->type == FRAME_END)
		return;
	if (agent_file_decode(f->payload, f->len, &file) < 0)
		api_call_fail_broken(c, "a bad description of a file");
	else
		add_entry(lc)->file = file;
}

static void stat_done(struct api_call *c)
{
	struct list_call *lc = list_call(c);
	auto_buf struct buf json = BUF_INIT;
	struct json_writer w = json_writer(&json);
	const char *slash = strrchr(lc->dir, '/');

	api_files_add_info(&w, lc->dir, slash[1] ? slash + 1 : "/",
			   &lc->v[0].file);
	api_call_reply(c, &json);
}

static const struct api_call_ops stat_ops = {
	.frame = stat_frame, .done = stat_done, .release = list_release,
	.drop_when_gone = true,
};

void api_file_stat(struct http_req *r, void *app)
{
	auto_buf struct buf payload = BUF_INIT;
	struct sandbox *s = api_call_sandbox(r, app);
	const char *path = s ? api_files_path(r, NULL) : NULL;

	if (!path)
		return;
	struct list_call *lc = xcalloc(1, sizeof(*lc));
	lc->dir = tidy(path);
	msg_add_str(&payload, path);
	(void)api_call_start(&lc->call, r, s, &stat_ops, FRAME_STAT,
			     &payload);
}
