/* SPDX-License-Identifier: MIT */
/*
 * The form of a sandbox's name and labels, and that of the labels of several.
 * Like the spawn form it shows the command that does the same, and stays while
 * the daemon is at work: a name may be taken.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "tui/batch.h"
#include "tui/glyph.h"
#include "tui/label-form.h"
#include "tui/label-undo.h"
#include "tui/sandbox-act.h"
#include "tui/screen.h"

#define COMMAND_ROWS 3

struct labelling {
	struct label_form form;
	char **ids;
	size_t at;
	char *error;
	char *waits; /* for the answer to this request; NULL: it doesn't */
};

static void labelling_free(void *state)
{
	struct labelling *l = state;

	label_form_release(&l->form);
	strv_free(l->ids);
	free(l->error);
	free(l->waits);
	free(l);
}

/* The fields of this form: several sandboxes have no name together. */
static size_t first(const struct labelling *l)
{
	return l->form.more ? LABEL_LABELS : LABEL_NAME;
}

/* -- drawing */

static void view_status(const struct model *m, const struct labelling *l,
			struct canvas *c, int row, struct area in)
{
	auto_buf struct buf text = BUF_INIT;

	if (l->waits) {
		canvas_textf(c, row, in.col, in.cols, pen_role(ROLE_ACCENT2),
			     "%s changing   Esc does not wait",
			     m->set.ascii ? "~" : GLYPH_HALF);
		return;
	}
	if (l->error) {
		canvas_text(c, row, in.col, in.cols, pen_role(ROLE_BAD),
			    l->error);
		return;
	}
	buf_addf(&text, "%sEnter change   Esc cancel",
		 l->form.more ? "" : "Tab next   ");
	if (l->form.unshown)
		buf_addf(&text, "   %zu not shown, %s", l->form.unshown,
			 l->form.unshown == 1 ? "stays" : "stay");
	canvas_text(c, row, in.col, in.cols, pen_role(ROLE_DIM),
		    buf_str(&text));
}

static void labelling_view(const struct model *m, const void *state,
			   struct canvas *c)
{
	static const char *const labels[] = { "name", "labels" };
	const struct labelling *l = state;
	const char *hints[] = { "none", l->form.more ? "KEY=VALUE sets, KEY- "
						       "removes ..." :
						       "KEY=VALUE KEY='a b' ..." };
	size_t from = first(l);
	int n = (int)(LABEL_FIELDS - from);
	auto_free char *title = l->form.more ?
		xasprintf("LABEL %zu SANDBOXES", l->form.more + 1) :
		xasprintf("NAME AND LABELS OF %s", l->form.id);
	auto_buf struct buf command = BUF_INIT;
	struct area in = dialog_box(c, n + COMMAND_ROWS + 4,
				    MIN(76, c->cols - 2), title);

	for (int i = 0; i < n; i++) {
		size_t at = from + (size_t)i;

		form_field_view(c, in.row + i, in, labels[at],
				&l->form.field[at], hints[at], at == l->at,
				!l->waits);
	}
	label_form_command(&l->form, &command);
	form_command_view(c, (struct area){ in.row + n + 1, in.col,
					    COMMAND_ROWS, in.cols },
			  buf_str(&command));
	view_status(m, l, c, in.row + in.rows - 1, in);
}

/* -- of one */

static const struct dialog_ops labelling_ops;

static void changed(struct model *m, struct request *r)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	cJSON *object = request_object(r, &doc);
	struct labelling *l = dialog_top(m, &labelling_ops);

	/* It may have been left, and be open anew. */
	if (l && (!l->waits || strcmp(l->waits, r->about) != 0))
		l = NULL;
	if (!object && l) {
		free(l->waits);
		l->waits = NULL;
		free(l->error);
		l->error = xstrdup(r->err.msg);
		svm_err_release(&r->err);
	}
	if (!object)
		return;
	if (l)
		dialog_pop(m);
	model_say(m, "changed %s; u takes it back", json_text(object, "id"));
	fleet_put(&m->fleet, request_steal(&doc, object));
}

static struct request *patch(const char *id, const struct buf *body,
			     request_fn done)
{
	struct request *r = request_new("PATCH", request_sandbox(id, ""),
					done);

	buf_add(&r->body, body->data, body->len);
	r->has_body = true;
	r->doing = xasprintf("change %s", id);
	return r;
}

