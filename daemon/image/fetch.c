/* SPDX-License-Identifier: MIT */
/*
 * Blobs of a registry into files: a few at once, each hashed as it comes,
 * renamed to its digest when it is whole.  What a broken connection or an
 * earlier worker left is gone on with.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/image/internal.h"
#include "daemon/image/pull.h"
#include "lib/api/limits.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/rand.h"

#define REPORT_STEP KIB(512)
#define BLOCK KIB(64)

enum job_state { JOB_IDLE, JOB_WAITING, JOB_RUNNING };

struct job {
	struct fetch *fetch;
	const struct manifest_blob *blob;
	size_t layer;
	enum job_state state;
	char name[DIGEST_TEXT + 1];
	char part[DIGEST_TEXT + 32];
	int fd;
	struct digest_stream sum;
	int64_t have, reported;
	int64_t have_before;  /* when this try began */
	bool resumed;         /* some of it is from an earlier try */
	bool begun;           /* this reply's first bytes were looked at */
	unsigned tries;
	struct request request;
};

struct fetch {
	struct registry_server *server;
	int dir;
	size_t n;
	struct job *jobs;
	CURLM *multi;
	unsigned running;
	const struct fetch_report *report;
};

static void tell(struct job *j, bool now)
{
	const struct fetch_report *r = j->fetch->report;

	if (!now && j->have < j->reported + REPORT_STEP)
		return;
	j->reported = j->have;
	r->progress(r->data, j->layer, j->fetch->n, j->have, j->blob->size);
}

/* The file. */

static int start_over(struct job *j)
{
	j->have = j->have_before = 0;
	j->resumed = false;
	digest_start(&j->sum);
	if (ftruncate(j->fd, 0) < 0 || lseek(j->fd, 0, SEEK_SET) < 0)
		return -errno;
	return 0;
}

/* What is there already counts once it went through the hash. */
static int read_part(struct job *j)
{
	char block[BLOCK];
	ssize_t n;

	digest_start(&j->sum);
	while ((n = fd_read_full(j->fd, block, sizeof(block))) > 0) {
		j->have += n;
		if (j->have > j->blob->size)
			return start_over(j);
		digest_update(&j->sum, block, (size_t)n);
	}
	j->resumed = j->have > 0;
	return (int)n;
}

/* Another worker may be writing it: then this one makes its own. */
static int lock_part(struct job *j)
{
	struct stat mine, named;

	j->fd = openat(j->fetch->dir, j->part, O_RDWR | O_CREAT | O_NOFOLLOW |
		       O_CLOEXEC, 0600);
	if (j->fd < 0)
		return -errno;
	if (flock(j->fd, LOCK_EX | LOCK_NB) == 0 &&
	    fstat(j->fd, &mine) == 0 && S_ISREG(mine.st_mode) &&
	    fstatat(j->fetch->dir, j->part, &named, AT_SYMLINK_NOFOLLOW) ==
		    0 &&
	    named.st_ino == mine.st_ino)
		return 0;
	fd_close(steal_fd(&j->fd));
	size_t n = strlen(j->name);
	memcpy(j->part, j->name, n);
	j->part[n] = '.';
	rand_hex(j->part + n + 1, 16);
	memcpy(j->part + n + 17, ".part", 6);
	j->fd = openat(j->fetch->dir, j->part, O_RDWR | O_CREAT | O_EXCL |
		       O_NOFOLLOW | O_CLOEXEC, 0600);
	return j->fd < 0 ? -errno : 0;
}

static bool have_blob(const struct job *j)
{
	struct stat st;

	return fstatat(j->fetch->dir, j->name, &st, AT_SYMLINK_NOFOLLOW) ==
		       0 && S_ISREG(st.st_mode) && st.st_size == j->blob->size;
}

static int file_error(struct job *j, int e, struct svm_err *err)
{
	return svm_err_sys(err, SVM_INTERNAL, e, "can't store the blob %s",
			   j->name);
}

