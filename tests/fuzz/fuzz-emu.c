/* SPDX-License-Identifier: MIT */
/*
 * The terminal emulator: the input is "rows columns bytes", and in the bytes
 * 0xc0 rows columns resizes, as 0xc0 is no part of UTF-8.  After each step no
 * wide character is halved and the cursor is on the screen.  What output was
 * read as does not depend on where it was cut.  A replay asks nothing.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/replay.h"
#include "lib/api/limits.h"
#include "lib/base/utf8.h"
#include "tui/emu-internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct emu *e)
{
	const char *why = emu_check(e);

	if (why) {
		fprintf(stderr, "emu: %s\n", why);
		abort();
	}
}

static void check_lines(const struct emu *e)
{
	struct cell cells[256];
	int n = 1 + emu_cols(e) % 200;

	for (uint64_t i = emu_first(e);
	     i < emu_top(e) + (uint64_t)emu_rows(e); i++) {
		if (emu_line(e, i, cells, n) < 0)
			abort();
		for (int c = 0; c < n; c++)
			if (!!(cells[c].attr & CELL_TAIL) !=
			    (c && cells[c - 1].attr & CELL_WIDE))
				abort();
		if (cells[n - 1].attr & CELL_WIDE)
			abort();
	}
}

static void check_same(const struct emu *a, const struct emu *b)
{
	size_t n = (size_t)emu_cols(a) * sizeof(struct cell), na, nb;
	const char *ra = emu_reply(a, &na), *rb = emu_reply(b, &nb);

	if (emu_cols(a) != emu_cols(b) || emu_rows(a) != emu_rows(b) ||
	    emu_top(a) != emu_top(b) || na != nb || memcmp(ra, rb, na) != 0)
		abort();
	for (int r = 0; r < emu_rows(a); r++)
		if (memcmp(emu_row(a, r), emu_row(b, r), n) != 0)
			abort();
}

static void write_checked(struct emu *whole, struct emu *cut,
			  const uint8_t *data, size_t n)
{
	emu_write(whole, data, n);
	for (size_t i = 0; i < n; i++)
		emu_write(cut, data + i, 1);
	check(whole);
	check_same(whole, cut);
	if (!utf8_valid(emu_title(whole), strlen(emu_title(whole))) ||
	    strpbrk(emu_title(whole), "\033\n\r\a"))
		abort();
}

static void check_replay(const char *p, size_t n)
{
	auto_emu struct emu *e = emu_new(24, 80, &(struct emu_options){ 0 });
	auto_buf struct buf whole = BUF_INIT, cut = BUF_INIT;
	struct replay a = { 0 }, b = { 0 };
	size_t asked;

	replay_add(&a, p, n, &whole);
	for (size_t i = 0; i < n; i++)
		replay_add(&b, p + i, 1, &cut);
	emu_write(e, buf_str(&whole), whole.len);
	emu_reply(e, &asked);
	if (asked || whole.len != cut.len || a.at != b.at ||
	    (whole.len && memcmp(whole.data, cut.data, whole.len) != 0))
		abort();
	replay_end(&a, &whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct emu_options options = { .history_lines = 50,
				       .history_bytes = 1 };
	auto_emu struct emu *whole = NULL, *cut = NULL;
	const uint8_t *end = data + size;

	if (size < 2)
		return 0;
	check_replay((const char *)data + 2, size - 2);
	whole = emu_new(data[0] % 60, data[1], &options);
	cut = emu_new(data[0] % 60, data[1], &options);
	for (data += 2; data < end;) {
		const uint8_t *mark = memchr(data, 0xc0, (size_t)(end - data));
		size_t n = (size_t)((mark ? mark : end) - data);

		write_checked(whole, cut, data, n);
		data += n;
		if (end - data >= 3) {
			emu_resize(whole, data[1] % 60, data[2]);
			emu_resize(cut, data[1] % 60, data[2]);
			check(whole);
			check_lines(whole);
			data += 3;
		} else {
			data = end;
		}
	}
	check_lines(whole);
	return 0;
}
