/* SPDX-License-Identifier: MIT */
/* Screen 3: templates. */
#include <stdlib.h>
#include <string.h>

#include "lib/api/limits.h"
#include "lib/api/template-name.h"
#include "lib/base/mem.h"
#include "lib/base/width.h"
#include "tui/objects.h"
#include "tui/template-edit.h"

static int number(const cJSON *o, const char *key)
{
	const cJSON *v = json_get(o, key);

	return cJSON_IsNumber(v) ? v->valueint : 0;
}

/* Name and image have what the figures leave; where that would be too little
 * there are no figures: the details beside the list have them. */
#define FIGURES_COLS 16
#define FIGURES_FROM 44
#define TEXT_MAX 24

/* As much of it as these columns hold, and a sign that there was more. */
static void add_padded(const char *text, int cols, struct buf *out)
{
	size_t len = strlen(text), used, room = (size_t)cols;
	bool cut = width_text(text, len) > room;
	size_t n = width_fit(text, len, room - cut, &used);

	buf_add(out, text, n);
	buf_addf(out, "%s%*s", cut ? "~" : "", (int)(room - used - cut), "");
}

static void text_columns(int cols, const char *name, const char *image,
			 struct buf *out)
{
	int room = cols >= FIGURES_FROM ? cols - FIGURES_COLS : cols;
	int each = MIN(MAX((room - 1) / 2, 1), TEXT_MAX);

	add_padded(name, each, out);
	buf_addch(out, ' ');
	add_padded(image, each, out);
}

static void head(int cols, struct buf *out)
{
	text_columns(cols, "NAME", "IMAGE", out);
	if (cols >= FIGURES_FROM)
		buf_addf(out, " %5s %4s %4s", "MiB", "VCPU", "WARM");
}

static void row(const struct model *m, const cJSON *o, int cols,
		struct buf *out)
{
	(void)m;
	text_columns(cols, json_text(o, "name"), json_text(o, "image"), out);
	if (cols >= FIGURES_FROM)
		buf_addf(out, " %5d %4d %4d", number(o, "memory_mb"),
			 number(o, "vcpus"), number(o, "pool_size"));
}

static void *templates_make(struct model *m)
{
	static const char *const names[] = { "name", "image", "memory",
					     "vcpus", "pool", NULL };
	static const struct objects_sort sorts[] = {
		{ "name", SORT_TEXT },	   { "image", SORT_TEXT },
		{ "memory_mb", SORT_MOST }, { "vcpus", SORT_MOST },
		{ "pool_size", SORT_MOST },
	};
	struct objects *x = objects_screen_make(names, sorts);

	(void)m;
	x->head = head;
	return x;
}

static void templates_enter(struct model *m, void *state)
{
	(void)state;
	sync_templates(m);
}

static void templates_view(const struct model *m, const void *state,
			   struct canvas *c, struct area a)
{
	objects_view(m, state, m->templates, c, a, "TEMPLATES", row);
}

static void templates_settle(struct model *m, void *state, struct area a)
{
	objects_settle(state, m->templates, a);
}

static void changed(struct model *m, struct request *r)
{
	if (r->err.code == SVM_OK)
		sync_templates(m);
}

static void send(struct model *m, struct request *r, const char *doing,
		 const char *name)
{
	r->doing = xasprintf("%s %s", doing, name);
	request_send(m, r);
}

static void delete_confirmed(struct model *m, void *data)
{
	send(m, request_new("DELETE", template_target(data), changed), "delete",
	     data);
}

/* Whose name is typed is in use. */
static void ask_delete(struct model *m, const char *name)
{
	size_t used = 0;

	for (size_t i = 0; i < m->fleet.n; i++)
		used += strcmp(m->fleet.all[i]->template, name) == 0;
	auto_free char *line = xasprintf(
		used == 1 ? "%zu sandbox was made from it; it goes on." :
			    "%zu sandboxes were made from it; they go on.",
		used);

	confirm_ask(m, &(struct confirm){
			       .title = "DELETE THE TEMPLATE?",
			       .lines = (const char *const[]){ name, line,
							       NULL },
			       .name = used ? name : NULL,
			       .yes = delete_confirmed,
			       .release = free,
			       .data = xstrdup(name) });
}

