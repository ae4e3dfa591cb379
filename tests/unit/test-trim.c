/* SPDX-License-Identifier: MIT */
/* Memory that is free goes back to the system once it is quiet. */
#include "daemon/trim.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/api/limits.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/loop.h"
#include "tests/unit/unit.h"

#define PIECES 20000
#define PIECE 1000
#define PATIENCE SECONDS(30)

static struct loop *loop;
static struct trim *trim;
static void *pieces[PIECES];
static int quiets;

static void on_quiet(void *data)
{
	assert_ptr_equal(data, &quiets);
	quiets++;
}

static int setup(void **state)
{
	(void)state;
	loop = loop_new();
	trim = trim_new(loop, on_quiet, &quiets);
	quiets = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	trim_free(trim);
	loop_free(loop);
	return 0;
}

static long resident_kib(void)
{
	auto_buf struct buf text = BUF_INIT;
	const char *at = NULL;

	if (fd_slurp_path(-1, "/proc/self/status", 65536, &text) == 0)
		at = strstr(buf_str(&text), "VmRSS:");
	assert_non_null(at);
	return strtol(at + 6, NULL, 10);
}

/* All but the last piece is free again, and nothing below it is. */
static void take_and_give(void)
{
	for (int i = 0; i < PIECES; i++) {
		pieces[i] = malloc(PIECE);
		assert_non_null(pieces[i]);
		memset(pieces[i], i, PIECE);
	}
	for (int i = 0; i < PIECES - 1; i++)
		free(pieces[i]);
}

static void test_trim__gives_back_when_quiet(void **state)
{
	int64_t until = clock_boot_ns() + PATIENCE;
	long before = resident_kib();

	(void)state;
	if (!mallinfo2().uordblks) {
		print_message("needs glibc's malloc: a sanitizer has its "
			      "own\n");
		skip();
	}
	take_and_give();
	assert_true(resident_kib() > before + 15000);
	trim_note(trim);
	while (resident_kib() > before + 2000 && clock_boot_ns() < until)
		loop_turn(loop, 1000);
	assert_in_range(resident_kib(), 0, before + 2000);
	free(pieces[PIECES - 1]);
}

/* Never in the midst of it: what is noted all the time puts it off. */
static void test_trim__not_while_busy(void **state)
{
	int64_t until = clock_boot_ns() + 3 * SECONDS(1);

	(void)state;
	if (!mallinfo2().uordblks) {
		print_message("needs glibc's malloc: a sanitizer has its "
			      "own\n");
		skip();
	}
	long before = resident_kib();
	take_and_give();
	while (clock_boot_ns() < until) {
		trim_note(trim);
		loop_turn(loop, 1);
	}
	assert_true(resident_kib() > before + 15000);
	free(pieces[PIECES - 1]);
}

/* Quiet is a period without anything, is told once, and then no timer runs. */
static void test_trim__tells_of_quiet_once(void **state)
{
	int64_t until;

	(void)state;
	for (until = clock_boot_ns() + SECONDS(5) / 2;
	     clock_boot_ns() < until; loop_turn(loop, 10))
		trim_note(trim);
	assert_int_equal(quiets, 0);
	for (until = clock_boot_ns() + PATIENCE;
	     !quiets && clock_boot_ns() < until;)
		loop_turn(loop, 1000);
	assert_int_equal(quiets, 1);
	assert_false(trim_armed(trim));
	trim_note(trim);
	assert_true(trim_armed(trim));
	while (quiets < 2 && clock_boot_ns() < until)
		loop_turn(loop, 1000);
	assert_int_equal(quiets, 2);
	assert_false(trim_armed(trim));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(test_trim__##f, setup, teardown)
		TEST(gives_back_when_quiet),
		TEST(not_while_busy),
		TEST(tells_of_quiet_once),
#undef TEST
	};

	return cmocka_run_group_tests_name("trim", tests, NULL, NULL);
}
