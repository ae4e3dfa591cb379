/* SPDX-License-Identifier: MIT */
/* Readline, and reading without it.  See prompt.h. */
#include "cli/prompt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/libreadline.h"
#include "cli/term.h"
#include "lib/api/limits.h"
#include "lib/base/ending.h"
#include "lib/base/foreground.h"
#include "lib/base/mem.h"

#define CHUNK KIB(4)
#define NARROWEST 4 /* columns: readline divides by a third of them */

/* Readline calls back without saying for whom. */
static struct {
	struct prompt *prompt;
	const char *text;
	char *line; /* NULL at the end of input */
	bool done;
	const char *feed;     /* what a key or a paste is ended with */
	struct offers offers; /* of the last completion */
} editor;

/* ---- completion ---- */

static char **complete(const char *text, int start, int end)
{
	auto_buf struct buf line = BUF_INIT;
	struct offers *o = &editor.offers;

	(void)start, (void)end;
	*lrl.rl_attempted_completion_over = 1;
	offers_release(o);
	editor.prompt->complete(editor.prompt->data, text, o);
	if (!o->n)
		return NULL;
	*lrl.rl_completion_append_character =
		offers_complete(o, text, &line) ? ' ' : '\0';
	/* The line to write, and as many as there are to choose from. */
	size_t n = o->n > 1 ? o->n : 0;
	char **matches = xcalloc(n + 2, sizeof(char *));

	matches[0] = buf_steal(&line);
	for (size_t i = 0; i < n; i++)
		matches[i + 1] = xstrdup(o->v[i].word);
	return matches;
}

static void show_offers(char **matches, int n, int longest)
{
	auto_buf struct buf text = BUF_INIT;
	int rows, columns;

	(void)matches, (void)n, (void)longest;
	lrl.rl_get_screen_size(&rows, &columns);
	offers_show(&editor.offers, (size_t)MAX(columns, 1), &text);
	lrl.rl_crlf();
	fputs(buf_str(&text), *lrl.rl_outstream);
	lrl.rl_forced_update_display();
}

/* ---- readline ---- */

static void on_line(char *line)
{
	editor.line = line;
	editor.done = true;
	lrl.rl_callback_handler_remove();
}

/* The terminal as it is now.  What is drawn on a narrower one is wrong, which
 * is better than the end by a division by zero. */
static void take_size(void)
{
	int rows, columns;

	lrl.rl_reset_screen_size();
	lrl.rl_get_screen_size(&rows, &columns);
	if (columns < NARROWEST)
		lrl.rl_set_screen_size(rows, NARROWEST);
}

/* rl_resize_terminal() asks for the size by itself. */
static void resize(void)
{
	struct winsize ws = { 0 };

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col &&
	    ws.ws_col < NARROWEST)
		take_size();
	else
		lrl.rl_resize_terminal();
}

static void begin(void)
{
	editor.done = false;
	lrl.rl_callback_handler_install(editor.text, on_line);
}

/* Another had the terminal, and may have it still. */
static void come_back(const struct prompt *p)
{
	if (!foreground_wait(STDIN_FILENO))
		return;
	if (!p->edits) {
		fputs(editor.text, stderr);
		return;
	}
	lrl.rl_deprep_terminal(); /* kill -STOP says nothing before */
	lrl.rl_prep_terminal(1);
	lrl.rl_forced_update_display();
}

/* A signal in the midst of a key or of a paste, whose rest may never come:
 * whether to end it.  wait_input() does what there is to do. */
