/* SPDX-License-Identifier: MIT */
/* The store: what is committed is there, what failed is not. */
#include "daemon/store.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/store-internal.h"
#include "daemon/store-schema.h"
#include "lib/api/limits.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "lib/base/work.h"
#include "tests/unit/unit.h"

struct fixture {
	char dir[32];
	char *path;
	struct loop *loop;
	struct store *store;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	auto_err struct svm_err err = SVM_ERR_INIT;

	strcpy(f->dir, "/tmp/svm-store-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	f->path = path_join(f->dir, "db");
	f->loop = loop_new();
	*state = f;
	return store_open(f->path, f->loop, &f->store, &err);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	store_close(f->store);
	loop_turn(f->loop, 0);
	loop_free(f->loop);
	int dir = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	path_remove_tree(dir, f->dir + 5);
	close(dir);
	free(f->path);
	free(f);
	return 0;
}

static void reopen(struct fixture *f)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	store_close(f->store);
	loop_turn(f->loop, 0);
	assert_int_equal(store_open(f->path, f->loop, &f->store, &err), 0);
}

/* What a callback saw. */
struct result {
	int calls;
	enum svm_code code;
	char *msg, *hint;
	int64_t first_id, last_id;
	size_t n;
};

static void on_done(void *data, const struct svm_err *err,
		    const struct store_event *events, size_t n)
{
	struct result *r = data;

	r->calls++;
	r->code = err ? err->code : SVM_OK;
	r->msg = err ? xstrdup(err->msg) : NULL;
	r->hint = err ? xstrdup(err->hint) : NULL;
	r->n = n;
	if (n) {
		r->first_id = events[0].id;
		r->last_id = events[n - 1].id;
	}
}

static void finish(struct fixture *f, struct result *r)
{
	while (!r->calls)
		loop_turn(f->loop, 10000);
	assert_int_equal(r->calls, 1);
}

static void result_release(struct result *r)
{
	free(r->msg);
	free(r->hint);
}

static struct store_sandbox row_of(char *id, char *state)
{
	return (struct store_sandbox){
		.id = id, .state = state, .provider = (char *)"mock",
		.spec = (char *)"{\"image\":\"host\"}", .pid = 42,
		.start_time = INT64_C(1) << 40, .created_ns = 7,
		.expires_boot_ns = -1, .updated_ns = 9,
	};
}

static void commit_row(struct fixture *f, const char *id, const char *state)
{
	struct store_sandbox row = row_of((char *)id, (char *)state);
	struct store_txn *t = store_begin(f->store);
	struct result r = { 0 };

	store_put_sandbox(t, &row);
	store_add_event(t, EVENT_SANDBOX_CREATED, id, "alice", "{}");
	store_commit(t, on_done, &r);
	finish(f, &r);
	assert_int_equal(r.code, SVM_OK);
}

static void count_row(void *data, struct store_sandbox *row)
{
	(void)row;
	++*(int *)data;
}

static int count_sandboxes(struct fixture *f)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	int n = 0;

	assert_int_equal(store_each_sandbox(f->store, count_row, &n, &err), 0);
	return n;
}

static void sum_event(void *data, struct store_event *e)
{
	int64_t *ids = data;

	ids[0]++;
	ids[1] = ids[1] ? ids[1] : e->id;
	ids[2] = e->id;
}

static void take_row(void *data, struct store_sandbox *row)
{
	*(struct store_sandbox *)data = *row;
	*row = (struct store_sandbox){ 0 };
}

