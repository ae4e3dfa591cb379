/* SPDX-License-Identifier: MIT */
/* The life cycle's table: every cell, against the rules it stands for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/lifecycle.h"

static bool is_final(enum sandbox_state s)
{
	return s == SANDBOX_DESTROYED;
}

static void test_lifecycle__destroyed_is_final(void **state)
{
	(void)state;
	for (int e = 0; e < LIFE_EVENT_MAX; e++)
		assert_int_equal(life_next(SANDBOX_DESTROYED,
					   (enum life_event)e), -1);
}

static void test_lifecycle__everything_can_be_destroyed(void **state)
{
	(void)state;
	for (int s = 0; s < SANDBOX_STATE_MAX; s++)
		if (!is_final((enum sandbox_state)s))
			assert_int_equal(life_next((enum sandbox_state)s,
						   LIFE_DESTROY),
					 SANDBOX_DESTROYING);
}

static void test_lifecycle__every_cell_is_a_state_or_refused(void **state)
{
	(void)state;
	for (int s = 0; s < SANDBOX_STATE_MAX; s++) {
		for (int e = 0; e < LIFE_EVENT_MAX; e++) {
			int next = life_next((enum sandbox_state)s,
					     (enum life_event)e);

			assert_in_range(next + 1, 0, SANDBOX_STATE_MAX);
			/* Nothing comes back to life. */
			if (s == SANDBOX_DESTROYING || s == SANDBOX_EXPIRED)
				assert_int_not_equal(next, SANDBOX_RUNNING);
			/* Only a fresh one or a silent one gets to run. */
			if (next == SANDBOX_RUNNING)
				assert_true(s == SANDBOX_CREATING ||
					    s == SANDBOX_UNHEALTHY);
			/* Destroyed means that nothing is left. */
			if (next == SANDBOX_DESTROYED)
				assert_true(e == LIFE_REMOVED ||
					    e == LIFE_FAILED);
		}
	}
}

static void test_lifecycle__events_have_names(void **state)
{
	(void)state;
	for (int e = 0; e < LIFE_EVENT_MAX; e++)
		assert_non_null(life_event_name((enum life_event)e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lifecycle__destroyed_is_final),
		cmocka_unit_test(test_lifecycle__everything_can_be_destroyed),
		cmocka_unit_test(
			test_lifecycle__every_cell_is_a_state_or_refused),
		cmocka_unit_test(test_lifecycle__events_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
