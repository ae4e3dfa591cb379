/* SPDX-License-Identifier: MIT */
/* Reading a daemon's JSON.  See reply.h. */
#include "lib/client/reply.h"

#include <string.h>

static void replace_nul(char *text)
{
	for (char *p = text; (p = strchr(p, '\\'));) {
		if (strncmp(p, "\\u0000", 6) == 0)
			p[2] = '2', p[3] = '4';
		p += p[1] ? 2 : 1;
	}
}

int reply_parse(struct json_doc *doc, const char *text, size_t n,
		cJSON **ret, struct svm_err *err)
{
	/* lib/base/json.h reads objects. */
	auto_buf struct buf wrapped = BUF_INIT;
	auto_err struct svm_err bad = SVM_ERR_INIT;

	buf_addstr(&wrapped, "{\"reply\":");
	buf_add(&wrapped, text, n);
	buf_addch(&wrapped, '}');
	replace_nul(wrapped.data);
	if (json_parse_object(doc, wrapped.data, wrapped.len, &bad) < 0)
		return svm_err_set(err, SVM_PROVIDER,
				   "the daemon's reply can't be read: %s",
				   bad.msg);
	memset(doc->data, 0, sizeof(doc->data)); /* they point into wrapped */
	*ret = cJSON_GetObjectItemCaseSensitive(doc->root, "reply");
	return 0;
}
