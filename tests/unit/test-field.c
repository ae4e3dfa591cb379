/* SPDX-License-Identifier: MIT */
/* A line being typed: what gets in, where the cursor is, what is shown. */
#include <locale.h>
#include <string.h>

#include "lib/api/limits.h"
#include "lib/base/mem.h"
#include "tests/unit/unit.h"
#include "tui/field.h"

/* "text|" with the cursor as a bar. */
static void assert_field(const struct field *f, const char *wanted)
{
	auto_free char *is = xasprintf("%.*s|%s", (int)f->at, field_text(f),
				       field_text(f) + f->at);

	assert_string_equal(is, wanted);
}

static void act(struct field *f, enum action a)
{
	assert_true(field_act(f, a));
}

static void test_field__typing(void **state)
{
	struct field f = { 0 };

	(void)state;
	assert_string_equal(field_text(&f), "");
	assert_true(field_key(&f, (struct key){ 'a', 0 }));
	assert_true(field_key(&f, (struct key){ 'B', KEY_MOD_SHIFT }));
	assert_true(field_key(&f, (struct key){ 0x6f22, 0 }));
	assert_true(field_key(&f, (struct key){ ' ', 0 }));
	assert_field(&f, "aB\u6f22 |");
	/* Keys that are no text are for somebody else. */
	assert_false(field_key(&f, (struct key){ 'a', KEY_MOD_CTRL }));
	assert_false(field_key(&f, (struct key){ 'a', KEY_MOD_ALT }));
	assert_false(field_key(&f, (struct key){ KEY_CODE_ENTER, 0 }));
	assert_false(field_key(&f, (struct key){ KEY_CODE_TAB, 0 }));
	assert_false(field_key(&f, (struct key){ KEY_CODE_BACKSPACE, 0 }));
	assert_field(&f, "aB\u6f22 |");
	field_release(&f);
}

/* Nothing that steers a terminal, hides or reorders gets in. */
static void test_field__what_stays_out(void **state)
{
	static const struct {
		const char *added, *kept;
	} cases[] = {
		{ "a\033[31mb", "a[31mb" },
		{ "two\r\nlines\t.", "twolines." },
		{ "\x7f\xc2\x9b" "31m", "31m" },        /* DEL, CSI in C1 */
		{ "a\u202e\u2066\u200b" "b", "ab" },   /* bidi, zero width */
		{ "\xff\xc3(\xe6\xbc\xf0\x9f", "(" },  /* no UTF-8 */
		{ "\xed\xa0\x80\xc0\xaf", "" },        /* surrogate, overlong */
		{ "e\u0301", "e\u0301" },              /* a mark is text */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct field f = { 0 };

		field_add(&f, cases[i].added, strlen(cases[i].added));
		assert_string_equal(field_text(&f), cases[i].kept);
		field_release(&f);
	}
}

static void test_field__limit(void **state)
{
	struct field f = { 0 };
	auto_free char *much = xmalloc(LIMIT_TUI_FIELD + 9);

	(void)state;
	memset(much, 'x', LIMIT_TUI_FIELD + 9);
	field_add(&f, much, LIMIT_TUI_FIELD - 1);
	/* A character that doesn't fit whole stays out whole. */
	field_add(&f, "\u6f22", 3);
	assert_int_equal(f.text.len, LIMIT_TUI_FIELD - 1);
	field_add(&f, much, 9);
	assert_int_equal(f.text.len, LIMIT_TUI_FIELD);
	act(&f, ACT_LINE_DISCARD);
	act(&f, ACT_YANK);
	act(&f, ACT_YANK);
	assert_int_equal(f.text.len, LIMIT_TUI_FIELD);
	field_release(&f);
}

