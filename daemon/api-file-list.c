/* SPDX-License-Identifier: MIT */
/*
 * What there is: list, glob, stat.  Each collects what the agent says and
 * answers when that is complete.
 *
 * Paths in replies are made from what the caller asked for; of the agent's
 * words only single components and whole absolute paths are used, after a
 * check.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/api-call.h"
#include "daemon/api-files.h"
#include "daemon/api.h"
#include "daemon/http/http.h"
#include "lib/api/msg.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"

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
