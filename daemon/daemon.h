/* SPDX-License-Identifier: MIT */
/*
 * What the rooms of the daemon share.  serve.c makes it; everything in it
 * belongs to the loop's thread.
 */
#ifndef SVM_DAEMON_DAEMON_H
#define SVM_DAEMON_DAEMON_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/api/dirs.h"
#include "lib/base/list.h"
#include "lib/base/loop.h"
#include "lib/base/work.h"

struct audit;
struct admission;
struct auth;
struct config;
struct events;
struct http_server;
struct image_store;
struct metrics;
struct provider_host;
struct quotas;
struct registry;
struct runtimes;
struct store;
struct templates;
struct trim;
struct warm;

struct daemon {
	struct loop *loop;
	struct work_pool *workers; /* blocking work */
	struct dirs dirs;
	char instance_id[17];
	struct config *config;
	struct store *store;
	struct events *events;     /* events.h */
	struct audit *audit;       /* audit.h */
	struct metrics *metrics;   /* metrics.h */
	struct runtimes *runtimes; /* runtimes.h: opened providers, probes */
	struct registry *registry; /* sandbox.h */
	struct image_store *images; /* image/image.h */
	struct templates *templates; /* templates.h */
	struct warm *warm;         /* warm.h */
	struct auth *auth;         /* auth.h */
	struct quotas *quotas;     /* quota.h */
	struct admission *admission; /* admission.h */
	struct trim *trim;         /* trim.h */
	struct http_server *http;
	struct list sockets;       /* exec-socket.c, made on first use */
	int64_t started_boot_ns;
	bool stopping;
	unsigned steps;            /* of life cycles, on their way */
	bool socket_inherited; /* from the service manager: it stays */
	int tcp_port;          /* 0: none */
	char *preview_domain;  /* owned; NULL without TCP */
	unsigned previews;     /* requests to ports, and joined connections */
	struct list relays;    /* preview-relay.c */
	struct list raws;      /* preview-raw.c */
	int64_t tunnel_idle;   /* of those, ns; 0: limits.h.  For tests */
	char *socket_link;     /* to a server.socket elsewhere, or NULL */
	char *tcp_problem;     /* why there is no TCP though it was asked for */
};

#endif
