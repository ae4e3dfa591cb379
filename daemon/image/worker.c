/* SPDX-License-Identifier: MIT */
/* Worker processes, from the daemon's side.  See worker.h. */
#include "daemon/image/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "daemon/image/internal.h"
#include "daemon/image/report.h"
#include "lib/api/limits.h"
#include "lib/base/fd.h"
#include "lib/base/loop.h"
#include "lib/base/mem.h"
#include "lib/base/proc.h"

void worker_init(struct worker *w, struct daemon *d,
		 const struct worker_kind *kind, void *data,
		 struct svm_err *err)
{
	*w = (struct worker){ .kind = kind, .data = data, .err = err,
			      .daemon = d, .pidfd = -1, .out = -1 };
}

static void kill_it(const struct worker *w)
{
	if (w->pidfd >= 0)
		proc_pidfd_kill(w->pidfd, SIGKILL);
}

int worker_fail(struct worker *w, enum svm_code code, const char *why)
{
	if (!w->err->code)
		svm_err_set(w->err, code, "%s", why);
	kill_it(w);
	return -1;
}

void worker_stop(struct worker *w)
{
	/* What is done with its result has ends of its own. */
	if ((w->pidfd < 0 && !w->out_watch) || w->err->code)
		return;
	image_stopping(w->err);
	kill_it(w);
}

void worker_release(struct worker *w)
{
	if (w->pidfd >= 0) {
		proc_pidfd_kill(w->pidfd, SIGKILL);
		(void)waitpid(w->pid, NULL, 0);
	}
	loop_fd_del(w->pid_watch);
	loop_fd_del(w->out_watch);
	fd_close(w->pidfd);
	fd_close(w->out);
	buf_release(&w->lines);
}

/* Its own account of why it failed. */
static int take_error(struct worker *w, const cJSON *o)
{
	const char *code = "", *msg = "", *hint = "";
	enum svm_code c;

	if (json_get_string(o, "code", &code, w->err) < 0 ||
	    json_get_string(o, "message", &msg, w->err) < 0 ||
	    json_get_string(o, "remediation", &hint, w->err) < 0)
		return -1;
	c = svm_code_parse(code);
	svm_err_set(w->err, c == SVM_OK ? SVM_INTERNAL : c, "%.2000s", msg);
	if (*hint)
		svm_err_hint(w->err, "%.1000s", hint);
	return -1;
}

static int take(struct worker *w, const char *type, const cJSON *o)
{
	const struct worker_report *r = w->kind->reports;

	if (strcmp(type, "error") == 0)
		return take_error(w, o);
	for (size_t i = 0; i < ARRAY_SIZE(w->kind->reports); i++)
		if (r[i].type && strcmp(type, r[i].type) == 0)
			return w->complete ? -1 :
					     r[i].take(w->data, o, w->err);
	return -1;
}

static int take_line(struct worker *w, const char *text, size_t n)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	const char *type = "";

	if (json_parse_object(&doc, text, n, w->err) < 0 ||
	    json_get_string(doc.root, "type", &type, w->err) < 0)
		return -1;
	int r = take(w, type, doc.root);
	if (r > 0)
		w->complete = true;
	return r < 0 ? -1 : 0;
}

static int take_lines(struct worker *w)
{
	for (char *end; w->lines.len &&
			(end = memchr(w->lines.data, '\n', w->lines.len));) {
		size_t n = (size_t)(end - w->lines.data);

		if (take_line(w, w->lines.data, n) < 0)
			return -1;
		buf_consume(&w->lines, n + 1);
	}
	return w->lines.len > LIMIT_IMAGE_JSON ? -1 : 0;
}

/* Make sure that w->err says why there is no result, when there is none. */
static void judge(struct worker *w)
{
	bool killed = WIFSIGNALED(w->status);

	if (w->err->code)
		return;
	if (w->daemon->stopping)
		image_stopping(w->err);
	else if (killed && WTERMSIG(w->status) == SIGXCPU)
		svm_err_set(w->err, SVM_TOO_LARGE,
			    "the %s worker took too much processor time",
			    w->kind->name);
	else if (!w->complete || w->status)
		svm_err_set(w->err, SVM_INTERNAL,
			    "the %s worker ended without a result (%s %d)",
			    w->kind->name, killed ? "signal" : "status",
			    killed ? WTERMSIG(w->status) :
				     WEXITSTATUS(w->status));
}

static void check_ended(struct worker *w)
{
	if (w->pid_watch || w->out_watch)
		return;
	judge(w);
	w->kind->ended(w->data);
}

static void on_pid(struct loop *l, void *data, unsigned events)
{
	struct worker *w = data;

	(void)l;
	(void)events;
	if (waitpid(w->pid, &w->status, WNOHANG) == 0)
		return;
	loop_fd_del(w->pid_watch);
	w->pid_watch = NULL;
	fd_close(steal_fd(&w->pidfd));
	if (w->kind->gone)
		w->kind->gone(w->data);
	check_ended(w);
}

static void on_out(struct loop *l, void *data, unsigned events)
{
	struct worker *w = data;
	char block[KIB(16)];
	ssize_t n = read(w->out, block, sizeof(block));

	(void)l;
	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 && w->daemon->stopping)
		worker_stop(w);
	/* After an error its words are only drained. */
	if (n > 0 && !w->err->code) {
		buf_add(&w->lines, block, (size_t)n);
		if (take_lines(w) < 0) {
			auto_free char *why =
				xasprintf("the %s worker sent a report that "
					  "makes no sense", w->kind->name);
			worker_fail(w, SVM_INTERNAL, why);
		}
	}
	if (n > 0)
		return;
	loop_fd_del(w->out_watch);
	w->out_watch = NULL;
	check_ended(w);
}

int worker_start(struct worker *w, char *const *argv, char *const *env,
		 int in)
{
	auto_close int out = -1;
	int pair[2];

	if (pipe2(pair, O_CLOEXEC) < 0)
		return svm_err_sys(w->err, SVM_INTERNAL, errno,
				   "can't start the %s worker",
				   w->kind->name);
	w->out = pair[0];
	out = pair[1];
	(void)fd_set_nonblock(w->out, true);
	const int fds[] = { in, -1, -1, [REPORT_FD] = out };
	w->pid = proc_spawn(argv, env, fds, ARRAY_SIZE(fds), 0, &w->pidfd);
	if (w->pid < 0)
		return svm_err_sys(w->err, SVM_INTERNAL, w->pid,
				   "can't start the %s worker",
				   w->kind->name);
	w->pid_watch = loop_fd_add(w->daemon->loop, w->pidfd, LOOP_READ,
				   on_pid, w);
	w->out_watch = loop_fd_add(w->daemon->loop, w->out, LOOP_READ, on_out,
				   w);
	return 0;
}
