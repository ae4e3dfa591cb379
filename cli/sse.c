/* SPDX-License-Identifier: MIT */
/* Server-sent events as the daemon sends them: one data line each. */
#include "cli/sse.h"

#include <string.h>

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
		if (strncmp(line, "data:", 5) != 0)
			continue; /* id, comments */
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
