/* SPDX-License-Identifier: MIT */
/* Reading JSON: cJSON behind the checks it lacks.  See json.h. */
#include "lib/base/json.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/utf8.h"

static const char *const data_keys[] = {
	[JSON_CONTENT] = "content",
	[JSON_STDIN] = "stdin",
	[JSON_DATA] = "data", /* of a WebSocket message */
};

/* One pass over the text before cJSON sees it. */
struct scan {
	struct json_doc *doc;
	const char *text;
	size_t len, pos;
	unsigned depth;
	bool object[JSON_MAX_DEPTH + 1]; /* is this level an object */
	int key;      /* data member whose value comes next, or -1 */
	bool in_key;  /* the next string of an object is a key */
};

static int data_member(const char *s, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(data_keys); i++)
		if (strlen(data_keys[i]) == n &&
		    memcmp(s, data_keys[i], n) == 0)
			return (int)i;
	return -1;
}

/* At a backslash: skip the escape.  cJSON takes \\u with anything behind it
 * for U+0000, so that isn't left to it. */
static int scan_escape(struct scan *s, bool *nul, struct svm_err *err)
{
	const char *p = s->text + s->pos;
	size_t left = s->len - s->pos, digits = 0;

	if (left < 2 || !memchr("\"\\/bfnrtu", p[1], 9))
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "not a JSON escape at byte %zu", s->pos);
	s->pos += 2;
	if (p[1] != 'u')
		return 0;
	while (digits < 4 && digits + 2 < left &&
	       isxdigit((unsigned char)p[digits + 2]))
		digits++;
	if (digits < 4)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "\\u without four digits at byte %zu",
				   s->pos - 2);
	*nul |= memcmp(p + 2, "0000", 4) == 0;
	s->pos += 4;
	return 0;
}

/* At a quote: skip the string, noting U+0000 and data members. */
static int scan_string(struct scan *s, struct svm_err *err)
{
	size_t start = ++s->pos;
	bool nul = false;

	while (s->pos < s->len && s->text[s->pos] != '"') {
		if (s->text[s->pos] != '\\') {
			if ((unsigned char)s->text[s->pos] < 0x20)
				return svm_err_set(err, SVM_BAD_REQUEST,
						   "raw control character in a "
						   "JSON string at byte %zu",
						   s->pos);
			s->pos++;
			continue;
		}
		if (scan_escape(s, &nul, err) < 0)
			return -1;
	}
	if (s->pos >= s->len)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "JSON string without an end at byte %zu",
				   start);
	size_t n = s->pos++ - start;
	if (s->in_key) {
		s->in_key = false;
		s->key = s->depth == 1 ? data_member(s->text + start, n) : -1;
	} else if (s->key >= 0 && s->depth == 1) {
		s->doc->data[s->key] =
			(struct json_slice){ s->text + start, n };
		nul = false;
	}
	if (nul)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "U+0000 in a JSON string at byte %zu",
				   start);
	return 0;
}

static size_t digits(const struct scan *s, size_t at)
{
	size_t n = 0;

	while (at + n < s->len && isdigit((unsigned char)s->text[at + n]))
		n++;
	return n;
}

/* RFC 8259's grammar; cJSON takes whatever strtod() does ("01", "1."). */
static int scan_number(struct scan *s, struct svm_err *err)
{
	size_t at = s->pos + (s->text[s->pos] == '-');
	size_t n = digits(s, at);
	bool good = n == 1 || (n && s->text[at] != '0');

	at += n;
	if (at < s->len && s->text[at] == '.') {
		n = digits(s, ++at);
		good = good && n;
		at += n;
	}
	if (at < s->len && (s->text[at] | 32) == 'e') {
		at++;
		if (at < s->len && (s->text[at] == '+' || s->text[at] == '-'))
			at++;
		n = digits(s, at);
		good = good && n;
		at += n;
	}
	if (!good)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "not a JSON number at byte %zu", s->pos);
	s->pos = at;
	return 0;
}

static int scan_text(struct scan *s, struct svm_err *err)
{
	while (s->pos < s->len) {
		char c = s->text[s->pos];

		if (c == '"' || c == '-' || isdigit((unsigned char)c)) {
			if ((c == '"' ? scan_string : scan_number)(s, err) < 0)
				return -1;
			continue;
		}
		if (c == '{' || c == '[') {
			if (++s->depth > JSON_MAX_DEPTH)
				return svm_err_set(err, SVM_BAD_REQUEST,
						   "JSON nested deeper than %d",
						   JSON_MAX_DEPTH);
			s->object[s->depth] = s->in_key = c == '{';
		} else if ((c == '}' || c == ']') && s->depth) {
			s->depth--;
			s->in_key = false;
		} else if (c == ',') {
			s->in_key = s->depth && s->object[s->depth];
		}
		/* cJSON takes every control character as white space. */
		if ((unsigned char)c < 0x20 && !strchr("\t\r\n", c ? c : 1))
			return svm_err_set(err, SVM_BAD_REQUEST,
					   "control character in JSON at byte "
					   "%zu", s->pos);
		s->pos++;
	}
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(const cJSON *const *)a)->string,
		      (*(const cJSON *const *)b)->string);
}

static int check_duplicates(const cJSON *node, struct svm_err *err)
{
	size_t n = 0;

	for (const cJSON *kid = node->child; kid; kid = kid->next, n++)
		if (kid->child && check_duplicates(kid, err) < 0)
			return -1;
	if (!cJSON_IsObject(node) || n < 2)
		return 0;
	auto_free const cJSON **kids = xcalloc(n, sizeof(*kids));
	n = 0;
	for (const cJSON *kid = node->child; kid; kid = kid->next)
		kids[n++] = kid;
	qsort(kids, n, sizeof(*kids), by_name);
	for (size_t i = 1; i < n; i++)
		if (strcmp(kids[i - 1]->string, kids[i]->string) == 0)
			return svm_err_set(err, SVM_BAD_REQUEST,
					   "JSON key '%.64s' stands twice",
					   kids[i]->string);
	return 0;
}

