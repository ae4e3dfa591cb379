/* SPDX-License-Identifier: MIT */
/* Screen 4: providers, and what each isolates. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "tui/objects.h"
#include "tui/glyph.h"

static void *providers_make(struct model *m)
{
	static const char *const names[] = { "listed", "name", "health",
					     "latency", "sandboxes", NULL };
	static const struct objects_sort sorts[] = {
		{ NULL, SORT_TEXT },
		{ "name", SORT_TEXT },
		{ "healthy", SORT_TRUE },
		{ "latency_ms", SORT_LEAST },
		{ "runtime_count", SORT_MOST },
	};

	(void)m;
	return objects_screen_make(names, sorts);
}

static void providers_enter(struct model *m, void *state)
{
	(void)state;
	sync_providers(m);
}

/* Written out always: nobody should have to guess. */
static const char *isolation(const char *name)
{
	static const struct {
		const char *name, *isolation;
	} known[] = {
		{ "native", "namespaces, seccomp" },
		{ "docker", "container" },
		{ "firecracker", "virtual machine" },
		{ "proot", "none: paths alone" },
		{ "mock", "NONE: for tests" },
		{ "e2b", "remote" },
		{ "custom", "remote" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(known[i].name, name) == 0)
			return known[i].isolation;
	return "unknown";
}

static void row(const struct model *m, const cJSON *o, struct buf *out)
{
	bool healthy = cJSON_IsTrue(json_get(o, "healthy"));
	const cJSON *ms = json_get(o, "latency_ms");
	const cJSON *n = json_get(o, "runtime_count");

	buf_addf(out, "%s %-10s", healthy ? (m->set.ascii ? "*" : GLYPH_DOT) :
					    (m->set.ascii ? "o" : GLYPH_RING),
		 json_text(o, "name"));
	/* In front of what may be cut off. */
	buf_addf(out, " %-19s", isolation(json_text(o, "name")));
	if (!healthy) {
		buf_addf(out, "  %s", json_text(o, "error"));
		return;
	}
	if (m->set.words)
		buf_addstr(out, " healthy");
	if (cJSON_IsNumber(ms))
		buf_addf(out, "%4.0f ms", ms->valuedouble);
	if (cJSON_IsNumber(n))
		buf_addf(out, "%4d run", n->valueint);
	if (cJSON_IsTrue(json_get(o, "default")))
		buf_addstr(out, "  default");
}

static void providers_view(const struct model *m, const void *state,
			   struct canvas *c, struct area a)
{
	objects_view(m, state, m->providers, c, a, "PROVIDERS", row);
}

static void providers_settle(struct model *m, void *state, struct area a)
{
	objects_settle(state, m->providers, a);
}

static void tested(struct model *m, struct request *r)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	cJSON *object = request_object(r, &doc);
	auto_buf struct buf text = BUF_INIT;
	const cJSON *p;

	if (!object)
		return;
	cJSON_ArrayForEach(p, object)
		buf_addf(&text, "%s%s %s", text.len ? ", " : "", p->string,
			 cJSON_IsTrue(p) ? "works" : "does not work");
	model_say(m, "%s", buf_str(&text));
	sync_providers(m);
}

static void make_default(struct model *m, void *data)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	if (settings_set(m, "providers.default", data, &err) < 0)
		model_complain(m, &err, NULL);
}

/* What is spawned from then on is isolated otherwise. */
static void ask_default(struct model *m, const cJSON *o)
{
	const char *name = json_text(o, "name");
	auto_free char *title = NULL, *line = NULL;

	if (!o)
		return;
	title = xasprintf("MAKE %s THE DEFAULT?", name);
	line = xasprintf("Isolation of what is spawned then: %s.",
			 isolation(name));
	confirm_ask(m, &(struct confirm){
			       .title = title,
			       .lines = (const char *const[]){ line, NULL },
			       .yes = make_default,
			       .release = free,
			       .data = xstrdup(name) });
}

static bool providers_act(struct model *m, void *state, enum action a)
{
	struct request *r;

	if (objects_act(m, state, a))
		return true;
	if (a == ACT_MAKE_DEFAULT) {
		ask_default(m, objects_selected(state));
		return true;
	}
	if (a != ACT_TEST)
		return false;
	r = request_new("POST", xstrdup("/api/v1/providers/test"), tested);
	r->doing = xstrdup("test the providers");
	request_send(m, r);
	return true;
}

const struct screen screen_providers = {
	.name = "providers",
	.title = "PROVIDERS",
	.make = providers_make,
	.order = objects_screen_order,
	.release = objects_screen_release,
	.enter = providers_enter,
	.view = providers_view,
	.settle = providers_settle,
	.context = CTX_PROVIDERS,
	.act = providers_act,
	.input = objects_screen_input,
	.subject = objects_screen_subject,
	.typing = objects_screen_typing,
};
