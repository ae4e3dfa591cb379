/* SPDX-License-Identifier: MIT */
/*
 * Whatever text it is and whatever is pressed: the cursor is in the text and
 * in view, what is drawn are printable characters, undoing everything brings
 * back the very bytes, and redoing everything the last ones.
 *
 * The input is a length and so much text, then pairs of bytes: keys.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "tui/edit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROWS 6
#define COLS 30

static void press(struct edit *e, const struct keymap *k, unsigned code,
		  unsigned mods)
{
	const enum context chain[] = { e->mode == EDIT_INSERT ? CTX_INSERT :
								CTX_EDIT,
				       CTX_NONE };
	struct input_event ev = { .type = INPUT_KEY };

	ev.key.code = mods & 8 ? KEY_CODE_NONE + 1 +
			code % (KEY_CODE_MAX - KEY_CODE_NONE - 1) : code;
	ev.key.mods = mods & 4;
	if (!edit_input(e, k, &ev))
		edit_act(e, keymap_find(k, chain, ev.key));
}

static void look(struct edit *e)
{
	auto_canvas struct canvas *c = canvas_new(ROWS, COLS);

	edit_settle(e, ROWS, COLS);
	if (e->at > e->text.text.len || e->top > e->at)
		abort();
	edit_view(e, c, (struct area){ 0, 0, ROWS, COLS }, true);
	if (e->mode != EDIT_LINE && !c->cursor_visible)
		abort();
	for (int i = 0; i < ROWS * COLS; i++) {
		unsigned cp = (unsigned)c->cells[i].cp;

		if (cp && (cp < 0x20 || (cp >= 0x7f && cp < 0xa0)))
			abort();
	}
}

static void check_is(const struct edit *e, const void *data, size_t n)
{
	if (e->text.text.len != n ||
	    (n && memcmp(e->text.text.data, data, n) != 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct keymap *k = keymap_new();
	size_t n = size ? MIN((size_t)data[0], size - 1) : 0;
	auto_buf struct buf last = BUF_INIT;
	struct edit e = { 0 };
	size_t at;

	edit_open(&e, (const char *)data + 1, n);
	look(&e);
	for (size_t i = n + 1; i + 1 < size; i += 2) {
		/* A text that doubles each time is for the limits' test. */
		if (e.text.text.len > 4096)
			break;
		press(&e, k, data[i], data[i + 1]);
		look(&e);
	}
	while (edit_text_redo(&e.text, &at))
		;
	buf_add(&last, buf_str(&e.text.text), e.text.text.len);
	while (edit_text_undo(&e.text, &at))
		;
	check_is(&e, data + 1, n);
	if (edit_modified(&e))
		abort();
	while (edit_text_redo(&e.text, &at))
		;
	check_is(&e, last.data, last.len);
	edit_release(&e);
	keymap_free(k);
	return 0;
}
