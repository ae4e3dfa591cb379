/* SPDX-License-Identifier: MIT */
/* stacyvm daemon: the process behind all of this. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/out.h"
#include "cli/paging.h"
#include "cli/tail.h"
#include "lib/api/dirs.h"
#include "lib/base/clock.h"
#include "lib/base/duration.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "lib/base/proc.h"

#define MS INT64_C(1000000)
#define COUNT_NS (2000 * MS)
#define STOP_NS (30000 * MS)

struct logs_opts {
	bool follow;
	int64_t tail;
};

static int run_status(struct cli *cli, void *values, int argc, char **args,
		      struct svm_err *err)
{
	auto_buf struct buf body = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;

	(void)values, (void)argc, (void)args;
	cli->no_autostart = true;
	if (cli_get(cli, API "/health", &body, err) < 0 ||
	    out_parse_object(&doc, &body, err) < 0)
		return -1;
	if (!cli->json && !cli->format)
		printf("running at %s\n", client_server_name(cli->client));
	return out_object(cli, doc.root, err);
}

static int find(struct cli *cli, pid_t *pid, int *pidfd, struct svm_err *err)
{
	struct client *c;

	cli->no_autostart = true;
	c = cli_client(cli, err);
	return c ? client_daemon_pid(c, pid, pidfd, err) : -1;
}

static void tell_started(const struct cli *cli, bool now, pid_t pid)
{
	if (cli->json)
		printf("{\"started\":%s,\"pid\":%d}\n",
		       now ? "true" : "false", (int)pid);
	else
		printf("%s (pid %d)\n", now ? "started" : "already running",
		       (int)pid);
}

static int run_start(struct cli *cli, void *values, int argc, char **args,
		     struct svm_err *err)
{
	auto_err struct svm_err none = SVM_ERR_INIT;
	auto_close int pidfd = -1;
	pid_t pid;

	(void)values, (void)argc, (void)args;
	if (find(cli, &pid, &pidfd, &none) == 0) {
		tell_started(cli, false, pid);
		return 0;
	}
	if (none.code != SVM_UNREACHABLE)
		return svm_err_move(err, &none);
	cli->quiet = true;
	if (client_start_daemon(cli->client, err) < 0 ||
	    client_daemon_pid(cli->client, &pid, &pidfd, err) < 0)
		return -1;
	tell_started(cli, true, pid);
	return 0;
}

static int64_t wait_ns(const struct cli *cli)
{
	int64_t ns;

	if (!cli->timeout || duration_parse(cli->timeout, &ns) < 0)
		return STOP_NS;
	return MIN(ns, (int64_t)INT32_MAX * MS);
}

/* The process, once it has answered that it is the daemon. */
static int find_to_stop(struct cli *cli, pid_t *ret_pid, int *ret_pidfd,
			struct svm_err *err)
{
	*ret_pid = 0;
	cli->no_autostart = true;
	if (!cli_client(cli, err))
		return -1;
	client_set_deadline(cli->client, clock_boot_ns() + wait_ns(cli));
	int r = find(cli, ret_pid, ret_pidfd, err);

	client_set_deadline(cli->client, 0);
	if (r == 0 || err->code != SVM_TIMEOUT || !*ret_pid)
		return r;
	svm_err_release(err);
	svm_err_set(err, SVM_TIMEOUT, "the daemon (pid %d) doesn't answer",
		    (int)*ret_pid);
	return svm_err_hint(err, "see what it does:  stacyvm daemon logs\n"
				 "end it the hard way:  kill -9 %d",
			    (int)*ret_pid);
}

/* How many go on living without it; 0 also when it doesn't say. */
static int count_sandboxes(struct cli *cli)
{
	auto_buf struct buf body = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_err struct svm_err err = SVM_ERR_INIT;
	const cJSON *n;

	/* One that hangs is there to be stopped. */
	client_set_deadline(cli->client, clock_boot_ns() +
						 MIN(COUNT_NS, wait_ns(cli)));
	int r = cli_get(cli, API "/metrics", &body, &err);

	client_set_deadline(cli->client, 0);
	if (r < 0 || out_parse_object(&doc, &body, &err) < 0)
		return 0;
	n = out_field(doc.root, "active_sandboxes", 16);
	return cJSON_IsNumber(n) ? n->valueint : 0;
}

