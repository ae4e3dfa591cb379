/* SPDX-License-Identifier: MIT */
/* What is to be written: rows become bound statements.  See store.h. */
#include <stdlib.h>

#include "daemon/store-internal.h"
#include "lib/api/limits.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

void store_sandbox_release(struct store_sandbox *s)
{
	char *const all[] = { s->id, s->state, s->provider, s->owner, s->name,
			      s->spec, s->record, s->posture, s->nonce,
			      s->boot_id, s->reason };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		free(all[i]);
	*s = (struct store_sandbox){ 0 };
}

void store_event_release(struct store_event *e)
{
	free(e->type);
	free(e->sandbox_id);
	free(e->owner);
	free(e->data);
	*e = (struct store_event){ 0 };
}

void store_quota_release(struct store_quota *q)
{
	free(q->owner);
	*q = (struct store_quota){ 0 };
}

void store_template_release(struct store_template *t)
{
	free(t->owner);
	free(t->name);
	free(t->body);
	*t = (struct store_template){ 0 };
}

void store_image_release(struct store_image *i)
{
	free(i->ref);
	free(i->digest);
	free(i->config);
	*i = (struct store_image){ 0 };
}

struct store_txn *store_begin(struct store *s)
{
	struct store_txn *t = xcalloc(1, sizeof(*t));

	t->store = s;
	list_init(&t->link);
	list_init(&t->ops);
	return t;
}

static struct store_op *add_op(struct store_txn *t, enum store_write what,
			 unsigned room)
{
	struct store_op *op = xcalloc(1, sizeof(*op) + room * sizeof(op->v[0]));

	op->what = what;
	list_append(&t->ops, &op->link);
	return op;
}

static void add_text(struct store_op *op, const char *s)
{
	op->v[op->n++] = (struct store_value){ .s = xstrdup(s) };
}

static void add_int(struct store_op *op, int64_t i)
{
	op->v[op->n++] = (struct store_value){ .is_int = true, .i = i };
}

void store_put_sandbox(struct store_txn *t, const struct store_sandbox *row)
{
	const char *const texts[] = { row->id, row->state, row->provider,
				      row->owner, row->name, row->spec,
				      row->record, row->posture, row->nonce,
				      row->boot_id, row->reason };
	const int64_t ints[] = { row->pid, row->start_time, row->created_ns,
				 row->expires_ns, row->expires_boot_ns,
				 row->updated_ns };
	struct store_op *op = add_op(t, STORE_PUT_SANDBOX,
			       ARRAY_SIZE(texts) + ARRAY_SIZE(ints));

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		add_text(op, texts[i]);
	for (size_t i = 0; i < ARRAY_SIZE(ints); i++)
		add_int(op, ints[i]);
}

void store_delete_sandbox(struct store_txn *t, const char *id)
{
	add_text(add_op(t, STORE_DELETE_SANDBOX, 1), id);
}

void store_put_image(struct store_txn *t, const struct store_image *row)
{
	struct store_op *op = add_op(t, STORE_PUT_IMAGE, 5);

	add_text(op, row->ref);
	add_text(op, row->digest);
	add_text(op, row->config);
	add_int(op, row->size_bytes);
	add_int(op, row->created_ns);
}

void store_delete_image(struct store_txn *t, const char *ref)
{
	add_text(add_op(t, STORE_DELETE_IMAGE, 1), ref);
}

void store_put_quota(struct store_txn *t, const struct store_quota *row)
{
	struct store_op *op = add_op(t, STORE_PUT_QUOTA, 8);

	add_text(op, row->owner);
	add_int(op, row->max_sandboxes);
	add_int(op, row->max_ttl_ns);
	add_int(op, row->max_exec_timeout_ns);
	add_int(op, row->max_memory_mb);
	add_int(op, row->max_vcpus);
	add_int(op, row->created_ns);
	add_int(op, row->updated_ns);
}

void store_delete_quota(struct store_txn *t, const char *owner)
{
	add_text(add_op(t, STORE_DELETE_QUOTA, 1), owner);
}

void store_put_template(struct store_txn *t, const struct store_template *row)
{
	struct store_op *op = add_op(t, STORE_PUT_TEMPLATE, 5);

	add_text(op, row->owner ? row->owner : "");
	add_text(op, row->name);
	add_text(op, row->body);
	add_int(op, row->created_ns);
	add_int(op, row->updated_ns);
}

void store_delete_template(struct store_txn *t, const char *owner,
			   const char *name)
{
	struct store_op *op = add_op(t, STORE_DELETE_TEMPLATE, 2);

	add_text(op, owner ? owner : "");
	add_text(op, name);
}

void store_add_event(struct store_txn *t, enum event_type type,
		     const char *sandbox_id, const char *owner,
		     const char *data)
{
	struct store_op *op = add_op(t, STORE_ADD_EVENT, 5);
	struct store_event e = {
		.wall_ns = clock_wall_ns(),
		.type = xstrdup(event_type_name(type)),
		.sandbox_id = xstrdup(sandbox_id),
		.owner = xstrdup(owner),
		.data = xstrdup(data),
	};

	op->event = t->n_events;
	if ((t->n_events & (t->n_events - 1)) == 0) /* room doubles */
		t->events = xreallocarray(t->events, MAX(t->n_events * 2, 1u),
					  sizeof(e));
	t->events[t->n_events++] = e;
	add_int(op, e.wall_ns);
	op->v[op->n++].s = e.type;
	op->v[op->n++].s = e.sandbox_id;
	op->v[op->n++].s = e.owner;
	op->v[op->n++].s = e.data;
}

void store_add_audit(struct store_txn *t, const struct store_audit *a)
{
	const char *const texts[] = { a->actor, a->owner, a->sandbox_id,
				      a->action, a->target, a->result,
				      a->request_id };
	struct store_op *op = add_op(t, STORE_ADD_AUDIT, ARRAY_SIZE(texts) + 1);

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		add_text(op, texts[i]);
	add_int(op, clock_wall_ns());
}

void store_trim_audit(struct store_txn *t, int64_t before_ns,
		      int64_t max_bytes)
{
	struct store_op *op = add_op(t, STORE_TRIM_AUDIT, 2);

	add_int(op, before_ns);
	add_int(op, max_bytes);
}

static void op_free(struct store_op *op)
{
	for (unsigned i = 0; i < op->n && op->what != STORE_ADD_EVENT; i++)
		free(op->v[i].s);
	list_remove(&op->link);
	free(op);
}

void store_txn_free(struct store_txn *t)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &t->ops)
		op_free(list_entry(pos, struct store_op, link));
	for (size_t i = 0; i < t->n_events; i++)
		store_event_release(&t->events[i]);
	free(t->events);
	svm_err_release(&t->err);
	free(t);
}
