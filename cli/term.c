/* SPDX-License-Identifier: MIT */
/* Raw mode and back.  See term.h. */
#include "cli/term.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct {
	struct termios saved;
	volatile sig_atomic_t raw;
	bool changed;   /* modes below may be on */
	bool alternate; /* the other screen is shown */
} term;

void term_restore(void)
{
	/* Mouse, focus and paste reports off, cursor shown, plain text. */
	static const char reset[] =
		"\033[?1000l\033[?1002l\033[?1003l\033[?1006l\033[?1004l"
		"\033[?2004l\033[?1l\033>\033[?25h\033[0m";
	static const char leave[] = "\033[?1049l";

	if (!term.raw)
		return;
	term.raw = 0;
	/* Only when the other side is known to have used such modes, so that
	 * plain commands add no byte to what they print. */
	if (term.alternate)
		(void)!write(STDOUT_FILENO, leave, sizeof(leave) - 1);
	if (term.changed)
		(void)!write(STDOUT_FILENO, reset, sizeof(reset) - 1);
	(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &term.saved);
}

static void on_crash(int signo)
{
	term_restore();
	signal(signo, SIG_DFL);
	raise(signo);
}

int term_raw(struct svm_err *err)
{
	static const int crashes[] = { SIGABRT, SIGSEGV, SIGBUS, SIGFPE,
				       SIGILL };
	static bool registered;
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &term.saved) < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno,
				   "read the terminal's settings");
	raw = term.saved;
	cfmakeraw(&raw);
	if (!registered) {
		atexit(term_restore);
		for (size_t i = 0; i < ARRAY_SIZE(crashes); i++)
			signal(crashes[i], on_crash);
		registered = true;
	}
	term.raw = 1;
	if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno,
				   "put the terminal in raw mode");
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
