/* SPDX-License-Identifier: MIT */
/* Commands and sessions of a real agent, in a box of the mock provider. */
#include "tests/unit/agent-box.h"

#include <sys/ioctl.h>

#define MS INT64_C(1000000)

static struct answer ask_sid(struct box *b, enum frame_type type,
			     const char *sid, int n16, uint16_t u16a,
			     uint16_t u16b, int n32, uint32_t u32)
{
	auto_buf struct buf text = BUF_INIT;
	struct call c;

	msg_add_str(&text, sid);
	if (n16) {
		msg_add_u16(&text, u16a);
		msg_add_u16(&text, u16b);
	}
	if (n32)
		msg_add_u32(&text, u32);
	call_begin(b, &c, type, text.data, text.len);
	return answer_of(&c);
}

static void attach_begin(struct box *b, struct call *c, const char *sid,
			 uint64_t since, uint32_t flags)
{
	auto_buf struct buf text = BUF_INIT;

	msg_add_str(&text, sid);
	msg_add_u64(&text, since);
	msg_add_u32(&text, flags);
	call_begin(b, c, FRAME_ATTACH, text.data, text.len);
}

/* The session as SESSIONS has it; false when it is not listed. */
static bool find_session(struct box *b, const char *sid,
			 struct agent_session *ret)
{
	struct call c;
	struct frame f;
	bool found = false;

	call_begin(b, &c, FRAME_SESSIONS, NULL, 0);
	while (call_next(&c, &f)) {
		struct agent_session s;

		if (f.type != FRAME_SESSION)
			continue;
		assert_int_equal(agent_session_decode(f.payload, f.len, &s),
				 0);
		if (!found && strcmp(s.sid, sid) == 0) {
			*ret = s;
			found = true;
		} else {
			agent_session_release(&s);
		}
	}
	call_close(&c);
	return found;
}

static void test_agent__output_and_exit(void **state)
{
	struct result r = sh(*state, "echo out; echo err >&2; exit 3");

	assert_true(r.started);
	assert_true(r.pid > 1);
	assert_string_equal(buf_str(&r.out), "out\n");
	assert_string_equal(buf_str(&r.err), "err\n");
	assert_int_equal(r.exit.code, 3);
	assert_int_equal(r.exit.flags, 0);
	assert_true(r.exit.duration_ns > 0);
	result_release(&r);
}

static void test_agent__argv_is_not_a_shell(void **state)
{
	char *argv[] = { (char *)"printf", (char *)"[%s]", (char *)"a b",
			 (char *)"$HOME;*", (char *)"", NULL };
	struct agent_exec m = { .argv = argv };
	struct result r = { 0 };
	struct call c;

	exec_begin(*state, &c, &m);
	call_finish(&c, &r);
	assert_string_equal(buf_str(&r.out), "[a b][$HOME;*][]");
	assert_int_equal(r.exit.code, 0);
	result_release(&r);
}

static void test_agent__environment(void **state)
{
	char *argv[] = { (char *)"env", NULL };
	char *env[] = { (char *)"A=1", (char *)"LANG=xx", (char *)"A=2",
			NULL };
	struct agent_exec m = { .argv = argv, .env = env };
	struct box *b = *state;
	struct result r = { 0 };
	struct call c;

	exec_begin(b, &c, &m);
	call_finish(&c, &r);
	assert_non_null(strstr(buf_str(&r.out), "A=2\n"));
	assert_null(strstr(buf_str(&r.out), "A=1"));
	assert_non_null(strstr(buf_str(&r.out), "LANG=xx\n"));
	auto_free char *home = xasprintf("HOME=%s/home/user\n", b->root);
	assert_non_null(strstr(buf_str(&r.out), home));
	result_release(&r);
}

static void test_agent__path_comes_from_the_request(void **state)
{
	struct box *b = *state;
	auto_free char *path = xasprintf("PATH=/proc/nonexistent:%s/app", b->root);
	char *argv[] = { (char *)"my-tool", (char *)"x", NULL };
	char *env[] = { path, NULL };
	struct agent_exec m = { .argv = argv, .env = env };
	struct result r = { 0 };
	struct call c;

	/* No "#!": the shell runs it, as with execvp. */
	struct answer a = file_put(b, "/app/my-tool", 0755,
				   "echo tool $1\n", 13);
	answer_release(&a);
	exec_begin(b, &c, &m);
	call_finish(&c, &r);
	assert_string_equal(buf_str(&r.out), "tool x\n");
	result_release(&r);
}

