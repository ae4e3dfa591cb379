/* SPDX-License-Identifier: MIT */
/*
 * The database's schema as a list of steps, and what runs them.
 *
 * A step that was released is never changed: add another at the end.
 * user_version counts the steps that are done; each is one transaction, so a
 * daemon that dies halfway leaves the version before it.
 */
#ifndef SVM_DAEMON_STORE_SCHEMA_H
#define SVM_DAEMON_STORE_SCHEMA_H

#include <sqlite3.h>

#include "lib/base/err.h"

extern const char *const store_schema[];
extern const unsigned store_schema_steps;

/* Run what is missing.  A database that is newer than `n` steps is refused
 * with UNAVAILABLE and left as it is. */
int store_migrate(sqlite3 *db, const char *const *steps, unsigned n,
		  struct svm_err *err);

/* Set err from what db failed at: NO_SPACE for a full disk or quota,
 * UNAVAILABLE with a hint for a read-only or damaged database, else
 * INTERNAL.  Returns -1. */
int store_db_error(sqlite3 *db, int rc, struct svm_err *err,
		   const char *what);

int store_exec(sqlite3 *db, const char *sql, struct svm_err *err);

/* The text of each enum store_write. */
extern const char *const store_write_sql[];

#endif
