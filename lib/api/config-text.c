/* SPDX-License-Identifier: MIT */
/* Changing one value of a configuration file.  See config-text.h. */
#include "lib/api/config-text.h"

#include <string.h>

#include "lib/api/config-doc.h"
#include "lib/api/limits.h"
#include "lib/base/mem.h"
#include "lib/base/utf8.h"

/* Text. */

static size_t line_start(const char *text, size_t at)
{
	while (at && text[at - 1] != '\n')
		at--;
	return at;
}

/* Behind the line break, or the end. */
static size_t line_end(const char *text, size_t n, size_t at)
{
	const char *nl = memchr(text + at, '\n', n - at);

	return nl ? (size_t)(nl - text) + 1 : n;
}

static bool is_blank(const char *text, size_t from, size_t to)
{
	while (from < to && strchr(" \t\r\n", text[from]))
		from++;
	return from >= to;
}

static void add_spaces(struct buf *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_addch(out, ' ');
}

/* A word or words no reader takes for anything but text. */
static bool is_plain(const char *s)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789_/.^+=";
	size_t n = strlen(s);

	if (!n || !strchr(letters, s[0]) || s[n - 1] == ':' ||
	    s[n - 1] == ' ' || strcasecmp(s, "null") == 0 ||
	    strcmp(s, "...") == 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!strchr(letters, s[i]) && !strchr("-:@~%", s[i]) &&
		    (s[i] != ' ' || s[i - 1] == ':'))
			return false;
	return true;
}

static void add_scalar(struct buf *out, const char *s)
{
	if (is_plain(s)) {
		buf_addstr(out, s);
		return;
	}
	buf_addch(out, '"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			buf_addch(out, '\\');
		if (c < 0x20 || c == 0x7f)
			buf_addf(out, "\\x%02X", c);
		else
			buf_addch(out, *s);
	}
	buf_addch(out, '"');
}

/* "native:\n    enabled: true\n", the first line already indented. */
static void add_lines(struct buf *out, const char *rest, size_t indent,
		      const char *yaml)
{
	for (const char *dot; (dot = strchr(rest, '.')); rest = dot + 1) {
		auto_free char *name = xstrndup(rest, (size_t)(dot - rest));

		add_scalar(out, name);
		buf_addstr(out, ":\n");
		add_spaces(out, indent += 2);
	}
	add_scalar(out, rest);
	buf_addstr(out, ": ");
	buf_addstr(out, yaml);
	buf_addch(out, '\n');
}

/* The same within braces: "native: {enabled: true}". */
static void add_braced(struct buf *out, const char *rest, const char *yaml)
{
	size_t open = 0;

	for (const char *dot; (dot = strchr(rest, '.')); rest = dot + 1) {
		auto_free char *name = xstrndup(rest, (size_t)(dot - rest));

		add_scalar(out, name);
		buf_addstr(out, ": {");
		open++;
	}
	add_scalar(out, rest);
	buf_addstr(out, ": ");
	buf_addstr(out, yaml);
	while (open--)
		buf_addch(out, '}');
}

/* Edits.  Each adds the whole new text. */

static void splice(const struct config_doc *d, size_t from, size_t to,
		   const struct buf *with, struct buf *ret)
{
	buf_add(ret, d->text, from);
	buf_add(ret, buf_str(with), with->len);
	buf_add(ret, d->text + to, d->n_text - to);
}

static void replace(const struct config_doc *d, const struct config_entry *e,
		    const char *yaml, struct buf *ret)
{
	auto_buf struct buf new = BUF_INIT;
	size_t line = line_end(d->text, d->n_text, e->colon);

	/* "port:" or "port: 1": there. */
	if (e->start < line || e->start == e->end) {
		bool spaced = e->start > e->colon;

		buf_addstr(&new, spaced ? "" : " ");
		buf_addstr(&new, yaml);
		splice(d, e->start, e->end, &new, ret);
		return;
	}
	/* A value on lines of its own comes to the key; what stands between
	 * stays. */
	size_t first = line_start(d->text, e->start);
	buf_addch(&new, ' ');
	buf_addstr(&new, yaml);
	buf_add(&new, d->text + e->colon, first - e->colon);
	splice(d, e->colon, line_end(d->text, d->n_text, e->end), &new, ret);
}

/* Behind the line of `at`, or at the end of the text. */
static void insert_lines(const struct config_doc *d, size_t at, size_t indent,
			 const char *rest, const char *yaml, struct buf *ret)
{
	auto_buf struct buf new = BUF_INIT;

	if (at && d->text[at - 1] != '\n')
		buf_addch(&new, '\n');
	add_spaces(&new, indent);
	add_lines(&new, rest, indent, yaml);
	splice(d, at, at, &new, ret);
}

