/* SPDX-License-Identifier: MIT */
/* Where a {word} stands.  See placeholder.h. */
#include "tui/placeholder.h"

#include <stdint.h>
#include <string.h>

#include "lib/base/defs.h"

#define DIGITS "0123456789"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define LETTERS LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

typedef const char *const *names_t;
#define NAMES(...) (const char *const[]){ __VA_ARGS__, NULL }

enum {
	OPTIONS_GO_ON = 1u << 0, /* behind a program that an option gave */
	PERMUTES = 1u << 1,      /* behind the first operand too */
	SUBCOMMANDS = 1u << 2,   /* the first operand is none of them */
	NAMES_ITSELF = 1u << 3,  /* the argument behind the program is $0 */
	SETS = 1u << 4,          /* -v NAME=VALUE */
};

/* What runs a text or a file that it is given as an argument; and the letters
 * of the options whose value that is. */
static const struct interpreter {
	names_t names;
	const char *letters;
	unsigned flags;
} interpreters[] = {
	{ NAMES("sh", "bash", "rbash", "dash", "zsh", "ksh", "mksh", "ash",
		"yash", "csh", "tcsh"), "c", NAMES_ITSELF },
	{ NAMES("fish"), "c", OPTIONS_GO_ON },
	{ NAMES("python", "pypy"), "cm", 0 },
	{ NAMES("perl"), "eE", OPTIONS_GO_ON },
	{ NAMES("ruby"), "e", OPTIONS_GO_ON },
	{ NAMES("node", "nodejs"), "ep", OPTIONS_GO_ON },
	{ NAMES("php"), "rf", OPTIONS_GO_ON },
	{ NAMES("awk", "gawk", "mawk", "nawk", "original-awk"), "f",
	  OPTIONS_GO_ON | PERMUTES | SETS },
	{ NAMES("sed", "gsed"), "ef", OPTIONS_GO_ON | PERMUTES },
	{ NAMES("lua", "luajit", "tclsh", "wish", "expect", "guile", "pwsh",
		"osascript", "Rscript", "busybox", "toybox"), "", 0 },
	{ NAMES("deno", "bun"), "", SUBCOMMANDS },
	{ NAMES("wezterm"), "e", SUBCOMMANDS },
	{ NAMES("xterm", "uxterm", "lxterm", "urxvt", "rxvt", "st", "konsole",
		"gnome-terminal", "mate-terminal", "xfce4-terminal",
		"lxterminal", "terminator", "tilix", "alacritty", "kitty",
		"foot", "x-terminal-emulator"), "ex", 0 },
};

/* What makes a line for a shell, or the like, of its arguments. */
static names_t joiners = NAMES(
	"ssh", "rsh", "mosh", "watch", "su", "runuser", "script", "tmux",
	"screen", "parallel", "make", "gmake", "xterm", "uxterm", "lxterm",
	"urxvt", "rxvt", "konsole", "gnome-terminal", "mate-terminal",
	"xfce4-terminal", "lxterminal", "terminator", "tilix",
	"x-terminal-emulator");

/* What runs the value of an option, and has other arguments. */
static names_t commanded = NAMES(
	"su", "runuser", "script", "flock", "vi", "vim", "nvim", "gvim",
	"view", "emacs", "gdb");

/* What makes programs run others, or find other ones, from the environment:
 * names, and beginnings and ends of them. */
static names_t settings = NAMES(
	"PATH", "CDPATH", "AWKPATH", "AWKLIBPATH", "GCONV_PATH", "IFS",
	"VISUAL", "BROWSER", "ZDOTDIR", "PS0", "PS1", "PS2", "PS3", "PS4");
static names_t setting_heads = NAMES(
	"LD_", "DYLD_", "BASH", "PYTHON", "PERL", "RUBY", "NODE_", "LUA",
	"PHP", "TCL", "GIT_", "LESS", "XDG_");
