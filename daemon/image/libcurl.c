/* SPDX-License-Identifier: MIT */
/* libcurl behind dlopen.  See libcurl.h. */
#include "daemon/image/libcurl.h"

#include <dlfcn.h>
#include <string.h>

struct libcurl lc;

static int find(void *lib, const char *name, void *slot, struct svm_err *err)
{
	void *p = dlsym(lib, name);

	if (!p)
		return svm_err_set(err, SVM_UNAVAILABLE,
				   "libcurl.so.4 has no '%s'", name);
	memcpy(slot, &p, sizeof(p));
	return 0;
}

int libcurl_load(struct svm_err *err)
{
	void *lib = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);

	if (!lib) {
		svm_err_set(err, SVM_UNAVAILABLE,
			    "can't load the network library: %s", dlerror());
		return svm_err_hint(err, "apt install libcurl4");
	}
#define LIBCURL_FIND(name) \
	if (find(lib, #name, &lc.name, err) < 0) return -1;
	LIBCURL_FUNCTIONS(LIBCURL_FIND)
#undef LIBCURL_FIND
	if (lc.curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return svm_err_set(err, SVM_INTERNAL, "libcurl does not start");
	return 0;
}
