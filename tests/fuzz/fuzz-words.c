/* SPDX-License-Identifier: MIT */
/*
 * Lines of the console: the words of whatever is accepted come back from
 * their quoted forms, a line as far as it is typed has the same words, and so
 * does one whose last word a completion has written anew.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/words.h"
#include "lib/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char **must_split(const char *line)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	char **v = NULL;

	if (words_split(line, &v, &err) < 0)
		abort();
	return v;
}

static void check_same(char **a, size_t n, char **b)
{
	if (strv_len(b) != n)
		abort();
	for (size_t i = 0; i < n; i++)
		if (strcmp(a[i], b[i]) != 0)
			abort();
}

static void check_quoting(char **v, char quote)
{
	auto_buf struct buf line = BUF_INIT;

	for (char **word = v; *word; word++) {
		words_quote(&line, *word, quote, true);
		buf_addch(&line, ' ');
	}
	char **again = must_split(buf_str(&line));

	check_same(v, strv_len(v), again);
	strv_free(again);
}

/* What a completion does with the last word. */
static void check_open(const char *line)
{
	auto_words struct words w = { 0 }, again = { 0 };
	auto_buf struct buf b = BUF_INIT;

	words_open(line, &w);
	if (w.last_at > strlen(line) || w.n == 0)
		abort();
	if (w.comment)
		return;
	buf_add(&b, line, w.last_at);
	words_quote(&b, w.v[w.n - 1], w.quote, false);
	words_open(buf_str(&b), &again);
	check_same(w.v, w.n, again.v);
	if (again.quote != w.quote)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *line = xstrndup((const char *)data, size);
	auto_err struct svm_err err = SVM_ERR_INIT;
	char **v = NULL;

	check_open(line);
	if (words_split(line, &v, &err) < 0)
		return 0;
	check_quoting(v, 0);
	check_quoting(v, '\'');
	check_quoting(v, '"');
	strv_free(v);
	return 0;
}
