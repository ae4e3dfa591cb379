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
#include "lib/base/escape.h"
#include "lib/base/fd.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"

extern char **environ;

#define PROBLEMS 20 /* asked of SQLite */

/* What there is to tell, as lines and as an object; nothing to tell is no
 * lines. */
struct told {
	struct buf text;
	struct json_writer w;
};

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

/* What is wrong, in words that are safe on a terminal: what a damaged or
 * hostile database calls its things is among them. */
struct problems {
	char *text[PROBLEMS + 1]; /* the trail's, too */
	unsigned n;
};

static void release_problems(struct problems *p)
{
	while (p->n)
		free(p->text[--p->n]);
}
#define auto_problems CLEANUP(release_problems)

__attribute__((format(printf, 2, 3)))
static void add_problem(struct problems *p, const char *fmt, ...)
{
	struct buf safe = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	auto_free char *text = xvasprintf(fmt, ap);
	va_end(ap);
	if (p->n == ARRAY_SIZE(p->text))
		return;
	escape_line(&safe, text, strlen(text));
	p->text[p->n++] = buf_steal(&safe);
}

/* What SQLite finds. */
static int check_pages(sqlite3 *db, struct problems *p, struct svm_err *err)
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
		add_problem(p, "damaged: %s", text ? text : "?");
	}
	sqlite3_finalize(q);
	return rc == SQLITE_DONE ? 0 :
		       store_db_error(db, rc, err, "can't check");
}

/* Ours, sound, and of a version we know. */
static int check_usable(sqlite3 *db, const char *path, struct svm_err *err)
{
	auto_problems struct problems p = { 0 };
	int64_t version = 0;

	if (get_number(db, "PRAGMA user_version", &version, err) < 0 ||
	    check_pages(db, &p, err) < 0)
		return -1;
	if (p.n) {
		svm_err_set(err, SVM_UNAVAILABLE, "the database '%s' is %s",
			    path, p.text[0]);
		return svm_err_hint(err, "all that is wrong:  stacyvm db "
				    "check %s", path);
	}
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
static int copy_to_file(sqlite3 *from, const char *of, const char *path,
			struct svm_err *err)
{
	auto_db sqlite3 *to = NULL;

	if (open_db(path, SQLITE_OPEN_READWRITE, &to, err) < 0 ||
	    copy_db(from, to, err) < 0 ||
	    store_exec(to, "PRAGMA journal_mode = DELETE", err) < 0)
		return -1;
	return check_usable(to, of, err);
}

static int write_backup(const char *db, const char *part, const char *file,
			struct svm_err *err)
{
	auto_db sqlite3 *from = NULL;
	auto_close int fd = open(part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
				 0600);

	if (fd < 0)
		return svm_err_sys(err, SVM_UNAVAILABLE, errno,
				   "can't create '%s'", file);
	if (open_db(db, SQLITE_OPEN_READONLY, &from, err) < 0 ||
	    copy_to_file(from, db, part, err) < 0)
		return -1;
	if (fsync(fd) < 0)
		return svm_err_sys(err, SVM_NO_SPACE, errno,
				   "can't write '%s'", file);
	return 0;
}

static int run_backup(const char *db, const struct dirs *d, const char *file,
		      struct told *t, struct svm_err *err)
{
	auto_free char *part = fd_temp_beside(file);
	int r = write_backup(db, part, file, err);

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
	buf_addf(&t->text, "%s\n", file);
	json_str(&t->w, "file", file);
	return r;
}

/* restore FILE. */

static int run_restore(const char *db, const struct dirs *d, const char *file,
		       struct told *t, struct svm_err *err)
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
	buf_addf(&t->text, "restored '%s'\n", db);
	json_str(&t->w, "restored", db);
	return 0;
}

/* look FILE: whether it could be put back; for who asks a person first. */
static int run_look(const char *db, const struct dirs *d, const char *file,
		    struct told *t, struct svm_err *err)
{
	auto_db sqlite3 *from = NULL;

