/* SPDX-License-Identifier: MIT */
/*
 * libarchive, loaded when the unpack worker starts.  Not linked: its own
 * dependencies (libxml2, ICU) would cost every command-line call 10 ms.
 */
#ifndef SVM_DAEMON_IMAGE_LIBARCHIVE_H
#define SVM_DAEMON_IMAGE_LIBARCHIVE_H

#include <archive.h>
#include <archive_entry.h>

#include "lib/base/err.h"

#define LIBARCHIVE_FUNCTIONS(X)             \
	X(archive_read_new)                 \
	X(archive_read_free)                \
	X(archive_read_support_filter_gzip) \
	X(archive_read_support_filter_xz)   \
	X(archive_read_support_filter_zstd) \
	X(archive_read_support_format_empty) \
	X(archive_read_support_format_raw)  \
	X(archive_read_support_format_tar)  \
	X(archive_read_open)                \
	X(archive_read_next_header)         \
	X(archive_read_data_block)          \
	X(archive_error_string)             \
	X(archive_set_error)                \
	X(archive_errno)                    \
	X(archive_filter_count)             \
	X(archive_filter_bytes)             \
	X(archive_entry_pathname)           \
	X(archive_entry_hardlink)           \
	X(archive_entry_symlink)            \
	X(archive_entry_filetype)           \
	X(archive_entry_perm)               \
	X(archive_entry_size)               \
	X(archive_entry_size_is_set)        \
	X(archive_entry_uid)                \
	X(archive_entry_gid)                \
	X(archive_entry_mtime)              \
	X(archive_entry_mtime_nsec)         \
	X(archive_entry_mtime_is_set)

struct libarchive {
#define LIBARCHIVE_MEMBER(name) __typeof__(&name) name;
	LIBARCHIVE_FUNCTIONS(LIBARCHIVE_MEMBER)
#undef LIBARCHIVE_MEMBER
};

/* The table, filled by libarchive_load(). */
extern struct libarchive la;

/* UNAVAILABLE with the package to install. */
int libarchive_load(struct svm_err *err);

#endif
