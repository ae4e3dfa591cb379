/* SPDX-License-Identifier: MIT */
/* Raw mode and back.  See term.h. */
#include "cli/term.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "lib/base/foreground.h"

static struct {
	struct termios saved, mode; /* before, and by us */
	volatile sig_atomic_t raw;
	bool changed;   /* modes below may be on */
	bool alternate; /* the other screen is shown */
	bool hidden;    /* the cursor may be */
} term;

void term_restore(void)
{
	/* Mouse, focus and paste reports off, cursor shown, plain text. */
	static const char reset[] =
		"\033[?1000l\033[?1002l\033[?1003l\033[?1006l\033[?1004l"
		"\033[?2004l\033[?1l\033>\033[?25h\033[0m";
	static const char leave[] = "\033[?1049l";
	static const char show[] = "\033[?25h";

	if (!term.raw)
		return;
	term.raw = 0;
	/* Only when the other side is known to have used such modes, so that
	 * plain commands add no byte to what they print. */
	if (term.alternate)
		(void)!write(STDOUT_FILENO, leave, sizeof(leave) - 1);
	if (term.changed)
		(void)!write(STDOUT_FILENO, reset, sizeof(reset) - 1);
	else if (term.hidden)
		(void)!write(STDOUT_FILENO, show, sizeof(show) - 1);
	/* From the background it would stop us, and be no business of ours. */
	if (foreground_has(STDIN_FILENO))
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &term.saved);
}

static void on_crash(int signo)
{
	term_restore();
	signal(signo, SIG_DFL);
	raise(signo);
}

static int apply(struct termios *mode, struct svm_err *err)
{
	static const int crashes[] = { SIGABRT, SIGSEGV, SIGBUS, SIGFPE,
				       SIGILL };
	static bool registered;

	if (!registered) {
		atexit(term_restore);
		for (size_t i = 0; i < ARRAY_SIZE(crashes); i++)
			signal(crashes[i], on_crash);
		registered = true;
	}
	/* To end, which our caller reads. */
	if (!foreground_has(STDIN_FILENO))
		return 0;
	term.mode = *mode;
	term.raw = 1;
	if (tcsetattr(STDIN_FILENO, TCSADRAIN, mode) < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno,
				   "put the terminal in raw mode");
	return 0;
}

static int save(struct termios *ret_mode, struct svm_err *err)
{
	(void)foreground_wait(STDIN_FILENO); /* those of now are another's */
	if (tcgetattr(STDIN_FILENO, &term.saved) < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno,
				   "read the terminal's settings");
	*ret_mode = term.saved;
	return 0;
}

int term_raw(struct svm_err *err)
{
	struct termios mode;

	if (save(&mode, err) < 0)
		return -1;
	cfmakeraw(&mode);
	return apply(&mode, err);
}

int term_guard(struct svm_err *err)
{
	struct termios mode;

	return save(&mode, err) < 0 ? -1 : apply(&mode, err);
}

int term_keys_on(struct svm_err *err)
{
	struct termios mode;

	if (save(&mode, err) < 0)
		return -1;
	mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	mode.c_cc[VMIN] = 1;
	mode.c_cc[VTIME] = 0;
	term.hidden = true;
	return apply(&mode, err);
}

bool term_again(void)
{
	if (!foreground_wait(STDIN_FILENO))
		return false;
	if (term.raw)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &term.mode);
	return true;
}

/* Another open file of the same terminal: that flag of the one we were given
 * is its other users' too.  One that isn't ours to open may make us wait. */
static int reopen(void)
{
	int fd = isatty(STDIN_FILENO) ?
			 open("/proc/self/fd/0", O_RDONLY | O_NONBLOCK |
						 O_NOCTTY | O_CLOEXEC) : -1;

	return fd < 0 ? STDIN_FILENO : fd;
}

ssize_t term_read(void *p, size_t n)
{
	static int fd;
	static pid_t opened_by; /* children of the console close all they get */

	if (opened_by != getpid()) {
		fd = reopen();
		opened_by = getpid();
	}
	return read(fd, p, n);
}

unsigned char term_keys_plain(struct term_keys *k, unsigned char c)
{
	switch (k->at) {
	case TERM_KEYS_GROUND:
		if (c == 0x1b)
			k->at = TERM_KEYS_ESCAPE;
		return c == 0x1b ? 0 : c;
	case TERM_KEYS_ESCAPE:
		k->at = c == '[' ? TERM_KEYS_CSI :
			c == 'O' ? TERM_KEYS_ONE :
			strchr("P]X^_", c) && c ? TERM_KEYS_STRING :
			c == 0x1b ? TERM_KEYS_ESCAPE : TERM_KEYS_GROUND;
		return 0;
	case TERM_KEYS_CSI:
		if (c >= 0x40 && c <= 0x7e)
			k->at = TERM_KEYS_GROUND;
		return 0;
	case TERM_KEYS_STRING:
		if (c == 0x07)
			k->at = TERM_KEYS_GROUND;
		else if (c == 0x1b)
			k->at = TERM_KEYS_STRING_ESCAPE;
		return 0;
	case TERM_KEYS_STRING_ESCAPE:
		k->at = c == '\\' ? TERM_KEYS_GROUND : TERM_KEYS_STRING;
		return 0;
	case TERM_KEYS_ONE:
		break;
	}
	k->at = TERM_KEYS_GROUND;
	return 0;
}

void term_watch(const char *p, size_t n)
{
	const char *end = p + n;

	while ((p = memchr(p, '\033', (size_t)(end - p)))) {
		size_t left = (size_t)(end - p);

		if (left >= 4 && memcmp(p, "\033[?", 3) == 0) {
			term.changed = true;
			if (left >= 8 && memcmp(p + 3, "1049", 4) == 0)
				term.alternate = p[7] == 'h';
		}
		p++;
	}
}

void term_size(uint16_t *ret_cols, uint16_t *ret_rows)
{
	struct winsize ws = { 0 };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) < 0 || !ws.ws_col)
		(void)ioctl(STDIN_FILENO, TIOCGWINSZ, &ws);
	*ret_cols = ws.ws_col ? ws.ws_col : 80;
	*ret_rows = ws.ws_row ? ws.ws_row : 24;
}

int term_parse_key(const char *text)
{
	if (strcmp(text, "none") == 0)
		return 0;
	if (strncasecmp(text, "ctrl-", 5) == 0)
		text += 5;
	else if (text[0] == '^' && text[1])
		text += 1;
	else
		return text[0] && !text[1] ? (unsigned char)text[0] : -1;
	int c = toupper((unsigned char)text[0]);

	return c >= '@' && c <= '_' && !text[1] ? c & 0x1f : -1;
}
