/* SPDX-License-Identifier: MIT */
/*
 * The queue of spawns, with a registry that is a few counters: order between
 * and within owners, limits, leaving, and that no place is lost.
 */
#include "daemon/admission.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/events.h"
#include "daemon/quota.h"
#include "daemon/sandbox.h"
#include "lib/api/limits.h"
#include "lib/base/mem.h"
#include "tests/unit/unit.h"

/* The stand-ins. */

#define PLACES 8
static struct sandbox boxes[PLACES];
static size_t n_boxes;
static int64_t owner_max;
static struct buf log_of_events;

size_t sandbox_count(const struct daemon *d)
{
	(void)d;
	return n_boxes;
}

struct sandbox *sandbox_next(struct daemon *d, const struct sandbox *s)
{
	size_t i = s ? (size_t)(s - boxes) + 1 : 0;

	(void)d;
	return i < n_boxes ? &boxes[i] : NULL;
}

void quota_limits(const struct daemon *d, const char *owner,
		  struct quota_limits *ret)
{
	(void)d;
	(void)owner;
	*ret = (struct quota_limits){ .max_sandboxes = owner_max };
}

void events_emit(struct daemon *d, enum event_type type,
		 const char *sandbox_id, const char *owner, const char *data)
{
	(void)d;
	(void)data;
	assert_null(sandbox_id);
	buf_addf(&log_of_events, "%s:%s ",
		 strchr(event_type_name(type), '.') + 1, owner ? owner : "-");
}

/* A daemon with only what admission needs. */

static struct config config;
static struct daemon d;

static int setup(void **state)
{
	(void)state;
	n_boxes = 0;
	owner_max = 0;
	config = (struct config){
		.defaults_max_sandboxes = 1,
		.defaults_spawn_overflow = (char *)(uintptr_t)"queue",
		.defaults_spawn_queue_timeout = SECONDS(60),
		.defaults_max_spawn_queue = 100,
	};
	d = (struct daemon){ .config = &config };
	d.loop = loop_new();
	d.admission = admission_new(&d);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	admission_free(d.admission);
	loop_free(d.loop);
	buf_release(&log_of_events);
	return 0;
}

static void take(const char *owner)
{
	assert_true(n_boxes < PLACES);
	boxes[n_boxes++].spec.owner = (char *)(uintptr_t)owner;
}

/* The oldest of that owner goes (NULL: the oldest of all). */
static void give_back(const char *owner)
{
	for (size_t i = 0; i < n_boxes; i++) {
		if (owner && strcmp(boxes[i].spec.owner, owner) != 0)
			continue;
		memmove(&boxes[i], &boxes[i + 1],
			(n_boxes - i - 1) * sizeof(boxes[0]));
		n_boxes--;
		admission_wake(&d);
		loop_turn(d.loop, 0);
		return;
	}
	fail_msg("%s has none", owner);
}

struct spawn {
	struct admission_wait wait;
	const char *owner, *name;
	bool fails; /* to take its place */
	bool told;
	enum svm_code code;
};

static char order[128];

static void on_told(struct admission_wait *w, const struct svm_err *err)
{
	struct spawn *s = container_of(w, struct spawn, wait);

	assert_false(s->told);
	s->told = true;
	s->code = err ? err->code : SVM_OK;
	if (err)
		return;
	strcat(strcat(order, s->name), " ");
	if (!s->fails)
		take(s->owner);
}

static int ask(struct spawn *s, const char *owner, const char *name)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	order[0] = '\0';
	*s = (struct spawn){ .owner = owner, .name = name };
	s->wait.told = on_told;
	int r = admission_ask(&d, owner, &s->wait, &err);
	if (r == 0)
		take(owner);
	if (r < 0)
		s->code = err.code;
	return r;
}

