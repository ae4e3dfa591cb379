/* SPDX-License-Identifier: MIT */
/* The editor: what keys make of a text, to the byte. */
#include <locale.h>

#include "lib/api/limits.h"
#include "tests/unit/model-fixture.h"
#include "tui/edit.h"

static void press(struct edit *e, const struct keymap *k, struct key key)
{
	const enum context chain[] = { e->mode == EDIT_INSERT ? CTX_INSERT :
								CTX_EDIT,
				       CTX_NONE };
	const struct input_event ev = { .type = INPUT_KEY, .key = key };

	if (!edit_input(e, k, &ev))
		edit_act(e, keymap_find(k, chain, key));
	edit_settle(e, 10, 60);
}

/* Words are keys; 'text' is typed character by character. */
static void press_all(struct edit *e, const char *keys)
{
	struct keymap *k = keymap_new();
	auto_free char *words = xstrdup(keys);

	for (char *w = words; *w;) {
		size_t n = *w == '\'' ? strcspn(w + 1, "'") + 2 :
					strcspn(w, " ");
		char *next = w[n] ? w + n + 1 : w + n;
		struct key key;

		w[n] = '\0';
		if (*w == '\'')
			for (char *p = w + 1; p < w + n - 1; p++)
				press(e, k, (struct key){ (unsigned char)*p,
							  0 });
		else if (key_parse(w, &key) == 0)
			press(e, k, key);
		else
			fail_msg("no key %s", w);
		w = next;
	}
	keymap_free(k);
}

struct example {
	const char *text, *keys, *is;
	size_t at;
};

static void check(const struct example *x)
{
	struct edit e = { 0 };

	edit_open(&e, x->text, strlen(x->text));
	edit_settle(&e, 10, 60);
	press_all(&e, x->keys);
	if (strcmp(buf_str(&e.text.text), x->is) != 0 || e.at != x->at)
		fail_msg("%s on \"%s\":\n \"%s\" at %zu, not\n \"%s\" at %zu",
			 x->keys, x->text, buf_str(&e.text.text), e.at, x->is,
			 x->at);
	edit_release(&e);
}

static void check_all(const struct example *all, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check(&all[i]);
}
#define CHECK(all) check_all(all, ARRAY_SIZE(all))

static void test_edit__moving(void **state)
{
	static const struct example all[] = {
		{ "abc\ndef\n", "l l l l", "abc\ndef\n", 2 },
		{ "abc\ndef\n", "j j j", "abc\ndef\n", 4 },
		{ "abc\ndef\n", "$ j", "abc\ndef\n", 6 },
		{ "abc\nd\nefg\n", "l l j j", "abc\nd\nefg\n", 8 },
		{ "a\tb\nxxxxxxxxxx\n", "$ j", "a\tb\nxxxxxxxxxx\n", 13 },
		{ "a\tb\nxxxxxxxxxxyy\n", "l l j",
		  "a\tb\nxxxxxxxxxxyy\n", 12 },
		{ "  ab cd\n", "^", "  ab cd\n", 2 },
		{ "  ab cd\n", "$ 0", "  ab cd\n", 0 },
		{ "ab.cd  ef\n\ngh", "w w w", "ab.cd  ef\n\ngh", 7 },
		{ "ab.cd  ef\n\ngh", "4 w", "ab.cd  ef\n\ngh", 10 },
		{ "ab.cd  ef\n\ngh", "G b b", "ab.cd  ef\n\ngh", 7 },
		{ "ab.cd  ef\n", "e e e", "ab.cd  ef\n", 4 },
		{ "1\n2\n3\n4\n", "3 G", "1\n2\n3\n4\n", 4 },
		{ "1\n2\n3\n4\n", "G", "1\n2\n3\n4\n", 6 },
		{ "1\n2\n3\n4\n", "G g g", "1\n2\n3\n4\n", 0 },
		{ "1\n2\n3\n4\n", ": '2' Enter", "1\n2\n3\n4\n", 2 },
		{ "1\n2\n3\n4\n", ": '$' Enter", "1\n2\n3\n4\n", 6 },
		/* A character with its mark, a wide one, a stray byte. */
		{ "e\xcc\x81\xe6\xbc\xa2\xff!", "l", "e\xcc\x81\xe6\xbc\xa2\xff!", 3 },
		{ "e\xcc\x81\xe6\xbc\xa2\xff!", "l l l",
		  "e\xcc\x81\xe6\xbc\xa2\xff!", 7 },
		{ "e\xcc\x81\xe6\xbc\xa2\xff!", "$ h h h",
		  "e\xcc\x81\xe6\xbc\xa2\xff!", 0 },
		{ "", "j l w b $ G", "", 0 },
		{ "\n", "j l w b $ G", "\n", 0 },
	};

	(void)state;
	CHECK(all);
}

