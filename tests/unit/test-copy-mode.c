/* SPDX-License-Identifier: MIT */
/* Looking back in a terminal: what is selected, what is found. */
#include "tests/unit/model-fixture.h"
#include "tui/copy-mode.h"

#define ROWS 5
#define COLS 12

struct look {
	struct model *m;
	struct terminal *t;
	struct copy copy;
};

static struct look begin(const char *output)
{
	struct look l = { .m = model_new(24, 80) };

	l.m->set.scrollback = 20;
	l.t = terminal_new(l.m, "sb-7f3a91c2", NULL, ROWS, COLS);
	terminal_write(l.t, output, strlen(output));
	copy_begin(&l.copy, l.t);
	copy_settle(&l.copy, l.t, ROWS);
	return l;
}

static void end(struct look *l)
{
	copy_release(&l->copy);
	fixture_free(l->m);
}

static void act(struct look *l, enum action a)
{
	assert_true(copy_act(l->m, &l->copy, l->t, a));
	if (l->copy.on)
		copy_settle(&l->copy, l->t, ROWS);
}

static void find(struct look *l, enum action a, const char *text)
{
	act(l, a);
	for (; *text; text++)
		copy_input(l->m, &l->copy, l->t,
			   &(struct input_event){
				   .type = INPUT_KEY,
				   .key = { (unsigned char)*text, 0 } });
	copy_input(l->m, &l->copy, l->t,
		   &(struct input_event){ .type = INPUT_KEY,
					  .key = { KEY_CODE_ENTER, 0 } });
	copy_settle(&l->copy, l->t, ROWS);
}

static void assert_text(const struct look *l, const char *wanted)
{
	auto_buf struct buf out = BUF_INIT;

	copy_text(&l->copy, l->t, &out);
	assert_string_equal(buf_str(&out), wanted);
}

static void test_copy_mode__kinds(void **state)
{
	struct look l = begin("one two\r\nthree four\r\nfive\r\nsix");

	(void)state;
	act(&l, ACT_TOP);
	act(&l, ACT_LINE_START);
	act(&l, ACT_WORD_NEXT);
	assert_int_equal(l.copy.col, 4);
	assert_text(&l, "one two");
	act(&l, ACT_SELECT);
	act(&l, ACT_DOWN);
	assert_text(&l, "two\nthree");
	act(&l, ACT_SELECT_LINES);
	assert_text(&l, "one two\nthree four\n");
	act(&l, ACT_SELECT_BLOCK);
	act(&l, ACT_LEFT);
	act(&l, ACT_LEFT);
	assert_text(&l, "e t\nree");
	act(&l, ACT_SELECT_BLOCK);
	act(&l, ACT_WORD_PREV);
	assert_int_equal(l.copy.col, 0);
	end(&l);
}

/* Wrapped lines are one; half a wide character is all of it. */
static void test_copy_mode__wrapped_and_wide(void **state)
{
	struct look l = begin("abcdefghijklmno\r\n\xe6\xbc\xa2\xe5\xad\x97x");

	(void)state;
	act(&l, ACT_TOP);
	act(&l, ACT_LINE_START);
	act(&l, ACT_SELECT);
	act(&l, ACT_DOWN);
	act(&l, ACT_LINE_END);
	assert_text(&l, "abcdefghijklmno");
	act(&l, ACT_SELECT);
	act(&l, ACT_DOWN);
	act(&l, ACT_LINE_START);
	act(&l, ACT_RIGHT);
	act(&l, ACT_SELECT);
	act(&l, ACT_RIGHT);
	assert_text(&l, "\xe6\xbc\xa2\xe5\xad\x97");
	end(&l);
}

/* In a row that goes on in the next one, too. */
static void test_copy_mode__words(void **state)
{
	struct look l = begin("ab cd  ef gh ij");
	static const int at[] = { 3, 7, 10 };

	(void)state;
	act(&l, ACT_TOP);
	act(&l, ACT_LINE_START);
	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		act(&l, ACT_WORD_NEXT);
		assert_int_equal(l.copy.col, at[i]);
	}
	act(&l, ACT_WORD_PREV);
	assert_int_equal(l.copy.col, 7);
	end(&l);
}

static void test_copy_mode__search(void **state)
{
	struct look l = begin("needle 1\r\nb\r\nc\r\nd\r\ne\r\nf\r\n"
			      "a Needle 2\r\ng");

	(void)state;
	find(&l, ACT_SEARCH_BACK, "needle");
	assert_text(&l, "a Needle 2");
	assert_int_equal(l.copy.col, 2);
	act(&l, ACT_SEARCH_NEXT);
	assert_text(&l, "needle 1");
	act(&l, ACT_SEARCH_NEXT); /* around */
	assert_text(&l, "a Needle 2");
	act(&l, ACT_SEARCH_PREV);
	assert_text(&l, "needle 1");
	find(&l, ACT_SEARCH, "nowhere");
	assert_text(&l, "needle 1");
	assert_non_null(strstr(l.m->toast, "nowhere"));
	end(&l);
}

/* Output doesn't move it, until what it stood on is forgotten. */
static void test_copy_mode__stays(void **state)
{
	struct look l = begin("first\r\nsecond\r\nthird");

	(void)state;
	act(&l, ACT_TOP);
	terminal_write(l.t, "\r\n1\r\n2\r\n3\r\n4\r\n5\r\n6", 18);
	copy_settle(&l.copy, l.t, ROWS);
	assert_true(l.t->scrolled);
	assert_text(&l, "first");
	assert_int_equal(l.t->top, l.copy.line);
	for (int i = 0; i < 100; i++)
		terminal_write(l.t, "\r\nmore", 6);
	copy_settle(&l.copy, l.t, ROWS);
	assert_text(&l, "more");
	assert_true(l.copy.line >= emu_first(l.t->emu));
	act(&l, ACT_CLOSE);
	assert_false(l.copy.on);
	assert_false(l.t->scrolled);
	end(&l);
}

static void test_copy_mode__copy(void **state)
{
	struct look l = begin("take this");

	(void)state;
	act(&l, ACT_COPY);
	assert_string_equal(buf_str(&l.m->clipboard), "take this");
	assert_true(l.m->effects & EFFECT_COPY);
	assert_false(l.copy.on);
	end(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copy_mode__kinds),
		cmocka_unit_test(test_copy_mode__wrapped_and_wide),
		cmocka_unit_test(test_copy_mode__words),
		cmocka_unit_test(test_copy_mode__search),
		cmocka_unit_test(test_copy_mode__stays),
		cmocka_unit_test(test_copy_mode__copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
