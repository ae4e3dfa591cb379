/* SPDX-License-Identifier: MIT */
/* The loop between our descriptors and a session.  See run.h. */
#include "cli/run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/replay.h"
#include "cli/term.h"
#include "lib/api/errmap.h"
#include "lib/api/limits.h"
#include "lib/base/base64.h"
#include "lib/base/ending.h"
#include "lib/base/escape.h"
#include "lib/base/fd.h"
#include "lib/base/foreground.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/utf8.h"

#define STDIN_CHUNK KIB(32)
/* A writable pipe takes this much without blocking (pipe(7)). */
#define PIPE_CHUNK 4096

struct sink {
	int fd;
	bool regular; /* never blocks for long */
	bool eyes;    /* a terminal, which isn't the command's */
	struct buf raw, queue; /* for eyes: what isn't a character yet */
};

#define CLOSE_GOING_AWAY 1001 /* RFC 6455, 7.4.1 */

struct runner {
	struct cli *cli;
	const struct run *run;
	struct client *client;
	struct ws *ws;
	int continued;         /* tells of SIGCONT; -1: we have no terminal */
	struct sink out[2];    /* stdout, stderr */
	char *session;         /* id, when there is one */
	struct replay replay;
	int64_t replay_left;   /* bytes of it that haven't come */
	bool exited, detached;
	bool input;            /* standard input is still read */
	int status;
	int interrupts;
	struct svm_err *err;   /* of the session; set at most once */
	bool failed;
};

static int add_text(struct json_writer *w, const char *key, const char *s,
		    const char *what, struct svm_err *err)
{
	if (!utf8_valid(s, strlen(s)))
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "%s '%s' is not valid UTF-8", what, s);
	json_str(w, key, s);
	return 0;
}

static int add_env(struct json_writer *w, char *const *env,
		   struct svm_err *err)
{
	json_open(w, "env", '{');
	for (; env && *env; env++) {
		const char *eq = strchr(*env, '=');
		auto_free char *key =
			xstrndup(*env, eq ? (size_t)(eq - *env) :
					    strlen(*env));
		const char *value = eq ? eq + 1 : getenv(key);

		if (!key[0] || !utf8_valid(key, strlen(key)))
			return svm_err_set(err, SVM_BAD_REQUEST,
					   "bad environment variable '%s': "
					   "not NAME=VALUE", *env);
		if (value && add_text(w, key, value, "the value", err) < 0)
			return -1;
	}
	json_close(w, '}');
	return 0;
}

int run_start_message(const struct run_command *c, struct buf *out,
		      struct svm_err *err)
{
	struct json_writer w = json_writer(out);
	uint16_t cols, rows;

	json_open(&w, NULL, '{');
	json_str(&w, "type", "start");
	json_str(&w, "mode", "argv");
	if (add_text(&w, "command", c->argv[0], "command", err) < 0)
		return -1;
	json_open(&w, "args", '[');
	for (char *const *a = c->argv + 1; *a; a++)
		if (add_text(&w, NULL, *a, "argument", err) < 0)
			return -1;
	json_close(&w, ']');
	if (add_env(&w, c->env, err) < 0)
		return -1;
	if (c->workdir &&
	    add_text(&w, "workdir", c->workdir, "directory", err) < 0)
		return -1;
	if (c->timeout)
		json_str(&w, "timeout", c->timeout);
	json_bool(&w, "tty", c->tty);
	json_bool(&w, "binary", true);
	json_bool(&w, "tagged", !c->tty);
	if (c->tty) {
		term_size(&cols, &rows);
		json_int(&w, "cols", cols);
		json_int(&w, "rows", rows);
	}
	json_close(&w, '}');
	return 0;
}

/* As text: our terminal obeys nothing that comes out of a sandbox.  But for
 * the carriage return, with which progress is shown. */
static void show(struct sink *s, bool last)
{
	auto_escape bool before = cli_escape_for(s->fd);
	const char *p = buf_str(&s->raw);
	size_t n = s->raw.len - (last ? 0 : utf8_tail(p, s->raw.len)), at = 0;

	while (at < n) {
		const char *cr = memchr(p + at, '\r', n - at);
		size_t k = cr ? (size_t)(cr - p) - at : n - at;

		escape_text(&s->queue, p + at, k);
		if (cr)
			buf_addch(&s->queue, '\r');
		at += k + (cr != NULL);
	}
	buf_consume(&s->raw, n);
}

/* Nothing in it is answered by our terminal.  How much of n it was. */
static size_t queue_replay(struct runner *r, const char *p, size_t n)
{
	size_t old = MIN(n, (size_t)r->replay_left);

	replay_add(&r->replay, p, old, &r->out[0].queue);
	r->replay_left -= (int64_t)old;
	if (old && !r->replay_left)
		replay_end(&r->replay, &r->out[0].queue);
	return old;
}

