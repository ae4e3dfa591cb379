/* SPDX-License-Identifier: MIT */
/* Requests on a few threads.  See fetch.h. */
#include "tui/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/api/limits.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/place.h"
#include "lib/base/proc.h"
#include "lib/base/work.h"
#include "tui/command-exec.h"

#define THREADS 4
#define GET_SECONDS 20
#define CHUNK KIB(64)

struct fetch {
	struct loop *loop;
	struct model *m;
	struct fetch_options options;
	struct work_pool *pool;
	struct list jobs; /* submitted, not done */
	bool closing;
	unsigned long answers;
	void (*changed)(void *data);
	void *data;
};

struct job {
	struct work work;
	struct list link;
	struct fetch *f;
	struct request *r;
	int cancel_fd;
};

struct client *fetch_client(const struct fetch_options *o, bool autostart,
			    int64_t deadline_ns, int cancel_fd,
			    struct svm_err *err)
{
	return client_new(&(struct client_options){
				  .server = o->server,
				  .api_key = o->api_key,
				  .deadline_ns = deadline_ns,
				  .cancel_fd = cancel_fd,
				  .autostart = autostart && !o->server,
				  .on_started = o->on_started,
				  .on_starting = o->on_starting,
				  .on_wait = o->on_wait,
				  .data = o->data },
			  err);
}

/* -- one exchange, on a worker */

static int send_file(struct exchange *x, int fd, struct svm_err *err)
{
	auto_free char *chunk = xmalloc(CHUNK);

	for (;;) {
		ssize_t n = fd_read_full(fd, chunk, CHUNK);

		if (n < 0)
			return svm_err_sys(err, SVM_INTERNAL, (int)n,
					   "can't read the file");
		if (n == 0)
			return 0;
		int r = exchange_send(x, chunk, (size_t)n, err);

		if (r)
			return r < 0 ? -1 : 0;
	}
}

/* What can be run here can be run there. */
static void add_mode(struct request *r, mode_t mode)
{
	char *with;

	if (strstr(r->target, "&mode="))
		return;
	with = xasprintf("%s&mode=%04o", r->target, (unsigned)mode & 0777);
	free(r->target);
	r->target = with;
}

static int open_upload(struct request *r, int64_t *ret_size,
		       struct svm_err *err)
{
	const char *path = r->upload;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		svm_err_sys(err, SVM_BAD_REQUEST, errno, "can't read %s",
			    path);
	} else if (!S_ISREG(st.st_mode)) {
		svm_err_set(err, SVM_BAD_REQUEST, "%s is not a file", path);
	} else {
		*ret_size = st.st_size;
		add_mode(r, st.st_mode);
		return fd;
	}
	fd_close(fd);
	return -1;
}

/* The reply into memory. */
static int receive(struct exchange *x, struct buf *reply, size_t most,
		   struct svm_err *err)
{
	auto_free char *chunk = xmalloc(CHUNK);
	ssize_t n;

	while ((n = exchange_read(x, chunk, CHUNK, err)) > 0) {
		if (reply->len + (size_t)n > LIMIT_TUI_REPLY)
			return svm_err_set(err, SVM_TOO_LARGE,
					   "the daemon's reply is over %d MiB",
					   (int)(LIMIT_TUI_REPLY >> 20));
		buf_add(reply, chunk, (size_t)n);
		if (most && reply->len >= most)
			return 0;
	}
	return n < 0 ? -1 : 0;
}

static int receive_to(struct exchange *x, int fd, const char *path,
		      struct svm_err *err)
{
	auto_free char *chunk = xmalloc(CHUNK);
	ssize_t n;

	while ((n = exchange_read(x, chunk, CHUNK, err)) > 0) {
		int r = fd_write_full(fd, chunk, (size_t)n);

		if (r < 0)
			return svm_err_sys(err, SVM_INTERNAL, r,
					   "can't write %s", path);
	}
	return n < 0 ? -1 : 0;
}