/* Sandboxes go on living; see them with the next daemon. */
static int stop(struct cli *cli, bool *ret_was_there, struct svm_err *err)
{
	auto_err struct svm_err none = SVM_ERR_INIT;
	auto_close int pidfd = -1;
	pid_t pid;

	*ret_was_there = false;
	if (find_to_stop(cli, &pid, &pidfd, &none) < 0) {
		if (none.code == SVM_UNREACHABLE)
			return 0;
		return svm_err_move(err, &none);
	}
	*ret_was_there = true;
	int r = proc_pidfd_kill(pidfd, SIGTERM);

	if (r == -ESRCH)
		return 0;
	if (r < 0)
		return svm_err_sys(err, SVM_FORBIDDEN, r,
				   "stop the daemon (pid %d)", (int)pid);
	if (proc_pidfd_wait(pidfd, (int)(wait_ns(cli) / MS)) == 0)
		return 0;
	svm_err_set(err, SVM_TIMEOUT, "the daemon (pid %d) did not stop in "
				      "time", (int)pid);
	return svm_err_hint(err, "see what it does:  stacyvm daemon logs\n"
				 "end it the hard way:  kill -9 %d",
			    (int)pid);
}

static int run_stop(struct cli *cli, void *values, int argc, char **args,
		    struct svm_err *err)
{
	bool was_there;

	(void)values, (void)argc, (void)args;
	cli->no_autostart = true;
	int live = cli_client(cli, err) ? count_sandboxes(cli) : -1;

	if (live < 0 || stop(cli, &was_there, err) < 0)
		return -1;
	if (cli->json)
		printf("{\"stopped\":%s,\"active_sandboxes\":%d}\n",
		       was_there ? "true" : "false", was_there ? live : 0);
	else if (!was_there)
		puts("not running");
	else if (live)
		printf("stopped; %d sandbox%s on running\n", live,
		       live == 1 ? " goes" : "es go");
	else
		puts("stopped");
	return 0;
}

static int run_restart(struct cli *cli, void *values, int argc, char **args,
		       struct svm_err *err)
{
	bool was_there;

	if (stop(cli, &was_there, err) < 0)
		return -1;
	return run_start(cli, values, argc, args, err);
}

static int run_logs(struct cli *cli, void *values, int argc, char **args,
		    struct svm_err *err)
{
	const struct logs_opts *o = values;
	struct dirs dirs;
	int64_t ns = 0;

	(void)argc, (void)args;
	dirs_init(&dirs);
	auto_free char *path = path_join(dirs.state, "logs/daemon.log");

	dirs_release(&dirs);
	if (!o->follow)
		paging_begin(cli);
	if (cli->timeout)
		(void)duration_parse(cli->timeout, &ns); /* was checked */
	return tail_file(path, o->tail ? (unsigned)o->tail : 100, o->follow,
			 ns ? clock_boot_ns() + ns : 0, err);
}

static const struct opt logs_opts[] = {
	{ OPT_FLAG, 'f', "follow", offsetof(struct logs_opts, follow), NULL,
	  "go on with what comes", COMPLETE_NONE, false },
	{ OPT_NUMBER, 'n', "tail", offsetof(struct logs_opts, tail), "N",
	  "begin with the last N lines (default 100)", COMPLETE_NONE, false },
	OPTS_END,
};

static const struct cmd status = {
	.name = "status",
	.summary = "is it running, since when, with how much",
	.help = "Status 5 when it is not running.  Starts nothing.",
	.run = run_status,
};

static const struct cmd start = {
	.name = "start",
	.summary = "start it in the background",
	.help = "Rarely needed: every command that needs the daemon starts it.",
	.run = run_start,
};

static const struct cmd stop_ = {
	.name = "stop",
	.summary = "stop it; what runs in sandboxes goes on",
	.run = run_stop,
};

static const struct cmd restart = {
	.name = "restart",
	.summary = "stop it and start it again, such as after an upgrade",
	.run = run_restart,
};

static const struct cmd logs = {
	.name = "logs",
	.summary = "show its log",
	.opts = logs_opts,
	.opts_size = sizeof(struct logs_opts),
	.flags = CMD_PAGED,
	.run = run_logs,
};

static const struct cmd *const subs[] = {
	&status, &start, &stop_, &restart, &logs, NULL,
};

const struct cmd cmd_daemon = {
	.name = "daemon",
	.summary = "look at, start and stop the daemon",
	.subs = subs,
};
