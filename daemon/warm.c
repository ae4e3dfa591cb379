/* SPDX-License-Identifier: MIT */
/* The pool of warm copies.  See warm.h. */
#include "daemon/warm.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/admission.h"
#include "daemon/daemon.h"
#include "daemon/lifecycle.h"
#include "daemon/sandbox-request.h"
#include "daemon/sandbox.h"
#include "daemon/template.h"
#include "daemon/templates.h"
#include "lib/base/clock.h"
#include "lib/base/fault.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

#define BACKOFF_MAX 6 /* doublings of a second */

struct warm {
	struct daemon *d;
	struct list copies;         /* all in the registry, oldest first */
	struct loop_timer *timer;
	struct sandbox *making;     /* one at a time */
	struct life_waiter maker;
	bool fresh;                 /* one was made that nobody looked at */
	uint64_t claims, misses, failures;
};

static struct sandbox *next_copy(const struct warm *w, const struct sandbox *s)
{
	struct list *next = s ? s->warm_link.next : w->copies.next;

	return next == &w->copies ? NULL :
				    list_entry(next, struct sandbox, warm_link);
}

static bool is_of(const struct sandbox *s, const struct template *t)
{
	return strcmp(s->spec.template, t->name) == 0 &&
	       strcmp(s->spec.warm, t->key) == 0;
}

static struct template *template_of(const struct warm *w,
				    const struct sandbox *s)
{
	return s->spec.warm ? templates_find_key(w->d, s->spec.template,
						 s->spec.warm) : NULL;
}

static bool is_leaving(const struct sandbox *s)
{
	return s->destroy_wanted || s->state == SANDBOX_DESTROYING;
}

/* Copies of t up to and without `end` (NULL: all). */
static size_t count_of(const struct warm *w, const struct template *t,
		       const struct sandbox *end)
{
	size_t n = 0;

	for (struct sandbox *s = NULL; (s = next_copy(w, s)) && s != end;)
		n += is_of(s, t) && !is_leaving(s);
	return n;
}

/* Copies that one owner's templates have, up to and without `end`.  With what
 * the owner has, they must stay below the owner's limit: a pool is no way
 * around it. */
static size_t count_of_owner(const struct warm *w, const char *owner,
			     const struct sandbox *end)
{
	size_t n = 0;

	for (struct sandbox *s = NULL; (s = next_copy(w, s)) && s != end;) {
		const struct template *t = template_of(w, s);

		n += t && t->owner && strcmp(t->owner, owner) == 0 &&
		     !is_leaving(s);
	}
	return n;
}

static bool owner_has_room(const struct warm *w, const struct template *t,
			   const struct sandbox *end)
{
	return !t->owner ||
	       admission_owner_room(w->d, t->owner) >
			count_of_owner(w, t->owner, end);
}

/* Why a copy should go, or NULL. */
static const char *unwanted(const struct warm *w, const struct sandbox *s)
{
	const struct template *t = template_of(w, s);

	if (is_leaving(s))
		return NULL;
	if (!t)
		return "its template is gone or was changed";
	if (count_of(w, t, s) >= t->pool_size)
		return "the pool became smaller";
	if (!owner_has_room(w, t, s))
		return "its template's owner has no more room";
	if (s->state != SANDBOX_CREATING && s->state != SANDBOX_RUNNING)
		return "it broke before it was used";
	return NULL;
}

/* Making. */

static void failed(struct warm *w, struct template *t,
		   const struct svm_err *err)
{
	t->retry_at = clock_boot_ns() +
		      (SECONDS(1) << MIN(t->failures, BACKOFF_MAX));
	t->failures++;
	w->failures++;
	log_warn_e(err, "template '%s': no warm copy could be made", t->name);
}

static void made(struct life_waiter *waiter, struct sandbox *s,
		 const struct svm_err *err)
{
	struct warm *w = container_of(waiter, struct warm, maker);
	struct template *t = template_of(w, s);

	fault_point("warm.made");
	w->making = NULL;
	warm_wake(w->d);
	if (!t || s->destroy_wanted)
		return;
	if (err)
		failed(w, t, err);
	else
		t->failures = 0;
	w->fresh = !err;
}

static void make(struct warm *w, struct template *t)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct sandbox_spec spec = { 0 };
	struct provider *p = NULL;
	struct sandbox *s = NULL;

	if (sandbox_request_warm(w->d, t, &spec, &p, &err) == 0)
		s = sandbox_new(w->d, p, &spec, &err);
	sandbox_spec_release(&spec);
	if (!s) {
		failed(w, t, &err);
		return;
	}
	list_append(&w->copies, &s->warm_link);
	s->asked_ns = clock_boot_ns();
	w->making = s;
	life_create(s, &w->maker);
	fault_point("warm.make");
}

static void on_timer(struct loop *l, void *data)
{
	struct warm *w = data;
	struct daemon *d = w->d;
	int64_t now = clock_boot_ns(), again = INT64_MAX;
	const char *why;

	(void)l;
	if (d->stopping)
		return;
	if (w->fresh) {
		w->fresh = false;
		admission_offer(d); /* who waits needs no place for it */
	}
	for (struct sandbox *next, *s = next_copy(w, NULL); s; s = next) {
		next = next_copy(w, s);
		if ((why = unwanted(w, s)))
			life_destroy(s, why, NULL);
	}
	for (struct template *t = NULL;
	     !w->making && admission_has_room(d) && (t = templates_next(d, t));) {
		if (count_of(w, t, NULL) >= t->pool_size ||
		    !owner_has_room(w, t, NULL))
			continue;
		if (t->retry_at <= now)
			make(w, t);
		if (t->retry_at > now)
			again = MIN(again, t->retry_at);
	}
	if (again != INT64_MAX && !loop_timer_armed(w->timer))
		loop_timer_at(w->timer, again);
}

