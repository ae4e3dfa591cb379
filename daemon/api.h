/* SPDX-License-Identifier: MIT */
/* Handlers of the REST routes; routes.c holds the table. */
#ifndef SVM_DAEMON_API_H
#define SVM_DAEMON_API_H

struct http_req;

/* api-sandboxes.c */
void api_sandbox_create(struct http_req *r, void *app); /* and templates */
void api_sandbox_admission(struct http_req *r, void *app);
void api_sandbox_list(struct http_req *r, void *app);
void api_sandbox_prune(struct http_req *r, void *app);
void api_sandbox_get(struct http_req *r, void *app);
void api_sandbox_destroy(struct http_req *r, void *app);
void api_sandbox_extend(struct http_req *r, void *app);
void api_sandbox_update(struct http_req *r, void *app);
void api_sandbox_stats(struct http_req *r, void *app);
void api_sandbox_logs(struct http_req *r, void *app);

/* api-templates.c */
void api_template_list(struct http_req *r, void *app);
void api_template_create(struct http_req *r, void *app);
void api_template_get(struct http_req *r, void *app);
void api_template_replace(struct http_req *r, void *app);
void api_template_delete(struct http_req *r, void *app);

/* api-exec.c, api-sessions.c */
void api_exec(struct http_req *r, void *app);
void api_exec_ws(struct http_req *r, void *app);
void api_session_list(struct http_req *r, void *app);
void api_session_get(struct http_req *r, void *app);
void api_session_ws(struct http_req *r, void *app);
void api_session_signal(struct http_req *r, void *app);
void api_session_resize(struct http_req *r, void *app);
void api_session_delete(struct http_req *r, void *app);

/* api-events.c: SSE with replay (?since=, Last-Event-ID; ?follow=false ends
 * after it), ?type=, ?sandbox_id=. */
void api_events(struct http_req *r, void *app);

/* api-file*.c, api-archive.c */
void api_file_write(struct http_req *r, void *app);  /* POST, JSON */
void api_file_put(struct http_req *r, void *app);    /* PUT, raw */
void api_file_read(struct http_req *r, void *app);
void api_file_delete(struct http_req *r, void *app);
void api_file_list(struct http_req *r, void *app);
void api_file_move(struct http_req *r, void *app);
void api_file_chmod(struct http_req *r, void *app);
void api_file_stat(struct http_req *r, void *app);
void api_file_glob(struct http_req *r, void *app);
void api_archive_get(struct http_req *r, void *app);
void api_archive_put(struct http_req *r, void *app);

/* openapi.c */
void api_openapi(struct http_req *r, void *app);

/* api-audit.c */
void api_audit_list(struct http_req *r, void *app);
void api_audit_verify(struct http_req *r, void *app);

/* api-quotas.c */
void api_quota_list(struct http_req *r, void *app);
void api_quota_summary(struct http_req *r, void *app);
void api_quota_get(struct http_req *r, void *app);
void api_quota_put(struct http_req *r, void *app);
void api_quota_delete(struct http_req *r, void *app);
void api_quota_usage(struct http_req *r, void *app);

/* api-system.c */
void api_health(struct http_req *r, void *app);
void api_live(struct http_req *r, void *app);
void api_ready(struct http_req *r, void *app);
void api_provider_list(struct http_req *r, void *app);
void api_provider_get(struct http_req *r, void *app);
void api_provider_test(struct http_req *r, void *app);
void api_pool_status(struct http_req *r, void *app);
void api_snapshot_list(struct http_req *r, void *app);
void api_metrics(struct http_req *r, void *app);
void api_metrics_prometheus(struct http_req *r, void *app);
void api_config(struct http_req *r, void *app);
void api_doctor(struct http_req *r, void *app);

#endif
