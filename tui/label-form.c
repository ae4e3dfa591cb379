/* SPDX-License-Identifier: MIT */
/* What the form of name and labels asks for.  See label-form.h. */
#include "tui/label-form.h"

#include <stdlib.h>
#include <string.h>

#include "lib/api/limits.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/shell.h"
#include "tui/fleet.h"
#include "tui/pairs.h"

static void fill_labels(struct label_form *f, const cJSON *map)
{
	auto_buf struct buf line = BUF_INIT;
	const cJSON *item;

	cJSON_ArrayForEach(item, map) {
		size_t len = line.len;

		if (!cJSON_IsString(item) ||
		    !pairs_write(&line, item->string, item->valuestring)) {
			f->unshown++;
		} else if (line.len > LIMIT_TUI_FIELD / 2) {
			buf_truncate(&line, len); /* room to write */
			f->unshown++;
		}
	}
	field_set(&f->field[LABEL_LABELS], buf_str(&line));
}

void label_form_init(struct label_form *f, const char *id, size_t more,
		     const struct sandbox *s)
{
	f->id = xstrdup(id);
	f->more = more;
	if (s && !more) {
		field_set(&f->field[LABEL_NAME], s->name);
		fill_labels(f, json_get(s->json, "metadata"));
	}
	for (size_t i = 0; i < LABEL_FIELDS; i++)
		f->before[i] = xstrdup(field_text(&f->field[i]));
}

void label_form_release(struct label_form *f)
{
	for (size_t i = 0; i < LABEL_FIELDS; i++) {
		field_release(&f->field[i]);
		free(f->before[i]);
	}
	free(f->id);
}

static bool differs(const struct label_form *f, enum label_field i)
{
	return strcmp(field_text(&f->field[i]), f->before[i]) != 0;
}

bool label_form_changed(const struct label_form *f)
{
	return differs(f, LABEL_NAME) || differs(f, LABEL_LABELS);
}

/* -- what changes, as words of `stacyvm label` */

/* The length of the key, 0 when it is no such word. */
static size_t key_of(const char *word)
{
	size_t n = strcspn(word, "=");

	if (!word[n])
		return n && word[n - 1] == '-' ? n - 1 : 0;
	return n;
}

static const char *find(char *const *words, const char *like)
{
	size_t n = key_of(like);

	for (; *words; words++)
		if (key_of(*words) == n && strncmp(*words, like, n) == 0)
			return *words;
	return NULL;
}

static int check(const struct label_form *f, char *const *earlier,
		 const char *word, bool open, struct svm_err *err)
{
	if (open)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "the quote of '%s' is not closed", word);
	if (!key_of(word) || (!f->more && !strchr(word, '=')))
		return svm_err_set(err, SVM_BAD_REQUEST, "'%s' is not %s",
				   word, f->more ? "KEY=VALUE or KEY-" :
						   "KEY=VALUE");
	if (find(earlier, word))
		return svm_err_set(err, SVM_BAD_REQUEST, "'%.*s' is there "
				   "twice", (int)key_of(word), word);
	return 0;
}

/* All words of a line: what is wrong with the first that is wrong is told,
 * and it is left out like others. */
static char **read_words(const struct label_form *f, const char *line,
			 struct svm_err *err)
{
	char **v = xcalloc(strlen(line) / 2 + 2, sizeof(*v)), *word;
	size_t n = 0;
	bool open;

	while ((word = pairs_next(&line, &open))) {
		auto_err struct svm_err wrong = SVM_ERR_INIT;

		if (check(f, v, word, open, &wrong) == 0) {
			v[n++] = word;
			continue;
		}
		if (err->code == SVM_OK)
			svm_err_set(err, wrong.code, "%s", wrong.msg);
		free(word);
	}
	return v;
}

/* What was there and is not any more is removed, what is new or another value
 * is set. */
static char **changes(const struct label_form *f, struct svm_err *err)
{
	auto_err struct svm_err none = SVM_ERR_INIT;
	char **before = read_words(f, f->before[LABEL_LABELS], &none);
	char **now = read_words(f, field_text(&f->field[LABEL_LABELS]), err);
	char **v = xcalloc(strv_len(before) + strv_len(now) + 1, sizeof(*v));
	size_t n = 0;

	for (char **w = now; *w; w++) {
		const char *was = find(before, *w);

		if (!was || strcmp(was, *w) != 0)
			v[n++] = xstrdup(*w);
	}
	for (char **w = before; *w; w++)
		if (!find(now, *w))
			v[n++] = xasprintf("%.*s-", (int)key_of(*w), *w);
	strv_free(before);
	strv_free(now);
	return v;
}

/* -- the command and the request */

static void add_rename(const struct label_form *f, struct buf *out)
{
	const char *name = field_text(&f->field[LABEL_NAME]);

	if (!*name) {
		buf_addf(out, "stacyvm rename --clear %s", f->id);
		return;
	}
	buf_addf(out, "stacyvm rename %s ", f->id);
	shell_word(out, name);
}

/* What would be taken for an option. */
static bool has_dash(char *const *words)
{
	while (*words && **words != '-')
		words++;
	return *words;
}

void label_form_command(const struct label_form *f, struct buf *out)
{
	auto_err struct svm_err ignored = SVM_ERR_INIT;
	char **words = changes(f, &ignored);

	if (differs(f, LABEL_NAME))
		add_rename(f, out);
	if (*words)
		buf_addf(out, "%sstacyvm label %s", out->len ? " && " : "",
			 f->id);
	if (has_dash(words))
		buf_addstr(out, " --");
	for (char **w = words; *w; w++) {
		buf_addch(out, ' ');
		shell_word(out, *w);
	}
	if (f->more && *words)
		buf_addf(out, "  # and %zu more", f->more);
	if (!out->len)
		buf_addstr(out, "nothing changes");
	strv_free(words);
}

static void add_labels(struct json_writer *w, char *const *words)
{
	if (!*words)
		return;
	json_open(w, "metadata", '{');
	for (; *words; words++) {
		size_t n = key_of(*words);
		auto_free char *key = xstrndup(*words, n);

		if ((*words)[n] == '=')
			json_str(w, key, *words + n + 1);
		else
			json_null(w, key);
	}
	json_close(w, '}');
}

int label_form_body(const struct label_form *f, struct buf *out,
		    enum label_field *ret_at, struct svm_err *err)
{
	struct json_writer w = json_writer(out);
	const char *name = field_text(&f->field[LABEL_NAME]);
	char **words = changes(f, err);
	int r = differs(f, LABEL_NAME) || *words;

	if (err->code != SVM_OK) {
		*ret_at = LABEL_LABELS;
		strv_free(words);
		return -1;
	}
	json_open(&w, NULL, '{');
	if (differs(f, LABEL_NAME) && *name)
		json_str(&w, "name", name);
	else if (differs(f, LABEL_NAME))
		json_null(&w, "name");
	add_labels(&w, words);
	json_close(&w, '}');
	strv_free(words);
	return r;
}
