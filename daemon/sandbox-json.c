/* SPDX-License-Identifier: MIT */
/* A sandbox as clients see it: the object of API.md 3.  See sandbox.h. */
#include "daemon/daemon.h"
#include "daemon/sandbox.h"
#include "daemon/store.h"
#include "lib/base/clock.h"
#include "lib/base/json.h"

static void timings_json(const struct sandbox *s, struct json_writer *w)
{
	const struct provider_timings *t = &s->box.timings;

	json_open(w, "timings", '{');
	json_double(w, "row_ms", (double)s->row_ns / 1e6);
	json_double(w, "clone_ms", (double)t->clone / 1e6);
	json_double(w, "mounts_ms", (double)t->mounts / 1e6);
	json_double(w, "agent_ms", (double)t->agent / 1e6);
	json_double(w, "total_ms", (double)s->spawn_ns / 1e6);
	json_close(w, '}');
}

static void add_time(struct json_writer *w, const char *key, int64_t wall_ns)
{
	char when[CLOCK_RFC3339_SIZE];

	clock_format_rfc3339(wall_ns, when);
	json_str(w, key, when);
}

/* What both the living and the dead have; the owner and the name of a row
 * count even when its spec can't be read. */
static void object_json(struct json_writer *w, const char *id,
			const char *state, const char *provider,
			const struct sandbox_spec *spec, const char *name,
			const char *owner)
{
	static const char *const networks[] = {
		[SPEC_NETWORK_NONE] = "none",
		[SPEC_NETWORK_BRIDGE] = "bridge",
		[SPEC_NETWORK_ALLOW] = "allow",
	};

	json_str(w, "id", id);
	json_str(w, "state", state);
	json_str(w, "provider", provider);
	json_str(w, "image", spec->image);
	json_int(w, "memory_mb", spec->memory_mb);
	json_int(w, "vcpus", spec->vcpus);
	json_int(w, "disk_mb", spec->disk_mb);
	json_int(w, "pids", spec->pids);
	if (name)
		json_str(w, "name", name);
	json_strmap(w, "metadata", spec->metadata);
	if (owner)
		json_str(w, "owner_id", owner);
	if (spec->template)
		json_str(w, "template", spec->template);
	json_str(w, "network", spec->network < ARRAY_SIZE(networks) ?
				       networks[spec->network] : "none");
}

static void times_json(struct json_writer *w, int64_t created, int64_t expires)
{
	add_time(w, "created_at", created);
	if (expires)
		add_time(w, "expires_at", expires);
}

void sandbox_json(const struct sandbox *s, struct json_writer *w, bool timings)
{
	json_open(w, NULL, '{');
	object_json(w, s->id, sandbox_state_name(s->state), s->provider_name,
		    &s->spec, s->spec.name, s->spec.owner);
	times_json(w, s->created_ns, s->expires_ns);
	if (s->daemon->preview_domain)
		json_str(w, "preview_domain", s->daemon->preview_domain);
	json_raw(w, "posture", s->box.posture ? s->box.posture : "{}");
	if (s->reason)
		json_str(w, "reason", s->reason);
	if (timings)
		timings_json(s, w);
	json_close(w, '}');
}

void sandbox_tombstone_json(const struct store_sandbox *row,
			    const struct sandbox_spec *spec,
			    struct json_writer *w)
{
	json_open(w, NULL, '{');
	object_json(w, row->id, row->state, row->provider, spec, row->name,
		    row->owner);
	times_json(w, row->created_ns, row->expires_ns);
	json_raw(w, "posture", "{}");
	if (row->reason)
		json_str(w, "reason", row->reason);
	json_close(w, '}');
}
