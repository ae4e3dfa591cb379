/* SPDX-License-Identifier: MIT */
/* Adoption of sandboxes after a restart of the daemon.  See adopt.h. */
#include "daemon/adopt.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/daemon.h"
#include "daemon/image/image.h"
#include "daemon/lifecycle.h"
#include "daemon/runtimes.h"
#include "daemon/sandbox.h"
#include "daemon/spec-json.h"
#include "daemon/store.h"
#include "daemon/warm.h"
#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/proc.h"

struct rows {
	struct store_sandbox *v;
	size_t n;
};

static void take_row(void *data, struct store_sandbox *row)
{
	struct rows *rows = data;

	if (strcmp(row->state, "destroyed") == 0)
		return;
	rows->v = xreallocarray(rows->v, rows->n + 1, sizeof(*rows->v));
	rows->v[rows->n++] = *row;
	*row = (struct store_sandbox){ 0 };
}

/* Write the tombstone: state destroyed, with the reason.  A warm copy gets
 * none, since nobody knew of it. */
static void bury(struct daemon *d, struct store_sandbox *row, bool warm,
		 const char *why)
{
	auto_buf struct buf data = BUF_INIT;
	struct json_writer w = json_writer(&data);
	struct store_txn *t = store_begin(d->store);

	log_info("sandbox=%s removed at start: %s", row->id, why);
	if (warm) {
		store_delete_sandbox(t, row->id);
		store_commit(t, NULL, NULL);
		return;
	}
	free(row->state);
	row->state = xstrdup("destroyed");
	free(row->reason);
	row->reason = xstrdup(why);
	row->updated_ns = clock_wall_ns();
	json_open(&w, NULL, '{');
	json_str(&w, "action", "removed");
	json_str(&w, "reason", why);
	json_close(&w, '}');
	store_put_sandbox(t, row);
	store_add_event(t, EVENT_RECONCILE_ACTION, row->id, row->owner,
			data.data);
	store_add_event(t, EVENT_SANDBOX_DESTROYED, row->id, row->owner, "{}");
	store_commit(t, NULL, NULL);
}

/* Why a row can't be adopted whatever its provider says, or NULL. */
static const char *hopeless(const struct store_sandbox *row)
{
	if (!row->boot_id || strcmp(row->boot_id, proc_boot_id()) != 0)
		return "the machine was restarted";
	if (strcmp(row->state, "creating") == 0)
		return "the daemon ended while it was being created";
	if (strcmp(row->state, "destroying") == 0)
		return "the daemon ended while it was being destroyed";
	if (row->expires_boot_ns && row->expires_boot_ns <= clock_boot_ns())
		return "its time to live is over";
	return NULL;
}

/* Its runtime is switched off or broken today: the row waits for a start that
 * can adopt it, and its layers stay, since its agent may be running. */
static void leave_row(struct daemon *d, const struct store_sandbox *row)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct sandbox_spec spec = { 0 };

	log_warn("sandbox=%s not adopted: provider '%s' is not usable", row->id,
		 row->provider);
	if (spec_from_json(row->spec, &spec, &err) == 0 && spec.layers)
		image_layers_hold(d->images, spec.layers);
	sandbox_spec_release(&spec);
}

static void adopt_row(struct daemon *d, struct store_sandbox *row)
{
	auto_err struct svm_err err = SVM_ERR_INIT, gone = SVM_ERR_INIT;
	struct runtime *rt = runtimes_find(d, row->provider);
	const char *why = hopeless(row);

	if (!rt || !rt->provider) {
		leave_row(d, row);
		return;
	}
	struct sandbox *s = sandbox_restore(d, rt->provider, row, &err);
	if (!s) {
		log_error_e(&err, "sandbox=%s not adopted", row->id);
		return;
	}
	if (!why && s->spec.warm)
		why = warm_adopt(d, s);
	if (!why && provider_adopt(s->provider, &s->box, &gone) < 0)
		why = gone.msg;
	if (!why) {
		if (s->state == SANDBOX_EXPIRED)
			s->state = SANDBOX_RUNNING;
		life_resume(s);
		sandbox_follow_leftovers(s);
		log_info("sandbox=%s adopted", s->id);
		return;
	}
	if (provider_destroy(s->provider, &s->box, &err) < 0) {
		s->state = SANDBOX_ERROR;
		list_remove(&s->warm_link);
		free(steal_ptr(&s->spec.warm));
		free(s->reason);
		s->reason = xasprintf("can't be removed: %s", err.msg);
		log_error_e(&err, "sandbox=%s can't be removed", s->id);
		return;
	}
	bool warm = s->spec.warm != NULL;

	sandbox_unregister(s);
	bury(d, row, warm, why);
}

/* What no row knows.  Rows that were left count as known: the directory of
 * boxes is shared by the providers. */
static void sweep(struct daemon *d, const struct rows *rows)
{
	char **ids = xcalloc(rows->n + 1, sizeof(*ids));

	for (size_t i = 0; i < rows->n; i++)
		ids[i] = rows->v[i].id;
	runtimes_sweep(d, ids);
	free(ids);
}

int adopt_all(struct daemon *d, struct svm_err *err)
{
	struct rows rows = { 0 };

	if (store_each_sandbox(d->store, take_row, &rows, err) < 0)
		return -1;
	for (size_t i = 0; i < rows.n; i++)
		adopt_row(d, &rows.v[i]);
	sweep(d, &rows);
	for (size_t i = 0; i < rows.n; i++)
		store_sandbox_release(&rows.v[i]);
	free(rows.v);
	return 0;
}