static void test_edit__inserting(void **state)
{
	static const struct example all[] = {
		{ "ac\n", "l i 'b' Escape", "abc\n", 1 },
		{ "ab\n", "A 'c' Escape", "abc\n", 2 },
		{ "ab\n", "a 'x' Escape", "axb\n", 1 },
		{ "  b\n", "$ I 'a' Escape", "  ab\n", 2 },
		{ "a\nb\n", "o 'x' Escape", "a\nx\nb\n", 2 },
		{ "a\nb\n", "G O 'x' Escape", "a\nx\nb\n", 2 },
		{ "a\nb", "G o 'x' Escape", "a\nb\nx", 4 },
		{ "", "i 'a' Enter 'b' Escape", "a\nb", 2 },
		{ "ab\n", "l i Enter Escape", "a\nb\n", 2 },
		{ "ab\n", "A Backspace Backspace Backspace 'x' Escape", "x\n",
		  0 },
		{ "a\nb\n", "j i Backspace Escape", "ab\n", 0 },
		{ "a\nb\n", "A Delete Escape", "ab\n", 0 },
		{ "one two\n", "A ^W Escape", "one \n", 3 },
		{ "one two\n", "A ^U Escape", "\n", 0 },
		{ "a\n", "i Tab Escape", "\ta\n", 0 },
		{ "ab\n", "A 'c' M-0 x", "bc\n", 0 },
		{ "abc\n", "i Right 'x' Left 'y' Escape", "ayxbc\n", 1 },
	};

	(void)state;
	CHECK(all);
}

static void test_edit__operators(void **state)
{
	static const struct example all[] = {
		{ "abc\n", "x", "bc\n", 0 },
		{ "abc\n", "2 x p", "cab\n", 2 },
		{ "abc\n", "$ x", "ab\n", 1 },
		{ "\n", "x", "\n", 0 },
		{ "one two three\n", "d w", "two three\n", 0 },
		{ "one two three\n", "2 d w", "three\n", 0 },
		{ "one two three\n", "d 2 w", "three\n", 0 },
		{ "one\ntwo\n", "d w", "\ntwo\n", 0 },
		{ "one two\n", "c w 'x' Escape", "x two\n", 0 },
		{ "one two\n", "w d b", "two\n", 0 },
		{ "one two\n", "w D", "one \n", 3 },
		{ "one two\n", "w C 'x' Escape", "one x\n", 4 },
		{ "one two\n", "d $", "\n", 0 },
		{ "a\nb\nc\n", "j d d", "a\nc\n", 2 },
		{ "a\nb\nc\n", "2 d d", "c\n", 0 },
		{ "a\nb\nc\n", "j d G", "a\n", 0 },
		{ "a\nb\nc\n", "G d g", "", 0 },
		{ "a\nb", "G d d", "a", 0 },
		{ "a\nb\nc\n", "d j", "c\n", 0 },
		{ "a\nb\nc\n", "j c c 'x' Escape", "a\nx\nc\n", 2 },
		{ "a\nb\n", "y y p", "a\na\nb\n", 2 },
		{ "a\nb\n", "y y P", "a\na\nb\n", 0 },
		{ "a\nb", "G y y p", "a\nb\nb", 4 },
		{ "a\nb\n", "d d p", "b\na\n", 2 },
		{ "one two\n", "y w $ p", "one twoone \n", 10 },
		{ "one two\n", "y e w P", "one onetwo\n", 6 },
		{ "a\n  b\nc\n", "J", "a b\nc\n", 1 },
		{ "a\n\nb\n", "J J", "a b\n", 1 },
		{ "one two\n", "d Escape x", "ne two\n", 0 },
		{ "one two\n", "d i x", "ne two\n", 0 },
		{ "one two\n", "d : d w", "two\n", 0 },
	};

	(void)state;
	CHECK(all);
}

