/* SPDX-License-Identifier: MIT */
/* The client of this run: where the daemon is, the key, the deadline, and
 * what interrupts waiting. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/progress.h"
#include "lib/api/limits.h"
#include "lib/base/clock.h"
#include "lib/base/duration.h"
#include "lib/base/ending.h"
#include "lib/base/escape.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"

#define KEY_MAX 4096
#define SILENT_NS (3 * INT64_C(1000000000))

static pid_t started; /* to be told, or 0 */
static char *no_tcp;  /* with it, or NULL */

/* Where a script doesn't want the first it needs the second: what it sends to
 * the port goes to whoever has it. */
void cli_tell_started(void)
{
	if (started && isatty(STDERR_FILENO))
		fprintf(stderr, "stacyvm: started the daemon (pid %d); logs: "
				"stacyvm daemon logs\n", (int)started);
	if (no_tcp)
		fprintf(stderr, "%s\n", no_tcp);
	started = 0;
	free(no_tcp);
	no_tcp = NULL;
}

static void on_started(void *data, pid_t pid, const char *why)
{
	const struct cli *cli = data;
	auto_escape bool before = cli_escape_for(STDERR_FILENO);
	auto_buf struct buf text = BUF_INIT;

	started = pid;
	if (why) {
		escape_line(&text, why, strlen(why));
		free(no_tcp);
		no_tcp = xasprintf(
			"stacyvm: the API is on %s alone (%s); choose another "
			"port:  stacyvm config set server.port PORT && "
			"stacyvm daemon restart  (or STACYVM_SERVER_PORT)",
			client_server_name(cli->client), buf_str(&text));
	}
	if (!ticker_is_on())
		cli_tell_started();
}

/* The question that is under way, of the one thread there is. */
static struct {
	struct ticker *ticker;
	int64_t told_at; /* boot; 0: none is, or it was told of */
} question;

/* It took the question and is silent: say who that is. */
static int64_t on_wait(void *data)
{
	const struct cli *cli = data;
	pid_t pid;

	if (!question.told_at || clock_boot_ns() < question.told_at)
		return question.told_at;
	pid = client_peer(cli->client);
	auto_free char *who = pid ? xasprintf("the daemon (pid %d)", (int)pid) :
				    xstrdup("the daemon");
	auto_free char *text = xasprintf("waiting for %s to answer", who);

	if (question.ticker)
		ticker_tell(question.ticker, text, 0, 0);
	else if (!cli->quiet)
		fprintf(stderr, "stacyvm: %s\n", text);
	question.told_at = 0;
	return 0;
}

static void add_way_out(const struct cli *cli, struct svm_err *err)
{
	pid_t pid = client_peer(cli->client);

	if (err->code == SVM_TIMEOUT && pid)
		svm_err_hint(err, "see what it does with:  stacyvm daemon logs\n"
				  "if it hangs:  kill -9 %d  (sandboxes go on, "
				  "and the next command starts another)",
			     (int)pid);
}

int cli_key(const struct cli *cli, struct buf *out,
		    struct svm_err *err)
{
	const char *key = cli->api_key ? cli->api_key :
					 getenv("STACYVM_API_KEY");

	if (!cli->api_key_file) {
		buf_addstr(out, key ? key : "");
		return 0;
	}
	int r = fd_slurp_path(AT_FDCWD, cli->api_key_file, KEY_MAX, out);

	if (r < 0)
		return svm_err_sys(err, SVM_BAD_REQUEST, r, "read key '%s'",
				   cli->api_key_file);
	while (out->len && strchr("\r\n \t", out->data[out->len - 1]))
		buf_truncate(out, out->len - 1);
	return 0;
}

struct client *cli_client(struct cli *cli, struct svm_err *err)
{
	auto_buf struct buf key = BUF_INIT;
	int64_t ns = 0;

	if (cli->client)
		return cli->client;
	if (cli_key(cli, &key, err) < 0)
		return NULL;
	if (cli->timeout)
		(void)duration_parse(cli->timeout, &ns); /* was checked */
	const struct client_options o = {
		.server = cli->server,
		.api_key = key.len ? buf_str(&key) : NULL,
		.deadline_ns = ns ? clock_boot_ns() + ns : 0,
		.cancel_fd = -1,
		.autostart = !cli->no_autostart,
		.on_started = cli->quiet ? NULL : on_started,
		.on_wait = on_wait,
		.data = cli,
	};
	cli->client = client_new(&o, err);
	if (!cli->client && err->code == SVM_BAD_REQUEST)
		cli_is_usage(err); /* --server, or what stands for it */
	if (key.data)
		explicit_bzero(key.data, key.len);
	return cli->client;
}

int cli_catch_signals(struct cli *cli, struct svm_err *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGWINCH);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno, "sigprocmask");
	signal(SIGPIPE, SIG_IGN);
	if (isatty(STDOUT_FILENO) || isatty(STDERR_FILENO))
		(void)ending_watch(LIMIT_UNHEARD_MS);
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);

	if (fd < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno, "signalfd");
	if (cli->client)
		client_set_cancel_fd(cli->client, fd);
	return fd;
}

int cli_call(struct cli *cli, const char *what, const char *method,
	     const char *target, const struct buf *body, struct buf *ret,
	     struct svm_err *err)
{
	struct client *c = cli_client(cli, err);

	if (!c)
		return -1;
	struct ticker *t = ticker_start(cli, what);
	/* It takes no time: one that isn't answered hangs. */
	bool asks = strcmp(method, "GET") == 0;

	question.ticker = t;
	question.told_at = asks ? clock_boot_ns() + SILENT_NS : 0;
	int r = client_call(c, method, target, body, ret, err);

	question.told_at = 0;
	ticker_stop(t);
	if (r < 0 && asks)
		add_way_out(cli, err);
	cli_tell_started();
	return r;
}

#define WAITING "waiting for the daemon"

int cli_get(struct cli *cli, const char *target, struct buf *ret,
	    struct svm_err *err)
{
	return cli_call(cli, WAITING, "GET", target, NULL, ret, err);
}

int cli_send(struct cli *cli, const char *method, const char *target,
	     const struct buf *body, struct buf *ret, struct svm_err *err)
{
	return cli_call(cli, WAITING, method, target, body, ret, err);
}
