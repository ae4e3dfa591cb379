/* SPDX-License-Identifier: MIT */
/* What store.c (writing) and store-read.c share. */
#ifndef SVM_DAEMON_STORE_INTERNAL_H
#define SVM_DAEMON_STORE_INTERNAL_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "daemon/store.h"
#include "lib/base/list.h"

/* Statements of the writer; store.c has their text. */
enum store_write {
	STORE_BEGIN,
	STORE_COMMIT,
	STORE_ROLLBACK,
	STORE_PUT_SANDBOX,
	STORE_DELETE_SANDBOX,
	STORE_PUT_IMAGE,
	STORE_DELETE_IMAGE,
	STORE_PUT_META,
	STORE_ADD_EVENT,
	STORE_TRIM_EVENTS,
	STORE_TRIM_TOMBSTONES,
	STORE_WRITE_MAX
};

enum store_read {
	STORE_GET_SANDBOXES,
	STORE_GET_IMAGES,
	STORE_GET_EVENTS,
	STORE_GET_META,
	STORE_GET_LAST_EVENT,
	STORE_READ_MAX
};

struct store {
	int64_t last_event; /* when it was opened */
	struct work_pool *pool; /* one thread: the writer */

	/* The writer thread's, once the store is open. */
	sqlite3 *writer;
	sqlite3_stmt *writes[STORE_WRITE_MAX];
	unsigned untrimmed; /* events since the last trim */

	/* Checkpoints wait for the disk: they have a thread and a connection
	 * of their own, so that commits don't. */
	struct work_pool *sweeper;
	sqlite3 *sweep_db;
	atomic_bool sweeping;

	pthread_mutex_t queue_lock;
	struct list queue; /* transactions that no group took yet */

	pthread_mutex_t read_lock;
	sqlite3 *reader;
	sqlite3_stmt *reads[STORE_READ_MAX];
};

/* Prepare n statements; `text` is indexed like `ret`. */
int store_prepare(sqlite3 *db, const char *const *text, unsigned n,
		  sqlite3_stmt **ret, struct svm_err *err);

int store_open_reader(struct store *s, const char *path, struct svm_err *err);
void store_close_reader(struct store *s);

#endif
