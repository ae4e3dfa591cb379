/* SPDX-License-Identifier: MIT */
/*
 * Another name or other metadata for a sandbox that lives.  They take effect
 * at once, so that of two who want a name one is refused, and whatever is
 * stored next has them; when they can't be stored it is as it was before.
 * See lifecycle.h.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/daemon.h"
#include "daemon/lifecycle-internal.h"
#include "daemon/registry.h"
#include "daemon/sandbox-patch.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

struct update {
	struct life_waiter waiter; /* of the row; answers `asker` */
	struct life_waiter *asker;
	struct sandbox_patch before, after; /* `after` is the sandbox's, or
					     * `before` of the later one */
	struct update *later;               /* answered after us, or NULL */
};

static void swap_in(struct sandbox *s, const struct sandbox_patch *p)
{
	s->spec.name = p->name;
	s->spec.metadata = p->metadata;
}

/* As if it had not been: but the old name may be another's by now. */
static void take_back(struct update *u, struct sandbox *s)
{
	struct sandbox_patch *unwanted = &u->after;

	if (u->later)
		u->later->before = u->before;
	else if (sandbox_name_is_free(s->daemon, u->before.name,
				      s->spec.owner, s))
		swap_in(s, &u->before);
	else
		unwanted = &u->before;
	sandbox_patch_release(unwanted);
}

static void update_stored(struct life_waiter *waiter, struct sandbox *s,
			  const struct svm_err *err)
{
	struct update *u = container_of(waiter, struct update, waiter);

	if (s->update == u)
		s->update = NULL;
	if (err)
		take_back(u, s);
	else
		sandbox_patch_release(&u->before);
	u->asker->fn(u->asker, s, err);
	free(u->waiter.target);
	free(u);
}

/* Values stay out of the trail; a name is how a sandbox is known. */
static char *for_audit(char *const *changed, const char *name)
{
	struct buf text = BUF_INIT;

	for (; *changed; changed++) {
		buf_addf(&text, "%s%s", text.len ? " " : "", *changed);
		if (strcmp(*changed, "name") == 0)
			buf_addf(&text, "=%s", name ? name : "");
	}
	buf_addstr(&text, "");
	return buf_steal(&text);
}

static void for_event(char *const *changed, struct buf *out)
{
	struct json_writer w = json_writer(out);

	json_open(&w, NULL, '{');
	json_open(&w, "changed", '[');
	for (; *changed; changed++)
		json_str(&w, NULL, *changed);
	json_close(&w, ']');
	json_close(&w, '}');
}

static int may_update(const struct sandbox *s, const struct sandbox_patch *p,
		      struct svm_err *err)
{
	bool early = s->state == SANDBOX_CREATING || s->claim;
	bool over = s->state == SANDBOX_EXPIRED ||
		    s->state == SANDBOX_DESTROYING ||
		    s->state == SANDBOX_DESTROYED;

	if (!early && !over)
		return sandbox_check_name(s->daemon, p->name, s->spec.owner, s,
					  err);
	/* A worker reads the specification of one that is being made. */
	svm_err_set(err, SVM_CONFLICT, "sandbox '%s' is %s", s->id,
		    early ? "creating" : sandbox_state_name(s->state));
	return early ? svm_err_hint(err, "ask again once it is running") : -1;
}

void life_update(struct sandbox *s, struct sandbox_patch *p,
		 struct life_waiter *w)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf data = BUF_INIT;

	if (may_update(s, p, &err) < 0) {
		w->fn(w, s, &err);
		return;
	}
	struct update *u = xcalloc(1, sizeof(*u));

	u->waiter = (struct life_waiter){ .who = w->who, .fn = update_stored,
					  .action = "sandbox.update",
					  .target = for_audit(p->changed,
							      p->name) };
	u->asker = w;
	u->before = (struct sandbox_patch){ .name = s->spec.name,
					    .metadata = s->spec.metadata };
	u->after = (struct sandbox_patch){ .name = steal_ptr(&p->name),
					   .metadata =
						   steal_ptr(&p->metadata) };
	swap_in(s, &u->after);
	if (s->update)
		s->update->later = u;
	s->update = u;
	for_event(p->changed, &data);
	life_commit_for(s, *p->changed ? EVENT_SANDBOX_UPDATED : EVENT_NONE,
			buf_str(&data), NULL, &u->waiter);
}
