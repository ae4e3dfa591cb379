/* SPDX-License-Identifier: MIT */
/*
 * The life of a sandbox.  See lifecycle.h.  Each step ends in a commit whose
 * callback takes the next; a sandbox is referenced while a step is out.
 */
#include <stdlib.h>
#include <sys/wait.h>

#include "daemon/daemon.h"
#include "daemon/lifecycle-internal.h"
#include "daemon/log-follow.h"
#include "daemon/sandbox-log.h"
#include "daemon/setup.h"
#include "daemon/trim.h"
#include "daemon/warm.h"
#include "lib/base/clock.h"
#include "lib/base/fault.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

static bool step(struct sandbox *s, enum life_event event)
{
	int next = life_next(s->state, event);

	if (next < 0)
		return false;
	log_debug("sandbox=%s %s: %s -> %s", s->id, life_event_name(event),
		  sandbox_state_name(s->state),
		  sandbox_state_name((enum sandbox_state)next));
	s->state = (enum sandbox_state)next;
	if (s->spec.warm)
		warm_wake(s->daemon);
	return true;
}

static char *reason_json(const char *reason)
{
	struct buf out = BUF_INIT;
	struct json_writer w = json_writer(&out);

	json_open(&w, NULL, '{');
	json_str(&w, "reason", reason);
	json_close(&w, '}');
	return buf_steal(&out);
}

static void set_reason(struct sandbox *s, const char *why)
{
	free(s->reason);
	s->reason = xstrdup(why);
}

/* Provider work on a worker. */

struct job {
	struct work work;
	struct sandbox *s;
	int result;
	struct svm_err err;
};

static struct job *job_new(struct sandbox *s, void (*run)(struct work *w),
			   void (*done)(struct work *w))
{
	struct job *j = xcalloc(1, sizeof(*j));

	s->busy = true;
	s->daemon->steps++;
	j->s = sandbox_ref(s);
	j->work.run = run;
	j->work.done = done;
	return j;
}

static void submit(struct sandbox *s, void (*run)(struct work *w),
		   void (*done)(struct work *w))
{
	work_submit(s->daemon->workers, &job_new(s, run, done)->work);
}

static void job_free(struct job *j)
{
	j->s->daemon->steps--;
	sandbox_unref(j->s);
	svm_err_release(&j->err);
	free(j);
}

/* Destroying. */

static void destroyed_stored(struct sandbox *s, const struct svm_err *err)
{
	/* A row that could not be written is found again and cleaned at the
	 * next start; the sandbox itself is gone, so the answer is yes. */
	(void)err;
	life_answer(s, &s->leavers, NULL);
}

static void run_destroy(struct work *w)
{
	struct job *j = container_of(w, struct job, work);

	j->result = provider_destroy(j->s->provider, &j->s->box, &j->err);
}

static void destroy_done(struct work *w)
{
	struct job *j = container_of(w, struct job, work);
	struct sandbox *s = j->s;

	s->busy = false;
	trim_note(s->daemon->trim);
	if (j->result < 0) {
		step(s, LIFE_REMOVE_FAILED);
		/* Everybody should see that. */
		free(steal_ptr(&s->spec.warm));
		list_remove(&s->warm_link);
		set_reason(s, j->err.msg);
		log_error_e(&j->err, "sandbox=%s can't be removed", s->id);
		auto_free char *data = reason_json(j->err.msg);
		life_commit(s, EVENT_SANDBOX_ERROR, data, NULL);
		life_answer(s, &s->leavers, &j->err);
		job_free(j);
		return;
	}
	step(s, LIFE_REMOVED);
	log_info("sandbox=%s destroyed%s%s", s->id, s->reason ? ": " : "",
		 s->reason ? s->reason : "");
	sandbox_ref(s);
	sandbox_unregister(s);
	auto_free char *data = s->reason ? reason_json(s->reason) : NULL;
	life_commit(s, EVENT_SANDBOX_DESTROYED, data, destroyed_stored);
	sandbox_unref(s);
	job_free(j);
}

/* The intent is stored (or the disk is full, which must not keep anything
 * alive): now take it away. */
static void destroying_stored(struct sandbox *s, const struct svm_err *err)
{
	(void)err;
	fault_point("destroy.row");
	submit(s, run_destroy, destroy_done);
}

