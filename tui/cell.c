/* SPDX-License-Identifier: MIT */
/* Cells as text.  See cell.h. */
#include "tui/cell.h"

#include "lib/base/utf8.h"

size_t cell_text(const struct cell *c, char out[CELL_TEXT_MAX])
{
	size_t n = 0;

	if (c->cp)
		n += utf8_encode((uint32_t)c->cp, out + n);
	if (c->mark1)
		n += utf8_encode((uint32_t)c->mark1, out + n);
	if (c->mark2)
		n += utf8_encode((uint32_t)c->mark2, out + n);
	out[n] = '\0';
	return n;
}
