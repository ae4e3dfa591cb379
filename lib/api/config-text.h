/* SPDX-License-Identifier: MIT */
/*
 * Changing one value in the text of a configuration file.  All else stays as
 * it is, byte for byte: comments, order, blank lines, other values' spelling.
 *
 * A key that is there gets the new value where it stands.  A new one comes
 * behind the last of its section, a new section at the end of the file.  What
 * is taken out goes with the rest of its line, and with the section it leaves
 * empty.  Afterwards the new text is read again and must say what the old one
 * said but for this one key: a file so unusual that this fails is refused,
 * never damaged.
 */
#ifndef SVM_API_CONFIG_TEXT_H
#define SVM_API_CONFIG_TEXT_H

#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

/*
 * `key` is dotted ("server.port"); `value` is any line of text and is quoted
 * as needed (keys that take lists take "a,b" too); NULL takes the key out.
 * `name` is the file's, for messages.
 *
 * 1: the new text was added to `ret`; 0: it says so already; -1 with err.
 */
int config_text_set(const char *name, const char *text, size_t n,
		    const char *key, const char *value, struct buf *ret,
		    struct svm_err *err);

/* The same with a list, written as config_text_list() does. */
int config_text_set_list(const char *name, const char *text, size_t n,
			 const char *key, char *const *items, struct buf *ret,
			 struct svm_err *err);

/* [git, log, "{id}"]: how one writes it, and reads it in a line. */
void config_text_list(char *const *items, struct buf *out);

/* The items of such a line, LIMIT_CONFIG_LIST at most, NULL at the end; the
 * caller's (strv_free).  NULL when it is none. */
char **config_text_read_list(const char *line);

#endif