static size_t indent_of(const struct config_doc *d, const struct config_entry *e)
{
	size_t self = (size_t)(e - d->entries);

	for (size_t i = self + 1; i < d->n; i++)
		if (d->entries[i].parent == self)
			return d->entries[i].column;
	return self ? e->column + 2 : 0;
}

static void insert_braced(const struct config_doc *d,
			  const struct config_entry *e, const char *rest,
			  const char *yaml, struct buf *ret)
{
	auto_buf struct buf new = BUF_INIT;
	size_t at = e->end - 1; /* its brace */

	while (at > e->start && strchr(" \t\r\n,", d->text[at - 1]))
		at--;
	buf_addstr(&new, e->children ? ", " : "");
	add_braced(&new, rest, yaml);
	splice(d, at, at, &new, ret);
}

static void insert(const struct config_doc *d, const struct config_entry *e,
		   const char *rest, const char *yaml, struct buf *ret)
{
	bool root = e == d->entries;
	size_t at = root && !d->closed ? d->n_text :
					 line_end(d->text, d->n_text, e->end);

	if (e->kind == ENTRY_SECTION && e->flow)
		insert_braced(d, e, rest, yaml, ret);
	else
		insert_lines(d, at, indent_of(d, e), rest, yaml, ret);
}

/* Within braces a comma goes along. */
static void cut_braced(const struct config_doc *d, const struct config_entry *e,
		       struct buf *ret)
{
	static const struct buf nothing = BUF_INIT;
	size_t from = e->key, to = e->end;

	while (to < d->n_text && strchr(" \t\r\n", d->text[to]))
		to++;
	if (to < d->n_text && d->text[to] == ',') {
		to++;
		while (to < d->n_text && d->text[to] == ' ')
			to++;
	} else {
		to = e->end;
		while (from && strchr(" \t\r\n", d->text[from - 1]))
			from--;
		from = from && d->text[from - 1] == ',' ? from - 1 : e->key;
	}
	splice(d, from, to, &nothing, ret);
}

static void cut(const struct config_doc *d, const struct config_entry *e,
		struct buf *ret)
{
	static const struct buf nothing = BUF_INIT;
	const struct config_entry *above = &d->entries[e->parent];

	/* A section goes with the last of its keys. */
	while (above != d->entries && above->children == 1 &&
	       (above->flow || is_blank(d->text, above->colon, e->key))) {
		e = above;
		above = &d->entries[e->parent];
	}
	if (above->flow)
		cut_braced(d, e, ret);
	else
		splice(d, line_start(d->text, e->key),
		       line_end(d->text, d->n_text, e->end), &nothing, ret);
}

/* Is what we have what we wanted? */

static const struct config_entry *next_value(const struct config_doc *d,
					     size_t *i, const char *but)
{
	while (++*i < d->n) {
		const struct config_entry *e = &d->entries[*i];

		if ((e->kind == ENTRY_SCALAR || e->kind == ENTRY_LIST) &&
		    strcmp(e->path, but) != 0)
			return e;
	}
	return NULL;
}

static bool same_value(const struct config_entry *a,
		       const struct config_entry *b)
{
	return strcmp(a->path, b->path) == 0 && a->kind == b->kind &&
	       a->value.len == b->value.len &&
	       memcmp(buf_str(&a->value), buf_str(&b->value), a->value.len) == 0;
}

static bool same_but(const struct config_doc *a, const struct config_doc *b,
		     const char *key)
{
	const struct config_entry *x, *y;
	size_t i = 0, j = 0;

	do {
		x = next_value(a, &i, key);
		y = next_value(b, &j, key);
		if (!x != !y || (x && !same_value(x, y)))
			return false;
	} while (x);
	return true;
}

/* What the key is to say. */
struct wanted {
	bool given;      /* false: nothing, it is taken out */
	bool list;
	struct buf read; /* as of a config_entry */
	struct buf yaml; /* as it is written */
};

static void wanted_release(struct wanted *w)
{
	buf_release(&w->read);
	buf_release(&w->yaml);
}
#define auto_wanted CLEANUP(wanted_release)

static bool says(const struct config_doc *d, const char *key,
		 const struct wanted *w)
{
	const struct config_entry *e = config_doc_find(d, key);

	if (!w->given)
		return !e || e->kind == ENTRY_NULL;
	return e && e->kind == (w->list ? ENTRY_LIST : ENTRY_SCALAR) &&
	       e->value.len == w->read.len &&
	       memcmp(buf_str(&e->value), buf_str(&w->read), w->read.len) == 0;
}

static int check_result(const struct config_doc *old, const char *name,
			const struct buf *text, const char *key,
			const struct wanted *w, struct svm_err *err)
{
	auto_config_doc struct config_doc new = CONFIG_DOC_INIT;
	auto_err struct svm_err why = SVM_ERR_INIT;

	if (config_doc_read(&new, name, buf_str(text), text->len, &why) == 0 &&
	    same_but(old, &new, key) && says(&new, key, w))
		return 0;
	svm_err_set(err, SVM_UNSUPPORTED, "%s: '%.64s' can't be changed "
		    "without touching what is around it", name, key);
	return svm_err_hint(err, "change it in an editor: stacyvm config "
			    "edit");
}

