/* SPDX-License-Identifier: MIT */
/*
 * Writing a text back to where it came from: only over what was read, which
 * is for the agent to see; else the user is asked.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/api/limits.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "tui/files-edit.h"
#include "tui/frame.h"
#include "tui/output.h"
#include "tui/text-diff.h"

/* On its way into the sandbox. */
struct saving {
	struct files *f;
	char *id, *path, *mode;
	struct buf text;
	struct digest digest;
	uint64_t mark;
	unsigned serial;
	bool leave, force;
	struct saving *next; /* is sent when this one is done; or NULL */
	char *if_match;    /* see struct request */
	struct buf theirs; /* what is there instead, and its ETag */
	char *etag;
};

const char *files_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* -- saving */

static void saving_free(void *data)
{
	struct saving *s = data;

	if (!s)
		return;
	saving_free(s->next);
	free(s->id);
	free(s->path);
	free(s->mode);
	buf_release(&s->text);
	free(s->if_match);
	buf_release(&s->theirs);
	free(s->etag);
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
	free(err->hint);
	err->hint = xasprintf("a draft is %s", x->draft);
	model_complain(m, err, "not saved");
	svm_err_release(err);
}

static void compare(struct model *m, struct saving *s);
static void begin(struct model *m, struct saving *s);

/* It is under way no longer.  The editor it came from, if it is there. */
static struct file_edit *ended(struct model *m, const struct saving *s)
{
	struct file_edit *x = editor_of(s);

	model_unsay(m, TOAST_SAVING);
	if (x)
		x->saving = NULL;
	return x;
}

/* The editor has what is there now. */
static void is_saved(struct model *m, struct file_edit *x,
		     const struct saving *s, char *etag_owned)
{
	if (strcmp(x->path, s->path) != 0) { /* under another name */
		free(x->path);
		free(x->warning);
		x->path = xstrdup(s->path);
		x->warning = xasprintf("%s is not saved; a draft is kept.",
				       files_name(x->path));
	}
	free(x->etag);
	x->etag = etag_owned;
	x->base = s->digest;
	x->e.saved = s->mark;
	files_drop_draft(x);
	if (!edit_modified(&x->e)) {
		if (s->leave && !s->next)
			files_edit_leave(m, s->f);
		return;
	}
	x->seen = 0; /* what was typed meanwhile isn't saved */
	files_draft_changed(m, x);
}

static void say_saved(struct model *m, const struct saving *s)
{
	char size[FRAME_TIME_SIZE];

	frame_bytes((int64_t)s->text.len, size);
	model_say(m, "saved %s, %s%s", files_name(s->path), size,
		  s->next ? "; saving what came after that" : "");
	if (s->next)
		model_said_while(m, TOAST_SAVING);
}

/* Takes what waited for one that is there now, under this name. */
static void begin_next(struct model *m, struct saving *s, const char *path,
		       const char *etag)
{
	free(s->path);
	s->path = xstrdup(path);
	if (!editor_of(s) && !s->force && etag)
		s->if_match = xstrdup(etag);
	begin(m, s);
}

static void saved(struct model *m, struct request *r)
{
	struct saving *s = r->data, *next;
	struct file_edit *x = ended(m, s);

	/* A name that is taken is another matter. */
	if (x && r->err.code == SVM_PRECONDITION && s->if_match &&
	    *s->if_match) {
		svm_err_release(&r->err);
		compare(m, s);
		return;
	}
	if (r->err.code != SVM_OK) {
		if (x)
			not_saved(m, x, &r->err);
		saving_free(s);
		return;
	}
	say_saved(m, s);
	if (x)
		is_saved(m, x, s, xstrdup(r->etag));
	if (s->f->path)
		files_reload(m, s->f);
	next = steal_ptr(&s->next);
	if (next)
		begin_next(m, next, s->path, r->etag);
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
	if (s->if_match)
		r->if_match = xstrdup(s->if_match);
	if (x)
		x->saving = s;
	request_send(m, r);
}

static void put_over(struct model *m, struct saving *s, const char *if_match)
{
	free(s->if_match);
	s->if_match = if_match ? xstrdup(if_match) : NULL;
	put(m, s);
}

/* -- it is another file by now */

/* The question frees what it was about. */
static struct saving *take(struct saving *s)
{
	struct saving *own = xmalloc(sizeof(*own));

	*own = *s;
	*s = (struct saving){ 0 };
	return own;
}

static void save_as(struct model *m, const char *text, void *data)
{
	struct saving *s = take(data);

	free(s->path);
	s->path = *text == '/' || !s->f->path ? xstrdup(text) :
						path_join(s->f->path, text);
	put_over(m, s, ""); /* only where nothing is */
}

static void ask_name(struct model *m, struct saving *s)
{
	prompt_open(m, &(struct prompt){ .title = "SAVE AS",
					 .label = "new file",
					 .text = s->path,
					 .past = PAST_INSIDE,
					 .check = files_name_given,
					 .done = save_as,
					 .release = saving_free,
					 .data = s });
}

/* Theirs comes in as a change, so that ours is one step of undo away. */
static void take_theirs(struct model *m, struct saving *s)
{
	struct file_edit *x = editor_of(s);

	edit_replace(&x->e, buf_str(&s->theirs), s->theirs.len);
	x->base = digest_of(buf_str(&s->theirs), s->theirs.len);
	x->e.saved = edit_text_mark(&x->e.text);
	free(x->etag);
	x->etag = steal_ptr(&s->etag);
	files_draft_changed(m, x);
	model_say(m, "read again; u brings your text back");
}

