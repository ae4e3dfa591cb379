/* SPDX-License-Identifier: MIT */
/* One line asked for; and what to do when it names a file that is there. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/escape.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "lib/base/place.h"
#include "lib/base/utf8.h"
#include "lib/base/width.h"
#include "tui/frame.h"
#include "tui/screen.h"
#include "tui/wrap.h"

/* Files of a question; the rest is a number. */
#define NAMED_MAX 5

struct prompting {
	char *title, *label, *error;
	struct field typed;
	bool (*check)(const char *text, struct svm_err *err);
	int (*fits)(const struct model *m, const char *text,
		    struct svm_err *err);
	char *(*loses)(const struct model *m, const char *text);
	char **(*writes)(const char *text, const void *data);
	void (*done)(struct model *m, const char *text, void *data);
	void (*release)(void *data);
	void *data;
	bool local; /* what is typed is a path here */
};

static void prompting_free(void *state)
{
	struct prompting *p = state;

	if (p->release)
		p->release(p->data);
	free(p->title);
	free(p->label);
	free(p->error);
	field_release(&p->typed);
	free(p);
}

/* Where a path leads from wherever the dashboard was started, with ~ for the
 * home directory.  The caller's. */
static char *whole_path(const char *text)
{
	auto_free char *path = prompt_path(text), *here = NULL, *all = NULL;
	const char *home = getenv("HOME"), *rest = path;
	size_t n = home ? strlen(home) : 0;

	while (strncmp(rest, "./", 2) == 0)
		rest += 2;
	if (strcmp(rest, ".") == 0)
		rest = "";
	if (*rest != '/')
		here = getcwd(NULL, 0);
	all = !here ? xstrdup(rest) : *rest ? path_join(here, rest) :
					      xstrdup(here);
	if (n > 1 && strncmp(all, home, n) == 0 && (!all[n] || all[n] == '/'))
		return xasprintf("~%s", all + n);
	return steal_ptr(&all);
}

/* Its end says most: what doesn't fit is cut at the front. */
static void view_place(const struct prompting *p, struct canvas *c,
		       struct area in)
{
	auto_free char *path = whole_path(field_text(&p->typed));
	auto_buf struct buf text = BUF_INIT;
	int room = in.cols - canvas_text(c, in.row + 2, in.col, in.cols,
					 pen_role(ROLE_DIM), "is ");
	const char *s, *mark = "";
	size_t width;

	escape_line(&text, path, strlen(path));
	s = buf_str(&text);
	width = width_text(s, text.len);
	while (*s && width + strlen(mark) > (size_t)MAX(room, 0)) {
		uint32_t cp;
		size_t n = (size_t)MAX(utf8_decode(s, strlen(s), &cp), 1);

		width -= MIN(width, width_text(s, n));
		s += n;
		mark = "...";
	}
	canvas_textf(c, in.row + 2, in.col + in.cols - room, room,
		     pen_role(ROLE_DIM), "%s%s", mark, s);
}

static void prompt_view(const struct model *m, const void *state,
			struct canvas *c)
{
	const struct prompting *p = state;
	int cols = MIN(64, c->cols - 4), first = p->local ? 3 : 2;
	char **lines = wrap_lines(p->error ? p->error :
					     "Enter does it, Esc leaves",
				  (size_t)MAX(cols - 4, 1));
	struct area in = dialog_box(c, first + 2 + (int)strv_len(lines), cols,
				    p->title);
	int used = canvas_textf(c, in.row + 1, in.col, in.cols / 2,
				pen_role(ROLE_DIM), "%s ", p->label);

	(void)m;
	field_view(&p->typed, c, in.row + 1, in.col + used,
		   MAX(in.cols - used, 1), pen_role(ROLE_INK), true);
	if (p->local)
		view_place(p, c, in);
	for (int i = 0; lines[i] && first + i < in.rows; i++)
		canvas_text(c, in.row + first + i, in.col, in.cols,
			    pen_role(p->error ? ROLE_BAD : ROLE_DIM),
			    lines[i]);
	strv_free(lines);
}

static void finish(struct model *m, void *data)
{
	struct prompting *p = data, kept = *p;
	auto_free char *text = xstrdup(field_text(&p->typed));

	/* It is gone before what follows may ask again. */
	field_keep(&p->typed);
	p->release = NULL;
	dialog_pop(m);
	kept.done(m, text, kept.data);
	if (kept.release)
		kept.release(kept.data);
}

/* That a file can be made there: now, while the path can still be mended. */
static int check_place(const char *name, struct svm_err *err)
{
	auto_place struct place place = PLACE_INIT;
	const char *path = place_find(name, &place) < 0 ? name : place.path;
	const char *slash = strrchr(path, '/');
	auto_free char *dir = !slash ? xstrdup(".") :
				       xstrndup(path, MAX(slash - path, 1));

	return access(dir, W_OK | X_OK) < 0 ?
		       svm_err_sys(err, SVM_BAD_REQUEST, errno,
				   "can't write in %s", dir) : 0;
}

/* Those of them that are there, the caller's, and where a link leads; NULL, and
 * why, where one is no file: a device or a pipe would be one instead. */
