/* SPDX-License-Identifier: MIT */
/* ASCII for the shapes that views draw.  See glyph.h. */
#include "tui/glyph.h"

#include "lib/base/defs.h"

char glyph_ascii(uint32_t cp)
{
	static const struct {
		uint32_t first, last;
		const char *shown; /* one each, or one for all */
	} shapes[] = {
		{ 0x20, 0x7e, NULL },
		{ 0xa0, 0xa0, " " },
		{ 0xb7, 0xb7, "." },
		{ 0x2013, 0x2014, "-" },
		{ 0x2018, 0x2019, "'" },
		{ 0x201c, 0x201d, "\"" },
		{ 0x2022, 0x2022, "*" },
		{ 0x2026, 0x2026, "~" },
		{ 0x2190, 0x2193, "<^>v" },
		{ 0x2500, 0x2501, "-" },
		{ 0x2502, 0x2503, "|" },
		{ 0x250c, 0x254b, "+" },
		{ 0x2550, 0x2550, "=" },
		{ 0x2551, 0x2551, "|" },
		{ 0x2552, 0x256c, "+" },
		{ 0x2580, 0x2580, "#" },
		{ 0x2581, 0x2588, ".:-=+*#%" },
		{ 0x258c, 0x258c, ">" },
		{ 0x2591, 0x2593, ".:#" },
		{ 0x25a0, 0x25a3, "#" },
		{ 0x25b2, 0x25b4, "^" },
		{ 0x25b6, 0x25b8, ">" },
		{ 0x25bc, 0x25be, "v" },
		{ 0x25cb, 0x25cb, "o" },
		{ 0x25cf, 0x25cf, "*" },
		{ 0x25d0, 0x25d3, "o" },
		{ 0x25c9, 0x25c9, "@" },
		{ 0x2713, 0x2714, "+" },
		{ 0x2717, 0x2718, "x" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		if (cp < shapes[i].first || cp > shapes[i].last)
			continue;
		if (!shapes[i].shown)
			return (char)cp;
		return shapes[i].shown[1] ?
			       shapes[i].shown[cp - shapes[i].first] :
			       shapes[i].shown[0];
	}
	return '?';
}