static void queue_output(struct runner *r, bool is_stderr, const char *p,
			 size_t n)
{
	struct sink *s = &r->out[is_stderr];

	if (r->run->flags & RUN_TTY) {
		size_t old = queue_replay(r, p, n);

		term_watch(p, n);
		p += old;
		n -= old;
	}
	buf_add(s->eyes ? &s->raw : &s->queue, p, n);
	if (s->eyes)
		show(s, false);
}

static void on_exit_message(struct runner *r, const cJSON *m)
{
	auto_err struct svm_err bad = SVM_ERR_INIT;
	int64_t code = 0;
	bool timeout = false;

	(void)json_get_int(m, "exit_code", 0, 255, &code, &bad);
	(void)json_get_bool(m, "timeout", &timeout, &bad);
	for (int i = 0; i < 2; i++)
		show(&r->out[i], true);
	r->exited = true;
	r->status = timeout ? EXIT_STATUS_TIMEOUT : (int)code;
}

static void on_error_message(struct runner *r, const cJSON *m)
{
	auto_err struct svm_err bad = SVM_ERR_INIT;
	const char *code = "", *message = "the command could not be run";
	const char *hint = NULL;

	if (r->failed || r->exited)
		return;
	(void)json_get_string(m, "code", &code, &bad);
	(void)json_get_string(m, "message", &message, &bad);
	(void)json_get_string(m, "remediation", &hint, &bad);
	enum svm_code known = svm_code_parse(code);

	svm_err_set(r->err, known == SVM_OK ? SVM_PROVIDER : known, "%s",
		    message);
	if (hint)
		svm_err_hint(r->err, "%s", hint);
	r->failed = true;
}

static void on_started_message(struct runner *r, const cJSON *m)
{
	auto_err struct svm_err bad = SVM_ERR_INIT;
	const char *sid = NULL;
	int64_t offset = 0, end = 0;

	(void)json_get_string(m, "session_id", &sid, &bad);
	(void)json_get_int(m, "offset", 0, INT64_MAX, &offset, &bad);
	(void)json_get_int(m, "end", 0, INT64_MAX, &end, &bad);
	if (sid && !r->session)
		r->session = xstrdup(sid);
	r->replay_left = end > offset ? end - offset : 0;
}

static void on_text(struct runner *r, const char *p, size_t n)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_err struct svm_err bad = SVM_ERR_INIT;
	const char *type = "", *data = "", *encoding = "";
	auto_buf struct buf raw = BUF_INIT;

	if (json_parse_object(&doc, p, n, &bad) < 0)
		return;
	(void)json_get_string(doc.root, "type", &type, &bad);
	if (strcmp(type, "stdout") == 0 || strcmp(type, "stderr") == 0) {
		(void)json_get_string(doc.root, "data", &data, &bad);
		(void)json_get_string(doc.root, "encoding", &encoding, &bad);
		if (strcmp(encoding, "base64") == 0 &&
		    base64_decode(&raw, data, strlen(data)) == 0)
			queue_output(r, type[3] == 'e', buf_str(&raw), raw.len);
		else
			queue_output(r, type[3] == 'e', data, strlen(data));
	} else if (strcmp(type, "exit") == 0) {
		on_exit_message(r, doc.root);
	} else if (strcmp(type, "error") == 0) {
		on_error_message(r, doc.root);
	} else if (strcmp(type, "started") == 0) {
		on_started_message(r, doc.root);
	}
}

/* Binary output: a terminal's bytes as they are; else tagged: the first byte
 * of each message tells the stream, 1 or 2. */
static void on_message(void *data, enum ws_kind kind, const void *p, size_t n)
{
	struct runner *r = data;
	const char *bytes = p;

	if (kind == WS_TEXT)
		on_text(r, bytes, n);
	else if (!(r->run->flags & RUN_TAGGED))
		queue_output(r, false, bytes, n);
	else if (n)
		queue_output(r, bytes[0] == 2, bytes + 1, n - 1);
}

static int drain(struct runner *r, struct sink *s)
{
	size_t n = s->queue.len;

	if (!s->regular)
		n = MIN(n, PIPE_CHUNK);
	ssize_t k = write(s->fd, s->queue.data, n);

	if (k >= 0) {
		buf_consume(&s->queue, (size_t)k);
		return 0;
	}
	if (errno == EINTR || errno == EAGAIN)
		return 0;
	if (errno == EPIPE) {
		r->exited = true;
		r->status = 128 + SIGPIPE;
		buf_clear(&s->queue);
		return 0;
	}
	if (r->failed)
		return -1;
	r->failed = true;
	return svm_err_sys(r->err, SVM_INTERNAL, errno, "write to standard %s",
			   s->fd == STDOUT_FILENO ? "output" : "error");
}

