/* SPDX-License-Identifier: MIT */
/*
 * Options as data.  A subcommand describes its options once, in a const
 * array; parsing, -h, completion and the manual all read that.
 *
 * Values land in the command's own struct at `off`, zeroed before parsing.
 * Strings are borrowed from argv.  Options and arguments may be mixed; `--`
 * ends the options.
 */
#ifndef SVM_CLI_OPTS_H
#define SVM_CLI_OPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

enum opt_type {
	OPT_END,
	OPT_FLAG,     /* bool */
	OPT_STRING,   /* const char * */
	OPT_OPTIONAL, /* const char *; "" when given without =VALUE */
	OPT_LIST,     /* char **, NULL-terminated, each use adds one; freed by
		       * opts_release() */
	OPT_NUMBER,   /* int64_t, 0 .. INT32_MAX */
	OPT_COUNT,    /* int64_t, 1 .. INT32_MAX */
	OPT_DURATION, /* const char *, checked: 30s, 1h30m */
	OPT_MEBIBYTES, /* int64_t MiB, not 0: 512, 512m, 2g */
	OPT_CHOICE,   /* const char *: one of the words of `arg`, "a|b|c" */
};

/* What shell completion offers for a value or an argument. */
enum opt_complete {
	COMPLETE_NONE,
	COMPLETE_SANDBOX,
	COMPLETE_IMAGE,
	COMPLETE_TEMPLATE,
	COMPLETE_PROVIDER,
	COMPLETE_STATE,
	COMPLETE_EVENT,    /* a type of events */
	COMPLETE_SETTING,  /* a key of the configuration */
	COMPLETE_CHOICE,   /* a value of the key that the first argument is */
	COMPLETE_THEME,    /* a value of ui.theme */
	COMPLETE_FILE,     /* left to the shell */
	COMPLETE_SANDBOX_PATH, /* ID:/path or a local file */
	COMPLETE_REMOTE_PATH,  /* in the sandbox that the first argument is */
	COMPLETE_WORDS,        /* those of the command */
	COMPLETE_LABEL,        /* of the sandbox that the first argument is */
};

/* A plain limit's digits, for a help text. */
#define OPTS_DIGITS(limit) OPTS_DIGITS_OF(limit)
#define OPTS_DIGITS_OF(limit) #limit

struct opt {
	enum opt_type type;
	char letter;      /* 0: none */
	const char *name; /* without dashes */
	size_t off;
	const char *arg;  /* name of the value in help; NULL for flags */
	const char *help;
	enum opt_complete complete;
	bool hidden;      /* for the program's own use */
};

#define OPTS_END { .type = OPT_END }

struct cli;
struct cmd;

/*
 * Parse argv[0..argc) with the command's table and the global one.  What is
 * not an option is moved to the front of argv; *ret_argc says how many.  With
 * cmd->command_at = N > 0 the N-th argument (counted from 1) and all that
 * follows are taken as they are.  *ret_dashes is how many arguments stood
 * before "--", or -1 without one; what is a command in the sandbox in use
 * has an unwritten one before it.  BAD_REQUEST on failure.
 */
int opts_parse(const struct cmd *cmd, void *values, struct cli *cli, int argc,
	       char **argv, int *ret_argc, int *ret_dashes,
	       struct svm_err *err);
void opts_release(const struct opt *opts, void *values);

/* Find by long name (n bytes) or letter; NULL when absent. */
const struct opt *opts_find(const struct opt *opts, const char *name,
			    size_t n);
const struct opt *opts_find_letter(const struct opt *opts, char letter);

extern const struct opt global_opts[];

#endif
