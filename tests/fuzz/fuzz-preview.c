/* SPDX-License-Identifier: MIT */
/*
 * The answer of a hostile program behind a preview: nothing it says leaves
 * the header it is in, claims a cookie of ours, or is longer than announced;
 * and what comes out doesn't depend on how the bytes came in.
 *
 * The first byte: what was asked with, and the size of the pieces.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/http/http.h"
#include "daemon/preview-answer.h"
#include "daemon/preview.h"
#include "lib/base/buf.h"
#include "lib/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct told {
	struct buf text; /* everything, in order */
	int64_t length, body;
	bool begun;
	enum preview_result result;
};

static void must(bool ok)
{
	if (!ok)
		abort();
}

static bool one_line(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' && *s != '\t')
			return false;
	return true;
}

static bool contains(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (; *text; text++)
		if (strncasecmp(text, word, n) == 0)
			return true;
	return false;
}

static void on_header(void *data, const char *name, const char *value)
{
	static const char *const framing[] = { "Content-Length", "Connection",
					       "Transfer-Encoding", "Upgrade",
					       "Trailer" };
	struct told *t = data;

	must(!t->begun);
	must(http1_is_token(name, strlen(name)) && one_line(value));
	for (size_t i = 0; i < ARRAY_SIZE(framing); i++)
		must(strcasecmp(name, framing[i]) != 0);
	if (strcasecmp(name, "Set-Cookie") == 0) {
		value += strspn(value, " \t=");
		must(strncmp(value, PREVIEW_COOKIE,
			     strlen(PREVIEW_COOKIE)) != 0);
		must(!contains(value, ";domain") &&
		     !contains(value, "; domain"));
	}
	buf_addf(&t->text, "%s: %s\n", name, value);
}

static void on_begin(void *data, int status, const char *type, int64_t length)
{
	struct told *t = data;

	must(!t->begun && status >= 200 && status <= 999);
	must(!type || one_line(type));
	must(length >= HTTP_BODILESS);
	t->begun = true;
	t->length = length;
	buf_addf(&t->text, "%d %s %lld\n", status, type ? type : "-",
		 (long long)length);
}

static void on_body(void *data, const char *p, size_t n)
{
	struct told *t = data;

	must(t->begun && n);
	t->body += (int64_t)n;
	must(t->length == -1 || t->body <= t->length);
	buf_add(&t->text, p, n);
}

static void run(struct told *t, const char *method, bool upgrade,
		const char *p, size_t n, size_t step)
{
	static const struct preview_answer_events events = {
		on_header, on_begin, on_body,
	};
	struct preview_answer a;

	preview_answer_init(&a, method, upgrade, &events, t);
	t->result = PREVIEW_MORE;
	while (n && t->result == PREVIEW_MORE) {
		size_t part = MIN(n, step);
		char *exact = malloc(part);

		/* A copy of its exact size: ASan sees a byte too far. */
		memcpy(exact, p, part);
		t->result = preview_answer_take(&a, exact, part);
		free(exact);
		p += part;
		n -= part;
	}
	if (t->result == PREVIEW_SWITCHED) {
		struct http1_head h;
		size_t scan = 0;
		int len = http1_head_length(a.in.data, a.in.len, &scan);

		must(upgrade && !t->begun && len > 0);
		must(http1_parse_response(a.in.data, (size_t)len, &h) == 0);
		must(h.status == 101);
		buf_add(&a.in, p, n); /* the rest goes straight through */
		buf_add(&t->text, a.in.data, a.in.len);
	}
	if (t->result == PREVIEW_MORE)
		t->result = preview_answer_end(&a);
	must(t->result != PREVIEW_MORE);
	must((t->result == PREVIEW_BAD) == (a.why != NULL));
	if (t->result == PREVIEW_DONE)
		must(t->begun && (t->length < 0 || t->body == t->length ||
				  strcmp(method, "HEAD") == 0));
	preview_answer_release(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const methods[] = { "GET", "HEAD", "POST", "GET" };
	struct told whole = { .text = BUF_INIT }, parts = { .text = BUF_INIT };

	if (!size)
		return 0;
	const char *method = methods[data[0] & 3];
	bool upgrade = data[0] & 4;
	size_t step = (size_t)(data[0] >> 3) + 1;
	const char *p = (const char *)data + 1;

	run(&whole, method, upgrade, p, size - 1, size);
	run(&parts, method, upgrade, p, size - 1, step);
	must(whole.result == parts.result && whole.begun == parts.begun);
	must(whole.text.len == parts.text.len);
	must(!whole.text.len || memcmp(whole.text.data, parts.text.data,
				       whole.text.len) == 0);
	buf_release(&whole.text);
	buf_release(&parts.text);
	return 0;
}