static void test_agent__working_directory(void **state)
{
	struct box *b = *state;
	struct result r = sh(b, "pwd -P");
	auto_free char *want = xasprintf("%s/workspace\n", b->root);

	assert_string_equal(buf_str(&r.out), want);
	result_release(&r);
}

static void test_agent__missing_working_directory_is_an_error(void **state)
{
	char *argv[] = { (char *)"true", NULL };
	const char *const bad[] = { "/no/such/dir", "/home/user/../../../etc",
				    "relative/../x" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct agent_exec m = { .argv = argv,
					.cwd = (char *)(uintptr_t)bad[i] };
		struct result r = { 0 };
		struct call c;

		exec_begin(*state, &c, &m);
		call_finish(&c, &r);
		assert_false(r.started);
		assert_int_equal(r.code, SVM_BAD_REQUEST);
		assert_non_null(strstr(r.error, "working directory"));
		result_release(&r);
	}
}

static struct result run_argv(struct box *b, const char *program)
{
	char *argv[] = { (char *)(uintptr_t)program, NULL };
	struct agent_exec m = { .argv = argv };
	struct result r = { 0 };
	struct call c;

	exec_begin(b, &c, &m);
	call_finish(&c, &r);
	return r;
}

static void test_agent__missing_program_is_127(void **state)
{
	struct result r = run_argv(*state, "no-such-program");

	assert_true(r.started);
	assert_int_equal(r.exit.code, 127);
	assert_string_equal(buf_str(&r.err), "no-such-program: not found\n");
	result_release(&r);
	r = run_argv(*state, "/no/such/program");
	assert_int_equal(r.exit.code, 127);
	result_release(&r);
	r = run_argv(*state, "");
	assert_int_equal(r.exit.code, 127);
	result_release(&r);
}

static void test_agent__not_executable_is_126(void **state)
{
	struct box *b = *state;
	auto_free char *path = xasprintf("%s/app/data", b->root);
	struct answer a = file_put(b, "/app/data", 0644, "x", 1);

	answer_release(&a);
	struct result r = run_argv(b, path);
	assert_true(r.started);
	assert_int_equal(r.exit.code, 126);
	assert_non_null(strstr(buf_str(&r.err), "Permission denied"));
	result_release(&r);
	r = run_argv(b, "/usr");
	assert_int_equal(r.exit.code, 126);
	result_release(&r);
}

static void test_agent__death_by_signal(void **state)
{
	struct result r = sh(*state, "kill -SEGV $$");

	assert_int_equal(r.exit.code, 128 + SIGSEGV);
	assert_int_equal(r.exit.signal, SIGSEGV);
	result_release(&r);
}

static void test_agent__starts_clean(void **state)
{
	/* Only 0-2 open, no signal blocked or ignored, own session, no
	 * capabilities, no new privileges, core limit 1. */
	struct result r = sh(*state,
		"ls -1 /proc/self/fd | wc -l; "
		"grep -E '^(SigBlk|SigIgn|CapEff|CapBnd|NoNewPrivs)' "
		"/proc/self/status; cat /proc/self/limits | grep core; "
		"umask");
	const char *t = buf_str(&r.out);

	assert_non_null(strstr(t, "4\n")); /* ls opens one itself */
	assert_non_null(strstr(t, "SigBlk:\t0000000000000000"));
	assert_non_null(strstr(t, "SigIgn:\t0000000000000000"));
	assert_non_null(strstr(t, "CapEff:\t0000000000000000"));
	assert_non_null(strstr(t, "NoNewPrivs:\t1"));
	assert_non_null(strstr(t, "1                    1"));
	assert_non_null(strstr(t, "0022"));
	if (geteuid() == 0)
		assert_non_null(strstr(t, "CapBnd:\t0000000000000000"));
	result_release(&r);
}

