/* SPDX-License-Identifier: MIT */
/* How busy this machine is, from texts it could show. */
#include "tui/host.h"

#include <string.h>

#include "lib/base/defs.h"
#include "lib/base/mem.h"
#include "tests/unit/unit.h"

#define SECOND INT64_C(1000000000)
#define NET(in, out)                                                     \
	"Inter-|   Receive                    |  Transmit\n"             \
	" face |bytes    packets errs drop    |bytes    packets\n"       \
	"    lo: 77777777 1 0 0 0 0 0 0 77777777 1 0 0 0 0 0 0\n"        \
	"  eth0:" in " 1 0 0 0 0 0 0 " out " 1 0 0 0 0 0 0\n"            \
	"wlan0: 10 1 0 0 0 0 0 0 20 1 0 0 0 0 0 0\n"

static const struct host_texts calm = {
	.stat = "cpu  1000 0 500 8000 500 0 0 0 0 0\ncpu0 1 2 3 4\n",
	.meminfo = "MemTotal:       4000 kB\nMemFree:         10 kB\n"
		   "MemAvailable:   3000 kB\n",
	.loadavg = "0.25 0.20 0.10 1/321 4242\n",
	.net_dev = NET("100", "200"),
	.disk_size = 1000, .disk_free = 250,
};

static void test_host__one_sample_has_no_rates(void **state)
{
	struct host h = { 0 };

	(void)state;
	host_take(&h, &calm, 5 * SECOND);
	assert_true(h.known);
	assert_false(h.has_rates);
	assert_int_equal(h.n_samples, 0);
	assert_int_equal((int)h.mem, 25);
	assert_int_equal((int)h.disk, 75);
	assert_true(h.load == 0.25);
}

static void test_host__rates_are_of_the_time_between(void **state)
{
	struct host_texts later = calm;
	struct host h = { 0 };

	(void)state;
	/* 100 ticks more, 30 of them busy; waiting for a disk is idle. */
	later.stat = "cpu  1020 0 510 8040 530 0 0 0 0 0\n";
	later.net_dev = NET("4100", "2200");
	host_take(&h, &calm, 5 * SECOND);
	host_take(&h, &later, 7 * SECOND);
	assert_true(h.has_rates);
	assert_int_equal((int)(h.cpu + 0.5), 30);
	assert_int_equal(h.net, 3000);
	assert_int_equal(h.n_samples, 1);
	assert_int_equal(h.cpu_samples[0], 30);
}

static void test_host__newest_samples_stay(void **state)
{
	struct host h = { 0 };

	(void)state;
	for (int i = 0; i <= HOST_SAMPLES + 5; i++) {
		auto_free char *text = xasprintf("cpu %d 0 0 %d 0 0 0 0\n",
						 i * i, i * 1000);
		struct host_texts t = calm;

		auto_free char *net = xasprintf("eth0: %d 1 0 0 0 0 0 0 0 1\n",
						i * 600);

		t.stat = text;
		t.net_dev = net;
		host_take(&h, &t, i * SECOND);
	}
	assert_int_equal(h.n_samples, HOST_SAMPLES);
	assert_int_equal(h.cpu_samples[HOST_SAMPLES - 1], (uint8_t)h.cpu);
	assert_int_equal(h.net_samples[HOST_SAMPLES - 1], h.net);
	assert_int_equal(h.net_samples[0], 600);
}

/* Up to the most there was lately, and without traffic flat. */
static void test_host__curve_of_the_network(void **state)
{
	static const int64_t rates[] = { 100, 400, 0, 200 };
	struct host h = { .known = true };
	uint8_t curve[HOST_SAMPLES] = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++)
		h.net_samples[h.n_samples++] = rates[i];
	host_net_curve(&h, curve);
	assert_int_equal(curve[0], 25);
	assert_int_equal(curve[1], 100);
	assert_int_equal(curve[2], 0);
	assert_int_equal(curve[3], 50);
	h.net_samples[1] = INT64_MAX;
	host_net_curve(&h, curve);
	assert_int_equal(curve[0], 0);
	assert_int_equal(curve[1], 100);
	memset(h.net_samples, 0, sizeof(h.net_samples));
	host_net_curve(&h, curve);
	assert_int_equal(curve[1], 0);
}

/* A clock that stands, counters that were reset, texts of another kernel. */
static void test_host__nonsense_is_nothing(void **state)
{
	static const char *const junk[] = {
		"", "cpu", "cpu  -1 x", "cpu 1 2 3", "\n\n:\n: 1\neth0:\n",
		"MemTotal:", "MemTotal: 99999999999999999999999 kB",
		"cpu 18446744073709551615 1 1 1 1 1 1 1",
		"nan inf", "a_name_that_is_much_longer_than_any_device: 1 2",
	};
	struct host h = { 0 };

	(void)state;
	host_take(&h, &calm, 5 * SECOND);
	for (size_t i = 0; i < ARRAY_SIZE(junk); i++) {
		struct host_texts t = { junk[i], junk[i], junk[i], junk[i],
					.disk_size = i, .disk_free = 3 };

		host_take(&h, &t, 5 * SECOND);
		host_take(&h, &calm, 5 * SECOND);
		assert_in_range((int)h.cpu, 0, 100);
		assert_in_range((int)h.mem, 0, 100);
		assert_in_range((int)h.disk, 0, 100);
		assert_true(h.net >= 0);
	}
	assert_false(h.has_rates);
}

static void test_host__this_machine(void **state)
{
	struct host h = { 0 };

	(void)state;
	host_read(&h, "/", SECOND);
	assert_true(h.known);
	assert_true(h.total > 0);
	assert_true(h.mem > 0 && h.mem < 100);
	assert_true(h.disk > 0 && h.disk <= 100);
	host_read(&h, "/nowhere", SECOND);
	assert_true(h.disk == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_host__one_sample_has_no_rates),
		cmocka_unit_test(test_host__rates_are_of_the_time_between),
		cmocka_unit_test(test_host__newest_samples_stay),
		cmocka_unit_test(test_host__curve_of_the_network),
		cmocka_unit_test(test_host__nonsense_is_nothing),
		cmocka_unit_test(test_host__this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
