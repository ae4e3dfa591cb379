/* SPDX-License-Identifier: MIT */
/*
 * The spawn form.  It shows the command that does the same: it teaches the
 * command line.  It stays while the daemon is at work, so that what was typed
 * is still there when it says no; when that takes long, a panel above it tells
 * how far it is (spawning.h).
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "tui/frame.h"
#include "tui/glyph.h"
#include "tui/list.h"
#include "tui/screen.h"
#include "tui/spawn-form.h"
#include "tui/spawning.h"

static const struct dialog_ops spawn_ops, panel_ops;

#define BORDER_ROWS 3
#define ERROR_ROWS 3 /* and more for one that is longer */
#define FIELD_ROWS_LEAST 3 /* where an error needs the rest */
/* The time in the panel's title. */
#define PANEL_TICK_NS (100 * INT64_C(1000000))
#define PANEL_STILL_NS (1000 * INT64_C(1000000))

struct spawn {
	struct spawn_form form;
	size_t at;
	bool touched;
	char *error;
	struct spawning *waits; /* for this one, borrowed; or NULL */
	cJSON *images;
};

/* The command's lines: less where there is no room. */
static int command_rows(int rows)
{
	return rows < SPAWN_FIELDS + 6 ? 1 : rows < SPAWN_FIELDS + 8 ? 2 : 3;
}

static int columns(int cols)
{
	return MIN(76, cols - 2);
}

/* Below the fields: a blank line, the command, and how it stands. */
static int rows_below(const struct spawn *f, int rows, int cols)
{
	int status = 1;

	if (f->error) {
		status = form_text_rows(f->error, columns(cols) - 4);
		status = MIN(status, rows - BORDER_ROWS - command_rows(rows) -
					     FIELD_ROWS_LEAST);
		status = MAX(status, ERROR_ROWS);
	}
	return command_rows(rows) + status;
}

static void spawn_free(void *state)
{
	struct spawn *f = state;

	spawn_form_release(&f->form);
	free(f->error);
	cJSON_Delete(f->images);
	free(f);
}

/* -- drawing */

static void view_status(const struct model *m, const struct spawn *f,
			struct canvas *c, struct area in)
{
	if (dialog_top(m, &panel_ops))
		return; /* it says that */
	if (f->waits)
		canvas_textf(c, in.row, in.col, in.cols,
			     pen_role(ROLE_ACCENT2),
			     "%s spawning   Esc goes on in the background   "
			     "^C cancels", m->set.ascii ? "~" : GLYPH_HALF);
	else if (f->error)
		form_text_view(c, in, pen_role(ROLE_BAD), f->error);
	else
		canvas_text(c, in.row, in.col, in.cols, pen_role(ROLE_DIM),
			    "Tab next   Enter spawn   Esc cancel");
}

/* What an empty field says. */
static const char *hint(const struct model *m, enum spawn_field i)
{
	bool none = i == SPAWN_TEMPLATE && m->templates &&
		    !cJSON_GetArraySize(m->templates);

	return none ? "no templates yet" : spawn_fields[i].hint;
}

static void spawn_view(const struct model *m, const void *state,
		       struct canvas *c)
{
	const struct spawn *f = state;
	auto_buf struct buf command_line = BUF_INIT;
	int command = command_rows(c->rows);
	int under = rows_below(f, c->rows, c->cols);
	struct area in = dialog_box(c, SPAWN_FIELDS + under + BORDER_ROWS,
				    columns(c->cols), "SPAWN");
	int rows = MAX(in.rows - under, 1);
	struct area below = { in.row + in.rows - under, in.col, command,
			      in.cols };
	struct area status = { below.row + command, in.col, under - command,
			       in.cols };
	struct list_pos pos = { .at = f->at };

	list_settle(&pos, SPAWN_FIELDS, rows);
	for (int i = 0; i < rows && pos.top + (size_t)i < SPAWN_FIELDS; i++) {
		size_t at = pos.top + (size_t)i;

		form_field_view(c, in.row + i, in, spawn_fields[at].label,
				&f->form.field[at], hint(m, at),
				at == f->at, !f->waits);
	}
	/* Where they don't fit, that there are more. */
	if (rows < SPAWN_FIELDS)
		frame_place(c, (struct area){ in.row - 1, in.col - 2,
					      in.rows + 2, in.cols + 4 },
			    f->at, SPAWN_FIELDS);
	spawn_form_command(&f->form, &command_line);
	form_command_view(c, below, buf_str(&command_line));
	view_status(m, f, c, status);
}

/* -- choices */

