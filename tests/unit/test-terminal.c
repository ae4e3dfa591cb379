/* SPDX-License-Identifier: MIT */
/* A terminal of the model: what is typed and pasted, what is shown of it. */
#include <locale.h>

#include "lib/api/limits.h"
#include "tests/unit/model-fixture.h"

struct box {
	struct model *m;
	struct terminal *t;
};

static struct box begin(void)
{
	struct box b = { .m = model_new(24, 80) };

	b.m->set.scrollback = 50;
	b.t = terminal_new(b.m, "sb-7f3a91c2", NULL, 4, 20);
	b.t->state = TERMINAL_LIVE;
	return b;
}

static void end(struct box *b)
{
	fixture_free(b->m);
}

static void say(struct box *b, const char *text)
{
	terminal_write(b->t, text, strlen(text));
}

static void give(struct box *b, enum input_type type, const void *data,
		 size_t n)
{
	terminal_input(b->t, &(struct input_event){ .type = type,
						    .data = data,
						    .size = n });
}

static void key(struct box *b, uint32_t code, unsigned mods)
{
	terminal_input(b->t, &(struct input_event){ .type = INPUT_KEY,
						    .key = { code, mods } });
}

static void expect_in(struct box *b, int width, const char *wanted)
{
	auto_buf struct buf out = BUF_INIT;

	terminal_status(b->m, b->t, width, &out);
	assert_string_equal(buf_str(&out), wanted);
}

static void expect_status(struct box *b, const char *wanted)
{
	expect_in(b, 80, wanted);
}

static void expect_typed(struct box *b, const char *wanted)
{
	assert_string_equal(buf_str(&b->t->typed), wanted);
	buf_clear(&b->t->typed);
}

static void test_terminal__keys(void **state)
{
	struct box b = begin();

	(void)state;
	key(&b, 'a', 0);
	key(&b, 'c', KEY_MOD_CTRL);
	key(&b, KEY_CODE_UP, 0);
	expect_typed(&b, "a\003\033[A");
	say(&b, "\033[?1h"); /* cursor keys of an application */
	key(&b, KEY_CODE_UP, 0);
	expect_typed(&b, "\033OA");
	end(&b);
}

/* What the program asks is answered in the order it is typed. */
static void test_terminal__replies(void **state)
{
	struct box b = begin();

	(void)state;
	key(&b, 'a', 0);
	say(&b, "\033[5n");
	key(&b, 'b', 0);
	expect_typed(&b, "a\033[0nb");
	end(&b);
}

static void test_terminal__paste(void **state)
{
	struct box b = begin();

	(void)state;
	give(&b, INPUT_PASTE_BEGIN, NULL, 0);
	give(&b, INPUT_PASTE, "a\nb\033[", 5);
	give(&b, INPUT_PASTE_END, NULL, 0);
	expect_typed(&b, "a\rb[");
	say(&b, "\033[?2004h");
	give(&b, INPUT_PASTE_BEGIN, NULL, 0);
	give(&b, INPUT_PASTE, "x", 1);
	give(&b, INPUT_PASTE_END, NULL, 0);
	expect_typed(&b, "\033[200~x\033[201~");
	end(&b);
}

/* A paste that doesn't fit is cut at one place, its end is told, and so is
 * the user; what is typed then comes after it. */
static void test_terminal__paste_cut(void **state)
{
	enum { CHUNK = 4000 };
	struct box b = begin();
	char chunk[CHUNK];
	size_t sent = 0, begun;

	(void)state;
	say(&b, "\033[?2004h");
	give(&b, INPUT_PASTE_BEGIN, NULL, 0);
	begun = b.t->typed.len;
	for (; sent < LIMIT_TUI_TYPED + 9 * CHUNK; sent += CHUNK) {
		memset(chunk, 'a' + (int)(sent / CHUNK % 26), CHUNK);
		give(&b, INPUT_PASTE, chunk, CHUNK);
	}
	give(&b, INPUT_PASTE, "small", 5); /* there is room, but not here */
	give(&b, INPUT_PASTE_END, NULL, 0);
	key(&b, 'Z', 0);
	assert_in_range(b.t->typed.len, LIMIT_TUI_TYPED - CHUNK,
			LIMIT_TUI_TYPED + 16);
	assert_null(strstr(b.t->typed.data, "small"));
	assert_string_equal(b.t->typed.data + b.t->typed.len - 7,
			    "\033[201~Z");
	for (size_t i = begun; i < b.t->typed.len - 7; i++)
		if (b.t->typed.data[i] !=
		    (char)('a' + (i - begun) / CHUNK % 26))
			fail_msg("another byte at %zu", i);
	auto_free char *wanted = xasprintf(
		"[%zu bytes not sent: it does not read]",
		sent + 5 - (b.t->typed.len - 7 - begun));

	expect_status(&b, wanted);
	/* Once it has read all, that is history. */
	buf_clear(&b.t->typed);
	expect_status(&b, wanted);
	key(&b, 'x', 0);
	expect_status(&b, "");
	end(&b);
}

