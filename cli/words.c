/* SPDX-License-Identifier: MIT */
/* Words and quotes.  See words.h. */
#include "cli/words.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

#define BLANKS " \t\r\n\v\f"
#define REFUSED "|&;<>$`"
/* What a backslash takes its meaning from between double quotes. */
#define IN_DOUBLE "\"\\$`"

struct scan {
	const char *p;
	struct words w;
	struct buf word;
	bool begun;
	const char *refused;   /* the first such character, or NULL */
	const char *backslash; /* the one at the end, or NULL */
};

static void end_word(struct scan *s)
{
	s->w.v = xreallocarray(s->w.v, s->w.n + 3, sizeof(char *));
	s->w.v[s->w.n++] = buf_steal(&s->word);
	s->w.v[s->w.n] = s->w.v[s->w.n + 1] = NULL;
	s->begun = false;
}

/* The character after a backslash. */
static void scan_escaped(struct scan *s)
{
	if (!*s->p)
		s->backslash = s->p - 1;
	else
		buf_addch(&s->word, *s->p++);
}

static void scan_quoted(struct scan *s, char c)
{
	if (c == s->w.quote) {
		s->w.quote = 0;
	} else if (s->w.quote == '"' && c == '\\' &&
		   (!*s->p || strchr(IN_DOUBLE, *s->p))) {
		scan_escaped(s);
	} else {
		if (s->w.quote == '"' && strchr("$`", c) && !s->refused)
			s->refused = s->p - 1;
		buf_addch(&s->word, c);
	}
}

static void scan_plain(struct scan *s, char c)
{
	if (c == '\'' || c == '"') {
		s->w.quote = c;
	} else if (c == '\\') {
		scan_escaped(s);
	} else {
		if (strchr(REFUSED, c) && !s->refused)
			s->refused = s->p - 1;
		buf_addch(&s->word, c);
	}
}

static void scan(struct scan *s, const char *line)
{
	for (s->p = line; *s->p && !s->w.comment;) {
		char c = *s->p++;

		if (!s->w.quote && strchr(BLANKS, c)) {
			if (s->begun)
				end_word(s);
			continue;
		}
		if (!s->begun && c == '#') {
			s->w.comment = true;
			break;
		}
		if (!s->begun)
			s->w.last_at = (size_t)(s->p - 1 - line);
		s->begun = true;
		if (s->w.quote)
			scan_quoted(s, c);
		else
			scan_plain(s, c);
	}
}

static int check(const struct scan *s, struct svm_err *err)
{
	if (s->w.quote) {
		svm_err_set(err, SVM_BAD_REQUEST,
			    "a %s is opened and not closed", s->w.quote == '"' ?
			    "double quote (\")" : "single quote (')");
		return svm_err_hint(err, "for the character itself write \\%c",
				    s->w.quote);
	}
	if (s->backslash)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "nothing follows the backslash at the end");
	if (s->refused) {
		svm_err_set(err, SVM_BAD_REQUEST, "'%c' is not quoted, and "
			    "nothing here would act on it", *s->refused);
		return svm_err_hint(err, "for the character itself write \\%c; "
				    "for a shell, the sandbox's:  !COMMAND",
				    *s->refused);
	}
	return 0;
}

int words_split(const char *line, char ***ret_words, struct svm_err *err)
{
	struct scan s = { .w.v = xcalloc(2, sizeof(char *)) };

	scan(&s, line);
	if (s.begun)
		end_word(&s);
	int r = check(&s, err);

	if (r < 0)
		strv_free(s.w.v);
	else
		*ret_words = s.w.v;
	return r;
}

void words_open(const char *line, struct words *ret)
{
	struct scan s = { .begun = false };

	scan(&s, line);
	if (!s.begun)
		s.w.last_at = strlen(line);
	end_word(&s);
	*ret = s.w;
}

void words_release(struct words *w)
{
	strv_free(w->v);
	*w = (struct words){ 0 };
}

void words_quote(struct buf *out, const char *text, char quote, bool end)
{
	const char *special = quote == '"' ? IN_DOUBLE :
					     BLANKS REFUSED "'\"\\#";

	if (quote)
		buf_addch(out, quote);
	else if (end && !text[0])
		buf_addstr(out, "''");
	for (; *text; text++) {
		if (quote == '\'' && *text == '\'')
			buf_addstr(out, "'\\'");
		else if (quote != '\'' && strchr(special, *text))
			buf_addch(out, '\\');
		buf_addch(out, *text);
	}
	if (quote && end)
		buf_addch(out, quote);
}
