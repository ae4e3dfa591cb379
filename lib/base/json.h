/* SPDX-License-Identifier: MIT */
/*
 * JSON.  Reading (json.c) is cJSON behind checks it lacks; writing
 * (json-write.c) is ours.
 *
 * cJSON cuts strings at U+0000, finds keys case-insensitively and takes the
 * first of duplicates.  So parsing refuses what would be misread: depth over
 * the limit, bytes after the value, invalid UTF-8, duplicate keys, and
 * U+0000 in any key or string, except that the strings of the members named
 * as data (content, stdin, data) are decoded by a reader of our own that
 * carries lengths: json_data().
 */
#ifndef SVM_BASE_JSON_H
#define SVM_BASE_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

#define JSON_MAX_DEPTH 64

struct json_doc {
	cJSON *root;
	/* Raw text of the top-level data members, escapes intact. */
	struct json_slice {
		const char *text; /* borrowed from the input */
		size_t len;
	} data[3];
};

#define JSON_DOC_INIT { NULL, { { NULL, 0 }, { NULL, 0 }, { NULL, 0 } } }
#define auto_json CLEANUP(json_release)

/* Top-level string members whose U+0000 is data; data[] is in this order. */
enum json_data_member { JSON_CONTENT, JSON_STDIN, JSON_DATA };

/* Parse an object from text[0..n); the text must outlive doc.  An empty body
 * is an empty object.  BAD_REQUEST with the place and reason otherwise. */
int json_parse_object(struct json_doc *doc, const char *text, size_t n,
		      struct svm_err *err);
void json_release(struct json_doc *doc);

/* Case-sensitive look-up.  Getters leave *ret alone when the key is absent,
 * null, "" or 0 ("not given", API.md 1) and fail with BAD_REQUEST, naming the
 * key, on another type or an integer out of [min, max]. */
const cJSON *json_get(const cJSON *obj, const char *key);
int json_get_string(const cJSON *obj, const char *key, const char **ret,
		    struct svm_err *err);
int json_get_int(const cJSON *obj, const char *key, int64_t min, int64_t max,
		 int64_t *ret, struct svm_err *err);
int json_get_bool(const cJSON *obj, const char *key, bool *ret,
		  struct svm_err *err);

/* A string member, borrowed; "" when there is none, or no object. */
const char *json_text(const cJSON *obj, const char *key);

/* The bytes of a data member appended to out; *ret_present tells "" from
 * absent.  BAD_REQUEST when it is not a string. */
int json_data(const struct json_doc *doc, enum json_data_member which,
	      struct buf *out, bool *ret_present, struct svm_err *err);

/* Append a quoted string: escapes, invalid UTF-8 repaired to U+FFFD; C0, DEL,
 * U+0085, U+2028 and U+2029 escaped (line readers split there). */
void json_add_string(struct buf *out, const char *s, size_t n);

/*
 * A writer that places commas.
 *	json_open(&w, NULL, '{');
 *	json_str(&w, "id", id);
 *	json_close(&w, '}');
 * The key is NULL inside arrays.
 */
struct json_writer {
	struct buf *out;
	bool comma;
};

static inline struct json_writer json_writer(struct buf *out)
{
	return (struct json_writer){ out, false };
}

void json_open(struct json_writer *w, const char *key, char bracket);
void json_close(struct json_writer *w, char bracket);
void json_str(struct json_writer *w, const char *key, const char *s);
void json_strn(struct json_writer *w, const char *key, const char *s,
	       size_t n);
void json_int(struct json_writer *w, const char *key, int64_t v);
void json_double(struct json_writer *w, const char *key, double v);
void json_bool(struct json_writer *w, const char *key, bool v);
void json_null(struct json_writer *w, const char *key);
void json_raw(struct json_writer *w, const char *key, const char *json);
/* An object of strings (NULL-terminated "KEY=VALUE"s). */
void json_strmap(struct json_writer *w, const char *key, char *const *pairs);

#endif