static int check_key(const char *key, struct svm_err *err)
{
	if (!*key || *key == '.' || key[strlen(key) - 1] == '.' ||
	    strstr(key, ".."))
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "'%.64s' is not a key such as server.port",
				   key);
	return 0;
}

/* The deepest section of the key that is there; the root is always. */
static const struct config_entry *section_of(const struct config_doc *d,
					     const char *key,
					     const char **ret_rest)
{
	auto_free char *path = xstrdup(key);

	for (char *dot; (dot = strrchr(path, '.')); ) {
		const struct config_entry *e;

		*dot = '\0';
		e = config_doc_find(d, path);
		if (e) {
			*ret_rest = key + (dot - path) + 1;
			return e;
		}
	}
	*ret_rest = key;
	return d->entries;
}

static int add_key(const struct config_doc *d, const char *name,
		   const char *key, const char *yaml, struct buf *ret,
		   struct svm_err *err)
{
	const char *rest;
	const struct config_entry *section = section_of(d, key, &rest);

	if (section->kind == ENTRY_SCALAR || section->kind == ENTRY_LIST)
		return svm_err_set(err, SVM_BAD_REQUEST, "%s: '%.64s' is a "
				   "value there, so it can't hold '%.64s'",
				   name, section->path, rest);
	insert(d, section, rest, yaml, ret);
	return 0;
}

static int set(const char *name, const char *text, size_t n, const char *key,
	       const struct wanted *w, struct buf *ret, struct svm_err *err)
{
	auto_config_doc struct config_doc d = CONFIG_DOC_INIT;
	auto_buf struct buf new = BUF_INIT;

	if (check_key(key, err) < 0 ||
	    config_doc_read(&d, name, text, n, err) < 0)
		return -1;
	const struct config_entry *e = config_doc_find(&d, key);
	if (e && e->kind == ENTRY_SECTION)
		return svm_err_set(err, SVM_BAD_REQUEST, "'%.64s' is a "
				   "section, not a value", key);
	if (says(&d, key, w) && (w->given || !e))
		return 0;
	if (w->given && !e) {
		if (add_key(&d, name, key, buf_str(&w->yaml), &new, err) < 0)
			return -1;
	} else if (w->given) {
		replace(&d, e, buf_str(&w->yaml), &new);
	} else {
		cut(&d, e, &new);
	}
	if (check_result(&d, name, &new, key, w, err) < 0)
		return -1;
	buf_add(ret, buf_str(&new), new.len);
	return 1;
}

int config_text_set(const char *name, const char *text, size_t n,
		    const char *key, const char *value, struct buf *ret,
		    struct svm_err *err)
{
	auto_wanted struct wanted w = { .given = value };

	if (value) {
		buf_addstr(&w.read, value);
		add_scalar(&w.yaml, value);
	}
	return set(name, text, n, key, &w, ret, err);
}

void config_text_list(char *const *items, struct buf *out)
{
	buf_addch(out, '[');
	for (size_t i = 0; items[i]; i++) {
		buf_addstr(out, i ? ", " : "");
		add_scalar(out, items[i]);
	}
	buf_addch(out, ']');
}

char **config_text_read_list(const char *line)
{
	auto_config_doc struct config_doc d = CONFIG_DOC_INIT;
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf text = BUF_INIT;
	char **items;
	size_t n = 0;

	if (strlen(line) > LIMIT_CONFIG_VALUE || strpbrk(line, "\r\n"))
		return NULL;
	buf_addf(&text, "v: %s\n", line);
	if (config_doc_read(&d, "", buf_str(&text), text.len, &err) < 0)
		return NULL;
	const struct config_entry *e = config_doc_find(&d, "v");
	if (!e || e->kind != ENTRY_LIST || !e->flow)
		return NULL;
	items = xcalloc(LIMIT_CONFIG_LIST + 1, sizeof(*items));
	for (size_t at = 0; at < e->value.len; at += strlen(items[n++]) + 1) {
		if (n == LIMIT_CONFIG_LIST) {
			strv_free(items);
			return NULL;
		}
		items[n] = xstrdup(e->value.data + at);
	}
	return items;
}

int config_text_set_list(const char *name, const char *text, size_t n,
			 const char *key, char *const *items, struct buf *ret,
			 struct svm_err *err)
{
	auto_wanted struct wanted w = { .given = true, .list = true };

	for (size_t i = 0; items[i]; i++)
		buf_add(&w.read, items[i], strlen(items[i]) + 1);
	config_text_list(items, &w.yaml);
	return set(name, text, n, key, &w, ret, err);
}
