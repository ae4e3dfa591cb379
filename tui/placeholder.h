/* SPDX-License-Identifier: MIT */
/*
 * {word} in the arguments of a command of the user's own: where it stands, and
 * what may come there.  A name in a sandbox is chosen by whatever runs in it.
 * As an argument of its own it is text; as a part of what some program runs it
 * could be a command, on this side.  So:
 *
 * - What a shell or another interpreter runs holds none: refused when the
 *   configuration is read.  So a word stands only behind the program or the
 *   script, as an argument to it, and that must be in a place where it is
 *   known to be one: right behind the interpreter, behind "-c" or what means
 *   that there, or behind "--".  Behind any other option there could be its
 *   value or the script.
 * - Nor does a variable that makes programs run others: PATH, BASH_ENV, EDITOR.
 * - Inside of an argument (but at the end of "--option={word}" or "A={word}"),
 *   and anywhere after a program that makes one line of its arguments, as ssh
 *   and watch do, only what means nothing to any of them may come.
 *
 * What `stacyvm` itself is given is free of both: ID:PATH is one argument, and
 * what it runs, it runs in the sandbox.
 *
 * Pure.
 */
#ifndef SVM_TUI_PLACEHOLDER_H
#define SVM_TUI_PLACEHOLDER_H

#include <stdbool.h>
#include <stddef.h>

/* The next {word} from s on: its letters, borrowed, and how many; NULL: none.
 * "{{" is something else's: of a template, for example. */
const char *placeholder_next(const char *s, size_t *ret_n);

/* Whether argv[i] is, or could be, a part of what an interpreter in front of it
 * runs, or what makes it run something. */
bool placeholder_is_program(char *const *argv, size_t i);

/* Whether a word at this place of argv[i] (what placeholder_next gave) may
 * become any text, or only a plain one. */
bool placeholder_takes_any(char *const *argv, size_t i, const char *word,
			   size_t n);

/* Whether a "--" before argv[i] ends the options of whatever that is given to:
 * [bash, -x, --, SCRIPT, -x] ends those of bash alone, not the script's. */
bool placeholder_is_ended(char *const *argv, size_t i);

/* Whether argv[i] becomes a part of a line, so that "--" ends no options. */
bool placeholder_is_joined(char *const *argv, size_t i);

/* Letters, digits, "%+,-./:=@_" and what isn't ASCII. */
bool placeholder_is_plain(const char *text);

#endif
