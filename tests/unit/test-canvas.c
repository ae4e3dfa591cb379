/* SPDX-License-Identifier: MIT */
#include "tui/canvas.h"

#include <string.h>

#include "tests/unit/unit.h"

#define KANJI "\xe6\xbc\xa2"
#define INK pen_role(ROLE_INK)

static void check(const struct canvas *c, const char *want)
{
	auto_buf struct buf out = BUF_INIT;

	for (int i = 0; i < c->rows * c->cols; i++) {
		const struct cell *cell = &c->cells[i];
		bool after = i % c->cols && cell[-1].attr & CELL_WIDE;

		if (!!(cell->attr & CELL_TAIL) != after ||
		    (cell->attr & CELL_WIDE && i % c->cols == c->cols - 1))
			fail_msg("half of a wide character at %d", i);
	}
	canvas_dump(c, &out);
	assert_string_equal(buf_str(&out), want);
}

static void test_canvas__text(void **state)
{
	static const struct {
		const char *text;
		int width, used;
		const char *want;
	} cases[] = {
		{ "hello", 8, 5, "hello\n" },
		{ "hello", 5, 5, "hello\n" },
		{ "hello", 4, 4, "hel~\n" },
		{ "hello", 1, 1, "~\n" },
		{ "hello", 0, 0, "\n" },
		{ "hello", -3, 0, "\n" },
		{ "", 3, 0, "\n" },
		{ KANJI KANJI, 4, 4, KANJI KANJI "\n" },
		{ KANJI KANJI, 3, 3, KANJI "~\n" },
		{ KANJI KANJI, 2, 1, "~\n" },
		{ "e\xcc\x81x", 8, 2, "e\xcc\x81x\n" },
		{ "\xcc\x81x", 8, 1, "x\n" },
		{ "a\033[2Jb", 8, 7, "a^[[2Jb\n" },
		{ "a\nb\xff", 8, 8, "a^Jb\\xff\n" },
		{ "\xe2\x80\xae", 8, 8, "\\u{202e}\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_canvas struct canvas *c = canvas_new(1, 8);

		assert_int_equal(canvas_text(c, 0, 0, cases[i].width, INK,
					     cases[i].text), cases[i].used);
		check(c, cases[i].want);
	}
}

static void test_canvas__outside(void **state)
{
	auto_canvas struct canvas *c = canvas_new(2, 4);

	(void)state;
	canvas_text(c, -1, 0, 9, INK, "no");
	canvas_text(c, 2, 0, 9, INK, "no");
	canvas_text(c, 0, 4, 9, INK, "no");
	canvas_text(c, 0, -9, 9, INK, "no");
	canvas_fill(c, 0, 9, 9, 9, INK);
	check(c, "\n\n");
	canvas_text(c, 0, -1, 9, INK, KANJI "bcdef");
	check(c, " bcd\n\n");
	canvas_text(c, 1, 3, 9, INK, KANJI);
	canvas_text(c, 1, 1, 9, INK, KANJI);
	check(c, " bcd\n " KANJI "\n");
	canvas_box(c, -1, -1, 99, 99, INK, "title");
	canvas_box(c, 0, 0, 1, 9, INK, "no");
	canvas_shade(c, -5, -5, 99, 99, ROLE_SELECTED);
	check(c, " bcd\n " KANJI "\n");
	canvas_cursor(c, 1, 3);
	assert_true(c->cursor_visible);
	canvas_cursor(c, 2, 3);
	assert_false(c->cursor_visible);
	canvas_resize(c, -1, 0);
	check(c, "\n");
}

/* A popup over wide characters: what is cut in half is blank. */
static void test_canvas__popup(void **state)
{
	auto_canvas struct canvas *c = canvas_new(4, 12);

	(void)state;
	for (int r = 0; r < 4; r++)
		canvas_text(c, r, r % 2, 12, INK,
			    KANJI KANJI KANJI KANJI KANJI);
	canvas_fill(c, 1, 3, 2, 7, INK);
	canvas_box(c, 1, 3, 2, 7, INK, "x");
	check(c, KANJI KANJI KANJI KANJI KANJI "\n"
		 " " KANJI "\xe2\x94\x8c x \xe2\x94\x80\xe2\x94\x80"
		 "\xe2\x94\x90\n"
		 KANJI " \xe2\x94\x94\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80"
		 "\xe2\x94\x80\xe2\x94\x80\xe2\x94\x98\n"
		 " " KANJI KANJI KANJI KANJI KANJI "\n");
}

static void test_canvas__cells(void **state)
{
	auto_canvas struct canvas *c = canvas_new(1, 6);
	auto_canvas struct canvas *from = canvas_new(1, 6);

	(void)state;
	canvas_text(from, 0, 0, 6, INK, "a" KANJI "b" KANJI);
	canvas_cells(c, 0, 0, from->cells, 6);
	check(c, "a" KANJI "b" KANJI "\n");
	canvas_clear(c);
	canvas_cells(c, 0, 0, from->cells, 2); /* cut at its right */
	check(c, "a\n");
	canvas_cells(c, 0, -2, from->cells, 6); /* and at its left */
	check(c, " b" KANJI "\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_canvas__text),
		cmocka_unit_test(test_canvas__outside),
		cmocka_unit_test(test_canvas__popup),
		cmocka_unit_test(test_canvas__cells),
	};

	return cmocka_run_group_tests_name("canvas", tests, NULL, NULL);
}
