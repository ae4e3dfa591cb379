/* SPDX-License-Identifier: MIT */
/* What real programs wrote to a terminal, as tests/screen recorded it. */
#ifndef SVM_TESTS_STREAMS_H
#define SVM_TESTS_STREAMS_H

#include <dirent.h>

#include "lib/base/buf.h"
#include "lib/base/fd.h"
#include "tests/unit/unit.h"

static inline void each_stream(void (*fn)(const char *name,
					  const struct buf *stream))
{
	DIR *dir = opendir("tests/screen/streams");
	unsigned seen = 0;
	struct dirent *d;

	assert_non_null(dir);
	while ((d = readdir(dir))) {
		auto_buf struct buf stream = BUF_INIT;

		if (d->d_name[0] == '.')
			continue;
		assert_int_equal(fd_slurp_path(dirfd(dir), d->d_name, 1 << 20,
					       &stream), 0);
		fn(d->d_name, &stream);
		seen++;
	}
	closedir(dir);
	assert_true(seen >= 6);
}

#endif
