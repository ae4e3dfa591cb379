/* SPDX-License-Identifier: MIT */
/* Objects as YAML.  See yaml.h. */
#include "lib/api/yaml.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

#include "lib/base/mem.h"
#include "lib/base/utf8.h"

#define DEPTH_MAX 32 /* of what anybody writes by hand */
#define KEY_MAX 1000 /* bytes of one that stands before its ":" */

/* Reading. */

struct reader {
	const char *name;
	yaml_parser_t parser;
	cJSON *open[DEPTH_MAX]; /* from the root to where we are */
	char *key[DEPTH_MAX];   /* of an open object: its next member's */
	size_t depth;
	cJSON *root;
	struct svm_err *err;
};

static int stop(struct reader *r, const yaml_event_t *e, const char *why)
{
	return svm_err_set(r->err, SVM_BAD_REQUEST, "%s:%zu: %s", r->name,
			   e->start_mark.line + 1, why);
}

/* What JSON calls a number. */
static bool is_number(const char *s)
{
	size_t n = strspn(*s == '-' ? ++s : s, "0123456789");

	if (!n || (n > 1 && *s == '0'))
		return false;
	s += n;
	if (*s == '.') {
		n = strspn(++s, "0123456789");
		if (!n)
			return false;
		s += n;
	}
	if (*s == 'e' || *s == 'E') {
		s += s[1] == '+' || s[1] == '-' ? 2 : 1;
		n = strspn(s, "0123456789");
		if (!n)
			return false;
		s += n;
	}
	return !*s;
}

static cJSON *plain(const char *s)
{
	if (!*s || strcmp(s, "~") == 0 || strcmp(s, "null") == 0)
		return cJSON_CreateNull();
	if (strcmp(s, "true") == 0 || strcmp(s, "false") == 0)
		return cJSON_CreateBool(*s == 't');
	if (is_number(s))
		return cJSON_CreateNumber(strtod(s, NULL));
	return cJSON_CreateString(s);
}

/* Into the innermost that is open; takes item. */
static int add(struct reader *r, const yaml_event_t *e, cJSON *item)
{
	cJSON *in = r->depth ? r->open[r->depth - 1] : NULL;
	char **key = r->depth ? &r->key[r->depth - 1] : NULL;

	if (!in) {
		r->root = item;
		if (cJSON_IsObject(item))
			return 0;
		return stop(r, e, "this must be \"key: value\" lines");
	}
	if (cJSON_IsArray(in)) {
		cJSON_AddItemToArray(in, item);
		return 0;
	}
	cJSON_AddItemToObject(in, *key, item);
	free(steal_ptr(key));
	return 0;
}

static bool wants_key(const struct reader *r)
{
	return r->depth && cJSON_IsObject(r->open[r->depth - 1]) &&
	       !r->key[r->depth - 1];
}

static int on_scalar(struct reader *r, const yaml_event_t *e)
{
	const char *s = (const char *)e->data.scalar.value;
	bool bare = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;

	if (strlen(s) != e->data.scalar.length)
		return stop(r, e, "there is a NUL in a text");
	if (bare && is_number(s) && !isfinite(strtod(s, NULL)))
		return stop(r, e, "the number is too large");
	if (!wants_key(r))
		return add(r, e, bare ? plain(s) : cJSON_CreateString(s));
	if (json_get(r->open[r->depth - 1], s))
		return stop(r, e, "the same key stands twice");
	r->key[r->depth - 1] = xstrdup(s);
	return 0;
}

static int on_open(struct reader *r, const yaml_event_t *e, cJSON *item)
{
	if (wants_key(r) || r->depth == DEPTH_MAX) {
		cJSON_Delete(item);
		return stop(r, e, r->depth == DEPTH_MAX ? "nested too deep" :
							   "a key must be text");
	}
	if (add(r, e, item) < 0)
		return -1;
	r->open[r->depth++] = item;
	return 0;
}

static bool is_odd(const yaml_event_t *e)
{
	return e->type == YAML_ALIAS_EVENT ||
	       (e->type == YAML_SCALAR_EVENT &&
		(e->data.scalar.anchor || e->data.scalar.tag)) ||
	       (e->type == YAML_MAPPING_START_EVENT &&
		(e->data.mapping_start.anchor || e->data.mapping_start.tag)) ||
	       (e->type == YAML_SEQUENCE_START_EVENT &&
		(e->data.sequence_start.anchor || e->data.sequence_start.tag));
}

static int on_event(struct reader *r, const yaml_event_t *e)
{
	if (is_odd(e))
		return stop(r, e, "anchors, aliases and tags are not "
			    "understood here");
	if (e->type == YAML_SCALAR_EVENT)
		return on_scalar(r, e);
	if (e->type == YAML_MAPPING_START_EVENT)
		return on_open(r, e, cJSON_CreateObject());
	if (e->type == YAML_SEQUENCE_START_EVENT)
		return on_open(r, e, cJSON_CreateArray());
	if (e->type == YAML_MAPPING_END_EVENT ||
	    e->type == YAML_SEQUENCE_END_EVENT)
		r->depth--;
	else if (e->type == YAML_DOCUMENT_START_EVENT && r->root)
		return stop(r, e, "one document only");
	return 0;
}

static int syntax_error(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;

	return svm_err_set(r->err, SVM_BAD_REQUEST, "%s:%zu: %s%s%s", r->name,
			   p->problem_mark.line + 1,
			   p->problem ? p->problem : "bad YAML",
			   p->context ? " " : "",
			   p->context ? p->context : "");
}

