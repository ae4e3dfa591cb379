/* SPDX-License-Identifier: MIT */
/* Copies over the file routes.  See transfer.h. */
#include "cli/transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/out.h"
#include "cli/pack.h"
#include "cli/paging.h"
#include "cli/progress.h"
#include "cli/sandbox.h"
#include "lib/api/limits.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"

#define CHUNK KIB(64)

char *files_target(const char *id, const char *suffix, const char *path)
{
	struct buf target = BUF_INIT;
	auto_free char *base = sandbox_path(id, "/files");

	buf_addf(&target, "%s%s", base, suffix);
	query_add(&target, "path", path);
	return buf_steal(&target);
}

int files_is_dir(struct cli *cli, const char *id, const char *path,
		 mode_t *ret_mode, struct svm_err *err)
{
	auto_free char *target = files_target(id, "/stat", path);
	auto_buf struct buf body = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_err struct svm_err e = SVM_ERR_INIT;
	bool dir = false;

	if (cli_get(cli, target, &body, &e) < 0) {
		if (e.code == SVM_FILE_NOT_FOUND)
			return 0;
		return svm_err_move(err, &e);
	}
	if (out_parse_object(&doc, &body, err) < 0 ||
	    json_get_bool(doc.root, "is_dir", &dir, err) < 0)
		return -1;
	if (ret_mode)
		*ret_mode = (mode_t)strtoul(json_text(doc.root, "mode"), NULL,
					    8) & 0777;
	return dir;
}

int64_t fd_regular_size(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -1;
	off_t at = lseek(fd, 0, SEEK_CUR);

	return st.st_size > at ? st.st_size - at : 0;
}

static int read_reply(struct exchange *x, struct buf *reply,
		      struct svm_err *err)
{
	char chunk[4096];
	ssize_t n;

	if (exchange_reply(x, err) < 0)
		return -1;
	while ((n = exchange_read(x, chunk, sizeof(chunk), err)) > 0)
		if (reply && reply->len < LIMIT_HTTP_BODY_JSON)
			buf_add(reply, chunk, (size_t)n);
	return (int)n;
}

static int send_from_fd(struct exchange *x, int fd, int64_t size,
			struct progress *p, struct svm_err *err)
{
	auto_free char *chunk = xmalloc(CHUNK);
	int64_t left = size;

	while (size < 0 || left > 0) {
		/* What it comes from may be silent for long: a pipe, a
		 * person. */
		if (size < 0 && exchange_wait(x, fd, POLLIN, err) < 0)
			return -1;
		ssize_t n = read(fd, chunk, size < 0 || left > CHUNK ?
						    CHUNK : (size_t)left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return svm_err_sys(err, SVM_INTERNAL, errno, "read");
		if (n == 0 && size >= 0)
			return svm_err_set(err, SVM_INTERNAL,
					   "the file got shorter while it was "
					   "read");
		if (n == 0)
			return 0;
		left -= n;
		int r = exchange_send(x, chunk, (size_t)n, err);

		if (r)
			return r < 0 ? -1 : 0; /* it has answered already */
		progress_add(p, n);
	}
	return 0;
}

int transfer_send_fd(struct cli *cli, const char *method, const char *target,
		     int fd, int64_t size, struct progress *p,
		     struct buf *reply, struct svm_err *err)
{
	struct client *c = cli_client(cli, err);
	auto_exchange struct exchange *x =
		c ? exchange_new(c, method, target,
				 size < 0 ? CLIENT_CHUNKED : size, err) : NULL;

	if (!x || send_from_fd(x, fd, size, p, err) < 0)
		return -1;
	return read_reply(x, reply, err);
}

int transfer_put(struct cli *cli, const char *id, const char *path, int fd,
		 int64_t size, const char *mode, struct progress *p,
		 struct svm_err *err)
{
	auto_free char *base = files_target(id, "", path);
	auto_buf struct buf target = BUF_INIT;

