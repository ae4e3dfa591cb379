/* SPDX-License-Identifier: MIT */
/* Lines typed before.  See past.h. */
#include "tui/past.h"

#include <stdlib.h>
#include <string.h>

#include "lib/api/secret-line.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "tui/model.h"
#include "tui/state-file.h"

#define FILE_NAME "tui-history.json"

static const char *const names[PAST_MAX] = {
#define X(NAME, name) [PAST_##NAME] = name,
	PASTS(X)
#undef X
};
/* JSON has two bytes for some. */
_Static_assert((PAST_MAX - 1) * LIMIT_TUI_PAST *
		       (2 * LIMIT_TUI_PAST_LINE + 8) < LIMIT_TUI_PAST_FILE,
	       "all that is kept can be read again");

static void past_release(struct past *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->line[i]);
	*p = (struct past){ .n = 0 };
}

void pasts_release(struct model *m)
{
	for (size_t i = 0; i < PAST_MAX; i++)
		past_release(&m->past[i]);
}

struct past *past_of(struct model *m, enum past_kind kind)
{
	return kind == PAST_NONE ? NULL : &m->past[kind];
}

/* "TOKEN=...", "--password ...", "Authorization: ...": commands have them. */
static bool has_secret(const char *line)
{
	static const char *const words[] = {
		"token", "secret", "passw", "_key", "apikey", "api-key",
		"authorization:", "bearer ",
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const char *at = strcasestr(line, words[i]);

		/* To look for the word itself is no secret. */
		if (at && strpbrk(at, "= :"))
			return true;
	}
	return secret_line(line);
}

static bool is_kept(const struct past *p, const char *line)
{
	return *line && *line != ' ' && strlen(line) <= LIMIT_TUI_PAST_LINE &&
	       !(p->n && strcmp(p->line[p->n - 1], line) == 0) &&
	       !has_secret(line);
}

void past_add(struct past *p, const char *line)
{
	if (!p || !is_kept(p, line))
		return;
	if (p->n == ARRAY_SIZE(p->line)) {
		free(p->line[0]);
		memmove(&p->line[0], &p->line[1],
			--p->n * sizeof(p->line[0]));
	}
	p->line[p->n++] = xstrdup(line);
	p->fresh = MIN(p->fresh + 1, p->n);
}

const char *past_line(const struct past *p, size_t back)
{
	return p && back && back <= p->n ? p->line[p->n - back] : NULL;
}

void pasts_settle(struct model *m)
{
	for (size_t i = 0; i < PAST_MAX && !m->past_lost; i++)
		if (m->past[i].fresh)
			m->effects |= EFFECT_SAVE_PAST;
}

/* -- the file */

static void load(struct past *p, const cJSON *list)
{
	const cJSON *line;

	if (cJSON_IsArray(list))
		cJSON_ArrayForEach(line, list)
			if (cJSON_IsString(line))
				past_add(p, line->valuestring);
	p->fresh = 0;
}

static void write_all(const struct model *m, struct buf *out)
{
	struct json_writer w = json_writer(out);

	json_open(&w, NULL, '{');
	for (size_t i = PAST_NONE + 1; i < PAST_MAX; i++) {
		json_open(&w, names[i], '[');
		for (size_t x = 0; x < m->past[i].n; x++)
			json_str(&w, NULL, m->past[i].line[x]);
		json_close(&w, ']');
	}
	json_close(&w, '}');
	buf_addch(out, '\n');
}

/* Those of all others, then what was typed here since. */
static void merge_one(struct past *p, const cJSON *list)
{
	struct past all = { .n = 0 };

	load(&all, list);
	for (size_t i = p->n - p->fresh; i < p->n; i++)
		past_add(&all, p->line[i]);
	past_release(p);
	*p = all;
}

static int merge(void *data, const struct buf *old, struct buf *next,
		 struct svm_err *err)
{
	auto_err struct svm_err ignored = SVM_ERR_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	struct model *m = data;

	(void)err;
	/* Of one that was taken away nothing comes back; one that makes no
	 * sense is replaced by what is known here. */
	if (!old->len || json_parse_object(&doc, buf_str(old), old->len,
					   &ignored) == 0)
		for (size_t i = PAST_NONE + 1; i < PAST_MAX; i++)
			merge_one(&m->past[i], json_get(doc.root, names[i]));
	write_all(m, next);
	return 0;
}

int pasts_write(struct model *m, struct svm_err *err)
{
	m->past_lost = true;
	if (state_file_change(FILE_NAME, LIMIT_TUI_PAST_FILE, merge, m,
			      err) < 0)
		return -1;
	m->past_lost = false;
	for (size_t i = 0; i < PAST_MAX; i++)
		m->past[i].fresh = 0;
	return 0;
}

int pasts_read(struct model *m, struct svm_err *err)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_buf struct buf text = BUF_INIT;

	if (state_file_read(FILE_NAME, LIMIT_TUI_PAST_FILE, &text, err) < 0)
		return -1;
	if (!text.len)
		return 0;
	if (json_parse_object(&doc, buf_str(&text), text.len, err) < 0)
		return svm_err_prefix(err, "%s", FILE_NAME);
	for (size_t i = PAST_NONE + 1; i < PAST_MAX; i++)
		load(&m->past[i], json_get(doc.root, names[i]));
	return 0;
}
