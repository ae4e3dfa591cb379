/* SPDX-License-Identifier: MIT */
/*
 * Manual pages: prose by hand, tables from the program.
 *
 * man/NAME.N.in is mdoc(7) but for lines that begin with '@':
 *
 *	@name             the head of a command's page, up to NAME
 *	@synopsis         SYNOPSIS, from its arguments and options
 *	@TABLE [WORD...]  the rows of a table, or those of a group, or the row
 *	                  of that key; directly below it may stand
 *	@about KEY        what the page adds to a row, up to the next @about
 *	@end
 *
 * Tables: options and commands (of the page's command), global-options,
 * exits, environment, config, routes, schemas, errors, events, closes, limits,
 * providers, capabilities, calls, keys.  Every row must be on exactly one page
 * (of exits: on at least one), and every command has a page, so nothing can be
 * left out; a page of a command, or an @about of a row, that is not there is an
 * error.
 */
#ifndef SVM_MAN_PAGE_H
#define SVM_MAN_PAGE_H

#include <stdbool.h>

#include "lib/base/buf.h"

struct cmd;

enum row_level {
	ROW_HEADING, /* of the rows that follow */
	ROW_ITEM,
	ROW_PART,    /* an item of the item before */
};

struct row {
	enum row_level level;
	char *key, *group; /* group: NULL, or what the key is */
	struct buf head;   /* arguments of .It or .Ss */
	struct buf text;   /* lines of mdoc */
	struct buf tail;   /* the same, below what an @about says */
	unsigned used;
};

struct table {
	char *name;
	bool repeats; /* a row may be on several pages */
	struct row *v;
	size_t n;
};

struct manual {
	struct table *v;
	size_t n;
	unsigned problems; /* each was printed */
};

/* Both are valid until the next of the same manual or table is added. */
struct table *manual_table(struct manual *m, char *name); /* takes name */
struct row *table_row(struct table *t, enum row_level level, char *key,
		      const char *group); /* takes key */
void manual_release(struct manual *m);

/* Who fills them. */
void tables_of_cli(struct manual *m);
void tables_of_daemon(struct manual *m);
void tables_of_schemas(struct manual *m);
void tables_of_tui(struct manual *m);

/* The page `name` ("stacyvm-exec.1") from its source, appended to out.
 * Problems are printed and counted. */
void page_make(struct manual *m, const char *name, const char *source,
	       struct buf *out);

/* What no page has; problems like those of page_make(). */
void manual_check(struct manual *m);
void manual_problem(struct manual *m, const char *fmt, ...)
	PRINTF_LIKE(2, 3);

/* The command that a page is about, or NULL. */
const struct cmd *page_command(const char *name);
void page_synopsis(const struct cmd *cmd, struct buf *out);

#endif
