/* SPDX-License-Identifier: MIT */
/* The mock provider: boxes made, found again, taken away without a trace. */
#include <sys/wait.h>

#include "tests/unit/agent-box.h"

/* How long what a test leaves behind sleeps: nobody else on this machine for
 * as long as that. */
static const char *nap(int which)
{
	static char text[24];

	snprintf(text, sizeof(text), "%d%07d", which, (int)getpid());
	return text;
}

static void assert_no_box(struct box *b)
{
	auto_free char *dir = xasprintf("%s/boxes/%s", b->state, b->id);

	assert_int_equal(access(dir, F_OK), -1);
}

static void destroy(struct box *b)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	if (provider_destroy(b->provider, &b->box, &err) < 0)
		fail_msg("%s", err.msg);
	assert_no_box(b);
}

static void test_provider_mock__says_what_it_is(void **state)
{
	const struct provider_ops *ops = provider_find_ops("mock");

	(void)state;
	assert_non_null(ops);
	assert_null(provider_find_ops("nonesuch"));
	assert_non_null(strstr(ops->label, "NO isolation"));
	assert_int_equal(ops->caps & PROVIDER_ISOLATES, 0);
	/* Never the first choice. */
	assert_ptr_not_equal(provider_builtin[0], ops);
}

static void test_provider_mock__create_fills_the_box(void **state)
{
	struct box b;

	(void)state;
	box_start(&b);
	assert_true(b.box.pid > 0);
	assert_int_equal(b.box.start_time, proc_start_time(b.box.pid));
	assert_int_equal(proc_pidfd_wait(b.box.pidfd, 0), -ETIMEDOUT);
	assert_non_null(strstr(b.box.posture, "\"isolation\":\"none\""));
	assert_true(b.box.timings.agent > 0);
	box_stop(&b);
}

static void test_provider_mock__spec_env_reaches_commands(void **state)
{
	char *env[] = { (char *)"FROM_SPEC=yes", NULL };
	struct sandbox_spec spec = { .env = env };
	struct box b;

	(void)state;
	box_start_with(&b, &spec);
	struct result r = sh(&b, "echo $FROM_SPEC; test -d $HOME");
	assert_string_equal(buf_str(&r.out), "yes\n");
	assert_int_equal(r.exit.code, 0);
	result_release(&r);
	box_stop(&b);
}

static void test_provider_mock__unsupported_is_refused(void **state)
{
	struct sandbox_spec layers = { .rootfs = SPEC_ROOTFS_LAYERS };
	struct sandbox_spec net = { .network = SPEC_NETWORK_BRIDGE };
	auto_err struct svm_err err = SVM_ERR_INIT, err2 = SVM_ERR_INIT;
	struct box b;

	(void)state;
	box_start(&b);
	assert_int_equal(provider_prepare(b.provider, &b.box, &layers, &err),
			 -1);
	assert_int_equal(err.code, SVM_UNSUPPORTED);
	assert_int_equal(provider_prepare(b.provider, &b.box, &net, &err2),
			 -1);
	assert_int_equal(err2.code, SVM_UNSUPPORTED);
	box_stop(&b);
}

static void test_provider_mock__destroy_takes_all_processes(void **state)
{
	struct box b;
	struct result r;

	(void)state;
	box_start(&b);
	auto_free char *command =
		xasprintf("n=%s; sleep $n & (setsid sleep $n &) ; "
			  "(trap '' TERM; exec setsid sleep $n) & true",
			  nap(11));
	r = sh(&b, command);
	result_release(&r);
	destroy(&b);
	assert_int_equal(count_below(1, nap(11)), 0);
	/* Again, and with nothing known: fine. */
	destroy(&b);
	b.box.pid = 0;
	destroy(&b);
	box_stop(&b);
}

