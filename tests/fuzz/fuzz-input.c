/* SPDX-License-Identifier: MIT */
/*
 * What a terminal can send, through the guard and libtickit behind it: it
 * means the same whole and byte by byte, and a key after it is still a key,
 * once whatever was open has ended.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "tui/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void note(void *data, const struct input_event *ev)
{
	struct buf *out = data;

	if (ev->type == INPUT_PASTE) {
		buf_add(out, ev->data, ev->size);
		return;
	}
	buf_addf(out, "[%d %x %u %d %d %u %d,%d]", ev->type, ev->key.code,
		 ev->key.mods, ev->mouse.kind, ev->mouse.button,
		 ev->mouse.mods, ev->mouse.row, ev->mouse.col);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char end[] = "\033[201~\033[201~";
	auto_buf struct buf whole = BUF_INIT, cut = BUF_INIT;
	auto_input struct input *a = input_new(note, &whole);
	auto_input struct input *b = input_new(note, &cut);

	if (!a || !b)
		abort();
	input_write(a, data, size);
	for (size_t i = 0; i < size; i++)
		input_write(b, data + i, 1);
	if (whole.len != cut.len ||
	    (whole.len && memcmp(whole.data, cut.data, cut.len) != 0))
		abort();
	input_write(a, end, sizeof(end) - 1);
	input_expire(a);
	if (input_waits(a))
		abort();
	buf_clear(&whole);
	input_write(a, "k", 1);
	if (strncmp(buf_str(&whole), "[0 6b ", 6) != 0)
		abort();
	return 0;
}
