/* SPDX-License-Identifier: MIT */
/* Files of any size in the viewer: never more than a window is here. */
#include <locale.h>

#include "tests/unit/model-fixture.h"
#include "tui/pager.h"

#define A "/api/v1/sandboxes/sb-7f3a91c2/files"
#define LINES 400000

/* "line 1\nline 2\n...": 5 MB and some. */
static struct buf numbered(void)
{
	struct buf b = BUF_INIT;

	for (int i = 1; i <= LINES; i++)
		buf_addf(&b, "line %d\n", i);
	return b;
}

/* What the daemon would answer. */
static int serve(struct pager *p, const struct buf *file)
{
	uint64_t from;
	size_t n;
	int times = 0;

	for (; pager_wants(p, &from, &n); times++) {
		struct buf part = BUF_INIT;

		assert_true(from + n <= file->len);
		assert_true(n <= PAGER_WINDOW + PAGER_HEX_ROW);
		assert_true(times < 3);
		buf_add(&part, file->data + from, n);
		pager_take(p, from, &part, file->len);
	}
	return times;
}

static void begin(struct pager *p, const struct buf *file)
{
	struct buf part = BUF_INIT;

	buf_add(&part, file->data, MIN(file->len, (size_t)PAGER_FIRST));
	pager_settle(p, 20);
	pager_take(p, 0, &part, file->len);
}

static void expect_row(const struct pager *p, size_t i, const char *text)
{
	auto_buf struct buf row = BUF_INIT;

	pager_row(p, i, &row);
	assert_string_equal(buf_str(&row), text);
}

/* On top is this line, and its number is known. */
static void expect_line(const struct pager *p, int number)
{
	auto_free char *text = xasprintf("line %d", number);

	expect_row(p, pager_top(p), text);
	assert_int_equal(pager_row_number(p, pager_top(p)), number);
}

static void test_pager__small(void **state)
{
	struct buf file = BUF_INIT;
	struct pager p = { 0 };

	(void)state;
	buf_addstr(&file, "a\n\tb\n\nend");
	begin(&p, &file);
	assert_int_equal(serve(&p, &file), 0);
	assert_true(pager_whole(&p));
	assert_int_equal(pager_rows(&p), 4);
	expect_row(&p, 1, "        b");
	expect_row(&p, 3, "end");
	pager_act(&p, ACT_BOTTOM);
	assert_int_equal(pager_top(&p), 0); /* all of it fits */
	pager_act(&p, ACT_HEX);
	expect_row(&p, 0, "00000000  61 0a 09 62 0a 0a 65 6e  64            "
			  "           a..b..end");
	pager_clear(&p);
	buf_release(&file);
}

/* Down to the end and up again: each line once, in order, numbered. */
static void test_pager__through(void **state)
{
	struct buf file = numbered();
	struct pager p = { 0 };
	int fetched = 0, at = 1;

	(void)state;
	begin(&p, &file);
	assert_false(pager_whole(&p));
	while (at < LINES - 40) {
		expect_line(&p, at);
		pager_act(&p, ACT_PAGE_DOWN);
		fetched += serve(&p, &file);
		at += 19;
	}
	assert_in_range(fetched, 3, 12);
	pager_act(&p, ACT_BOTTOM);
	serve(&p, &file);
	expect_line(&p, LINES - 19);
	for (at = LINES - 19; at > 20; at -= 19) {
		expect_line(&p, at);
		pager_act(&p, ACT_PAGE_UP);
		serve(&p, &file);
	}
	pager_act(&p, ACT_TOP);
	serve(&p, &file);
	expect_line(&p, 1);
	pager_clear(&p);
	buf_release(&file);
}

/* To the end, and anywhere, without what is between. */
static void test_pager__jump(void **state)
{
	struct buf file = numbered();
	struct pager p = { 0 };

	(void)state;
	begin(&p, &file);
	pager_act(&p, ACT_BOTTOM);
	assert_int_equal(serve(&p, &file), 1);
	expect_row(&p, pager_rows(&p) - 1, "line 400000");
	assert_int_equal(pager_top(&p), pager_rows(&p) - 20);
	assert_int_equal(p.number, 0); /* nobody counted */
	assert_false(pager_go_line(&p, 5000));
	pager_go(&p, file.len / 2);
	assert_int_equal(serve(&p, &file), 1);
	assert_true(p.top <= file.len / 2 && p.top > file.len / 2 - 20);
	/* From the start on, lines have numbers again. */
	pager_act(&p, ACT_TOP);
	assert_int_equal(serve(&p, &file), 1);
	assert_true(pager_go_line(&p, 5000));
	serve(&p, &file);
	expect_line(&p, 5000);
	pager_act(&p, ACT_HEX);
	pager_go(&p, 0x400005);
	serve(&p, &file);
	assert_int_equal(p.top, 0x400000);
	pager_clear(&p);
	buf_release(&file);
}

