/* SPDX-License-Identifier: MIT */
/*
 * `stacyvm db`: copies of the database, and whether it is sound.
 *
 * A backup is SQLite's own: one moment of the database, also while a daemon
 * writes.  A restore replaces the database in one transaction and needs the
 * lock that a daemon holds.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/audit-read.h"
#include "daemon/config.h"
#include "daemon/instance.h"
#include "daemon/serve.h"
#include "daemon/store-schema.h"
#include "lib/api/dirs.h"
#include "lib/api/errmap.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"

extern char **environ;

#define PROBLEMS 20 /* told by a check */

static void close_db(sqlite3 **db)
{
	sqlite3_close(*db);
}
#define auto_db CLEANUP(close_db)

static int open_db(const char *path, int flags, sqlite3 **ret,
		   struct svm_err *err)
{
	if (access(path, F_OK) < 0)
		return svm_err_sys(err, SVM_FILE_NOT_FOUND, errno,
				   "can't open the database '%s'", path);
	int rc = sqlite3_open_v2(path, ret, flags | SQLITE_OPEN_NOMUTEX,
				 NULL);
	sqlite3_busy_timeout(*ret, 5000);
	return rc == SQLITE_OK ? 0 :
		       store_db_error(*ret, rc, err, "can't open");
}

static int get_number(sqlite3 *db, const char *sql, int64_t *ret,
		      struct svm_err *err)
{
	sqlite3_stmt *q = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &q, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	if (rc == SQLITE_ROW)
		*ret = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	return rc == SQLITE_ROW ? 0 :
		       store_db_error(db, rc, err, "can't read");
}

/* What SQLite finds wrong, a line each; *ret_problems counts them. */
static int check_pages(sqlite3 *db, FILE *out, unsigned *ret_problems,
		       struct svm_err *err)
{
	sqlite3_stmt *q = NULL;
	int rc = sqlite3_prepare_v2(db, "PRAGMA integrity_check(20)", -1, &q,
				    NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	for (; rc == SQLITE_ROW; rc = sqlite3_step(q)) {
		const char *text = (const char *)sqlite3_column_text(q, 0);

		if (text && strcmp(text, "ok") == 0)
			continue;
		++*ret_problems;
		fprintf(out, "damaged: %s\n", text ? text : "?");
	}
	sqlite3_finalize(q);
	return rc == SQLITE_DONE ? 0 :
		       store_db_error(db, rc, err, "can't check");
}

/* Ours, sound, and of a version we know. */
static int check_usable(sqlite3 *db, const char *path, struct svm_err *err)
{
	int64_t version = 0;
	unsigned problems = 0;

	if (get_number(db, "PRAGMA user_version", &version, err) < 0 ||
	    check_pages(db, stderr, &problems, err) < 0)
		return -1;
	if (problems)
		return svm_err_set(err, SVM_UNAVAILABLE,
				   "the database '%s' is damaged", path);
	if (version < 1 || version > (int64_t)store_schema_steps)
		return svm_err_set(err, SVM_UNAVAILABLE,
				   "'%s' is no database of this version of "
				   "stacyvm (schema %" PRId64 ", known are 1 "
				   "to %u)", path, version,
				   store_schema_steps);
	return 0;
}

static int copy_db(sqlite3 *from, sqlite3 *to, struct svm_err *err)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");

	if (!b)
		return store_db_error(to, sqlite3_errcode(to), err,
				      "can't write");
	int rc = sqlite3_backup_step(b, -1);
	(void)sqlite3_backup_finish(b);
	return rc == SQLITE_DONE ? 0 :
		       store_db_error(to, rc, err, "can't copy");
}

/* backup FILE. */

/* A copy in one file: nothing of it may be left in a journal beside it. */
static int copy_to_file(sqlite3 *from, const char *path, struct svm_err *err)
{
	auto_db sqlite3 *to = NULL;

	if (open_db(path, SQLITE_OPEN_READWRITE, &to, err) < 0 ||
	    copy_db(from, to, err) < 0 ||
	    store_exec(to, "PRAGMA journal_mode = DELETE", err) < 0)
		return -1;
	return check_usable(to, path, err);
}

static int write_backup(const char *db, const char *part, struct svm_err *err)
{
	auto_db sqlite3 *from = NULL;
	auto_close int fd = open(part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
				 0600);

	if (fd < 0)
		return svm_err_sys(err, SVM_UNAVAILABLE, errno,
				   "can't create '%s'", part);
	if (open_db(db, SQLITE_OPEN_READONLY, &from, err) < 0 ||
	    copy_to_file(from, part, err) < 0)
		return -1;
	if (fsync(fd) < 0)
		return svm_err_sys(err, SVM_NO_SPACE, errno,
				   "can't write '%s'", part);
	return 0;
}

static int run_backup(const char *db, const struct dirs *d, const char *file,
		      struct svm_err *err)
{
	auto_free char *part = xasprintf("%s.part-%ld", file, (long)getpid());
	int r = write_backup(db, part, err);

	(void)d;
	if (r == 0 && renameat2(AT_FDCWD, part, AT_FDCWD, file,
				RENAME_NOREPLACE) < 0) {
		r = svm_err_sys(err, errno == EEXIST ? SVM_CONFLICT :
						       SVM_UNAVAILABLE,
				errno, "can't make '%s'", file);
		if (errno == EEXIST)
			svm_err_hint(err, "name a file that is not there");
	}
	if (r < 0)
		(void)unlink(part);
	else
		printf("%s\n", file);
	return r;
}

