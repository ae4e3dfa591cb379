/* SPDX-License-Identifier: MIT */
/*
 * For tests: a box of the mock provider in a private state directory, and the
 * client's side of its channel, blocking, one operation per connection.
 */
#ifndef SVM_TESTS_AGENT_BOX_H
#define SVM_TESTS_AGENT_BOX_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/api/frame.h"
#include "lib/api/msg.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "lib/base/proc-tree.h"
#include "lib/base/proc.h"
#include "lib/base/rand.h"
#include "providers/provider.h"

#define PATIENCE_MS 20000 /* a test that waits longer has failed */

struct box {
	char state[64];
	struct provider_host host;
	struct provider *provider;
	struct provider_box box;
	char id[12];
	char root[128]; /* the box's root on the host */
};

static inline void box_start_with(struct box *b, struct sandbox_spec *spec)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	*b = (struct box){ .box = PROVIDER_BOX_INIT };
	strcpy(b->state, "/tmp/svm-test-XXXXXX");
	assert_non_null(mkdtemp(b->state));
	strcpy(b->id, "sb-00000001");
	snprintf(b->root, sizeof(b->root), "%s/boxes/%s/root", b->state,
		 b->id);
	b->host = (struct provider_host){ .state_dir = b->state,
					  .instance_id = "0123456789abcdef",
					  .self = "/proc/self/exe" };
	b->box.id = b->id;
	rand_bytes(b->box.nonce, sizeof(b->box.nonce));
	if (provider_open(provider_find_ops("mock"), &b->host, &b->provider,
			  &err) < 0 ||
	    provider_prepare(b->provider, &b->box, spec, &err) < 0 ||
	    provider_create(b->provider, &b->box, spec, &err) < 0)
		fail_msg("no box: %s", err.msg);
}

static inline void box_start(struct box *b)
{
	struct sandbox_spec spec = { 0 };

	box_start_with(b, &spec);
}

static inline void box_stop(struct box *b)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	if (provider_destroy(b->provider, &b->box, &err) < 0)
		fail_msg("not destroyed: %s", err.msg);
	provider_close(b->provider);
	provider_box_release(&b->box);
	auto_close int tmp = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(path_remove_tree(tmp, b->state + strlen("/tmp/")),
			 0);
}

/* One operation. */
struct call {
	int fd;
	struct buf in;
	size_t used; /* of the frame handed out last */
};

static inline void call_close(struct call *c)
{
	fd_close(c->fd);
	buf_release(&c->in);
	c->fd = -1;
}

/* The next frame, or false at the end of the connection. */
static inline bool call_next(struct call *c, struct frame *ret)
{
	buf_consume(&c->in, c->used);
	c->used = 0;
	for (;;) {
		int n = frame_decode(c->in.data, c->in.len, ret);
		struct pollfd p = { .fd = c->fd, .events = POLLIN };

		assert_true(n >= 0);
		if (n > 0) {
			c->used = (size_t)n;
			return true;
		}
		if (poll(&p, 1, PATIENCE_MS) <= 0)
			fail_msg("the agent said nothing for %d ms",
				 PATIENCE_MS);
		buf_reserve(&c->in, 65536);
		ssize_t got = read(c->fd, c->in.data + c->in.len, 65536);
		if (got <= 0)
			return false;
		c->in.len += (size_t)got;
	}
}

static inline void call_send(struct call *c, enum frame_type type,
			     const void *p, size_t n)
{
	auto_buf struct buf b = BUF_INIT;

	frame_add(&b, type, 0, 7, p, n);
	for (size_t at = 0; at < b.len;) {
		ssize_t done = send(c->fd, b.data + at, b.len - at,
				    MSG_NOSIGNAL);

		if (done < 0)
			return; /* the answer says why */
		at += (size_t)done;
	}
}

/* Connect and check HELLO. */
static inline void call_open(struct box *b, struct call *c)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct frame f;
	size_t n;

	*c = (struct call){ .fd = provider_open_channel(b->provider, &b->box,
							&err) };
	if (c->fd < 0)
		fail_msg("no channel: %s", err.msg);
	assert_int_equal(fd_set_nonblock(c->fd, false), 0);
	assert_true(call_next(c, &f));
	assert_int_equal(f.type, FRAME_HELLO);
	struct msg_reader r = msg_reader(f.payload, f.len);
	assert_int_equal(msg_u32(&r), FRAME_MAGIC);
	assert_int_equal(msg_u16(&r), FRAME_MAJOR);
	(void)msg_u16(&r);
	(void)msg_u64(&r);
	const void *nonce = msg_bytes(&r, FRAME_NONCE, &n);
	assert_int_equal(n, FRAME_NONCE);
	assert_memory_equal(nonce, b->box.nonce, FRAME_NONCE);
}