/* Lines longer than any window: in pieces, each once, with one number. */
static void test_pager__long_lines(void **state)
{
	struct buf file = BUF_INIT;
	struct pager p = { 0 };
	size_t seen = 0;

	(void)state;
	for (int i = 0; i < 3000000; i++)
		buf_addch(&file, i == 10 ? '\n' : 'x');
	begin(&p, &file);
	p.height = 1;
	for (uint64_t at = 0;; at = p.top) {
		auto_buf struct buf row = BUF_INIT;

		pager_row(&p, pager_top(&p), &row);
		pager_act(&p, ACT_DOWN);
		serve(&p, &file);
		if (p.top == at)
			break;
		assert_int_equal(p.top - at, row.len + (at == 0));
		assert_true(row.len < 40000);
		seen += row.len;
	}
	assert_in_range(seen, file.len - 40000, file.len);
	for (uint64_t at = p.top; at; at = p.top) {
		pager_act(&p, ACT_UP);
		serve(&p, &file);
		assert_true(p.top < at);
	}
	pager_act(&p, ACT_BOTTOM);
	assert_int_equal(serve(&p, &file), 1);
	assert_in_range(p.top, file.len - 40000, file.len);
	pager_act(&p, ACT_TOP);
	serve(&p, &file);
	expect_row(&p, 0, "xxxxxxxxxx");
	pager_clear(&p);
	buf_release(&file);
}

/* Lines broken to a width, each character once, wide ones whole. */
static void test_pager__wrap(void **state)
{
	struct buf file = BUF_INIT;
	struct pager p = { 0 };

	(void)state;
	buf_addstr(&file, "short\n\n0123456789abcdefghij\n"
			  "\t89\t\xe6\xbc\xa2\xe6\xbc\xa2!\n\033[31m\xff\n"
			  "exactly_10\nend");
	begin(&p, &file);
	pager_wrap(&p, 10);
	assert_int_equal(pager_rows(&p), 10);
	expect_row(&p, 2, "0123456789");
	expect_row(&p, 3, "abcdefghij");
	expect_row(&p, 4, "        89");
	expect_row(&p, 5, "        \xe6\xbc\xa2");
	expect_row(&p, 6, "\xe6\xbc\xa2!");
	expect_row(&p, 7, "\033[31m\xff");
	expect_row(&p, 8, "exactly_10");
	assert_int_equal(pager_row_number(&p, 2), 3);
	assert_int_equal(pager_row_number(&p, 3), 0); /* the same line */
	assert_int_equal(pager_row_number(&p, 9), 7);
	/* A character wider than the row has one for itself. */
	pager_wrap(&p, 1);
	for (size_t i = 0; i + 1 < pager_rows(&p); i++)
		assert_true(pager_row_at(&p, i) < pager_row_at(&p, i + 1));
	pager_wrap(&p, 0);
	assert_int_equal(pager_rows(&p), 7);
	pager_clear(&p);
	buf_release(&file);
}

static void test_pager__find(void **state)
{
	static const char text[] = "one Two\0two one";
	struct buf what = BUF_INIT;

	(void)state;
	pager_pattern("two", false, &what);
	assert_int_equal(pager_find(text, 0, 15, &what, false), 4);
	assert_int_equal(pager_find(text, 5, 15, &what, false), 8);
	assert_int_equal(pager_find(text, 0, 15, &what, true), 8);
	assert_int_equal(pager_find(text, 0, 10, &what, true), 4);
	assert_int_equal(pager_find(text, 9, 15, &what, false), SIZE_MAX);
	assert_int_equal(pager_find(text, 0, 2, &what, false), SIZE_MAX);
	buf_clear(&what);
	pager_pattern("6f 00 74", true, &what);
	assert_int_equal(pager_find(text, 0, 15, &what, false), 6);
	buf_clear(&what);
	pager_pattern("6f zz", true, &what);
	assert_string_equal(buf_str(&what), "6f zz");
	buf_release(&what);
}

/* -- with the screen around it */

/* The daemon's answer to the one request for the file. */
static bool answer_file(struct model *m, const struct buf *file)
{
	struct request *r = fixture_request(m, "GET");
	size_t n;

	if (!r)
		return false;
	assert_non_null(strstr(r->target, "/files?path="));
	assert_true(r->from + r->most <= file->len || !r->ranged);
	list_remove(&r->link);
	m->waiting--;
	n = MIN(r->most, file->len - (size_t)r->from);
	buf_add(&r->reply, file->data + r->from, n);
	r->whole = (int64_t)file->len;
	request_done(m, r);
	request_free(r);
	update_settle(m);
	return true;
}

static int answer_all(struct model *m, const struct buf *file)
{
	int n = 0;

	while (answer_file(m, file))
		n++;
	return n;
}

static struct model *viewing(const struct buf *file)
{
	struct model *m = fixture_model(30, 120);

