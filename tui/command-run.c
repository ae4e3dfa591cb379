/* SPDX-License-Identifier: MIT */
/* Commands of the user's own: asking, starting, what came of it. */
#include <stdlib.h>
#include <string.h>

#include "lib/api/limits.h"
#include "lib/base/mem.h"
#include "tui/batch.h"
#include "tui/command.h"
#include "tui/output.h"
#include "tui/screen.h"

/* What is to be run once it was confirmed. */
struct start {
	char *name, **argv;
	enum command_output output;
};

static void start_free(void *data)
{
	struct start *s = data;

	free(s->name);
	strv_free(s->argv);
	free(s);
}

static void finished(struct model *m, struct request *r)
{
	m->commands_running--;
	if (r->err.code == SVM_OK)
		model_say(m, "%s: exit status %d", r->about, r->status);
}

static void printed(struct model *m, struct request *r)
{
	auto_free char *title = xasprintf("%s: exit status %d", r->about,
					  r->status);

	m->commands_running--;
	if (r->err.code == SVM_OK)
		output_open(m, title, r->reply.len ? buf_str(&r->reply) :
						     "(it printed nothing)");
}

static void in_background(struct model *m, struct start *s)
{
	struct request *r;

	if (m->commands_running == LIMIT_TUI_COMMANDS) {
		model_say(m, "%d commands run already; ^C cancels them",
			  LIMIT_TUI_COMMANDS);
		return;
	}
	m->commands_running++;
	r = request_new(REQUEST_RUN, xstrdup(s->name),
			s->output == COMMAND_SHOW ? printed : finished);
	r->argv = steal_ptr(&s->argv);
	r->about = xstrdup(s->name);
	r->doing = xstrdup(s->name);
	request_send(m, r);
}

static void start(struct model *m, void *data)
{
	struct start *s = data;

	if (s->output != COMMAND_TERMINAL) {
		in_background(m, s);
	} else if (!m->command) {
		m->command = steal_ptr(&s->argv);
		m->effects |= EFFECT_COMMAND;
	}
}

static void ask(struct model *m, struct start *s)
{
	auto_free char *title = xasprintf("RUN %.40s?", s->name);
	auto_buf struct buf line = BUF_INIT;

	for (size_t i = 0; s->argv[i]; i++)
		buf_addf(&line, "%s%s", i ? " " : "", s->argv[i]);
	confirm_ask(m, &(struct confirm){
			       .title = title,
			       .lines = (const char *const[]){ buf_str(&line),
							       NULL },
			       .yes = start,
			       .release = start_free,
			       .data = s });
}

/* -- on all that are marked */

struct many {
	struct command own; /* its name, arguments and output, copied */
	char **ids;         /* of sandboxes, or paths */
	char *sandbox;      /* whose paths; else NULL */
};

static void many_free(void *data)
{
	struct many *x = data;

	free(x->own.name);
	strv_free(x->own.argv);
	strv_free(x->ids);
	free(x->sandbox);
	free(x);
}

static char **expand_for(struct model *m, const struct many *x, const char *id,
			 struct svm_err *err)
{
	const struct sandbox *s = fleet_find(&m->fleet,
					     x->sandbox ? x->sandbox : id);

	if (s)
		return command_expand(&x->own, s->json,
				      x->sandbox ? id : NULL, err);
	svm_err_set(err, SVM_NOT_FOUND, "is gone");
	return NULL;
}

static struct request *make_run(struct model *m, const char *id, void *data,
				struct svm_err *err)
{
	const struct many *x = data;
	char **argv = expand_for(m, x, id, err);
	struct request *r;

	if (!argv)
		return NULL;
	r = request_new(REQUEST_RUN, xstrdup(x->own.name), NULL);
	r->argv = argv;
	r->doing = xasprintf("%s for %s", x->own.name, id);
	m->commands_running++;
	return r;
}

static void ran(struct model *m, struct request *r, void *data,
		struct buf *report)
{
	const struct many *x = data;

	m->commands_running--;
	if (r->err.code == SVM_OK && r->status)
		svm_err_set(&r->err, SVM_PROVIDER, "exit status %d",
			    r->status);
	if (x->own.output == COMMAND_SHOW && report->len < LIMIT_TUI_OUTPUT) {
		buf_addf(report, "== %s\n", r->about);
		buf_add(report, r->reply.data, r->reply.len);
	}
}