static int read_events(struct reader *r)
{
	for (bool end = false; !end;) {
		yaml_event_t e;

		if (!yaml_parser_parse(&r->parser, &e))
			return syntax_error(r);
		end = e.type == YAML_STREAM_END_EVENT;
		int result = on_event(r, &e);
		yaml_event_delete(&e);
		if (result < 0)
			return -1;
	}
	if (!r->root)
		r->root = cJSON_CreateObject();
	return 0;
}

cJSON *yaml_read(const char *name, const char *text, size_t n,
		 struct svm_err *err)
{
	struct reader r = { .name = name, .err = err };

	if (!yaml_parser_initialize(&r.parser))
		BUG("libyaml can't be initialised");
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text,
				     n);
	int result = read_events(&r);
	yaml_parser_delete(&r.parser);
	for (size_t i = 0; i < DEPTH_MAX; i++)
		free(r.key[i]);
	if (result == 0)
		return r.root;
	cJSON_Delete(r.root);
	return NULL;
}

/* Writing. */

static void indent(struct buf *out, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++)
		buf_addstr(out, "  ");
}

/* Can it stand without quotes, and is text then?  No rule is bent here for
 * beauty: what is not surely plain is quoted. */
static bool is_plain_text(const char *s)
{
	static const char *const words[] = { "true", "false", "null", "yes",
					     "no", "on", "off", "y", "n" };

	if (!isalpha((unsigned char)*s) && *s != '/')
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasecmp(s, words[i]) == 0)
			return false;
	for (const char *p = s; *p; p++) {
		if (isalnum((unsigned char)*p) || strchr("_./@+-", *p))
			continue;
		if (*p == ':' && p[1] && p[1] != ' ')
			continue;
		if (*p == ' ' && p[1] && p[1] != ' ')
			continue;
		return false;
	}
	return true;
}

/* Lines that a literal block gives back as they are. */
static bool is_lines(const char *s)
{
	size_t n = strlen(s);

	if (!strchr(s, '\n') || *s == '\n' || *s == ' ' ||
	    (s[n - 1] == '\n' && s[n - 2] == '\n'))
		return false;
	for (; *s; s++)
		if ((unsigned char)*s >= 0x7f ||
		    ((unsigned char)*s < ' ' && *s != '\n'))
			return false;
	return true;
}

/* What readers of YAML refuse where it isn't escaped, and JSON does not. */
static bool is_refused(uint32_t cp)
{
	return (cp >= 0x7f && cp < 0xa0) || cp == 0xfeff || cp == 0xfffe ||
	       cp == 0xffff;
}

/* As JSON has it, which is YAML too but for those. */
static void write_quoted(struct buf *out, const char *s)
{
	auto_buf struct buf part = BUF_INIT;
	const char *from = s;
	uint32_t cp = 0;

	buf_addch(out, '"');
	while (*from) {
		int n = 0;

		for (s = from; *s; s += n) {
			n = utf8_decode(s, strlen(s), &cp);
			if (n <= 0 || is_refused(cp))
				break;
		}
		buf_clear(&part);
		json_add_string(&part, from, (size_t)(s - from));
		buf_add(out, part.data + 1, part.len - 2);
		if (*s) {
			buf_addf(out, "\\u%04x", n > 0 ? cp : 0xfffdu);
			s += n > 0 ? n : n < 0 ? -n : 1;
		}
		from = s;
	}
	buf_addch(out, '"');
}

static void write_lines(struct buf *out, const char *s, unsigned depth)
{
	bool newline = s[strlen(s) - 1] == '\n';

	buf_addstr(out, newline ? "|\n" : "|-\n");
	while (*s) {
		size_t n = strcspn(s, "\n");

		if (n)
			indent(out, depth);
		buf_add(out, s, n);
		buf_addch(out, '\n');
		s += n + (s[n] == '\n');
	}
}

static void write_string(struct buf *out, const char *s, unsigned depth)
{
	if (is_lines(s)) {
		write_lines(out, s, depth);
		return;
	}
	if (is_plain_text(s))
		buf_addstr(out, s);
	else
		write_quoted(out, s);
	buf_addch(out, '\n');
}

static void write_members(struct buf *out, const cJSON *v, unsigned depth);

/* After "key:" or "-". */
static void write_value(struct buf *out, const cJSON *v, unsigned depth)
{
	if (v->child) {
		buf_addch(out, '\n');
		write_members(out, v, depth);
		return;
	}
	buf_addch(out, ' ');
	if (cJSON_IsString(v)) {
		write_string(out, v->valuestring, depth);
		return;
	}
	char *text = cJSON_PrintUnformatted(v);
	buf_addf(out, "%s\n", text);
	cJSON_free(text);
}

/* A key that is told by its ":" alone has at most 1024 characters (YAML 1.2,
 * 7.4.3); quoted, a shorter one may have more. */
static void write_key(struct buf *out, const char *name, unsigned depth)
{
	auto_buf struct buf text = BUF_INIT;

	if (is_plain_text(name))
		buf_addstr(&text, name);
	else
		write_quoted(&text, name);
	if (text.len <= KEY_MAX) {
		buf_addf(out, "%s:", buf_str(&text));
		return;
	}
	buf_addf(out, "? %s\n", buf_str(&text));
	indent(out, depth);
	buf_addch(out, ':');
}

static void write_members(struct buf *out, const cJSON *v, unsigned depth)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, v) {
		indent(out, depth);
		if (cJSON_IsArray(v))
			buf_addch(out, '-');
		else
			write_key(out, item->string, depth);
		write_value(out, item, depth + 1);
	}
}

void yaml_write(const cJSON *object, struct buf *out)
{
	if (object->child)
		write_members(out, object, 0);
	else
		buf_addstr(out, "{}\n");
}
