/* SPDX-License-Identifier: MIT */
/* One supervisor for many commands, in a box of the mock provider. */
#include "tests/unit/agent-box.h"

#include <signal.h>
#include <stdio.h>

/* The one process an agent has when no command runs; 0 after 10 s. */
static pid_t waiting_supervisor(struct box *b)
{
	int64_t deadline = clock_mono_ns() + SECONDS(10);

	while (clock_mono_ns() < deadline) {
		auto_free struct proc_tree_entry *v = NULL;

		if (proc_tree_list(b->box.pid, &v) == 1)
			return v[0].pid;
	}
	return 0;
}

/* The same one serves the next command; whatever somebody with its uid does
 * to it, that command runs. */
static void test_supervise__in_waiting(void **state)
{
	static const int signals[] = { 0, SIGSTOP, SIGKILL };
	struct box *b = *state;

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		int64_t deadline = clock_mono_ns() + SECONDS(10);
		struct result r = sh(b, "true");

		result_release(&r);
		pid_t pid = waiting_supervisor(b);
		assert_true(pid > 0);
		(void)kill(pid, signals[i]);
		while (signals[i] && proc_start_time(pid) > 0 &&
		       clock_mono_ns() < deadline)
			;
		r = sh(b, "echo $PPID");
		assert_int_equal(r.exit.code, 0);
		if (signals[i])
			assert_int_not_equal(atoi(buf_str(&r.out)), pid);
		else
			assert_int_equal(atoi(buf_str(&r.out)), pid);
		result_release(&r);
	}
}

static int supervisor_of(struct box *b, const char *rest)
{
	auto_free char *text = xasprintf("echo $PPID; %s", rest);
	struct result r = sh(b, text);
	int pid = atoi(buf_str(&r.out));

	assert_int_equal(r.exit.code, 0);
	result_release(&r);
	return pid;
}

#define SHOW_STATE "ls -l /proc/self/fd | wc -l; umask; pwd; ulimit -n;" \
	" grep '^Sig[PBI]\\|^Shd\\|^Cap\\|^Uid\\|^Gro' /proc/self/status; "

/* One after another is one supervisor's, and finds nothing of the one before;
 * not for ever. */
static void test_supervise__again(void **state)
{
	struct box own;
	int first, n = 1;

	(void)state;
	box_start(&own);
	first = supervisor_of(&own, "true");
	struct result a = sh(&own, SHOW_STATE "umask 077; cd /; ulimit -n 9;"
			     " trap '' USR1");
	struct result b = sh(&own, SHOW_STATE);
	assert_true(a.out.len > 200);
	assert_string_equal(buf_str(&a.out), buf_str(&b.out));
	result_release(&a);
	result_release(&b);
	for (; n < 1000 && supervisor_of(&own, "true") == first; n++)
		;
	assert_in_range(n, 100, 999);
	box_stop(&own);
}

/* Who has something left to watch over, or was told to kill it, is not there
 * for the next. */
static void test_supervise__in_use(void **state)
{
	struct box *b = *state;
	struct call c;
	struct result r = { 0 };

	int first = supervisor_of(b, "sleep 7801 >/dev/null 2>&1 &");
	int second = supervisor_of(b, "true");
	assert_int_not_equal(first, second);
	assert_int_equal(count_running(b, "7801"), 1);
	assert_int_equal(kill(first, 0), 0);
	kill_running(b, "7801");

	sh_begin(b, &c, "echo $PPID; trap '' TERM; sleep 7802", NULL, 0,
		 SECONDS(1));
	call_finish(&c, &r);
	int third = atoi(buf_str(&r.out));
	assert_true(third > 0);
	assert_true(r.exit.flags & AGENT_EXIT_TIMEOUT);
	result_release(&r);
	assert_int_not_equal(supervisor_of(b, "true"), third);
	assert_int_equal(count_running(b, "7802"), 0);
}