static void send_signal(struct runner *r, const char *name)
{
	auto_free char *m = xasprintf("{\"type\":\"signal\",\"signal\":\"%s\"}",
				      name);

	ws_send(r->ws, WS_TEXT, m, strlen(m));
}

static void send_size(struct runner *r)
{
	uint16_t cols, rows;

	term_size(&cols, &rows);
	auto_free char *m = xasprintf("{\"type\":\"resize\",\"cols\":%u,"
				      "\"rows\":%u}", cols, rows);

	ws_send(r->ws, WS_TEXT, m, strlen(m));
}

static void leave(struct runner *r, int status)
{
	r->detached = true;
	r->status = status;
}

/* The first signal is the command's; the second is ours. */
static void on_signal(struct runner *r, int signo)
{
	static const char *const names[] = {
		[SIGINT] = "INT", [SIGTERM] = "TERM", [SIGHUP] = "HUP",
		[SIGQUIT] = "QUIT", /* and nothing else is caught */
	};
	bool tty = r->run->flags & RUN_TTY;

	if (signo == SIGWINCH) {
		if (tty && !(r->run->flags & RUN_READ_ONLY))
			send_size(r);
		return;
	}
	if (tty || r->run->flags & RUN_READ_ONLY || r->interrupts++ > 0) {
		if (r->interrupts > 1)
			cli_notice(r->cli, "stacyvm: left without waiting for "
					   "the command; it is killed");
		ending_heard(signo);
		leave(r, 128 + signo);
		return;
	}
	send_signal(r, names[signo]);
	if (signo == SIGINT)
		cli_notice(r->cli, "stacyvm: interrupted the command; Ctrl-C "
				   "again to leave");
}

static void read_signals(struct runner *r)
{
	struct signalfd_siginfo info;

	while (read(r->run->signal_fd, &info, sizeof(info)) == sizeof(info))
		on_signal(r, (int)info.ssi_signo);
}

/* Whether the terminal is still ours to read and to write. */
static bool in_front(struct runner *r, bool continued)
{
	struct signalfd_siginfo info;

	if (r->continued < 0 || r->detached ||
	    (!continued && foreground_has(STDIN_FILENO)))
		return true;
	while (read(r->continued, &info, sizeof(info)) == sizeof(info))
		;
	if (!term_again())
		return false;
	if (!(r->run->flags & RUN_READ_ONLY))
		send_size(r);
	return true;
}

static void end_input(struct runner *r)
{
	static const char eof[] = "{\"type\":\"eof\"}";

	r->input = false;
	if (!(r->run->flags & RUN_TTY))
		ws_send(r->ws, WS_TEXT, eof, sizeof(eof) - 1);
}

static void read_input(struct runner *r)
{
	char p[STDIN_CHUNK];
	ssize_t n = term_read(p, sizeof(p));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		end_input(r);
		return;
	}
	char *key = r->run->flags & RUN_TTY && r->run->detach_key ?
			    memchr(p, r->run->detach_key, (size_t)n) : NULL;

	if (key)
		n = key - p;
	if (n && !(r->run->flags & RUN_READ_ONLY))
		ws_send(r->ws, WS_BINARY, p, (size_t)n);
	if (key)
		leave(r, 0);
}

static size_t queued(const struct runner *r)
{
	return r->out[0].queue.len + r->out[1].queue.len;
}

static int wait_events(struct runner *r, struct pollfd p[6])
{
	p[0] = (struct pollfd){ ws_fd(r->ws), ws_events(r->ws), 0 };
	p[1] = (struct pollfd){ r->run->signal_fd, POLLIN, 0 };
	p[2] = (struct pollfd){
		r->input && ws_queued(r->ws) < LIMIT_QUEUE_HIGH ?
			STDIN_FILENO : -1, POLLIN, 0 };
	for (int i = 0; i < 2; i++)
		p[3 + i] = (struct pollfd){
			r->out[i].queue.len ? r->out[i].fd : -1, POLLOUT, 0 };
	p[5] = (struct pollfd){ r->continued, POLLIN, 0 };
	if (r->exited) /* what it still says has no reader */
		p[0].fd = p[2].fd = -1;
	if (poll(p, 6, client_left_ms(r->client)) < 0 && errno != EINTR)
		return svm_err_sys(r->err, SVM_INTERNAL, errno, "poll");
	return 0;
}