/* POST updates: what isn't in it stays. */
static void post(struct model *m, const char *name, const char *key,
		 int64_t value)
{
	struct request *r = request_new("POST", xstrdup("/api/v1/templates"),
					changed);
	struct json_writer w = json_writer(&r->body);
	const cJSON *t;

	json_open(&w, NULL, '{');
	json_str(&w, "name", name);
	cJSON_ArrayForEach(t, m->templates)
		if (strcmp(json_text(t, "name"), name) == 0)
			json_str(&w, "image", json_text(t, "image"));
	json_int(&w, key, value);
	json_close(&w, '}');
	r->has_body = true;
	send(m, r, "change", name);
}

static bool is_count(const char *text, struct svm_err *err)
{
	size_t n = strlen(text);

	if (n && n < 4 && strspn(text, "0123456789") == n)
		return true;
	svm_err_set(err, SVM_BAD_REQUEST, "a number, 0 for none");
	return false;
}

static void pool_to(struct model *m, const char *text, void *data)
{
	post(m, data, "pool_size", strtol(text, NULL, 10));
}

/* Said in fewer words than the daemon would: the box has no more room. */
static bool is_name(const char *text, struct svm_err *err)
{
	if (template_check_name(text, err) == 0)
		return true;
	svm_err_release(err);
	svm_err_set(err, SVM_BAD_REQUEST,
		    *text ? "1 to %d letters, digits, spaces and ._-, not . "
			    "or .." : "a name is needed", LIMIT_TEMPLATE_NAME);
	return false;
}

/* -- a new one: never in the place of one that is there.  Whose names count
 * is the daemon's to know: everybody's may stand beside one's own. */

static const char taken[] = "that name is taken";

static struct request *new_request(request_fn done, const char *name,
				   const char *from)
{
	struct request *r = request_new("POST", xstrdup("/api/v1/templates"),
					done);

	r->if_match = xstrdup("");
	r->about = xstrdup(name);
	r->data = xstrdup(from);
	r->forget = free;
	r->has_body = true;
	return r;
}

/* Else all is done: what can be mended is no error yet. */
static bool is_taken(struct model *m, struct request *r)
{
	if (r->err.code == SVM_CONFLICT) {
		svm_err_release(&r->err);
		return true;
	}
	changed(m, r);
	if (r->err.code == SVM_OK && m->state[SCREEN_TEMPLATES])
		objects_choose(m->state[SCREEN_TEMPLATES], r->about);
	return false;
}

static void ask_clone(struct model *m, const char *from, const char *text,
		      const char *error);

static void cloned(struct model *m, struct request *r)
{
	auto_free char *from = r->data;

	if (is_taken(m, r))
		ask_clone(m, from, r->about, taken);
}

static void clone_to(struct model *m, const char *text, void *data)
{
	struct request *r = new_request(cloned, text, data);
	cJSON *copy = NULL;
	const cJSON *t;
	char *json;

	cJSON_ArrayForEach(t, m->templates)
		if (strcmp(json_text(t, "name"), data) == 0)
			copy = cJSON_Duplicate(t, true);
	cJSON_ReplaceItemInObjectCaseSensitive(copy, "name",
					       cJSON_CreateString(text));
	json = copy ? cJSON_PrintUnformatted(copy) : NULL;
	buf_addstr(&r->body, json ? json : "{}");
	cJSON_free(json);
	cJSON_Delete(copy);
	send(m, r, "clone", data);
}

static void ask_clone(struct model *m, const char *from, const char *text,
		      const char *error)
{
	prompt_open(m, &(struct prompt){ .title = "CLONE",
					 .label = "name",
					 .text = text,
					 .past = PAST_NAME,
					 .check = is_name,
					 .error = error,
					 .done = clone_to,
					 .release = free,
					 .data = xstrdup(from) });
}