static void test_agent__stdin(void **state)
{
	const size_t n = 3000000;
	auto_free char *data = xmalloc(n);
	struct result r = { 0 };
	struct call c;

	memset(data, 'x', n);
	sh_begin(*state, &c, "wc -c", NULL, AGENT_EXEC_STDIN, 0);
	for (size_t at = 0; at < n; at += 50000)
		call_send(&c, FRAME_STDIN, data + at, MIN(n - at,
							  (size_t)50000));
	call_send(&c, FRAME_STDIN, NULL, 0);
	call_finish(&c, &r);
	assert_int_equal(atoi(buf_str(&r.out)), n);
	result_release(&r);
	/* Without the flag there is none. */
	r = sh(*state, "cat; echo end");
	assert_string_equal(buf_str(&r.out), "end\n");
	result_release(&r);
}

static void test_agent__stdin_nobody_reads(void **state)
{
	char data[50000] = { 0 };
	struct result r = { 0 };
	struct call c;

	sh_begin(*state, &c, "exec 0<&-; sleep 0.1; echo ok", NULL,
		 AGENT_EXEC_STDIN, 0);
	for (int i = 0; i < 4; i++)
		call_send(&c, FRAME_STDIN, data, sizeof(data));
	call_finish(&c, &r);
	assert_string_equal(buf_str(&r.out), "ok\n");
	result_release(&r);
}

static void test_agent__slow_reader_slows_the_command(void **state)
{
	struct box *b = *state;
	struct result r = { 0 };
	struct call c;
	const size_t n = 20000000;
	auto_free char *script = xasprintf(
		"head -c %zu /dev/zero; echo done > ../app/all-written", n);
	auto_free char *mark = xasprintf("%s/app/all-written", b->root);

	sh_begin(b, &c, script, NULL, 0, 0);
	/* Not a byte is read for a while: it must not get through. */
	(void)poll(NULL, 0, 300);
	assert_int_equal(access(mark, F_OK), -1);
	call_finish(&c, &r);
	assert_int_equal(r.out.len, n);
	assert_int_equal(r.lagged, 0);
	assert_int_equal(access(mark, F_OK), 0);
	result_release(&r);
}

static void test_agent__timeout_kills_the_whole_tree(void **state)
{
	struct box *b = *state;
	struct result r = { 0 }, other = { 0 };
	struct call c, d;

	sh_begin(b, &d, "echo up; exec sleep 7711", NULL, 0, 0);
	call_until(&d, &other, "up\n");
	sh_begin(b, &c,
		 "sleep 7722 & (setsid sleep 7722 & ) & "
		 "(setsid sh -c '(sleep 7722 & ) & sleep 7722' &) ; "
		 "trap '' TERM HUP INT; echo up; sleep 7722; sleep 7722",
		 NULL, 0, 500 * MS);
	call_finish(&c, &r);
	assert_int_equal(r.exit.flags & AGENT_EXIT_TIMEOUT,
			 AGENT_EXIT_TIMEOUT);
	assert_int_equal(r.exit.code, 137);
	/* Dead by the time EXIT comes, and nothing else is. */
	assert_int_equal(count_running(b, "7722"), 0);
	assert_true(count_running(b, "7711") > 0);
	call_send(&d, FRAME_CANCEL, NULL, 0);
	call_finish(&d, &other);
	assert_int_equal(other.exit.flags, AGENT_EXIT_CANCELLED);
	assert_int_equal(other.exit.signal, SIGTERM);
	assert_int_equal(count_running(b, "7711"), 0);
	result_release(&r);
	result_release(&other);
}

/* Somebody may hold up execve itself, here by a lease on the program: the
 * supervisor waits for that and hears nothing. */
static void test_agent__timeout_ends_a_command_that_can_not_start(void **state)
{
	struct box *b = *state;
	auto_free char *path = xasprintf("%s/held", b->root);
	char *argv[] = { path, NULL };
	struct agent_exec m = { .argv = argv, .timeout_ns = 300 * MS };
	struct result r = { 0 };
	struct call c;

	(void)signal(SIGIO, SIG_IGN);
	auto_close int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0755);
	assert_int_equal(fd_write_full(fd, "#!/bin/sh\n", 10), 0);
	fd_close(steal_fd(&fd));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fcntl(fd, F_SETLEASE, F_WRLCK) < 0)
		skip(); /* no leases on this file system */
	int64_t before = clock_mono_ns();
	exec_begin(b, &c, &m);
	call_finish(&c, &r);
	assert_true(r.started);
	assert_int_equal(r.exit.flags, AGENT_EXIT_TIMEOUT);
	assert_int_equal(r.exit.signal, SIGKILL);
	assert_true(clock_mono_ns() - before < LIMIT_TIME_AGENT_REPLY);
	result_release(&r);
}

