/* SPDX-License-Identifier: MIT */
/*
 * The collection of templates.  See templates.h.  Memory changes first, so
 * that of two requests the second one sees what the first one made; what can't
 * be stored is taken back.
 */
#include "daemon/templates.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/auth.h"
#include "daemon/daemon.h"
#include "daemon/events.h"
#include "daemon/store.h"
#include "daemon/template.h"
#include "daemon/warm.h"
#include "lib/api/limits.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

struct templates {
	struct list all; /* by name */
};

struct template *templates_next(const struct daemon *d,
				const struct template *t)
{
	struct list *head = &d->templates->all;
	struct list *next = t ? t->link.next : head->next;

	return next == head ? NULL : list_entry(next, struct template, link);
}

static const char *text(const char *owner)
{
	return owner ? owner : "";
}

struct template *templates_find(const struct daemon *d, const char *owner,
				const char *name)
{
	for (struct template *t = NULL; (t = templates_next(d, t));)
		if (strcmp(t->name, name) == 0 &&
		    strcmp(text(t->owner), text(owner)) == 0)
			return t;
	return NULL;
}

struct template *templates_find_key(const struct daemon *d, const char *name,
				    const char *key)
{
	for (struct template *t = NULL; (t = templates_next(d, t));)
		if (strcmp(t->name, name) == 0 && strcmp(t->key, key) == 0)
			return t;
	return NULL;
}

bool templates_may_change(const struct caller *c, const struct template *t)
{
	return auth_may_see(c, t->owner);
}

bool templates_lists(const struct daemon *d, const struct caller *c,
		     const struct template *t)
{
	if (auth_may_see(c, t->owner))
		return true;
	return !t->owner && !templates_find(d, c->space, t->name);
}

struct template *templates_get(const struct daemon *d, const struct caller *c,
			       const char *name, struct svm_err *err)
{
	struct template *t = templates_find(d, c->space, name);

	if (!t && c->space)
		t = templates_find(d, NULL, name);
	if (t)
		return t;
	while (c->all && (t = templates_next(d, t)))
		if (strcmp(t->name, name) == 0)
			return t;
	svm_err_set(err, SVM_NOT_FOUND, "no template '%.80s'", name);
	svm_err_hint(err, "see what there is with: stacyvm template ls");
	return NULL;
}

static bool comes_before(const struct template *a, const struct template *b)
{
	int order = strcmp(a->name, b->name);

	return order < 0 ||
	       (order == 0 && strcmp(text(a->owner), text(b->owner)) < 0);
}

static void enter(struct daemon *d, struct template *t)
{
	struct template *after = NULL;

	while ((after = templates_next(d, after)) && comes_before(after, t))
		;
	list_append(after ? &after->link : &d->templates->all, &t->link);
}

static void leave(struct template *t)
{
	list_remove(&t->link);
}

/* A change on its way to the store. */
struct change {
	struct daemon *d;
	struct template *now; /* in the list; NULL: a deletion */
	struct template *old; /* what was there, ours until it is stored */
	templates_done_fn done;
	void *data;
};

/* Unless somebody else has changed it since. */
static void take_back(struct change *c)
{
	const struct template *one = c->old ? c->old : c->now;
	struct template *there = templates_find(c->d, one->owner, one->name);

	if (there != c->now)
		return;
	if (there) {
		leave(there);
		template_free(there);
	}
	if (c->old)
		enter(c->d, steal_ptr(&c->old));
	warm_wake(c->d);
}

static void on_stored(void *data, const struct svm_err *err,
		      const struct store_event *ev, size_t n)
{
	struct change *c = data;

	if (err) {
		log_error_e(err, "can't store a template");
		take_back(c);
	}
	if (!err)
		events_publish(c->d->events, ev, n);
	c->done(c->data, err);
	template_free(c->old);
	free(c);
}

static void add_event(struct store_txn *txn, enum event_type type,
		      const struct template *t)
{
	auto_buf struct buf data = BUF_INIT;
	struct json_writer w = json_writer(&data);

	json_open(&w, NULL, '{');
	json_str(&w, "name", t->name);
	if (t->owner)
		json_str(&w, "owner_id", t->owner);
	json_close(&w, '}');
	store_add_event(txn, type, NULL,
			t->owner ? t->owner : EVENTS_EVERYBODY,
			buf_str(&data));
}

static void change(struct daemon *d, struct template *now,
		   struct template *old, templates_done_fn done, void *data)
{
	struct store_txn *t = store_begin(d->store);
	struct change *c = xcalloc(1, sizeof(*c));

	*c = (struct change){ d, now, old, done, data };
	if (old)
		leave(old);
	if (now) {
		auto_free char *body = template_text(now);
		const struct store_template row = {
			now->owner, now->name, body, now->created_ns,
			now->updated_ns,
		};

		now->claims = old ? old->claims : 0;
		enter(d, now);
		store_put_template(t, &row);
		add_event(t, EVENT_TEMPLATE_SAVED, now);
	} else {
		store_delete_template(t, old->owner, old->name);
		add_event(t, EVENT_TEMPLATE_DELETED, old);
	}
	warm_wake(d);
	store_commit(t, on_stored, c);
}

/* One owner can't use up what the others need, nor all of them together what
 * everybody's needs. */
static int check_room(const struct daemon *d, const char *owner,
		      struct svm_err *err)
{
	size_t same = 0, others = 0;

	for (struct template *t = NULL; (t = templates_next(d, t));) {
		same += strcmp(text(t->owner), text(owner)) == 0;
		others += owner && t->owner;
	}
	size_t max = owner ? LIMIT_TEMPLATES_OWNER : LIMIT_TEMPLATES;
	if (same < max && others < LIMIT_TEMPLATES)
		return 0;
	if (same >= max)
		svm_err_set(err, SVM_RESOURCE_LIMIT, "%s%s%s %zu templates, "
			    "no more are allowed",
			    owner ? "owner '" : "there are", text(owner),
			    owner ? "' has" : "", same);
	else
		svm_err_set(err, SVM_RESOURCE_LIMIT, "all owners together "
			    "have %zu templates, no more are allowed", others);
	return svm_err_hint(err, "delete one with: stacyvm template rm NAME");
}

int templates_put(struct daemon *d, struct template *t,
		  templates_done_fn done, void *data, struct svm_err *err)
{
	struct template *old = templates_find(d, t->owner, t->name);

	if (!old && check_room(d, t->owner, err) < 0) {
		template_free(t);
		return -1;
	}
	change(d, t, old, done, data);
	return 0;
}

void templates_delete(struct daemon *d, struct template *t,
		      templates_done_fn done, void *data)
{
	change(d, NULL, t, done, data);
}

/* Opening. */

static void take_row(void *data, struct store_template *row)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct daemon *d = data;
	struct template *t = template_load(row->name, row->body, &err);

	if (!t) {
		log_error_e(&err, "template '%s' can't be read", row->name);
		return;
	}
	if (row->owner)
		template_set_owner(t, row->owner);
	t->created_ns = row->created_ns;
	t->updated_ns = row->updated_ns;
	enter(d, t);
}

int templates_open(struct daemon *d, struct svm_err *err)
{
	d->templates = xcalloc(1, sizeof(*d->templates));
	list_init(&d->templates->all);
	return store_each_template(d->store, take_row, d, err);
}

void templates_free(struct templates *all)
{
	struct list *pos, *tmp;

	if (!all)
		return;
	list_for_each_safe(pos, tmp, &all->all)
		template_free(list_entry(pos, struct template, link));
	free(all);
}