static void stop_watching(struct sandbox *s)
{
	loop_fd_del(s->watch);
	s->watch = NULL;
	if (s->ttl)
		loop_timer_stop(s->ttl);
	if (s->leftovers)
		agent_conn_drop(s->leftovers);
	s->leftovers = NULL;
	log_followers_end(s);
	/* Its file lies in the directory that goes away. */
	sandbox_log_close(s->log);
	s->log = NULL;
}

static void destroyed_early(struct sandbox *s)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	svm_err_set(&err, SVM_CONFLICT,
		    "sandbox '%s' was destroyed while it was created", s->id);
	life_answer(s, &s->makers, &err);
}

static void stop_setup(struct sandbox *s)
{
	setup_cancel(s);
	s->busy = false;
	s->destroy_wanted = true;
	destroyed_early(s);
}

void life_destroy(struct sandbox *s, const char *why, struct life_waiter *w)
{
	bool already = s->state == SANDBOX_DESTROYING;

	if (w)
		list_append(&s->leavers, &w->link);
	if (why)
		set_reason(s, why);
	if (already)
		return;
	if (s->setup)
		stop_setup(s);
	if (s->busy) { /* being created: create() must come back first */
		s->destroy_wanted = true;
		return;
	}
	if (!step(s, LIFE_DESTROY))
		BUG("sandbox '%s' can't be destroyed in state %s", s->id,
		    sandbox_state_name(s->state));
	stop_watching(s);
	life_commit(s, EVENT_NONE, NULL, destroying_stored);
}

/* Time to live. */

static void on_ttl(struct loop *l, void *data)
{
	struct sandbox *s = data;

	(void)l;
	if (s->busy || !step(s, LIFE_EXPIRE)) {
		life_destroy(s, "its time to live is over", NULL);
		return;
	}
	life_commit(s, EVENT_SANDBOX_EXPIRED, NULL, NULL);
	life_destroy(s, "its time to live is over", NULL);
}

void life_arm_ttl(struct sandbox *s)
{
	if (!s->expires_boot_ns)
		return;
	if (!s->ttl)
		s->ttl = loop_timer_new(s->daemon->loop, on_ttl, s);
	loop_timer_at(s->ttl, s->expires_boot_ns);
}

/* The agent. */

static void on_agent_end(struct loop *l, void *data, unsigned events)
{
	struct sandbox *s = data;

	(void)l;
	(void)events;
	loop_fd_del(s->watch);
	s->watch = NULL;
	(void)waitpid(s->box.pid, NULL, WNOHANG); /* mock: it was our child */
	if (!step(s, LIFE_GONE))
		return;
	set_reason(s, "its first process (the agent) ended without being "
		      "asked to");
	log_warn("sandbox=%s %s", s->id, s->reason);
	auto_free char *reason = reason_json(s->reason);
	life_commit(s, EVENT_SANDBOX_ERROR, reason, NULL);
}

void life_resume(struct sandbox *s)
{
	if (s->box.pidfd >= 0 && !s->watch)
		s->watch = loop_fd_add(s->daemon->loop, s->box.pidfd,
				       LOOP_READ, on_agent_end, s);
	life_arm_ttl(s);
}

void life_heard(struct sandbox *s, bool answered)
{
	/* The usual case, before the table is asked. */
	if (answered == (s->state == SANDBOX_RUNNING))
		return;
	if (!step(s, answered ? LIFE_ANSWERED : LIFE_SILENT))
		return;
	set_reason(s, answered ? NULL : "its agent does not answer");
	log_warn("sandbox=%s %s", s->id,
		 answered ? "its agent answers again" : s->reason);
	life_commit(s, answered ? EVENT_SANDBOX_RUNNING : EVENT_SANDBOX_ERROR,
		    NULL, NULL);
}

/* Creating. */

static void running_stored(struct sandbox *s, const struct svm_err *err)
{
	if (err) {
		life_destroy(s, err->msg, NULL);
		life_answer(s, &s->makers, err);
		return;
	}
	s->spawn_ns = clock_boot_ns() - s->asked_ns;
	life_answer(s, &s->makers, NULL);
}

