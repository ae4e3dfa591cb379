/* SPDX-License-Identifier: MIT */
/* Output of the past without its questions: each kind of sequence, the
 * recordings of real programs, and any cut. */
#include "tests/unit/streams.h"

#include <string.h>

#include "cli/replay.h"
#include "tui/emu.h"

static void filter(const char *p, size_t n, size_t step, struct buf *out)
{
	struct replay r = { 0 };

	for (size_t at = 0; at < n; at += step)
		replay_add(&r, p + at, MIN(step, n - at), out);
	replay_end(&r, out);
}

static void expect(const char *in, size_t n, const char *out, size_t m)
{
	for (size_t step = 1; step <= n; step++) {
		auto_buf struct buf b = BUF_INIT;

		filter(in, n, step, &b);
		if (b.len != m || memcmp(buf_str(&b), out, m) != 0)
			fail_msg("'%s' in steps of %zu: '%s', not '%s'",
				 in + 1, step, buf_str(&b), out);
	}
}

#define SHOWN(s) expect(s, sizeof(s) - 1, s, sizeof(s) - 1)
#define BECOMES(s, t) expect(s, sizeof(s) - 1, t, sizeof(t) - 1)
#define HIDDEN(s) BECOMES("a" s "b", "ab")

static void test_replay__what_draws_is_shown(void **state)
{
	(void)state;
	SHOWN("plain \t text\r\n\b\016\017");
	SHOWN("\303\251 \342\202\254 \360\237\230\200 \302\240");
	SHOWN("\033[1;31mred\033[m\033[2J\033[10;5H\033[38:2::1:2:3m");
	SHOWN("\033[?1049h\033[?25l\033[?2004h\033[?1002;1006h\033[?7s");
	SHOWN("\033[!p\033[2 q\033[>4;2m\033[>1u\033[<u\033[=1u");
	SHOWN("\033(0\033#8\0337\0338\033=\033>\033M\033c\033\\");
	SHOWN("\033]0;a title?\a\033]2;\303\251\033\\");
	SHOWN("\033]8;;http://h/?q\033\\link\033]8;;\033\\");
	SHOWN("\033]11;rgb:1/2/3\a\033]4;1;#fff\a\033]104\a\033]111\033\\");
}

static void test_replay__questions_are_not(void **state)
{
	(void)state;
	HIDDEN("\033[c");
	HIDDEN("\033[>c");
	HIDDEN("\033[=c");
	HIDDEN("\033[0c");
	HIDDEN("\033[5n");
	HIDDEN("\033[6n");
	HIDDEN("\033[?6n");
	HIDDEN("\033[?996n");
	HIDDEN("\033[x");
	HIDDEN("\033[18t");
	HIDDEN("\033[21t");
	HIDDEN("\033[>q");
	HIDDEN("\033[?u");
	HIDDEN("\033[?4m");
	HIDDEN("\033[?2026$p");
	HIDDEN("\033[4$p");
	HIDDEN("\033[1$w");
	HIDDEN("\033[&u");
	HIDDEN("\033[1;1;1;1;1;1*y");
	HIDDEN("\033[#|");
	HIDDEN("\033[?1;1;0S");
	HIDDEN("\033['|");
	HIDDEN("\033Z");
	HIDDEN("\033 G");
	HIDDEN("\005");
	HIDDEN("\033]10;?\a");
	HIDDEN("\033]11;?\033\\");
	HIDDEN("\033]4;1;?\a");
	HIDDEN("\033]52;c;?\a");
	HIDDEN("\033]1337;ReportCellSize\a");
	HIDDEN("\033]l\033\\");
	HIDDEN("\033P$qm\033\\");
	HIDDEN("\033P+q544e\033\\");
	HIDDEN("\033P\a\033\\");
	HIDDEN("\033_Ga=q;AAAA\033\\");
	HIDDEN("\033^a\033\\");
	HIDDEN("\033Xa\033\\");
}