static bool only_space(const char *p, size_t n)
{
	for (; n; p++, n--)
		if (!strchr(" \t\r\n", *p) || !*p)
			return false;
	return true;
}

int json_parse_object(struct json_doc *doc, const char *text, size_t n,
		      struct svm_err *err)
{
	struct json_doc fresh = JSON_DOC_INIT;
	struct scan s = { .doc = &fresh, .text = text, .len = n, .key = -1 };
	const char *end = NULL;

	if (only_space(text, n)) {
		doc->root = cJSON_CreateObject();
		return 0;
	}
	if (!utf8_valid(text, n))
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "the JSON body is not valid UTF-8");
	if (scan_text(&s, err) < 0)
		return -1;
	fresh.root = cJSON_ParseWithLengthOpts(text, n, &end, false);
	if (!fresh.root)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "the body is not valid JSON near byte %zu",
				   end ? (size_t)(end - text) : 0);
	int r = 0;
	if (!only_space(end, n - (size_t)(end - text)))
		r = svm_err_set(err, SVM_BAD_REQUEST,
				"bytes after the JSON value at byte %zu",
				(size_t)(end - text));
	else if (!cJSON_IsObject(fresh.root))
		r = svm_err_set(err, SVM_BAD_REQUEST,
				"the body must be a JSON object");
	else
		r = check_duplicates(fresh.root, err);
	if (r < 0)
		json_release(&fresh);
	else
		*doc = fresh;
	return r;
}

void json_release(struct json_doc *doc)
{
	cJSON_Delete(doc->root);
	*doc = (struct json_doc)JSON_DOC_INIT;
}

/* Getters. */

const cJSON *json_get(const cJSON *obj, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(obj, key);
}

int json_get_string(const cJSON *obj, const char *key, const char **ret,
		    struct svm_err *err)
{
	const cJSON *v = json_get(obj, key);

	if (!v || cJSON_IsNull(v) ||
	    (cJSON_IsNumber(v) && v->valuedouble == 0))
		return 0;
	if (!cJSON_IsString(v))
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "'%s' must be a string", key);
	if (*v->valuestring)
		*ret = v->valuestring;
	return 0;
}

int json_get_int(const cJSON *obj, const char *key, int64_t min, int64_t max,
		 int64_t *ret, struct svm_err *err)
{
	const cJSON *v = json_get(obj, key);

	if (!v || cJSON_IsNull(v) ||
	    (cJSON_IsString(v) && !*v->valuestring))
		return 0;
	if (!cJSON_IsNumber(v) || v->valuedouble != floor(v->valuedouble))
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "'%s' must be a whole number", key);
	if (v->valuedouble == 0)
		return 0;
	/* 2^63 as a double is INT64_MAX rounded up. */
	if (v->valuedouble < (double)min || v->valuedouble > (double)max ||
	    v->valuedouble >= 0x1p63)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "'%s' must be from %" PRId64 " to %" PRId64,
				   key, min, max);
	*ret = (int64_t)v->valuedouble;
	return 0;
}

int json_get_bool(const cJSON *obj, const char *key, bool *ret,
		  struct svm_err *err)
{
	const cJSON *v = json_get(obj, key);

	if (!v || cJSON_IsNull(v))
		return 0;
	if (!cJSON_IsBool(v))
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "'%s' must be true or false", key);
	*ret = cJSON_IsTrue(v);
	return 0;
}

const char *json_text(const cJSON *obj, const char *key)
{
	const cJSON *v = json_get(obj, key);

	return cJSON_IsString(v) ? v->valuestring : "";
}

/* Data members: escapes decoded with their length. */

static unsigned hex4(const char *p)
{
	unsigned v = 0;

	for (int i = 0; i < 4; i++) {
		char c = p[i];

		v = v << 4 | (unsigned)(isdigit((unsigned char)c) ? c - '0' :
					(c | 32) - 'a' + 10);
	}
	return v;
}

/* scan_escape() saw that every escape is whole, cJSON that they are paired. */
static const char *decode_escape(struct buf *out, const char *p)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *at;

	if (*p == 'u') {
		unsigned cp = hex4(p + 1);
		char utf8[4];

		p += 5;
		if (cp >= 0xd800 && cp <= 0xdbff) {
			cp = 0x10000 + ((cp - 0xd800) << 10) +
			     (hex4(p + 2) - 0xdc00);
			p += 6;
		}
		buf_add(out, utf8, utf8_encode(cp, utf8));
		return p;
	}
	at = strchr(from, *p);
	buf_addch(out, at ? to[at - from] : *p);
	return p + 1;
}

int json_data(const struct json_doc *doc, enum json_data_member which,
	      struct buf *out, bool *ret_present, struct svm_err *err)
{
	const struct json_slice *raw = &doc->data[which];
	const cJSON *v = json_get(doc->root, data_keys[which]);

	*ret_present = false;
	if (!v || cJSON_IsNull(v))
		return 0;
	if (!cJSON_IsString(v) || !raw->text)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "'%s' must be a string", data_keys[which]);
	*ret_present = true;
	const char *p = raw->text, *end = p + raw->len;
	while (p < end) {
		const char *esc = memchr(p, '\\', (size_t)(end - p));

		buf_add(out, p, (size_t)((esc ? esc : end) - p));
		p = esc ? decode_escape(out, esc + 1) : end;
	}
	return 0;
}
