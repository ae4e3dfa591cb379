/* SPDX-License-Identifier: MIT */
/*
 * Patterns of paths, without touching the file system.
 *
 *	*      any bytes but '/'       ?      one byte but '/'
 *	**     as a whole component: any number of components, also none
 *	[a-z]  one of these bytes      [!a]   none of them, not '/'
 *	\x     x itself
 *
 * A dot is a byte like others.  Empty components don't count: "//a/" is "/a".
 * Time is O(pattern * path) whatever both look like: hostile patterns can't
 * make it back up again and again.
 */
#ifndef SVM_BASE_GLOB_H
#define SVM_BASE_GLOB_H

#include <stdbool.h>
#include <stddef.h>

#define GLOB_PATTERN_MAX 4096 /* longer ones match nothing */

bool glob_match(const char *pattern, const char *path);

/* Whether a path below the directory `dir` can match. */
bool glob_match_below(const char *pattern, const char *dir);

/* Length of the leading components without magic; the last component never
 * counts.  "/usr/lib/x*": 8, without the slash that follows. */
size_t glob_literal_prefix(const char *pattern);

#endif