/* A device or a pipe isn't to become a file. */
static int find_place(const char *path, struct place *ret, struct svm_err *err)
{
	int r = place_find(path, ret);
	const char *kept = r < 0 ? NULL : place_kept_as(ret);

	if (r < 0)
		return svm_err_sys(err, SVM_INTERNAL, r, "can't make %s",
				   path);
	return !kept ? 0 : svm_err_set(err, SVM_CONFLICT,
				       "can't write %s: it is %s", path, kept);
}

/* Into a file beside the wanted one, which takes its place when whole.  A new
 * file has what the umask leaves of the mode; one that is there keeps its
 * permissions.  An archive that lacks what can't be read is kept, and is an
 * error. */
static int download(struct exchange *x, const char *path, unsigned mode,
		    struct svm_err *err)
{
	auto_place struct place place = PLACE_INIT;

	if (find_place(path, &place, err) < 0)
		return -1;
	int fd = place_begin(&place, mode ? (mode & 0777) | 0600 : 0666);
	if (fd < 0)
		return svm_err_sys(err, SVM_INTERNAL, fd, "can't make %s",
				   path);
	if (receive_to(x, fd, path, err) < 0)
		return -1;
	int r = place_end(&place);
	if (r < 0)
		return svm_err_sys(err, SVM_INTERNAL, r, "can't make %s",
				   path);
	if (client_check_omitted(x, "the archive", err) < 0)
		return svm_err_hint(err, "the rest is in %s", path);
	return 0;
}

/* The signal comes before the question: with the answer it was seen. */
static int hang_up(struct client *c, struct svm_err *err)
{
	auto_close int pidfd = -1;
	pid_t pid;

	if (client_daemon_pid(c, &pid, &pidfd, err) < 0)
		return -1;
	int r = proc_pidfd_kill(pidfd, SIGHUP);
	if (r < 0)
		return svm_err_sys(err, SVM_FORBIDDEN, r,
				   "SIGHUP to the daemon (process %d)",
				   (int)pid);
	return client_call(c, "GET", "/api/v1/live", NULL, NULL, err);
}

static int carry_out(struct request *r, struct client *c)
{
	struct svm_err *err = &r->err;
	int64_t length = r->has_body ? (int64_t)r->body.len : CLIENT_NO_BODY;
	auto_close int fd = -1;

	if (strcmp(r->method, REQUEST_HANGUP) == 0)
		return hang_up(c, err);
	if (r->upload && (fd = open_upload(r, &length, err)) < 0)
		return -1;
	auto_exchange struct exchange *x =
		r->ranged ? exchange_new_range(c, r->target, r->from,
					       r->from + r->most - 1, err) :
		r->if_match ? exchange_new_if(c, r->method, r->target, length,
					      r->if_match, err) :
			      exchange_new(c, r->method, r->target, length,
					   err);

	if (!x)
		return -1;
	if (r->upload ? send_file(x, fd, err) < 0 :
			r->has_body && exchange_send(x, buf_str(&r->body),
						     r->body.len, err) < 0)
		return -1;
	if (exchange_reply(x, err) < 0)
		return -1;
	r->whole = exchange_whole(x);
	r->etag = exchange_etag(x);
	if (r->download)
		return download(x, r->download, r->mode, err) < 0 ?
			       client_explain_cut(c, r->target, err) : 0;
	return receive(x, &r->reply, r->most, err);
}

static void keep(struct request *r)
{
	auto_place struct place place = PLACE_INIT;

	if (find_place(r->download, &place, &r->err) < 0)
		return;
	int e = place_put(&place, buf_str(&r->body), r->body.len);

	if (e < 0)
		svm_err_sys(&r->err, SVM_INTERNAL, e, "can't write %s",
			    r->download);
}

static void job_run(struct work *w)
{
	struct job *j = container_of(w, struct job, work);
	struct request *r = j->r;

	if (r->argv) {
		(void)command_exec(r->argv, j->cancel_fd, &r->reply,
				   &r->status, &r->err);
		return;
	}
	if (strcmp(r->method, REQUEST_KEEP) == 0) {
		keep(r);
		return;
	}
	bool get = strcmp(r->method, "GET") == 0 && !r->download;
	int64_t deadline = get ? clock_boot_ns() +
				 GET_SECONDS * INT64_C(1000000000) : 0;
	struct client *c = fetch_client(&j->f->options, !r->quiet, deadline,
					j->cancel_fd, &r->err);

	if (c)
		carry_out(r, c);
	client_free(c);
}

