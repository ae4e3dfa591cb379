/* SPDX-License-Identifier: MIT */
/* Screen 4: providers, and what each isolates. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/width.h"
#include "tui/frame.h"
#include "tui/glyph.h"
#include "tui/objects.h"

/* The daemon looks at them no more often. */
#define POLL_NS (INT64_C(10) * 1000000000)
#define SAMPLES 16
#define SEEN_MAX 16

/* How long one took to answer, each time that this dashboard heard of. */
struct seen {
	char *name, *checked;
	double ms[SAMPLES]; /* newest last */
	size_t n;
};

struct providers {
	struct objects list; /* first */
	struct seen seen[SEEN_MAX];
	size_t n_seen;
	int64_t polled; /* boot */
};

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

static void row(const struct model *m, const cJSON *o, int cols,
		struct buf *out)
{
	bool healthy = cJSON_IsTrue(json_get(o, "healthy"));
	const cJSON *ms = json_get(o, "latency_ms");
	const cJSON *n = json_get(o, "runtime_count");

	(void)cols;
	buf_addf(out, "%s %-10s", healthy ? (m->set.ascii ? "*" : GLYPH_DOT) :
					    (m->set.ascii ? "o" : GLYPH_RING),
		 json_text(o, "name"));
	/* In front of what may be cut off. */
	buf_addf(out, " %-19s", isolation(json_text(o, "name")));
	if (!healthy) {
		buf_addf(out, "  %s", objects_is_off(o) ? "switched off" :
						json_text(o, "error"));
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

/* -- how fast they were */

static const struct seen *find_seen(const struct providers *p,
				    const char *name)
{
	for (size_t i = 0; i < p->n_seen; i++)
		if (strcmp(p->seen[i].name, name) == 0)
			return &p->seen[i];
	return NULL;
}

static void see(struct providers *p, const cJSON *o)
{
	const char *name = json_text(o, "name");
	const char *checked = json_text(o, "last_checked");
	const cJSON *ms = json_get(o, "latency_ms");
	struct seen *s = &p->seen[p->n_seen];
	const struct seen *old = find_seen(p, name);

	if (!*checked || !cJSON_IsNumber(ms) ||
	    !(ms->valuedouble >= 0 && ms->valuedouble < 1e6) ||
	    !cJSON_IsTrue(json_get(o, "healthy")) ||
	    (!old && p->n_seen == SEEN_MAX))
		return;
	if (old)
		s = &p->seen[old - p->seen];
	else
		p->n_seen++;
	if (!old)
		*s = (struct seen){ .name = xstrdup(name) };
	if (s->checked && strcmp(s->checked, checked) == 0)
		return;
	free(s->checked);
	s->checked = xstrdup(checked);
	if (s->n == SAMPLES)
		memmove(s->ms, s->ms + 1, --s->n * sizeof(s->ms[0]));
	s->ms[s->n++] = ms->valuedouble;
}

/* The slowest of them is near the top: it is a curve, not a scale. */
static void view_curve(const struct model *m, const struct seen *s,
		       struct canvas *c, int row, int col, int width)
{
	uint8_t part[SAMPLES] = { 0 };
	double most = 0;

	for (size_t i = 0; i < s->n; i++)
		most = MAX(most, s->ms[i]);
	for (size_t i = 0; i < s->n; i++)
		part[i] = most > 0 ? (uint8_t)(s->ms[i] * 80 / most) : 0;
	frame_spark(m, c, row, col, MIN(width, (int)s->n), part, s->n,
		    pen_role(ROLE_ACCENT));
}

/* -- cards */

static int add(struct canvas *c, int row, int col, int end,
	       enum theme_role role, const char *text)
{
	return col + canvas_text(c, row, col, MAX(end - col, 0),
				 pen_role(role), text);
}

/* "DOCKER  default  * healthy 12ms ..:" */
static void view_health(const struct model *m, const struct providers *p,
			const cJSON *o, struct canvas *c, struct area a)
{
	auto_free char *name = xstrdup(json_text(o, "name"));
	const struct seen *s = find_seen(p, name);
	const cJSON *ms = json_get(o, "latency_ms");
	bool healthy = cJSON_IsTrue(json_get(o, "healthy"));
	bool off = objects_is_off(o);
	int col = a.col, end = a.col + a.cols;
	char took[32] = "";

	for (char *ch = name; *ch; ch++)
		if (*ch >= 'a' && *ch <= 'z')
			*ch -= 'a' - 'A';
	col = add(c, a.row, col, end, ROLE_VALUE, name);
	if (cJSON_IsTrue(json_get(o, "default")))
		col = add(c, a.row, col, end, ROLE_ACCENT, " default");
	col = add(c, a.row, col + 1, end,
		  healthy ? ROLE_OK : off ? ROLE_DIM : ROLE_BAD,
		  healthy ? (m->set.ascii ? "* healthy" :
					    GLYPH_DOT " healthy") :
			    (m->set.ascii ? "o " : GLYPH_RING " "));
	if (!healthy)
		col = add(c, a.row, col, end, off ? ROLE_DIM : ROLE_BAD,
			  off ? "switched off" : "not usable");
	if (off)
		return;
	if (!healthy) {
		add(c, a.row, col + 1, end, ROLE_DIM, json_text(o, "error"));
		return;
	}
	if (cJSON_IsNumber(ms) && ms->valuedouble >= 0 &&
	    ms->valuedouble < 1e6)
		(void)snprintf(took, sizeof(took), "%.*fms",
			       ms->valuedouble < 9.95, ms->valuedouble);
	col = add(c, a.row, col + 1, end, ROLE_INK, took);
	if (s)
		view_curve(m, s, c, a.row, col + 1, end - col - 1);
}

/* "sandboxes 4  isolation: container": where one has to be cut off, it isn't
 * the isolation. */
static void view_isolation(const cJSON *o, struct canvas *c, struct area a)
{
	const cJSON *n = json_get(o, "runtime_count");
	const char *what = isolation(json_text(o, "name"));
	auto_free char *boxes = xasprintf("sandboxes %d", cJSON_IsNumber(n) ?
							 n->valueint : 0);
	auto_free char *all = xasprintf("%s  isolation: %s", boxes, what);
	bool fits = (int)width_text(all, strlen(all)) <= a.cols;
	int end = a.col + a.cols, col = a.col;

	if (fits)
		col = add(c, a.row + 1, col, end, ROLE_DIM, boxes) + 2;
	col = add(c, a.row + 1, col, end, ROLE_DIM, "isolation: ");
	col = add(c, a.row + 1, col, end, ROLE_INK, what);
	if (!fits && col + 8 <= end) /* the details have it, too */
		canvas_textf(c, a.row + 1, col + 2, end - col - 2,
			     pen_role(ROLE_DIM), "%d run",
			     cJSON_IsNumber(n) ? n->valueint : 0);
}

static void card(const struct model *m, const struct objects *x,
		 const cJSON *o, struct canvas *c, struct area a)
{
	view_health(m, (const struct providers *)x, o, c, a);
	view_isolation(o, c, a);
}

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

	struct providers *p = xcalloc(1, sizeof(*p));

	(void)m;
	p->list.order.names = names;
	p->list.sorts = sorts;
	p->list.card = card;
	return p;
}

static void providers_release(struct model *m, void *state)
{
	struct providers *p = state;

	(void)m;
	for (size_t i = 0; i < p->n_seen; i++) {
		free(p->seen[i].name);
		free(p->seen[i].checked);
	}
	objects_release(&p->list);
	free(p);
}

static void providers_enter(struct model *m, void *state)
{
	struct providers *p = state;

	p->polled = m->boot_ns;
	sync_providers(m);
}

static void providers_view(const struct model *m, const void *state,
			   struct canvas *c, struct area a)
{
	objects_view(m, state, m->providers, c, a, "PROVIDERS", row);
}

static void providers_settle(struct model *m, void *state, struct area a)
{
	const cJSON *o;

	cJSON_ArrayForEach(o, m->providers)
		see(state, o);
	objects_settle(state, m->providers, a);
}

static const cJSON *named(const struct model *m, const char *name)
{
	const cJSON *o;

	cJSON_ArrayForEach(o, m->providers)
		if (strcmp(json_text(o, "name"), name) == 0)
			return o;
	return NULL;
}

/* "native works; mock is switched off (providers.mock.enabled ...)": what
 * nobody wanted to work is no failure, and comes last. */
static void add_results(const struct model *m, const cJSON *results, bool off,
			struct buf *out)
{
	const cJSON *r;

