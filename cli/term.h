/* SPDX-License-Identifier: MIT */
/* The local terminal in raw mode, and its way back, whatever happens. */
#ifndef SVM_CLI_TERM_H
#define SVM_CLI_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/err.h"

/*
 * Raw mode on standard input; undone by term_restore(), at exit and when we
 * crash.  This, and the next two, wait until we are in the foreground, and
 * change nothing if we have to end before, which is the next signal to read:
 * foreground.h.
 */
int term_raw(struct svm_err *err);

/* Nothing is changed yet, but how the terminal is now will be restored. */
int term_guard(struct svm_err *err);

/* Keys come one by one and are not shown, but Ctrl-C and Ctrl-Z still make
 * signals; undone in the same ways, and the cursor is shown again. */
int term_keys_on(struct svm_err *err);

/* After SIGCONT, and wherever we might be in the background: stop until we are
 * in the foreground, then the terminal as we had it.  False: we have to end
 * before; the signal waits to be read. */
bool term_again(void);

/* read(2) of standard input without waiting, for who polled it: the Ctrl-C
 * that makes a signal drops what was typed before, and so what poll() saw
 * (termios(3), NOFLSH).  EAGAIN then. */
ssize_t term_read(void *p, size_t n);

/* Finds the plain keys among what a terminal sends: arrows, reports and
 * answers are passed over. */
struct term_keys {
	enum { TERM_KEYS_GROUND, TERM_KEYS_ESCAPE, TERM_KEYS_ONE,
	       TERM_KEYS_CSI, TERM_KEYS_STRING, TERM_KEYS_STRING_ESCAPE } at;
};
/* The key, or 0 when the byte is part of something else. */
unsigned char term_keys_plain(struct term_keys *k, unsigned char c);

/* Look at what goes to the terminal: whether the other side left it in
 * another screen or with reporting on. */
void term_watch(const char *p, size_t n);

/* Back to how it was.  Safe to repeat. */
void term_restore(void);

/* Of standard output (or input); 80x24 when the kernel does not know:
 * never 0x0. */
void term_size(uint16_t *ret_cols, uint16_t *ret_rows);

#define TERM_DETACH_KEY 0x1d /* Ctrl-], unless another is asked for */

/* "ctrl-]", "ctrl-a", "^]", "none", or one character: the byte, 0 for none,
 * -1 for nonsense. */
int term_parse_key(const char *text);

#endif
