/* SPDX-License-Identifier: MIT */
/* JSON schemas of what routes take and give; route-info.c names them. */
#ifndef SVM_DAEMON_SCHEMAS_H
#define SVM_DAEMON_SCHEMAS_H

struct schema {
	const char *name;
	const char *json;
};
extern const struct schema schemas[]; /* ends with name NULL */

#endif
