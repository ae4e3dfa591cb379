/* SPDX-License-Identifier: MIT */
#include "tui/input.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/mem.h"
#include "tests/unit/unit.h"

/* Events as text: keys by name, one blank between. */
static void note(void *data, const struct input_event *ev)
{
	static const char *const kinds[] = { "press", "release", "drag",
					     "move", "up", "down" };
	struct buf *out = data;
	char name[KEY_NAME_MAX];

	switch (ev->type) {
	case INPUT_KEY:
		buf_addf(out, "%s ", key_name(ev->key, name));
		break;
	case INPUT_MOUSE:
		buf_addf(out, "%s%d/%u@%d,%d ", kinds[ev->mouse.kind],
			 ev->mouse.button, ev->mouse.mods, ev->mouse.row,
			 ev->mouse.col);
		break;
	case INPUT_PASTE_BEGIN:
		buf_addch(out, '<');
		break;
	case INPUT_PASTE:
		buf_add(out, ev->data, ev->size);
		break;
	case INPUT_PASTE_END:
		buf_addstr(out, "> ");
		break;
	case INPUT_FOCUS_IN:
	case INPUT_FOCUS_OUT:
		buf_addstr(out, ev->type == INPUT_FOCUS_IN ? "in " : "out ");
		break;
	}
}

struct vector {
	const char *in, *events;
};

static void try_cut(const struct vector *v, size_t cut, bool bytewise)
{
	auto_buf struct buf out = BUF_INIT, want = BUF_INIT;
	auto_input struct input *in = input_new(note, &out);
	size_t n = strlen(v->in);

	assert_non_null(in);
	for (size_t i = 0; bytewise && i < n; i++)
		input_write(in, v->in + i, 1);
	if (!bytewise) {
		input_write(in, v->in, cut);
		input_write(in, v->in + cut, n - cut);
	}
	input_write(in, "k\033[A", 4); /* and what follows is itself */
	buf_addf(&want, "%sk Up ", v->events);
	if (strcmp(buf_str(&out), buf_str(&want)) != 0)
		fail_msg("'%s' cut at %zu gives '%s', not '%s'", v->in, cut,
			 buf_str(&out), buf_str(&want));
}

static void run_vectors(const struct vector *v, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t cut = 0; cut < strlen(v[i].in); cut++)
			try_cut(&v[i], cut, false);
		try_cut(&v[i], 0, true);
	}
}

#define RUN(vectors) run_vectors(vectors, ARRAY_SIZE(vectors))

static void test_input__keys(void **state)
{
	static const struct vector vectors[] = {
		{ "aZ9 ~", "a Z 9 Space ~ " },
		{ "\xc3\xa9\xe6\xbc\xa2\xf0\x9f\x98\x80",
		  "\xc3\xa9 \xe6\xbc\xa2 \xf0\x9f\x98\x80 " },
		{ "\r\t\x7f", "Enter Tab Backspace " },
		{ "\x01\x0b\x1c\x1d\x1f", "^A ^K ^\\ ^] ^_ " },
		{ "\033x\033Y\033\r", "M-x M-Y M-Enter " },
		{ "\033\xc3\xa9", "M-\xc3\xa9 " },
		{ "\033[A\033[B\033[C\033[D\033[H\033[F",
		  "Up Down Right Left Home End " },
		{ "\033OA\033OP\033OQ\033OR\033OS", "Up F1 F2 F3 F4 " },
		{ "\033[1;5A\033[1;2C\033[1;3D\033[1;8B",
		  "C-Up S-Right M-Left M-S-C-Down " },
		{ "\033[2~\033[3~\033[5~\033[6~", "Insert Del PgUp PgDn " },
		{ "\033[3;5~\033[5;2~", "C-Del S-PgUp " },
		{ "\033[15~\033[17~\033[24~\033[1;2R",
		  "F5 F6 F12 S-F3 " },
		{ "\033[Z", "S-Tab " },
		{ "\033[97;5u\033[13;2u\033[27;5;105~", "^A S-Enter ^I " },
		{ "\033[[A\033[[E", "F1 F5 " },
	};

	(void)state;
	RUN(vectors);
}

static void test_input__mouse(void **state)
{
	static const struct vector vectors[] = {
		{ "\033[<0;1;1M\033[<0;1;1m", "press1/0@0,0 release1/0@0,0 " },
		{ "\033[<2;2000;300M", "press3/0@299,1999 " },
		{ "\033[<32;5;6M", "drag1/0@5,4 " },
		{ "\033[<64;5;6M\033[<65;5;6M", "up0/0@5,4 down0/0@5,4 " },
		{ "\033[<4;5;6M\033[<8;5;6M\033[<16;5;6M",
		  "press1/1@5,4 press1/2@5,4 press1/4@5,4 " },
		{ "\033[M !!", "" },         /* the old form */
		{ "\033[M\033[A", "" },      /* any three bytes */
		{ "\033[<0;1M\033[<0;1;1;1M\033[<;;M", "" },
		{ "\033[<0;999999;1M\033[0;1;1M", "" },
	};

	(void)state;
	RUN(vectors);
}

