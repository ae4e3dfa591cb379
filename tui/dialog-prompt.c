/* SPDX-License-Identifier: MIT */
/* One line asked for. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "tui/screen.h"

struct prompting {
	char *title, *label, *error;
	struct field typed;
	bool (*check)(const char *text, struct svm_err *err);
	void (*done)(struct model *m, const char *text, void *data);
	void (*release)(void *data);
	void *data;
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

static void prompt_view(const struct model *m, const void *state,
			struct canvas *c)
{
	const struct prompting *p = state;
	struct area in = dialog_box(c, 5, MIN(64, c->cols - 4), p->title);
	int used = canvas_textf(c, in.row + 1, in.col, in.cols / 2,
				pen_role(ROLE_DIM), "%s ", p->label);

	(void)m;
	field_view(&p->typed, c, in.row + 1, in.col + used,
		   MAX(in.cols - used, 1), pen_role(ROLE_INK), true);
	canvas_text(c, in.row + 2, in.col, in.cols,
		    pen_role(p->error ? ROLE_BAD : ROLE_DIM),
		    p->error ? p->error : "Enter does it, Esc leaves");
}

static void submit(struct model *m, struct prompting *p)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_free char *text = xstrdup(field_text(&p->typed));
	struct prompting kept = *p;

	if (p->check && !p->check(text, &err)) {
		free(p->error);
		p->error = xstrdup(err.msg);
		return;
	}
	/* It is gone before what follows may ask again. */
	field_keep(&p->typed);
	p->release = NULL;
	dialog_pop(m);
	kept.done(m, text, kept.data);
	if (kept.release)
		kept.release(kept.data);
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
	s->done = p->done;
	s->release = p->release;
	s->data = p->data;
	dialog_push(m, &prompt_ops, s);
}

char *prompt_path(const char *text)
{
	const char *home = getenv("HOME");

	return text[0] == '~' && text[1] == '/' && home ?
		       path_join(home, text + 2) : xstrdup(text);
}
