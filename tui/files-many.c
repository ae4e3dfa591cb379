/* SPDX-License-Identifier: MIT */
/*
 * Files found by a pattern, and what is done to all that are marked.  What is
 * found is known by its path alone: what it is, is asked when it is opened.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "lib/base/urlenc.h"
#include "tui/batch.h"
#include "tui/files.h"

/* -- marks */

/* Where it is among them, or would be: they are in order, for all of a large
 * tree can be marked at once. */
static size_t find(const struct files *f, const char *path, bool *ret_there)
{
	size_t from = 0, to = f->n_marks;

	*ret_there = false;
	while (from < to && !*ret_there) {
		size_t mid = from + (to - from) / 2;
		int r = strcmp(f->marks[mid], path);

		*ret_there = r == 0;
		if (r < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return to;
}

bool files_marked(const struct files *f, const cJSON *e)
{
	bool there;

	find(f, json_text(e, "path"), &there);
	return there;
}

static void mark(struct files *f, const char *path, bool marked)
{
	bool there;
	size_t i = find(f, path, &there);

	if (marked == there)
		return;
	if (marked) {
		f->marks = xreallocarray(f->marks, f->n_marks + 1,
					 sizeof(*f->marks));
		memmove(f->marks + i + 1, f->marks + i,
			(f->n_marks++ - i) * sizeof(*f->marks));
		f->marks[i] = xstrdup(path);
	} else {
		free(f->marks[i]);
		memmove(f->marks + i, f->marks + i + 1,
			(--f->n_marks - i) * sizeof(*f->marks));
	}
}

void files_unmark(struct files *f)
{
	while (f->n_marks)
		free(f->marks[--f->n_marks]);
	free(f->marks);
	f->marks = NULL;
	free(f->mark_from);
	f->mark_from = NULL;
}

/* The last mark: where a range begins. */
static void marked_here(struct files *f, const cJSON *e)
{
	free(f->mark_from);
	f->mark_from = xstrdup(json_text(e, "path"));
}

static void mark_one(struct files *f, const cJSON *e)
{
	mark(f, json_text(e, "path"), !files_marked(f, e));
	marked_here(f, e);
	list_act(&f->pos, ACT_DOWN);
}

static void mark_range(struct files *f)
{
	size_t from = f->pos.at;

	for (size_t i = 0; f->mark_from && i < f->n; i++)
		if (strcmp(json_text(f->rows[i].e, "path"), f->mark_from) == 0)
			from = i;
	for (size_t i = MIN(from, f->pos.at); i <= MAX(from, f->pos.at); i++)
		mark(f, json_text(f->rows[i].e, "path"), true);
	marked_here(f, f->rows[f->pos.at].e);
}

char **files_marked_paths(const struct files *f)
{
	char **paths = xcalloc(f->n + 1, sizeof(*paths));
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		if (files_marked(f, f->rows[i].e))
			paths[n++] = xstrdup(json_text(f->rows[i].e, "path"));
	return paths;
}

/* -- by a pattern */

/* As seen from the directory one is in. */
static const char *name_of(const struct files *f, const char *path)
{
	size_t n = strlen(f->path);

	return strncmp(path, f->path, n) == 0 && path[n] == '/' &&
	       path[n + 1] ? path + n + 1 : path;
}

static void found(struct model *m, struct request *r)
{
	struct files *f = r->data;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	const cJSON *array = request_array(r, &doc), *path;
	cJSON *entries;

	(void)m;
	if (!array || !files_is_for(f, r) || !f->glob ||
	    strcmp(f->glob, r->about) != 0)
		return;
	entries = cJSON_CreateArray();
	cJSON_ArrayForEach(path, array) {
		cJSON *e = cJSON_IsString(path) ? cJSON_CreateObject() : NULL;

		if (!e)
			continue;
		cJSON_AddStringToObject(e, "path", path->valuestring);
		cJSON_AddStringToObject(e, "name",
					name_of(f, path->valuestring));
		cJSON_AddItemToArray(entries, e);
	}
	cJSON_Delete(f->found);
	f->found = entries;
	f->n = 0; /* until it is settled */
}

static void ask(struct model *m, struct files *f)
{
	struct buf rest = BUF_INIT;
	struct request *r;

	buf_addstr(&rest, "/files/glob?pattern=");
	urlenc_encode(&rest, f->glob, strlen(f->glob));
	r = request_new("GET", request_sandbox(f->id, buf_str(&rest)), found);
	r->about = xstrdup(f->glob);
	r->data = f;
	r->doing = xasprintf("find %s", f->glob);
	request_send(m, r);
	buf_release(&rest);
}

static void pattern_typed(struct model *m, const char *text, void *data)
{
	struct files *f = data;

	if (!f->path || !*text)
		return;
	free(f->glob);
	f->glob = *text == '/' ? xstrdup(text) : path_join(f->path, text);
	files_unmark(f);
	field_set(&f->filter, "");
	cJSON_Delete(f->found);
	f->found = NULL;
	f->n = f->pos.at = 0;
	ask(m, f);
}

void files_reload(struct model *m, struct files *f)
{
	if (f->glob)
		ask(m, f);
	else if (f->path)
		files_open(m, f, f->id, f->path);
}

/* To where it is, standing on it. */
static void go_to(struct model *m, struct files *f, const char *path)
{
	auto_free char *dir = files_dirname(path);

	if (*dir != '/')
		return;
	free(f->select);
	f->select = xstrdup(path);
	files_open(m, f, f->id, dir);
}

static void looked(struct model *m, struct request *r)
{
	struct files *f = r->data;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	const cJSON *o = request_object(r, &doc);

	if (!o || !files_is_for(f, r) || !f->glob)
		return;
	if (file_is_dir(o)) {
		files_open(m, f, f->id, r->about);
	} else if (!files_unsaved(m, f)) {
		files_read(m, f, r->about);
		f->opened = true;
	}
}

static void look(struct model *m, struct files *f, const char *path)
{
	struct request *r = files_request(f, "GET", "stat", path, looked);

	r->doing = xasprintf("open %s", path);
	request_send(m, r);
}

/* -- all that are marked */

struct many {
	char *id, *to; /* to: a local directory */
	char **paths;
	struct files *f;
	size_t left;   /* not answered */
	cJSON *dirs;   /* paths that were listed as directories, as keys */
	bool found;    /* what is a directory isn't known */
};

static void many_free(void *data)
{
	struct many *x = data;

	cJSON_Delete(x->dirs);
	strv_free(x->paths);
	free(x->id);
	free(x->to);
	free(x);
}

static struct many *many_new(struct files *f)
{
	struct many *x = xcalloc(1, sizeof(*x));

	x->f = f;
	x->id = xstrdup(f->id);
	x->paths = files_marked_paths(f);
	x->found = f->glob;
	x->dirs = cJSON_CreateObject();
	for (size_t i = 0; i < f->n; i++)
		if (files_marked(f, f->rows[i].e) && file_is_dir(f->rows[i].e))
			cJSON_AddTrueToObject(x->dirs,
					      json_text(f->rows[i].e, "path"));
	return x;
}

static bool is_shown(const struct many *x)
{
	return x->f->id && strcmp(x->f->id, x->id) == 0;
}

/* It went with a directory that was to go as well. */
static bool went_along(const struct many *x, const struct request *r)
{
	if (strcmp(r->method, "DELETE") != 0 || r->err.code != SVM_NOT_FOUND)
		return false;
	for (char **p = x->paths; *p; p++) {
		size_t n = strlen(*p);

		if (strncmp(r->about, *p, n) == 0 && r->about[n] == '/')
			return true;
	}
	return false;
}

/* Only what worked loses its mark. */
static void unmark_done(struct model *m, struct request *r, void *data,
			struct buf *report)
{
	struct many *x = data;

	(void)m, (void)report;
	if (went_along(x, r))
		svm_err_release(&r->err);
	if (r->err.code == SVM_OK && is_shown(x))
		mark(x->f, r->about, false);
	if (--x->left == 0 && is_shown(x) &&
	    strcmp(r->method, "DELETE") == 0)
		files_reload(m, x->f);
}

static struct request *make_delete(struct model *m, const char *path,
				   void *data, struct svm_err *err)
{
	const struct many *x = data;
	const struct files its = { .id = x->id };
	struct request *r = files_request(&its, "DELETE", "", path, NULL);

	(void)m, (void)err;
	/* Of a file it is the same. */
	if (x->found || json_get(x->dirs, path)) {
		char *all = xasprintf("%s&recursive=true", r->target);

		free(r->target);
		r->target = all;
	}
	r->doing = xasprintf("delete %s", path);
	return r;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Of the local file: a directory is saved as an archive. */
static char *local_name(const struct many *x, const char *path)
{
	return json_get(x->dirs, path) ? files_archive_name(base_name(path)) :
					 xstrdup(base_name(path));
}

/* Two of one name would be one file. */
static bool is_taken(const struct many *x, const char *path, const char *name)
{
	for (char **p = x->paths; *p && strcmp(*p, path) != 0; p++) {
		const char *base = base_name(*p);

		if (strncmp(base, name, strlen(base)) != 0)
			continue;
		auto_free char *other = local_name(x, *p);

		if (strcmp(other, name) == 0)
			return true;
	}
	return false;
}

static struct request *make_download(struct model *m, const char *path,
				     void *data, struct svm_err *err)
{
	const struct many *x = data;
	const struct files its = { .id = x->id };
	const char *base = base_name(path);
	auto_free char *name = local_name(x, path);
	struct request *r;

	(void)m;
	if (!*base || strcmp(base, ".") == 0 || strcmp(base, "..") == 0 ||
	    is_taken(x, path, name)) {
		svm_err_set(err, SVM_CONFLICT, "another of its name was "
			    "marked, or it has none");
		return NULL;
	}
	r = files_request(&its, "GET",
			  json_get(x->dirs, path) ? "archive" : "", path, NULL);
	r->download = path_join(x->to, name);
	r->doing = xasprintf("download %s", path);
	return r;
}

static void start(struct model *m, struct many *asked, bool download)
{
	struct many *x = xcalloc(1, sizeof(*x));

	*x = *asked;
	*asked = (struct many){ 0 };
	x->left = strv_len(x->paths);
	batch_start(m, &(struct batch){
			       .doing = download ? "copying" : "deleting",
			       .done = download ? "copied" : "deleted",
			       .make = download ? make_download : make_delete,
			       .each = unmark_done,
			       .data = x,
			       .release = many_free },
		    strv_dup(x->paths));
}

static void delete_confirmed(struct model *m, void *data)
{
	start(m, data, false);
}

static void download_to(struct model *m, const char *text, void *data)
{
	struct many *x = data;

	x->to = prompt_path(text);
	start(m, x, true);
}

static char **downloads(const char *text, const void *data)
{
	const struct many *x = data;
	auto_free char *to = prompt_path(text);
	char **paths = xcalloc(strv_len(x->paths) + 1, sizeof(*paths));

	for (size_t i = 0; x->paths[i]; i++) {
		auto_free char *name = local_name(x, x->paths[i]);

		paths[i] = path_join(to, name);
	}
	return paths;
}

static void add_count(struct buf *out, size_t n, const char *one,
		      const char *many)
{
	if (n)
		buf_addf(out, "%s%zu %s", out->len ? " AND " : "", n,
			 n == 1 ? one : many);
}

/* "2 FILES AND 1 DIRECTORY" */
static char *count_text(const struct many *x)
{
	size_t dirs = (size_t)cJSON_GetArraySize(x->dirs);
	struct buf text = BUF_INIT;

	add_count(&text, strv_len(x->paths) - dirs, "FILE", "FILES");
	add_count(&text, dirs, "DIRECTORY", "DIRECTORIES");
	return buf_steal(&text);
}

/* What stands below the first two of them. */
static const char *delete_note(const struct many *x)
{
	bool more = x->paths[0] && x->paths[1] && x->paths[2];

	if (x->found)
		return more ? "and more; what is a directory goes with all "
			      "that is in it." :
			      "What is a directory goes with all that is in "
			      "it.";
	if (!cJSON_GetArraySize(x->dirs))
		return more ? "and more; they can't be brought back." :
			      "They can't be brought back.";
	return more ? "and more; directories with all that is in them." :
		      "Directories go with all that is in them.";
}

static void ask_many(struct model *m, struct files *f, bool download)
{
	struct many *x = many_new(f);
	size_t n = strv_len(x->paths);
	auto_free char *count = count_text(x);
	auto_free char *title =
		!download ? xasprintf("DELETE %s?", count) :
			    xasprintf("SAVE %s%s", count,
				      cJSON_GetArraySize(x->dirs) ?
					      " AS NAME.tar" : "");

	if (download)
		prompt_open(m, &(struct prompt){ .title = title,
						 .label = "local directory",
						 .text = ".",
						 .past = PAST_LOCAL,
						 .writes = downloads,
						 .done = download_to,
						 .release = many_free,
						 .data = x });
	else
		confirm_ask(m, &(struct confirm){
			.title = title,
			.lines = (const char *const[]){
				x->paths[0], n > 1 ? x->paths[1] : "",
				delete_note(x), NULL },
			.yes = delete_confirmed,
			.release = many_free,
			.data = x });
}

bool files_act_many(struct model *m, struct files *f, const cJSON *e,
		    enum action a)
{
	const char *path = json_text(e, "path");
	bool some = false, matches = f->glob;

	switch (a) {
	case ACT_MARK:
		if (e)
			mark_one(f, e);
		return true;
	case ACT_MARK_RANGE:
		if (e)
			mark_range(f);
		return true;
	case ACT_MARK_ALL:
		for (size_t i = 0; i < f->n; i++)
			mark(f, json_text(f->rows[i].e, "path"), true);
		return true;
	case ACT_UNMARK_ALL:
		files_unmark(f);
		return true;
	case ACT_GLOB:
		prompt_open(m, &(struct prompt){ .title = "FIND FILES",
						 .label = "pattern",
						 .text = "**/*",
						 .past = PAST_PATTERN,
						 .done = pattern_typed,
						 .data = f });
		return true;
	case ACT_DELETE:
	case ACT_DOWNLOAD:
		for (size_t i = 0; !some && i < f->n; i++)
			some = files_marked(f, f->rows[i].e);
		if (some)
			ask_many(m, f, a == ACT_DOWNLOAD);
		return some;
	case ACT_OPEN:
	case ACT_RIGHT:
		if (matches && e)
			look(m, f, path);
		return matches;
	case ACT_PARENT:
	case ACT_LEFT:
	case ACT_ENTER_DIRECTORY:
		if (matches && e)
			go_to(m, f, path);
		return matches;
	case ACT_REFRESH:
		files_reload(m, f);
		return true;
	case ACT_FILTER:
		f->typing = true;
		f->filter.past = past_of(m, PAST_FILTER);
		return true;
	case ACT_BACK:
		if (*field_text(&f->filter)) {
			field_set(&f->filter, "");
			return true;
		}
		if (!matches)
			return false;
		files_open(m, f, f->id, f->path);
		return true;
	default:
		return false;
	}
}