/* The reply. */

static int look_at_reply(struct job *j, const struct request *r,
			 struct svm_err *err)
{
	int e = 0;

	j->begun = true;
	if (r->status == 200 && j->have) /* it does not do ranges */
		e = start_over(j);
	if (e < 0)
		return file_error(j, e, err);
	if (r->status == 206 && r->range_start != j->have)
		return svm_err_set(err, SVM_PROVIDER, "asked for %s from byte "
				   "%" PRId64 ", the server sends it from "
				   "byte %" PRId64, j->name, j->have,
				   r->range_start);
	return 0;
}

static int take(struct request *r, const void *p, size_t n,
		struct svm_err *err)
{
	struct job *j = r->data;

	if (!j->begun && look_at_reply(j, r, err) < 0)
		return -1;
	if ((int64_t)n > j->blob->size - j->have)
		return svm_err_set(err, SVM_PROVIDER, "the server sends more "
				   "than the %" PRId64 " bytes that %s should "
				   "have", j->blob->size, j->name);
	int e = fd_write_full(j->fd, p, n);
	if (e < 0)
		return file_error(j, e, err);
	digest_update(&j->sum, p, n);
	j->have += (int64_t)n;
	tell(j, false);
	return 0;
}

static int finish(struct job *j, struct svm_err *err)
{
	struct digest got;
	char text[DIGEST_TEXT + 1];

	digest_finish(&j->sum, &got);
	if (!digest_equal(&got, &j->blob->digest)) {
		bool resumed = j->resumed;
		int e = start_over(j);

		if (resumed && e == 0)
			return 1; /* perhaps the old part was bad */
		(void)unlinkat(j->fetch->dir, j->part, 0);
		digest_format(&got, text);
		return svm_err_set(err, SVM_BAD_REQUEST, "the blob %s has the "
				   "digest %s", j->name, text);
	}
	if (renameat(j->fetch->dir, j->part, j->fetch->dir, j->name) < 0)
		return file_error(j, errno, err);
	tell(j, true);
	fd_close(steal_fd(&j->fd));
	request_release(&j->request);
	j->state = JOB_IDLE;
	return 0;
}

/* Jobs. */

static int run_request(struct job *j, struct svm_err *err)
{
	j->begun = false;
	j->request.from = j->have;
	if (request_start(&j->request, err) < 0)
		return -1;
	if (lc.curl_multi_add_handle(j->fetch->multi, j->request.easy) !=
	    CURLM_OK)
		return svm_err_set(err, SVM_INTERNAL, "no transfer");
	j->fetch->running++;
	j->state = JOB_RUNNING;
	return 0;
}

/* From the registry on, which may send us to another place now. */
static int begin(struct job *j, struct svm_err *err)
{
	char digest[DIGEST_TEXT + 1];

	if (j->have == j->blob->size) {
		int r = finish(j, err);

		if (r <= 0)
			return r;
	}
	digest_format(&j->blob->digest, digest);
	auto_free char *suffix = xasprintf("blobs/%s", digest);
	request_release(&j->request);
	request_init(&j->request, j->fetch->server, suffix);
	j->request.take = take;
	j->request.data = j;
	j->have_before = j->have;
	return run_request(j, err);
}

static int open_job(struct job *j, struct svm_err *err)
{
	int e = lock_part(j);

	if (e == 0)
		e = read_part(j);
	if (e < 0)
		return file_error(j, e, err);
	if (j->have)
		tell(j, true);
	return begin(j, err);
}

/* Is it worth another try? */
static bool again(struct job *j, CURLcode rc, struct svm_err *err)
{
	bool moved = j->have > j->have_before;

	if (j->tries >= LIMIT_REGISTRY_RETRIES)
		return false;
	if (j->request.status == 416 && j->have && start_over(j) == 0)
		moved = true;
	else if (err->code != SVM_UNAVAILABLE || !request_broke(rc))
		return false;
	j->tries += moved;
	return moved;
}