static void test_replay__nor_what_was_for_others(void **state)
{
	(void)state;
	HIDDEN("\a");
	HIDDEN("\033]52;c;YQ==\a");
	HIDDEN("\033]9;done\a");
	HIDDEN("\033]777;notify;a;b\a");
	HIDDEN("\033[5i");
}

static void test_replay__hostile(void **state)
{
	(void)state;
	/* Controls in a sequence are carried out; these end or restart it. */
	BECOMES("\033[\n6n", "\n");
	BECOMES("\033[\005" "6n", "");
	BECOMES("\033[1\177m", "\033[1m");
	BECOMES("\033[6\030n", "n");
	BECOMES("\033[1\033[6nm", "m");
	BECOMES("\033\033[6n", "");
	BECOMES("\033]0;a\033[6nb", "b");
	BECOMES("\033]0;a\032b", "b");
	BECOMES("\033[6\303\251n", "\303\251n");
	/* Controls of ISO 6429, as two bytes and as one. */
	BECOMES("\302\2336n\302\232", "6n");
	BECOMES("\2336n\232\220$q\234", "6n$q");
	BECOMES("\033]0;a\302\234\302\2336n\a.", ".");
	HIDDEN("\033]0;a\234\2336n\a");
	HIDDEN("\033]8;;h\2336n\033\\");
	HIDDEN("\033]2;\351\2336n\a");
	HIDDEN("\033]2;\303\233\2336n\a");
	HIDDEN("\033]11;\2336n\a");
	SHOWN("\033]2;\303\233\342\202\233 \351t\351\a");
	BECOMES("\303\233\2336n", "\303\2336n");
	/* It goes on in what is written now, or is no character at all. */
	SHOWN("a\033");
	SHOWN("a\033[6");
	SHOWN("a\033]0;x");
	SHOWN("a\302");
	SHOWN("a\302b\302\303\251\302\n\300\377\340\200");
}

static void test_replay__long_sequences_are_lost(void **state)
{
	auto_buf struct buf in = BUF_INIT, out = BUF_INIT;

	(void)state;
	for (int kind = 0; kind < 2; kind++) {
		buf_clear(&in);
		buf_clear(&out);
		buf_addstr(&in, kind ? "a\033]0;" : "a\033[");
		for (int i = 0; i < LIMIT_REPLAY_SEQUENCE; i++)
			buf_addch(&in, '1');
		buf_addstr(&in, kind ? "\ab" : "mb");
		filter(in.data, in.len, in.len, &out);
		assert_string_equal(buf_str(&out), "ab");
	}
}

static void compare(const char *name, const struct buf *stream)
{
	struct emu_options options = { .history_lines = 1000 };
	auto_emu struct emu *a = emu_new(24, 80, &options);
	auto_emu struct emu *b = emu_new(24, 80, &options);
	auto_buf struct buf out = BUF_INIT;
	size_t asked, answered;

	filter(stream->data, stream->len, 100, &out);
	emu_write(a, stream->data, stream->len);
	emu_write(b, out.data, out.len);
	emu_reply(a, &asked);
	emu_reply(b, &answered);
	assert_int_equal(answered, 0);
	assert_int_equal(emu_top(a), emu_top(b));
	for (int row = 0; row < 24; row++)
		if (memcmp(emu_row(a, row), emu_row(b, row),
			   80 * sizeof(struct cell)) != 0)
			fail_msg("%s: row %d is another", name, row);
	if (strncmp(name, "vim", 3) == 0)
		assert_true(asked > 0); /* else nothing was tried here */
}

static void test_replay__real_programs(void **state)
{
	(void)state;
	each_stream(compare);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replay__what_draws_is_shown),
		cmocka_unit_test(test_replay__questions_are_not),
		cmocka_unit_test(test_replay__nor_what_was_for_others),
		cmocka_unit_test(test_replay__hostile),
		cmocka_unit_test(test_replay__long_sequences_are_lost),
		cmocka_unit_test(test_replay__real_programs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
