/* SPDX-License-Identifier: MIT */
/*
 * Patterns: the input is "pattern NUL path".  Whatever they are, a match is
 * found in the time that their lengths allow, a path matches itself once
 * escaped, and what matches lies below each of its parents.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/glob.h"
#include "lib/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_parents(const char *pattern, const char *path)
{
	auto_free char *parent = xstrdup(path);

	for (char *slash; (slash = strrchr(parent, '/'));) {
		*slash = '\0';
		/* A trailing slash leaves the same path. */
		if (glob_match(pattern, path) && slash[1] &&
		    !glob_match_below(pattern, parent))
			abort();
	}
}

static void check_itself(const char *path)
{
	auto_free char *escaped = xcalloc(2, strlen(path) + 1);
	char *out = escaped;

	for (const char *p = path; *p; p++) {
		if (*p != '/')
			*out++ = '\\';
		*out++ = *p;
	}
	if (strlen(escaped) <= GLOB_PATTERN_MAX && !glob_match(escaped, path))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size ? memchr(data, '\0', size) : NULL;
	size_t n = nul ? (size_t)(nul - data) : size;
	auto_free char *pattern = xstrndup((const char *)data, n);
	auto_free char *path = nul ? xstrndup((const char *)nul + 1,
					      size - n - 1) : xstrdup("/a/b");

	if (size > 4096)
		return 0;
	check_parents(pattern, path);
	check_itself(path);
	if (glob_literal_prefix(pattern) > strlen(pattern))
		abort();
	return 0;
}