/* Keys that find no room are counted as well. */
static void test_terminal__keys_dropped(void **state)
{
	auto_free char *most = xmalloc(LIMIT_TUI_TYPED);
	struct box b = begin();

	(void)state;
	memset(most, 'x', LIMIT_TUI_TYPED);
	terminal_type(b.t, most, LIMIT_TUI_TYPED);
	expect_status(&b, "");
	key(&b, 'a', 0);
	key(&b, KEY_CODE_UP, 0);
	expect_status(&b, "[4 bytes not sent: it does not read]");
	assert_int_equal(b.t->typed.len, LIMIT_TUI_TYPED);
	end(&b);
}

static void test_terminal__scroll(void **state)
{
	struct box b = begin();

	(void)state;
	for (int i = 0; i < 30; i++)
		say(&b, "line\r\n");
	terminal_scroll(b.t, -5);
	expect_status(&b, "[scrollback -5]");
	say(&b, "more\r\nand more\r\n"); /* the view stays where it is */
	expect_status(&b, "[scrollback -7]");
	terminal_scroll(b.t, -1000);
	assert_int_equal(b.t->top, emu_first(b.t->emu));
	for (int i = 0; i < 100; i++) /* what is in view is forgotten */
		say(&b, "line\r\n");
	assert_int_equal(b.t->top, emu_first(b.t->emu));
	terminal_scroll(b.t, 3);
	assert_true(b.t->scrolled);
	terminal_scroll(b.t, 1000);
	expect_status(&b, "");
	terminal_scroll(b.t, -5);
	key(&b, 'a', 0); /* who types wants to see it */
	assert_false(b.t->scrolled);
	end(&b);
}

static void test_terminal__mouse(void **state)
{
	struct input_event ev = { .type = INPUT_MOUSE,
				  .mouse = { MOUSE_PRESS, 1, 0, 1, 2 } };
	struct box b = begin();

	(void)state;
	assert_false(terminal_input(b.t, &ev)); /* nobody asked for it */
	expect_typed(&b, "");
	say(&b, "\033[?1000h\033[?1006h");
	assert_true(terminal_input(b.t, &ev));
	expect_typed(&b, "\033[<0;3;2M");
	ev.mouse.mods = KEY_MOD_SHIFT; /* Shift is ours */
	assert_false(terminal_input(b.t, &ev));
	ev.mouse.kind = MOUSE_WHEEL_UP;
	assert_true(terminal_input(b.t, &ev));
	expect_typed(&b, "");
	end(&b);
}

static void test_terminal__status(void **state)
{
	struct box b = begin();

	(void)state;
	b.t->state = TERMINAL_OPENING;
	expect_status(&b, "[opening]");
	b.t->state = TERMINAL_EXITED;
	b.t->exit_code = 3;
	expect_status(&b, "[exited 3  r restart  Enter close]");
	b.t->lasted_ns = INT64_C(250) * 1000000000;
	expect_status(&b, "[exited 3 in 4m  r restart  Enter close]");
	b.t->state = TERMINAL_FAILED;
	b.t->why = xstrdup("gone");
	expect_status(&b, "[gone  r restart  Enter close]");
	b.t->state = TERMINAL_LIVE;
	say(&b, "\a");
	expect_status(&b, "BELL");
	end(&b);
}

