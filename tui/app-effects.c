/* SPDX-License-Identifier: MIT */
/* What updates ask of the program: suspend, an editor, the clipboard. */
#include <errno.h>
#include <poll.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/api/dirs.h"
#include "lib/base/ending.h"
#include "lib/base/fd.h"
#include "lib/base/foreground.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "lib/base/proc.h"
#include "tui/app.h"
#include "tui/command-exec.h"
#include "tui/views.h"

extern char **environ;

#define TMUX_MS 1000

static bool has_terminal(const struct app *a)
{
	return a->term && !a->away;
}

static void suspend(struct app *a)
{
	if (!has_terminal(a))
		return;
	term_curses_suspend(a->term);
	foreground_stop();
	app_resume(a);
}

/* After another program. */
static void come_back(struct app *a)
{
	if (app_resume(a))
		term_curses_repaint(a->term);
}

static int wait_for(pid_t pid)
{
	int status, r;

	ending_hold(true);
	while ((r = waitpid(pid, &status, 0)) < 0 && errno == EINTR)
		;
	ending_hold(false);
	if (r < 0)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) :
				   128 + WTERMSIG(status);
}

/* Ctrl-Z stops what runs in front of us, and us with it: the shell waits for
 * both before it has its prompt. */
static void let_stop(bool on)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	(void)pthread_sigmask(on ? SIG_UNBLOCK : SIG_BLOCK, &set, NULL);
}

/* ^C went to what ran in front of us; it was not for us too. */
static void forget_interrupts(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	while (sigtimedwait(&set, NULL, &(struct timespec){ 0 }) > 0)
		;
}

/* Or a signal, which the loop will read. */
static void wait_for_enter(void)
{
	char line[256];
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	auto_close int signals = signalfd(-1, &set, SFD_CLOEXEC);
	struct pollfd p[] = { { .fd = STDIN_FILENO, .events = POLLIN },
			      { .fd = signals, .events = POLLIN } };

	while (poll(p, 2, -1) < 0 && errno == EINTR)
		;
	if (!p[1].revents && !fgets(line, sizeof(line), stdin))
		clearerr(stdin);
}

/* What it said would be gone with the dashboard back. */
static void show_failure(const char *name, int status, const char *why)
{
	if (why)
		fprintf(stderr, "\nstacyvm: %s\n", why);
	else
		fprintf(stderr, "\n%s: exit status %d\n", name, status);
	fprintf(stderr, "Enter goes back ");
	wait_for_enter();
}

static void run_one(char *const *argv)
{
	static const int fds[] = { 0, 1, 2 };
	auto_err struct svm_err err = SVM_ERR_INIT;
	pid_t pid = command_spawn(argv, fds, 0, NULL, &err);
	int status = pid < 0 ? -1 : wait_for(pid);

	if (status)
		show_failure(argv[0], status, err.msg);
}

static void run_command(struct app *a)
{
	char **argv = steal_ptr(&a->m->command);
	char ***more = steal_ptr(&a->m->commands_more);

	if (argv && has_terminal(a)) {
		term_curses_suspend(a->term);
		let_stop(true);
		run_one(argv);
		for (char ***next = more; next && *next && !ending_pending();
		     next++)
			run_one(*next);
		let_stop(false);
		forget_interrupts();
		come_back(a);
	}
	strv_free(argv);
	for (char ***next = more; next && *next; next++)
		strv_free(*next);
	free(more);
}

static const char *editor_name(void)
{
	const char *const names[] = { "VISUAL", "EDITOR" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = getenv(names[i]);

		if (value && value[strspn(value, " \t")])
			return value;
	}
	return "vi";
}

/* It may have arguments; the path may hold anything.  The caller's. */
static char **editor_argv(const char *path)
{
	auto_free char *words = xstrdup(editor_name());
	char **argv = xcalloc(strlen(words) + 3, sizeof(*argv)), *rest = NULL;
	size_t n = 0;

	for (char *w = strtok_r(words, " \t", &rest); w;
	     w = strtok_r(NULL, " \t", &rest))
		argv[n++] = xstrdup(w);
	argv[n] = xstrdup(path);
	return argv;
}

/* In the place of the dashboard. */
static int run_in_front(struct app *a, char *const *argv, struct svm_err *err)
{
	static const int fds[] = { 0, 1, 2 };

	term_curses_suspend(a->term);
	let_stop(true);
	pid_t pid = command_spawn(argv, fds, 0, NULL, err);
	int status = pid < 0 ? -1 : wait_for(pid);

	let_stop(false);
	forget_interrupts();
	come_back(a);
	return status;
}

/* What can't be run is found out before the terminal is given to it: keys
 * that are typed meanwhile go on being the dashboard's. */
static int run_editor(struct app *a, const char *path, struct svm_err *err)
{
	char **argv = editor_argv(path);
	int status = command_check(argv[0], err);

	if (status == 0 && has_terminal(a))
		status = run_in_front(a, argv, err);
	if (status && err->code != SVM_OK)
		(void)svm_err_prefix(err, "can't start the editor");
	else if (status)
		svm_err_set(err, SVM_CANCELLED,
			    "the editor '%s' ended with status %d", argv[0],
			    status);
	if (status)
		(void)svm_err_hint(err, "choose another with VISUAL or EDITOR");
	strv_free(argv);
	return status ? -1 : 0;
}

