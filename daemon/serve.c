/* SPDX-License-Identifier: MIT */
/* The daemon's main: puts the rooms together, runs the loop, takes leave. */
#include "daemon/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/admission.h"
#include "daemon/adopt.h"
#include "daemon/audit.h"
#include "daemon/auth.h"
#include "daemon/conditions.h"
#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/events.h"
#include "daemon/failure-events.h"
#include "daemon/http/http.h"
#include "daemon/image/image.h"
#include "daemon/instance.h"
#include "daemon/listen.h"
#include "daemon/metrics.h"
#include "daemon/preview.h"
#include "daemon/quota.h"
#include "daemon/registry.h"
#include "daemon/reload.h"
#include "daemon/routes.h"
#include "daemon/runtimes.h"
#include "daemon/sandbox.h"
#include "daemon/sandbox-log.h"
#include "daemon/store.h"
#include "daemon/templates.h"
#include "daemon/trim.h"
#include "daemon/warm.h"
#include "lib/api/errmap.h"
#include "lib/api/nofile.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "lib/base/proc.h"

#define WORKERS 4
#define IDLE_CHECK SECONDS(5)

extern char **environ;

struct serve {
	struct daemon d;
	const char *config_file;
	char *flags[64]; /* --set KEY=VALUE */
	size_t nflags;
	bool detached, logs_to_file;
	int ready_fd;
	int lock_fd;
	struct loop_timer *idle;
	int64_t idle_since; /* boot ns; 0: busy */
	bool renew;         /* the loop's thread */
};

static int parse_options(struct serve *s, int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "set", required_argument, NULL, 's' },
		{ "ready-fd", required_argument, NULL, 'r' },
		{ "detached", no_argument, NULL, 'd' },
		{ 0 },
	};
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'c')
			s->config_file = optarg;
		else if (c == 's' && s->nflags + 1 < ARRAY_SIZE(s->flags))
			s->flags[s->nflags++] = optarg;
		else if (c == 'r')
			s->ready_fd = (int)strtol(optarg, NULL, 10);
		else if (c == 'd')
			s->detached = true;
		else
			return -1;
	}
	return optind == argc ? 0 : -1;
}

static struct config_source sources(struct serve *s)
{
	return (struct config_source){
		.dir = s->d.dirs.config,
		.cwd_file = s->detached ? NULL : "./stacyvm.yaml",
		.file = s->config_file,
		.env = environ,
		.flags = s->flags,
	};
}

static int load_config(struct serve *s, struct svm_err *err)
{
	const struct config_source src = sources(s);

	return config_load(&src, &s->d.config, err);
}

/* Quiet: what can be had again from the disk is given up, and threads are. */

static void renew(void *data)
{
	struct serve *s = data;

	/* The worker of a pull would end with the thread that started it. */
	if (s->d.stopping || image_store_busy(s->d.images))
		return;
	s->renew = true;
	loop_stop(s->d.loop);
}

static void flush_logs(struct daemon *d)
{
	for (struct sandbox *x = NULL; (x = sandbox_next(d, x));)
		if (x->log)
			sandbox_log_flush(x->log);
}

static void on_quiet(void *data)
{
	struct serve *s = data;
	struct daemon *d = &s->d;

	flush_logs(d);
	events_forget(d->events);
	work_pool_rest(d->workers);
	if (!store_forget(d->store, renew, s))
		renew(s);
}

/* Everything that can fail before the loop runs, in order. */
static int start(struct serve *s, struct svm_err *err)
{
	struct daemon *d = &s->d;

	dirs_init(&d->dirs);
	if (nofile_check(err) < 0 || dirs_make(&d->dirs, err) < 0 ||
	    load_config(s, err) < 0 ||
	    reload_log(d, s->detached, err) < 0)
		return -1;
	s->logs_to_file = s->detached || (d->config->logging_file &&
					  *d->config->logging_file);
	s->lock_fd = instance_lock(d->dirs.state, err);
	if (s->lock_fd < 0 ||
	    instance_id(d->dirs.state, d->instance_id, err) < 0)
		return -1;
	d->auth = auth_new(d->config);
	const char *db = d->config->database_path;
	auto_free char *path = db && *db ? xstrdup(db) :
					   path_join(d->dirs.state, "db");
	if (store_open(path, d->loop, &d->store, err) < 0)
		return -1;
	if (quotas_load(d->store, &d->quotas, err) < 0)
		return -1;
	d->workers = work_pool_new(d->loop, WORKERS, "worker");
	d->events = events_new(d);
	d->audit = audit_new(d);
	d->metrics = metrics_new();
	d->trim = trim_new(d->loop, on_quiet, s);
	d->images = image_store_new(d, err);
	if (!d->images)
		return -1;
	if (runtimes_open(d, err) < 0)
		return -1;
	d->registry = registry_new();
	list_init(&d->relays);
	list_init(&d->raws);
	d->admission = admission_new(d);
	d->warm = warm_new(d);
	if (templates_open(d, err) < 0 || adopt_all(d, err) < 0)
		return -1;
	warm_wake(d);
	return 0;
}

