/* SPDX-License-Identifier: MIT */
/* The table of quotas grows, shrinks and stays in order. */
#include "daemon/quota.h"

#include <string.h>

#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/store.h"
#include "lib/base/mem.h"
#include "tests/unit/unit.h"

#define OWNERS 9

static char stored[OWNERS][24];
static size_t n_stored;

/* The store, which has these. */
int store_each_quota(struct store *s,
		     void (*fn)(void *data, struct store_quota *row),
		     void *data, struct svm_err *err)
{
	(void)s, (void)err;
	for (size_t i = 0; i < n_stored; i++)
		fn(data, &(struct store_quota){ .owner = stored[i],
						.max_sandboxes = 1 });
	return 0;
}

void store_quota_release(struct store_quota *q)
{
	mem_free_cleanup(&q->owner);
	q->owner = NULL;
}

static struct quotas *start(size_t n)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct quotas *q = NULL;

	n_stored = n;
	for (size_t i = 0; i < n; i++)
		snprintf(stored[i], sizeof(stored[i]), "u%zu", n - 1 - i);
	assert_int_equal(quotas_load(NULL, &q, &err), 0);
	assert_int_equal(quotas_count(q), n);
	return q;
}

static void assert_in_order(const struct quotas *q, size_t n)
{
	assert_int_equal(quotas_count(q), n);
	for (size_t i = 0; i + 1 < n; i++)
		assert_true(strcmp(quotas_at(q, i)->owner,
				   quotas_at(q, i + 1)->owner) < 0);
	for (size_t i = 0; i < n; i++)
		assert_ptr_equal(quotas_find(q, quotas_at(q, i)->owner),
				 quotas_at(q, i));
	assert_null(quotas_at(q, n));
}

/* From the front, the middle and the end, down to nothing and up again. */
static void test_quota__table_shrinks(void **state)
{
	(void)state;
	for (size_t from = 0; from < OWNERS; from++) {
		struct quotas *q = start(OWNERS);

		assert_in_order(q, OWNERS);
		for (size_t left = OWNERS; left--;) {
			size_t at = (from + left) % (left + 1);
			auto_free char *owner =
				xstrdup(quotas_at(q, at)->owner);

			quotas_drop(q, owner);
			assert_null(quotas_find(q, owner));
			quotas_drop(q, owner); /* it is gone: nothing */
			assert_in_order(q, left);
		}
		quotas_drop(q, "u1");
		quotas_put(q, &(struct store_quota){ .owner = stored[0] });
		assert_in_order(q, 1);
		quotas_free(q);
	}
}

/* The same owner's is replaced, and what was looked up of another stays. */
static void test_quota__put_again(void **state)
{
	struct quotas *q = start(3);
	char owner[] = "u1";

	(void)state;
	quotas_put(q, &(struct store_quota){ .owner = owner,
					     .max_sandboxes = 7 });
	owner[0] = 'x'; /* it was copied */
	assert_in_order(q, 3);
	assert_int_equal(quotas_find(q, "u1")->max_sandboxes, 7);
	assert_int_equal(quotas_find(q, "u2")->max_sandboxes, 1);
	assert_null(quotas_find(q, "u"));
	assert_null(quotas_find(q, "u10"));
	quotas_free(q);
}

/* Without one, or with 0 in it, what everybody may holds. */
static void test_quota__limits(void **state)
{
	struct config c = { .defaults_max_sandboxes_per_owner = 5,
			    .defaults_max_ttl = 600 };
	struct quotas *q = start(0);
	struct daemon d = { .config = &c, .quotas = q };
	struct quota_limits l;

	(void)state;
	quotas_put(q, &(struct store_quota){ .owner = (char[]){ "a" },
					     .max_sandboxes = 2,
					     .max_memory_mb = 64 });
	quota_limits(&d, "a", &l);
	assert_int_equal(l.max_sandboxes, 2);
	assert_int_equal(l.max_memory_mb, 64);
	assert_int_equal(l.max_ttl_ns, 600);
	quotas_drop(q, "a");
	quota_limits(&d, "a", &l);
	assert_int_equal(l.max_sandboxes, 5);
	assert_int_equal(l.max_memory_mb, 0);
	quota_limits(&d, NULL, &l);
	assert_int_equal(l.max_sandboxes, 5);
	quotas_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quota__table_shrinks),
		cmocka_unit_test(test_quota__put_again),
		cmocka_unit_test(test_quota__limits),
	};

	return cmocka_run_group_tests_name("quota", tests, NULL, NULL);
}