static names_t setting_tails = NAMES(
	"ENV", "EDITOR", "PAGER", "SHELL", "OPTIONS", "OPTS", "OPT", "FLAGS",
	"COMMAND", "INIT", "HOME");

const char *placeholder_next(const char *s, size_t *ret_n)
{
	while ((s = strchr(s, '{'))) {
		size_t braces = strspn(s, "{"), n;

		s += braces; /* behind them, at the end of the string maybe */
		n = strspn(s, LOWER "_");
		if (braces == 1 && n && s[n] == '}') {
			*ret_n = n;
			return s;
		}
	}
	return NULL;
}

/* What this program runs, it runs in a sandbox, and a name is one to it. */
static names_t ours = NAMES("stacyvm");

/* By its path and with its version too, /usr/bin/python3.11, and `then` what
 * may come behind that. */
static bool is_named(names_t names, const char *program, const char *then)
{
	const char *slash = strrchr(program, '/');
	const char *name = slash ? slash + 1 : program;

	for (; *names; names++) {
		size_t n = strlen(*names);

		if (strncmp(name, *names, n) != 0)
			continue;
		n += strspn(name + n, DIGITS ".");
		if (!name[n] || strchr(then, name[n]))
			return true;
	}
	return false;
}

static bool is_one_of(names_t names, const char *program)
{
	return is_named(names, program, "");
}

static const struct interpreter *interpreter(const char *program)
{
	for (size_t i = 0; i < ARRAY_SIZE(interpreters); i++)
		/* zsh-5.9, bash-static */
		if (is_named(interpreters[i].names, program, "-"))
			return &interpreters[i];
	return NULL;
}

/* "-" too: the program is elsewhere, and another option may come. */
static bool is_option(const char *arg)
{
	return arg[0] == '-' || arg[0] == '+';
}

/* "-c", "-ec": the next argument is the program.  Not where another letter of
 * these may want one as well. */
static bool gives_program(const struct interpreter *in, const char *arg)
{
	size_t n = strlen(arg);

	return n > 1 && arg[0] == '-' && arg[1] != '-' &&
	       strchr(in->letters, arg[n - 1]) && !strpbrk(arg, "oOAbD");
}

/* "A={word}": what a command finds in its environment. */
static bool is_assignment(const char *arg)
{
	return arg[strspn(arg, LETTERS DIGITS "_")] == '=';
}

struct program {
	size_t at;   /* in argv; SIZE_MAX: nobody knows */
	bool ended;  /* behind it are no options */
	size_t self; /* $0; 0: nothing is */
};

/* Of the interpreter at k.  Behind an option that isn't known comes its value
 * or a program: only what is sure is one. */
static struct program find_program(char *const *argv, size_t k,
				   const struct interpreter *in)
{
	if (argv[k + 1] && !is_option(argv[k + 1]) &&
	    !(in->flags & SUBCOMMANDS))
		return (struct program){ k + 1, !(in->flags & PERMUTES), 0 };
	for (size_t p = k + 1; argv[p] && argv[p + 1]; p++) {
		if (strcmp(argv[p], "--") == 0)
			return (struct program){ p + 1, true, 0 };
		if (gives_program(in, argv[p]) && !is_option(argv[p + 1]))
			return (struct program){
				p + 1, !(in->flags & OPTIONS_GO_ON),
				in->flags & NAMES_ITSELF ? p + 2 : 0,
			};
	}
	return (struct program){ SIZE_MAX, false, 0 };
}

/* argv[k] is $0 of this one or its text, whatever it is called. */
static bool is_its_own(const struct program *p, size_t k)
{
	return p->self && (k == p->self || k == p->at);
}

/* Neither an option nor, maybe, the value of one. */
static bool is_operand(char *const *argv, size_t from, size_t i)
{
	for (size_t k = from; k < i; k++)
		if (strcmp(argv[k], "--") == 0)
			return true;
	return !is_option(argv[i]) && !is_option(argv[i - 1]);
}