static inline void call_begin(struct box *b, struct call *c,
			      enum frame_type type, const void *p, size_t n)
{
	auto_buf struct buf out = BUF_INIT;

	call_open(b, c);
	frame_add_request(&out, type, 7, p, n);
	assert_int_equal(fd_write_full(c->fd, out.data, out.len), 0);
}

/* Commands. */

struct result {
	struct buf out, err;
	struct agent_exit exit;
	uint32_t pid;
	uint64_t offset; /* of the first byte */
	uint64_t lagged;
	uint32_t code; /* svm_code of ERROR, or 0 */
	char *error;
	bool started, ended;
};

static inline void result_release(struct result *r)
{
	buf_release(&r->out);
	buf_release(&r->err);
	free(r->error);
	*r = (struct result){ 0 };
}

static inline void result_add(struct result *r, const struct frame *f)
{
	struct msg_reader m = msg_reader(f->payload, f->len);

	switch (f->type) {
	case FRAME_STARTED:
		r->started = true;
		r->pid = msg_u32(&m);
		r->offset = msg_u64(&m);
		break;
	case FRAME_STDOUT:
		buf_add(&r->out, f->payload, f->len);
		break;
	case FRAME_STDERR:
		buf_add(&r->err, f->payload, f->len);
		break;
	case FRAME_LAGGED:
		r->lagged += msg_u64(&m);
		break;
	case FRAME_EXIT:
		assert_int_equal(agent_exit_decode(f->payload, f->len,
						   &r->exit), 0);
		r->ended = true;
		break;
	case FRAME_ERROR:
		r->code = msg_u32(&m);
		(void)msg_u32(&m);
		r->error = msg_str(&m, LIMIT_FRAME);
		r->ended = true;
		break;
	case FRAME_END:
		r->ended = true;
		break;
	default:
		fail_msg("unexpected frame %u", f->type);
	}
}

/* Everything until the connection ends. */
static inline void call_finish(struct call *c, struct result *r)
{
	struct frame f;

	while (call_next(c, &f))
		result_add(r, &f);
	call_close(c);
}

/* Until `text` was seen on stdout. */
static inline void call_until(struct call *c, struct result *r,
			      const char *text)
{
	struct frame f;

	while (!strstr(buf_str(&r->out), text)) {
		if (!call_next(c, &f))
			fail_msg("'%s' never came: '%s' '%s'", text,
				 buf_str(&r->out), buf_str(&r->err));
		result_add(r, &f);
	}
}

static inline void exec_begin(struct box *b, struct call *c,
			      struct agent_exec *m)
{
	static unsigned next;
	auto_buf struct buf text = BUF_INIT;
	char sid[32];

	snprintf(sid, sizeof(sid), "x%u", ++next);
	if (!m->sid)
		m->sid = sid;
	if (!m->cwd)
		m->cwd = (char *)(uintptr_t)"/workspace";
	agent_exec_encode(&text, m);
	if (m->sid == sid)
		m->sid = NULL;
	call_begin(b, c, FRAME_EXEC, text.data, text.len);
}

/* `sh -c script` with some flags. */
static inline void sh_begin(struct box *b, struct call *c, const char *script,
			    const char *sid, uint32_t flags,
			    uint64_t timeout_ns)
{
	char *argv[] = { (char *)(uintptr_t)"sh", (char *)(uintptr_t)"-c",
			 (char *)(uintptr_t)script, NULL };
	struct agent_exec m = { .argv = argv,
				.sid = (char *)(uintptr_t)sid,
				.flags = flags,
				.cols = 80,
				.rows = 24,
				.timeout_ns = timeout_ns };

	exec_begin(b, c, &m);
}

static inline struct result sh(struct box *b, const char *script)
{
	struct result r = { 0 };
	struct call c;

	sh_begin(b, &c, script, NULL, 0, 0);
	call_finish(&c, &r);
	return r;
}

/* Files. */

struct answer {
	struct buf data;        /* all DATA */
	struct agent_file file; /* the last FILE */
	struct buf names;       /* of FILE and PATH, each with a newline */
	unsigned files;
	uint32_t code;          /* svm_code of ERROR, or 0 */
	char *error;
	bool ended;             /* END came */
	uint32_t end_u32;       /* its first field */
	struct buf end;         /* all of them */
};

static inline void answer_release(struct answer *a)
{
	buf_release(&a->data);
	buf_release(&a->names);
	buf_release(&a->end);
	agent_file_release(&a->file);
	free(a->error);
	*a = (struct answer){ 0 };
}