static void send_patch(struct model *m, struct labelling *l,
		       const struct buf *body)
{
	struct request *r = patch(l->form.id, body, changed);

	r->about = xasprintf("%lld", (long long)m->boot_ns);
	l->waits = xstrdup(r->about);
	label_undo_begin(m, body);
	label_undo_note(m, l->form.id);
	request_send(m, r);
}

/* -- of several */

static void body_free(void *data)
{
	buf_release(data);
	free(data);
}

static struct request *make_patch(struct model *m, const char *id, void *data,
				  struct svm_err *err)
{
	(void)err;
	label_undo_note(m, id);
	return patch(id, data, NULL);
}

static void tell_undo(const void *data, struct buf *say)
{
	(void)data;
	buf_addstr(say, "; u takes it back");
}

static void label_all(struct model *m, struct labelling *l,
		      const struct buf *body)
{
	struct buf *kept = xcalloc(1, sizeof(*kept));
	char **ids = steal_ptr(&l->ids);

	buf_add(kept, body->data, body->len);
	dialog_pop(m);
	label_undo_begin(m, body);
	batch_start(m, &(struct batch){ .doing = "labelling",
					.done = "labelled",
					.then = tell_undo,
					.make = make_patch,
					.each = sandbox_answered,
					.data = kept,
					.release = body_free }, ids);
}

/* -- keys */

static void submit(struct model *m, struct labelling *l)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf body = BUF_INIT;
	enum label_field at = LABEL_LABELS;
	int r = label_form_body(&l->form, &body, &at, &err);

	free(l->error);
	l->error = NULL;
	if (r < 0) {
		l->error = xstrdup(err.msg);
		l->at = at;
	} else if (!r) {
		dialog_pop(m);
		model_say(m, "nothing changes");
	} else if (l->form.more) {
		label_all(m, l, &body);
	} else {
		send_patch(m, l, &body);
	}
}

/* What was wrong is being mended. */
static void touched(struct labelling *l)
{
	free(l->error);
	l->error = NULL;
}

static void step(struct labelling *l, bool forward)
{
	size_t n = LABEL_FIELDS - first(l);

	l->at = first(l) + (l->at - first(l) + (forward ? 1 : n - 1)) % n;
}

static bool labelling_act(struct model *m, void *state, enum action a)
{
	struct labelling *l = state;

	if (a == ACT_CLOSE) {
		if (!l->waits && label_form_changed(&l->form))
			form_leave_ask(m);
		else
			dialog_pop(m);
	} else if (l->waits) {
		return true;
	} else if (a == ACT_NEXT_FIELD || a == ACT_PREV_FIELD) {
		step(l, a == ACT_NEXT_FIELD);
	} else if (a == ACT_SUBMIT) {
		submit(m, l);
	} else {
		field_act(&l->form.field[l->at], a);
		touched(l);
	}
	return true;
}

static bool labelling_input(struct model *m, void *state,
			    const struct input_event *ev)
{
	struct labelling *l = state;
	struct field *field = &l->form.field[l->at];

	(void)m;
	if (l->waits)
		return ev->type != INPUT_KEY;
	if (ev->type == INPUT_PASTE) {
		field_add(field, ev->data, ev->size);
		touched(l);
	}
	if (ev->type != INPUT_KEY)
		return true;
	if (!field_key(field, ev->key))
		return false;
	touched(l);
	return true;
}

static void labelling_click(struct model *m, void *state, int row, int col,
			    struct area in)
{
	struct labelling *l = state;

	(void)m, (void)col, (void)in;
	if (!l->waits && first(l) + (size_t)row < LABEL_FIELDS)
		l->at = first(l) + (size_t)row;
}

static const struct dialog_ops labelling_ops = {
	.click = labelling_click,
	.release = labelling_free,
	.view = labelling_view,
	.context = CTX_FORM,
	.field = true,
	.act = labelling_act,
	.input = labelling_input,
};

void label_open(struct model *m, char **ids)
{
	struct labelling *l;

	if (!*ids) {
		strv_free(ids);
		return;
	}
	l = xcalloc(1, sizeof(*l));
	l->ids = ids;
	label_form_init(&l->form, ids[0], strv_len(ids) - 1,
			fleet_find(&m->fleet, ids[0]));
	l->at = first(l);
	dialog_push(m, &labelling_ops, l);
}