	cJSON_ArrayForEach(r, results) {
		const cJSON *o = named(m, r->string);
		const char *why = json_text(o, "error");
		bool is_off = !cJSON_IsTrue(r) && objects_is_off(o);

		if (is_off != off)
			continue;
		buf_addf(out, "%s%s ", out->len ? "; " : "", r->string);
		if (off)
			buf_addf(out, "is switched off (providers.%s.enabled "
				 "on screen 6 switches it on)", r->string);
		else
			buf_addf(out, "%s%s%s",
				 cJSON_IsTrue(r) ? "works" : "does not work",
				 cJSON_IsTrue(r) || !*why ? "" : ": ",
				 cJSON_IsTrue(r) ? "" : why);
	}
}

static void tested(struct model *m, struct request *r)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	cJSON *object = request_object(r, &doc);
	auto_buf struct buf text = BUF_INIT;

	if (!object)
		return;
	add_results(m, object, false, &text);
	add_results(m, object, true, &text);
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
	if (cJSON_IsTrue(json_get(o, "default"))) {
		model_say(m, "%s is the default already", name);
		return;
	}
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

/* Curves tick only while somebody looks. */
static bool ticks(const struct model *m)
{
	return m->link == LINK_LIVE && m->focused && m->set.motion;
}

static int64_t providers_wake(const struct model *m, const void *state)
{
	const struct providers *p = state;

	return ticks(m) ? p->polled + POLL_NS : 0;
}

static void providers_tick(struct model *m, void *state)
{
	struct providers *p = state;

	if (!ticks(m) || m->boot_ns < p->polled + POLL_NS)
		return;
	p->polled = m->boot_ns;
	sync_providers_quietly(m);
}

const struct screen screen_providers = {
	.name = "providers",
	.title = "PROVIDERS",
	.make = providers_make,
	.order = objects_screen_order,
	.release = providers_release,
	.enter = providers_enter,
	.wake = providers_wake,
	.tick = providers_tick,
	.view = providers_view,
	.settle = providers_settle,
	.context = CTX_PROVIDERS,
	.act = providers_act,
	.input = objects_screen_input,
	.subject = objects_screen_subject,
	.empty = objects_screen_empty,
	.typing = objects_screen_typing,
};
