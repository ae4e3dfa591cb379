/* SPDX-License-Identifier: MIT */
#include "lib/base/work.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/unit/unit.h"

enum { N = 500 };

struct item {
	struct work work;
	int ran, done; /* position, from 1 */
	pthread_t thread;
	bool blocked_signals;
};
static struct item items[N];
static atomic_int ran;
static int done;

static void run(struct work *w)
{
	struct item *i = container_of(w, struct item, work);
	sigset_t set;

	i->ran = ++ran;
	i->thread = pthread_self();
	pthread_sigmask(SIG_SETMASK, NULL, &set);
	i->blocked_signals = sigismember(&set, SIGTERM) == 1;
}

static void on_done(struct work *w)
{
	container_of(w, struct item, work)->done = ++done;
}

static struct loop *begin(void)
{
	memset(items, 0, sizeof(items));
	ran = done = 0;
	for (int i = 0; i < N; i++) {
		items[i].work.run = run;
		items[i].work.done = on_done;
	}
	return loop_new();
}

static void test_work__one_thread_keeps_the_order(void **state)
{
	struct loop *l = begin();
	struct work_pool *p = work_pool_new(l, 1, "test");

	(void)state;
	for (int i = 0; i < N; i++)
		work_submit(p, &items[i].work);
	while (done < N)
		loop_turn(l, 1000);
	assert_int_equal(work_pending(p), 0);
	for (int i = 0; i < N; i++) {
		assert_int_equal(items[i].ran, i + 1);
		assert_int_equal(items[i].done, i + 1);
		assert_false(pthread_equal(items[i].thread, pthread_self()));
		assert_true(items[i].blocked_signals);
	}
	work_pool_free(p);
	loop_free(l);
}

static void test_work__free_finishes_what_was_submitted(void **state)
{
	struct loop *l = begin();
	struct work_pool *p = work_pool_new(l, 4, "test");

	(void)state;
	for (int i = 0; i < N; i++)
		work_submit(p, &items[i].work);
	work_pool_free(p);
	assert_int_equal(ran, N);
	assert_int_equal(done, 0);
	for (int i = 0; i < 10 && done < N; i++)
		loop_turn(l, 0);
	assert_int_equal(done, N);
	loop_free(l);
	work_pool_free(NULL);
}

/* An item may be submitted again from its own `done`. */
static struct work_pool *pool;

static void resubmit(struct work *w)
{
	if (++done < 100)
		work_submit(pool, w);
}

static void test_work__again_from_done(void **state)
{
	struct loop *l = begin();

	(void)state;
	pool = work_pool_new(l, 2, "test");
	items[0].work.done = resubmit;
	work_submit(pool, &items[0].work);
	while (done < 100)
		loop_turn(l, 1000);
	assert_int_equal(ran, 100);
	work_pool_free(pool);
	loop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_work__one_thread_keeps_the_order),
		cmocka_unit_test(test_work__free_finishes_what_was_submitted),
		cmocka_unit_test(test_work__again_from_done),
	};

	return cmocka_run_group_tests_name("work", tests, NULL, NULL);
}
