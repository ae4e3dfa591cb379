/* SPDX-License-Identifier: MIT */
/*
 * Drive a full-screen program and look at its screen.
 *
 *	driver [-s ROWSxCOLS] [-t SECONDS] SCRIPT -- PROGRAM [ARG...]
 *
 * The program runs on a pty that libvterm reads.  SCRIPT ("-": standard
 * input) has one step a line; '#' begins a comment.  Every step that looks
 * waits until it is so, at most SECONDS (10); none sleeps.
 *
 *	send KEYS         \e ESC, \r \n \t \\, \xHH, ^X
 *	wait TEXT         TEXT is on the screen
 *	gone TEXT         it is not
 *	row N TEXT        row N (from 0) contains TEXT
 *	cursor ROW COL    the cursor is there
 *	attr ROW COL ATTR bold, reverse, underline or plain
 *	prop NAME 0|1     alt, mouse or cursor (visible)
 *	size ROWS COLS    the terminal gets another size
 *	snap              print the screen
 *	say TEXT          print TEXT, at once: all before it came true
 *	lap TEXT          the same, and how many ns it is since the last lap
 *	exit STATUS       the program ends (128+n: by signal n)
 *
 * Exits 0 when all of it came true, 1 with the step and the screen on
 * standard error when not.  A program still running then is killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vterm.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/defs.h"
#include "lib/base/utf8.h"

struct driver {
	int rows, cols, fd;
	pid_t pid;
	int64_t patience; /* ns */
	int64_t lap;      /* when the last one was */
	bool ended;       /* nothing more to read */
	bool alt, mouse, cursor;
	VTerm *vt;
	VTermScreen *screen;
};

static int on_prop(VTermProp prop, VTermValue *v, void *user)
{
	struct driver *d = user;

	if (prop == VTERM_PROP_ALTSCREEN)
		d->alt = v->boolean;
	else if (prop == VTERM_PROP_MOUSE)
		d->mouse = v->number != VTERM_PROP_MOUSE_NONE;
	else if (prop == VTERM_PROP_CURSORVISIBLE)
		d->cursor = v->boolean;
	return 1;
}

static void send_bytes(struct driver *d, const char *s, size_t n)
{
	while (n) {
		ssize_t w = write(d->fd, s, n);

		if (w <= 0 && errno != EINTR)
			return;
		s += MAX(w, 0);
		n -= (size_t)MAX(w, 0);
	}
}

/* What the terminal answers to queries. */
static void on_output(const char *s, size_t n, void *user)
{
	send_bytes(user, s, n);
}

static VTermScreenCell cell_at(const struct driver *d, int row, int col)
{
	VTermScreenCell c;

	vterm_screen_get_cell(d->screen,
			      (VTermPos){ .row = row, .col = col }, &c);
	return c;
}

static void add_row(const struct driver *d, int row, struct buf *out)
{
	size_t text = out->len;

	for (int col = 0; col < d->cols; col++) {
		VTermScreenCell c = cell_at(d, row, col);
		char utf8[4];

		if (c.chars[0] == (uint32_t)-1)
			continue;
		/* Of one that is blank nothing else is set. */
		for (int i = 0; i == 0 || (i < VTERM_MAX_CHARS_PER_CELL &&
					   c.chars[0] && c.chars[i]); i++)
			buf_add(out, utf8, utf8_encode(c.chars[i] ?
						       c.chars[i] : ' ', utf8));
	}
	while (out->len > text && out->data[out->len - 1] == ' ')
		buf_truncate(out, out->len - 1);
	buf_addch(out, '\n');
}

static void dump(const struct driver *d, FILE *to)
{
	auto_buf struct buf out = BUF_INIT;

	for (int r = 0; r < d->rows; r++)
		add_row(d, r, &out);
	fputs(buf_str(&out), to);
	fflush(to);
}

static bool contains(const struct driver *d, int from, int to,
		     const char *text)
{
	auto_buf struct buf out = BUF_INIT;

	for (int r = MAX(from, 0); r < MIN(to, d->rows); r++)
		add_row(d, r, &out);
	return strstr(buf_str(&out), text);
}