static void test_agent__cancel_insists(void **state)
{
	struct result r = { 0 };
	struct call c;

	sh_begin(*state, &c, "trap '' TERM; echo up; while :; do sleep 7733; "
			     "done", NULL, 0, 0);
	call_until(&c, &r, "up\n");
	int64_t before = clock_mono_ns();
	call_send(&c, FRAME_CANCEL, NULL, 0);
	call_finish(&c, &r);
	assert_int_equal(r.exit.flags, AGENT_EXIT_CANCELLED);
	assert_int_equal(r.exit.signal, SIGKILL);
	assert_true(clock_mono_ns() - before >= LIMIT_TIME_CANCEL - 10 * MS);
	assert_int_equal(count_running(*state, "7733"), 0);
	result_release(&r);
}

static void test_agent__background_child_does_not_hold_the_call(void **state)
{
	struct box *b = *state;
	struct result r = { 0 }, logs = { 0 };
	struct call c;
	auto_buf struct buf since = BUF_INIT;

	/* It writes after the call has ended, more than any pipe holds. */
	sh_begin(b, &c,
		 "(sleep 0.2; head -c 300000 /dev/zero; echo; echo late-line;"
		 " sleep 7744) & echo now", NULL, 0, 0);
	call_finish(&c, &r);
	assert_string_equal(buf_str(&r.out), "now\n");
	assert_int_equal(r.exit.code, 0);
	assert_int_equal(r.exit.flags, AGENT_EXIT_LEFT);
	msg_add_u64(&since, 0);
	call_begin(b, &c, FRAME_LOGS, since.data, since.len);
	struct frame f;
	while (!logs.out.len || !strstr(logs.out.data + logs.out.len - 11,
					"late-line\n")) {
		assert_true(call_next(&c, &f));
		result_add(&logs, &f);
	}
	call_close(&c);
	kill_running(b, "7744");
	result_release(&r);
	result_release(&logs);
}

/* The output of a detached command is in the logs although somebody follows
 * it too, with the times at which it was read and as a terminal's; for those
 * who ask for that. */
static void test_agent__logs_have_times(void **state)
{
	struct box *b = *state;
	auto_buf struct buf plain = BUF_INIT, timed = BUF_INIT, out = BUF_INIT;
	int64_t before = clock_boot_ns(), seen = 0, first = 0;
	struct call c, follower;
	struct frame f;

	sh_begin(b, &follower, "echo timed-1; sleep 0.5; echo timed-2", "timed",
		 AGENT_EXEC_TTY | AGENT_EXEC_DETACH, 0);
	assert_true(call_next(&follower, &f));
	msg_add_u64(&plain, 0);
	msg_add_u64(&timed, 0);
	msg_add_u32(&timed, 1);
	call_begin(b, &c, FRAME_LOGS, timed.data, timed.len);
	while (!strstr(buf_str(&out), "timed-2\r\n")) {
		assert_true(call_next(&c, &f));
		if (f.type == FRAME_SEEN) {
			struct msg_reader m = msg_reader(f.payload, f.len);

			seen = (int64_t)msg_u64(&m);
		} else if (f.type == FRAME_TTY) {
			buf_add(&out, f.payload, f.len);
			first = first ? first : seen;
		}
	}
	call_close(&c);
	assert_in_range(first, before, seen - 30 * MS);
	assert_in_range(seen, before, clock_boot_ns());
	buf_clear(&out);
	call_begin(b, &c, FRAME_LOGS, plain.data, plain.len);
	while (!memmem(buf_str(&out), out.len, "timed-2\r\n", 9)) {
		assert_true(call_next(&c, &f));
		if (f.type == FRAME_STDOUT)
			buf_add(&out, f.payload, f.len);
		assert_true(f.type != FRAME_SEEN && f.type != FRAME_TTY);
	}
	call_close(&c);
	call_close(&follower);
}