	(void)db, (void)d, (void)t;
	if (open_db(file, SQLITE_OPEN_READONLY, &from, err) < 0)
		return -1;
	return check_usable(from, file, err);
}

/* check [FILE]. */

struct health {
	struct problems problems;
	int64_t schema, sandboxes, records;
	bool is_read; /* so far that things in it were counted */
};

static int check_trail(const char *file, struct health *h,
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
	h->records = v.records;
	if (!v.whole)
		add_problem(&h->problems, "audit: broken at record %" PRId64
			    ": %s", v.broken_at, v.problem);
	return 0;
}

static int look_through(sqlite3 *at, const char *file, struct health *h,
			struct svm_err *err)
{
	if (get_number(at, "PRAGMA user_version", &h->schema, err) < 0 ||
	    check_pages(at, &h->problems, err) < 0)
		return -1;
	if (h->problems.n || h->schema < 3)
		return 0;
	h->is_read = true;
	if (get_number(at, "SELECT count(*) FROM sandboxes WHERE "
		       "state <> 'destroyed'", &h->sandboxes, err) < 0)
		return -1;
	return check_trail(file, h, err);
}

static void tell_health(struct told *t, const char *file,
			const struct health *h)
{
	const struct problems *p = &h->problems;

	for (unsigned i = 0; i < p->n; i++)
		buf_addf(&t->text, "%s\n", p->text[i]);
	if (h->is_read && !p->n)
		buf_addf(&t->text, "audit: %" PRId64 " records, whole\n",
			 h->records);
	buf_addf(&t->text, "%s: schema %" PRId64, file, h->schema);
	if (h->is_read)
		buf_addf(&t->text, ", %" PRId64 " sandboxes", h->sandboxes);
	buf_addstr(&t->text, p->n ? "\n" : "\nok\n");

	json_str(&t->w, "file", file);
	json_int(&t->w, "schema", h->schema);
	if (h->is_read) {
		json_int(&t->w, "sandboxes", h->sandboxes);
		json_int(&t->w, "audit_records", h->records);
	}
	json_open(&t->w, "problems", '[');
	for (unsigned i = 0; i < p->n; i++)
		json_str(&t->w, NULL, p->text[i]);
	json_close(&t->w, ']');
}

static int run_check(const char *db, const struct dirs *d, const char *file,
		     struct told *t, struct svm_err *err)
{
	auto_db sqlite3 *at = NULL;
	struct health h = { 0 };
	int r;

	(void)d;
	file = file ? file : db;
	r = open_db(file, SQLITE_OPEN_READONLY, &at, err);
	if (r == 0)
		r = look_through(at, file, &h, err);
	if (r == 0)
		tell_health(t, file, &h);
	if (r == 0 && h.problems.n)
		r = svm_err_set(err, SVM_INTERNAL,
				"the database '%s' has %u problems", file,
				h.problems.n);
	release_problems(&h.problems);
	return r;
}

/* Which. */

static const struct {
	const char *name;
	int (*run)(const char *db, const struct dirs *d, const char *file,
		   struct told *t, struct svm_err *err);
} actions[] = {
	{ "backup", run_backup },
	{ "look", run_look },
	{ "restore", run_restore },
	{ "check", run_check },
};

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

int daemon_db_main(const char *verb, const char *file, bool json,
		   struct svm_err *err)
{
	auto_buf struct buf object = BUF_INIT;
	struct told t = { .text = BUF_INIT, .w = json_writer(&object) };
	size_t i = 0;
	struct dirs d;

	while (strcmp(actions[i].name, verb) != 0)
		i++;
	dirs_init(&d);
	auto_free char *db = database(&d, err);
	json_open(&t.w, NULL, '{');
	int r = db ? actions[i].run(db, &d, file, &t, err) : -1;
	json_close(&t.w, '}');
	dirs_release(&d);
	/* A check tells also why it fails. */
	if ((r == 0 || strcmp(verb, "check") == 0) && t.text.len) {
		fputs(buf_str(json ? &object : &t.text), stdout);
		fputs(json ? "\n" : "", stdout);
	}
	buf_release(&t.text);
	return r;
}