/* Put again: another name, and none, with the metadata of its spec. */
static void test_store__row_of_another_name(void **state)
{
	static const struct {
		const char *name, *spec;
	} puts[] = {
		{ "one", "{\"metadata\":[\"a=1\"]}" },
		{ "two", "{\"metadata\":[\"b=2\"]}" },
		{ NULL, "{\"metadata\":[]}" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(puts); i++) {
		auto_err struct svm_err err = SVM_ERR_INIT;
		struct store_sandbox row = row_of((char *)"sb-00000001",
						  (char *)"running"), got;
		struct store_txn *t = store_begin(f->store);
		struct result r = { 0 };

		row.name = (char *)puts[i].name;
		row.spec = (char *)puts[i].spec;
		store_put_sandbox(t, &row);
		store_commit(t, on_done, &r);
		finish(f, &r);
		reopen(f);
		assert_int_equal(count_sandboxes(f), 1);
		assert_int_equal(store_each_sandbox(f->store, take_row, &got,
						    &err), 0);
		if (puts[i].name)
			assert_string_equal(got.name, puts[i].name);
		else
			assert_null(got.name);
		assert_string_equal(got.spec, puts[i].spec);
		store_sandbox_release(&got);
	}
}

static void test_store__row_round_trip(void **state)
{
	struct fixture *f = *state;
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct store_sandbox row = { 0 };

	commit_row(f, "sb-00000001", "running");
	reopen(f);
	assert_int_equal(store_each_sandbox(f->store, take_row, &row, &err),
			 0);
	assert_string_equal(row.id, "sb-00000001");
	assert_string_equal(row.state, "running");
	assert_string_equal(row.spec, "{\"image\":\"host\"}");
	assert_null(row.owner);
	assert_null(row.reason);
	assert_int_equal(row.pid, 42);
	assert_true(row.start_time == INT64_C(1) << 40);
	assert_int_equal(row.expires_boot_ns, -1);
	assert_int_equal(row.updated_ns, 9);
	store_sandbox_release(&row);
}

static void test_store__put_replaces_and_delete_removes(void **state)
{
	struct fixture *f = *state;
	struct store_sandbox row = { 0 };
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct result r = { 0 };

	commit_row(f, "sb-00000001", "creating");
	commit_row(f, "sb-00000001", "running");
	assert_int_equal(count_sandboxes(f), 1);
	store_each_sandbox(f->store, take_row, &row, &err);
	assert_string_equal(row.state, "running");
	store_sandbox_release(&row);
	struct store_txn *t = store_begin(f->store);
	store_delete_sandbox(t, "sb-00000001");
	store_delete_sandbox(t, "sb-00000002");
	store_commit(t, on_done, &r);
	finish(f, &r);
	assert_int_equal(r.code, SVM_OK);
	assert_int_equal(count_sandboxes(f), 0);
}

static void take_image(void *data, struct store_image *row)
{
	*(struct store_image *)data = *row;
	*row = (struct store_image){ 0 };
}

static void test_store__images(void **state)
{
	struct fixture *f = *state;
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct store_image image = { (char *)"a:1", (char *)"sha256:0",
				     (char *)"{}", 5, 6 };
	struct result r = { 0 };
	struct store_txn *t = store_begin(f->store);

	store_put_image(t, &image);
	store_commit(t, on_done, &r);
	finish(f, &r);
	image = (struct store_image){ 0 };
	assert_int_equal(store_each_image(f->store, take_image, &image, &err),
			 0);
	assert_string_equal(image.digest, "sha256:0");
	assert_int_equal(image.size_bytes, 5);
	store_image_release(&image);
}

static void test_store__events_have_growing_ids(void **state)
{
	struct fixture *f = *state;
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct result r[3] = { 0 };
	int64_t ids[3] = { 0 };

	for (int i = 0; i < 3; i++) {
		struct store_txn *t = store_begin(f->store);

		store_add_event(t, EVENT_EXEC_STARTED, "sb-1", NULL, "{}");
		store_add_event(t, EVENT_EXEC_FAILED, "sb-2", NULL, NULL);
		store_commit(t, on_done, &r[i]);
	}
	for (int i = 0; i < 3; i++)
		finish(f, &r[i]);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(r[i].n, 2);
		assert_int_equal(r[i].first_id, 2 * i + 1);
		assert_int_equal(r[i].last_id, 2 * i + 2);
	}
	store_each_event(f->store, 2, NULL, NULL, 3, sum_event, ids, &err);
	assert_int_equal(ids[0], 3);
	assert_int_equal(ids[1], 3);
	assert_int_equal(ids[2], 5);
	memset(ids, 0, sizeof(ids));
	store_each_event(f->store, 0, "exec.failed", NULL, 99, sum_event, ids,
			 &err);
	assert_int_equal(ids[0], 3);
	memset(ids, 0, sizeof(ids));
	store_each_event(f->store, 0, "exec.failed", "sb-1", 99, sum_event,
			 ids, &err);
	assert_int_equal(ids[0], 0);
}