/* env -S, which reads its value as a line. */
static bool is_split(char *const *argv, size_t k, size_t i)
{
	while (++k <= i)
		if (strncmp(argv[k], "--s", 3) == 0 ||
		    (argv[k][0] == '-' && argv[k][1] != '-' &&
		     strchr(argv[k], 'S')))
			return true;
	return false;
}

/* "-c", "-ex", "--command", and with a value. */
static bool is_command_option(const char *arg)
{
	size_t dashes = strspn(arg, "-"), n = strcspn(arg, "=");

	return dashes && n > dashes &&
	       (strchr("ce", arg[dashes]) || strstr(arg, "command") ||
		(dashes == 1 && strchr("ce", arg[n - 1])));
}

static bool has_name(names_t names, const char *s, size_t n, bool head,
		     bool tail)
{
	for (; *names; names++) {
		size_t len = strlen(*names);

		if (n < len || (!head && !tail && n != len))
			continue;
		if (memcmp(*names, tail ? s + n - len : s, len) == 0)
			return true;
	}
	return false;
}

static bool is_setting(const char *arg)
{
	size_t n = strcspn(arg, "=");

	return is_assignment(arg) &&
	       (has_name(settings, arg, n, false, false) ||
		has_name(setting_heads, arg, n, true, false) ||
		has_name(setting_tails, arg, n, false, true));
}

bool placeholder_is_program(char *const *argv, size_t i)
{
	struct program p = { SIZE_MAX, false, 0 };

	if (i == 0 || is_one_of(ours, argv[0]))
		return false;
	/* Whoever starts it: env and sudo and find too. */
	for (size_t k = 0; k < i; k++) {
		const struct interpreter *in = interpreter(argv[k]);

		if (is_one_of(NAMES("env"), argv[k]) && is_split(argv, k, i))
			return true;
		if (is_one_of(commanded, argv[k]) &&
		    (is_command_option(argv[i]) ||
		     is_command_option(argv[i - 1])))
			return true;
		if (!in || is_its_own(&p, k))
			continue;
		if (in->flags & SETS && strcmp(argv[i - 1], "-v") == 0 &&
		    is_assignment(argv[i]))
			continue;
		p = find_program(argv, k, in);
		if (i <= p.at || (!p.ended && !is_operand(argv, p.at, i)))
			return true;
	}
	return is_setting(argv[i]);
}

bool placeholder_is_ended(char *const *argv, size_t i)
{
	struct program p = { SIZE_MAX, false, 0 };
	size_t from = 1;

	for (size_t k = 0; k < i && !is_one_of(ours, argv[0]); k++) {
		const struct interpreter *in = interpreter(argv[k]);

		if (!in || is_its_own(&p, k))
			continue;
		p = find_program(argv, k, in);
		if (p.at < i) /* who permutes takes what is behind, too */
			from = (in->flags & PERMUTES ? k : p.at) + 1;
	}
	for (; from < i; from++)
		if (strcmp(argv[from], "--") == 0)
			return true;
	return false;
}

bool placeholder_is_joined(char *const *argv, size_t i)
{
	while (i--)
		if (is_one_of(joiners, argv[i]))
			return true;
	return false;
}

bool placeholder_takes_any(char *const *argv, size_t i, const char *word,
			   size_t n)
{
	const char *arg = argv[i], *brace = word - 1;

	if (is_one_of(ours, argv[0]))
		return true;
	return word[n + 1] == '\0' && !placeholder_is_joined(argv, i) &&
	       (brace == arg ||
		(strchr(arg, '=') == brace - 1 &&
		 (arg[0] == '-' || is_assignment(arg))));
}

bool placeholder_is_plain(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x80 &&
		    !strchr(LETTERS DIGITS "%+,-./:=@_", *text))
			return false;
	return true;
}
