/* SPDX-License-Identifier: MIT */
/*
 * The spawn form.  It shows the command that does the same: it teaches the
 * command line.  It stays while the daemon is at work, so that what was typed
 * is still there when it says no.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "tui/glyph.h"
#include "tui/list.h"
#include "tui/screen.h"
#include "tui/spawn-form.h"

/* The command's lines: less where there is no room. */
static int command_rows(int rows)
{
	return rows < SPAWN_FIELDS + 6 ? 1 : rows < SPAWN_FIELDS + 8 ? 2 : 3;
}

struct spawn {
	struct spawn_form form;
	size_t at;
	bool touched;
	char *error;
	char *waits; /* for the answer to this request; NULL: it doesn't */
	cJSON *images;
};

static void spawn_free(void *state)
{
	struct spawn *f = state;

	spawn_form_release(&f->form);
	free(f->error);
	free(f->waits);
	cJSON_Delete(f->images);
	free(f);
}

/* -- drawing */

static void view_status(const struct model *m, const struct spawn *f,
			struct canvas *c, int row, struct area in)
{
	if (f->waits)
		canvas_textf(c, row, in.col, in.cols, pen_role(ROLE_ACCENT2),
			     "%s spawning   Esc goes on in the background   "
			     "^C cancels", m->set.ascii ? "~" : GLYPH_HALF);
	else if (f->error)
		canvas_text(c, row, in.col, in.cols, pen_role(ROLE_BAD),
			    f->error);
	else
		canvas_text(c, row, in.col, in.cols, pen_role(ROLE_DIM),
			    "Tab next   Enter spawn   Esc cancel");
}

static void spawn_view(const struct model *m, const void *state,
		       struct canvas *c)
{
	const struct spawn *f = state;
	auto_buf struct buf command_line = BUF_INIT;
	int command = command_rows(c->rows);
	struct area in = dialog_box(c, SPAWN_FIELDS + command + 4,
				    MIN(76, c->cols - 2), "SPAWN");
	int rows = MAX(in.rows - command - 1, 1);
	struct area below = { in.row + in.rows - command - 1, in.col, command,
			      in.cols };
	struct list_pos pos = { .at = f->at };

	list_settle(&pos, SPAWN_FIELDS, rows);
	for (int i = 0; i < rows && pos.top + (size_t)i < SPAWN_FIELDS; i++) {
		size_t at = pos.top + (size_t)i;

		form_field_view(c, in.row + i, in, spawn_fields[at].label,
				&f->form.field[at], spawn_fields[at].hint,
				at == f->at, !f->waits);
	}
	spawn_form_command(&f->form, &command_line);
	form_command_view(c, below, buf_str(&command_line));
	view_status(m, f, c, in.row + in.rows - 1, in);
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

static const struct dialog_ops spawn_ops;

/* The form that waits for this request, if it still does. */
static struct spawn *its_form(struct model *m, const struct request *r)
{
	struct spawn *f = dialog_top(m, &spawn_ops);

	return f && f->waits && strcmp(f->waits, r->about) == 0 ? f : NULL;
}

static void spawned(struct model *m, struct request *r)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	cJSON *object = request_object(r, &doc);
	struct spawn *f = its_form(m, r);
	const cJSON *id, *took;

	if (!object && f) {
		free(f->waits);
		f->waits = NULL;
		free(f->error);
		f->error = xstrdup(r->err.msg);
		svm_err_release(&r->err);
	}
	if (!object)
		return;
	id = json_get(object, "id");
	took = json_get(json_get(object, "timings"), "total_ms");
	if (!cJSON_IsString(id))
		return;
	if (f)
		dialog_pop(m);
	if (cJSON_IsNumber(took))
		model_say(m, "%s runs after %.0f ms", id->valuestring,
			  took->valuedouble);
	else
		model_say(m, "%s runs", id->valuestring);
	fleet_put(&m->fleet, request_steal(&doc, object));
}

static void submit(struct model *m, struct spawn *f)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct request *r = request_new("POST", xstrdup("/api/v1/sandboxes"),
					spawned);
	enum spawn_field at;

	free(f->error);
	f->error = NULL;
	if (spawn_form_body(&f->form, &r->body, &at, &err) < 0) {
		f->error = xstrdup(err.msg);
		f->at = at;
		request_free(r);
		return;
	}
	r->has_body = true;
	r->doing = xstrdup("spawn");
	r->about = xasprintf("%lld", (long long)m->boot_ns);
	f->waits = xstrdup(r->about);
	request_send(m, r);
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
			m->effects |= EFFECT_CANCEL;
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
	int rows = MAX(in.rows - command_rows(m->rows) - 1, 1);
	struct spawn *f = state;
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

void spawn_open(struct model *m, const char *template)
{
	struct spawn *f = xcalloc(1, sizeof(*f));
	struct request *r = request_new("GET", xstrdup("/api/v1/images"),
					images_arrived);

	if (template)
		field_set(&f->form.field[SPAWN_TEMPLATE], template);
	dialog_push(m, &spawn_ops, f);
	r->quiet = true;
	request_send(m, r);
}
