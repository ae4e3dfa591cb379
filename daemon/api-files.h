/* SPDX-License-Identifier: MIT */
/* What the handlers of files and archives share. */
#ifndef SVM_DAEMON_API_FILES_H
#define SVM_DAEMON_API_FILES_H

#include <stdint.h>

#include "lib/api/event-type.h"
#include "lib/api/frame.h"
#include "lib/base/err.h"
#include "lib/base/json.h"

struct api_call;
struct http_req;

/* The query parameter `path`, checked; `fallback` when it is absent (NULL:
 * required).  NULL when an error was replied. */
const char *api_files_path(struct http_req *r, const char *fallback);

/* "755" or "0755"; empty or NULL leaves *ret alone. */
int api_files_mode(const char *text, uint32_t *ret, struct svm_err *err);

/* A FileInfo.  `path` and `name` are ours, never the agent's words. */
void api_files_add_info(struct json_writer *w, const char *path,
			const char *name, const struct agent_file *f);

/* It happened: the audit record and the event, or EVENT_NONE; `to` only for
 * moves. */
void api_files_changed(const struct api_call *c, const char *action,
		       enum event_type event, const char *path,
		       const char *to);

#endif