static void create_failed(struct sandbox *s, const struct svm_err *err)
{
	auto_free char *data = reason_json(err->msg);

	step(s, LIFE_FAILED);
	set_reason(s, err->msg);
	sandbox_ref(s);
	sandbox_unregister(s);
	life_commit(s, EVENT_SANDBOX_ERROR, data, NULL);
	life_answer(s, &s->makers, err);
	life_answer(s, &s->leavers, NULL);
	sandbox_unref(s);
}

static void run_create(struct work *w)
{
	struct job *j = container_of(w, struct job, work);
	auto_err struct svm_err ignored = SVM_ERR_INIT;

	j->result = provider_create(j->s->provider, &j->s->box, &j->s->spec,
				    &j->err);
	if (j->result < 0) /* give back what prepare() reserved */
		(void)provider_destroy(j->s->provider, &j->s->box, &ignored);
}

static void ready(struct sandbox *s)
{
	step(s, LIFE_READY);
	s->greeted = true; /* an agent of our own version, just started */
	life_resume(s);
	log_info("sandbox=%s running provider=%s image=%s%s", s->id,
		 s->provider_name, s->spec.image,
		 s->spec.warm ? " warm" : "");
	life_commit(s, EVENT_SANDBOX_RUNNING, NULL, running_stored);
}

/* A setup command failed: the box goes, then the answer tells why. */
static void run_undo(struct work *w)
{
	struct job *j = container_of(w, struct job, work);
	auto_err struct svm_err err = SVM_ERR_INIT;

	if (provider_destroy(j->s->provider, &j->s->box, &err) < 0)
		svm_err_prefix(&j->err, "(it could not be removed either: %s)",
			       err.msg);
}

static void undo_done(struct work *w)
{
	struct job *j = container_of(w, struct job, work);

	j->s->busy = false;
	create_failed(j->s, &j->err);
	job_free(j);
}

void life_setting_up(struct sandbox *s, size_t command)
{
	for (struct list *i = s->makers.next; i != &s->makers; i = i->next) {
		struct life_waiter *w = list_entry(i, struct life_waiter,
						   link);

		if (w->setup)
			w->setup(w, command);
	}
}

static void setup_done(struct sandbox *s, const struct svm_err *err)
{
	fault_point("setup.end");
	s->busy = false;
	if (!err) {
		ready(s);
		return;
	}
	log_warn_e(err, "sandbox=%s can't be set up", s->id);
	stop_watching(s);
	struct job *j = job_new(s, run_undo, undo_done);
	svm_err_set(&j->err, err->code, "%s", err->msg);
	if (err->hint)
		svm_err_hint(&j->err, "%s", err->hint);
	work_submit(s->daemon->workers, &j->work);
}

static void create_done(struct work *w)
{
	struct job *j = container_of(w, struct job, work);
	struct sandbox *s = j->s;

	s->busy = false;
	if (j->result < 0) {
		log_warn_e(&j->err, "sandbox=%s can't be created", s->id);
		create_failed(s, &j->err);
	} else if (s->destroy_wanted) {
		destroyed_early(s);
		life_destroy(s, NULL, NULL);
	} else if (s->spec.setup) {
		s->busy = true;
		setup_start(s, setup_done);
		fault_point("setup.begin");
	} else {
		ready(s);
	}
	job_free(j);
}

static void creating_stored(struct sandbox *s, const struct svm_err *err)
{
	s->busy = false;
	s->row_ns = clock_boot_ns() - s->asked_ns;
	fault_point("spawn.row");
	if (err || s->destroy_wanted) {
		auto_err struct svm_err gone = SVM_ERR_INIT, e2 = SVM_ERR_INIT;

		(void)provider_destroy(s->provider, &s->box, &e2);
		if (!err) {
			svm_err_set(&gone, SVM_CONFLICT, "sandbox '%s' was "
				    "destroyed while it was created", s->id);
			err = &gone;
		}
		create_failed(s, err);
		return;
	}
	submit(s, run_create, create_done);
}

void life_create(struct sandbox *s, struct life_waiter *w)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	list_append(&s->makers, &w->link);
	if (provider_prepare(s->provider, &s->box, &s->spec, &err) < 0) {
		create_failed(s, &err);
		return;
	}
	s->busy = true;
	life_commit(s, EVENT_SANDBOX_CREATED, NULL, creating_stored);
}