static void test_agent__lost_connection_kills_nothing(void **state)
{
	struct box *b = *state;
	struct result r = { 0 };
	struct call c;

	sh_begin(b, &c, "echo one; read x < ../tmp/fifo; echo two; exit 5",
		 "lost", 0, 0);
	struct result fifo = sh(b, "mkfifo ../tmp/fifo 2>/dev/null; true");
	result_release(&fifo);
	/* The first may have come too late for the fifo; make it surely. */
	call_close(&c);
	struct answer gone = ask_sid(b, FRAME_KILL, "lost", 0, 0, 0, 0, 0);
	answer_release(&gone);
	sh_begin(b, &c, "echo one; read x < ../tmp/fifo; echo two; exit 5",
		 "lost2", 0, 0);
	call_until(&c, &r, "one\n");
	call_close(&c);
	result_release(&r);
	/* It goes on, ends, and the result is kept. */
	r = sh(b, "echo go > ../tmp/fifo");
	result_release(&r);
	attach_begin(b, &c, "lost2", 0, 0);
	call_finish(&c, &r);
	assert_int_equal(r.offset, 0);
	assert_string_equal(buf_str(&r.out), "one\ntwo\n");
	assert_int_equal(r.exit.code, 5);
	result_release(&r);
	attach_begin(b, &c, "lost2", 4, 1);
	call_finish(&c, &r);
	assert_int_equal(r.offset, 4);
	assert_string_equal(buf_str(&r.out), "two\n");
	result_release(&r);
	struct agent_session s;
	assert_true(find_session(b, "lost2", &s));
	assert_int_equal(s.flags, 0);
	assert_int_equal(s.exit.code, 5);
	agent_session_release(&s);
	/* KILL of what has ended forgets it. */
	gone = ask_sid(b, FRAME_KILL, "lost2", 0, 0, 0, 0, 0);
	assert_true(gone.ended);
	answer_release(&gone);
	assert_false(find_session(b, "lost2", &s));
}

static void test_agent__ring_keeps_the_latest(void **state)
{
	struct box *b = *state;
	struct result r = { 0 };
	struct call c;

	sh_begin(b, &c, "echo up; sleep 0.1; seq 100000 >&2; echo end",
		 "ring", AGENT_EXEC_DETACH, 0);
	call_until(&c, &r, "up\n");
	call_close(&c);
	result_release(&r);
	r = sh(b, "while pgrep -f 'seq 10000[0]' >/dev/null; do :; done; "
		  "sleep 0.3");
	result_release(&r);
	attach_begin(b, &c, "ring", 0, 0);
	call_finish(&c, &r);
	assert_true(r.ended);
	assert_true(r.lagged > 0);
	assert_int_equal(r.lagged + r.err.len + r.out.len,
			 3 + 4 + 588895);
	assert_true(r.err.len >= LIMIT_AGENT_RING - 16);
	assert_string_equal(r.err.data + r.err.len - 7, "100000\n");
	assert_string_equal(buf_str(&r.out), "end\n");
	result_release(&r);
}

static void test_agent__terminal(void **state)
{
	struct box *b = *state;
	struct result r = { 0 };
	struct call c;

	sh_begin(b, &c, "tty; stty size; read line; stty size; "
			"echo got:$line; test -t 0 -a -t 1 -a -t 2 && echo T",
		 "tty1", AGENT_EXEC_TTY | AGENT_EXEC_STDIN, 0);
	call_until(&c, &r, "24 80");
	struct answer a = ask_sid(b, FRAME_RESIZE, "tty1", 1, 132, 50, 0, 0);
	assert_true(a.ended);
	answer_release(&a);
	call_send(&c, FRAME_STDIN, "hello\r", 6);
	call_finish(&c, &r);
	assert_non_null(strstr(buf_str(&r.out), "/dev/pts/"));
	assert_non_null(strstr(buf_str(&r.out), "50 132"));
	assert_non_null(strstr(buf_str(&r.out), "got:hello"));
	assert_non_null(strstr(buf_str(&r.out), "T\r\n"));
	assert_int_equal(r.err.len, 0);
	assert_int_equal(r.exit.code, 0);
	result_release(&r);
	a = ask_sid(b, FRAME_RESIZE, "tty1", 1, 0, 50, 0, 0);
	assert_int_equal(a.code, SVM_BAD_REQUEST);
	answer_release(&a);
}

