/* SPDX-License-Identifier: MIT */
/* Entries of a configuration file and their places.  See config-doc.h. */
#include "lib/api/config-doc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "lib/api/limits.h"
#include "lib/base/mem.h"
#include "lib/base/utf8.h"

/* Where in the document we are. */
struct walk {
	struct config_doc *doc;
	const char *name;
	struct svm_err *err;
	yaml_parser_t parser;
	size_t *bytes; /* of each character: libyaml counts characters */
	size_t open[LIMIT_CONFIG_DEPTH + 2], depth; /* sections, by index */
	size_t at;     /* the entry whose value comes */
	bool want_key, in_list, seen_root;
};

/* All return -1 to stop. */

static int stop(struct walk *w, const yaml_event_t *e, const char *why)
{
	return svm_err_set(w->err, SVM_BAD_REQUEST, "%s:%zu: %s", w->name,
			   e->start_mark.line + 1, why);
}

static size_t byte_of(const struct walk *w, const yaml_mark_t *mark)
{
	return w->bytes[mark->index];
}

static size_t *map_bytes(const char *text, size_t n)
{
	size_t *bytes = xcalloc(n + 2, sizeof(*bytes)), chars = 0;
	/* libyaml doesn't count a byte order mark. */
	size_t i = n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	for (; i < n; i++)
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			bytes[chars++] = i;
	while (chars < n + 2)
		bytes[chars++] = n;
	return bytes;
}

static struct config_entry *entry(struct walk *w, size_t i)
{
	return &w->doc->entries[i];
}

static struct config_entry *add_entry(struct walk *w, char *path)
{
	struct config_doc *d = w->doc;

	d->entries = xreallocarray(d->entries, d->n + 1, sizeof(*d->entries));
	d->entries[d->n] = (struct config_entry){ .path = path };
	return &d->entries[d->n++];
}

/* The text between a key and its value: blanks, comments, line breaks. */
static size_t find_colon(const struct config_doc *d, size_t at)
{
	while (at < d->n_text && d->text[at] != ':')
		if (d->text[at++] == '#')
			while (at < d->n_text && d->text[at] != '\n')
				at++;
	return MIN(at + 1, d->n_text);
}

/* What ends here ends no earlier section. */
static void reaches(struct walk *w, size_t start, size_t end)
{
	const char *text = w->doc->text;

	/* Block scalars take the line breaks behind them along. */
	while (end > start && strchr(" \t\r\n", text[end - 1]))
		end--;
	entry(w, w->at)->end = MAX(entry(w, w->at)->end, end);
	for (size_t i = 0; i < w->depth; i++) {
		struct config_entry *e = entry(w, w->open[i]);

		e->end = MAX(e->end, end);
	}
}

bool config_doc_is_null(const char *plain)
{
	static const char *const words[] = { "", "~", "null", "Null", "NULL" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(plain, words[i]) == 0)
			return true;
	return false;
}

static bool is_null(const yaml_event_t *e)
{
	return e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       config_doc_is_null((char *)e->data.scalar.value);
}

static int on_key(struct walk *w, const yaml_event_t *e)
{
	size_t parent = w->open[w->depth - 1];
	const char *key = (const char *)e->data.scalar.value;
	const char *above = entry(w, parent)->path;
	size_t n = e->data.scalar.length;

	if (!n || n > LIMIT_CONFIG_NAME || memchr(key, '\0', n))
		return stop(w, e, "a key must be 1 to 128 characters");
	if (w->doc->n > LIMIT_CONFIG_KEYS)
		return stop(w, e, "too many keys");
	auto_free char *path = xasprintf("%s%s%s", above, *above ? "." : "",
					 key);
	if (config_doc_find(w->doc, path))
		return svm_err_set(w->err, SVM_BAD_REQUEST,
				   "%s:%zu: '%.64s' stands twice", w->name,
				   e->start_mark.line + 1, path);
	w->at = w->doc->n;
	struct config_entry *new = add_entry(w, steal_ptr(&path));
	new->parent = parent;
	new->line = e->start_mark.line + 1;
	new->column = e->start_mark.column;
	new->key = byte_of(w, &e->start_mark);
	new->colon = find_colon(w->doc, byte_of(w, &e->end_mark));
	new->end = new->colon;
	entry(w, parent)->children++;
	w->want_key = false;
	return 0;
}

static void start_value(struct walk *w, const yaml_event_t *e, int kind)
{
	struct config_entry *v = entry(w, w->at);

	v->kind = kind;
	v->start = byte_of(w, &e->start_mark);
	v->end = MAX(v->end, v->start);
}

static int on_scalar(struct walk *w, const yaml_event_t *e)
{
	const char *text = (const char *)e->data.scalar.value;
	size_t n = e->data.scalar.length;

	if (w->want_key)
		return on_key(w, e);
	if (memchr(text, '\0', n))
		return stop(w, e, "NUL in a value");
	if (!w->depth && !is_null(e))
		return stop(w, e, "the file must hold \"key: value\" lines");
	if (!w->in_list)
		start_value(w, e, is_null(e) ? ENTRY_NULL : ENTRY_SCALAR);
	struct buf *value = &entry(w, w->at)->value;
	buf_add(value, text, n);
	if (w->in_list)
		buf_addch(value, '\0');
	reaches(w, byte_of(w, &e->start_mark), byte_of(w, &e->end_mark));
	w->want_key = w->depth && !w->in_list;
	return 0;
}