static int ended(struct job *j, CURLcode rc, struct svm_err *err)
{
	auto_err struct svm_err why = SVM_ERR_INIT;

	lc.curl_multi_remove_handle(j->fetch->multi, j->request.easy);
	j->fetch->running--;
	j->state = JOB_WAITING;
	int r = request_finish(&j->request, rc, &why);
	if (r > 0)
		return run_request(j, err);
	if (r == 0 && j->have == j->blob->size) {
		r = finish(j, err);
		return r > 0 ? begin(j, err) : r;
	}
	if (r == 0) { /* a good end, but too early */
		rc = CURLE_PARTIAL_FILE;
		svm_err_set(&why, SVM_UNAVAILABLE, "the server sent %" PRId64
			    " of the %" PRId64 " bytes of %s", j->have,
			    j->blob->size, j->name);
	}
	return again(j, rc, &why) ? begin(j, err) : svm_err_move(err, &why);
}

static int collect(struct fetch *f, struct svm_err *err)
{
	CURLMsg *m;
	int left;

	while ((m = lc.curl_multi_info_read(f->multi, &left))) {
		CURLcode rc = m->data.result;
		struct request *r = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		lc.curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &r);
		if (ended(r->data, rc, err) < 0)
			return -1;
	}
	return 0;
}

static struct job *next_job(struct fetch *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->jobs[i].state == JOB_WAITING)
			return &f->jobs[i];
	return NULL;
}

static int run(struct fetch *f, struct svm_err *err)
{
	struct job *j;
	int busy;

	for (;;) {
		while (f->running < LIMIT_REGISTRY_PARALLEL &&
		       (j = next_job(f)))
			if (open_job(j, err) < 0)
				return -1;
		if (!f->running)
			return 0;
		/* Nobody would wake us for what has ended already. */
		if (lc.curl_multi_perform(f->multi, &busy) != CURLM_OK ||
		    ((unsigned)busy == f->running &&
		     lc.curl_multi_poll(f->multi, NULL, 0, 1000, NULL) !=
			     CURLM_OK))
			return svm_err_set(err, SVM_INTERNAL,
					   "the transfers broke down");
		if (collect(f, err) < 0)
			return -1;
	}
}

static void prepare(struct fetch *f, const struct manifest_blob *const *want)
{
	for (size_t i = 0; i < f->n; i++) {
		struct job *j = &f->jobs[i];

		j->fetch = f;
		j->fd = -1;
		j->layer = i;
		j->blob = want[i];
		if (!j->blob)
			continue;
		image_layer_name(&j->blob->digest, j->name);
		snprintf(j->part, sizeof(j->part), "%s.part", j->name);
		if (have_blob(j)) {
			j->have = j->blob->size;
			tell(j, true);
		} else {
			j->state = JOB_WAITING;
		}
	}
}

int fetch_blobs(struct registry_server *s, int dir,
		const struct manifest_blob *const *want, size_t n,
		const struct fetch_report *report, struct svm_err *err)
{
	struct fetch f = { .server = s, .dir = dir, .n = n, .report = report,
			   .jobs = xcalloc(n, sizeof(*f.jobs)) };

	prepare(&f, want);
	f.multi = lc.curl_multi_init();
	int r = f.multi ? run(&f, err) :
			  svm_err_set(err, SVM_INTERNAL, "no transfers");
	for (size_t i = 0; i < n; i++) {
		if (f.jobs[i].state == JOB_RUNNING)
			lc.curl_multi_remove_handle(f.multi,
						    f.jobs[i].request.easy);
		request_release(&f.jobs[i].request);
		fd_close(f.jobs[i].fd);
	}
	lc.curl_multi_cleanup(f.multi);
	free(f.jobs);
	return r;
}
