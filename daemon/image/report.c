/* SPDX-License-Identifier: MIT */
/* Lines for the daemon.  See report.h. */
#include "daemon/image/report.h"

#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fd.h"

struct json_writer report_begin(struct buf *line, const char *type)
{
	struct json_writer w = json_writer(line);

	json_open(&w, NULL, '{');
	json_str(&w, "type", type);
	return w;
}

void report_digest(struct json_writer *w, const char *key,
		   const struct digest *d)
{
	char text[DIGEST_TEXT + 1];

	digest_format(d, text);
	json_str(w, key, text);
}

void report_end(struct json_writer *w, struct buf *line)
{
	json_close(w, '}');
	buf_addch(line, '\n');
	if (fd_write_full(REPORT_FD, line->data, line->len) < 0)
		_exit(1);
}

void report_error(const struct svm_err *err)
{
	auto_buf struct buf line = BUF_INIT;
	struct json_writer w = report_begin(&line, "error");

	json_str(&w, "code", svm_code_name(err->code));
	json_str(&w, "message", err->msg);
	json_str(&w, "remediation", err->hint ? err->hint : "");
	report_end(&w, &line);
}