/* Since when, and when that is another text: by the second, later less. */
static void test_terminal__lost(void **state)
{
	const int64_t second = INT64_C(1000000000);
	struct box b = begin();

	(void)state;
	assert_int_equal(terminal_status_wake(b.m, b.t), 0);
	b.m->boot_ns = b.t->lost_ns = 5 * second;
	b.t->state = TERMINAL_LOST;
	expect_status(&b, "[reconnecting 0 s]");
	assert_int_equal(terminal_status_wake(b.m, b.t), 6 * second);
	b.m->boot_ns += 5 * second / 2;
	expect_status(&b, "[reconnecting 2 s]");
	assert_int_equal(terminal_status_wake(b.m, b.t), 8 * second);
	b.m->boot_ns = 70 * second;
	expect_status(&b, "[reconnecting 1 min]");
	assert_int_equal(terminal_status_wake(b.m, b.t), 125 * second);
	end(&b);
}

/* What is typed meanwhile waits and is told of, up to a limit. */
static void test_terminal__waiting(void **state)
{
	auto_free char *most = xmalloc(LIMIT_TUI_WAITING);
	struct box b = begin();

	(void)state;
	b.m->boot_ns = b.t->lost_ns = INT64_C(5000000000);
	b.t->state = TERMINAL_LOST;
	key(&b, 'a', 0);
	expect_status(&b, "[reconnecting 0 s  1 byte waiting]");
	key(&b, KEY_CODE_UP, 0);
	assert_int_equal(terminal_waiting(b.t), 4);
	assert_true(terminals_wait(b.m));
	expect_in(&b, 35, "[reconnecting 0 s  4 bytes waiting]");
	expect_in(&b, 34, "[4 bytes waiting]");
	memset(most, 'x', LIMIT_TUI_WAITING);
	terminal_type(b.t, most, LIMIT_TUI_WAITING - 4);
	assert_int_equal(terminal_waiting(b.t), LIMIT_TUI_WAITING);
	expect_status(&b, "[reconnecting 0 s  4096 bytes waiting]");
	key(&b, KEY_CODE_UP, 0);
	key(&b, 'b', 0);
	assert_int_equal(terminal_waiting(b.t), LIMIT_TUI_WAITING);
	expect_status(&b, "[reconnecting 0 s  4096 bytes waiting  4 not "
			  "taken]");
	expect_in(&b, 27, "[4096 bytes waiting  4 not taken]");
	/* Connected again, it is only sent. */
	b.t->state = TERMINAL_LIVE;
	assert_int_equal(terminal_waiting(b.t), 0);
	assert_false(terminals_wait(b.m));
	expect_status(&b, "[4 bytes not sent: no connection]");
	/* And if it can't be, that is told. */
	b.t->state = TERMINAL_FAILED;
	b.t->why = xstrdup("gone");
	terminal_give_up(b.t);
	assert_int_equal(b.t->typed.len, 0);
	expect_status(&b, "[gone  4100 bytes not sent  r restart  Enter "
			  "close]");
	end(&b);
}

/* Who may not type any more hears that it wasn't. */
static void test_terminal__waiting_read_only(void **state)
{
	struct box b = begin();

	(void)state;
	b.t->state = TERMINAL_LOST;
	key(&b, 'a', 0);
	b.m->read_only = true;
	terminals_settle(b.m);
	assert_int_equal(b.t->typed.len, 0);
	assert_non_null(strstr(b.m->toast, "1 byte typed not sent"));
	end(&b);
}

/* The keys are those of the user, and go first when there is no room. */
static void test_terminal__status_keys(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct box b = begin();

	(void)state;
	b.t->state = TERMINAL_EXITED;
	expect_in(&b, 34, "[exited 0  r restart  Enter close]");
	expect_in(&b, 33, "[exited 0  r restart]");
	expect_in(&b, 21, "[exited 0  r restart]");
	expect_in(&b, 20, "[exited 0]");
	assert_int_equal(keymap_set(b.m->keymap, "left.restart", "F5", &err),
			 0);
	assert_int_equal(keymap_set(b.m->keymap, "left.open", "o", &err), 0);
	expect_status(&b, "[exited 0  F5 restart  o close]");
	b.t->state = TERMINAL_FAILED;
	b.t->sid = xstrdup("s1");
	b.t->why = xstrdup("taken over by another viewer");
	expect_status(&b, "[taken over by another viewer  F5 attaches again  "
			  "o close]");
	assert_int_equal(keymap_set(b.m->keymap, "left.restart", "", &err), 0);
	expect_status(&b, "[taken over by another viewer  o close]");
	end(&b);
}

