/* SPDX-License-Identifier: MIT */
/* Where a {word} stands.  See placeholder.h. */
#include "tui/placeholder.h"

#include <string.h>

#include "lib/base/defs.h"

#define DIGITS "0123456789"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define LETTERS LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* What runs a text that it is given as an argument. */
static const char *const interpreters[] = {
	"sh", "bash", "rbash", "dash", "zsh", "ksh", "mksh", "ash", "fish",
	"busybox", "csh", "tcsh", "pwsh", "python", "perl", "ruby", "node",
	"nodejs", "deno", "bun", "php", "lua", "luajit", "tclsh", "awk",
	"gawk", "mawk", "nawk", "sed", "gsed", NULL
};

/* What makes a line for a shell, or the like, of its arguments. */
static const char *const joiners[] = {
	"ssh", "rsh", "mosh", "watch", "su", "runuser", "script", "tmux",
	"screen", "parallel", "make", "gmake", NULL
};

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
static const char *const ours[] = { "stacyvm", NULL };

/* By its path and with its version too: /usr/bin/python3.11. */
static bool is_one_of(const char *const *names, const char *program)
{
	const char *slash = strrchr(program, '/');
	const char *name = slash ? slash + 1 : program;

	for (; *names; names++) {
		size_t n = strlen(*names);

		if (strncmp(name, *names, n) == 0 &&
		    name[n + strspn(name + n, DIGITS ".")] == '\0')
			return true;
	}
	return false;
}

/* "-c", "-ec": the next argument is a program. */
static bool takes_program(const char *arg)
{
	return arg[0] == '-' && arg[1] != '-' && strpbrk(arg, "ce");
}

/* "A={word}": awk's -v, and what a command finds in its environment. */
static bool is_assignment(const char *arg)
{
	return arg[strspn(arg, LETTERS DIGITS "_")] == '=';
}

/* The first argument after the interpreter that is neither option nor
 * assignment: its program, its script, or an option's value. */
static size_t first_operand(char *const *argv, size_t k)
{
	do {
		k++;
	} while (argv[k] && (argv[k][0] == '-' || is_assignment(argv[k])));
	return k;
}

bool placeholder_is_program(char *const *argv, size_t i)
{
	size_t k = 0, operand;

	while (k < i && !is_one_of(interpreters, argv[k]))
		k++; /* whoever starts it: env and sudo too */
	if (k == i || is_one_of(ours, argv[0]))
		return false;
	while ((operand = first_operand(argv, k)) < i &&
	       is_one_of(interpreters, argv[operand]))
		k = operand; /* "busybox sh" */
	if (i <= operand)
		return !is_assignment(argv[i]);
	/* Its operand may have been the value of an option. */
	while (--i > k && argv[i][0] == '-')
		if (takes_program(argv[i]))
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
