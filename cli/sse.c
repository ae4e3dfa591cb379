/* SPDX-License-Identifier: MIT */
/* Server-sent events as the daemon sends them: one data line each. */
#include "cli/sse.h"

#include <string.h>

/* The end of an event, comments, and fields that say nothing here. */
static bool is_beside(const char *line)
{
	return !*line || *line == ':' || strncmp(line, "id:", 3) == 0 ||
	       strncmp(line, "event:", 6) == 0 ||
	       strncmp(line, "retry:", 6) == 0;
}

int sse_next(struct exchange *x, struct json_doc *doc, const char **ret_raw,
	     struct svm_err *err)
{
	auto_err struct svm_err bad = SVM_ERR_INIT;
	bool end = false;
	size_t n;

	json_release(doc);
	*doc = (struct json_doc)JSON_DOC_INIT;
	for (;;) {
		char *line = exchange_line(x, true, &n, &end, err);

		if (!line)
			return end ? 0 : -1;
		if (is_beside(line))
			continue;
		if (strncmp(line, "data:", 5) != 0)
			return svm_err_set(err, SVM_PROVIDER,
					   "the daemon sent no stream of "
					   "events");
		line += 5;
		line += *line == ' ';
		if (json_parse_object(doc, line, strlen(line), &bad) < 0)
			return svm_err_set(err, SVM_PROVIDER,
					   "the daemon sent an event that "
					   "can't be read: %s", bad.msg);
		*ret_raw = line;
		return 1;
	}
}