/* restore FILE. */

static int run_restore(const char *db, const struct dirs *d, const char *file,
		       struct svm_err *err)
{
	auto_db sqlite3 *from = NULL, *to = NULL;

	if (dirs_make(d, err) < 0)
		return -1;
	auto_close int lock = instance_lock(d->state, err);
	if (lock < 0)
		return -1;
	if (open_db(file, SQLITE_OPEN_READONLY, &from, err) < 0 ||
	    check_usable(from, file, err) < 0)
		return -1;
	auto_close int made = open(db, O_RDWR | O_CREAT | O_NOFOLLOW |
					       O_CLOEXEC, 0600);
	if (made < 0)
		return svm_err_sys(err, SVM_UNAVAILABLE, errno,
				   "can't open the database '%s'", db);
	if (open_db(db, SQLITE_OPEN_READWRITE, &to, err) < 0)
		return -1;
	if (copy_db(from, to, err) < 0)
		return svm_err_hint(err, "when it is damaged, move '%s' and "
				    "what is called like it away first", db);
	printf("restored '%s'\n", db);
	return 0;
}

/* look FILE: whether it could be put back; for who asks a person first. */
static int run_look(const char *db, const struct dirs *d, const char *file,
		    struct svm_err *err)
{
	auto_db sqlite3 *from = NULL;

	(void)db, (void)d;
	if (open_db(file, SQLITE_OPEN_READONLY, &from, err) < 0)
		return -1;
	return check_usable(from, file, err);
}

/* check [FILE]. */

static int check_trail(const char *file, unsigned *problems,
		       struct svm_err *err)
{
	struct audit_reader *r = NULL;
	struct audit_verdict v;
	int result = audit_reader_open(file, &r, err);

	if (result == 0)
		result = audit_verify(r, &v, err);
	audit_reader_close(r);
	if (result < 0)
		return -1;
	if (v.whole) {
		printf("audit: %" PRId64 " records, whole\n", v.records);
	} else {
		++*problems;
		printf("audit: broken at record %" PRId64 ": %s\n",
		       v.broken_at, v.problem);
	}
	return 0;
}

static int run_check(const char *db, const struct dirs *d, const char *file,
		     struct svm_err *err)
{
	auto_db sqlite3 *at = NULL;
	unsigned problems = 0;
	int64_t version = 0, sandboxes = 0;

	(void)d;
	file = file ? file : db;
	if (open_db(file, SQLITE_OPEN_READONLY, &at, err) < 0 ||
	    get_number(at, "PRAGMA user_version", &version, err) < 0 ||
	    check_pages(at, stdout, &problems, err) < 0)
		return -1;
	if (problems || version < 3) {
		printf("%s: schema %" PRId64 "\n", file, version);
	} else {
		if (get_number(at, "SELECT count(*) FROM sandboxes WHERE "
			       "state <> 'destroyed'", &sandboxes, err) < 0 ||
		    check_trail(file, &problems, err) < 0)
			return -1;
		printf("%s: schema %" PRId64 ", %" PRId64 " sandboxes\n",
		       file, version, sandboxes);
	}
	if (problems)
		return svm_err_set(err, SVM_INTERNAL,
				   "the database '%s' has %u problems", file,
				   problems);
	puts("ok");
	return 0;
}

/* Which. */

static const struct {
	const char *name;
	bool needs_file;
	int (*run)(const char *db, const struct dirs *d, const char *file,
		   struct svm_err *err);
} actions[] = {
	{ "backup", true, run_backup },
	{ "look", true, run_look },
	{ "restore", true, run_restore },
	{ "check", false, run_check },
};

static int usage(void)
{
	fputs("usage: stacyvm db backup FILE\n"
	      "       stacyvm db restore FILE\n"
	      "       stacyvm db check [FILE]\n", stderr);
	return EXIT_STATUS_USAGE;
}

/* Where the daemon would have it. */
static char *database(const struct dirs *d, struct svm_err *err)
{
	const struct config_source src = {
		.dir = d->config,
		.cwd_file = "./stacyvm.yaml",
		.env = environ,
	};
	struct config *c = NULL;

	if (config_load(&src, &c, err) < 0)
		return NULL;
	const char *path = c->database_path;
	char *ret = path && *path ? xstrdup(path) : path_join(d->state, "db");
	config_free(c);
	return ret;
}

static int run(size_t action, const char *file)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct dirs d;

	dirs_init(&d);
	auto_free char *db = database(&d, &err);
	int r = db ? actions[action].run(db, &d, file, &err) : -1;
	dirs_release(&d);
	if (r == 0)
		return EXIT_STATUS_OK;
	fprintf(stderr, "stacyvm: %s\n", err.msg);
	if (err.hint)
		fprintf(stderr, "  %s\n", err.hint);
	return errmap_exit_status(err.code);
}

int daemon_db_main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(actions); i++)
		if (strcmp(argv[1], actions[i].name) == 0 && argc <= 3 &&
		    argc >= 2 + actions[i].needs_file)
			return run(i, argc == 3 ? argv[2] : NULL);
	return usage();
}
