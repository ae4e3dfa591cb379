/* SPDX-License-Identifier: MIT */
/* How many files may be open.  See nofile.h. */
#include "lib/api/nofile.h"

#include "lib/api/limits.h"
#include "lib/base/proc.h"

int nofile_check(struct svm_err *err)
{
	if (proc_most_files() >= LIMIT_NOFILE_LEAST)
		return 0;
	svm_err_set(err, SVM_UNREACHABLE,
		    "the daemon needs %d open files, more than are allowed",
		    LIMIT_NOFILE_LEAST);
	return nofile_hint(err);
}

int nofile_hint(struct svm_err *err)
{
	return svm_err_hint(err, "%llu files may be open in one process "
				 "(ulimit -Hn): begin anew in a shell\n"
				 "that allows more, or as root:  prlimit "
				 "--pid $$ --nofile=1024",
			    (unsigned long long)proc_most_files());
}