static bool take_pending(struct prompt *p)
{
	struct signalfd_siginfo info;

	while (read(p->signals, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo == SIGCONT)
			come_back(p);
		else if (info.ssi_signo != SIGWINCH &&
			 info.ssi_signo != SIGTSTP)
			p->pending = (int)info.ssi_signo;
	return p->pending;
}

static int get_char(FILE *stream)
{
	struct prompt *p = editor.prompt;
	unsigned char c;

	while (!editor.feed) {
		struct pollfd fds[] = { { STDIN_FILENO, POLLIN, 0 },
					{ p->signals, POLLIN, 0 } };

		(void)stream;
		(void)poll(fds, ARRAY_SIZE(fds), -1);
		ssize_t n = fds[0].revents ? term_read(&c, 1) : -1;

		if (fds[0].revents && n >= 0)
			return n ? c : EOF;
		if (fds[0].revents && errno != EINTR && errno != EAGAIN)
			return EOF;
		/* Readline 8.2 reads past a paste that ends in EOF. */
		if (fds[1].revents && take_pending(p))
			editor.feed = "\033[201~";
	}
	return *editor.feed ? *editor.feed++ : EOF;
}

int prompt_init(struct prompt *p, struct svm_err *err)
{
	if (!p->tty || !isatty(STDERR_FILENO))
		return 0;
	if (libreadline_load(err) < 0)
		return -1;
	p->edits = true;
	editor.prompt = p;
	*lrl.rl_readline_name = "stacyvm"; /* for $if in ~/.inputrc */
	*lrl.rl_instream = stdin; /* not known before its first line */
	*lrl.rl_outstream = stderr;
	*lrl.rl_getc_function = get_char;
	*lrl.rl_catch_signals = 0;
	*lrl.rl_catch_sigwinch = 0;
	*lrl.rl_change_environment = 0; /* LINES is no matter of commands */
	/* The whole line is the word: what a word is here, words.h knows. */
	*lrl.rl_completer_word_break_characters = "";
	*lrl.rl_completer_quote_characters = "";
	*lrl.rl_attempted_completion_function = complete;
	*lrl.rl_completion_display_matches_hook = show_offers;
	lrl.stifle_history(LIMIT_CONSOLE_HISTORY);
	return 0;
}

void prompt_release(struct prompt *p)
{
	buf_release(&p->typed);
	offers_release(&editor.offers);
}

/* As many blanks as there are columns end in the next line, unless they begin
 * at the first column: a terminal wraps when more is to come, not before. */
void prompt_fresh_line(const struct prompt *p)
{
	const char *term = getenv("TERM");
	int rows, columns;

	if (!p->edits || !term || !term[0] || strcmp(term, "dumb") == 0)
		return;
	take_size();
	lrl.rl_get_screen_size(&rows, &columns);
	fprintf(stderr, "%*s\r\033[K", MAX(columns, 1), "");
}

void prompt_remember(const struct prompt *p, const char *line)
{
	if (p->edits)
		lrl.add_history(line);
}

/* ---- signals ---- */

static void suspend(const struct prompt *p)
{
	if (p->edits)
		lrl.rl_deprep_terminal();
	foreground_stop();
	come_back(p);
}

static void begin_anew(struct prompt *p)
{
	if (!p->edits) { /* the terminal has dropped what was typed */
		buf_clear(&p->typed);
		fprintf(stderr, "\n%s", editor.text);
		return;
	}
	/* First: the end of a line takes the cursor to its beginning. */
	fputs("^C", stderr);
	lrl.rl_callback_sigcleanup();
	lrl.rl_free_line_state();
	lrl.rl_callback_handler_remove();
	fputc('\n', stderr);
	begin();
}

/* What is to be done about it is done; whether the program has to go. */
static bool on_signal(struct prompt *p, int signo)
{
	if (signo == SIGWINCH) {
		if (p->edits)
			resize();
		return false;
	}
	if (signo == SIGTSTP)
		suspend(p);
	else if (p->tty && signo == SIGCONT)
		come_back(p);
	else if (p->tty && signo == SIGINT)
		begin_anew(p);
	return signo == SIGTERM || signo == SIGHUP ||
	       (!p->tty && signo != SIGTSTP && signo != SIGCONT);
}

/* Wait for standard input; the signal that ends the waiting, or 0. */
static int wait_input(struct prompt *p)
{
	struct pollfd fds[] = { { STDIN_FILENO, POLLIN, 0 },
				{ p->signals, POLLIN, 0 } };
	struct signalfd_siginfo info;

	int pending = p->pending;

	p->pending = 0;
	editor.feed = NULL;
	if (pending && on_signal(p, pending))
		return pending;
	for (;;) {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			return 0;
		while (fds[1].revents &&
		       read(p->signals, &info, sizeof(info)) == sizeof(info))
			if (on_signal(p, (int)info.ssi_signo))
				return (int)info.ssi_signo;
		if (fds[0].revents)
			return 0;
	}
}

/* ---- reading ---- */

static enum prompt_result edit(struct prompt *p, struct buf *line,
			       int *ret_signo)
{
	take_size(); /* it may have changed since */
	editor.done = false;
	if (foreground_wait(STDIN_FILENO)) /* else a signal waits */
		begin();
	while (!editor.done) {
		*ret_signo = wait_input(p);
		if (*ret_signo) {
			ending_heard(*ret_signo);
			if (foreground_has(STDIN_FILENO))
				lrl.rl_callback_handler_remove();
			fputc('\n', stderr);
			return PROMPT_SIGNAL;
		}
		lrl.rl_callback_read_char();
	}
	if (!editor.line) {
		fputc('\n', stderr);
		return PROMPT_END;
	}
	buf_addstr(line, editor.line);
	free(editor.line);
	editor.line = NULL;
	return PROMPT_LINE;
}

/* The first line of what is there, or all of it at the end. */
static bool take_line(struct prompt *p, struct buf *line)
{
	char *end = p->typed.len ?
			    memchr(p->typed.data, '\n', p->typed.len) : NULL;

	if (!end && !(p->ended && p->typed.len))
		return false;
	size_t n = end ? (size_t)(end - p->typed.data) : p->typed.len;

	buf_add(line, p->typed.data, n);
	buf_consume(&p->typed, n + (end != NULL));
	return true;
}

static enum prompt_result check_line(const struct buf *line,
				     struct svm_err *err)
{
	if (line->len > LIMIT_CONSOLE_LINE)
		svm_err_set(err, SVM_BAD_REQUEST,
			    "the line is longer than %d KiB",
			    LIMIT_CONSOLE_LINE / 1024);
	else if (line->len && memchr(line->data, '\0', line->len))
		svm_err_set(err, SVM_BAD_REQUEST,
			    "the line has a NUL byte: this is no text");
	else
		return PROMPT_LINE;
	return PROMPT_ERROR;
}

static enum prompt_result read_plain(struct prompt *p, struct buf *line,
				     int *ret_signo, struct svm_err *err)
{
	char chunk[CHUNK];

	if (p->tty)
		fputs(editor.text, stderr);
	while (!take_line(p, line)) {
		if (p->ended) {
			if (p->tty)
				fputc('\n', stderr);
			return PROMPT_END;
		}
		if (p->typed.len > LIMIT_CONSOLE_LINE)
			return check_line(&p->typed, err);
		*ret_signo = wait_input(p);
		if (*ret_signo)
			return PROMPT_SIGNAL;
		ssize_t n = term_read(chunk, sizeof(chunk));

		if (n < 0 && errno != EINTR && errno != EAGAIN) {
			svm_err_sys(err, SVM_INTERNAL, errno,
				    "read standard input");
			return PROMPT_ERROR;
		}
		if (n > 0)
			buf_add(&p->typed, chunk, (size_t)n);
		p->ended = n == 0;
	}
	return check_line(line, err);
}

enum prompt_result prompt_read(struct prompt *p, const char *text,
			       struct buf *line, int *ret_signo,
			       struct svm_err *err)
{
	buf_clear(line);
	fflush(stdout);
	editor.text = text;
	if (!p->edits)
		return read_plain(p, line, ret_signo, err);
	enum prompt_result r = edit(p, line, ret_signo);

	return r == PROMPT_LINE ? check_line(line, err) : r;
}
