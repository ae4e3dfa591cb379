/* SPDX-License-Identifier: MIT */
#include "lib/base/work.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/unit/unit.h"

enum { N = 500 };

/* The system may have no thread to give. */
static bool no_threads;

int pthread_create(pthread_t *id, const pthread_attr_t *attr,
		   void *(*fn)(void *), void *arg)
{
	int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *),
		    void *);

	if (no_threads)
		return EAGAIN;
	*(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
	return real(id, attr, fn, arg);
}

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

static int threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	int n = 0;

	assert_non_null(dir);
	for (const struct dirent *e; (e = readdir(dir));)
		n += e->d_name[0] != '.';
	closedir(dir);
	return n;
}

/* A thread that has ended is one of the process a little longer. */
static void wait_for_threads(int n)
{
	while (threads() != n)
		(void)sched_yield();
}

/* There are threads only while there is work, and no more than it takes. */
static void test_work__rests(void **state)
{
	struct loop *l = begin();
	struct work_pool *p = work_pool_new(l, 4, "test");
	int alone = threads();

	(void)state;
	for (int i = 0; i < N; i++) {
		work_submit(p, &items[i].work);
		if (i % 50 == 0)
			assert_in_range(threads(), alone + 1, alone + 4);
		if (i % 3 == 0)
			work_pool_rest(p);
		if (i % 100 == 0)
			while (done <= i)
				loop_turn(l, 1000);
	}
	while (done < N)
		loop_turn(l, 1000);
	assert_int_equal(ran, N);
	work_pool_rest(p);
	wait_for_threads(alone);
	work_pool_rest(p);
	work_pool_free(p);
	loop_free(l);
}

/* Then the caller does it, and `done` comes as always. */
static void test_work__without_threads(void **state)
{
	struct loop *l = begin();
	struct work_pool *p = work_pool_new(l, 2, "test");

	(void)state;
	no_threads = true;
	for (int i = 0; i < 10; i++)
		work_submit(p, &items[i].work);
	assert_int_equal(ran, 10);
	assert_int_equal(done, 0);
	assert_true(pthread_equal(items[9].thread, pthread_self()));
	no_threads = false;
	for (int i = 10; i < 20; i++)
		work_submit(p, &items[i].work);
	while (done < 20)
		loop_turn(l, 1000);
	assert_false(pthread_equal(items[19].thread, pthread_self()));
	work_pool_free(p);
	loop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_work__one_thread_keeps_the_order),
		cmocka_unit_test(test_work__free_finishes_what_was_submitted),
		cmocka_unit_test(test_work__again_from_done),
		cmocka_unit_test(test_work__rests),
		cmocka_unit_test(test_work__without_threads),
	};

	return cmocka_run_group_tests_name("work", tests, NULL, NULL);
}
