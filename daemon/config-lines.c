/* SPDX-License-Identifier: MIT */
/*
 * Lines of a file that is about to be changed: who is told of one looks into
 * the file as it is.  See config-internal.h.
 */
#include <string.h>

#include "daemon/config-internal.h"
#include "lib/base/defs.h"

static size_t count(const char *text, size_t n)
{
	size_t lines = 0;

	for (size_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	return lines;
}

struct config_lines config_lines(const char *old, size_t n_old,
				 const char *new, size_t n_new)
{
	size_t most = MIN(n_old, n_new), head = 0, tail = 0;

	while (head < most && old[head] == new[head])
		head++;
	/* What comes behind a last line without an end gives it one. */
	if (head && head == n_old && head < n_new && new[head] == '\n')
		return (struct config_lines){ count(new, head) + 1,
					      count(new, n_new) + 2, 0 };
	while (head && new[head - 1] != '\n')
		head--;
	while (tail < most - head &&
	       old[n_old - tail - 1] == new[n_new - tail - 1])
		tail++;
	/* From the beginning of a line on, in both. */
	while (tail && ((n_old > tail && old[n_old - tail - 1] != '\n') ||
			(n_new > tail && new[n_new - tail - 1] != '\n')))
		tail--;
	return (struct config_lines){ count(new, head),
				      count(new, n_new - tail) + 1,
				      count(old, n_old - tail) + 1 };
}

size_t config_line(const struct config_lines *l, size_t line)
{
	return line <= l->same ? line :
	       line >= l->again ? line - l->again + l->before : 0;
}
