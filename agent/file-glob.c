/* SPDX-License-Identifier: MIT */
/* GLOB: the paths that match a pattern. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "agent/job.h"
#include "agent/walk.h"
#include "lib/base/fd.h"
#include "lib/base/glob.h"
#include "lib/base/mem.h"

struct search {
	struct job *job;
	const char *pattern;
	char *base;        /* the literal prefix, no slash at its end */
	uint32_t max, found, visited;
	uint32_t cut;
};

/* One entry: said if it matches, entered if something below it can. */
static int visit(struct search *s, struct walk *w, struct svm_err *err)
{
	auto_free char *path = xasprintf("%s/%s", s->base, w->path.data);
	auto_buf struct buf text = BUF_INIT;

	if (strlen(path) > LIMIT_PATH)
		return 0;
	if (glob_match(s->pattern, path)) {
		if (s->found++ == s->max) {
			s->cut = 1;
			return 0;
		}
		msg_add_str(&text, path);
		if (job_send(s->job, FRAME_PATH, text.data, text.len,
			     err) < 0)
			return -1;
	}
	if (S_ISDIR(w->st.st_mode) && glob_match_below(s->pattern, path)) {
		int r = walk_enter(w);

		/* What the user may not read has no matches for him. */
		if (r == -ELOOP || r == -EMFILE || r == -ENFILE)
			s->cut = 1;
	}
	return 0;
}

int file_glob(struct job *j, struct msg_reader *m, struct buf *end,
	      struct svm_err *err)
{
	auto_free char *pattern = file_path(m, err);
	uint32_t max = msg_u32(m);
	auto_walk struct walk w = { 0 };

	if (!pattern)
		return -1;
	if (!msg_ok(m))
		return job_malformed(err);
	size_t n = glob_literal_prefix(pattern);
	auto_free char *base = xstrndup(pattern, n);
	int fd = file_openat(j->root, n ? base : "/",
			     O_RDONLY | O_DIRECTORY | O_NONBLOCK, 0);
	if (fd == -ENOENT || fd == -ENOTDIR || fd == -EACCES) {
		msg_add_u32(end, 0);
		return 0;
	}
	int r = fd < 0 ? fd : walk_begin(&w, fd);
	if (r < 0)
		return file_error(err, r, "search", pattern);
	struct search s = {
		.job = j,
		.pattern = pattern,
		.base = base,
		.max = max ? MIN(max, (uint32_t)LIMIT_GLOB_RESULTS) :
			     LIMIT_GLOB_RESULTS,
	};
	while (!s.cut && (r = walk_next(&w)) != 0) {
		if (s.visited++ == LIMIT_GLOB_VISITED)
			s.cut = 1;
		else if (r > 0 && visit(&s, &w, err) < 0)
			return -1;
		if (job_stopped())
			return svm_err_set(err, SVM_TIMEOUT,
					   "the search took too long");
	}
	msg_add_u32(end, s.cut);
	return 0;
}
