/* SPDX-License-Identifier: MIT */
/*
 * The daemon's end of the launcher: starts it when needed, one request at a
 * time.  A launcher that died fails the request it was working on and is
 * replaced by the next.
 */
#ifndef SVM_PROVIDERS_NATIVE_CLIENT_H
#define SVM_PROVIDERS_NATIVE_CLIENT_H

#include <pthread.h>

#include "lib/base/err.h"
#include "providers/native/ids.h"
#include "providers/native/launch.h"

struct launch_client {
	pthread_mutex_t lock;
	const char *self, *instance; /* program to exec; both borrowed */
	enum native_mode mode;
	const struct ids *ids;
	int sock;  /* -1: none */
	pid_t pid; /* our child */
	int pidfd;
};

void launch_client_init(struct launch_client *c, const char *self,
			const char *instance, enum native_mode mode,
			const struct ids *ids);
void launch_client_release(struct launch_client *c);

/* Start it if it does not run. */
int launch_client_start(struct launch_client *c, struct svm_err *err);

/* Send a CREATE with its descriptors; *ret_pidfd is owned by the caller. */
int launch_client_create(struct launch_client *c,
			 const struct launch_request *q, const int *fds,
			 size_t nfds, struct launch_reply *ret, int *ret_pidfd,
			 struct svm_err *err);

/* Have boxes/ID deleted by somebody who may. */
int launch_client_remove(struct launch_client *c, int boxes, const char *id,
			 struct svm_err *err);

#endif