static int on_mapping(struct walk *w, const yaml_event_t *e)
{
	if (w->in_list)
		return stop(w, e, "a list may hold plain values only");
	if (w->want_key)
		return stop(w, e, "a key must be text");
	if (w->depth > LIMIT_CONFIG_DEPTH)
		return stop(w, e, "nested too deep");
	start_value(w, e, ENTRY_SECTION);
	entry(w, w->at)->flow = e->data.mapping_start.style ==
				YAML_FLOW_MAPPING_STYLE;
	w->open[w->depth++] = w->at;
	w->want_key = true;
	return 0;
}

static int on_list(struct walk *w, const yaml_event_t *e)
{
	if (w->in_list)
		return stop(w, e, "a list may hold plain values only");
	if (!w->depth || w->want_key)
		return stop(w, e, "the file must hold \"key: value\" lines");
	start_value(w, e, ENTRY_LIST);
	entry(w, w->at)->flow = e->data.sequence_start.style ==
				YAML_FLOW_SEQUENCE_STYLE;
	w->in_list = true;
	return 0;
}

/* The end of what has no bracket is anywhere before what comes next. */
static void on_end(struct walk *w, const yaml_event_t *e)
{
	if (!w->in_list)
		w->at = w->open[--w->depth];
	w->in_list = false;
	if (entry(w, w->at)->flow)
		reaches(w, entry(w, w->at)->start, byte_of(w, &e->end_mark));
	w->want_key = w->depth > 0;
}

static bool is_special(const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_ALIAS_EVENT:
		return true;
	case YAML_SCALAR_EVENT:
		return e->data.scalar.anchor || e->data.scalar.tag;
	case YAML_MAPPING_START_EVENT:
		return e->data.mapping_start.anchor ||
		       e->data.mapping_start.tag;
	case YAML_SEQUENCE_START_EVENT:
		return e->data.sequence_start.anchor ||
		       e->data.sequence_start.tag;
	default:
		return false;
	}
}

static int on_event(struct walk *w, const yaml_event_t *e)
{
	if (is_special(e))
		return stop(w, e, "anchors, aliases and tags are not "
			    "understood here");
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (w->seen_root)
			return stop(w, e, "one document only");
		w->seen_root = true;
		return 0;
	case YAML_DOCUMENT_END_EVENT:
		w->doc->closed = !e->data.document_end.implicit;
		return 0;
	case YAML_SCALAR_EVENT:
		return on_scalar(w, e);
	case YAML_MAPPING_START_EVENT:
		return on_mapping(w, e);
	case YAML_SEQUENCE_START_EVENT:
		return on_list(w, e);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		on_end(w, e);
		return 0;
	default:
		return 0;
	}
}

static int read_events(struct walk *w)
{
	for (bool end = false; !end;) {
		yaml_event_t e;

		if (!yaml_parser_parse(&w->parser, &e))
			return svm_err_set(w->err, SVM_BAD_REQUEST,
					   "%s:%zu: %s", w->name,
					   w->parser.problem_mark.line + 1,
					   w->parser.problem ?
						   w->parser.problem :
						   "bad YAML");
		end = e.type == YAML_STREAM_END_EVENT;
		int r = on_event(w, &e);
		yaml_event_delete(&e);
		if (r < 0)
			return -1;
	}
	return 0;
}

int config_doc_read(struct config_doc *doc, const char *name, const char *text,
		    size_t n, struct svm_err *err)
{
	struct walk w = { .doc = doc, .name = name, .err = err };

	if (n > LIMIT_CONFIG_FILE)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "%s: larger than %d bytes", name,
				   LIMIT_CONFIG_FILE);
	if (!utf8_valid(text, n) || memchr(text, '\0', n))
		return svm_err_set(err, SVM_BAD_REQUEST, "%s: not UTF-8 text",
				   name);
	doc->text = text;
	doc->n_text = n;
	add_entry(&w, xstrdup(""));
	if (!yaml_parser_initialize(&w.parser))
		BUG("libyaml can't be initialised");
	yaml_parser_set_input_string(&w.parser, (const unsigned char *)text,
				     n);
	w.bytes = map_bytes(text, n);
	int r = read_events(&w);
	free(w.bytes);
	yaml_parser_delete(&w.parser);
	return r;
}

void config_doc_release(struct config_doc *doc)
{
	for (size_t i = 0; i < doc->n; i++) {
		free(doc->entries[i].path);
		buf_release(&doc->entries[i].value);
	}
	free(doc->entries);
	*doc = (struct config_doc)CONFIG_DOC_INIT;
}

const struct config_entry *config_doc_find(const struct config_doc *doc,
					   const char *path)
{
	for (size_t i = 1; i < doc->n; i++)
		if (strcmp(doc->entries[i].path, path) == 0)
			return &doc->entries[i];
	return NULL;
}