/* The end of every request. */
static void observe(const struct http_req *r, void *app)
{
	struct daemon *d = app;

	metrics_observe(d->metrics, r);
	trim_note(d->trim);
	audit_observe(r, d);
	failure_events_observe(r, d);
}

static int authorize(struct http_req *r, const struct http_route *route,
		     void *app, struct svm_err *err)
{
	if (auth_authorize(r, route, app, err) < 0)
		return -1;
	return conditions_check(r, route, err);
}

static void serve_http(struct daemon *d)
{
	struct http_options o = {
		.routes = daemon_routes,
		.app = d,
		.authorize = authorize,
		.foreign_host = preview_take,
		.observe = observe,
		.allowed_hosts = d->config->server_allowed_hosts,
		.cors_origins = d->config->server_cors_allowed_origins,
		.allow_any_peer = auth_on(d->auth) ||
				  d->config->server_allow_unauthenticated,
	};

	d->http = http_server_new(d->loop, &o);
}

/* Leaving. */

static void http_stopped(void *data)
{
	struct serve *s = data;

	s->renew = false;
	loop_stop(s->d.loop);
}

static void stop(struct serve *s, const char *why)
{
	struct daemon *d = &s->d;

	if (d->stopping)
		_exit(EXIT_STATUS_INTERRUPTED); /* asked twice */
	log_info("stopping: %s; %zu sandboxes live on", why,
		 sandbox_count(d));
	d->stopping = true;
	listen_unlink(d);
	preview_end_streams(d);
	preview_close_all(d);
	admission_close(d);
	events_close_all(d->events);
	image_store_stop(d->images);
	http_server_shutdown(d->http, http_stopped, s);
}

static void on_stop_signal(struct loop *l, void *data,
			   const struct signalfd_siginfo *info)
{
	(void)l;
	stop(data, info->ssi_signo == SIGINT ? "SIGINT" : "SIGTERM");
}

static void on_hangup(struct loop *l, void *data,
		      const struct signalfd_siginfo *info)
{
	struct serve *s = data;
	const struct config_source src = sources(s);

	(void)l;
	(void)info;
	if (s->d.http && !s->d.stopping)
		reload_config(&s->d, &src, s->detached);
}

/* An auto-started daemon leaves when it has had nothing to do for a while. */
static void on_idle_check(struct loop *l, void *data)
{
	struct serve *s = data;
	struct http_counts counts;
	int64_t now = loop_now_ns(l);

	http_server_counts(s->d.http, &counts);
	if (sandbox_count(&s->d) || counts.connections ||
	    image_store_busy(s->d.images))
		s->idle_since = 0;
	else if (!s->idle_since)
		s->idle_since = now;
	else if (now - s->idle_since >= s->d.config->daemon_idle_exit &&
		 !s->d.stopping)
		stop(s, "idle");
	loop_timer_after(s->idle, MIN(IDLE_CHECK,
				      s->d.config->daemon_idle_exit));
}

/* Let every step that began come to its end: a sandbox that is being created
 * or destroyed.  What takes too long is found again at the next start. */
static bool settle(struct daemon *d)
{
	int64_t until = clock_boot_ns() + LIMIT_TIME_SHUTDOWN;

	while (d->steps && clock_boot_ns() < until)
		loop_turn(d->loop, 100);
	if (!d->steps)
		return true;
	log_warn("%u steps are not done; the next start cleans up", d->steps);
	return false;
}

/* Give back what start() took, also when it came halfway only. */
static void release(struct serve *s)
{
	struct daemon *d = &s->d;

	/* A time to live that ends from here on is the next daemon's: there is
	 * nobody left to do the work. */
	if (d->registry)
		registry_quiet(d->registry);
	loop_timer_free(s->idle);
	work_pool_free(d->workers);
	loop_run_posts(d->loop); /* what the pool had in hand */
	if (d->http)
		http_server_free(d->http);
	d->http = NULL;
	audit_free(d->audit);
	store_close(d->store);
	loop_run_posts(d->loop); /* and the store */
	admission_free(d->admission);
	d->admission = NULL;
	warm_free(d->warm);
	d->warm = NULL;
	registry_free(d->registry);
	templates_free(d->templates);
	runtimes_close(d);
	image_store_free(d->images);
	if (d->events)
		events_free(d->events);
	metrics_free(d->metrics);
	trim_free(d->trim);
	auth_free(d->auth);
	quotas_free(d->quotas);
	config_free(d->config);
	dirs_release(&d->dirs);
	free(d->preview_domain);
	free(d->tcp_problem);
	free(d->socket_link);
	fd_close(s->lock_fd);
	log_close();
	loop_free(d->loop);
}