static void test_admission__room(void **state)
{
	struct spawn a;

	(void)state;
	assert_int_equal(ask(&a, "a", "a"), 0);
	config.defaults_spawn_overflow = (char *)(uintptr_t)"reject";
	assert_int_equal(ask(&a, "a", "a"), -1);
	assert_int_equal(a.code, SVM_RESOURCE_LIMIT);
	config.defaults_max_sandboxes = 0;
	assert_int_equal(ask(&a, NULL, "a"), 0);
	owner_max = 1;
	assert_int_equal(ask(&a, "a", "a"), -1);
	assert_int_equal(ask(&a, NULL, "a"), -1);
	assert_int_equal(ask(&a, "b", "a"), 0);
	d.stopping = true;
	assert_int_equal(ask(&a, "c", "a"), -1);
	assert_int_equal(a.code, SVM_UNAVAILABLE);
}

/* An owner's limit is lowered below what is in use: no room, and none that
 * went around to the largest there is. */
static void test_admission__less_than_in_use(void **state)
{
	struct spawn a;

	(void)state;
	config.defaults_max_sandboxes = PLACES;
	for (int i = 0; i < 3; i++)
		take("a");
	owner_max = 4;
	assert_int_equal(admission_owner_room(&d, "a"), 1);
	owner_max = 1;
	assert_int_equal(admission_owner_room(&d, "a"), 0);
	assert_int_equal(ask(&a, "a", "a"), 1); /* it waits */
	give_back("a");
	give_back("a");
	assert_false(a.told);
	give_back("a");
	assert_true(a.told);
}

static void test_admission__owners_take_turns(void **state)
{
	struct spawn a[3], b[2], c;

	(void)state;
	take("x");
	assert_int_equal(ask(&a[0], "a", "a0"), 1);
	assert_int_equal(ask(&a[1], "a", "a1"), 1);
	assert_int_equal(ask(&a[2], "a", "a2"), 1);
	assert_int_equal(ask(&b[0], "b", "b0"), 1);
	assert_int_equal(ask(&b[1], "b", "b1"), 1);
	assert_int_equal(ask(&c, NULL, "c0"), 1);
	for (int i = 0; i < 6; i++) {
		give_back(NULL);
		assert_int_equal(n_boxes, 1); /* one place, one sandbox */
	}
	assert_string_equal(order, "a0 b0 c0 a1 b1 a2 ");
	give_back(NULL);
	assert_int_equal(n_boxes, 0);
}

static void test_admission__full_owner_is_passed_by(void **state)
{
	struct spawn a, b;

	(void)state;
	config.defaults_max_sandboxes = 2;
	owner_max = 1;
	take("a");
	take("x");
	assert_int_equal(ask(&a, "a", "a"), 1);
	assert_int_equal(ask(&b, "b", "b"), 1);
	give_back("x");
	assert_true(b.told && !a.told);
	give_back("b"); /* still not a's */
	assert_false(a.told);
	give_back("a");
	assert_true(a.told);
	assert_int_equal(n_boxes, 1);
}

/* A newcomer does not overtake those who wait and have not been woken yet,
 * but does pass those who may not go. */
static void test_admission__no_overtaking(void **state)
{
	struct spawn a, b;

	(void)state;
	take("x");
	assert_int_equal(ask(&a, "a", "a"), 1);
	n_boxes = 0; /* nobody told anybody */
	assert_int_equal(ask(&b, "b", "b"), 1);
	loop_turn(d.loop, 0); /* the newcomer did */
	assert_string_equal(order, "a ");
	give_back("a");
	assert_string_equal(order, "a b ");
	config.defaults_max_sandboxes = 3;
	owner_max = 1;
	assert_int_equal(ask(&b, "b", "b"), 1);
	assert_int_equal(ask(&a, "c", "c"), 0);
	give_back("b");
	assert_true(b.told);
}

static void test_admission__unused_place_goes_on(void **state)
{
	struct spawn a, b, c;

	(void)state;
	take("x");
	assert_int_equal(ask(&a, "a", "a"), 1);
	assert_int_equal(ask(&b, "b", "b"), 1);
	assert_int_equal(ask(&c, "c", "c"), 1);
	a.fails = b.fails = true;
	give_back("x");
	assert_string_equal(order, "a b c ");
	assert_int_equal(n_boxes, 1);
}

static const char *wanted; /* the name of who may have it */