static void edit(struct app *a)
{
	auto_free char *path = steal_ptr(&a->m->editor.path);
	auto_err struct svm_err err = SVM_ERR_INIT;
	bool ok = path && run_editor(a, path, &err) == 0;

	svm_err_release(&a->m->editor.err);
	if (err.code != SVM_OK)
		(void)svm_err_move(&a->m->editor.err, &err);
	if (a->m->editor.done)
		a->m->editor.done(a->m, a->m->editor.data, ok);
	update_settle(a->m);
	a->m->effects |= EFFECT_REDRAW;
}

static void give_tmux(struct model *m, const char *path)
{
	static const int fds[] = { -1, -1, -1 };
	const char *const argv[] = { "/usr/bin/tmux", "load-buffer", "-w",
				     path, NULL };
	auto_close int pidfd = -1;
	pid_t pid = proc_spawn((char *const *)argv, environ, fds, 3, 0, &pidfd);
	/* A server that hangs would hang us. */
	bool hangs = pid > 0 && proc_pidfd_wait(pidfd, TMUX_MS) < 0;

	if (hangs)
		(void)proc_pidfd_kill(pidfd, SIGKILL);
	if (pid < 0 || wait_for(pid) != 0)
		model_say(m, "tmux %s: what was copied is in %s",
			  hangs ? "doesn't answer" : "didn't take it", path);
}

static int write_clipboard(const char *path, const struct dirs *dirs,
			   const struct buf *text, struct svm_err *err)
{
	int r;

	if (dirs_make_runtime(dirs, err) < 0)
		return -1;
	r = fd_replace_path(AT_FDCWD, path, buf_str(text), text->len, 0600);
	return r < 0 ? svm_err_sys(err, SVM_INTERNAL, r, "cannot write '%s'",
				   path) : 0;
}

/* To the terminal, if it takes it; to a file, and from there to tmux, inside
 * it. */
static void copy(struct app *a)
{
	const struct buf *text = &a->m->clipboard;
	bool fits = text->len <= LIMIT_TUI_CLIPBOARD;
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct dirs dirs;

	dirs_init(&dirs);
	auto_free char *path = path_join(dirs.runtime, "clipboard");

	if (has_terminal(a))
		term_curses_copy(a->term, buf_str(text), text->len);
	if (write_clipboard(path, &dirs, text, &err) < 0)
		model_complain(a->m, &err, a->term && fits ?
				"copied to the terminal alone, if it takes it" :
				"not copied");
	else if (getenv("TMUX"))
		give_tmux(a->m, path);
	else if (!fits)
		model_say(a->m, "%zu bytes, too many for the terminal: they "
				"are in %s", text->len, path);
	dirs_release(&dirs);
}

static void save_view(struct model *m, bool say)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	if (views_write(m, &err) < 0)
		model_complain(m, &err, "keep the view");
	else if (say)
		model_say(m, "orders, groups, folds, filters and columns are kept");
}

/* Said once: nothing more is written then. */
static void save_past(struct model *m)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	if (pasts_write(m, &err) < 0)
		model_complain(m, &err, "keep what was typed");
}

static void sample_host(struct model *m)
{
	struct dirs dirs;

	dirs_init(&dirs);
	host_read(&m->host, dirs.state, m->boot_ns);
	dirs_release(&dirs);
}

static void restyle(struct app *a)
{
	struct tui_settings *set = &a->m->set;
	int colours;

	term_curses_style(a->term, &set->theme, set->colour, set->ascii);
	set->ascii |= !term_curses_utf8(a->term);
	colours = term_curses_colours(a->term);
	if (set->colour == COLOUR_MODE_DIRECT && colours &&
	    colours < COLOURS_DIRECT)
		model_say(a->m, "terminfo knows no direct colour here (package "
				"ncurses-term): %d colours", colours);
}

static void do_effects(struct app *a, unsigned effects)
{
	/* A daemon elsewhere has another machine. */
	if (effects & EFFECT_HOST && !a->o->server)
		sample_host(a->m);
	if (effects & EFFECT_CANCEL)
		fetch_cancel(a->fetch);
	if (effects & EFFECT_COPY)
		copy(a);
	if (effects & EFFECT_EDITOR)
		edit(a);
	if (effects & (EFFECT_SAVE_VIEW | EFFECT_SAVE_SIZES))
		save_view(a->m, effects & EFFECT_SAVE_VIEW);
	if (effects & EFFECT_SAVE_PAST)
		save_past(a->m);
	if (effects & EFFECT_COMMAND)
		run_command(a);
	if (effects & EFFECT_SUSPEND)
		suspend(a);
	if (!has_terminal(a))
		return;
	if (effects & EFFECT_STYLE)
		restyle(a);
	if (effects & (EFFECT_MOUSE | EFFECT_STYLE))
		term_curses_mouse(a->term, a->m->mouse);
	if (effects & EFFECT_BELL)
		term_curses_bell(a->term);
	if (effects & EFFECT_REPAINT)
		term_curses_repaint(a->term);
}

void app_carry_out(struct app *a)
{
	unsigned effects;

	do {
		fetch_sync(a->fetch);
		links_sync(a->links);
		effects = a->m->effects &
			  ~(unsigned)(EFFECT_REDRAW | EFFECT_QUIT);
		a->m->effects &= ~effects;
		do_effects(a, effects);
	} while (effects && !a->away);
}