static bool attr_is(const struct driver *d, int row, int col,
		    const char *name)
{
	VTermScreenCell c = cell_at(d, row, col);

	if (strcmp(name, "bold") == 0)
		return c.attrs.bold;
	if (strcmp(name, "reverse") == 0)
		return c.attrs.reverse;
	if (strcmp(name, "underline") == 0)
		return c.attrs.underline;
	return strcmp(name, "plain") == 0 && !c.attrs.bold &&
	       !c.attrs.reverse && !c.attrs.underline;
}

/* One wait for output; false when there was none before the deadline. */
static bool read_some(struct driver *d, int64_t deadline)
{
	struct pollfd fd = { .fd = d->fd, .events = POLLIN };
	int64_t left = deadline - clock_mono_ns();
	char bytes[4096];
	ssize_t n;

	if (d->ended || poll(&fd, 1, left > 0 ? (int)(left / 1000000) : 0) < 1)
		return false;
	n = read(d->fd, bytes, sizeof(bytes));
	if (n > 0)
		vterm_input_write(d->vt, bytes, (size_t)n);
	else if (n == 0 || errno != EINTR)
		d->ended = true;
	return true;
}

static bool holds(struct driver *d, const char *verb, const char *arg)
{
	char name[16];
	int a = 0, b = 0, used = 0;
	VTermPos pos;

	if (strcmp(verb, "wait") == 0)
		return contains(d, 0, d->rows, arg);
	if (strcmp(verb, "gone") == 0)
		return !contains(d, 0, d->rows, arg);
	if (strcmp(verb, "row") == 0)
		return sscanf(arg, "%d %n", &a, &used) == 1 &&
		       contains(d, a, a + 1, arg + used);
	if (strcmp(verb, "attr") == 0)
		return sscanf(arg, "%d %d %15s", &a, &b, name) == 3 &&
		       attr_is(d, a, b, name);
	if (strcmp(verb, "prop") == 0 && sscanf(arg, "%15s %d", name, &a) == 2)
		return (strcmp(name, "alt") == 0 ? d->alt :
			strcmp(name, "mouse") == 0 ? d->mouse : d->cursor) == a;
	if (strcmp(verb, "cursor") != 0 || sscanf(arg, "%d %d", &a, &b) != 2)
		return false;
	vterm_state_get_cursorpos(vterm_obtain_state(d->vt), &pos);
	return pos.row == a && pos.col == b;
}

static bool wait_for(struct driver *d, const char *verb, const char *arg)
{
	int64_t deadline = clock_mono_ns() + d->patience;

	while (!holds(d, verb, arg))
		if (!read_some(d, deadline))
			return holds(d, verb, arg);
	return true;
}

/* Its last bytes are read before it is asked how it ended. */
static bool wait_exit(struct driver *d, const char *arg)
{
	int64_t deadline = clock_mono_ns() + d->patience;
	int status, got;

	while (read_some(d, deadline))
		;
	if (!d->ended || waitpid(d->pid, &status, 0) != d->pid)
		return false;
	d->pid = -1;
	got = WIFEXITED(status) ? WEXITSTATUS(status) :
				  128 + WTERMSIG(status);
	if (got != strtol(arg, NULL, 10))
		fprintf(stderr, "driver: it ended with %d\n", got);
	return got == strtol(arg, NULL, 10);
}

static void send_keys(struct driver *d, const char *s)
{
	static const char from[] = "ernt\\^", to[] = "\033\r\n\t\\^";
	auto_buf struct buf out = BUF_INIT;

	for (; *s; s++) {
		const char *at = s[0] == '\\' && s[1] ?
				 strchr(from, s[1]) : NULL;
		unsigned hex;

		if (at) {
			buf_addch(&out, to[at - from]);
			s++;
		} else if (sscanf(s, "\\x%2x", &hex) == 1) {
			buf_addch(&out, (char)hex);
			s += 3;
		} else if (*s == '^' && s[1]) {
			buf_addch(&out, *++s & 0x1f);
		} else {
			buf_addch(&out, *s);
		}
	}
	send_bytes(d, buf_str(&out), out.len);
}

