/* SPDX-License-Identifier: MIT */
/* The log.  See log.h. */
#include "lib/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/escape.h"
#include "lib/base/fd.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

static struct {
	pthread_mutex_t lock;
	struct log_options opt;
	char *file;
	int fd;
	uint64_t size;
} sink = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.opt = { .level = LOG_LEVEL_INFO },
	.fd = STDERR_FILENO,
};

static const char *const level_names[] = {
	[LOG_LEVEL_DEBUG] = "debug",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_ERROR] = "error",
};
_Static_assert(ARRAY_SIZE(level_names) == LOG_LEVEL_MAX, "a name per level");

bool log_level_parse(const char *name, enum log_level *ret)
{
	for (unsigned i = 0; i < LOG_LEVEL_MAX; i++) {
		if (strcmp(level_names[i], name) == 0) {
			*ret = (enum log_level)i;
			return true;
		}
	}
	return false;
}

static int open_file(void)
{
	struct stat st;
	int fd = open(sink.file,
		      O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW |
			      O_NONBLOCK | O_NOCTTY, /* a FIFO must not hold us */
		      0600);

	if (fd < 0)
		return -errno;
	sink.size = fstat(fd, &st) == 0 ? (uint64_t)st.st_size : 0;
	sink.fd = fd;
	return 0;
}

int log_open(const struct log_options *o, struct svm_err *err)
{
	int r = 0;

	pthread_mutex_lock(&sink.lock);
	if (sink.fd != STDERR_FILENO)
		fd_close(sink.fd);
	free(sink.file);
	sink.opt = *o;
	sink.file = xstrdup(o->file);
	sink.fd = STDERR_FILENO;
	if (sink.file)
		r = open_file();
	if (r < 0) {
		free(sink.file);
		sink.file = NULL;
	}
	pthread_mutex_unlock(&sink.lock);
	if (r < 0)
		return svm_err_sys(err, SVM_UNAVAILABLE, r,
				   "can't open the log file '%s'", o->file);
	return 0;
}

void log_close(void)
{
	pthread_mutex_lock(&sink.lock);
	if (sink.fd != STDERR_FILENO)
		fd_close(sink.fd);
	free(sink.file);
	sink.file = NULL;
	sink.fd = STDERR_FILENO;
	pthread_mutex_unlock(&sink.lock);
}

/* file -> file.1 -> ... -> file.keep; a failure keeps the current file. */
static void rotate(void)
{
	for (unsigned i = sink.opt.keep; i > 0; i--) {
		auto_free char *to = xasprintf("%s.%u", sink.file, i);
		auto_free char *from =
			i > 1 ? xasprintf("%s.%u", sink.file, i - 1) :
				xstrdup(sink.file);

		(void)rename(from, to);
	}
	if (!sink.opt.keep)
		(void)unlink(sink.file);
	int old = sink.fd;
	if (open_file() == 0)
		fd_close(old);
	else
		sink.size = 0; /* not again at the very next line */
}

static void emit(enum log_level level, const char *text)
{
	auto_buf struct buf line = BUF_INIT, safe = BUF_INIT;
	char when[CLOCK_RFC3339_SIZE];

	clock_format_rfc3339(clock_wall_ns(), when);
	pthread_mutex_lock(&sink.lock);
	if (sink.opt.json) {
		/* JSON leaves C1 and bidi characters as they are. */
		escape_line(&safe, text, strlen(text));
		buf_addf(&line, "{\"time\":\"%s\",\"level\":\"%s\",\"msg\":",
			 when, level_names[level]);
		json_add_string(&line, buf_str(&safe), safe.len);
		buf_addstr(&line, "}\n");
	} else {
		buf_addf(&line, "%s %-5s ", when, level_names[level]);
		escape_line(&line, text, strlen(text));
		buf_addch(&line, '\n');
	}
	if (sink.file && sink.opt.max_size &&
	    sink.size + line.len > sink.opt.max_size)
		rotate();
	if (write(sink.fd, line.data, line.len) > 0)
		sink.size += line.len;
	pthread_mutex_unlock(&sink.lock);
}

void log_at(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	if (level < sink.opt.level)
		return;
	va_start(ap, fmt);
	auto_free char *text = xvasprintf(fmt, ap);
	va_end(ap);
	emit(level, text);
}

void log_at_e(enum log_level level, const struct svm_err *e, const char *fmt,
	      ...)
{
	va_list ap;

	if (level < sink.opt.level)
		return;
	va_start(ap, fmt);
	auto_free char *what = xvasprintf(fmt, ap);
	va_end(ap);
	auto_free char *text = xasprintf("%s: %s", what,
					 e->msg ? e->msg : "no error");
	emit(level, text);
}

bool log_limited(struct log_limit *limit, unsigned burst)
{
	int64_t now = clock_mono_ns();

	if (now - limit->window_ns > INT64_C(60000000000)) {
		if (limit->seen > burst)
			log_warn("%u similar messages were not logged",
				 limit->seen - burst);
		limit->window_ns = now;
		limit->seen = 0;
	}
	return ++limit->seen <= burst;
}
