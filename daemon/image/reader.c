/* SPDX-License-Identifier: MIT */
/* Readers of archives.  See reader.h. */
#include "daemon/image/reader.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/fd.h"

struct archive *reader_new(unsigned flags, struct svm_err *err)
{
	struct archive *a = la.archive_read_new();

	if (!a) {
		svm_err_set(err, SVM_INTERNAL, "no memory for an archive");
		return NULL;
	}
	if (flags & READER_FILTERS) {
		la.archive_read_support_filter_gzip(a);
		la.archive_read_support_filter_xz(a);
		la.archive_read_support_filter_zstd(a);
	}
	la.archive_read_support_format_empty(a);
	if (flags & READER_RAW)
		la.archive_read_support_format_raw(a);
	else
		la.archive_read_support_format_tar(a);
	return a;
}

void reader_free(struct archive *a)
{
	if (a)
		la.archive_read_free(a);
}

int reader_error(struct archive *a, struct svm_err *err)
{
	const char *why = la.archive_error_string(a);

	svm_err_set(err, SVM_BAD_REQUEST, "not a whole tar archive: %s",
		    why ? why : "unknown format");
	return svm_err_hint(err, "give a tar file, plain or compressed with "
				 "gzip, zstd or xz: docker save, an OCI layout "
				 "or a root file system");
}

int reader_check_filters(struct archive *a, struct svm_err *err)
{
	if (la.archive_filter_count(a) <= 2)
		return 0;
	return svm_err_set(err, SVM_BAD_REQUEST,
			   "the archive is compressed more than once");
}

la_ssize_t reader_file_read(struct archive *a, void *file, const void **p)
{
	struct reader_file *f = file;
	ssize_t n = fd_read_full(f->fd, f->block, sizeof(f->block));

	if (n < 0)
		la.archive_set_error(a, (int)-n, "%s", strerror((int)-n));
	*p = f->block;
	return n < 0 ? -1 : n;
}

int reader_open_tar(struct reader_file *f, struct archive **ret,
		    struct svm_err *err)
{
	if (lseek(f->fd, 0, SEEK_SET) < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno,
				   "can't rewind the archive");
	*ret = reader_new(READER_FILTERS, err);
	if (!*ret)
		return -1;
	if (la.archive_read_open(*ret, f, NULL, reader_file_read, NULL) !=
	    ARCHIVE_OK)
		return reader_error(*ret, err);
	return 0;
}