static void test_agent__terminal_signal_goes_to_the_foreground(void **state)
{
	struct box *b = *state;
	struct result r = { 0 };
	struct call c;

	sh_begin(b, &c, /* A shell looks for traps between commands only. */
		 "trap 'echo trapped; exit 9' INT; echo up; "
		 "while :; do sleep 0.1; done",
		 "tty2", AGENT_EXEC_TTY, 0);
	call_until(&c, &r, "up");
	struct answer a = ask_sid(b, FRAME_SIGNAL, "tty2", 0, 0, 0, 1, SIGINT);
	assert_true(a.ended);
	answer_release(&a);
	call_finish(&c, &r);
	assert_non_null(strstr(buf_str(&r.out), "trapped"));
	assert_int_equal(r.exit.code, 9);
	result_release(&r);
}

static void test_agent__terminal_output_is_whole(void **state)
{
	struct result r = { 0 };
	struct call c;

	sh_begin(*state, &c, "seq 20000", NULL, AGENT_EXEC_TTY, 0);
	call_finish(&c, &r);
	assert_int_equal(r.out.len, 108894 + 20000);
	assert_string_equal(r.out.data + r.out.len - 7, "20000\r\n");
	result_release(&r);
}

static void test_agent__several_watch_one_session(void **state)
{
	struct box *b = *state;
	struct result r = { 0 }, w = { 0 }, lazy = { 0 };
	struct call c, watcher, sleeper;
	struct agent_session s;

	sh_begin(b, &c, "echo first; read x; seq 200000; echo last", "many",
		 AGENT_EXEC_TTY | AGENT_EXEC_STDIN, 0);
	call_until(&c, &r, "first");
	attach_begin(b, &watcher, "many", 0, 1);
	call_until(&watcher, &w, "first");
	attach_begin(b, &sleeper, "many", 0, 1);
	call_until(&sleeper, &lazy, "first");
	assert_true(find_session(b, "many", &s));
	assert_int_equal(s.attached, 3);
	assert_int_equal(s.flags, AGENT_SESSION_TTY | AGENT_SESSION_RUNNING);
	assert_int_equal(s.cols, 80);
	agent_session_release(&s);
	call_send(&c, FRAME_STDIN, "\r", 1);
	/* One never reads; the other two get everything. */
	int64_t deadline = clock_mono_ns() + SECONDS(15);
	struct frame f;
	while (!r.ended || !w.ended) {
		struct pollfd p[2] = { { .fd = r.ended ? -1 : c.fd,
					 .events = POLLIN },
				       { .fd = w.ended ? -1 : watcher.fd,
					 .events = POLLIN } };

		assert_true(clock_mono_ns() < deadline);
		assert_true(poll(p, 2, 15000) > 0);
		if (p[0].revents && call_next(&c, &f))
			result_add(&r, &f);
		if (p[1].revents && call_next(&watcher, &f))
			result_add(&w, &f);
	}
	call_close(&c);
	call_close(&watcher);
	assert_int_equal(r.out.len + r.lagged, w.out.len + w.lagged);
	assert_non_null(memmem(r.out.data + r.out.len - 8, 8, "last", 4));
	call_finish(&sleeper, &lazy);
	assert_true(lazy.lagged > 0);
	assert_int_equal(lazy.out.len + lazy.lagged, r.out.len + r.lagged);
	assert_true(lazy.ended);
	result_release(&r);
	result_release(&w);
	result_release(&lazy);
}

static void test_agent__read_only_may_not_write(void **state)
{
	struct box *b = *state;
	struct result r = { 0 };
	struct call c;

	sh_begin(b, &c, "echo up; sleep 7766", "ro", AGENT_EXEC_DETACH, 0);
	call_until(&c, &r, "up\n");
	call_close(&c);
	result_release(&r);
	attach_begin(b, &c, "ro", 0, 1);
	call_until(&c, &r, "up\n");
	call_send(&c, FRAME_CANCEL, NULL, 0);
	call_finish(&c, &r); /* closed: it broke the rules */
	assert_false(r.ended);
	assert_true(count_running(b, "7766") > 0);
	result_release(&r);
	struct answer a = ask_sid(b, FRAME_KILL, "ro", 0, 0, 0, 0, 0);
	assert_true(a.ended);
	assert_int_equal(count_running(b, "7766"), 0);
	answer_release(&a);
}

static void test_agent__unknown_session(void **state)
{
	const enum frame_type types[] = { FRAME_SIGNAL, FRAME_RESIZE,
					  FRAME_KILL, FRAME_ATTACH };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct answer a = ask_sid(*state, types[i], "none", 1, 1, 1, 2,
					  1);

		assert_int_equal(a.code, SVM_NOT_FOUND);
		answer_release(&a);
	}
}

