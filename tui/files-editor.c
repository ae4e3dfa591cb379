/* SPDX-License-Identifier: MIT */
/* A file of a sandbox in $EDITOR: a local copy, written back when it
 * changed. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/digest.h"
#include "lib/base/escape.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "tui/editor-copy.h"
#include "tui/files-edit.h"
#include "tui/files.h"

#define EDITED_MAX (64 << 20)

/* A local copy, and what was in it. */
struct copied {
	struct files *f;
	char *id, *path, *mode;
	char *local, *etag;
	char before[DIGEST_TEXT + 1];
};

static void copied_free(void *data)
{
	struct copied *s = data;

	editor_copy_remove(s->local);
	free(s->local);
	free(s->id);
	free(s->path);
	free(s->mode);
	free(s->etag);
	free(s);
}

/* In the sandbox that it came from, whichever is in view by now. */
static struct request *copied_request(const struct copied *s,
				      const char *method, request_fn done)
{
	const struct files its = { .id = s->id };

	return files_request(&its, method, "", s->path, done);
}

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

static void write_back(struct model *m, struct copied *s);

enum answer { KEEP_COPY, OVERWRITE, SAVE_AS, LEAVE };

/* The question frees what it was about. */
static struct copied *take(struct copied *s)
{
	struct copied *own = xmalloc(sizeof(*own));

	*own = *s;
	*s = (struct copied){ 0 };
	return own;
}

static void keep_copy(struct model *m, struct copied *s)
{
	model_say(m, "not saved; your copy is %s", s->local);
	free(s->local);
	s->local = NULL;
}

/* Escape decides nothing: the copy stays.  Without a path it was taken. */
static void undecided(void *data)
{
	struct copied *s = data;

	free(s->local);
	s->local = NULL;
	copied_free(s);
}

static void save_as(struct model *m, const char *text, void *data)
{
	struct copied *s = take(data);

	free(s->path);
	free(s->etag);
	s->path = *text == '/' || !s->f->path ? xstrdup(text) :
						path_join(s->f->path, text);
	s->etag = xstrdup(""); /* only where nothing is */
	write_back(m, s);
}

static void ask_name(struct model *m, struct copied *s, const char *error)
{
	prompt_open(m, &(struct prompt){ .title = "SAVE AS",
					 .label = "new file",
					 .text = s->path,
					 .past = PAST_INSIDE,
					 .check = files_name_given,
					 .error = error,
					 .done = save_as,
					 .release = undecided,
					 .data = s });
}

static void answered(struct model *m, size_t i, void *data)
{
	struct copied *s = data;

	switch ((enum answer)i) {
	case KEEP_COPY:
		keep_copy(m, s);
		break;
	case OVERWRITE:
		s = take(s);
		free(s->etag);
		s->etag = NULL;
		write_back(m, s);
		break;
	case SAVE_AS:
		ask_name(m, take(s), NULL);
		break;
	case LEAVE:
		model_say(m, "%s is as the other one left it", s->path);
		copied_free(take(s));
		break;
	}
}

static void ask_conflict(struct model *m, struct copied *s)
{
	auto_free char *keep = xasprintf("write nothing, keep %s", s->local);
	const struct menu_item items[] = {
		[KEEP_COPY] = { .label = keep, .key = "k" },
		[OVERWRITE] = { .label = "overwrite that with your text",
				.key = "o" },
		[SAVE_AS] = { .label = "save your text under another name",
			      .key = "s" },
		[LEAVE] = { .label = "leave that, throw your text away",
			    .key = "t" },
	};
	const char *slash = strrchr(s->path, '/');
	auto_free char *title = xasprintf("%s WAS CHANGED BY ANOTHER",
					  slash ? slash + 1 : s->path);

	menu_open(m, title, items, ARRAY_SIZE(items), answered, s, undecided);
}

static void written_back(struct model *m, struct request *r)
{
	struct copied *s = r->data;

	s->f->transfers--;
	if (r->err.code == SVM_PRECONDITION) {
		svm_err_release(&r->err);
		if (s->etag && !*s->etag) /* the name is another's */
			ask_name(m, s, "it is there already");
		else
			ask_conflict(m, s);
		return;
	}
	if (r->err.code == SVM_OK) {
		model_say(m, "saved %s", s->path);
		if (s->f->view_path && strcmp(s->f->view_path, s->path) == 0)
			files_read(m, s->f, s->path);
		if (s->f->path)
			files_reload(m, s->f);
	} else {
		keep_copy(m, s); /* nobody's work is thrown away */
	}
	copied_free(s);
}

/* The program ends before it was saved: the copy is the user's. */
static void forget_save(void *data)
{
	auto_buf struct buf safe = BUF_INIT;
	struct copied *s = data;

	escape_line(&safe, s->local, strlen(s->local));
	fprintf(stderr, "not saved; your copy is %s\n", buf_str(&safe));
	free(s->local);
	s->local = NULL;
	copied_free(s);
}

static void write_back(struct model *m, struct copied *s)
{
	struct request *r = copied_request(s, "PUT", written_back);

	if (*s->mode) {
		char *with = xasprintf("%s&mode=%s", r->target, s->mode);

		free(r->target);
		r->target = with;
	}
	r->upload = xstrdup(s->local);
	if (s->etag)
		r->if_match = xstrdup(s->etag);
	r->data = s;
	r->forget = forget_save;
	s->f->transfers++;
	r->doing = xasprintf("save %s", s->path);
	request_send(m, r);
}

static void edited(struct model *m, void *data, bool ok)
{
	struct copied *s = data;
	char after[DIGEST_TEXT + 1];

	if (!ok || file_digest(s->local, after) < 0 ||
	    strcmp(after, s->before) == 0) {
		auto_free char *same = xasprintf("%s is as it was", s->path);

		if (ok)
			model_say(m, "%s", same);
		else
			model_complain(m, &m->editor.err, same);
		copied_free(s);
		return;
	}
	write_back(m, s);
}

static void fetched(struct model *m, struct request *r)
{
	struct copied *s = r->data;

	if (r->err.code != SVM_OK || file_digest(s->local, s->before) < 0 ||
	    m->editor.path) {
		copied_free(s);
		return;
	}
	s->etag = steal_ptr(&r->etag);
	m->editor.path = xstrdup(s->local);
	m->editor.done = edited;
	m->editor.data = s;
	m->effects |= EFFECT_EDITOR;
}

static void looked(struct model *m, struct files *f, const char *path,
		   const cJSON *info)
{
	struct copied *s = xcalloc(1, sizeof(*s));
	auto_err struct svm_err err = SVM_ERR_INIT;
	const char *name = files_name(path);
	struct request *r;

	s->f = f;
	s->id = xstrdup(f->id);
	s->path = xstrdup(path);
	s->mode = xstrdup(json_text(info, "mode"));
	s->local = editor_copy_make(*name ? name : "file", &err);
	if (!s->local) {
		model_complain(m, &err, NULL);
		copied_free(s);
		return;
	}
	r = files_request(f, "GET", "", path, fetched);
	r->download = xstrdup(s->local);
	r->data = s;
	r->forget = copied_free;
	r->doing = xasprintf("edit %s", path);
	request_send(m, r);
}

void files_editor(struct model *m, struct files *f, const char *path)
{
	files_look(m, f, path, looked);
}