/* An id that was given never comes again, also over a restart. */
static void test_store__trim_keeps_the_newest(void **state)
{
	struct fixture *f = *state;
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct store_txn *t = store_begin(f->store);
	struct result r = { 0 }, r2 = { 0 };
	int64_t ids[3] = { 0 };

	for (int i = 0; i < LIMIT_EVENTS_KEPT + 5; i++)
		store_add_event(t, EVENT_EXEC_STARTED, NULL, NULL, NULL);
	for (int i = 0; i < LIMIT_TOMBSTONES + 3; i++) {
		char id[16];

		snprintf(id, sizeof(id), "sb-%08d", i);
		struct store_sandbox row = row_of(id, (char *)"destroyed");
		row.updated_ns = i;
		store_put_sandbox(t, &row);
	}
	struct store_sandbox alive = row_of((char *)"sb-alive",
					    (char *)"running");
	alive.updated_ns = -1;
	store_put_sandbox(t, &alive);
	store_commit(t, on_done, &r);
	finish(f, &r);
	assert_int_equal(r.code, SVM_OK);
	assert_int_equal(count_sandboxes(f), LIMIT_TOMBSTONES + 1);
	store_each_event(f->store, 0, NULL, NULL, 1u << 20, sum_event, ids,
			 &err);
	assert_int_equal(ids[0], LIMIT_EVENTS_KEPT);
	assert_int_equal(ids[1], 6);
	reopen(f);
	t = store_begin(f->store);
	store_add_event(t, EVENT_EXEC_STARTED, NULL, NULL, NULL);
	store_commit(t, on_done, &r2);
	finish(f, &r2);
	assert_int_equal(r2.first_id, LIMIT_EVENTS_KEPT + 6);
}

static void test_store__trims_by_itself(void **state)
{
	struct fixture *f = *state;
	auto_err struct svm_err err = SVM_ERR_INIT;
	int64_t ids[3] = { 0 };

	for (int round = 0; round < 3; round++) {
		struct store_txn *t = store_begin(f->store);
		struct result r = { 0 };

		for (int i = 0; i < LIMIT_EVENTS_KEPT; i++)
			store_add_event(t, EVENT_EXEC_STARTED, NULL, NULL,
					NULL);
		store_commit(t, on_done, &r);
		finish(f, &r);
	}
	store_each_event(f->store, 0, NULL, NULL, 1u << 20, sum_event, ids,
			 &err);
	assert_int_equal(ids[0], LIMIT_EVENTS_KEPT);
}

/* SQLITE_FULL by a page limit: the same code a full disk gives. */
static void test_store__full_stores_nothing(void **state)
{
	struct fixture *f = *state;
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_free char *big = xcalloc(1, 100001);
	struct result r[3] = { 0 };

	commit_row(f, "sb-00000001", "running");
	store_exec(f->store->writer, "PRAGMA max_page_count = 16", &err);
	memset(big, 'x', 100000);
	for (int i = 0; i < 3; i++) {
		struct store_sandbox row = row_of((char *)"sb-00000002",
						  (char *)"running");
		struct store_txn *t = store_begin(f->store);

		if (i == 1) { /* only this one is too large */
			row.spec = big;
			store_put_sandbox(t, &row);
		}
		store_add_event(t, EVENT_SANDBOX_CREATED, "sb-00000002", NULL,
				NULL);
		store_commit(t, on_done, &r[i]);
	}
	for (int i = 0; i < 3; i++)
		finish(f, &r[i]);
	assert_int_equal(r[0].code, SVM_OK);
	assert_int_equal(r[1].code, SVM_NO_SPACE);
	assert_int_equal(r[1].n, 0);
	assert_non_null(strstr(r[1].msg, f->path));
	/* Neighbours in the group are stored all the same. */
	assert_int_equal(r[2].code, SVM_OK);
	assert_int_equal(r[2].first_id, r[0].first_id + 1);
	assert_int_equal(count_sandboxes(f), 1);
	result_release(&r[1]);
	store_exec(f->store->writer, "PRAGMA max_page_count = 1000000", &err);
	commit_row(f, "sb-00000002", "running");
}

static void test_store__read_only_is_unavailable(void **state)
{
	struct fixture *f = *state;
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct store_txn *t = store_begin(f->store);
	struct result r = { 0 };

	store_exec(f->store->writer, "PRAGMA query_only = ON", &err);
	store_put_template(t, &(struct store_template){
				  .name = (char[]){ "k" },
				  .body = (char[]){ "{}" } });
	store_commit(t, on_done, &r);
	finish(f, &r);
	assert_int_equal(r.code, SVM_UNAVAILABLE);
	assert_non_null(r.hint);
	result_release(&r);
}

static void take_nothing(void *data, struct store_event *e)
{
	(void)data;
	(void)e;
}