static void test_agent__sid_is_unique(void **state)
{
	struct box *b = *state;
	struct result r = { 0 }, twice = { 0 };
	struct call c, d;

	sh_begin(b, &c, "echo up; sleep 7777", "twin", 0, 0);
	call_until(&c, &r, "up\n");
	sh_begin(b, &d, "true", "twin", 0, 0);
	call_finish(&d, &twice);
	assert_int_equal(twice.code, SVM_CONFLICT);
	call_send(&c, FRAME_CANCEL, NULL, 0);
	call_finish(&c, &r);
	result_release(&r);
	result_release(&twice);
}

static void test_agent__sessions_are_limited(void **state)
{
	struct box *b = *state;
	char sid[16];

	for (int i = 0; i <= LIMIT_AGENT_SESSIONS; i++) {
		struct result r = { 0 };
		struct call c;

		snprintf(sid, sizeof(sid), "lim%d", i);
		sh_begin(b, &c, "echo up; exec sleep 7788", sid,
			 AGENT_EXEC_DETACH, 0);
		if (i == LIMIT_AGENT_SESSIONS) {
			call_finish(&c, &r);
			assert_int_equal(r.code, SVM_RESOURCE_LIMIT);
		} else {
			call_until(&c, &r, "up\n");
			call_close(&c);
		}
		result_release(&r);
	}
	for (int i = 0; i < LIMIT_AGENT_SESSIONS; i++) {
		snprintf(sid, sizeof(sid), "lim%d", i);
		struct answer a = ask_sid(b, FRAME_KILL, sid, 0, 0, 0, 0, 0);

		assert_true(a.ended);
		answer_release(&a);
	}
	assert_int_equal(count_running(b, "7788"), 0);
}

static void test_agent__connections_are_limited(void **state)
{
	struct box *b = *state;
	struct call *v = xcalloc(LIMIT_AGENT_OPS, sizeof(*v));
	struct result r;

	for (int i = 0; i < LIMIT_AGENT_OPS; i++)
		call_open(b, &v[i]);
	r = sh(b, "true");
	assert_int_equal(r.code, SVM_RESOURCE_LIMIT);
	result_release(&r);
	/* What keeps a sandbox manageable still works. */
	struct call c;
	call_begin(b, &c, FRAME_PING, NULL, 0);
	struct answer a = answer_of(&c);
	assert_true(a.ended);
	answer_release(&a);
	for (int i = 0; i < LIMIT_AGENT_OPS; i++)
		call_close(&v[i]);
	free(v);
	r = sh(b, "true");
	assert_int_equal(r.code, 0);
	assert_true(r.ended);
	result_release(&r);
}

/* The agent must close, not crash, not hang. */
static void hostile(struct box *b, const void *p, size_t n)
{
	struct call c;
	struct frame f;

	call_open(b, &c);
	(void)!send(c.fd, p, n, MSG_NOSIGNAL);
	(void)shutdown(c.fd, SHUT_WR);
	while (call_next(&c, &f))
		;
	call_close(&c);
}

static void test_agent__hostile_frames(void **state)
{
	struct box *b = *state;
	auto_buf struct buf x = BUF_INIT;
	unsigned seed = 1;

	hostile(b, "GET / HTTP/1.1\r\n\r\n", 18);
	hostile(b, "", 0);
	hostile(b, "\0\0", 2);
	/* Lengths, types and flags at their edges; every request malformed. */
	for (unsigned type = 0; type < FRAME_TYPE_MAX + 2; type++) {
		for (unsigned n = 0; n < 40; n++) {
			char junk[40];

			for (unsigned i = 0; i < n; i++)
				junk[i] = (char)(rand_r(&seed) >> 8);
			if (type == FRAME_SHUTDOWN || type == FRAME_DEADLINE)
				continue;
			buf_clear(&x);
			frame_add(&x, (enum frame_type)type, n & 1, 1, junk,
				  n);
			hostile(b, x.data, x.len);
		}
	}
	/* A request that never ends being joined. */
	struct call c;
	auto_free char *big = xcalloc(1, LIMIT_FRAME);
	struct frame f;
	call_open(b, &c);
	for (int i = 0; i < 20; i++) {
		buf_clear(&x);
		frame_add(&x, FRAME_EXEC, FRAME_MORE, 7, big, LIMIT_FRAME);
		if (send(c.fd, x.data, x.len, MSG_NOSIGNAL) < 0)
			break;
	}
	while (call_next(&c, &f))
		;
	call_close(&c);
	struct result r = sh(b, "echo alive");
	assert_string_equal(buf_str(&r.out), "alive\n");
	result_release(&r);
}