/* A daemon that died between create() and its commit knows no pid. */
static void test_provider_mock__destroy_without_pid(void **state)
{
	struct box b;
	struct result r;
	pid_t pid;

	(void)state;
	box_start(&b);
	auto_free char *command = xasprintf("sleep %s & true", nap(22));
	r = sh(&b, command);
	result_release(&r);
	pid = b.box.pid;
	b.box.pid = 0;
	destroy(&b);
	assert_int_equal(count_below(1, nap(22)), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	box_stop(&b);
}

/* The agent is killed: what it ran must not outlive it for long, and the box
 * must go. */
static void test_provider_mock__destroy_after_agent_was_killed(void **state)
{
	struct box b;
	struct result r;

	(void)state;
	box_start(&b);
	auto_free char *command = xasprintf("setsid sleep %s & true", nap(33));
	r = sh(&b, command);
	result_release(&r);
	assert_int_equal(kill(b.box.pid, SIGKILL), 0);
	destroy(&b);
	assert_int_equal(count_below(1, nap(33)), 0);
	box_stop(&b);
}

static void test_provider_mock__adopt(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT, gone = SVM_ERR_INIT;
	auto_err struct svm_err other = SVM_ERR_INIT;
	struct provider *second = NULL;
	struct box b;
	struct result r;

	(void)state;
	box_start(&b);
	/* As another daemon sees it: id, pid and start time. */
	struct provider_box found = PROVIDER_BOX_INIT;
	found.id = b.id;
	found.pid = b.box.pid;
	found.start_time = b.box.start_time;
	provider_close(b.provider);
	if (provider_open(provider_find_ops("mock"), &b.host, &second,
			  &err) < 0 ||
	    provider_adopt(second, &found, &err) < 0)
		fail_msg("%s", err.msg);
	b.provider = second;
	assert_true(found.pidfd >= 0);
	assert_non_null(found.posture);
	r = sh(&b, "echo still here");
	assert_string_equal(buf_str(&r.out), "still here\n");
	result_release(&r);
	/* Another process with the same pid is not it. */
	found.start_time++;
	assert_int_equal(provider_adopt(second, &found, &other), -1);
	assert_int_equal(other.code, SVM_NOT_FOUND);
	found.start_time--;
	kill(b.box.pid, SIGKILL);
	assert_int_equal(proc_pidfd_wait(b.box.pidfd, PATIENCE_MS), 0);
	assert_int_equal(provider_adopt(second, &found, &gone), -1);
	assert_int_equal(gone.code, SVM_NOT_FOUND);
	provider_box_release(&found);
	box_stop(&b);
}

static void test_provider_mock__sweep_spares_the_known(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	char *known[] = { (char *)"sb-00000001", NULL }, *none[] = { NULL };
	struct box b;
	struct result r;

	(void)state;
	box_start(&b);
	auto_free char *foreign = xasprintf("%s/boxes/sb-foreign", b.state);
	assert_int_equal(mkdir(foreign, 0700), 0);
	assert_int_equal(provider_sweep(b.provider, known, &err), 0);
	r = sh(&b, "true");
	assert_true(r.ended);
	result_release(&r);
	assert_int_equal(provider_sweep(b.provider, none, &err), 0);
	assert_no_box(&b);
	/* A directory that is no box of ours is left alone. */
	assert_int_equal(access(foreign, F_OK), 0);
	box_stop(&b);
}

static void test_provider_mock__failed_create_leaves_nothing(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct sandbox_spec spec = { 0 };
	struct box b;

	(void)state;
	box_start(&b);
	destroy(&b);
	/* More environment than the agent takes: it refuses to start. */
	char **env = xcalloc(LIMIT_ENV_VARS + 2, sizeof(*env));
	for (int i = 0; i <= LIMIT_ENV_VARS; i++)
		env[i] = (char *)"A=b";
	spec.env = env;
	b.box.pid = 0;
	assert_int_equal(provider_create(b.provider, &b.box, &spec, &err), -1);
	assert_int_equal(err.code, SVM_PROVIDER);
	assert_no_box(&b);
	free(env);
	box_stop(&b);
}

static void test_provider_mock__stats(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct provider_stats stats;
	struct box b;
	struct result r;

	(void)state;
	box_start(&b);
	r = sh(&b, "sleep 1000 & true");
	result_release(&r);
	assert_int_equal(provider_box_stats(b.provider, &b.box, &stats, &err),
			 0);
	assert_true(stats.supported);
	/* With its supervisor. */
	assert_int_equal(stats.pids, 2);
	assert_true(stats.mem_bytes > 0);
	box_stop(&b);
}

#define T(name) cmocka_unit_test(test_provider_mock__##name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(says_what_it_is),
		T(create_fills_the_box),
		T(spec_env_reaches_commands),
		T(unsupported_is_refused),
		T(destroy_takes_all_processes),
		T(destroy_without_pid),
		T(destroy_after_agent_was_killed),
		T(adopt),
		T(sweep_spares_the_known),
		T(failed_create_leaves_nothing),
		T(stats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
