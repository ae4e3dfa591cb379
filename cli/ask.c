/* SPDX-License-Identifier: MIT */
/* Asking before something is done.  See ask.h. */
#include "cli/ask.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "lib/api/limits.h"
#include "lib/base/escape.h"
#include "lib/base/mem.h"
#include "lib/base/shell.h"

enum answer { ANSWER_NO, ANSWER_YES, ANSWER_DEFAULT, ANSWER_UNKNOWN };

bool ask_possible(const struct cli *cli)
{
	return !cli->no_input && isatty(STDIN_FILENO) && cli->stderr_tty;
}

static void show(const char *text)
{
	auto_escape bool before = cli_escape_for(STDERR_FILENO);
	auto_buf struct buf b = BUF_INIT;

	escape_text(&b, text, strlen(text));
	fputs(buf_str(&b), stderr);
	fflush(stderr);
}

/* One line without its end, whole even where it is too long; false when there
 * is none. */
static bool read_line(char *line, int size)
{
	int c;

	if (!fgets(line, size, stdin))
		return false;
	size_t n = strcspn(line, "\n");

	if (!line[n])
		while ((c = getchar()) != '\n' && c != EOF)
			;
	line[n] = '\0';
	return true;
}

/* `first` is what 1 stands for; NULL: there are no numbers. */
static enum answer answer_of(const char *line, const enum answer *first)
{
	line += strspn(line, " \t");
	if (!*line)
		return ANSWER_DEFAULT;
	if (*line == 'y' || *line == 'Y')
		return ANSWER_YES;
	if (*line == 'n' || *line == 'N')
		return ANSWER_NO;
	if (!first || line[1 + strspn(line + 1, " \t")] ||
	    (*line != '1' && *line != '2'))
		return ANSWER_UNKNOWN;
	return *line == '1' ? *first :
	       *first == ANSWER_YES ? ANSWER_NO : ANSWER_YES;
}

/* All is static text, and nobody is left with an answer that isn't one. */
static bool choose(const char *question, bool yes)
{
	auto_free char *text = xasprintf("%s\n1. %s (default)\n2. %s\n",
					 question, yes ? "Yes" : "No",
					 yes ? "No" : "Yes");
	const enum answer first = yes ? ANSWER_YES : ANSWER_NO;
	char line[LIMIT_CONFIRM_NAME + 2];

	show(text);
	for (;;) {
		show("Enter a number [1]: ");
		if (!read_line(line, sizeof(line))) {
			show("\n");
			return false;
		}
		enum answer a = answer_of(line, &first);

		if (a != ANSWER_UNKNOWN)
			return a == ANSWER_DEFAULT ? yes : a == ANSWER_YES;
		auto_free char *no = xasprintf("'%s' is none of them.\n", line);

		show(no);
	}
}

bool ask_yes(const struct cli *cli, const char *question, bool yes)
{
	char line[LIMIT_CONFIRM_NAME + 2];

	if (cli_accessible(cli))
		return choose(question, yes);
	auto_free char *text = xasprintf("%s %s ", question,
					 yes ? "[Y/n]" : "[y/N]");

	show(text);
	if (!read_line(line, sizeof(line)))
		return false;
	enum answer a = answer_of(line, NULL);

	return yes ? a != ANSWER_NO : a == ANSWER_YES;
}

static int nobody_to_ask(const char *question, struct svm_err *err)
{
	return svm_err_set(err, SVM_CANCELLED, "there is nobody to ask: %s",
			   question);
}

static int not_agreed(struct svm_err *err)
{
	return svm_err_set(err, SVM_CANCELLED, "nothing was done");
}

int ask_confirm(const struct cli *cli, bool yes, struct svm_err *err,
		const char *fmt, ...)
{
	va_list ap;

	if (yes)
		return 0;
	va_start(ap, fmt);
	auto_free char *question = xvasprintf(fmt, ap);
	va_end(ap);
	if (!ask_possible(cli)) {
		nobody_to_ask(question, err);
		return svm_err_hint(err, "add --yes to do it anyway");
	}
	return ask_yes(cli, question, false) ? 0 : not_agreed(err);
}

/* What is shown escaped can't be pasted. */
static int hint_of_option(const char *name, struct svm_err *err)
{
	auto_buf struct buf shown = BUF_INIT, word = BUF_INIT;

	escape_line(&shown, name, strlen(name));
	shell_word(&word, name);
	if (strcmp(buf_str(&shown), name) != 0)
		return svm_err_hint(err, "add --confirm=NAME, with that name, "
				    "to do it anyway");
	return svm_err_hint(err, "add --confirm=%s to do it anyway",
			    buf_str(&word));
}

int ask_name(const struct cli *cli, const char *given, const char *name,
	     struct svm_err *err, const char *fmt, ...)
{
	char answer[LIMIT_CONFIRM_NAME + 2] = "";
	auto_buf struct buf text = BUF_INIT;
	va_list ap;

	if (given && strcmp(given, name) == 0)
		return 0;
	if (given)
		return svm_err_set(err, SVM_CANCELLED, "nothing was done: "
				   "--confirm is '%s', and would have to be "
				   "'%s'", given, name);
	va_start(ap, fmt);
	auto_free char *question = xvasprintf(fmt, ap);
	va_end(ap);
	if (!ask_possible(cli)) {
		nobody_to_ask(question, err);
		return hint_of_option(name, err);
	}
	buf_addf(&text, "%s type ", question);
	escape_line(&text, name, strlen(name));
	buf_addstr(&text, " to do it: ");
	show(buf_str(&text));
	if (!read_line(answer, sizeof(answer)))
		return not_agreed(err);
	return strcmp(answer, name) == 0 ? 0 : not_agreed(err);
}