static bool resize(struct driver *d, const char *arg)
{
	struct winsize ws = { 0 };

	if (sscanf(arg, "%d %d", &d->rows, &d->cols) != 2)
		return false;
	ws.ws_row = (unsigned short)d->rows;
	ws.ws_col = (unsigned short)d->cols;
	vterm_set_size(d->vt, d->rows, d->cols);
	return ioctl(d->fd, TIOCSWINSZ, &ws) == 0;
}

static void print_lap(struct driver *d, const char *text)
{
	int64_t now = clock_mono_ns();

	printf("%s %lld\n", text, (long long)(now - d->lap));
	fflush(stdout);
	d->lap = now;
}

static bool step(struct driver *d, const char *verb, const char *arg)
{
	if (strcmp(verb, "send") == 0)
		send_keys(d, arg);
	else if (strcmp(verb, "snap") == 0)
		dump(d, stdout);
	else if (strcmp(verb, "say") == 0)
		return puts(arg) >= 0 && fflush(stdout) == 0;
	else if (strcmp(verb, "lap") == 0)
		print_lap(d, arg);
	else if (strcmp(verb, "size") == 0)
		return resize(d, arg);
	else if (strcmp(verb, "exit") == 0)
		return wait_exit(d, arg);
	else
		return wait_for(d, verb, arg);
	return true;
}

static int run_script(struct driver *d, FILE *script)
{
	char line[4096];

	for (int n = 1; fgets(line, sizeof(line), script); n++) {
		char *arg;

		line[strcspn(line, "\n")] = '\0';
		if (!line[0] || line[0] == '#')
			continue;
		arg = line + strcspn(line, " ");
		if (*arg)
			*arg++ = '\0';
		if (step(d, line, arg))
			continue;
		fprintf(stderr, "driver: line %d: '%s %s' did not come true; "
			"the screen:\n", n, line, arg);
		dump(d, stderr);
		return 1;
	}
	return 0;
}

static void start(struct driver *d, char **argv)
{
	static const VTermScreenCallbacks callbacks = {
		.settermprop = on_prop,
	};
	struct winsize ws = { .ws_row = (unsigned short)d->rows,
			      .ws_col = (unsigned short)d->cols };

	d->vt = vterm_new(d->rows, d->cols);
	vterm_set_utf8(d->vt, 1);
	vterm_output_set_callback(d->vt, on_output, d);
	d->screen = vterm_obtain_screen(d->vt);
	vterm_screen_set_callbacks(d->screen, &callbacks, d);
	vterm_screen_enable_altscreen(d->screen, 1);
	vterm_screen_reset(d->screen, 1);
	d->lap = clock_mono_ns();
	d->pid = forkpty(&d->fd, NULL, NULL, &ws);
	if (d->pid == 0) {
		/* As a terminal starts it: what we run under may ignore them,
		 * a shell in the background SIGINT for one. */
		for (int s = 1; s < SIGRTMIN; s++)
			signal(s, SIG_DFL);
		execvp(argv[0], argv);
		perror(argv[0]);
		_exit(127);
	}
}

int main(int argc, char **argv)
{
	struct driver d = { .rows = 24, .cols = 80, .fd = -1,
			    .patience = INT64_C(10000000000) };
	FILE *script;
	int opt, rc;

	while ((opt = getopt(argc, argv, "+s:t:")) != -1) {
		if (opt == 't')
			d.patience = strtoll(optarg, NULL, 10) * 1000000000;
		else if (opt != 's' ||
			 sscanf(optarg, "%dx%d", &d.rows, &d.cols) != 2)
			return 2;
	}
	if (argc < optind + 3 || strcmp(argv[optind + 1], "--") != 0) {
		fputs("usage: driver [-s ROWSxCOLS] [-t SECONDS] SCRIPT -- "
		      "PROGRAM [ARG...]\n", stderr);
		return 2;
	}
	script = strcmp(argv[optind], "-") == 0 ? stdin :
						  fopen(argv[optind], "re");
	if (!script) {
		perror(argv[optind]);
		return 2;
	}
	start(&d, argv + optind + 2);
	rc = d.pid < 0 ? 2 : run_script(&d, script);
	if (d.pid > 0) {
		kill(d.pid, SIGKILL);
		waitpid(d.pid, NULL, 0);
	}
	vterm_free(d.vt);
	return rc;
}