/* Who only watches sends nothing, whatever there is, and sets no size. */
static void test_terminal__read_only(void **state)
{
	struct box b = begin();

	(void)state;
	terminal_type(b.t, "early", 5);
	b.m->read_only = true;
	update_settle(b.m);
	expect_typed(&b, "");
	expect_status(&b, "[read only]");
	key(&b, 'a', 0);
	give(&b, INPUT_PASTE_BEGIN, NULL, 0);
	give(&b, INPUT_PASTE, "pasted", 6);
	say(&b, "\033[?2004h\033[?1004h\033[c\033[6n");
	give(&b, INPUT_PASTE_END, NULL, 0);
	give(&b, INPUT_FOCUS_IN, NULL, 0);
	expect_typed(&b, "");
	assert_int_equal(b.t->dropped, 0);
	terminal_resized(b.t, 10, 40);
	expect_status(&b, "[read only]  [another viewer 40x10]");
	expect_in(&b, 20, "[read only]");
	key(&b, 'a', 0);
	terminal_take_size(b.t);
	assert_int_equal(emu_rows(b.t->emu), 10);
	terminal_resize(b.t, 12, 50);
	assert_int_equal(emu_rows(b.t->emu), 10);
	terminal_resize(b.t, 10, 40);
	expect_status(&b, "[read only]");
	b.m->read_only = false;
	update_settle(b.m);
	expect_status(&b, "");
	key(&b, 'a', 0);
	expect_typed(&b, "a");
	end(&b);
}

static void test_terminal__resize(void **state)
{
	struct box b = begin();
	auto_canvas struct canvas *c = canvas_new(10, 30);
	auto_buf struct buf out = BUF_INIT;

	(void)state;
	say(&b, "one\r\ntwo\r\nthree");
	terminal_resize(b.t, 0, -5); /* never smaller than one cell */
	assert_int_equal(b.t->rows, 1);
	assert_int_equal(b.t->cols, 1);
	terminal_resize(b.t, 3, 10);
	say(&b, "\033[2J\033[Hfirst\r\nsecond");
	terminal_view(b.t, c, 2, 4, 3, 10, true);
	canvas_dump(c, &out);
	assert_string_equal(buf_str(&out), "\n\n    first\n    second\n\n\n\n"
					   "\n\n\n");
	assert_int_equal(c->cursor_row, 3);
	assert_int_equal(c->cursor_col, 10);
	end(&b);
}

/* Another viewer's size holds until something is typed here; of a larger
 * screen the part with the cursor is in view. */
static void test_terminal__another_viewer(void **state)
{
	struct box b = begin();
	auto_canvas struct canvas *c = canvas_new(4, 20);
	auto_buf struct buf out = BUF_INIT;

	(void)state;
	terminal_resized(b.t, 10, 40);
	expect_status(&b, "[another viewer 40x10]");
	say(&b, "\033[H1\r\n2\r\n3\r\n4\r\n5\r\n6");
	terminal_view(b.t, c, 0, 0, 4, 20, true);
	canvas_dump(c, &out);
	assert_string_equal(buf_str(&out), "3\n4\n5\n6\n");
	assert_int_equal(c->cursor_row, 3);
	key(&b, 'a', 0);
	expect_status(&b, "");
	assert_int_equal(emu_rows(b.t->emu), 4);
	/* Nonsense stays within what an emulator can be. */
	terminal_resized(b.t, -5, 2000000000);
	assert_int_equal(emu_rows(b.t->emu), 1);
	assert_int_equal(emu_cols(b.t->emu), LIMIT_EMU_COLS);
	terminal_resized(b.t, 4, 20); /* ours */
	expect_status(&b, "");
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_terminal__keys),
		cmocka_unit_test(test_terminal__replies),
		cmocka_unit_test(test_terminal__paste),
		cmocka_unit_test(test_terminal__paste_cut),
		cmocka_unit_test(test_terminal__keys_dropped),
		cmocka_unit_test(test_terminal__scroll),
		cmocka_unit_test(test_terminal__mouse),
		cmocka_unit_test(test_terminal__status),
		cmocka_unit_test(test_terminal__lost),
		cmocka_unit_test(test_terminal__waiting),
		cmocka_unit_test(test_terminal__waiting_read_only),
		cmocka_unit_test(test_terminal__status_keys),
		cmocka_unit_test(test_terminal__read_only),
		cmocka_unit_test(test_terminal__resize),
		cmocka_unit_test(test_terminal__another_viewer),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		print_message("needs the locale C.UTF-8\n");
		return 1;
	}
	return cmocka_run_group_tests_name("terminal", tests, NULL, NULL);
}