/* What was meant for a command that has just ended harms none after it. */
static void test_supervise__hears_late(void **state)
{
	struct box *b = *state;
	auto_buf struct buf text = BUF_INIT;
	int64_t deadline = clock_mono_ns() + SECONDS(10);
	struct result r = { 0 };
	struct call c, d;

	sh_begin(b, &c, "echo $PPID $$; exec sleep 7803", "late", 0, 0);
	call_until(&c, &r, "\n");
	int supervisor = 0, command = 0;
	assert_int_equal(sscanf(buf_str(&r.out), "%d %d", &supervisor,
				&command), 2);
	call_open(b, &d);
	msg_add_str(&text, "late");
	msg_add_u32(&text, SIGWINCH);
	/* The agent finds first the request, then the report. */
	assert_int_equal(kill(b->box.pid, SIGSTOP), 0);
	call_send(&d, FRAME_SIGNAL, text.data, text.len);
	assert_int_equal(kill(command, SIGKILL), 0);
	while (proc_start_time(command) > 0 && clock_mono_ns() < deadline)
		;
	assert_int_equal(kill(b->box.pid, SIGCONT), 0);
	call_finish(&c, &r);
	assert_int_equal(r.exit.signal, SIGKILL);
	result_release(&r);
	struct answer a = answer_of(&d);
	answer_release(&a);
	assert_int_equal(supervisor_of(b, "true"), supervisor);
}

static bool still_runs(struct box *b, const char *text)
{
	int64_t deadline = clock_mono_ns() + SECONDS(10);

	while (count_running(b, text))
		if (clock_mono_ns() > deadline)
			return true;
	return false;
}

/* To stop what watches over it, once or again and again, keeps no command
 * alive past its time, and no caller waiting. */
static void test_supervise__stopped_in_use(void **state)
{
	static const char *const lines[] = {
		"kill -STOP $PPID; sleep 7804",
		"while kill -STOP $PPID; do :; done; sleep 7804",
		"kill -STOP $PPID; exit 3",
	};
	struct box *b = *state;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		int64_t begun = clock_mono_ns();
		struct result r = { 0 };
		struct call c;

		sh_begin(b, &c, lines[i], NULL, 0, i < 2 ? SECONDS(1) : 0);
		call_finish(&c, &r);
		if (i < 2)
			assert_true(r.exit.flags & (AGENT_EXIT_TIMEOUT |
						    AGENT_EXIT_UNKNOWN));
		else
			assert_int_equal(r.exit.code, 3);
		assert_in_range(clock_mono_ns() - begun, 0, SECONDS(8));
		assert_false(still_runs(b, "7804"));
		result_release(&r);
	}
}

/* It may be stopped before it takes a command, and nobody has noticed. */
static void test_supervise__stopped_just_before(void **state)
{
	char *argv[] = { (char[]){ "echo" }, (char[]){ "ran" }, NULL };
	struct agent_exec m = { .sid = (char[]){ "stopped" }, .argv = argv,
				.cwd = (char[]){ "/workspace" } };
	struct box *b = *state;

	for (int i = 0; i < 5; i++) {
		int64_t begun = clock_mono_ns();
		struct result r = sh(b, "true");
		struct call c;

		result_release(&r);
		memset(&r, 0, sizeof(r));
		pid_t pid = waiting_supervisor(b);
		assert_true(pid > 0);
		auto_buf struct buf text = BUF_INIT, out = BUF_INIT;
		agent_exec_encode(&text, &m);
		call_open(b, &c);
		frame_add_request(&out, FRAME_EXEC, 7, text.data, text.len);
		assert_int_equal(kill(b->box.pid, SIGSTOP), 0);
		assert_int_equal(fd_write_full(c.fd, out.data, out.len), 0);
		assert_int_equal(kill(pid, SIGSTOP), 0);
		assert_int_equal(kill(b->box.pid, SIGCONT), 0);
		call_finish(&c, &r);
		assert_string_equal(buf_str(&r.out), "ran\n");
		assert_in_range(clock_mono_ns() - begun, 0, SECONDS(8));
		result_release(&r);
	}
}

#define T(name) cmocka_unit_test(test_supervise__##name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(in_waiting),
		T(again),
		T(in_use),
		T(hears_late),
		T(stopped_in_use),
		T(stopped_just_before),
	};

	return cmocka_run_group_tests(tests, box_setup, box_teardown);
}
