/* SPDX-License-Identifier: MIT */
#include "lib/base/loop.h"

#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/api/limits.h"
#include "lib/base/clock.h"
#include "tests/unit/unit.h"

static struct loop *l;
static int pair[2];

static int setup(void **state)
{
	(void)state;
	l = loop_new();
	return !l || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair);
}

static int teardown(void **state)
{
	(void)state;
	loop_free(l);
	close(pair[0]);
	close(pair[1]);
	return 0;
}

struct seen {
	int calls;
	unsigned events;
	struct loop_fd *kill; /* deleted by the callback */
	struct loop_timer *timer;
	int order;
};
static int order;

static void on_fd(struct loop *loop, void *data, unsigned events)
{
	struct seen *s = data;

	assert_ptr_equal(loop, l);
	s->calls++;
	s->events = events;
	loop_fd_del(s->kill);
	s->kill = NULL;
}

static void test_loop__reading_and_writing(void **state)
{
	struct seen s = { 0 };
	struct loop_fd *f = loop_fd_add(l, pair[0], LOOP_READ, on_fd, &s);
	char c;

	(void)state;
	loop_turn(l, 0);
	assert_int_equal(s.calls, 0);
	assert_int_equal(write(pair[1], "x", 1), 1);
	loop_turn(l, 1000);
	loop_turn(l, 1000); /* level-triggered */
	assert_int_equal(s.calls, 2);
	assert_int_equal(s.events, LOOP_READ);
	loop_fd_mod(f, LOOP_WRITE);
	assert_int_equal(loop_fd_events(f), LOOP_WRITE);
	loop_turn(l, 1000);
	assert_int_equal(s.events, LOOP_WRITE);
	loop_fd_mod(f, 0);
	loop_turn(l, 0);
	assert_int_equal(s.calls, 3);
	assert_int_equal(read(pair[0], &c, 1), 1);
	loop_fd_mod(f, LOOP_RDHUP);
	shutdown(pair[1], SHUT_WR);
	loop_turn(l, 1000);
	assert_int_equal(s.events, LOOP_RDHUP);
	loop_fd_del(f);
	loop_turn(l, 0);
	assert_int_equal(s.calls, 4);
	loop_fd_del(NULL);
}

/* Two sources ready in one turn, each deletes the other: one is called. */
static void test_loop__deleted_source_is_not_called(void **state)
{
	struct seen a = { 0 }, b = { 0 };

	(void)state;
	b.kill = loop_fd_add(l, pair[0], LOOP_READ | LOOP_WRITE, on_fd, &a);
	a.kill = loop_fd_add(l, pair[1], LOOP_READ | LOOP_WRITE, on_fd, &b);
	struct loop_fd *fa = b.kill, *fb = a.kill;
	loop_turn(l, 1000);
	assert_int_equal(a.calls + b.calls, 1);
	loop_turn(l, 0);
	if (a.calls)
		loop_fd_del(fa);
	else
		loop_fd_del(fb);
	loop_turn(l, 0);
}

static void on_timer(struct loop *loop, void *data)
{
	struct seen *s = data;

	(void)loop;
	s->calls++;
	s->order = ++order;
}

static void test_loop__timers_in_order(void **state)
{
	enum { N = 200 };
	struct seen s[N] = { 0 };
	int64_t now = clock_boot_ns(), at[N];
	unsigned x = 12345;

	(void)state;
	for (int i = 0; i < N; i++) {
		x = x * 1103515245 + 12345;
		at[i] = now + (int64_t)(x >> 8) % 20000000;
		s[i].timer = loop_timer_new(l, on_timer, &s[i]);
		loop_timer_at(s[i].timer, now + INT64_C(3600000000000));
		loop_timer_at(s[i].timer, at[i]);
		assert_true(loop_timer_armed(s[i].timer));
	}
	for (int i = 0; i < N; i += 5)
		loop_timer_stop(s[i].timer);
	while (clock_boot_ns() < now + 25000000)
		loop_turn(l, 5);
	loop_turn(l, 0);
	for (int i = 0; i < N; i++) {
		assert_int_equal(s[i].calls, i % 5 ? 1 : 0);
		assert_false(loop_timer_armed(s[i].timer));
		for (int j = 0; j < N; j++)
			if (i % 5 && j % 5 && at[i] < at[j])
				assert_true(s[i].order < s[j].order);
	}
	for (int i = 0; i < N; i++)
		loop_timer_free(s[i].timer);
	loop_timer_free(NULL);
}

static void free_myself(struct loop *loop, void *data)
{
	struct seen *s = data;

	(void)loop;
	s->calls++;
	loop_timer_free(s->timer);
	s->timer = NULL;
}

static void test_loop__timer_freed_by_itself(void **state)
{
	struct seen s = { 0 };

	(void)state;
	s.timer = loop_timer_new(l, free_myself, &s);
	loop_timer_after(s.timer, 0);
	loop_turn(l, 1000);
	assert_int_equal(s.calls, 1);
}

static void again(struct loop *loop, void *data)
{
	struct seen *s = data;

	s->calls++;
	loop_timer_at(s->timer, loop_now_ns(loop));
}

/* A timer that is always due must not keep descriptors from their turn. */
static void test_loop__eager_timer_starves_nobody(void **state)
{
	struct seen s = { 0 }, f = { 0 };

	(void)state;
	s.timer = loop_timer_new(l, again, &s);
	loop_timer_after(s.timer, 0);
	struct loop_fd *fd = loop_fd_add(l, pair[0], LOOP_WRITE, on_fd, &f);
	for (int i = 0; i < 10; i++)
		loop_turn(l, 1000);
	assert_int_equal(f.calls, 10);
	assert_true(s.calls >= 9);
	loop_fd_del(fd);
	loop_timer_free(s.timer);
}