/* What a field can be chosen from: the i-th, NULL past the last. */
static const char *choice(const struct model *m, const struct spawn *f,
			  int i)
{
	static const char *const networks[] = { "none", "bridge" };
	const cJSON *list = f->at == SPAWN_TEMPLATE ? m->templates :
			    f->at == SPAWN_PROVIDER ? m->providers :
			    f->at == SPAWN_IMAGE    ? f->images : NULL;
	const cJSON *name;

	if (f->at == SPAWN_NETWORK)
		return i < (int)ARRAY_SIZE(networks) ? networks[i] : NULL;
	name = json_get(cJSON_GetArrayItem(list, i),
			f->at == SPAWN_IMAGE ? "ref" : "name");
	return cJSON_IsString(name) ? name->valuestring : NULL;
}

/* The next choice, around by way of nothing; false when the field has none,
 * or text of the user's own, in which Left and Right move. */
static bool choose(const struct model *m, struct spawn *f, int step)
{
	struct field *field = &f->form.field[f->at];
	const char *c;
	int n = 0, at = -1;

	for (; (c = choice(m, f, n)); n++)
		if (strcmp(c, field_text(field)) == 0)
			at = n;
	if (!n || (at < 0 && *field_text(field)))
		return false;
	at = (at + 1 + step + n + 1) % (n + 1) - 1;
	field_set(field, at < 0 ? "" : choice(m, f, at));
	return true;
}

/* -- spawning */

/* The form that waits for it, without the panel above; NULL when it goes on
 * in the background. */
static struct spawn *its_form(struct model *m, const struct spawning *s)
{
	struct spawn *f;

	if (dialog_top(m, &panel_ops) == s)
		dialog_pop(m);
	f = dialog_top(m, &spawn_ops);
	return f && f->waits == s ? f : NULL;
}

static void set_error(struct spawn *f, const struct svm_err *err)
{
	free(f->error);
	f->error = xasprintf("%s%s%s", err->msg ? err->msg : "it failed",
			     err->hint ? "; " : "",
			     err->hint ? err->hint : "");
}

static void failed(struct model *m, struct spawn *f, struct spawning *s)
{
	if (f) {
		f->waits = NULL;
		set_error(f, &s->err);
		spawning_free(m, s);
		return;
	}
	model_complain(m, &s->err, "spawn (the form has it as it was)");
	spawning_free(m, m->spawn_failed);
	m->spawn_failed = s;
}

static void ended(struct model *m, struct spawning *s)
{
	struct spawn *f = its_form(m, s);
	const cJSON *took;

	if (!s->sandbox) {
		failed(m, f, s);
		return;
	}
	if (f) {
		dialog_pop(m);
		free(m->made);
		m->made = xstrdup(json_text(s->sandbox, "id"));
	}
	took = json_get(json_get(s->sandbox, "timings"), "total_ms");
	if (cJSON_IsNumber(took))
		model_say(m, "%s runs after %.0f ms",
			  json_text(s->sandbox, "id"), took->valuedouble);
	else
		model_say(m, "%s runs", json_text(s->sandbox, "id"));
	fleet_put(&m->fleet, steal_ptr(&s->sandbox));
	spawning_free(m, s);
}

static void submit(struct model *m, struct spawn *f)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf body = BUF_INIT;
	enum spawn_field at;

	free(f->error);
	f->error = NULL;
	if (spawn_form_body(&f->form, &body, &at, &err) < 0) {
		set_error(f, &err);
		f->at = at;
		return;
	}
	f->waits = spawning_start(m, &f->form, buf_str(&body), ended);
}

/* Nothing is lost: the form has it all. */
static void cancel(struct model *m, struct spawn *f)
{
	spawning_cancel(m, f->waits);
	f->waits = NULL;
	model_say(m, "spawn cancelled");
}

/* -- the panel */

static void panel_view(const struct model *m, const void *state,
		       struct canvas *c)
{
	spawning_view(m, state, c);
}

static bool panel_act(struct model *m, void *state, enum action a)
{
	struct spawn *f;

	if (a != ACT_BACKGROUND && a != ACT_CANCEL_SPAWN)
		return true;
	f = its_form(m, state);
	if (f && a == ACT_CANCEL_SPAWN)
		cancel(m, f);
	else if (f)
		dialog_pop(m);
	return true;
}

static const struct dialog_ops panel_ops = {
	.view = panel_view,
	.context = CTX_SPAWNING,
	.act = panel_act,
};