static bool is_there(const struct model *m, const char *name)
{
	const cJSON *t;

	cJSON_ArrayForEach(t, m->templates)
		if (strcmp(json_text(t, "name"), name) == 0)
			return true;
	return false;
}

/* NAME-2, or the next that is free; "" where there is no room for it. */
static char *free_name(const struct model *m, const char *name)
{
	for (unsigned i = 2;; i++) {
		auto_free char *next = xasprintf("%s-%u", name, i);

		if (strlen(next) > LIMIT_TEMPLATE_NAME)
			return xstrdup("");
		if (!is_there(m, next))
			return steal_ptr(&next);
	}
}

static void ask_name(struct model *m, const char *image, const char *text,
		     const char *error);

static void made(struct model *m, struct request *r)
{
	auto_free char *image = r->data;

	if (is_taken(m, r))
		ask_name(m, image, r->about, taken);
}

static void new_image(struct model *m, const char *text, void *data)
{
	struct request *r = new_request(made, data, text);
	struct json_writer w = json_writer(&r->body);

	json_open(&w, NULL, '{');
	json_str(&w, "name", data);
	json_str(&w, "image", text);
	json_close(&w, '}');
	send(m, r, "make", data);
}

static bool is_image(const char *text, struct svm_err *err)
{
	if (*text)
		return true;
	svm_err_set(err, SVM_BAD_REQUEST, "an image is needed");
	return false;
}

static void new_name(struct model *m, const char *text, void *data)
{
	prompt_open(m, &(struct prompt){ .title = "NEW TEMPLATE",
					 .label = "image",
					 .text = data,
					 .past = PAST_IMAGE,
					 .check = is_image,
					 .done = new_image,
					 .release = free,
					 .data = xstrdup(text) });
}

static void ask_name(struct model *m, const char *image, const char *text,
		     const char *error)
{
	prompt_open(m, &(struct prompt){ .title = "NEW TEMPLATE",
					 .label = "name",
					 .text = text,
					 .past = PAST_NAME,
					 .check = is_name,
					 .error = error,
					 .done = new_name,
					 .release = free,
					 .data = xstrdup(image) });
}

static void clone(struct model *m, const char *name)
{
	auto_free char *text = free_name(m, name);

	ask_clone(m, name, text, NULL);
}

static bool templates_act(struct model *m, void *state, enum action a)
{
	const cJSON *o = objects_selected(state);
	const char *name = json_text(o, "name");

	if (objects_act(m, state, a))
		return true;
	if (a == ACT_NEW) {
		ask_name(m, "host", "", NULL);
		return true;
	}
	if (!o)
		return false;
	switch (a) {
	case ACT_SPAWN:
	case ACT_OPEN:
		if (!model_refuses(m, ACT_SPAWN))
			spawn_open(m, name);
		return true;
	case ACT_EDITOR:
		template_edit_open(m, name);
		return true;
	case ACT_DELETE:
		ask_delete(m, name);
		return true;
	case ACT_POOL:
		prompt_open(m, &(struct prompt){ .title = "WARM COPIES",
						 .label = "how many",
						 .text = "1",
						 .past = PAST_COUNT,
						 .check = is_count,
						 .done = pool_to,
						 .release = free,
						 .data = xstrdup(name) });
		return true;
	case ACT_CLONE:
		clone(m, name);
		return true;
	default:
		return false;
	}
}

const struct screen screen_templates = {
	.name = "templates",
	.title = "TEMPLATES",
	.make = templates_make,
	.order = objects_screen_order,
	.release = objects_screen_release,
	.enter = templates_enter,
	.view = templates_view,
	.settle = templates_settle,
	.context = CTX_TEMPLATES,
	.act = templates_act,
	.input = objects_screen_input,
	.subject = objects_screen_subject,
	.empty = objects_screen_empty,
	.typing = objects_screen_typing,
};
