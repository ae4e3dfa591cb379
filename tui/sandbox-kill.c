/* SPDX-License-Identifier: MIT */
/* Killing sandboxes: asking, the grace in which it is undone.  See
 * sandbox-act.h. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "tui/batch.h"
#include "tui/sandbox-act.h"
#include "tui/sandbox-bulk.h"
#include "tui/screen.h"

/* Lines of a question; the rest is a number. */
#define DESCRIBED_MAX 6

static struct request *make_kill(struct model *m, const char *id, void *data,
				 struct svm_err *err)
{
	struct request *r;

	(void)data, (void)err;
	if (!fleet_find(&m->fleet, id))
		return NULL; /* gone by itself */
	r = request_new("DELETE", request_sandbox(id, ""), NULL);
	r->doing = xasprintf("kill %s", id);
	return r;
}

static void killed(struct model *m, struct request *r, void *data,
		   struct buf *report)
{
	struct sandbox *s = fleet_find(&m->fleet, r->about);

	(void)data, (void)report;
	if (r->err.code == SVM_OK)
		fleet_remove(&m->fleet, r->about);
	else if (s)
		s->asked = false;
}

/* Those that are never asked for, because it was stopped, stay. */
static void give_up(void *data)
{
	struct model *m = data;

	for (size_t i = 0; i < m->fleet.n; i++)
		m->fleet.all[i]->asked &= m->batches > 0;
}

/* All whose grace ended by then. */
static void send_kills(struct model *m, int64_t by)
{
	char **ids = xcalloc(m->fleet.n + 1, sizeof(*ids));
	size_t n = 0;

	for (size_t i = 0; i < m->fleet.n; i++) {
		struct sandbox *s = m->fleet.all[i];

		if (!s->going_until || s->going_until > by)
			continue;
		s->going_until = 0;
		s->asked = true;
		ids[n++] = xstrdup(s->id);
	}
	if (!n) {
		strv_free(ids);
		return;
	}
	batch_start(m, &(struct batch){ .doing = "killing", .done = "killed",
					.make = make_kill, .each = killed,
					.data = m, .release = give_up }, ids);
}

static void ids_free(void *data)
{
	strv_free(data);
}

static void confirmed(struct model *m, void *data)
{
	int64_t until = m->boot_ns + KILL_GRACE_NS;
	size_t n = 0;
	const char *last = "";

	for (char **id = data; *id; id++) {
		struct sandbox *s = fleet_find(&m->fleet, *id);

		if (!s || s->asked)
			continue;
		s->marked = false;
		s->going_until = until;
		last = *id;
		n++;
	}
	if (n == 1)
		model_say(m, "killing %s in 5 s; u undoes", last);
	else if (n)
		model_say(m, "killing %zu in 5 s; u undoes", n);
	if (n)
		model_said_while(m, TOAST_ANYWHERE);
}

/* What is lost. */
static void describe(const struct model *m, char **ids,
		     char *lines[DESCRIBED_MAX + 2])
{
	size_t n = strv_len(ids), shown = MIN(n, DESCRIBED_MAX);

	for (size_t i = 0; i < shown; i++) {
		struct sandbox *s = fleet_find(&m->fleet, ids[i]);
		struct buf b = BUF_INIT;

		sandbox_describe(m, s, &b);
		lines[i] = buf_steal(&b);
	}
	if (n > shown)
		lines[shown] = xasprintf("and %zu more", n - shown);
	lines[shown + (n > shown)] = xstrdup("Files inside are lost.");
}

/* Takes the ids; with a name that is to be typed. */
static void ask(struct model *m, char **ids, const char *title,
		const char *name)
{
	char *lines[DESCRIBED_MAX + 3] = { NULL };

	describe(m, ids, lines);
	confirm_ask(m, &(struct confirm){
			       .title = title,
			       .lines = (const char *const *)lines,
			       .name = name,
			       .yes = confirmed,
			       .release = ids_free,
			       .data = ids });
	for (size_t i = 0; lines[i]; i++)
		free(lines[i]);
}

void sandbox_kill_ask(struct model *m, char **ids)
{
	size_t n = strv_len(ids);
	auto_free char *title = NULL;

	if (!n) {
		strv_free(ids);
		return;
	}
	if (m->set.confirm == CONFIRM_NEVER ||
	    (m->set.confirm == CONFIRM_BULK && n == 1)) {
		confirmed(m, ids);
		strv_free(ids);
		return;
	}
	title = n == 1 ? xasprintf("KILL %s?", ids[0]) :
			 xasprintf("KILL %zu SANDBOXES?", n);
	ask(m, ids, title, NULL);
}

/* Those there are now, and no others: what is made meanwhile nobody agreed
 * to. */
void sandbox_prune_all_ask(struct model *m)
{
	char **ids = xcalloc(m->fleet.n + 1, sizeof(*ids));
	auto_free char *title = xasprintf("KILL ALL SANDBOXES (%zu)?",
					  m->fleet.n);

	for (size_t i = 0; i < m->fleet.n; i++)
		ids[i] = xstrdup(m->fleet.all[i]->id);
	if (*ids) {
		ask(m, ids, title, "all");
		return;
	}
	strv_free(ids);
	model_say(m, "there is no sandbox");
}

/* What was killed together stays together. */
bool sandbox_kill_undo(struct model *m, const struct sandbox *selected)
{
	int64_t until = selected ? selected->going_until : 0;
	const char *last = "";
	size_t n = 0;

	for (size_t i = 0; !until && i < m->fleet.n; i++)
		until = m->fleet.all[i]->going_until;
	for (size_t i = 0; until && i < m->fleet.n; i++) {
		struct sandbox *s = m->fleet.all[i];

		if (s->going_until != until)
			continue;
		s->going_until = 0;
		last = s->id;
		n++;
	}
	if (n == 1)
		model_say(m, "%s stays", last);
	else if (n)
		model_say(m, "%zu stay", n);
	return n;
}

void sandbox_act_tick(struct model *m)
{
	send_kills(m, m->boot_ns);
}

int64_t sandbox_act_wake(const struct model *m)
{
	int64_t at = 0;

	for (size_t i = 0; i < m->fleet.n; i++) {
		int64_t until = m->fleet.all[i]->going_until;

		if (until && (!at || until < at))
			at = until;
	}
	return at;
}

void sandbox_act_finish(struct model *m)
{
	send_kills(m, INT64_MAX);
}
