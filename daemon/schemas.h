/* SPDX-License-Identifier: MIT */
/* JSON schemas of what routes take and give; route-info.c names them. */
#ifndef SVM_DAEMON_SCHEMAS_H
#define SVM_DAEMON_SCHEMAS_H

struct schema {
	const char *name;
	const char *json;
};
extern const struct schema schemas[]; /* ends with name NULL */

/* The names of an object's properties, owned (strv_free); NULL when there is
 * no such schema, or it isn't one of an object. */
char **schemas_fields(const char *name);

#endif
