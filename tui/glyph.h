/* SPDX-License-Identifier: MIT */
/* Characters where only ASCII can be shown. */
#ifndef SVM_TUI_GLYPH_H
#define SVM_TUI_GLYPH_H

#include <stdint.h>

/* What our own screens are drawn with; each is one column everywhere but in
 * East Asian terminals, for which there is `ascii`. */
#define GLYPH_DOT      "\u25cf"
#define GLYPH_RING     "\u25cb"
#define GLYPH_HALF     "\u25d0"
#define GLYPH_BULLSEYE "\u25c9"
#define GLYPH_CROSS    "\u2717"
#define GLYPH_CHECK    "\u2713"
#define GLYPH_MARKER   "\u258c"
#define GLYPH_FULL     "\u2588"
#define GLYPH_SHADE    "\u2591"
#define GLYPH_DOWN     "\u25be"
#define GLYPH_RIGHT    "\u25b8"
#define GLYPH_UP       "\u25b4"

/* One that looks the most like cp; '?' when none does. */
char glyph_ascii(uint32_t cp);

#endif
