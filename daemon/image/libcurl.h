/* SPDX-License-Identifier: MIT */
/*
 * libcurl, loaded when the pull worker starts.  Not linked: it would cost
 * every command-line call 6 ms.
 */
#ifndef SVM_DAEMON_IMAGE_LIBCURL_H
#define SVM_DAEMON_IMAGE_LIBCURL_H

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#include "lib/base/err.h"

#define LIBCURL_FUNCTIONS(X)      \
	X(curl_global_init)       \
	X(curl_easy_init)         \
	X(curl_easy_cleanup)      \
	X(curl_easy_setopt)       \
	X(curl_easy_getinfo)      \
	X(curl_easy_perform)      \
	X(curl_easy_strerror)     \
	X(curl_multi_init)        \
	X(curl_multi_cleanup)     \
	X(curl_multi_add_handle)  \
	X(curl_multi_remove_handle) \
	X(curl_multi_perform)     \
	X(curl_multi_poll)        \
	X(curl_multi_info_read)   \
	X(curl_slist_append)      \
	X(curl_slist_free_all)    \
	X(curl_url)               \
	X(curl_url_cleanup)       \
	X(curl_url_set)           \
	X(curl_url_get)           \
	X(curl_free)

struct libcurl {
#define LIBCURL_MEMBER(name) __typeof__(&name) name;
	LIBCURL_FUNCTIONS(LIBCURL_MEMBER)
#undef LIBCURL_MEMBER
};

/* The table, filled by libcurl_load(). */
extern struct libcurl lc;

/* UNAVAILABLE with the package to install. */
int libcurl_load(struct svm_err *err);

#endif