static char **find_there(char *const *paths, int64_t *ret_bytes,
			 struct svm_err *err)
{
	char **there = xcalloc(strv_len(paths) + 1, sizeof(*there));
	size_t n = 0;

	*ret_bytes = 0;
	for (char *const *p = paths; *p; p++) {
		auto_place struct place at = PLACE_INIT;

		if (place_find(*p, &at) < 0 ||
		    (at.kind == PLACE_NEW && !at.outside))
			continue; /* who writes it says what is wrong */
		const char *kept = place_kept_as(&at);

		if (!kept) {
			*ret_bytes += at.st.st_size;
			there[n++] = !at.linked ? xstrdup(*p) :
				     xasprintf("%s -> %s", *p, at.path);
			continue;
		}
		svm_err_set(err, SVM_BAD_REQUEST, "%s is %s: name a file", *p,
			    kept);
		strv_free(there);
		return NULL;
	}
	return there;
}

/* The prompt stays below: No leads back to it. */
static void ask_replace(struct model *m, struct prompting *p, char **there,
			int64_t bytes)
{
	size_t n = strv_len(there), shown = MIN(n, NAMED_MAX), i;
	char size[FRAME_TIME_SIZE], *lines[NAMED_MAX + 3] = { NULL };
	auto_free char *title = n == 1 ? xstrdup("REPLACE A FILE?") :
					 xasprintf("REPLACE %zu FILES?", n);

	frame_bytes(bytes, size);
	for (i = 0; i < shown; i++)
		lines[i] = xstrdup(there[i]);
	if (n > shown)
		lines[i++] = xasprintf("and %zu more", n - shown);
	lines[i] = xasprintf("What %s now, %s, is lost.",
			     n == 1 ? "it holds" : "they hold", size);
	confirm_ask(m, &(struct confirm){ .title = title,
					  .lines = (const char *const *)lines,
					  .yes = finish,
					  .data = p });
	for (i = 0; lines[i]; i++)
		free(lines[i]);
}

static void ask_lose(struct model *m, struct prompting *p, const char *what)
{
	confirm_ask(m, &(struct confirm){
			       .title = "REPLACE IT?",
			       .lines = (const char *const[]){
				       field_text(&p->typed), what, NULL },
			       .yes = finish,
			       .data = p });
}

static void submit(struct model *m, struct prompting *p)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	const char *text = field_text(&p->typed);
	char **paths = NULL, **there = NULL;
	bool good = (!p->check || p->check(text, &err)) &&
		    (!p->fits || p->fits(m, text, &err) == 0);
	auto_free char *lost = good && p->loses ? p->loses(m, text) : NULL;
	int64_t bytes;

	if (good && p->writes) {
		paths = p->writes(text, p->data);
		there = find_there(paths, &bytes, &err);
		good = there && (p->writes != prompt_writes_it ||
				 check_place(paths[0], &err) == 0);
	}
	if (!good) {
		free(p->error);
		p->error = xstrdup(err.msg);
	} else if (there && there[0]) {
		ask_replace(m, p, there, bytes);
	} else if (lost) {
		ask_lose(m, p, lost);
	} else {
		finish(m, p);
	}
	strv_free(there);
	strv_free(paths);
}

static bool prompt_act(struct model *m, void *state, enum action a)
{
	struct prompting *p = state;

	if (a == ACT_SUBMIT)
		submit(m, p);
	else if (a == ACT_CLOSE)
		dialog_pop(m);
	else
		field_act(&p->typed, a);
	return true;
}

static bool prompt_input(struct model *m, void *state,
			 const struct input_event *ev)
{
	struct prompting *p = state;

	(void)m;
	if (ev->type == INPUT_PASTE)
		field_add(&p->typed, ev->data, ev->size);
	return ev->type != INPUT_KEY || field_key(&p->typed, ev->key);
}

static const struct dialog_ops prompt_ops = {
	.release = prompting_free,
	.view = prompt_view,
	.context = CTX_PROMPT,
	.field = true,
	.act = prompt_act,
	.input = prompt_input,
};

void prompt_open(struct model *m, const struct prompt *p)
{
	struct prompting *s = xcalloc(1, sizeof(*s));

	s->title = xstrdup(p->title);
	s->label = xstrdup(p->label);
	field_set(&s->typed, p->text ? p->text : "");
	s->typed.past = past_of(m, p->past);
	s->check = p->check;
	s->fits = p->fits;
	s->error = p->error ? xstrdup(p->error) : NULL;
	s->loses = p->loses;
	s->writes = p->writes;
	s->done = p->done;
	s->release = p->release;
	s->data = p->data;
	s->local = p->past == PAST_LOCAL;
	dialog_push(m, &prompt_ops, s);
}

char *prompt_path(const char *text)
{
	const char *home = getenv("HOME");

	return text[0] == '~' && text[1] == '/' && home ?
		       path_join(home, text + 2) : xstrdup(text);
}

char **prompt_writes_it(const char *text, const void *data)
{
	auto_free char *path = prompt_path(text);

	(void)data;
	return strv_dup((char *const[]){ path, NULL });
}