static inline void answer_add(struct answer *a, const struct frame *f)
{
	struct msg_reader m = msg_reader(f->payload, f->len);

	switch (f->type) {
	case FRAME_DATA:
		buf_add(&a->data, f->payload, f->len);
		break;
	case FRAME_FILE:
		agent_file_release(&a->file);
		assert_int_equal(agent_file_decode(f->payload, f->len,
						   &a->file), 0);
		buf_addf(&a->names, "%s\n", a->file.name);
		a->files++;
		break;
	case FRAME_PATH: {
		auto_free char *path = msg_str(&m, LIMIT_PATH);

		assert_non_null(path);
		buf_addf(&a->names, "%s\n", path);
		break;
	}
	case FRAME_ERROR:
		a->code = msg_u32(&m);
		(void)msg_u32(&m);
		a->error = msg_str(&m, LIMIT_FRAME);
		break;
	case FRAME_END:
		a->ended = true;
		a->end_u32 = f->len >= 4 ? msg_u32(&m) : 0;
		buf_add(&a->end, f->payload, f->len);
		break;
	default:
		fail_msg("unexpected frame %u", f->type);
	}
}

static inline struct answer answer_of(struct call *c)
{
	struct answer a = { 0 };
	struct frame f;

	while (call_next(c, &f))
		answer_add(&a, &f);
	call_close(c);
	return a;
}

/* A request of a path and some numbers, as the formats in frame.h go. */
static inline struct answer ask(struct box *b, enum frame_type type,
				const char *path, const char *path2,
				int nu64, uint64_t u64a, uint64_t u64b,
				int nu32, uint32_t u32)
{
	auto_buf struct buf text = BUF_INIT;
	struct call c;

	msg_add_str(&text, path);
	if (path2)
		msg_add_str(&text, path2);
	if (nu64 > 0)
		msg_add_u64(&text, u64a);
	if (nu64 > 1)
		msg_add_u64(&text, u64b);
	if (nu32 > 0)
		msg_add_u32(&text, u32);
	call_begin(b, &c, type, text.data, text.len);
	return answer_of(&c);
}

static inline struct answer file_get(struct box *b, const char *path)
{
	return ask(b, FRAME_READ, path, NULL, 2, 0, UINT64_MAX, 0, 0);
}

static inline struct answer file_put(struct box *b, const char *path,
				     uint32_t mode, const void *data, size_t n)
{
	auto_buf struct buf text = BUF_INIT;
	const char *p = data;
	struct call c;

	msg_add_str(&text, path);
	msg_add_u32(&text, mode);
	msg_add_u32(&text, 0);
	call_begin(b, &c, FRAME_WRITE, text.data, text.len);
	for (size_t at = 0; at < n; at += LIMIT_FRAME)
		call_send(&c, FRAME_DATA, p + at,
			  MIN(n - at, (size_t)LIMIT_FRAME));
	call_send(&c, FRAME_END, NULL, 0);
	return answer_of(&c);
}

/* One box for a group of tests. */
static inline int box_setup(void **state)
{
	struct box *b = xcalloc(1, sizeof(*b));

	box_start(b);
	*state = b;
	return 0;
}

static inline int box_teardown(void **state)
{
	box_stop(*state);
	free(*state);
	return 0;
}

/* Processes below one whose command line holds `text`; signalled, if not with
 * 0. */
static inline int kill_below(pid_t root, const char *text, int signo)
{
	auto_free struct proc_tree_entry *v = NULL;
	int n = proc_tree_list(root, &v), found = 0;

	for (int i = 0; i < n; i++) {
		auto_free char *path = xasprintf("/proc/%d/cmdline",
						 (int)v[i].pid);
		auto_buf struct buf cmd = BUF_INIT;

		if (fd_slurp_path(-1, path, 65536, &cmd) == 0 && cmd.len &&
		    memmem(cmd.data, cmd.len, text, strlen(text)))
			found += kill(v[i].pid, signo) == 0;
	}
	return found;
}

static inline int count_below(pid_t root, const char *text)
{
	return kill_below(root, text, 0);
}

static inline int count_running(struct box *b, const char *text)
{
	return count_below(b->box.pid, text);
}

/* Not pkill(1), which would find those of another run.  In the midst of an
 * execve() a process has no command line. */
static inline void kill_running(struct box *b, const char *text)
{
	int64_t deadline = clock_mono_ns() +
			   PATIENCE_MS * INT64_C(1000000);

	while (kill_below(b->box.pid, text, SIGTERM) == 0)
		assert_true(clock_mono_ns() < deadline);
}

#endif