static void test_input__paste_and_focus(void **state)
{
	static const struct vector vectors[] = {
		{ "\033[I\033[O", "in out " },
		{ "\033[200~hi\033[201~", "<hi> " },
		{ "\033[200~\033[201~", "<> " },
		{ "\033[200~a\nb\033[A\003\033[201~", "<a\nb\033[A\003> " },
		{ "\033[200~\033[201\033[201~", "<\033[201> " },
		{ "\033[200~\033\033[20\xff\033[201~",
		  "<\033\033[20\xff> " },
		{ "\033[200~\033[200~x\033[201~", "<\033[200~x> " },
		{ "\033[201~", "" },
	};

	(void)state;
	/* An end alone is a key that nothing has a name for. */
	RUN(vectors);
}

/* What libtickit must not see, and what would be typed as text. */
static void test_input__dropped(void **state)
{
	static const struct vector vectors[] = {
		{ "\033[1;2;3;4;5;6;7;8;9;10;11;12;13;14;15;16;17;18A", "" },
		{ "\033[?62;22c\033[>0;277;0c\033[?1;2;3;4;5;6;7;8;9;10;11;12;"
		  "13;14;15;16;17;18c", "" },
		{ "\033[999999A\033[1;999999A", "" },
		{ "\033[10;5R\033[8;24;80t\033[?7;1$y", "" },
		{ "\033[1 q\033[1$A\033[=A\033[?A\033[<A", "" },
		{ "\033[97:65;5u\033[u\033[;5u\033[0u\033[97;u\033[97;0u"
		  "\033[55296u\033[97;17u\033[97;5;1u", "" },
		{ "\033[~\033[;5~\033[0~\033[27~\033[27;5~\033[27;;5~\033["
		  "27;5;0~\033[3;0~\033[3;17~\033[1;5;3~", "" },
		{ "\033[1;0A\033[2;5A\033[;5A\033[1;A\033[5A", "" },
		{ "\033]11;rgb:0000/0000/0000\a", "" },
		{ "\033]11;rgb:0000/0000/0000\033\\", "" },
		{ "\033P1$r0m\033\\\033_Gi=1;OK\033\\", "" },
		{ "\033P1$r0m\a", "" },
		{ "\033]0;x\a\033\\", "M-\\ " },
		{ "\033]0;x\033\033\\", "Esc M-\\ " },
		{ "\xff\xc3(\xe6\xbc", "( " },
		{ "\xc2\x9b" "31m", "3 1 m " },
		{ "\033[1\x18", "" },
		{ "\033[1\033[B", "Down " },
		{ "\033OZ", "" },
		{ "\033[11111111111111111111111111111111111111111111111111A",
		  "" },
	};

	(void)state;
	RUN(vectors);
}

static void expire(const char *bytes, bool waits, const char *events)
{
	auto_buf struct buf out = BUF_INIT;
	auto_input struct input *in = input_new(note, &out);

	input_write(in, bytes, strlen(bytes));
	assert_int_equal(input_waits(in), waits);
	input_expire(in);
	assert_false(input_waits(in));
	input_write(in, "k", 1);
	assert_string_equal(buf_str(&out), events);
}

static void test_input__escape(void **state)
{
	(void)state;
	expire("", false, "k ");
	expire("a", false, "a k ");
	expire("\033", true, "Esc k ");
	expire("\033\033", true, "Esc Esc k ");
	expire("\033[", true, "M-[ k ");
	expire("\033O", true, "M-O k ");
	expire("\033]", true, "M-] k ");
	expire("\033P", true, "M-P k ");
	expire("\033[1;", true, "k ");
	expire("\033[[", true, "M-[ k ");
	expire("\033\xc3", true, "k ");
	expire("\033[200~\033", false, "<\033k");
}

/* A terminal that never ends a string does not take the keys for good. */
static void test_input__endless_string(void **state)
{
	auto_buf struct buf out = BUF_INIT;
	auto_input struct input *in = input_new(note, &out);

	(void)state;
	input_write(in, "\033]0;", 4);
	for (int i = 0; i < 5000; i++)
		input_write(in, "x", 1);
	assert_true(out.len > 0);
	buf_clear(&out);
	input_write(in, "k", 1);
	assert_string_equal(buf_str(&out), "k ");
}

/* However much comes at once, nothing is lost. */
static void test_input__flood(void **state)
{
	auto_buf struct buf out = BUF_INIT, bytes = BUF_INIT;
	auto_input struct input *in = input_new(note, &out);

	(void)state;
	for (int i = 0; i < 10000; i++)
		buf_addstr(&bytes, "x\033[A");
	input_write(in, bytes.data, bytes.len);
	assert_int_equal(out.len, 10000 * strlen("x Up "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_input__keys),
		cmocka_unit_test(test_input__mouse),
		cmocka_unit_test(test_input__paste_and_focus),
		cmocka_unit_test(test_input__dropped),
		cmocka_unit_test(test_input__escape),
		cmocka_unit_test(test_input__endless_string),
		cmocka_unit_test(test_input__flood),
	};

	return cmocka_run_group_tests_name("input", tests, NULL, NULL);
}