static bool on_offer(struct admission_wait *w)
{
	struct spawn *s = container_of(w, struct spawn, wait);

	strcat(strcat(order, s->name), " ");
	if (strcmp(s->name, wanted) != 0)
		return false;
	admission_taken(w);
	s->told = true;
	return true;
}

/* What needs no place goes to the first who can use it, though the server is
 * full; who can't keeps their place in the line. */
static void test_admission__offer(void **state)
{
	struct spawn a[2], b[2], c;

	(void)state;
	config.defaults_max_sandboxes = 1;
	take("x");
	ask(&a[0], "a", "a0");
	ask(&a[1], "a", "a1");
	ask(&b[0], "b", "b0");
	ask(&b[1], "b", "b1");
	ask(&c, "c", "c0");
	a[0].wait.offered = a[1].wait.offered = on_offer;
	b[0].wait.offered = b[1].wait.offered = on_offer; /* c: no */
	order[0] = '\0';
	wanted = "a1";
	admission_offer(&d);
	assert_string_equal(order, "a0 a1 ");
	assert_true(a[1].told);
	wanted = "b0";
	admission_offer(&d); /* a had a turn */
	assert_string_equal(order, "a0 a1 b0 ");
	wanted = "nobody";
	admission_offer(&d);
	assert_string_equal(order, "a0 a1 b0 a0 b1 ");
	order[0] = '\0';
	config.defaults_max_sandboxes = 10;
	admission_wake(&d);
	loop_turn(d.loop, 0);
	assert_string_equal(order, "c0 a0 b1 ");
}

static void test_admission__leaving(void **state)
{
	struct spawn a[3];

	(void)state;
	take("x");
	for (int i = 0; i < 3; i++)
		assert_int_equal(ask(&a[i], "a", "a"), 1);
	admission_leave(&a[0].wait);
	admission_leave(&a[2].wait);
	give_back("x");
	assert_true(!a[0].told && a[1].told && !a[2].told);
	assert_string_equal(buf_str(&log_of_events),
			    "queued:a queued:a queued:a dequeued:a "
			    "dequeued:a dequeued:a ");
}

static void test_admission__patience_ends(void **state)
{
	struct spawn a, b;

	(void)state;
	config.defaults_spawn_queue_timeout = 1000000;
	take("x");
	assert_int_equal(ask(&a, "a", "a"), 1);
	while (!a.told)
		loop_turn(d.loop, 1000);
	assert_int_equal(a.code, SVM_RESOURCE_LIMIT);
	assert_string_equal(buf_str(&log_of_events),
			    "queued:a queue_timeout:a ");
	give_back("x");
	assert_int_equal(ask(&b, "b", "b"), 0);
}

static void test_admission__queue_is_bounded(void **state)
{
	struct admission_view v;
	struct spawn a[3];

	(void)state;
	config.defaults_max_spawn_queue = 2;
	take("x");
	assert_int_equal(ask(&a[0], "a", "a"), 1);
	admission_look(&d, "b", &v);
	assert_true(!v.room && v.queueable);
	assert_int_equal(ask(&a[1], "a", "a"), 1);
	assert_int_equal(ask(&a[2], "b", "b"), -1);
	assert_int_equal(a[2].code, SVM_RESOURCE_LIMIT);
	admission_look(&d, "a", &v);
	assert_true(!v.room && !v.queueable);
	assert_int_equal(v.waiting_owner, 2);
	admission_close(&d);
	assert_int_equal(a[0].code, SVM_UNAVAILABLE);
	assert_true(a[0].told && a[1].told && !a[2].told);
	admission_look(&d, "a", &v);
	assert_int_equal(v.waiting_owner, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) \
	cmocka_unit_test_setup_teardown(test_admission__##f, setup, teardown)
		TEST(room),
		TEST(less_than_in_use),
		TEST(owners_take_turns),
		TEST(full_owner_is_passed_by),
		TEST(no_overtaking),
		TEST(unused_place_goes_on),
		TEST(offer),
		TEST(leaving),
		TEST(patience_ends),
		TEST(queue_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