static void test_edit__undo(void **state)
{
	static const struct example all[] = {
		{ "a\n", "A 'bcd' Escape u", "a\n", 0 },
		{ "a\n", "A 'bcd' Escape u ^R", "abcd\n", 1 },
		{ "a\nb\n", "d d x u", "b\n", 0 },
		{ "a\nb\n", "d d x u u", "a\nb\n", 0 },
		{ "a\nb\n", "d d x u u ^R ^R", "\n", 0 },
		/* One change of several pieces is one step. */
		{ "one two\n", "c w 'xyz' Escape u", "one two\n", 0 },
		{ "a\n", "o 'b' Enter 'c' Escape u", "a\n", 0 },
		{ "a\n", "x u u u ^R ^R", "\n", 0 },
		/* What was undone is gone once something else is done. */
		{ "abc\n", "x u D ^R", "\n", 0 },
		/* The arrows begin another step. */
		{ "a\n", "A 'b' Left 'c' Escape u", "ab\n", 1 },
	};

	(void)state;
	CHECK(all);
}

static void test_edit__searching(void **state)
{
	static const struct example all[] = {
		{ "one two one\n", "/ 'one' Enter", "one two one\n", 8 },
		{ "one two one\n", "/ 'one' Enter n", "one two one\n", 0 },
		{ "one two one\n", "? 'two' Enter", "one two one\n", 4 },
		{ "one two ONE\n", "/ 'one' Enter", "one two ONE\n", 8 },
		{ "one two ONE\n", "/ 'ONE' Enter n", "one two ONE\n", 8 },
		{ "one two one\n", "/ 'o' Enter n N N", "one two one\n", 0 },
		{ "one two one\n", "/ 'none' Enter", "one two one\n", 0 },
		{ "one two one\n", "/ 'tw' Escape x", "ne two one\n", 0 },
		{ "one two one\n", "/ 'two' Enter 0 d n", "two one\n", 0 },
	};

	(void)state;
	CHECK(all);
}

/* Lines that end in CR LF go on ending so, and what isn't touched stays. */
static void test_edit__bytes_stay(void **state)
{
	static const struct example all[] = {
		{ "a\r\nb\r\n", "A 'x' Escape", "ax\r\nb\r\n", 1 },
		{ "a\r\nb\r\n", "A Enter 'x' Escape", "a\r\nx\r\nb\r\n", 3 },
		{ "a\r\nb\r\n", "o 'x' Escape", "a\r\nx\r\nb\r\n", 3 },
		{ "a\r\nb\r\n", "y y p", "a\r\na\r\nb\r\n", 3 },
		{ "a\r\nb\r\n", "d d", "b\r\n", 0 },
		{ "a\r\nb\r\n", "J", "a b\r\n", 1 },
		{ "a\r\nb\r\n", "$ l l x", "\r\nb\r\n", 0 },
		{ "a\r\nb\r\n", "j i Backspace Escape", "ab\r\n", 0 },
		{ "a\r\nb", "G y y p", "a\r\nb\r\nb", 6 },
		/* Of a text with LF alone a CR is a character. */
		{ "a\nb\r\n", "j $ x", "a\nb\n", 2 },
		{ "\xff\xfe\x01\n\xc3", "l x", "\xff\x01\n\xc3", 1 },
		{ "\xe2\x82\n", "x", "\x82\n", 0 },
		{ "a", "A 'b' Escape", "ab", 1 },
	};
	struct edit e = { 0 };

	(void)state;
	CHECK(all);
	edit_open(&e, "a\0b\n", 4);
	press_all(&e, "$ a 'c' Escape");
	assert_int_equal(e.text.text.len, 5);
	assert_memory_equal(e.text.text.data, "a\0bc\n", 5);
	edit_release(&e);
}

