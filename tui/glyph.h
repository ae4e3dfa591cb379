/* SPDX-License-Identifier: MIT */
/* Characters where only ASCII can be shown. */
#ifndef SVM_TUI_GLYPH_H
#define SVM_TUI_GLYPH_H

#include <stdint.h>

/* One that looks the most like cp; '?' when none does. */
char glyph_ascii(uint32_t cp);

#endif
