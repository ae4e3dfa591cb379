/* SPDX-License-Identifier: MIT */
/*
 * GNU readline, loaded when a person begins to type at the console.  Not
 * linked: every other call of the program would pay for it, and without it
 * the console works all the same, only plainer.
 */
#ifndef SVM_CLI_LIBREADLINE_H
#define SVM_CLI_LIBREADLINE_H

#include <stdio.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "lib/base/err.h"

/* Functions and variables: what the table has is the address of each. */
#define LIBREADLINE_SYMBOLS(X)                \
	X(rl_callback_handler_install)        \
	X(rl_callback_handler_remove)         \
	X(rl_callback_read_char)              \
	X(rl_callback_sigcleanup)             \
	X(rl_free_line_state)                 \
	X(rl_resize_terminal)                 \
	X(rl_reset_screen_size)               \
	X(rl_get_screen_size)                 \
	X(rl_set_screen_size)                 \
	X(rl_forced_update_display)           \
	X(rl_display_match_list)              \
	X(rl_crlf)                            \
	X(rl_prep_terminal)                   \
	X(rl_deprep_terminal)                 \
	X(add_history)                        \
	X(stifle_history)                     \
	X(rl_readline_name)                   \
	X(rl_instream)                        \
	X(rl_outstream)                       \
	X(rl_catch_signals)                   \
	X(rl_catch_sigwinch)                  \
	X(rl_change_environment)              \
	X(rl_getc_function)                   \
	X(rl_line_buffer)                     \
	X(rl_point)                           \
	X(rl_attempted_completion_function)   \
	X(rl_attempted_completion_over)       \
	X(rl_completer_word_break_characters) \
	X(rl_completer_quote_characters)      \
	X(rl_completion_append_character)     \
	X(rl_completion_display_matches_hook)

struct libreadline {
#define LIBREADLINE_MEMBER(name) __typeof__(&name) name;
	LIBREADLINE_SYMBOLS(LIBREADLINE_MEMBER)
#undef LIBREADLINE_MEMBER
};

/* The table, filled by libreadline_load(). */
extern struct libreadline lrl;

/* UNAVAILABLE with the package to install. */
int libreadline_load(struct svm_err *err);

#endif