/* Child of the next test, in a mount namespace of its own; 77: can't. */
static int on_tiny_disk(const char *dir)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_free char *path = path_join(dir, "db");
	struct loop *l = loop_new();
	struct store *s = NULL;
	bool full = false;

	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", dir, "tmpfs", 0, "size=256k") < 0)
		return 77;
	if (store_open(path, l, &s, &err) < 0)
		return 1;
	for (int i = 0; i < 500 && !full; i++) {
		struct store_txn *t = store_begin(s);
		struct result r = { 0 };
		char value[2001];

		memset(value, 'v', 2000);
		value[2000] = '\0';
		snprintf(value, sizeof(value), "%d", i);
		value[strlen(value)] = 'v';
		store_put_template(t, &(struct store_template){
					  .name = value, .body = value });
		store_commit(t, on_done, &r);
		while (!r.calls)
			loop_turn(l, 10000);
		full = r.code == SVM_NO_SPACE;
		if (r.code != SVM_OK && !full)
			return 2;
		result_release(&r);
	}
	if (!full)
		return 3;
	/* Reading goes on, and the file survives being closed while full. */
	if (store_each_event(s, 0, NULL, NULL, 1, take_nothing, NULL, &err) <
	    0)
		return 4;
	store_close(s);
	loop_turn(l, 0);
	if (mount(NULL, dir, NULL, MS_REMOUNT, "size=4m") < 0)
		return 5;
	if (store_open(path, l, &s, &err) < 0)
		return 6;
	store_close(s);
	loop_turn(l, 0);
	/* A state directory that became read-only says what to do. */
	if (mount(NULL, dir, NULL, MS_REMOUNT | MS_RDONLY, NULL) < 0)
		return 7;
	if (store_open(path, l, &s, &err) == 0)
		return 8;
	return err.code == SVM_UNAVAILABLE && err.hint ? 0 : 9;
}

