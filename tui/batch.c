/* SPDX-License-Identifier: MIT */
/* One thing done to several sandboxes.  See batch.h. */
#include "tui/batch.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "tui/output.h"

/* Fewer than there are threads for requests: keys that ask for something go
 * on working. */
#define AT_ONCE 3

struct run {
	struct batch b;
	char *doing, *done;
	char **ids;
	size_t n, next, running, worked, failed;
	bool stopped;
	struct buf report; /* what is shown when it is over */
};

static void run_free(struct run *x)
{
	if (x->b.release)
		x->b.release(x->b.data);
	free(x->doing);
	free(x->done);
	strv_free(x->ids);
	buf_release(&x->report);
	free(x);
}

/* The program ends before. */
static void forget(void *data)
{
	struct run *x = data;

	if (!--x->running)
		run_free(x);
}

/* Of several, what failed is marked, so that it can be tried again. */
static void failed(struct model *m, struct run *x, const char *id,
		   const char *doing, const struct svm_err *err)
{
	struct sandbox *s = fleet_find(&m->fleet, id);

	x->failed++;
	x->stopped |= err->code == SVM_CANCELLED;
	if (x->n == 1) {
		model_complain(m, err, doing);
		return;
	}
	if (s)
		s->marked = true;
	if (x->report.len < LIMIT_TUI_OUTPUT)
		buf_addf(&x->report, "%s: %s\n", id,
			 err->msg ? err->msg : "failed");
}

/* Of what is asked, or of a terminal or text that has all keys. */
static bool is_in_the_way(const struct model *m)
{
	enum context chain[CONTEXT_CHAIN];
	size_t i = 0;

	update_contexts(m, chain);
	while (i < CONTEXT_CHAIN && chain[i] != CTX_GLOBAL &&
	       chain[i] != CTX_NONE)
		i++;
	return m->dialog || i == CONTEXT_CHAIN || chain[i] != CTX_GLOBAL;
}

static void tell_end(struct model *m, struct run *x)
{
	size_t left = x->n - x->worked - x->failed;
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf say = BUF_INIT;

	if (x->n == 1)
		buf_addf(&say, "%s %s", x->done, x->ids[0]);
	else
		buf_addf(&say, "%s %zu of %zu", x->done, x->worked, x->n);
	if (x->failed)
		buf_addf(&say, ", %zu failed and are marked", x->failed);
	if (left)
		buf_addf(&say, ", %zu left alone", left);
	if (x->b.then && x->worked)
		x->b.then(x->b.data, &say);
	svm_err_set(&err, SVM_PROVIDER, "%s", buf_str(&say));
	if (x->n > 1 && x->failed)
		model_complain(m, &err, NULL);
	else if (!x->failed)
		model_say(m, "%s", buf_str(&say));
	if (x->report.len && !is_in_the_way(m))
		output_open(m, buf_str(&say), buf_str(&x->report));
}

static void answered(struct model *m, struct request *r);

/* Send what has room; the last one to go turns off the light. */
static void go_on(struct model *m, struct run *x)
{
	while (x->running < x->b.at_once && x->next < x->n && !x->stopped) {
		const char *id = x->ids[x->next++];
		auto_err struct svm_err err = SVM_ERR_INIT;
		struct request *r = x->b.make(m, id, x->b.data, &err);

		if (!r && err.code != SVM_OK)
			failed(m, x, id, x->doing, &err);
		else if (!r)
			x->worked++;
		if (!r)
			continue;
		if (!r->about)
			r->about = xstrdup(id);
		r->done = answered;
		r->data = x;
		r->forget = forget;
		x->running++;
		request_send(m, r);
	}
	if (x->running) {
		if (x->n > 1)
			model_progress(m, "%s %zu of %zu; ^C stops", x->doing,
				  x->worked + x->failed, x->n);
		return;
	}
	m->batches--;
	tell_end(m, x);
	run_free(x);
}

static void answered(struct model *m, struct request *r)
{
	struct run *x = r->data;

	x->running--;
	if (x->b.each)
		x->b.each(m, r, x->b.data, &x->report);
	if (r->err.code != SVM_OK) {
		failed(m, x, r->about, r->doing, &r->err);
		svm_err_release(&r->err);
	} else {
		x->worked++;
	}
	go_on(m, x);
}

void batch_start(struct model *m, const struct batch *b, char **ids)
{
	struct run *x = xcalloc(1, sizeof(*x));

	x->b = *b;
	x->doing = xstrdup(b->doing);
	x->done = xstrdup(b->done);
	x->ids = ids;
	x->n = strv_len(ids);
	x->b.at_once = x->b.at_once ? x->b.at_once : AT_ONCE;
	m->batches++;
	go_on(m, x);
}

bool batch_takes_marked(enum action a)
{
	return a == ACT_KILL || a == ACT_EXTEND || a == ACT_LABEL ||
	       a == ACT_EXPORT;
}

char **batch_targets(const struct model *m, const struct sandbox *s,
		     bool alone)
{
	char **ids = xcalloc(m->fleet.n + 2, sizeof(char *));
	size_t n = 0;

	for (size_t i = 0; !alone && i < m->fleet.n; i++)
		if (sandbox_is_marked(m->fleet.all[i]))
			ids[n++] = xstrdup(m->fleet.all[i]->id);
	if (!n && s)
		ids[n++] = xstrdup(s->id);
	return ids;
}
