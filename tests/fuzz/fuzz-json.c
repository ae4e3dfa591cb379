/* SPDX-License-Identifier: MIT */
/*
 * JSON bodies, and the text that goes out: no body crashes the reader, and
 * whatever bytes are quoted come back as valid JSON of valid UTF-8; whatever
 * is escaped for a terminal is one line without control characters.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/escape.h"
#include "lib/base/json.h"
#include "lib/base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_parse(const char *text, size_t size)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf out = BUF_INIT;
	bool present = false;

	if (json_parse_object(&doc, text, size, &err) < 0) {
		if (err.code != SVM_BAD_REQUEST || !err.msg)
			abort();
		return;
	}
	if (!utf8_valid(text, size))
		abort();
	(void)json_data(&doc, JSON_CONTENT, &out, &present, &err);
}

static void try_quote(const char *text, size_t size)
{
	auto_buf struct buf out = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_err struct svm_err err = SVM_ERR_INIT;

	buf_addstr(&out, "{\"content\":");
	json_add_string(&out, text, size);
	buf_addch(&out, '}');
	if (memchr(out.data, '\n', out.len) || !utf8_valid(out.data, out.len) ||
	    json_parse_object(&doc, out.data, out.len, &err) < 0)
		abort();
}

static void try_escape(const char *text, size_t size)
{
	auto_buf struct buf out = BUF_INIT;

	escape_line(&out, text, size);
	for (size_t i = 0; i < out.len; i++)
		if ((unsigned char)out.data[i] < 0x20 || out.data[i] == 0x7f)
			abort();
	if (!utf8_valid(out.data, out.len))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;

	try_parse(text, size);
	try_quote(text, size);
	try_escape(text, size);
	return 0;
}