static void test_store__full_and_read_only_disk(void **state)
{
	struct fixture *f = *state;
	auto_free char *dir = path_join(f->dir, "tiny");
	int status;

	assert_int_equal(mkdir(dir, 0700), 0);
	/* Another program: a fork of one that had threads may hang under a
	 * sanitizer. */
	pid_t pid = fork();
	if (pid == 0) {
		execl("/proc/self/exe", "test-store", "tiny", dir, NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		print_message("needs a mount namespace\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* What had no owner before there were owners is everybody's. */
static void check_old_template(void *n, struct store_template *row)
{
	assert_null(row->owner);
	assert_string_equal(row->name, "old");
	assert_string_equal(row->body, "{}");
	assert_int_equal(row->created_ns, 1);
	assert_int_equal(row->updated_ns, 2);
	++*(int *)n;
}

/* A database as any older version left it is brought up to date, with what
 * was in it. */
static void test_store__upgrades_from_every_version(void **state)
{
	struct fixture *f = *state;

	for (unsigned v = 0; v <= store_schema_steps; v++) {
		auto_err struct svm_err err = SVM_ERR_INIT;
		auto_free char *path = xasprintf("%s/v%u", f->dir, v);
		struct store *s = NULL;
		sqlite3 *db = NULL;
		int n = 0;

		assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
		assert_int_equal(store_migrate(db, store_schema, v, &err), 0);
		if (v)
			store_exec(db, "INSERT INTO sandboxes (id, state, pid,"
				   " start_time, created_ns, expires_ns,"
				   " expires_boot_ns, updated_ns) VALUES"
				   " ('sb-old', 'running', 1,2,3,4,5,6)", &err);
		if (v >= 5)
			store_exec(db, v == 5 ?
				   "INSERT INTO templates VALUES"
				   " ('old', '{}', 1, 2)" :
				   "INSERT INTO templates VALUES"
				   " ('', 'old', '{}', 1, 2)", &err);
		sqlite3_close(db);
		assert_int_equal(store_open(path, f->loop, &s, &err), 0);
		store_each_sandbox(s, count_row, &n, &err);
		assert_int_equal(n, v ? 1 : 0);
		n = 0;
		store_each_template(s, check_old_template, &n, &err);
		assert_int_equal(n, v >= 5 ? 1 : 0);
		assert_int_equal(err.code, SVM_OK);
		store_close(s);
	}
}

static void test_store__newer_schema_is_refused(void **state)
{
	struct fixture *f = *state;
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct store *s = NULL;

	store_exec(f->store->writer, "PRAGMA user_version = 999", &err);
	assert_int_equal(store_open(f->path, f->loop, &s, &err), -1);
	assert_int_equal(err.code, SVM_UNAVAILABLE);
	assert_non_null(strstr(err.msg, "schema 999"));
	assert_non_null(err.hint);
}

static void test_store__failed_step_leaves_the_version_before(void **state)
{
	struct fixture *f = *state;
	const char *const steps[] = {
		"CREATE TABLE a (x)",
		"CREATE TABLE b (x); INSERT INTO nowhere VALUES (1)",
	};
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_free char *path = path_join(f->dir, "half");
	sqlite3 *db = NULL;

	sqlite3_open(path, &db);
	assert_int_equal(store_migrate(db, steps, 2, &err), -1);
	svm_err_release(&err);
	/* Step 1 is there, nothing of step 2 is. */
	assert_int_equal(store_exec(db, "INSERT INTO a VALUES (1)", &err), 0);
	assert_int_equal(store_exec(db, "CREATE TABLE b (x)", &err), 0);
	assert_int_equal(store_exec(db, "DROP TABLE b", &err), 0);
	assert_int_equal(store_migrate(db, steps, 1, &err), 0);
	sqlite3_close(db);
}

static void test_store__garbage_and_links_are_refused(void **state)
{
	struct fixture *f = *state;
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_free char *bad = path_join(f->dir, "bad");
	auto_free char *link = path_join(f->dir, "link");
	auto_free char *nowhere = path_join(f->dir, "no/such/db");
	struct store *s = NULL;
	FILE *out = fopen(bad, "w");

	for (int i = 0; i < 5000; i++)
		fputs("this is no database ", out);
	fclose(out);
	assert_int_equal(store_open(bad, f->loop, &s, &err), -1);
	assert_int_equal(err.code, SVM_UNAVAILABLE);
	assert_non_null(err.hint);
	svm_err_release(&err);
	assert_int_equal(symlink(f->path, link), 0);
	assert_int_equal(store_open(link, f->loop, &s, &err), -1);
	assert_int_equal(err.code, SVM_UNAVAILABLE);
	svm_err_release(&err);
	assert_int_equal(store_open(nowhere, f->loop, &s, &err), -1);
	assert_int_equal(err.code, SVM_UNAVAILABLE);
	assert_non_null(err.hint);
}

static void test_store__file_is_private(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static int commit_and_die(const char *path)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct fixture f = { .loop = loop_new() };

	if (store_open(path, f.loop, &f.store, &err) < 0)
		return 1;
	commit_row(&f, "sb-00000009", "running");
	return raise(SIGKILL);
}

/* Killed at once after the callback: the row is there. */
static void test_store__survives_kill(void **state)
{
	struct fixture *f = *state;
	int status;

	store_close(f->store);
	pid_t pid = fork();
	if (pid == 0) {
		execl("/proc/self/exe", "test-store", "die", f->path, NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	auto_err struct svm_err err = SVM_ERR_INIT;
	assert_int_equal(store_open(f->path, f->loop, &f->store, &err), 0);
	assert_int_equal(count_sandboxes(f), 1);
}

/* What was queued when the store was closed is stored, and its callbacks
 * come on the next turn. */
static void test_store__close_commits_the_queue(void **state)
{
	struct fixture *f = *state;
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct result r[50] = { 0 };
	int64_t ids[3] = { 0 };

	for (int i = 0; i < 50; i++) {
		struct store_txn *t = store_begin(f->store);

		store_add_event(t, EVENT_EXEC_STARTED, NULL, NULL, NULL);
		store_commit(t, on_done, &r[i]);
	}
	reopen(f);
	for (int i = 0; i < 50; i++)
		assert_int_equal(r[i].calls, 1);
	store_each_event(f->store, 0, NULL, NULL, 99, sum_event, ids, &err);
	assert_int_equal(ids[0], 50);
}

static void commit_soon(struct fixture *f, struct result *r)
{
	struct store_txn *t = store_begin(f->store);

	store_add_event(t, EVENT_EXEC_STARTED, NULL, NULL, NULL);
	store_commit_soon(t, on_done, r);
}

/* What may wait is not handed to the writer; it comes before what is
 * committed after it. */
static void test_store__soon_goes_along(void **state)
{
	struct fixture *f = *state;
	struct result soon[2] = { 0 }, now = { 0 };

	commit_soon(f, &soon[0]);
	commit_soon(f, &soon[1]);
	assert_int_equal(work_pending(f->store->pool), 0);
	assert_true(list_empty(&f->store->queue));
	struct store_txn *t = store_begin(f->store);
	store_add_event(t, EVENT_EXEC_STARTED, NULL, NULL, NULL);
	store_commit(t, on_done, &now);
	finish(f, &now);
	assert_int_equal(soon[0].first_id, 1);
	assert_int_equal(soon[1].first_id, 2);
	assert_int_equal(now.first_id, 3);
}

static void test_store__soon_is_not_never(void **state)
{
	struct fixture *f = *state;
	struct result r[2] = { 0 };

	commit_soon(f, &r[0]);
	finish(f, &r[0]);
	assert_int_equal(r[0].code, SVM_OK);
	commit_soon(f, &r[1]);
	reopen(f);
	assert_int_equal(r[1].calls, 1);
	assert_int_equal(r[1].first_id, 2);
}

static void test_store__settled_is_stored(void **state)
{
	struct fixture *f = *state;
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct result soon = { 0 }, settled = { 0 };
	int64_t ids[3] = { 0 };

	commit_soon(f, &soon);
	store_settle(f->store, on_done, &settled);
	finish(f, &settled);
	assert_int_equal(soon.calls, 1);
	store_each_event(f->store, 0, NULL, NULL, 99, sum_event, ids, &err);
	assert_int_equal(ids[0], 1);
}

static int forgotten;

static void on_forgotten(void *data)
{
	assert_ptr_equal(data, &forgotten);
	forgotten++;
}

static int cached(sqlite3 *db)
{
	int now = 0, most;

	assert_int_equal(sqlite3_db_status(db, SQLITE_DBSTATUS_CACHE_USED,
					   &now, &most, 0), SQLITE_OK);
	return now;
}

/* Pages in memory go, everything is there after. */
static void test_store__forgets_pages(void **state)
{
	struct fixture *f = *state;
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct result r = { 0 };
	int64_t ids[3] = { 0 };

	for (int i = 0; i < 2000; i++) {
		struct store_txn *t = store_begin(f->store);

		store_add_event(t, EVENT_EXEC_STARTED, "sb-00000001", NULL,
				"{}");
		store_commit(t, i == 1999 ? on_done : NULL, &r);
	}
	finish(f, &r);
	store_each_event(f->store, 0, NULL, NULL, 2000, sum_event, ids, &err);
	assert_int_equal(ids[0], 2000);
	assert_true(cached(f->store->writer) > KIB(100));
	assert_true(cached(f->store->reader) > KIB(100));
	forgotten = 0;
	assert_true(store_forget(f->store, on_forgotten, &forgotten));
	/* on its way already */
	assert_false(store_forget(f->store, on_forgotten, &forgotten));
	while (!forgotten)
		loop_turn(f->loop, 10000);
	assert_true(cached(f->store->writer) < KIB(20));
	assert_true(cached(f->store->reader) < KIB(20));
	assert_true(cached(f->store->sweep_db) < KIB(20));
	/* not used since */
	assert_false(store_forget(f->store, on_forgotten, &forgotten));
	store_each_event(f->store, 0, NULL, NULL, 5000, sum_event, ids, &err);
	assert_int_equal(ids[0], 4000);
	/* closed before it is done */
	assert_true(store_forget(f->store, on_forgotten, &forgotten));
	reopen(f);
	assert_int_equal(forgotten, 1);
}

int main(int argc, char **argv)
{
	/* No exit handlers: what is still open is meant to be. */
	if (argc == 3)
		_exit(strcmp(argv[1], "tiny") == 0 ? on_tiny_disk(argv[2]) :
						      commit_and_die(argv[2]));

	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(test_store__##f, setup, teardown)
		TEST(row_of_another_name),
		TEST(row_round_trip),
		TEST(put_replaces_and_delete_removes),
		TEST(images),
		TEST(events_have_growing_ids),
		TEST(trim_keeps_the_newest),
		TEST(trims_by_itself),
		TEST(full_stores_nothing),
		TEST(read_only_is_unavailable),
		TEST(full_and_read_only_disk),
		TEST(upgrades_from_every_version),
		TEST(newer_schema_is_refused),
		TEST(failed_step_leaves_the_version_before),
		TEST(garbage_and_links_are_refused),
		TEST(file_is_private),
		TEST(survives_kill),
		TEST(close_commits_the_queue),
		TEST(soon_goes_along),
		TEST(soon_is_not_never),
		TEST(settled_is_stored),
		TEST(forgets_pages),
#undef TEST
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