	fixture_keys(m, "j f");
	fixture_answer(m, "GET", A "/list", SVM_OK,
		       "[{\"name\":\"big\",\"path\":\"/workspace/big\","
		       "\"size\":5000000,\"mode\":\"0644\"}]");
	fixture_keys(m, "Enter");
	assert_true(answer_file(m, file));
	assert_false(answer_file(m, file));
	return m;
}

static void test_pager__screen(void **state)
{
	struct buf file = numbered();
	struct model *m = viewing(&file);

	(void)state;
	assert_shown(m, "     1 line 1 ");
	fixture_keys(m, "G");
	assert_shown(m, "reading");
	answer_all(m, &file);
	assert_shown(m, "line 400000");
	fixture_keys(m, "%");
	fixture_type(m, "half");
	fixture_keys(m, "Enter");
	assert_shown(m, "a line (120)");
	fixture_keys(m, "^U");
	fixture_type(m, "50%");
	fixture_keys(m, "Enter");
	answer_all(m, &file);
	assert_shown(m, "  50% ");
	fixture_free(m);
	buf_release(&file);
}

/* A match far away, on either side, across the end, and none. */
static void test_pager__search(void **state)
{
	struct buf file = numbered();
	struct model *m = viewing(&file);

	(void)state;
	memcpy(strstr(file.data, "line 350000"), "NEEDLE", 6);
	fixture_keys(m, "/");
	fixture_type(m, "needle");
	fixture_keys(m, "Enter");
	assert_shown(m, "searching");
	answer_all(m, &file);
	assert_shown(m, "NEEDLE50000");
	assert_not_shown(m, "searching");
	fixture_keys(m, "g");
	answer_all(m, &file);
	fixture_keys(m, "N");
	answer_all(m, &file);
	assert_shown(m, "NEEDLE50000");
	fixture_keys(m, "n"); /* around the end, to itself */
	answer_all(m, &file);
	assert_shown(m, "NEEDLE50000");
	fixture_keys(m, "/");
	fixture_type(m, "no such thing");
	fixture_keys(m, "Enter");
	answer_all(m, &file);
	assert_shown(m, "no such thing is not in it");
	assert_shown(m, "NEEDLE50000");
	fixture_free(m);
	buf_release(&file);
}

/* A match that lies across two pieces of the search. */
static void test_pager__search_seam(void **state)
{
	/* Behind the first window; between two pieces of 4 MiB on the way
	 * down, which share five bytes, and on the way up. */
	static const size_t seams[] = { PAGER_FIRST, PAGER_FIRST - 5 +
							(4 << 20),
					(4 << 20) + 5, 4 << 20 };
	struct buf file = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < (9 << 20); i++)
		buf_addch(&file, i % 64 == 63 ? '\n' : '.');
	for (size_t i = 0; i < ARRAY_SIZE(seams); i++) {
		struct model *m = viewing(&file);
		size_t at = seams[i] - 3;

		memcpy(file.data + at, "NEEDLE", 6);
		fixture_keys(m, "/");
		fixture_type(m, "needle");
		fixture_keys(m, "Enter");
		/* Two pieces at most, and the window around what is found:
		 * it is not only there on the second way around. */
		assert_in_range(answer_all(m, &file), 1, 3);
		assert_shown(m, "NEEDLE");
		fixture_keys(m, "G");
		answer_all(m, &file);
		assert_not_shown(m, "NEEDLE");
		fixture_keys(m, "N");
		/* Two pieces at most, and the window around what is found:
		 * it is not only there on the second way around. */
		assert_in_range(answer_all(m, &file), 1, 3);
		assert_shown(m, "NEEDLE");
		memcpy(file.data + at, "......", 6);
		fixture_free(m);
	}
	buf_release(&file);
}

/* A file that shrank: what is here is what there is, and nothing loops. */
static void test_pager__shrunk(void **state)
{
	struct buf file = numbered();
	struct model *m = viewing(&file);

	(void)state;
	fixture_keys(m, "G");
	assert_int_equal(fixture_answer(m, "GET", A, SVM_RANGE,
					"outside the file"), 1);
	assert_null(fixture_request(m, "GET"));
	assert_shown(m, "184021 line 184021"); /* the end of the first window */
	fixture_keys(m, "g");
	assert_shown(m, "     1 line 1 ");
	fixture_free(m);
	buf_release(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pager__small),
		cmocka_unit_test(test_pager__through),
		cmocka_unit_test(test_pager__jump),
		cmocka_unit_test(test_pager__long_lines),
		cmocka_unit_test(test_pager__wrap),
		cmocka_unit_test(test_pager__find),
		cmocka_unit_test(test_pager__screen),
		cmocka_unit_test(test_pager__search),
		cmocka_unit_test(test_pager__search_seam),
		cmocka_unit_test(test_pager__shrunk),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		print_message("needs the locale C.UTF-8\n");
		return 1;
	}
	return cmocka_run_group_tests_name("pager", tests, NULL, NULL);
}