static void ask_conflict(struct model *m, struct saving *s);

static void show_differences(struct model *m, struct saving *s)
{
	auto_buf struct buf text = BUF_INIT;

	text_diff(&text, "what is there now", &s->theirs, "your text",
		  &s->text);
	ask_conflict(m, s);
	output_open(m, s->path, buf_str(&text));
}

enum answer { GO_ON, OVERWRITE, SAVE_AS, DIFFERENCES, RELOAD };

static void answered(struct model *m, size_t i, void *data)
{
	struct saving *s = data;

	if (!editor_of(s))
		return;
	switch ((enum answer)i) {
	case GO_ON:
		break;
	case OVERWRITE: /* what was seen, not what came after it */
		s = take(s);
		put_over(m, s, s->etag ? s->etag : "");
		break;
	case SAVE_AS:
		ask_name(m, take(s));
		break;
	case DIFFERENCES:
		show_differences(m, take(s));
		break;
	case RELOAD:
		take_theirs(m, s);
		break;
	}
}

static void ask_conflict(struct model *m, struct saving *s)
{
	bool gone = !s->etag;
	const struct menu_item items[] = {
		[GO_ON] = { .label = "keep editing, write nothing",
			    .key = "Escape" },
		[OVERWRITE] = { .label = gone ? "write it again" :
						"overwrite that with your text",
				.key = "o" },
		[SAVE_AS] = { .label = "save your text under another name",
			      .key = "s" },
		[DIFFERENCES] = { .label = "view the differences",
				  .key = "v" },
		[RELOAD] = { .label = "read it again, without your text",
			     .key = "r" },
	};
	auto_free char *title =
		xasprintf(gone ? "%s IS NO LONGER THERE" :
				 "%s WAS CHANGED BY ANOTHER",
			  files_name(s->path));

	menu_open(m, title, items, gone ? DIFFERENCES : ARRAY_SIZE(items),
		  answered, s, saving_free);
}

/* What is in the file now: the same under another inode is no conflict. */
static void compared(struct model *m, struct request *r)
{
	struct saving *s = r->data;
	struct file_edit *x = ended(m, s);
	bool gone = r->err.code == SVM_FILE_NOT_FOUND ||
		    r->err.code == SVM_NOT_FOUND;
	struct digest is;

	if (!x || (r->err.code != SVM_OK && !gone)) {
		if (x)
			not_saved(m, x, &r->err);
		saving_free(s);
		return;
	}
	svm_err_release(&r->err);
	is = digest_of(buf_str(&r->reply), r->reply.len);
	free(s->etag);
	s->etag = gone ? NULL : r->etag ? steal_ptr(&r->etag) : xstrdup("*");
	if (!gone && digest_equal(&is, &x->base)) {
		put_over(m, s, s->etag);
		return;
	}
	files_keep_draft(x);
	buf_clear(&s->theirs);
	buf_add(&s->theirs, buf_str(&r->reply), r->reply.len);
	ask_conflict(m, s);
}

static void compare(struct model *m, struct saving *s)
{
	struct request *r = saving_request(s, "GET", compared);

	editor_of(s)->saving = s;
	r->most = LIMIT_TUI_EDIT + 1;
	request_send(m, r);
}

/* Without an ETag there is nothing to go by but what is there. */
static void begin(struct model *m, struct saving *s)
{
	const struct file_edit *x = editor_of(s);

	if (s->force || !x)
		put(m, s);
	else if (x->etag)
		put_over(m, s, x->etag);
	else
		compare(m, s);
}

/* The text as it is now. */
static struct saving *make(struct files *f, unsigned wants)
{
	struct file_edit *x = f->edit;
	const struct buf *text = &x->e.text.text;
	struct saving *s = xcalloc(1, sizeof(*s));

	s->f = f;
	s->id = xstrdup(x->id);
	s->path = xstrdup(x->path);
	s->mode = xstrdup(x->mode ? x->mode : "");
	buf_add(&s->text, buf_str(text), text->len);
	s->digest = digest_of(buf_str(text), text->len);
	s->mark = edit_text_mark(&x->e.text);
	s->serial = x->serial;
	s->leave = wants & EDIT_LEAVE;
	s->force = wants & EDIT_FORCE;
	return s;
}

/* After what is under way, in the place of what waits already. */
static void wait_for(struct model *m, struct saving *under_way,
		     struct saving *s)
{
	saving_free(under_way->next);
	under_way->next = NULL;
	if (digest_equal(&s->digest, &under_way->digest)) {
		under_way->leave |= s->leave;
		model_say(m, "%s is being saved", files_name(s->path));
		saving_free(s);
	} else {
		under_way->next = s;
		model_say(m, "%s is still being saved; your text of now is "
			     "saved after that", files_name(s->path));
	}
}

void files_save(struct model *m, struct files *f, unsigned wants)
{
	struct file_edit *x = f->edit;

	if (model_refuses(m, ACT_WRITE))
		return;
	struct saving *s = make(f, wants);

	if (x->saving) {
		wait_for(m, x->saving, s);
	} else {
		model_progress(m, "saving %s", files_name(x->path));
		begin(m, s);
	}
	model_said_while(m, TOAST_SAVING);
}
