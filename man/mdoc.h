/* SPDX-License-Identifier: MIT */
/* Text of the program's tables as mdoc(7). */
#ifndef SVM_MAN_MDOC_H
#define SVM_MAN_MDOC_H

#include "lib/base/buf.h"

/* Text in lines, what roff would take for its own escaped. */
void mdoc_text(struct buf *out, const char *s);

/* The same with a capital and a full stop: help texts have neither. */
void mdoc_sentence(struct buf *out, const char *s);

/* A word as one argument of a macro. */
void mdoc_word(struct buf *out, const char *s);

/* "ID [-- COMMAND...]" as macros: Ar ID Oo Cm -- Ar COMMAND ... Oc.  Upper
 * case is a name of something, lower case is typed as it is. */
void mdoc_args(struct buf *out, const char *s);

/* "a|b|c" as Cm a | b | c. */
void mdoc_choices(struct buf *out, const char *s);

#endif