static void paste(struct edit *e, const char *text)
{
	edit_input(e, NULL, &(struct input_event){ .type = INPUT_PASTE_BEGIN });
	for (; *text; text++) /* however it is cut into pieces */
		edit_input(e, NULL, &(struct input_event){
					    .type = INPUT_PASTE,
					    .data = text, .size = 1 });
	edit_input(e, NULL, &(struct input_event){ .type = INPUT_PASTE_END });
}

/* A paste is text in any mode, and one step. */
static void test_edit__paste(void **state)
{
	struct edit e = { 0 };

	(void)state;
	edit_open(&e, "ab\n", 3);
	press_all(&e, "l");
	paste(&e, "ddx\r:q!\r\n\nend");
	assert_string_equal(buf_str(&e.text.text), "addx\n:q!\n\nendb\n");
	assert_int_equal(e.wants, 0);
	press_all(&e, "u");
	assert_string_equal(buf_str(&e.text.text), "ab\n");
	edit_release(&e);
}

static void test_edit__modified(void **state)
{
	struct edit e = { 0 };

	(void)state;
	edit_open(&e, "abc\n", 4);
	assert_false(edit_modified(&e));
	press_all(&e, "x");
	assert_true(edit_modified(&e));
	press_all(&e, "u");
	assert_false(edit_modified(&e));
	press_all(&e, "^R A 'd'");
	e.saved = edit_text_mark(&e.text);
	assert_false(edit_modified(&e));
	/* Typing on is another step than what was saved. */
	press_all(&e, "'e'");
	assert_true(edit_modified(&e));
	press_all(&e, "Escape u");
	assert_false(edit_modified(&e));
	press_all(&e, "u i 'z' Escape u");
	assert_true(edit_modified(&e)); /* what was saved is out of reach */
	edit_release(&e);
}