static void test_field__moving(void **state)
{
	struct field f = { 0 };

	(void)state;
	field_set(&f, "one  \u6f22\u5b57 e\u0301x");
	act(&f, ACT_RIGHT); /* at the end already */
	assert_field(&f, "one  \u6f22\u5b57 e\u0301x|");
	act(&f, ACT_LEFT);
	act(&f, ACT_LEFT); /* over the mark and what it stands on */
	assert_field(&f, "one  \u6f22\u5b57 |e\u0301x");
	act(&f, ACT_RIGHT);
	assert_field(&f, "one  \u6f22\u5b57 e\u0301|x");
	act(&f, ACT_WORD_PREV);
	act(&f, ACT_WORD_PREV);
	assert_field(&f, "one  |\u6f22\u5b57 e\u0301x");
	act(&f, ACT_WORD_NEXT);
	assert_field(&f, "one  \u6f22\u5b57| e\u0301x");
	act(&f, ACT_LINE_START);
	act(&f, ACT_LEFT);
	assert_field(&f, "|one  \u6f22\u5b57 e\u0301x");
	act(&f, ACT_LINE_END);
	assert_field(&f, "one  \u6f22\u5b57 e\u0301x|");
	field_release(&f);
}

static void test_field__deleting(void **state)
{
	struct field f = { 0 };

	(void)state;
	field_set(&f, "a \u6f22e\u0301");
	act(&f, ACT_RUBOUT);
	assert_field(&f, "a \u6f22|");
	act(&f, ACT_RUBOUT);
	assert_field(&f, "a |");
	act(&f, ACT_ERASE); /* nothing there */
	assert_field(&f, "a |");
	act(&f, ACT_LINE_START);
	act(&f, ACT_RUBOUT);
	act(&f, ACT_ERASE);
	assert_field(&f, "| ");
	field_set(&f, "one two three");
	act(&f, ACT_WORD_RUBOUT);
	assert_field(&f, "one two |");
	act(&f, ACT_YANK);
	assert_field(&f, "one two three|");
	act(&f, ACT_WORD_PREV);
	act(&f, ACT_LINE_KILL);
	assert_field(&f, "one two |");
	act(&f, ACT_LINE_DISCARD);
	assert_field(&f, "|");
	act(&f, ACT_YANK);
	assert_field(&f, "one two |");
	assert_false(field_act(&f, ACT_UP));
	assert_false(field_act(&f, ACT_NONE));
	field_release(&f);
}

static char *shown(const struct field *f, int width, int *ret_cursor)
{
	auto_canvas struct canvas *c = canvas_new(1, 20);
	struct buf out = BUF_INIT;

	field_view(f, c, 0, 2, width, pen_role(ROLE_INK), true);
	canvas_dump(c, &out);
	*ret_cursor = c->cursor_visible ? c->cursor_col : -1;
	return buf_steal(&out);
}

static void test_field__view(void **state)
{
	static const struct {
		const char *text;
		int back, width;
		const char *wanted;
		int cursor;
	} cases[] = {
		{ "abc", 0, 8, "  abc\n", 5 },
		/* The cursor has a column to itself. */
		{ "abcdefgh", 0, 8, "  bcdefgh\n", 9 },
		{ "abcdefgh", 8, 8, "  abcdefgh\n", 2 },
		{ "\u6f22\u5b57\u6771\u4eac", 0, 6, "  \u6771\u4eac\n", 6 },
		{ "\u6f22\u5b57\u6771\u4eac", 0, 5, "  \u6771\u4eac\n", 6 },
		{ "abc", 0, 1, "\n", 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct field f = { 0 };
		auto_free char *is = NULL;
		int cursor;

		field_set(&f, cases[i].text);
		for (int n = 0; n < cases[i].back; n++)
			act(&f, ACT_LEFT);
		is = shown(&f, cases[i].width, &cursor);
		assert_string_equal(is, cases[i].wanted);
		assert_int_equal(cursor, cases[i].cursor);
		field_release(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_field__typing),
		cmocka_unit_test(test_field__what_stays_out),
		cmocka_unit_test(test_field__limit),
		cmocka_unit_test(test_field__moving),
		cmocka_unit_test(test_field__deleting),
		cmocka_unit_test(test_field__view),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		print_message("needs the locale C.UTF-8\n");
		return 1;
	}
	return cmocka_run_group_tests_name("field", tests, NULL, NULL);
}
