/* SPDX-License-Identifier: MIT */
/*
 * Token buckets.  See bucket.h.  A bucket is one number, the time at which it
 * will be full (the "theoretical arrival time" of ATM's cell rate algorithm):
 * no timer refills anything.
 */
#include "daemon/bucket.h"

#include <stdlib.h>
#include <string.h>

#include "lib/api/limits.h"
#include "lib/base/mem.h"
#include "lib/base/rand.h"

#define WAYS 4
#define SETS (LIMIT_BUCKETS / WAYS)

struct slot {
	uint64_t who;    /* hash */
	int64_t full_at; /* 0: never used */
};

struct buckets {
	int64_t interval;
	int64_t depth; /* burst * interval */
	uint64_t seed; /* callers choose their names, not their slots */
	struct slot slots[SETS][WAYS];
};

struct buckets *buckets_new(int64_t interval_ns, unsigned burst)
{
	struct buckets *b = xcalloc(1, sizeof(*b));

	b->interval = interval_ns;
	b->depth = interval_ns * (int64_t)burst;
	rand_bytes(&b->seed, sizeof(b->seed));
	return b;
}

void buckets_free(struct buckets *b)
{
	free(b);
}

static uint64_t hash(const struct buckets *b, const char *who)
{
	uint64_t h = UINT64_C(14695981039346656037) ^ b->seed; /* FNV-1a */

	for (; *who; who++)
		h = (h ^ (unsigned char)*who) * UINT64_C(1099511628211);
	h ^= h >> 32;
	return h * UINT64_C(0x9e3779b97f4a7c15);
}

/* Its slot, or the idlest of those it may have. */
static struct slot *find(struct buckets *b, uint64_t who, bool *ret_known)
{
	struct slot *set = b->slots[(who >> 32) % SETS], *idlest = set;

	for (int i = 0; i < WAYS; i++) {
		if (set[i].full_at && set[i].who == who) {
			*ret_known = true;
			return &set[i];
		}
		if (set[i].full_at < idlest->full_at)
			idlest = &set[i];
	}
	*ret_known = false;
	return idlest;
}

static bool look(const struct buckets *b, int64_t full_at, int64_t now,
		 struct bucket_state *ret)
{
	int64_t room = b->depth - (full_at - now);
	bool has = room >= b->interval;

	if (!ret)
		return has;
	ret->left = (unsigned)(room / b->interval);
	ret->wait_ns = has ? 0 : b->interval - room;
	ret->full_ns = full_at - now;
	return has;
}

static int64_t full_at(const struct slot *s, bool known, int64_t now)
{
	return known && s->full_at > now ? s->full_at : now;
}

bool bucket_peek(struct buckets *b, const char *who, int64_t now_ns,
		 struct bucket_state *ret)
{
	bool known;
	struct slot *s = find(b, hash(b, who), &known);

	return look(b, full_at(s, known, now_ns), now_ns, ret);
}

bool bucket_take(struct buckets *b, const char *who, int64_t now_ns,
		 struct bucket_state *ret)
{
	uint64_t h = hash(b, who);
	bool known;
	struct slot *s = find(b, h, &known);
	int64_t at = full_at(s, known, now_ns);

	if (!look(b, at, now_ns, ret))
		return false;
	s->who = h;
	s->full_at = at + b->interval;
	(void)look(b, s->full_at, now_ns, ret);
	if (ret)
		ret->wait_ns = 0;
	return true;
}
