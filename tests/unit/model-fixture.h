/* SPDX-License-Identifier: MIT */
/*
 * A model without daemon, terminal and clock: the test answers what it asks,
 * presses the keys, and reads the screen as text.
 */
#ifndef SVM_TESTS_MODEL_FIXTURE_H
#define SVM_TESTS_MODEL_FIXTURE_H

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "tests/unit/unit.h"
#include "tui/model.h"
#include "tui/screen.h"
#include "tui/terminal.h"

/* 2026-03-01T12:00:00Z, half an hour after the machine was started. */
#define FIXTURE_WALL_NS (INT64_C(1772366400) * 1000000000)
#define FIXTURE_BOOT_NS (INT64_C(1800) * 1000000000)

#define FIXTURE_SANDBOX(id, name, state, image, minute, more) \
	"{\"id\":\"" id "\",\"name\":\"" name "\",\"state\":\"" state \
	"\",\"provider\":\"mock\",\"image\":\"" image \
	"\",\"created_at\":\"2026-03-01T11:" minute ":00Z\"" \
	",\"memory_mb\":512,\"vcpus\":1,\"owner_id\":\"uid:1000\"" \
	",\"network\":\"none\"" more "}"

/* A name of wide characters, text that would steer a terminal, one that ends
 * soon, one that failed. */
#define FIXTURE_FLEET \
	"[" FIXTURE_SANDBOX("sb-7f3a91c2", "web", "running", "python:3.12", \
			    "55", ",\"expires_at\":\"2026-03-01T12:24:00Z\"" \
			    ",\"metadata\":{\"task\":\"ci\",\"evil\":" \
			    "\"\\u001b[31mred\\u202e\\u0007\"}") "," \
	FIXTURE_SANDBOX("sb-2c8e04d7", "\u6f22\u5b57\u6771\u4eac", "running", \
			"node:20", "40", \
			",\"expires_at\":\"2026-03-01T12:00:42Z\"" \
			",\"template\":\"data-science\"") "," \
	FIXTURE_SANDBOX("sb-9d11ba00", "", "creating", "alpine", "59", "") "," \
	FIXTURE_SANDBOX("sb-4a77e2f1", "e\\u001b[2Jvil", "error", "host", \
			"10", "") "," \
	FIXTURE_SANDBOX("sb-1e90cf33", "\u00c4pfel", "stopped", \
			"registry.example.org/team/project/image:latest", \
			"05", ",\"expires_at\":\"2026-03-03T12:00:00Z\"") "]"

#define FIXTURE_TEMPLATES \
	"[{\"name\":\"data-science\",\"image\":\"python:3.12\"," \
	"\"memory_mb\":1024,\"vcpus\":2,\"ttl\":\"30m\",\"pool_size\":3," \
	"\"description\":\"Python with numpy, pandas and scikit-learn\"," \
	"\"cpu_cores\":2,\"ttl_seconds\":1800,\"network\":\"\"," \
	"\"env\":{\"OMP_NUM_THREADS\":\"2\",\"MPLBACKEND\":\"agg\"}," \
	"\"setup\":[\"pip install --quiet numpy pandas scikit-learn\"," \
	"\"python -c 'import numpy'\"],\"metadata\":{}," \
	"\"read_only_rootfs\":false," \
	"\"created_at\":\"2026-03-01T10:00:00Z\"}," \
	"{\"name\":\"web-build\",\"image\":\"node:20\",\"memory_mb\":512," \
	"\"vcpus\":1}]"

#define FIXTURE_PROVIDERS \
	"[{\"name\":\"native\",\"healthy\":true,\"default\":true," \
	"\"latency_ms\":3,\"runtime_count\":2," \
	"\"capabilities\":[\"isolation\",\"exec\",\"files\",\"sessions\"," \
	"\"limits\",\"stats\",\"images\"],\"error\":\"\"," \
	"\"last_checked\":\"2026-03-01T11:59:00Z\"}," \
	"{\"name\":\"mock\",\"healthy\":true,\"latency_ms\":0," \
	"\"runtime_count\":3}," \
	"{\"name\":\"docker\",\"healthy\":false," \
	"\"error\":\"no socket /var/run/docker.sock\"}]"

/* Terminals are the program's, which isn't there. */
static inline void fixture_free(struct model *m)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &m->terminals)
		terminal_free(list_entry(pos, struct terminal, link));
	model_free(m);
}

/* All sandboxes go at once. */
static inline void fixture_no_sandboxes(struct model *m)
{
	cJSON *none = cJSON_CreateArray();

	fleet_load(&m->fleet, none);
	cJSON_Delete(none);
	update_settle(m);
}

static inline void fixture_time(struct model *m, int64_t later_ns)
{
	m->boot_ns += later_ns;
	m->wall_ns += later_ns;
}

/* Answer every request for this path (up to its query), with this ETag or
 * none; how many. */
static inline int fixture_tagged(struct model *m, const char *method,
				 const char *path, enum svm_code code,
				 const char *reply, const char *etag)
{
	struct list *pos, *tmp;
	int n = 0;

	list_for_each_safe(pos, tmp, &m->requests) {
		struct request *r = list_entry(pos, struct request, link);

		if (strcmp(r->method, method) != 0 ||
		    strncmp(r->target, path, strlen(path)) != 0 ||
		    (r->target[strlen(path)] && r->target[strlen(path)] != '?'))
			continue;
		list_remove(&r->link);
		m->waiting -= !r->quiet;
		if (code == SVM_OK)
			buf_addstr(&r->reply, reply);
		r->whole = (int64_t)r->reply.len;
		if (etag)
			r->etag = xstrdup(etag);
		if (code != SVM_OK)
			svm_err_set(&r->err, code, "%s", reply);
		request_done(m, r);
		if (r->err.code != SVM_OK)
			model_complain(m, &r->err, r->doing);
		request_free(r);
		n++;
	}
	update_settle(m);
	return n;
}

