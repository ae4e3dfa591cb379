/* SPDX-License-Identifier: MIT */
/* One daemon per state directory.  See instance.h. */
#include "daemon/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "lib/base/rand.h"

/* A lock of the process (fcntl(2)), not of the open file: what it has forked
 * a moment ago, a probe say, must not hold it when the process is killed. */
static int lock_whole(int fd)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_SETLK, &l);
}

int instance_lock(const char *state_dir, struct svm_err *err)
{
	auto_free char *path = path_join(state_dir, "lock");
	auto_close int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC |
				 O_NOFOLLOW, 0600);
	auto_buf struct buf holder = BUF_INIT;

	if (fd < 0)
		return svm_err_sys(err, SVM_UNAVAILABLE, errno,
				   "can't open '%s'", path);
	if (lock_whole(fd) < 0) {
		(void)fd_slurp(fd, 64, &holder);
		long pid = strtol(buf_str(&holder), NULL, 10);

		svm_err_set(err, SVM_CONFLICT,
			    "another daemon (pid %ld) uses the state "
			    "directory '%s'", pid, state_dir);
		return svm_err_hint(err, "stop it with: stacyvm daemon stop "
				    "(or, when that finds none: kill %ld), "
				    "or set STACYVM_STATE_DIR", pid);
	}
	char text[24];
	int n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)n, 0) != n)
		return svm_err_sys(err, SVM_UNAVAILABLE, errno,
				   "can't write '%s'", path);
	return steal_fd(&fd);
}

int instance_id(const char *state_dir, char out[17], struct svm_err *err)
{
	auto_free char *path = path_join(state_dir, "instance-id");
	auto_buf struct buf text = BUF_INIT;
	int r = fd_slurp_path(AT_FDCWD, path, 64, &text);

	if (r == 0 && text.len >= 16 &&
	    strspn(text.data, "0123456789abcdef") == 16) {
		memcpy(out, text.data, 16);
		out[16] = '\0';
		return 0;
	}
	if (r < 0 && r != -ENOENT)
		return svm_err_sys(err, SVM_UNAVAILABLE, r, "can't read '%s'",
				   path);
	rand_hex(out, 16);
	auto_free char *line = xasprintf("%s\n", out);
	r = fd_replace_path(AT_FDCWD, path, line, strlen(line), 0600);
	if (r < 0)
		return svm_err_sys(err, SVM_UNAVAILABLE, r, "can't write '%s'",
				   path);
	return 0;
}
