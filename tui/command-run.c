/* SPDX-License-Identifier: MIT */
/* Commands of the user's own: asking, starting, what came of it. */
#include <stdlib.h>
#include <string.h>

#include "lib/api/limits.h"
#include "lib/base/mem.h"
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

void command_run(struct model *m, const struct command *c)
{
	const struct screen *screen = screens[m->screen];
	const cJSON *subject = screen->subject ?
				       screen->subject(m, m->state[m->screen]) :
				       NULL;
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct start *s;

	if (m->read_only && c->changes) {
		model_say(m, "read-only: %s may change something; type "
			     ":read-only to allow it", c->name);
		return;
	}
	if (c->scope != CTX_GLOBAL && !subject) {
		model_say(m, "%s: nothing is selected", c->name);
		return;
	}
	char **argv = command_expand(c, subject, &err);
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