static void test_agent__byte_by_byte(void **state)
{
	auto_buf struct buf text = BUF_INIT, out = BUF_INIT;
	char *argv[] = { (char *)"echo", (char *)"slow", NULL };
	struct agent_exec m = { .argv = argv, .sid = (char *)"bytes",
				.cwd = (char *)"/" };
	struct result r = { 0 };
	struct call c;

	agent_exec_encode(&text, &m);
	frame_add(&out, FRAME_EXEC, 0, 7, text.data, text.len);
	call_open(*state, &c);
	for (size_t i = 0; i < out.len; i++)
		assert_int_equal(write(c.fd, out.data + i, 1), 1);
	call_finish(&c, &r);
	assert_string_equal(buf_str(&r.out), "slow\n");
	result_release(&r);
}

static void test_agent__many_at_once(void **state)
{
	struct call c[100];
	struct result r[100] = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
		auto_free char *script = xasprintf("echo %zu; exit %zu", i,
						   i);

		sh_begin(*state, &c[i], script, NULL, 0, 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
		call_finish(&c[i], &r[i]);
		assert_int_equal(atoi(buf_str(&r[i].out)), i);
		assert_int_equal(r[i].exit.code, i);
		result_release(&r[i]);
	}
	/* Nothing is left behind: no process, and no zombie of ours. */
	struct result last = sh(*state, "ps -o stat= --ppid $PPID | wc -l");
	result_release(&last);
	assert_int_equal(count_running(*state, "echo"), 0);
}

static void test_agent__deadline_ends_everything(void **state)
{
	struct box own;
	struct call c;
	struct result r = { 0 };
	auto_buf struct buf text = BUF_INIT;

	(void)state;
	/* No other run of this has such a one. */
	auto_free char *nap = xasprintf("7799.%d", (int)getpid());
	auto_free char *script = xasprintf("setsid sleep %s & echo up; "
					   "sleep %s", nap, nap);

	box_start(&own);
	sh_begin(&own, &c, script, NULL, 0, 0);
	call_until(&c, &r, "up\n");
	struct call d;
	msg_add_u64(&text, (uint64_t)clock_boot_ns() + 100 * 1000000);
	call_begin(&own, &d, FRAME_DEADLINE, text.data, text.len);
	struct answer a = answer_of(&d);
	assert_true(a.ended);
	answer_release(&a);
	assert_int_equal(proc_pidfd_wait(own.box.pidfd, PATIENCE_MS), 0);
	call_finish(&c, &r);
	result_release(&r);
	assert_int_equal(count_below(1, nap), 0);
	box_stop(&own);
}

#define T(name) cmocka_unit_test(test_agent__##name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(output_and_exit),
		T(argv_is_not_a_shell),
		T(environment),
		T(path_comes_from_the_request),
		T(working_directory),
		T(missing_working_directory_is_an_error),
		T(missing_program_is_127),
		T(not_executable_is_126),
		T(death_by_signal),
		T(starts_clean),
		T(stdin),
		T(stdin_nobody_reads),
		T(slow_reader_slows_the_command),
		T(timeout_kills_the_whole_tree),
		T(timeout_ends_a_command_that_can_not_start),
		T(cancel_insists),
		T(background_child_does_not_hold_the_call),
		T(logs_have_times),
		T(lost_connection_kills_nothing),
		T(ring_keeps_the_latest),
		T(terminal),
		T(terminal_signal_goes_to_the_foreground),
		T(terminal_output_is_whole),
		T(several_watch_one_session),
		T(read_only_may_not_write),
		T(unknown_session),
		T(sid_is_unique),
		T(sessions_are_limited),
		T(connections_are_limited),
		T(hostile_frames),
		T(byte_by_byte),
		T(many_at_once),
		T(deadline_ends_everything),
	};

	return cmocka_run_group_tests(tests, box_setup, box_teardown);
}
