/* SPDX-License-Identifier: MIT */
/*
 * Files: what their handlers share, and the operations whose answer is one
 * word: move, chmod, delete.  What is there is told in api-file-list.c,
 * contents are read in api-file-read.c and written in api-file-write.c.
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
#include "daemon/file-etag.h"
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
	bool new = false;
	struct sandbox *s = api_call_sandbox(r, app);

	if (!s)
		return;
	if (parse_body(r, &doc, &err) < 0 ||
	    get_path(r, &doc, "old_path", &from, &err) < 0 ||
	    get_path(r, &doc, "new_path", &to, &err) < 0 ||
	    file_etag_wants_new(r, &new, &err) < 0) {
		http_reply_error(r, &err);
		return;
	}
	msg_add_str(&payload, from);
	msg_add_str(&payload, to);
	msg_add_u32(&payload, 0);
	start_word(r, s, new ? FRAME_MOVE_NEW : FRAME_MOVE, &payload, &word,
		   from, to);
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