static void test_edit__wants(void **state)
{
	static const struct {
		const char *keys;
		unsigned wants;
	} all[] = {
		{ "^S", EDIT_WRITE },
		{ "i ^S", EDIT_WRITE },
		{ "^O", EDIT_LEAVE },
		{ "Escape", 0 },
		{ "Escape Escape", EDIT_LEAVE },
		{ "Escape l Escape", 0 },
		{ "i Escape Escape", 0 },
		{ "d Escape Escape", 0 },
		{ ": 'w' Enter", EDIT_WRITE },
		{ ": 'w!' Enter", EDIT_WRITE | EDIT_FORCE },
		{ ": 'q' Enter", EDIT_LEAVE },
		{ ": 'q!' Enter", EDIT_LEAVE | EDIT_FORCE },
		{ ": 'wq' Enter", EDIT_WRITE | EDIT_LEAVE },
		{ ": 'x' Enter", EDIT_WRITE | EDIT_LEAVE },
		{ ": 'e!' Enter", EDIT_RELOAD | EDIT_FORCE },
		{ ": 'q' Escape", 0 },
		{ ": 'wqa' Enter", 0 },
		{ ": Enter", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct edit e = { 0 };

		edit_open(&e, "text\n", 5);
		press_all(&e, all[i].keys);
		if (e.wants != all[i].wants)
			fail_msg("%s: %u", all[i].keys, e.wants);
		edit_release(&e);
	}
}

/* More than there is room for is refused, and the text stays. */
static void test_edit__limits(void **state)
{
	auto_free char *most = xmalloc(LIMIT_TUI_EDIT);
	struct edit e = { 0 };

	(void)state;
	memset(most, 'x', LIMIT_TUI_EDIT);
	most[9] = '\n';
	edit_open(&e, most, LIMIT_TUI_EDIT);
	press_all(&e, "i 'y'");
	assert_int_equal(e.text.text.len, LIMIT_TUI_EDIT);
	assert_true(e.message_bad);
	press_all(&e, "Escape d d u");
	assert_int_equal(e.text.text.len, LIMIT_TUI_EDIT);
	assert_memory_equal(e.text.text.data, most, LIMIT_TUI_EDIT);
	/* Changes of more than is kept can't be undone, and count. */
	press_all(&e, "d d d d p p");
	for (int i = 0; i < 8; i++) {
		press_all(&e, "G d G P");
		assert_true(e.text.bytes <= LIMIT_TUI_EDIT_UNDO);
	}
	press_all(&e, "u u u u u u u u u u u u u u u u u u u u u u u u");
	assert_true(edit_modified(&e));
	edit_release(&e);
}

static void test_edit__view(void **state)
{
	auto_canvas struct canvas *c = canvas_new(5, 40);
	auto_buf struct buf out = BUF_INIT;
	struct edit e = { 0 };

	(void)state;
	edit_open(&e, "\ta\xff\033[31m\n\xe6\xbc\xa2\xe2\x80\xae!\nlast", 21);
	edit_settle(&e, 5, 40);
	press_all(&e, "j $");
	edit_settle(&e, 5, 40);
	edit_view(&e, c, (struct area){ 0, 0, 5, 40 }, true);
	canvas_dump(c, &out);
	assert_string_equal(buf_str(&out),
			    "     1         a\\xff^[[31m\n"
			    "     2 \xe6\xbc\xa2\\u{202e}!\n"
			    "     3 last\n~\n~\n");
	assert_int_equal(c->cursor_row, 1);
	assert_int_equal(c->cursor_col, 7 + 2 + 8);
	edit_release(&e);
}

/* The cursor stays in view, and so does what it stands on. */
static void test_edit__scrolls(void **state)
{
	auto_canvas struct canvas *c = canvas_new(5, 20);
	auto_buf struct buf text = BUF_INIT;
	struct edit e = { 0 };

	(void)state;
	for (int i = 1; i <= 100; i++)
		buf_addf(&text, "%d the quick brown fox jumps\n", i);
	edit_open(&e, text.data, text.len);
	for (int i = 0; i < 99; i++) {
		press_all(&e, i % 2 ? "j $" : "j 0");
		edit_settle(&e, 5, 20);
		canvas_clear(c);
		edit_view(&e, c, (struct area){ 0, 0, 5, 20 }, true);
		assert_true(c->cursor_visible);
		assert_in_range(c->cursor_row, 0, 4);
		assert_in_range(c->cursor_col, 7, 19);
	}
	assert_int_equal(edit_line_number(&e.text, e.top), 96);
	edit_release(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edit__moving),
		cmocka_unit_test(test_edit__inserting),
		cmocka_unit_test(test_edit__operators),
		cmocka_unit_test(test_edit__undo),
		cmocka_unit_test(test_edit__searching),
		cmocka_unit_test(test_edit__bytes_stay),
		cmocka_unit_test(test_edit__paste),
		cmocka_unit_test(test_edit__modified),
		cmocka_unit_test(test_edit__wants),
		cmocka_unit_test(test_edit__limits),
		cmocka_unit_test(test_edit__view),
		cmocka_unit_test(test_edit__scrolls),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		print_message("needs the locale C.UTF-8\n");
		return 1;
	}
	return cmocka_run_group_tests_name("edit", tests, NULL, NULL);
}