	buf_addstr(&target, base);
	if (mode)
		query_add(&target, "mode", mode);
	return transfer_send_fd(cli, "PUT", buf_str(&target), fd, size, p,
				NULL, err);
}

static int write_failed(int r, const char *to, struct svm_err *err)
{
	return to ? svm_err_sys(err, SVM_INTERNAL, r, "write '%s'", to) :
		    svm_err_sys(err, SVM_INTERNAL, r,
				"write to standard output");
}

/* A file is new, and has the holes again that were read as zeros. */
static bool has_holes(int fd, const char *to)
{
	return to && fd_regular_size(fd) >= 0;
}

/* Whoever reads it may stop doing so for long, and that can be interrupted: a
 * pipe that poll() says has room takes PIPE_BUF bytes at once. */
static int write_out(struct exchange *x, int fd, const char *to,
		     const char *data, size_t n, struct svm_err *err)
{
	while (n) {
		size_t part = to ? n : MIN(n, (size_t)PIPE_BUF);

		if (!to && exchange_wait(x, fd, POLLOUT, err) < 0)
			return -1;
		int r = has_holes(fd, to) ? fd_write_holes(fd, data, part) :
					    fd_write_full(fd, data, part);

		if (r < 0)
			return write_failed(r, to, err);
		data += part;
		n -= part;
	}
	return 0;
}

/* The body didn't come whole. */
static int broke_off(struct cli *cli, const char *id, const char *suffix,
		     const char *path, struct svm_err *err)
{
	auto_free char *target = files_target(id, suffix, path);

	if (err->code != SVM_UNREACHABLE)
		return -1;
	(void)client_explain_cut(cli_client(cli, err), target, err);
	return svm_err_prefix(err, "'%s:%s'", id, path);
}

/* The file follows. */
static struct exchange *begin_get(struct cli *cli, const char *id,
				  const char *path, struct svm_err *err)
{
	auto_free char *target = files_target(id, "", path);
	struct client *c = cli_client(cli, err);
	auto_exchange struct exchange *x =
		c ? exchange_new(c, "GET", target, CLIENT_NO_BODY, err) : NULL;

	if (!x || exchange_reply(x, err) < 0)
		return NULL;
	return steal_ptr(&x);
}

int transfer_get(struct cli *cli, const char *id, const char *path, int fd,
		 const char *to, struct progress *p, struct svm_err *err)
{
	auto_free char *chunk = xmalloc(CHUNK);
	auto_exchange struct exchange *x = begin_get(cli, id, path, err);
	ssize_t n;

	if (!x)
		return -1;
	p->total = exchange_length(x);
	while ((n = exchange_read(x, chunk, CHUNK, err)) > 0) {
		if (write_out(x, fd, to, chunk, (size_t)n, err) < 0)
			return -1;
		progress_add(p, n);
	}
	if (n < 0)
		return broke_off(cli, id, "", path, err);
	int r = has_holes(fd, to) ? fd_end_holes(fd) : 0;

	return r < 0 ? write_failed(r, to, err) : 0;
}

int transfer_show(struct cli *cli, const char *id, const char *path,
		  struct svm_err *err)
{
	auto_free char *chunk = xmalloc(CHUNK);
	auto_buf struct buf raw = BUF_INIT;
	auto_exchange struct exchange *x = begin_get(cli, id, path, err);
	ssize_t n;

	if (!x)
		return -1;
	paging_begin(cli);
	do {
		n = exchange_read(x, chunk, CHUNK, err);
		if (n > 0)
			buf_add(&raw, chunk, (size_t)n);
		if (n >= 0 && out_text(&raw, n == 0) < 0)
			return write_failed(errno, NULL, err);
	} while (n > 0);
	return n < 0 ? broke_off(cli, id, "", path, err) : 0;
}

struct tree_upload {
	struct exchange *x;
	struct progress *p;
};

static int send_piece(void *data, const void *p, size_t n, struct svm_err *err)
{
	struct tree_upload *u = data;
	int r = exchange_send(u->x, p, n, err);

	progress_add(u->p, (int64_t)n);
	return r;
}

int transfer_send_tree(struct cli *cli, const char *method,
		       const char *target, const char *dir,
		       struct progress *p, struct buf *reply,
		       struct svm_err *err)
{
	struct client *c = cli_client(cli, err);
	auto_exchange struct exchange *x =
		c ? exchange_new(c, method, target, CLIENT_CHUNKED, err) :
		    NULL;
	struct tree_upload u = { x, p };
	unsigned skipped = 0;

	if (!x || pack_tree(dir, send_piece, &u, &skipped, err) < 0)
		return -1;
	if (skipped)
		cli_warn("%u devices, pipes or sockets were left out",
			 skipped);
	return read_reply(x, reply, err);
}

int transfer_put_tree(struct cli *cli, const char *id, const char *path,
		      const char *dir, struct progress *p, struct svm_err *err)
{
	auto_free char *target = files_target(id, "/archive", path);

	return transfer_send_tree(cli, "PUT", target, dir, p, NULL, err);
}

static int receive_tree(struct exchange *x, int dirfd, const char *strip,
			struct progress *p, struct svm_err *err)
{
	auto_free char *chunk = xmalloc(CHUNK);
	struct unpack u;
	ssize_t n;

	unpack_init(&u, dirfd, strip);
	while ((n = exchange_read(x, chunk, CHUNK, err)) > 0) {
		if (unpack_feed(&u, chunk, (size_t)n, err) < 0)
			break;
		progress_add(p, n);
	}
	if (n == 0)
		n = unpack_end(&u, err);
	else
		n = -1;
	if (u.skipped)
		cli_warn("%u devices or pipes were left out", u.skipped);
	unpack_release(&u);
	return (int)n;
}

int transfer_get_tree(struct cli *cli, const char *id, const char *path,
		      const char *dir, struct progress *p, struct svm_err *err)
{
	auto_free char *target = files_target(id, "/archive", path);
	struct client *c = cli_client(cli, err);
	auto_exchange struct exchange *x =
		c ? exchange_new(c, "GET", target, CLIENT_NO_BODY, err) : NULL;

	if (!x || exchange_reply(x, err) < 0)
		return -1;
	if (mkdir(dir, 0777) < 0 && errno != EEXIST)
		return svm_err_sys(err, SVM_INTERNAL, errno, "make '%s'", dir);
	auto_close int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dirfd < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno,
				   "can't open '%s'", dir);
	if (receive_tree(x, dirfd, NULL, p, err) < 0)
		return broke_off(cli, id, "/archive", path, err);
	auto_free char *what = xasprintf("%s:%s", id, path);

	return client_check_omitted(x, what, err);
}