static inline int fixture_answer(struct model *m, const char *method,
				 const char *path, enum svm_code code,
				 const char *reply)
{
	return fixture_tagged(m, method, path, code, reply, NULL);
}

/* $EDITOR ended, as the program would tell. */
static inline void fixture_edited(struct model *m, bool ok)
{
	free(m->editor.path);
	m->editor.path = NULL;
	svm_err_release(&m->editor.err);
	if (!ok)
		svm_err_set(&m->editor.err, SVM_CANCELLED,
			    "the editor 'ed' ended with status 3");
	m->editor.done(m, m->editor.data, ok);
}

/* The one request that waits with this method; NULL when there is none. */
static inline struct request *fixture_request(struct model *m,
					      const char *method)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &m->requests) {
		struct request *r = list_entry(pos, struct request, link);

		if (strcmp(r->method, method) == 0)
			return r;
	}
	return NULL;
}

static inline void fixture_line(struct model *m, struct stream *s,
				const char *text)
{
	s->line(m, s, text, strlen(text));
	update_settle(m);
}

/* The stream of the spawn that is under way, or NULL. */
static inline struct stream *fixture_spawn(const struct model *m)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &m->streams) {
		struct stream *s = list_entry(pos, struct stream, link);

		if (s->body && !s->closed)
			return s;
	}
	return NULL;
}

/* It ends before its last line. */
static inline void fixture_broken(struct model *m, struct stream *s,
				  enum svm_code code, const char *why)
{
	s->state = STREAM_ENDED;
	if (code != SVM_OK)
		svm_err_set(&s->err, code, "%s", why);
	s->changed(m, s);
	update_settle(m);
}

/* A model with a daemon that has all of the above. */
static inline struct model *fixture_model(int rows, int cols)
{
	struct model *m = model_new(rows, cols);

	m->wall_ns = FIXTURE_WALL_NS;
	m->boot_ns = FIXTURE_BOOT_NS;
	model_start(m);
	m->events->state = STREAM_LIVE;
	m->events->changed(m, m->events);
	fixture_answer(m, "GET", "/api/v1/sandboxes", SVM_OK, FIXTURE_FLEET);
	fixture_answer(m, "GET", "/api/v1/templates", SVM_OK,
		       FIXTURE_TEMPLATES);
	fixture_answer(m, "GET", "/api/v1/providers", SVM_OK,
		       FIXTURE_PROVIDERS);
	fixture_answer(m, "GET", "/api/v1/health", SVM_OK,
		       "{\"version\":\"1.2.3\"}");
	fixture_answer(m, "GET", "/api/v1/metrics", SVM_OK,
		       "{\"uptime\":\"4h2m1.5s\",\"total_sandboxes\":312}");
	return m;
}

/* Keys by name, separated by blanks: "j Down ^S Escape". */
static inline void fixture_keys(struct model *m, const char *keys)
{
	auto_free char *words = xstrdup(keys);
	char *rest = NULL;

	for (char *w = strtok_r(words, " ", &rest); w;
	     w = strtok_r(NULL, " ", &rest)) {
		struct input_event ev = { .type = INPUT_KEY };

		if (key_parse(w, &ev.key) < 0)
			fail_msg("no key %s", w);
		update_input(m, &ev);
	}
}

/* The user writes this (NULL: nothing) and leaves the editor; the name of what
 * was edited. */
static inline char *fixture_leave_editor(struct model *m, const char *text,
					 bool ok)
{
	char *path = steal_ptr(&m->editor.path);

	if (text)
		assert_int_equal(fd_replace_path(AT_FDCWD, path, text,
						 strlen(text), 0600), 0);
	m->editor.done(m, m->editor.data, ok);
	update_settle(m);
	return path;
}

/* Every character is a key. */
static inline void fixture_type(struct model *m, const char *text)
{
	for (; *text; text++)
		update_input(m, &(struct input_event){
					.type = INPUT_KEY,
					.key = { (unsigned char)*text, 0 } });
}

static inline void fixture_paste(struct model *m, const char *text)
{
	update_input(m, &(struct input_event){ .type = INPUT_PASTE,
					       .data = text,
					       .size = strlen(text) });
}

/* What is on the screen; the caller's. */
static inline char *fixture_screen(const struct model *m)
{
	auto_canvas struct canvas *c = canvas_new(m->rows, m->cols);
	struct buf out = BUF_INIT;

	frame_view(m, c);
	canvas_dump(c, &out);
	buf_addstr(&out, "");
	return buf_steal(&out);
}

#define assert_shown(m, text) fixture_shown(m, text, true, __FILE__, __LINE__)
#define assert_not_shown(m, text) \
	fixture_shown(m, text, false, __FILE__, __LINE__)
static inline void fixture_shown(const struct model *m, const char *text,
				 bool wanted, const char *file, int line)
{
	auto_free char *screen = fixture_screen(m);

	if ((strstr(screen, text) != NULL) == wanted)
		return;
	fputs(screen, stderr); /* longer than print_error() takes */
	print_error("'%s' is %sthere\n", text, wanted ? "not " : "");
	_fail(file, line);
}

#endif
