/* SPDX-License-Identifier: MIT */
/*
 * The spawn form.  It shows the command that does the same: it teaches the
 * command line.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/duration.h"
#include "lib/base/mem.h"
#include "lib/base/width.h"
#include "tui/screen.h"

enum spawn_field { F_TEMPLATE, F_IMAGE, F_NAME, F_TTL, F_MEMORY, F_VCPUS,
		   F_PROVIDER, F_NETWORK, F_METADATA, F_MAX };

static const struct {
	const char *label, *key, *option, *hint;
} fields[F_MAX] = {
	[F_TEMPLATE] = { "template", "template", "--template",
			 "Left and Right choose" },
	[F_IMAGE] = { "image", "image", "--image",
		      "host, python:3.12; empty: the default" },
	[F_NAME] = { "name", "name", "--name", "a-z 0-9 -" },
	[F_TTL] = { "ttl", "ttl", "--ttl", "30m, 1h30m" },
	[F_MEMORY] = { "memory", "memory_mb", "--memory", "MiB" },
	[F_VCPUS] = { "vcpus", "vcpus", "--vcpus", "a number" },
	[F_PROVIDER] = { "provider", "provider", "--provider",
			 "Left and Right choose" },
	[F_NETWORK] = { "network", "network", "--network", "none, bridge" },
	[F_METADATA] = { "metadata", NULL, "--label",
			 "key=value key=value" },
};

struct spawn {
	struct field field[F_MAX];
	size_t at;
	char *error;
	bool touched;
};

static void spawn_free(void *state)
{
	struct spawn *f = state;

	for (size_t i = 0; i < F_MAX; i++)
		field_release(&f->field[i]);
	free(f->error);
	free(f);
}

static bool plain_word(const char *s)
{
	return *s && !s[strspn(s, "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789_@%+=:,./-")];
}

/* As a shell would have to be told. */
static void add_quoted(struct buf *out, const char *s)
{
	if (plain_word(s)) {
		buf_addstr(out, s);
		return;
	}
	buf_addch(out, '\'');
	for (; *s; s++)
		buf_addstr(out, *s == '\'' ? "'\\''" : (char[2]){ *s, '\0' });
	buf_addch(out, '\'');
}

/* The words of a field, one after the other. */
static void each_word(const char *text,
		      void (*fn)(const char *word, void *data), void *data)
{
	auto_free char *words = xstrdup(text);
	char *rest = NULL;

	for (char *w = strtok_r(words, " ", &rest); w;
	     w = strtok_r(NULL, " ", &rest))
		fn(w, data);
}

static void add_label(const char *word, void *data)
{
	struct buf *out = data;

	buf_addf(out, " %s ", fields[F_METADATA].option);
	add_quoted(out, word);
}

static void command_line(const struct spawn *f, struct buf *out)
{
	buf_addstr(out, "stacyvm spawn");
	for (size_t i = 0; i < F_METADATA; i++) {
		const char *text = field_text(&f->field[i]);

		if (!*text)
			continue;
		buf_addf(out, " %s ", fields[i].option);
		add_quoted(out, text);
	}
	each_word(field_text(&f->field[F_METADATA]), add_label, out);
}

static void spawn_view(const struct model *m, const void *state,
		       struct canvas *c)
{
	const struct spawn *f = state;
	struct area in = dialog_box(c, F_MAX + 5, MIN(74, c->cols - 2),
				    "SPAWN");
	auto_buf struct buf command = BUF_INIT;
	int row = in.row;

	for (size_t i = 0; i < F_MAX && row < in.row + in.rows - 2; i++) {
		bool here = i == f->at;
		const char *text = field_text(&f->field[i]);

		canvas_text(c, row, in.col, 10,
			    pen_role(here ? ROLE_ACCENT : ROLE_DIM),
			    fields[i].label);
		if (here || *text)
			field_view(&f->field[i], c, row, in.col + 11,
				   in.cols - 11, pen_role(ROLE_INK), here);
		if (!*text)
			canvas_text(c, row, in.col + 12, in.cols - 12,
				    pen_role(ROLE_FAINT), fields[i].hint);
		row++;
	}
	command_line(f, &command);
	canvas_textf(c, in.row + in.rows - 2, in.col, in.cols,
		     pen_role(ROLE_VALUE), "= %s", buf_str(&command));
	canvas_text(c, in.row + in.rows - 1, in.col, in.cols,
		    pen_role(f->error ? ROLE_BAD : ROLE_DIM),
		    f->error ? f->error :
			       "Tab next   ^S or Enter spawn   Esc cancel");
	(void)m;
}

/* The next name of a list of objects, or the first. */
static void choose(struct field *f, const cJSON *list, int step)
{
	int n = cJSON_GetArraySize(list), at = -1;

	for (int i = 0; i < n; i++) {
		const cJSON *name = json_get(cJSON_GetArrayItem(list, i),
					     "name");

		if (cJSON_IsString(name) &&
		    strcmp(name->valuestring, field_text(f)) == 0)
			at = i;
	}
	at += step;
	if (at < -1)
		at = n - 1;
	if (at >= n)
		at = -1; /* none of them */
	const cJSON *name = at < 0 ? NULL :
			    json_get(cJSON_GetArrayItem(list, at), "name");

	field_set(f, cJSON_IsString(name) ? name->valuestring : "");
}

