/* SPDX-License-Identifier: MIT */
/*
 * Make foreign bytes safe for a terminal or a log: control characters, DEL,
 * C1, bidi and zero-width characters and invalid UTF-8 become visible text.
 */
#ifndef SVM_BASE_ESCAPE_H
#define SVM_BASE_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/defs.h"

/* Whether what isn't ASCII is escaped too, in this thread from now on: for a
 * terminal that doesn't read UTF-8, to which a byte of a character may be a
 * control.  Returns what held before; at first it isn't. */
bool escape_ascii(bool on);

static inline void escape_restore(bool *before)
{
	escape_ascii(*before);
}
/* auto_escape bool before = escape_ascii(...): up to the end of the block. */
#define auto_escape CLEANUP(escape_restore)

/* Append s with ESC as ^[, other C0 as ^X, DEL as ^?, the rest as \u{XXXX} or
 * \xXX.  Newline and tab are escaped too: the result is one line. */
void escape_line(struct buf *out, const char *s, size_t n);

/* The same, but newline and tab stay. */
void escape_text(struct buf *out, const char *s, size_t n);

/* Take what is for a terminal alone out of s: sequences (ECMA-48: CSI, OSC and
 * the other strings, ESC and its final byte), CR, and what is cut off at the
 * end of s.  The rest is as it was: it still has to be escaped. */
void escape_strip(char *s);

/* How many of the n bytes of s stand before a repaint: CR, a move of the
 * cursor to the start of a row (so home), the screen cleared or changed for
 * the other one.  One at the very beginning of s isn't counted. */
size_t escape_repaint(const char *s, size_t n);

/* JSON that says the same: characters a terminal would act on, or that
 * deceive, are written \uXXXX, and invalid UTF-8 is U+FFFD. */
void escape_json(struct buf *out, const char *json, size_t n);

/* Characters that change how others are shown, or hide. */
bool escape_is_deceptive(uint32_t cp);

#endif
