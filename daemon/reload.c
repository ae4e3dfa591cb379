/* SPDX-License-Identifier: MIT */
/* Reading the configuration again.  See reload.h. */
#include "daemon/reload.h"

#include <string.h>

#include "daemon/admission.h"
#include "daemon/audit.h"
#include "daemon/auth.h"
#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/http/http.h"
#include "daemon/store.h"
#include "daemon/warm.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"

/* Keys, and beginnings of keys, that are looked at each time they matter. */
static const char *const live[] = {
	"logging.", "defaults.", "rate_limit.", "audit.", "auth.api_key",
	"auth.admin_api_key", "auth.owner_isolation", "daemon.idle_exit",
	"server.allowed_hosts", "server.cors_allowed_origins",
	"providers.native.disk_mb", "providers.native.inodes",
	"providers.native.pids_limit", "ui.",
};

/* Whether authentication is on decides which peers are let in when they
 * connect, so it can't change under connections that are open. */
struct change {
	struct config *now, *fresh;
	bool auth_flips;
};

bool reload_is_live(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(live); i++)
		if (strncmp(key, live[i], strlen(live[i])) == 0)
			return true;
	return false;
}

static bool is_live(const struct change *c, enum config_id id)
{
	if (c->auth_flips && strncmp(config_key(id)->name, "auth.", 5) == 0)
		return false;
	return reload_is_live(config_key(id)->name);
}

/* Swapping twice changes nothing. */
static void swap(struct change *c, bool those_live)
{
	for (unsigned i = 0; i < CONFIG_ID_MAX; i++)
		if (is_live(c, (enum config_id)i) == those_live)
			config_swap(c->now, c->fresh, (enum config_id)i);
}

int reload_log(const struct daemon *d, bool detached, struct svm_err *err)
{
	const struct config *c = d->config;
	auto_free char *file = NULL;
	struct log_options o = {
		.level = LOG_LEVEL_INFO,
		.json = strcmp(c->logging_format, "json") == 0,
		.max_size = (uint64_t)c->logging_max_size,
		.keep = (unsigned)c->logging_keep,
	};

	(void)log_level_parse(c->logging_level, &o.level);
	if (c->logging_file && *c->logging_file)
		o.file = c->logging_file;
	else if (detached)
		o.file = file = path_join(d->dirs.state, "logs/daemon.log");
	return log_open(&o, err);
}

/* What others made of the configuration, made again. */
static void apply(struct daemon *d, bool keys_changed)
{
	struct auth *old = d->auth;

	d->auth = auth_new(d->config);
	auth_free(old);
	if (keys_changed)
		http_server_end_streams(d->http);
	http_server_set_hosts(d->http, d->config->server_allowed_hosts,
			      d->config->server_cors_allowed_origins);
	admission_wake(d); /* there may be room for more now */
	warm_wake(d);
}

/* "a b c" of the keys that differ and are (not) live. */
static void list_changes(const struct change *c, bool those_live,
			 struct buf *out)
{
	for (unsigned i = 0; i < CONFIG_ID_MAX; i++) {
		enum config_id id = (enum config_id)i;

		if (is_live(c, id) == those_live &&
		    !config_equal(c->now, c->fresh, id))
			buf_addf(out, "%s%s", out->len ? " " : "",
				 config_key(id)->name);
	}
}

/* 0 when the live part of c->fresh is in force; else all is as before. */
static int take_over(struct daemon *d, struct change *c, bool detached,
		     struct svm_err *err)
{
	auto_err struct svm_err ignored = SVM_ERR_INIT;

	/* What will be in force has to make sense together. */
	swap(c, false);
	int r = config_check(c->fresh, err);
	swap(c, false);
	if (r < 0)
		return -1;
	swap(c, true);
	if (reload_log(d, detached, err) < 0) {
		swap(c, true);
		(void)reload_log(d, detached, &ignored);
		return -1;
	}
	apply(d, !config_equal(c->now, c->fresh, CONFIG_ID_auth_api_key) ||
			 !config_equal(c->now, c->fresh,
				       CONFIG_ID_auth_admin_api_key));
	return 0;
}

static void record(struct daemon *d, const char *changes, const char *result)
{
	struct store_txn *t = store_begin(d->store);

	audit_add(t, NULL, NULL, "config.reload", changes, result);
	store_commit(t, NULL, NULL);
}

void reload_config(struct daemon *d, const struct config_source *src,
		   bool detached)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf changed = BUF_INIT, fixed = BUF_INIT;
	struct change c = { .now = d->config };

	if (config_load(src, &c.fresh, &err) == 0) {
		c.auth_flips = config_auth_on(c.now) != config_auth_on(c.fresh);
		list_changes(&c, true, &changed);
		list_changes(&c, false, &fixed);
		(void)take_over(d, &c, detached, &err);
	}
	if (err.code) {
		log_error_e(&err, "SIGHUP: the configuration is kept as it "
				  "was");
	} else {
		log_info("SIGHUP: changed: %s",
			 changed.len ? buf_str(&changed) : "nothing");
		if (fixed.len)
			log_warn("SIGHUP: these need a restart to change: %s",
				 buf_str(&fixed));
	}
	record(d, buf_str(&changed),
	       err.code ? svm_code_name(err.code) : "ok");
	config_free(c.fresh);
}