static bool whole_number(const char *s)
{
	return *s && !s[strspn(s, "0123456789")] && strlen(s) < 10;
}

static const char *what_is_wrong(const struct spawn *f)
{
	const char *ttl = field_text(&f->field[F_TTL]);
	const char *memory = field_text(&f->field[F_MEMORY]);
	const char *vcpus = field_text(&f->field[F_VCPUS]);
	int64_t ns;

	if (*ttl && (duration_parse(ttl, &ns) < 0 || ns <= 0))
		return "ttl: not a duration: 30m, 1h30m, 90s";
	if (*memory && !whole_number(memory))
		return "memory: a number of MiB";
	if (*vcpus && !whole_number(vcpus))
		return "vcpus: a number";
	return NULL;
}

static void add_metadata(const char *word, void *data)
{
	struct json_writer *w = data;
	const char *equals = strchr(word, '=');
	auto_free char *key = equals ?
		xstrndup(word, (size_t)(equals - word)) : xstrdup(word);

	json_str(w, key, equals ? equals + 1 : "");
}

static void write_body(const struct spawn *f, struct buf *out)
{
	struct json_writer w = json_writer(out);

	json_open(&w, NULL, '{');
	for (size_t i = 0; i < F_METADATA; i++) {
		const char *text = field_text(&f->field[i]);

		if (!*text)
			continue;
		if (i == F_MEMORY || i == F_VCPUS)
			json_int(&w, fields[i].key, strtoll(text, NULL, 10));
		else
			json_str(&w, fields[i].key, text);
	}
	if (*field_text(&f->field[F_METADATA])) {
		json_open(&w, "metadata", '{');
		each_word(field_text(&f->field[F_METADATA]), add_metadata,
			  &w);
		json_close(&w, '}');
	}
	json_close(&w, '}');
}

static void spawned(struct model *m, struct request *r)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	cJSON *object = request_object(r, &doc);
	const cJSON *id = object ? json_get(object, "id") : NULL;
	const cJSON *total = object ? json_get(json_get(object, "timings"),
					       "total") : NULL;

	if (!cJSON_IsString(id))
		return;
	model_say(m, "%s runs%s%s", id->valuestring,
		  cJSON_IsString(total) ? " after " : "",
		  cJSON_IsString(total) ? total->valuestring : "");
	fleet_put(&m->fleet, request_steal(&doc, object));
}

static void submit(struct model *m, struct spawn *f)
{
	const char *wrong = what_is_wrong(f);
	struct request *r;

	if (wrong) {
		free(f->error);
		f->error = xstrdup(wrong);
		return;
	}
	r = request_new("POST", xstrdup("/api/v1/sandboxes"), spawned);
	write_body(f, &r->body);
	r->has_body = true;
	r->doing = xstrdup("spawn");
	dialog_pop(m);
	request_send(m, r);
	model_say(m, "spawning");
}

static bool spawn_act(struct model *m, void *state, enum action a)
{
	struct spawn *f = state;
	const cJSON *list = f->at == F_TEMPLATE ? m->templates :
			    f->at == F_PROVIDER ? m->providers : NULL;

	switch (a) {
	case ACT_NEXT_FIELD:
		f->at = (f->at + 1) % F_MAX;
		return true;
	case ACT_PREV_FIELD:
		f->at = (f->at + F_MAX - 1) % F_MAX;
		return true;
	case ACT_SUBMIT:
		submit(m, f);
		return true;
	case ACT_CLOSE:
		dialog_pop(m);
		return true;
	case ACT_LEFT:
	case ACT_RIGHT:
		if (list) {
			choose(&f->field[f->at], list,
			       a == ACT_LEFT ? -1 : 1);
			return true;
		}
		break;
	default:
		break;
	}
	field_act(&f->field[f->at], a);
	return true;
}

static bool spawn_input(struct model *m, void *state,
			const struct input_event *ev)
{
	struct spawn *f = state;

	(void)m;
	if (ev->type == INPUT_PASTE)
		field_add(&f->field[f->at], ev->data, ev->size);
	return ev->type != INPUT_KEY ||
	       field_key(&f->field[f->at], ev->key);
}

static const struct dialog_ops spawn_ops = {
	.release = spawn_free,
	.view = spawn_view,
	.context = CTX_FORM,
	.field = true,
	.act = spawn_act,
	.input = spawn_input,
};

void spawn_open(struct model *m, const char *template)
{
	struct spawn *f = xcalloc(1, sizeof(*f));

	if (template)
		field_set(&f->field[F_TEMPLATE], template);
	dialog_push(m, &spawn_ops, f);
}