struct poster {
	struct loop_post post;
	int calls;
	bool again;
};

static void on_post(struct loop_post *post)
{
	struct poster *p = container_of(post, struct poster, post);

	p->calls++;
	if (p->again)
		loop_post(l, post);
}

static void test_loop__eager_post_starves_nobody(void **state)
{
	struct poster p = { .post.fn = on_post, .again = true };
	struct seen f = { 0 };
	struct loop_fd *fd = loop_fd_add(l, pair[0], LOOP_WRITE, on_fd, &f);

	(void)state;
	loop_post(l, &p.post);
	for (int i = 0; i < 10; i++)
		loop_turn(l, 1000);
	assert_int_equal(f.calls, 10);
	assert_true(p.calls >= 10);
	p.again = false;
	loop_turn(l, 1000);
	loop_turn(l, 0);
	int calls = p.calls;
	loop_turn(l, 0);
	assert_int_equal(p.calls, calls);
	loop_fd_del(fd);
}

enum { POSTS = 5000 };
static struct poster posts[2][POSTS];

static void *post_all(void *arg)
{
	struct poster *p = arg;

	for (int i = 0; i < POSTS; i++) {
		p[i].post.fn = on_post;
		loop_post(l, &p[i].post);
	}
	return NULL;
}

static void test_loop__posts_from_threads(void **state)
{
	pthread_t t[2];
	int64_t end = clock_mono_ns() + INT64_C(20000000000);

	(void)state;
	memset(posts, 0, sizeof(posts));
	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, post_all, posts[i]);
	while (!(posts[0][POSTS - 1].calls && posts[1][POSTS - 1].calls)) {
		loop_turn(l, 1000);
		assert_true(clock_mono_ns() < end);
	}
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < POSTS; i++)
		assert_true(posts[0][i].calls == 1 && posts[1][i].calls == 1);
}

static void on_signal(struct loop *loop, void *data,
		      const struct signalfd_siginfo *info)
{
	*(unsigned *)data = info->ssi_signo;
	loop_stop(loop);
}

static void test_loop__signals_and_stop(void **state)
{
	unsigned got = 0;
	sigset_t old;

	(void)state;
	sigprocmask(SIG_SETMASK, NULL, &old);
	assert_int_equal(loop_signal_add(l, SIGUSR1, on_signal, &got), 0);
	assert_int_equal(loop_signal_add(l, SIGUSR2, on_signal, &got), 0);
	raise(SIGUSR2);
	loop_run(l);
	assert_int_equal(got, SIGUSR2);
	raise(SIGUSR1);
	loop_run(l);
	assert_int_equal(got, SIGUSR1);
	/* After the loop has run, turns for the shutdown still do work. */
	struct poster p = { .post.fn = on_post };
	loop_post(l, &p.post);
	loop_turn(l, 0);
	assert_int_equal(p.calls, 1);
	/* A stop before the run is not forgotten. */
	loop_stop(l);
	loop_run(l);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

static void count_hook(struct loop *loop, void *data)
{
	(void)loop;
	++*(int *)data;
}

static void test_loop__hook_once_per_turn(void **state)
{
	int calls = 0;

	(void)state;
	loop_before_sleep(l, count_hook, &calls);
	for (int i = 1; i < 5; i++) {
		loop_turn(l, 0);
		assert_int_equal(calls, i);
	}
}

static void stop_it(struct loop *loop, void *data)
{
	(void)data;
	loop_stop(loop);
}

/* Longer than a second: also the alarm that survives a suspend. */
static void test_loop__long_timer(void **state)
{
	struct loop_timer *t = loop_timer_new(l, stop_it, NULL);
	int64_t start = clock_boot_ns();

	(void)state;
	loop_timer_after(t, 1100000000);
	loop_run(l);
	assert_true(clock_boot_ns() - start >= 1100000000);
	loop_timer_free(t);
}

static void never(struct loop *loop, void *data)
{
	(void)loop;
	(void)data;
	fail_msg("a timer that was stopped fired");
}

/* Room for timers goes when they do; those that stay keep their order. */
static void test_loop__room_for_timers_shrinks(void **state)
{
	enum { MANY = 20000, STAY = 10 };
	struct loop_timer **t = calloc(MANY, sizeof(struct loop_timer *));
	int64_t now = clock_boot_ns();

	(void)state;
	assert_non_null(t);
	for (int i = 0; i < MANY; i++)
		t[i] = loop_timer_new(l, never, NULL);
	size_t before = mallinfo2().uordblks;
	for (int i = 0; i < MANY; i++)
		loop_timer_at(t[i], now + SECONDS(600) + i * 7919 % MANY);
	size_t most = mallinfo2().uordblks + mallinfo2().hblkhd;
	for (int i = STAY; i < MANY; i++)
		loop_timer_stop(t[i]);
	for (int i = 0; i < STAY; i++)
		assert_true(loop_timer_armed(t[i]));
	if (before) {
		assert_true(most > before + sizeof(struct loop_timer *) * MANY);
		assert_true(mallinfo2().uordblks < before + 1024);
	}
	for (int i = 0; i < MANY; i++)
		loop_timer_free(t[i]);
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(test_loop__##f, setup, teardown)
		TEST(reading_and_writing),
		TEST(deleted_source_is_not_called),
		TEST(timers_in_order),
		TEST(timer_freed_by_itself),
		TEST(eager_timer_starves_nobody),
		TEST(eager_post_starves_nobody),
		TEST(posts_from_threads),
		TEST(signals_and_stop),
		TEST(hook_once_per_turn),
		TEST(long_timer),
		TEST(room_for_timers_shrinks),
#undef TEST
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