/* -- the loop's side */

static void tell(struct fetch *f, struct request *r)
{
	f->answers++;
	if (r->err.code == SVM_OK && !r->argv &&
	    strcmp(r->method, REQUEST_KEEP) != 0)
		sync_heard(f->m, clock_boot_ns());
	f->m->waiting -= !r->quiet && f->m->waiting;
	f->m->effects |= EFFECT_REDRAW;
	request_done(f->m, r);
	if (r->err.code != SVM_OK && !r->quiet)
		model_complain(f->m, &r->err, r->doing);
	update_settle(f->m);
	f->changed(f->data);
}

static void job_done(struct work *w)
{
	struct job *j = container_of(w, struct job, work);

	if (!j->f->closing)
		tell(j->f, j->r);
	request_free(j->r);
	list_remove(&j->link);
	close(j->cancel_fd);
	free(j);
}

struct fetch *fetch_new(struct loop *l, struct model *m,
			const struct fetch_options *o,
			void (*changed)(void *data), void *data)
{
	struct fetch *f = xcalloc(1, sizeof(*f));

	f->loop = l;
	f->m = m;
	f->options = *o;
	f->changed = changed;
	f->data = data;
	list_init(&f->jobs);
	f->pool = work_pool_new(l, THREADS, "tui");
	return f;
}

static void submit(struct fetch *f, struct request *r)
{
	struct job *j = xcalloc(1, sizeof(*j));

	j->work.run = job_run;
	j->work.done = job_done;
	j->f = f;
	j->r = r;
	j->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	list_append(&f->jobs, &j->link);
	work_submit(f->pool, &j->work);
}

static void sync_stream(struct fetch *f, struct stream *s)
{
	struct stream_link *k = s->link_data;

	if (!k && !s->closed)
		s->link_data = stream_link_new(f->loop, f->m, s, &f->options,
					       f->changed, f->data);
	if (k && s->closed)
		stream_link_stop(k);
	if (s->closed && (!k || stream_link_ended(k))) {
		stream_link_free(k);
		stream_free(s);
	}
}

void fetch_sync(struct fetch *f)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &f->m->requests) {
		list_remove(pos);
		submit(f, list_entry(pos, struct request, link));
	}
	list_for_each_safe(pos, tmp, &f->m->streams)
		sync_stream(f, list_entry(pos, struct stream, link));
}

unsigned long fetch_answers(const struct fetch *f)
{
	return f->answers;
}

void fetch_cancel(struct fetch *f)
{
	struct list *pos, *tmp;
	uint64_t one = 1;

	list_for_each_safe(pos, tmp, &f->jobs) {
		struct job *j = list_entry(pos, struct job, link);

		if (!j->r->quiet && !j->r->cleanup &&
		    write(j->cancel_fd, &one, sizeof(one)) < 0)
			return; /* it is readable already */
	}
}

void fetch_free(struct fetch *f)
{
	struct list *pos, *tmp;
	uint64_t one = 1;

	if (!f)
		return;
	f->closing = true;
	list_for_each_safe(pos, tmp, &f->jobs)
		if (write(list_entry(pos, struct job, link)->cancel_fd, &one,
			  sizeof(one)) < 0)
			continue;
	list_for_each_safe(pos, tmp, &f->m->streams) {
		struct stream *s = list_entry(pos, struct stream, link);

		if (s->link_data)
			stream_link_stop(s->link_data);
	}
	list_for_each_safe(pos, tmp, &f->m->streams) {
		struct stream *s = list_entry(pos, struct stream, link);

		stream_link_free(s->link_data);
		s->link_data = NULL;
	}
	work_pool_free(f->pool);
	loop_run_posts(f->loop);
	free(f);
}