/* One after the other; what can't be is left out, and said. */
static void in_terminal(struct model *m, struct many *x)
{
	size_t n = 0;

	if (m->command)
		return;
	m->commands_more = xcalloc(strv_len(x->ids) + 1, sizeof(char **));
	for (char **id = x->ids; *id; id++) {
		auto_err struct svm_err err = SVM_ERR_INIT;
		char **argv = expand_for(m, x, *id, &err);

		if (!argv)
			model_complain(m, &err, *id);
		else if (!m->command)
			m->command = argv;
		else
			m->commands_more[n++] = argv;
	}
	if (m->command)
		m->effects |= EFFECT_COMMAND;
}

static void start_many(struct model *m, void *data)
{
	struct many *asked = data, *x;
	auto_free char *done = xasprintf("%s: ran for", asked->own.name);
	auto_free char *doing = xasprintf("running %s,", asked->own.name);

	if (asked->own.output == COMMAND_TERMINAL) {
		in_terminal(m, asked);
		return;
	}
	x = xcalloc(1, sizeof(*x));
	x->own = asked->own;
	x->sandbox = steal_ptr(&asked->sandbox);
	asked->own = (struct command){ 0 };
	batch_start(m, &(struct batch){ .doing = doing, .done = done,
					.at_once = LIMIT_TUI_COMMANDS,
					.make = make_run, .each = ran,
					.data = x, .release = many_free },
		    steal_ptr(&asked->ids));
}

/* Takes the ids. */
static void ask_many(struct model *m, const struct command *c, char **ids,
		     const char *sandbox)
{
	struct many *x = xcalloc(1, sizeof(*x));
	auto_buf struct buf line = BUF_INIT;
	auto_free char *title = NULL;

	x->own.name = xstrdup(c->name);
	x->own.argv = strv_dup(c->argv);
	x->own.output = c->output;
	x->ids = ids;
	x->sandbox = xstrdup(sandbox);
	title = xasprintf("RUN %.40s FOR %zu MARKED?", c->name,
			  strv_len(x->ids));
	for (size_t i = 0; c->argv[i]; i++)
		buf_addf(&line, "%s%s", i ? " " : "", c->argv[i]);
	confirm_ask(m, &(struct confirm){
			       .title = title,
			       .lines = (const char *const[]){
				       buf_str(&line), NULL },
			       .yes = start_many,
			       .release = many_free,
			       .data = x });
}

/* Of its scope; false when none is. */
static bool ask_marked(struct model *m, const struct command *c,
		       const struct screen *screen, const cJSON *subject)
{
	char **paths = NULL;

	if (c->scope == CTX_SANDBOXES && fleet_marked(&m->fleet)) {
		ask_many(m, c, batch_targets(m, NULL, false), NULL);
		return true;
	}
	if (c->scope == CTX_FILES && screen->paths && subject)
		paths = screen->paths(m, m->state[m->screen]);
	if (!paths || !*paths) {
		strv_free(paths);
		return false;
	}
	ask_many(m, c, paths, json_text(subject, "id"));
	return true;
}

void command_run(struct model *m, const struct command *c)
{
	const struct screen *screen = screens[m->screen];
	const void *state = m->state[m->screen];
	const cJSON *subject = screen->subject ? screen->subject(m, state) :
						 NULL;
	const char *path = screen->path ? screen->path(m, state) : NULL;
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct start *s;

	if (m->read_only && c->changes) {
		model_say(m, "read-only: %s may change something; type "
			     ":read-only to allow it", c->name);
		return;
	}
	if (ask_marked(m, c, screen, subject))
		return;
	if (c->scope != CTX_GLOBAL &&
	    (!subject || (c->scope == CTX_FILES && !(path && *path)))) {
		model_say(m, "%s: nothing is selected", c->name);
		return;
	}
	char **argv = command_expand(c, subject, path, &err);
	if (!argv) {
		model_complain(m, &err, c->name);
		return;
	}
	s = xcalloc(1, sizeof(*s));
	*s = (struct start){ xstrdup(c->name), argv, c->output };
	if (c->confirm) {
		ask(m, s);
		return;
	}
	start(m, s);
	start_free(s);
}
