/* SPDX-License-Identifier: MIT */
/* stacyvm doctor: what works on this machine, what does not, and what would
 * change that.  Also when the daemon can't be started. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/out.h"
#include "cli/paging.h"
#include "cli/tail.h"
#include "lib/api/dirs.h"
#include "lib/api/errmap.h"
#include "lib/base/escape.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"

static void say(const char *mark, const char *what, const char *text)
{
	auto_buf struct buf line = BUF_INIT;

	buf_addstr(&line, "  ");
	escape_line(&line, mark, strlen(mark));
	buf_addf(&line, "%*s ", MAX(5 - (int)strlen(mark), 0), "");
	escape_line(&line, what, strlen(what));
	if (text && text[0]) {
		buf_addstr(&line, ": ");
		escape_line(&line, text, strlen(text));
	}
	puts(buf_str(&line));
}

/* One line per fact, and below it what changes it. */
static void print_finding(const cJSON *f)
{
	const char *level = json_text(f, "level"), *fix = json_text(f, "fix");

	say(level, json_text(f, "what"), json_text(f, "detail"));
	if (fix[0])
		say("", "fix", fix);
}

static void print_provider(const cJSON *p)
{
	auto_buf struct buf name = BUF_INIT, about = BUF_INIT;
	const cJSON *f;
	bool enabled = cJSON_IsTrue(out_field(p, "enabled", 7));
	bool usable = cJSON_IsTrue(out_field(p, "usable", 6));

	escape_line(&name, json_text(p, "name"), strlen(json_text(p, "name")));
	escape_line(&about, json_text(p, "description"),
		    strlen(json_text(p, "description")));
	printf("\n%s (%s): %s\n", buf_str(&name), buf_str(&about),
	       !enabled ? "switched off" : usable ? "usable" : "not usable");
	if (enabled && !usable) {
		say("bad", "why", json_text(p, "error"));
		if (json_text(p, "remediation")[0])
			say("", "fix", json_text(p, "remediation"));
	}
	cJSON_ArrayForEach(f, out_field(p, "findings", 8))
		print_finding(f);
}

/* Where what is wrong may be the terminal. */
static void print_terminal(void)
{
	const char *term = getenv("TERM");

	if (!isatty(STDOUT_FILENO))
		return;
	printf("\nterminal\n");
	if (!term || !*term || strcmp(term, "dumb") == 0)
		say("bad", "type", "TERM says nothing: no dashboard, and "
				   "nothing is painted in place");
	else
		say("ok", "type", term);
	say("note", "screen", "when a dashboard was killed by SIGKILL, "
			      "`reset` puts the terminal right");
}

static int print_report(const struct cli *cli, const cJSON *root)
{
	const cJSON *p, *port = out_field(root, "port", 4);
	const char *problem = json_text(root, "tcp_problem");
	char tcp[64];
	bool any = false;

	paging_begin(cli);
	puts("daemon: running");
	say("ok", "version", json_text(root, "version"));
	say("ok", "server", client_server_name(cli->client));
	say("ok", "state", json_text(root, "state_dir"));
	snprintf(tcp, sizeof(tcp), "port %d",
		 cJSON_IsNumber(port) ? (int)port->valuedouble : 0);
	say(problem[0] ? "bad" : "ok", "tcp", problem[0] ? problem :
			cJSON_IsNumber(port) && port->valuedouble > 0 ?
			tcp : "off; the unix socket alone");
	if (problem[0])
		say("", "fix", "choose a port that is free: stacyvm config "
			       "set server.port PORT && stacyvm daemon restart");
	say("ok", "default provider", json_text(root, "default_provider"));
	cJSON_ArrayForEach(p, out_field(root, "providers", 9)) {
		any |= cJSON_IsTrue(out_field(p, "usable", 6));
		print_provider(p);
	}
	print_terminal();
	return any ? 0 : EXIT_STATUS_FAILURE;
}

static void check_dir(const char *what, const char *path)
{
	auto_buf struct buf text = BUF_INIT;
	struct stat st;

	if (lstat(path, &st) < 0) {
		buf_addf(&text, "%s: %s", path, strerror(errno));
		say(errno == ENOENT ? "note" : "bad", what, buf_str(&text));
		return;
	}
	buf_addf(&text, "%s (uid %u, mode %04o)", path, (unsigned)st.st_uid,
		 (unsigned)st.st_mode & 07777);
	say(S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	    !(st.st_mode & 077) && access(path, W_OK) == 0 ? "ok" : "bad",
	    what, buf_str(&text));
}

static void check_lock(const char *state)
{
	auto_free char *path = path_join(state, "lock");
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fd < 0)
		say("note", "lock", errno == ENOENT ? "nobody ever held it" :
						      strerror(errno));
	else if (fcntl(fd, F_GETLK, &l) == 0 && l.l_type != F_UNLCK)
		say("bad", "lock", "a daemon holds it, and does not answer on "
				   "the socket");
	else
		say("ok", "lock", "free");
}

/* What can be seen without a daemon. */
static void print_without_daemon(const struct cli *cli,
				 const struct svm_err *why)
{
	auto_err struct svm_err ignored = SVM_ERR_INIT;
	struct dirs d;

	dirs_init(&d);
	paging_begin(cli);
	puts("daemon: not running");
	say("bad", "why", why->msg);
	if (why->hint)
		say("", "hint", why->hint);
	check_dir("state", d.state);
	check_dir("runtime", d.runtime);
	check_lock(d.state);
	print_terminal();
	auto_free char *log = path_join(d.state, "logs/daemon.log");

	printf("\nlast lines of %s:\n", log);
	fflush(stdout);
	if (tail_file(log, 10, false, 0, &ignored) < 0)
		puts("  (there is no log)");
	dirs_release(&d);
}

static int run(struct cli *cli, void *values, int argc, char **args,
	       struct svm_err *err)
{
	auto_buf struct buf body = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_err struct svm_err why = SVM_ERR_INIT;

	(void)values, (void)argc, (void)args;
	if (cli_get(cli, API "/doctor", &body, &why) < 0) {
		if (cli->json || why.code != SVM_UNREACHABLE)
			return svm_err_move(err, &why);
		print_without_daemon(cli, &why);
		return EXIT_STATUS_UNREACHABLE;
	}
	if (out_parse_object(&doc, &body, err) < 0)
		return -1;
	if (cli->json || cli->format)
		return out_object(cli, doc.root, err);
	return print_report(cli, doc.root);
}

const struct cmd cmd_doctor = {
	.name = "doctor",
	.summary = "say what works on this machine and how to fix the rest",
	.help = "Status 0 when at least one provider is usable, 5 when the "
		"daemon can't be started.",
	.flags = CMD_PAGED,
	.run = run,
};