/* --timeout is over: a command without a terminal ends with its caller. */
static int late(struct runner *r)
{
	r->detached = true;
	return svm_err_set(r->err, SVM_TIMEOUT,
			   "it took longer than --timeout %s",
			   r->cli->timeout);
}

/* It was closed without a word of how the command ended. */
static int no_status(struct runner *r)
{
	unsigned code = ws_close_code(r->ws);

	if (code == WS_CLOSE_TAKEN)
		svm_err_set(r->err, SVM_CONFLICT,
			    "another viewer took the session over; it goes on");
	else if (code == CLOSE_GOING_AWAY)
		svm_err_set(r->err, SVM_UNREACHABLE,
			    "the daemon was stopped; the command goes on");
	else
		return svm_err_set(r->err, SVM_PROVIDER,
				   "the session ended without a status");
	if (code == CLOSE_GOING_AWAY && r->run->flags & RUN_TTY)
		return -1; /* tell_how_to_return() */
	return svm_err_hint(r->err, "see what it writes:  stacyvm attach "
			    "%s%s%s", r->run->id, r->session ? "/" : "",
			    r->session ? r->session : "");
}

/* One turn: 0 go on, 1 it is over, -1 with err. */
static int turn(struct runner *r)
{
	struct pollfd p[6];
	int end = 0;

	if (wait_events(r, p) < 0)
		return -1;
	if (!r->exited && client_left_ms(r->client) == 0)
		return late(r);
	if (p[1].revents)
		read_signals(r);
	if (!in_front(r, p[5].revents))
		return 0;
	if (p[2].revents && !r->detached)
		read_input(r);
	for (int i = 0; i < 2; i++)
		if (p[3 + i].revents && drain(r, &r->out[i]) < 0)
			return -1;
	if (!r->exited) {
		bool full = queued(r) > LIMIT_QUEUE_HIGH;
		auto_err struct svm_err lost = SVM_ERR_INIT;

		ws_pause(r->ws, full);
		end = ws_turn(r->ws, &lost);
		if (r->failed)
			return -1;
		if (end < 0 && !r->exited && !r->detached)
			return svm_err_move(r->err, &lost);
	}
	if (r->detached)
		return 1;
	if (end > 0 && !r->exited)
		return no_status(r);
	return r->exited && queued(r) == 0;
}

static int loop(struct runner *r)
{
	int end = 0;

	if (r->run->start)
		ws_send(r->ws, WS_TEXT, r->run->start, strlen(r->run->start));
	else if (r->run->flags & RUN_TTY && !(r->run->flags & RUN_READ_ONLY))
		send_size(r); /* it has that of who was there last */
	r->input = r->run->flags & RUN_STDIN;
	if (!r->input && !(r->run->flags & RUN_TTY) && r->run->start)
		end_input(r);
	/* Messages may have come with the handshake. */
	end = ws_turn(r->ws, r->err);
	if (end < 0)
		return -1;
	do {
		end = r->failed ? -1 : r->exited && !queued(r) ? 1 : turn(r);
	} while (end == 0);
	return end < 0 ? -1 : r->status;
}

static void tell_how_to_return(const struct runner *r)
{
	const char *sid = r->session ? r->session : "SESSION";

	if (!(r->run->flags & RUN_TTY))
		return;
	cli_notice(r->cli, "detached; it goes on.  Come back with:  stacyvm "
			   "attach %s/%s", r->run->id, sid);
}

static int watch_continued(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCONT);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int run_session(struct cli *cli, const struct run *run, struct svm_err *err)
{
	struct runner r = { .cli = cli, .run = run, .err = err };
	struct client *c = cli_client(cli, err);
	struct stat st;
	int status = -1;

	if (!c)
		return -1;
	for (int i = 0; i < 2; i++) {
		r.out[i].fd = i ? STDERR_FILENO : STDOUT_FILENO;
		r.out[i].regular = fstat(r.out[i].fd, &st) == 0 &&
				   S_ISREG(st.st_mode);
		r.out[i].eyes = !(run->flags & RUN_TTY) &&
				isatty(r.out[i].fd);
	}
	fflush(stdout);
	auto_close int continued = run->flags & RUN_TTY ? watch_continued() :
							  -1;
	r.continued = continued;
	r.client = c;
	r.ws = ws_open(c, run->target, on_message, &r, err);
	if (r.ws && (!(run->flags & RUN_TTY) || term_raw(err) == 0))
		status = loop(&r);
	term_restore();
	if (r.detached || (status < 0 && err->code == SVM_UNREACHABLE))
		tell_how_to_return(&r);
	ws_free(r.ws);
	for (int i = 0; i < 2; i++) {
		buf_release(&r.out[i].raw);
		buf_release(&r.out[i].queue);
	}
	free(r.session);
	return status;
}
