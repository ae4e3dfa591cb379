/* SPDX-License-Identifier: MIT */
/* The sandboxes.  See fleet.h. */
#include "tui/fleet.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/defs.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

static double number(const cJSON *object, const char *key)
{
	const cJSON *v = json_get(object, key);

	return cJSON_IsNumber(v) ? v->valuedouble : 0;
}

/* Numbers of a stranger: what doesn't fit is 0. */
static int64_t integer(const cJSON *object, const char *key)
{
	double v = number(object, key);

	return v >= 0 && v < 9e18 ? (int64_t)v : 0;
}

static int64_t instant(const cJSON *object, const char *key)
{
	int64_t ns;

	return clock_parse_rfc3339(json_text(object, key), &ns) == 0 ? ns : 0;
}

static void read_object(struct sandbox *s, cJSON *object)
{
	cJSON_Delete(s->json);
	s->json = object;
	s->id = json_text(object, "id");
	s->name = json_text(object, "name");
	s->state = json_text(object, "state");
	s->provider = json_text(object, "provider");
	s->image = json_text(object, "image");
	s->owner = json_text(object, "owner_id");
	s->template = json_text(object, "template");
	s->network = json_text(object, "network");
	s->created_ns = instant(object, "created_at");
	s->expires_ns = instant(object, "expires_at");
	s->memory_mb = (long)integer(object, "memory_mb");
	s->vcpus = (long)integer(object, "vcpus");
}

static void sandbox_free(struct sandbox *s)
{
	cJSON_Delete(s->json);
	free(s);
}

void fleet_release(struct fleet *f)
{
	for (size_t i = 0; i < f->n; i++)
		sandbox_free(f->all[i]);
	free(f->all);
	*f = (struct fleet){ 0 };
}

struct sandbox *fleet_find(const struct fleet *f, const char *id)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->all[i]->id, id) == 0)
			return f->all[i];
	return NULL;
}

size_t fleet_marked(const struct fleet *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += sandbox_is_marked(f->all[i]);
	return n;
}

/* Newest first; the id decides between equals. */
static int newer(const void *pa, const void *pb)
{
	const struct sandbox *a = *(struct sandbox *const *)pa;
	const struct sandbox *b = *(struct sandbox *const *)pb;

	if (a->created_ns != b->created_ns)
		return a->created_ns < b->created_ns ? 1 : -1;
	return strcmp(a->id, b->id);
}

static void sort(struct fleet *f)
{
	if (f->n > 1)
		qsort(f->all, f->n, sizeof(struct sandbox *), newer);
}

static struct sandbox *append(struct fleet *f, cJSON *object)
{
	struct sandbox *s = xcalloc(1, sizeof(*s));

	read_object(s, object);
	f->all = xreallocarray(f->all, f->n + 1, sizeof(struct sandbox *));
	f->all[f->n++] = s;
	return s;
}

static int by_id(const void *pa, const void *pb)
{
	return strcmp((*(struct sandbox *const *)pa)->id,
		      (*(struct sandbox *const *)pb)->id);
}

/* What we know beside the object. */
static void keep_ours(struct sandbox *to, const struct sandbox *from)
{
	cJSON *object = to->json;

	*to = *from;
	to->json = NULL; /* stays with `from` */
	read_object(to, object);
}

void fleet_load(struct fleet *f, cJSON *array)
{
	struct fleet old = *f;
	cJSON *item;

	*f = (struct fleet){ .loaded = true };
	if (old.n > 1)
		qsort(old.all, old.n, sizeof(struct sandbox *), by_id);
	while ((item = cJSON_DetachItemFromArray(array, 0))) {
		struct sandbox key = { .id = json_text(item, "id") };
		struct sandbox *pkey = &key, **known = NULL;

		if (!*key.id) {
			cJSON_Delete(item);
			continue;
		}
		if (old.n)
			known = bsearch(&pkey, old.all, old.n,
					sizeof(struct sandbox *), by_id);
		struct sandbox *s = append(f, item);

		if (known)
			keep_ours(s, *known);
	}
	sort(f);
	fleet_release(&old);
	/* Both at once were as much again as is kept. */
	(void)malloc_trim(0);
}

void fleet_put(struct fleet *f, cJSON *object)
{
	struct sandbox *s = fleet_find(f, json_text(object, "id"));

	if (s)
		read_object(s, object);
	else if (*json_text(object, "id"))
		append(f, object);
	else
		cJSON_Delete(object);
	sort(f);
}

void fleet_remove(struct fleet *f, const char *id)
{
	struct sandbox *s = fleet_find(f, id);

	for (size_t i = 0, to = 0; i < f->n; i++)
		if (f->all[i] != s)
			f->all[to++] = f->all[i];
	f->n -= s != NULL;
	if (s)
		sandbox_free(s);
}

void fleet_stats(struct sandbox *s, const cJSON *stats)
{
	double cpu = number(stats, "cpu_pct");

	if (!cJSON_IsTrue(json_get(stats, "supported")))
		return;
	s->has_cpu = s->has_stats;
	s->has_stats = true;
	s->mem = integer(stats, "mem_bytes");
	s->mem_limit = integer(stats, "mem_limit_bytes");
	s->pids = integer(stats, "pids");
	s->disk = integer(stats, "disk_bytes");
	if (!s->has_cpu)
		return;
	s->cpu_pct = cpu >= 0 && cpu < 1e6 ? cpu : 0;
	if (s->n_samples == FLEET_SAMPLES)
		memmove(s->cpu_samples, s->cpu_samples + 1, --s->n_samples);
	s->cpu_samples[s->n_samples++] =
		(uint8_t)MIN(s->cpu_pct / (double)MAX(s->vcpus, 1), 100.0);
}

bool sandbox_is(const struct sandbox *s, const char *state)
{
	return strcmp(s->state, state) == 0;
}
