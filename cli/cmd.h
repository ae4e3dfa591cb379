/* SPDX-License-Identifier: MIT */
/*
 * Subcommands, and what each gets.
 *
 * To add one: write cli/NAME.c with a `const struct cmd cmd_NAME`, list it in
 * cli/cmds.c and below, describe it in man/stacyvm-NAME.1.in: the build asks
 * for that page, and takes its tables from here.  tests/unit/test-options.c
 * checks the tables.
 */
#ifndef SVM_CLI_CMD_H
#define SVM_CLI_CMD_H

#include <stdbool.h>

#include "cli/opts.h"

struct client;
struct console;

enum cmd_flags {
	CMD_HIDDEN = 1u << 0,
	CMD_EXIT_125 = 1u << 1, /* passes a status on: own failures are 125 */
	CMD_RAW = 1u << 2,      /* gets argv untouched, as another main */
	CMD_DESTROYS = 1u << 3, /* sandboxes: it must be told which */
	CMD_CONSOLE = 1u << 4,  /* of the console alone, run by itself */
	CMD_PAGED = 1u << 5,    /* what it prints may be longer than a screen */
	CMD_RENAMES = 1u << 6,  /* what the console knows may be old */
	CMD_TYPED = 1u << 7,    /* all it sends was typed: what the daemon finds
				 * wrong in it is a usage error */
};

struct cmd {
	const char *name;
	const char *aliases;  /* "ls ps", or NULL */
	const char *args;     /* "ID [-- COMMAND...]", for the usage line */
	const char *summary;  /* one line, lower case, no full stop */
	const char *help;     /* paragraphs shown by --help, or NULL */
	const char *examples; /* one per line, or NULL */
	const struct opt *opts;
	size_t opts_size;     /* of the struct the options fill */
	int min_args, max_args; /* max -1: any */
	int command_at;       /* see opts_parse() */
	unsigned flags;
	enum opt_complete complete; /* what the first argument is; all of
				     * them, where there may be any number */
	enum opt_complete complete_then; /* what those after it are */
	const char *words; /* "a|b|c", for COMPLETE_WORDS */
	/* What --json=FIELDS may name, where that is known: "Sandbox stats",
	 * the fields of that schema of the API, and stats. */
	const char *gives;
	const struct cmd *const *subs; /* NULL-terminated; then run is NULL */

	/* Returns the exit status, or -1 with err set.  args ends with NULL. */
	int (*run)(struct cli *cli, void *opts, int argc, char **args,
		   struct svm_err *err);
};

/* What `stacyvm tui` was told. */
struct tui_args {
	const char *server, *api_key, *theme; /* or NULL */
	const char *shell; /* a sandbox's id: its terminal alone; or NULL */
	bool read_only, no_mouse, no_color, ascii, dump;
	int64_t frames;
};

/* Entry points of other rooms, filled in by main.c alone. */
struct entries {
	int (*serve)(int argc, char **argv);
	/* The work of `config VERB`; args end with NULL.  1 when the file was
	 * changed, 0, or -1 with err. */
	int (*config)(const char *verb, bool json, bool origin,
		      char *const *args, struct svm_err *err);
	/* Its keys, with what each is for and "a|b" or NULL, its values; NULL
	 * after the last. */
	const char *(*setting)(size_t i, const char **ret_about,
			       const char **ret_choices);
	int (*db)(const char *verb, const char *file, bool json,
		  struct svm_err *err);
	int (*tui)(const struct tui_args *args, struct svm_err *err);
	void (*keys)(void); /* print the keys of the dashboard */
	bool (*accessible)(void); /* ui.accessible */
	/* The fields of an object of the API by its schema's name, owned
	 * (strv_free); NULL when there is none of that name. */
	char **(*fields)(const char *schema);
};

/* One run of the program: the global options and what follows from them. */
struct cli {
	const char *server, *api_key, *api_key_file;
	const char *json;   /* NULL: text; "": all fields; "a,b": these */
	const char *format; /* template, or NULL */
	const char *color, *timeout, *progress;
	bool plain, no_header, quiet, verbose, no_color, no_pager, no_input;
	bool help;

	const struct entries *entries;
	const struct cmd *cmd; /* the one that runs */
	const char *cmd_path;  /* "files ls" */
	bool passes_status;    /* as CMD_EXIT_125, known at run time */
	bool no_autostart;     /* set by commands that only look */
	int dashes;            /* arguments before "--", -1: no "--" */
	bool stdout_tty, stderr_tty;
	struct client *client; /* made by cli_client() */

	/* In the console: it, for its own commands; the sandbox in use. */
	struct console *console;
	const char *in_use; /* its id, or NULL */
	const char *in_dir; /* where in it, or NULL: /workspace */
};

extern const struct cmd *const cmds[]; /* NULL-terminated, in help order */

extern const struct cmd cmd_spawn, cmd_exec, cmd_shell, cmd_attach, cmd_list,
	cmd_inspect, cmd_kill, cmd_extend, cmd_prune, cmd_wait, cmd_cp,
	cmd_files, cmd_logs, cmd_events, cmd_audit, cmd_image, cmd_quota,
	cmd_provider, cmd_daemon, cmd_serve, cmd_doctor, cmd_config, cmd_db,
	cmd_support, cmd_bench, cmd_version, cmd_help, cmd_complete,
	cmd_template, cmd_tui, cmd_preview, cmd_top, cmd_completion, cmd_pool,
	cmd_console, cmd_rename, cmd_label;

/* By name or alias; NULL when there is none.  n bytes of name. */
const struct cmd *cmd_find(const struct cmd *const *list, const char *name);

/* Parse the whole command line and run it.  Returns the exit status; errors
 * have been printed. */
int cli_main(const struct entries *entries, int argc, char **argv);

/* Run one command of a list with the global options of `from` to begin with:
 * a line of the console.  argv has no program name, is NULL-terminated and
 * has room for one argument more.  Returns the exit status. */
int cli_run(const struct cli *from, const struct cmd *const *list, int argc,
	    char **argv);

/* Print the help of a command (NULL: of the program) to stdout. */
void help_print(const struct cmd *cmd, const char *path);

/* The commands of a list that aren't hidden, a line each. */
void help_print_list(const struct cmd *const *list);

/* What stands before a command's name where it is typed. */
const char *help_program(const struct cmd *cmd);

#endif