void warm_wake(struct daemon *d)
{
	if (d->warm && !d->stopping)
		loop_timer_after(d->warm->timer, 0);
}

/* Claiming. */

static bool same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool same_list(char *const *a, char *const *b)
{
	size_t n = strv_len(a);

	if (n != strv_len(b))
		return false;
	for (size_t i = 0; i < n; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return true;
}

/* All that was fixed when the box was made, but for what is in the image. */
static bool same_box(const struct sandbox_spec *a,
		     const struct sandbox_spec *b)
{
	return same_text(a->image, b->image) && a->memory_mb == b->memory_mb &&
	       a->vcpus == b->vcpus && a->disk_mb == b->disk_mb &&
	       a->pids == b->pids && a->inodes == b->inodes &&
	       a->network == b->network && a->rootfs == b->rootfs &&
	       a->read_only_rootfs == b->read_only_rootfs;
}

/* What is sent with each command must leave room for the command. */
static bool env_fits(const struct sandbox_spec *spec)
{
	size_t n = 0;

	for (char **e = spec->env; e && *e; e++)
		n += strlen(*e) + 1;
	return n <= LIMIT_ENV_BYTES;
}

/* Running, and stored as such. */
static bool is_ready(const struct warm *w, const struct sandbox *s)
{
	return s->state == SANDBOX_RUNNING && s != w->making;
}

static bool fits(const struct warm *w, const struct sandbox *s,
		 const struct provider *p, const struct template *t,
		 const struct sandbox_spec *spec)
{
	return is_ready(w, s) && s->provider == p &&
	       is_of(s, t) && same_box(&s->spec, spec) &&
	       s->expires_boot_ns > clock_boot_ns() + LIMIT_TIME_AGENT_REPLY;
}

static struct template *pooled(const struct daemon *d,
			       const struct sandbox_spec *spec)
{
	struct template *t = spec->template ?
			templates_find_key(d, spec->template, spec->made_by) :
			NULL;

	return t && t->pool_size ? t : NULL;
}

bool warm_fits(const struct daemon *d, const struct provider *p,
	       const struct sandbox_spec *spec)
{
	const struct warm *w = d->warm;
	const struct template *t = pooled(d, spec);

	if (!t || !env_fits(spec))
		return false;
	for (const struct sandbox *s = NULL; (s = next_copy(w, s));)
		if (fits(w, s, p, t, spec) &&
		    same_list(s->spec.layers, spec->layers))
			return true;
	return false;
}

struct sandbox *warm_claim(struct daemon *d, struct provider *p,
			   struct sandbox_spec *spec)
{
	struct warm *w = d->warm;
	struct template *t = pooled(d, spec);

	if (!t)
		return NULL;
	for (struct sandbox *next, *s = next_copy(w, NULL); s; s = next) {
		auto_err struct svm_err err = SVM_ERR_INIT;

		next = next_copy(w, s);
		if (!fits(w, s, p, t, spec) || !env_fits(spec))
			continue;
		if (!same_list(s->spec.layers, spec->layers)) {
			life_destroy(s, "its image was replaced", NULL);
			continue;
		}
		spec->late_env = !same_list(s->spec.env, spec->env);
		if (life_claim_begin(s, spec, &err) < 0) {
			log_warn_e(&err, "sandbox=%s not claimed", s->id);
			life_destroy(s, "its agent can't be reached", NULL);
			continue;
		}
		list_remove(&s->warm_link);
		t->claims++;
		w->claims++;
		return s;
	}
	spec->late_env = false;
	w->misses++;
	warm_wake(d);
	return NULL;
}

/* The rest. */

const char *warm_adopt(struct daemon *d, struct sandbox *s)
{
	if (!s->spec.template)
		return "it is a copy of no template";
	list_append(&d->warm->copies, &s->warm_link);
	const char *why = unwanted(d->warm, s);
	if (why)
		list_remove(&s->warm_link);
	return why;
}

void warm_count(const struct daemon *d, struct warm_counts *ret)
{
	const struct warm *w = d->warm;

	*ret = (struct warm_counts){ .claims = w->claims, .misses = w->misses,
				     .failures = w->failures };
	for (struct sandbox *s = NULL; (s = next_copy(w, s));) {
		ret->total++;
		ret->ready += is_ready(w, s);
		ret->making += s == w->making;
	}
	for (const struct template *t = NULL; (t = templates_next(d, t));)
		ret->wanted += t->pool_size;
}

void warm_count_of(const struct daemon *d, const struct template *t,
		   struct warm_counts *ret)
{
	const struct warm *w = d->warm;

	*ret = (struct warm_counts){ .claims = t->claims,
				     .wanted = t->pool_size };
	for (struct sandbox *s = NULL; (s = next_copy(w, s));) {
		if (!is_of(s, t) || is_leaving(s))
			continue;
		ret->total++;
		ret->ready += is_ready(w, s);
		ret->making += s == w->making;
	}
}

struct warm *warm_new(struct daemon *d)
{
	struct warm *w = xcalloc(1, sizeof(*w));

	w->d = d;
	list_init(&w->copies);
	list_init(&w->maker.link);
	w->maker.fn = made;
	w->timer = loop_timer_new(d->loop, on_timer, w);
	return w;
}

void warm_free(struct warm *w)
{
	if (!w)
		return;
	while (!list_empty(&w->copies))
		list_remove(w->copies.next);
	loop_timer_free(w->timer);
	free(w);
}
