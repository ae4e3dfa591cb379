/* SPDX-License-Identifier: MIT */
/* Every route, once.  Handlers are in api-*.c, preview.c and image/. */
#include "daemon/routes.h"

#include "daemon/api.h"
#include "daemon/http/http.h"
#include "daemon/image/image.h"
#include "daemon/preview.h"
#include "lib/api/limits.h"

#define V1 "/api/v1"
#define SB V1 "/sandboxes"
#define ID SB "/{id}"
#define SLOW (HTTP_SLOW | HTTP_GONE)

const struct http_route daemon_routes[] = {
	{ "GET", V1 "/health", 0, 0, api_health },
	{ "GET", V1 "/live", HTTP_NO_AUTH, 0, api_live },
	{ "GET", V1 "/ready", 0, 0, api_ready },
	{ "GET", V1 "/metrics", 0, 0, api_metrics },
	{ "GET", V1 "/metrics/prometheus", 0, 0, api_metrics_prometheus },
	{ "GET", V1 "/openapi.json", 0, 0, api_openapi },
	{ "GET", V1 "/config", 0, 0, api_config },
	{ "GET", V1 "/doctor", HTTP_SLOW, 0, api_doctor },
	{ "GET", V1 "/events", 0, 0, api_events },
	{ "GET", V1 "/audit", HTTP_ADMIN, 0, api_audit_list },
	{ "GET", V1 "/audit/verify", HTTP_SLOW | HTTP_ADMIN, 0, api_audit_verify },
	{ "GET", V1 "/providers", 0, 0, api_provider_list },
	{ "POST", V1 "/providers/test", HTTP_SLOW, 0, api_provider_test },
	{ "GET", V1 "/providers/{name}", 0, 0, api_provider_get },
	{ "GET", V1 "/pool/status", 0, 0, api_pool_status },
	{ "GET", V1 "/snapshots", 0, 0, api_snapshot_list },

	{ "GET", V1 "/images", 0, 0, api_images_list },
	{ "POST", V1 "/images/import", HTTP_STREAM_IN | SLOW, ~UINT64_C(0),
	  api_images_import },
	{ "POST", V1 "/images/pull", SLOW, 0, api_images_pull },
	{ "POST", V1 "/images/prune", HTTP_SLOW, 0, api_images_prune },
	{ "DELETE", V1 "/images/{ref}", HTTP_SLOW, 0, api_images_delete },

	{ "GET", V1 "/quotas", HTTP_ADMIN, 0, api_quota_list },
	{ "GET", V1 "/quotas/summary", HTTP_ADMIN, 0, api_quota_summary },
	{ "GET", V1 "/quotas/{owner}", HTTP_ADMIN, 0, api_quota_get },
	{ "PUT", V1 "/quotas/{owner}", HTTP_ADMIN, 0, api_quota_put },
	{ "DELETE", V1 "/quotas/{owner}", HTTP_ADMIN, 0, api_quota_delete },
	{ "GET", V1 "/quotas/{owner}/usage", HTTP_ADMIN, 0, api_quota_usage },

	{ "POST", SB, SLOW, 0, api_sandbox_create },
	{ "POST", SB "/admission", 0, 0, api_sandbox_admission },
	{ "GET", SB, 0, 0, api_sandbox_list },
	{ "DELETE", SB, 0, 0, api_sandbox_prune },
	{ "GET", ID, 0, 0, api_sandbox_get },
	{ "PATCH", ID, 0, 0, api_sandbox_update },
	{ "DELETE", ID, HTTP_SLOW, 0, api_sandbox_destroy },
	{ "POST", ID "/extend", 0, 0, api_sandbox_extend },
	{ "GET", ID "/stats", 0, 0, api_sandbox_stats },
	{ "GET", ID "/preview", 0, 0, api_preview },
	{ "GET", ID "/logs", 0, 0, api_sandbox_logs },

	{ "GET", V1 "/templates", 0, 0, api_template_list },
	{ "POST", V1 "/templates", 0, 0, api_template_create },
	{ "GET", V1 "/templates/{name}", 0, 0, api_template_get },
	{ "PUT", V1 "/templates/{name}", 0, 0, api_template_replace },
	{ "DELETE", V1 "/templates/{name}", 0, 0, api_template_delete },
	{ "POST", V1 "/templates/{name}/spawn", SLOW, 0, api_sandbox_create },

	{ "POST", ID "/exec", SLOW, LIMIT_HTTP_BODY_EXEC, api_exec },
	{ "GET", ID "/exec/ws", HTTP_WS, 0, api_exec_ws },
	{ "GET", ID "/sessions", 0, 0, api_session_list },
	{ "GET", ID "/sessions/{sid}", 0, 0, api_session_get },
	{ "DELETE", ID "/sessions/{sid}", HTTP_SLOW, 0, api_session_delete },
	{ "GET", ID "/sessions/{sid}/ws", HTTP_WS, 0, api_session_ws },
	{ "POST", ID "/sessions/{sid}/signal", 0, 0, api_session_signal },
	{ "POST", ID "/sessions/{sid}/resize", 0, 0, api_session_resize },

	{ "POST", ID "/files", HTTP_SLOW, LIMIT_HTTP_BODY_FILE,
	  api_file_write },
	{ "PUT", ID "/files", HTTP_STREAM_IN, ~UINT64_C(0), api_file_put },
	{ "GET", ID "/files", 0, 0, api_file_read },
	{ "DELETE", ID "/files", HTTP_SLOW, 0, api_file_delete },
	{ "GET", ID "/files/list", 0, 0, api_file_list },
	{ "POST", ID "/files/move", HTTP_SLOW, 0, api_file_move },
	{ "POST", ID "/files/chmod", 0, 0, api_file_chmod },
	{ "GET", ID "/files/stat", 0, 0, api_file_stat },
	{ "GET", ID "/files/glob", HTTP_SLOW, 0, api_file_glob },
	{ "GET", ID "/files/archive", 0, 0, api_archive_get },
	{ "PUT", ID "/files/archive", HTTP_STREAM_IN, ~UINT64_C(0),
	  api_archive_put },
	{ 0 },
};