int64_t spawn_wake(const struct model *m)
{
	const struct spawn *f = dialog_top(m, &spawn_ops);

	if (dialog_top(m, &panel_ops))
		return m->boot_ns + (m->set.motion ? PANEL_TICK_NS :
						     PANEL_STILL_NS);
	return f && f->waits ? f->waits->begun_ns + SPAWNING_QUIET_NS : 0;
}

void spawn_tick(struct model *m)
{
	struct spawn *f = dialog_top(m, &spawn_ops);

	if (f && f->waits &&
	    m->boot_ns >= f->waits->begun_ns + SPAWNING_QUIET_NS)
		dialog_push(m, &panel_ops, f->waits);
}

/* -- keys */

static void close_form(struct model *m, const struct spawn *f)
{
	if (f->touched && spawn_form_filled(&f->form))
		form_leave_ask(m);
	else
		dialog_pop(m);
}

/* What was wrong is being mended. */
static void touched(struct spawn *f)
{
	f->touched = true;
	free(f->error);
	f->error = NULL;
}

static bool spawn_act(struct model *m, void *state, enum action a)
{
	struct spawn *f = state;

	if (f->waits) {
		if (a == ACT_CLOSE)
			dialog_pop(m);
		return true;
	}
	switch (a) {
	case ACT_NEXT_FIELD:
	case ACT_PREV_FIELD:
		f->at = (f->at + (a == ACT_NEXT_FIELD ? 1 :
					SPAWN_FIELDS - 1)) % SPAWN_FIELDS;
		return true;
	case ACT_SUBMIT:
		submit(m, f);
		return true;
	case ACT_CLOSE:
		close_form(m, f);
		return true;
	case ACT_LEFT:
	case ACT_RIGHT:
		if (!choose(m, f, a == ACT_LEFT ? -1 : 1))
			field_act(&f->form.field[f->at], a);
		break;
	default:
		field_act(&f->form.field[f->at], a);
	}
	touched(f);
	return true;
}

static bool spawn_input(struct model *m, void *state,
			const struct input_event *ev)
{
	struct spawn *f = state;

	if (f->waits) {
		if (ev->type == INPUT_KEY &&
		    key_is(ev->key, 'c', KEY_MOD_CTRL)) {
			cancel(m, f);
			return true;
		}
		return ev->type != INPUT_KEY;
	}
	if (ev->type == INPUT_PASTE) {
		field_add(&f->form.field[f->at], ev->data, ev->size);
		touched(f);
	}
	if (ev->type != INPUT_KEY)
		return true;
	if (!field_key(&f->form.field[f->at], ev->key))
		return false;
	touched(f);
	return true;
}

/* The field there is the one that is typed in. */
static void spawn_click(struct model *m, void *state, int row, int col,
			struct area in)
{
	struct spawn *f = state;
	int rows = MAX(in.rows - rows_below(f, m->rows, m->cols), 1);
	struct list_pos pos = { .at = f->at };

	(void)col;
	list_settle(&pos, SPAWN_FIELDS, rows);
	if (!f->waits && row < rows && pos.top + (size_t)row < SPAWN_FIELDS)
		f->at = pos.top + (size_t)row;
}

static const struct dialog_ops spawn_ops = {
	.click = spawn_click,
	.release = spawn_free,
	.view = spawn_view,
	.context = CTX_FORM,
	.field = true,
	.act = spawn_act,
	.input = spawn_input,
};

static void images_arrived(struct model *m, struct request *r)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	struct spawn *f = dialog_top(m, &spawn_ops);
	cJSON *array = request_array(r, &doc);

	/* Only choices are missing without them. */
	svm_err_release(&r->err);
	if (!array || !f)
		return;
	cJSON_Delete(f->images);
	f->images = request_steal(&doc, array);
}

/* What went wrong in the background can be mended. */
static void take_failed(struct model *m, struct spawn *f)
{
	struct spawning *s = steal_ptr(&m->spawn_failed);

	if (!s)
		return;
	spawn_form_copy(&f->form, &s->form);
	set_error(f, &s->err);
	f->touched = true;
	spawning_free(m, s);
}

void spawn_open(struct model *m, const char *template)
{
	struct spawn *f = xcalloc(1, sizeof(*f));
	struct request *r = request_new("GET", xstrdup("/api/v1/images"),
					images_arrived);

	if (template)
		field_set(&f->form.field[SPAWN_TEMPLATE], template);
	else
		take_failed(m, f);
	f->at = SPAWN_IMAGE; /* what one wants to say first */
	dialog_push(m, &spawn_ops, f);
	r->quiet = true;
	request_send(m, r);
}