/* Standard error is for whoever starts it: a person, or, when that is a log
 * on a full disk, autostart.c, which looks for the mark here and there.  Then
 * the log, unless that is standard error too. */
static int fail(struct serve *s, const struct svm_err *err)
{
	auto_buf struct buf text = BUF_INIT;

	buf_addf(&text, "stacyvm: %s\n", err->msg);
	if (err->hint)
		buf_addf(&text, "  %s\n", err->hint);
	fputs(buf_str(&text), stderr);
	if (s->ready_fd >= 0)
		(void)!write(s->ready_fd, text.data, MIN(text.len, PIPE_BUF));
	if (s->logs_to_file)
		log_error("the daemon can't start: %s", err->msg);
	if (s->d.loop)
		release(s);
	return errmap_exit_status(err->code);
}

/* Serving. */

static void *turn(void *data)
{
	struct serve *s = data;

	loop_run(s->d.loop);
	return NULL;
}

/* What malloc keeps for a thread (up to 7 pieces of each of 64 sizes, strewn
 * over as many pages) it gives back when the thread ends, and no sooner: the
 * loop runs on one that is renewed when it is quiet. */
static void serve(struct serve *s)
{
	pthread_t thread;

	do {
		s->renew = false;
		if (pthread_create(&thread, NULL, turn, s) == 0)
			(void)pthread_join(thread, NULL);
		else
			(void)turn(s); /* not now */
		trim_now();
	} while (s->renew);
}

/* In one write: whoever waits reads once. */
static void tell_ready(struct serve *s)
{
	auto_buf struct buf text = BUF_INIT;

	buf_addch(&text, '\0');
	if (s->d.tcp_problem)
		buf_addstr(&text, s->d.tcp_problem);
	(void)!write(s->ready_fd, text.data, MIN(text.len, PIPE_BUF));
	close(s->ready_fd);
}

static int run(struct serve *s)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct daemon *d = &s->d;

	d->loop = loop_new();
	if (!d->loop) {
		svm_err_sys(&err, SVM_UNAVAILABLE, errno, "no event loop");
		return fail(s, &err);
	}
	(void)loop_signal_add(d->loop, SIGTERM, on_stop_signal, s);
	(void)loop_signal_add(d->loop, SIGINT, on_stop_signal, s);
	(void)loop_signal_add(d->loop, SIGHUP, on_hangup, s);
	d->started_boot_ns = clock_boot_ns();
	if (start(s, &err) < 0)
		return fail(s, &err);
	serve_http(d);
	if (listen_open(d, &err) < 0)
		return fail(s, &err);
	log_info("ready pid=%ld version=%s socket=%s port=%d in %lld ms",
		 (long)getpid(), SVM_VERSION, d->dirs.socket, d->tcp_port,
		 (long long)(clock_boot_ns() - d->started_boot_ns) / 1000000);
	if (s->ready_fd >= 0)
		tell_ready(s);
	if (s->detached && d->config->daemon_idle_exit) {
		s->idle = loop_timer_new(d->loop, on_idle_check, s);
		on_idle_check(d->loop, s);
	}
	serve(s);
	if (settle(d)) {
		log_info("stopped");
		release(s);
		return EXIT_STATUS_OK;
	}
	store_close(d->store);
	log_close();
	_exit(EXIT_STATUS_OK); /* a worker hangs: there is no waiting for it */
}

int daemon_main(int argc, char **argv)
{
	struct serve *s = xcalloc(1, sizeof(*s));

	s->ready_fd = -1;
	s->lock_fd = -1;
	if (parse_options(s, argc, argv) < 0) {
		fprintf(stderr, "usage: stacyvm serve [--config FILE] "
				"[--set KEY=VALUE]...\n");
		return EXIT_STATUS_USAGE;
	}
	if (s->ready_fd >= 0)
		(void)fd_set_cloexec(s->ready_fd, true);
	(void)fd_sanitise_std();
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN); /* a log that doesn't fit is lost */
	umask(077);
	proc_raise_nofile();
	trim_init();
	int status = run(s);
	free(s);
	return status;
}
