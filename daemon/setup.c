/* SPDX-License-Identifier: MIT */
/* Setup commands.  See setup.h. */
#include "daemon/setup.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/exec-request.h"
#include "daemon/exec-run.h"
#include "daemon/lifecycle.h"
#include "daemon/sandbox.h"
#include "lib/api/limits.h"
#include "lib/base/duration.h"
#include "lib/base/mem.h"

struct setup {
	struct sandbox *s;
	void (*done)(struct sandbox *s, const struct svm_err *err);
	struct exec_run *run;
	size_t at;       /* the command that runs */
	struct buf tail; /* of its output */
};

static void next(struct setup *x);

static void setup_free(struct setup *x)
{
	x->s->setup = NULL;
	buf_release(&x->tail);
	free(x);
}

static void finish(struct setup *x, const struct svm_err *err)
{
	struct sandbox *s = sandbox_ref(x->s);
	void (*done)(struct sandbox *s, const struct svm_err *err) = x->done;

	setup_free(x);
	done(s, err);
	sandbox_unref(s);
}

static void fail(struct setup *x, const struct svm_err *why,
		 const char *how)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	size_t n = strv_len(x->s->spec.setup);

	while (x->tail.len && isspace((unsigned char)buf_str(&x->tail)
					      [x->tail.len - 1]))
		x->tail.len--;
	svm_err_set(&err, why ? why->code : SVM_PROVIDER,
		    "setup command %zu of %zu, '%.80s', %s%s%.*s", x->at + 1, n,
		    x->s->spec.setup[x->at], how, x->tail.len ? ": " : "",
		    (int)x->tail.len, x->tail.len ? x->tail.data : "");
	svm_err_hint(&err, "try it in a sandbox made from the template's image "
		     "alone, then correct the template's 'setup'");
	finish(x, &err);
}

static void on_started(void *data, const struct exec_started *s)
{
	(void)data;
	(void)s;
}

static void on_output(void *data, bool is_stderr, const char *p, size_t n)
{
	struct setup *x = data;

	(void)is_stderr;
	buf_add(&x->tail, p, n);
	if (x->tail.len <= LIMIT_SETUP_TAIL)
		return;
	size_t over = x->tail.len - LIMIT_SETUP_TAIL;
	memmove(x->tail.data, x->tail.data + over, LIMIT_SETUP_TAIL);
	x->tail.len = LIMIT_SETUP_TAIL;
}

static void on_ended(void *data, const struct agent_exit *e,
		     const struct svm_err *err)
{
	struct setup *x = data;
	char limit[DURATION_SIZE];

	x->run = NULL;
	duration_format(LIMIT_TIME_SETUP, limit);
	auto_free char *how =
		err ? xasprintf("failed: %s", err->msg) :
		e->flags & AGENT_EXIT_TIMEOUT ?
		      xasprintf("did not end in time (at most %s)", limit) :
		      xasprintf("ended with status %d", (int)e->code);

	if (err || e->code || e->flags & AGENT_EXIT_TIMEOUT) {
		fail(x, err, how);
		return;
	}
	x->at++;
	x->tail.len = 0;
	next(x);
}

static const struct exec_run_events events = {
	.started = on_started, .output = on_output, .ended = on_ended,
};

static void next(struct setup *x)
{
	auto_exec_request struct exec_request q = EXEC_REQUEST_INIT;
	auto_err struct svm_err err = SVM_ERR_INIT;
	const char *command = x->s->spec.setup[x->at];

	if (!command) {
		finish(x, NULL);
		return;
	}
	q.argv = xcalloc(4, sizeof(*q.argv));
	q.argv[0] = xstrdup("/bin/sh");
	q.argv[1] = xstrdup("-c");
	q.argv[2] = xstrdup(command);
	q.env = xcalloc(1, sizeof(*q.env));
	q.cwd = xstrdup("/workspace");
	q.shown = xstrndup(command, 256);
	q.timeout_ns = LIMIT_TIME_SETUP;
	life_setting_up(x->s, x->at + 1);
	x->run = exec_run_start(x->s, &q, false, &events, x, &err);
	if (!x->run)
		fail(x, &err, err.msg);
}

void setup_start(struct sandbox *s, void (*done)(struct sandbox *s,
						 const struct svm_err *err))
{
	struct setup *x = xcalloc(1, sizeof(*x));

	x->s = s;
	x->done = done;
	s->setup = x;
	next(x);
}

void setup_cancel(struct sandbox *s)
{
	if (!s->setup)
		return;
	if (s->setup->run)
		exec_run_detach(s->setup->run);
	setup_free(s->setup);
}
