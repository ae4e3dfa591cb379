/* SPDX-License-Identifier: MIT */
/* What may stand at the end of the console's line. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/candidates.h"
#include "cli/cli.h"
#include "cli/console.h"
#include "cli/words.h"
#include "lib/api/limits.h"
#include "lib/base/escape.h"
#include "lib/base/mem.h"

struct asking {
	const struct console *console;
	struct offers *offers;
	const char *last; /* the word that is typed */
	bool dirs;        /* nothing else */
	bool ours;        /* our own commands have been offered for it */
};

static void offer(const struct asking *a, const char *word, const char *about)
{
	if (strncmp(word, a->last, strlen(a->last)) == 0)
		offers_add(a->offers, word, about);
}

static void offer_list(const struct asking *a, const struct cmd *const *list)
{
	for (; *list; list++)
		if (!((*list)->flags & CMD_HIDDEN))
			offer(a, (*list)->name, (*list)->summary);
}

static void take(void *data, const char *word, const char *about)
{
	const struct asking *a = data;

	if (a->dirs && word[0] && word[strlen(word) - 1] != '/')
		return;
	if (!a->ours || !cmd_find(console_cmds, word))
		offers_add(a->offers, word, about);
}

static void offer_file(const struct asking *a, const char *dir,
		       const char *name)
{
	auto_free char *word = xasprintf("%s%s", dir, name);
	auto_free char *open = xasprintf("%s/", word);
	auto_buf struct buf shown = BUF_INIT;
	struct stat st;

	/* As in candidates.h: what is shown is what is typed. */
	escape_line(&shown, word, strlen(word));
	if (strcmp(buf_str(&shown), word) != 0)
		return;
	offer(a, stat(word, &st) == 0 && S_ISDIR(st.st_mode) ? open : word,
	      "");
}

/* Files of this machine. */
static void offer_local(const struct asking *a)
{
	const char *slash = strrchr(a->last, '/');
	size_t n = slash ? (size_t)(slash - a->last) + 1 : 0;
	auto_free char *dir = xstrndup(a->last, n);
	DIR *d = opendir(n ? dir : ".");
	size_t first = a->offers->n;

	for (const struct dirent *e; d && (e = readdir(d));) {
		bool dots = strcmp(e->d_name, ".") == 0 ||
			    strcmp(e->d_name, "..") == 0;

		if (!dots && (e->d_name[0] != '.' || a->last[n] == '.') &&
		    strncmp(e->d_name, a->last + n, strlen(a->last + n)) == 0 &&
		    a->offers->n < LIMIT_COMPLETIONS)
			offer_file(a, dir, e->d_name);
	}
	if (d)
		closedir(d);
	offers_sort(a->offers, first);
}

/* What the program's own completion says, with a client of its own. */
static void ask(const struct asking *a, char **words)
{
	struct cli cli = *a->console->cli;

	cli.client = NULL;
	cli.in_use = a->console->id;
	cli.in_dir = a->console->dir;
	if (candidates_offer(&cli, (int)strv_len(words), words, take,
			     (void *)(uintptr_t)a))
		offer_local(a);
	client_free(cli.client);
}

/* `first` and `second` (if not NULL) and the sandbox in use, then the words
 * from the n-th on. */
static void ask_about(const struct asking *a, const char *first,
		      const char *second, bool use, char **words)
{
	auto_free char **v = xcalloc(strv_len(words) + 4, sizeof(char *));
	size_t n = 0;

	v[n++] = (char *)(uintptr_t)first;
	if (second)
		v[n++] = (char *)(uintptr_t)second;
	if (use)
		v[n++] = a->console->id;
	memcpy(v + n, words, strv_len(words) * sizeof(char *));
	ask(a, v);
}

/* After "!": paths, but for the command's name. */
static void complete_shell(const struct asking *a, const struct words *w)
{
	char *last[] = { w->v[w->n - 1], NULL };

	if (a->console->id && (w->n > 1 || strchr(a->last, '/')))
		ask_about(a, "files", "cat", true, last);
}

static void complete_words(struct asking *a, char **v, size_t n)
{
	const struct console *c = a->console;
	const struct cmd *own = n > 1 ? cmd_find(console_cmds, v[0]) : NULL;
	bool help = own && strcmp(own->name, "help") == 0;

	a->ours = n == 1 || (help && n == 2);
	if (a->ours)
		offer_list(a, console_cmds);
	if (n == 1 && c->id)
		offer_list(a, cmd_files.subs);
	a->dirs = own && strcmp(own->name, "cd") == 0;
	if (a->dirs && n == 2 && c->id)
		ask_about(a, "files", "ls", true, v + 1);
	else if (own && strcmp(own->name, "use") == 0 && n == 2)
		ask_about(a, "inspect", NULL, false, v + 1);
	else if (n > 1 && c->id && console_file_cmd(v[0]))
		ask_about(a, "files", v[0], true, v + 1);
	else if (!own || help)
		ask(a, v);
}

void console_complete(void *console, const char *line, struct offers *o)
{
	struct asking a = { .console = console, .offers = o };
	auto_words struct words w = { 0 };
	size_t blanks = strspn(line, " \t");
	size_t skip = blanks + (line[blanks] == '!');

	words_open(line + skip, &w);
	o->at = skip + w.last_at;
	o->quote = w.quote;
	a.last = w.v[w.n - 1];
	if (w.comment)
		return;
	bool named = w.n > 1 && strcmp(w.v[0], "stacyvm") == 0;

	if (skip > blanks)
		complete_shell(&a, &w);
	else
		complete_words(&a, w.v + named, w.n - named);
}
