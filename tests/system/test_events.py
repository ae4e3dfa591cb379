# SPDX-License-Identifier: MIT
"""GET /events: every event once, in order, whoever comes when."""
import json
import re
import resource

import pytest

import svm
from svm import wait_for

API = "/api/v1"


class Stream:
    """A subscription; events are read as they arrive."""

    def __init__(self, inst, query="", headers=None):
        self.client = inst.client()
        self.client.begin("GET", f"{API}/events{query}", headers=headers)
        self.reply = self.client.head()
        assert self.reply.status == 200, self.reply
        assert self.reply.headers["content-type"] == "text/event-stream"
        assert self.reply.headers["cache-control"] == "no-cache"
        self.pieces = self.client.chunks(self.reply)
        self.text = b""

    def block(self):
        """The next block of lines, comments too."""
        while b"\n\n" not in self.text:
            self.text += next(self.pieces)
        block, self.text = self.text.split(b"\n\n", 1)
        return block.decode()

    def event(self):
        while (block := self.block()).startswith(":"):
            pass
        first, second = block.split("\n")
        assert first.startswith("id: ") and second.startswith("data: ")
        e = json.loads(second[6:])
        assert e["id"] == int(first[4:])
        assert set(e) == {"id", "type", "sandbox_id", "timestamp", "data"}
        return e

    def until(self, kind, sid):
        events = []
        while not events or (events[-1]["type"], events[-1]["sandbox_id"]) \
                != (kind, sid):
            events.append(self.event())
        return events

    def close(self):
        self.client.close()


def life(inst):
    """One sandbox's whole life; its id."""
    sid = inst.sandbox(provider="mock")["id"]
    assert inst.exec(sid, "true").json()["exit_code"] == 0
    inst.api("DELETE", f"/sandboxes/{sid}", check=200)
    return sid


def test_live_and_replayed_are_the_same(shared):
    live = Stream(shared)
    sid = life(shared)
    seen = live.until("sandbox.destroyed", sid)
    live.close()
    kinds = [e["type"] for e in seen]
    for kind in ("sandbox.created", "sandbox.running", "exec.started",
                 "exec.completed", "sandbox.destroyed"):
        assert kinds.count(kind) == 1, kinds
    ids = [e["id"] for e in seen]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    # From the cache and from the store: the same, whole.
    for query, headers in ((f"?since={ids[0] - 1}", None),
                           ("", {"Last-Event-ID": str(ids[0] - 1)}),
                           ("?since=0", {"Last-Event-ID": str(ids[0] - 1)})):
        again = Stream(shared, query, headers)
        assert again.until("sandbox.destroyed", sid) == seen
        again.close()
    one = Stream(shared, f"?since=0&sandbox_id={sid}&type=sandbox.running")
    assert one.event()["sandbox_id"] == sid
    one.close()


def test_replay_survives_kill(inst):
    inst.start()
    sid = life(inst)
    first = Stream(inst, "?since=0")
    seen = first.until("sandbox.destroyed", sid)
    first.close()
    inst.kill_daemon()
    inst.drop_client()
    inst.start()
    again = Stream(inst, "?since=0")
    assert again.until("sandbox.destroyed", sid) == seen
    # And goes on, with larger ids.
    other = life(inst)
    more = again.until("sandbox.destroyed", other)
    assert more[0]["id"] > seen[-1]["id"]
    again.close()


def test_silence_is_commented(shared):
    quiet = Stream(shared, "?type=quota.deleted")
    assert quiet.block().startswith(":")
    quiet.close()


def test_a_type_there_is_not_is_400(shared):
    r = shared.api("GET", "/events?type=sandbox.vanished&follow=false")
    assert r.status == 400 and r.json()["code"] == "BAD_REQUEST"
    assert "sandbox.vanished" in r.json()["message"]


@pytest.mark.parametrize("since", ["x", "-1", "1.5", "99999999999999999999",
                                   "%1b%5b31m"])
def test_bad_since_is_400(shared, since):
    r = shared.api("GET", f"/events?since={since}")
    assert r.status == 400 and r.json()["code"] == "BAD_REQUEST"


@pytest.mark.seconds(120)
def test_many_subscribers(shared):
    """Every one gets every event, and the daemon goes on answering."""
    streams = [Stream(shared) for _ in range(300)]
    sid = life(shared)
    want = streams[0].until("sandbox.destroyed", sid)
    for s in streams[1:]:
        assert s.until("sandbox.destroyed", sid) == want
    for s in streams:
        s.close()
    shared.api("GET", "/health", check=200)


@pytest.mark.parametrize("record", ("/events?since=0&follow=false",
                                    "/audit?format=jsonl"))
def test_what_was_seen_is_on_record(shared, record):
    """A caller who saw a command begin finds that in what is listed."""
    sid = shared.sandbox(provider="mock")["id"]
    began = re.compile(r"exec\.start.*" + sid + "|" + sid + r".*exec\.start")
    for n in range(1, 6):
        c = shared.client()
        c.begin("POST", f"{API}/sandboxes/{sid}/exec",
                {"command": "sleep 1000", "stream": True})
        assert c.head().status == 200
        text = shared.api("GET", record, check=200).text
        assert len(began.findall(text)) == n, text
        c.close()
    shared.api("DELETE", f"/sandboxes/{sid}", check=200)


def told(inst, since, kind, n=1):
    """Events of a kind with a larger id, once there are n: they may come
    after what they are about has been answered."""
    def found():
        text = inst.api("GET", f"/events?since={since}&follow=false"
                        f"&type={kind}", check=200).text
        events = [json.loads(x[6:]) for x in text.split("\n")
                  if x.startswith("data: ")]
        return len(events) >= n and events
    return wait_for(found, f"{n} events {kind}")


def newest(inst):
    text = inst.api("GET", "/events?since=0&follow=false").text
    return max([int(x[4:]) for x in text.split("\n")
                if x.startswith("id: ")], default=0)


def test_failures_are_events(shared):
    """Of the operation, of the runtime, and of a limit; each with what it was
    and whose, and none for what is the caller's mistake."""
    at = newest(shared)
    for body in ({"ttl": "soon"}, {"image": "nowhere/none:1"}):
        r = shared.api("POST", "/sandboxes", body)
    assert r.status == 503
    [e] = told(shared, at, "operation.failed")
    assert {"operation": "sandbox.create", "code": "UNAVAILABLE",
            "status": 503, "request_id": r.headers["x-request-id"]}.items() \
        <= e["data"].items()
    shared.api("POST", "/templates", {"name": "bad", "image": "host",
                                      "setup": ["exit 1"]}, check=201)
    r = shared.api("POST", "/templates/bad/spawn", {},
                   {"X-User-ID": "eve"})
    assert r.status == 502
    [e] = told(shared, at, "provider.failed")
    assert e["data"]["code"] == "PROVIDER_ERROR"
    assert e["data"]["owner_id"] == "eve"
    assert len(told(shared, at, "operation.failed", 2)) == 2
    shared.api("PUT", "/quotas/eve", {"max_memory_mb": 1}, check=200)
    r = shared.api("POST", "/sandboxes", {"memory_mb": 2},
                   {"X-User-ID": "eve"})
    assert r.status == 429
    [e] = told(shared, at, "resource.limit")
    assert {"operation": "sandbox.create", "code": "RESOURCE_LIMIT",
            "owner_id": "eve"}.items() <= e["data"].items()
    shared.api("DELETE", "/quotas/eve", check=200)
    shared.api("DELETE", "/templates/bad", check=200)


def test_a_storm_of_failures_leaves_room(inst):
    """What happened besides must not be pushed out of the store."""
    inst.start()
    inst.api("PUT", "/quotas/eve", {"max_memory_mb": 1}, check=200)
    for _ in range(100):
        r = inst.api("POST", "/sandboxes", {"memory_mb": 2},
                     {"X-User-ID": "eve"})
        assert r.status == 429
        r = inst.api("POST", "/sandboxes", {"image": "nowhere/none:1"})
        assert r.status == 503
    for kind in "resource.limit", "operation.failed":
        assert len(told(inst, 0, kind, 60)) == 60, "of a minute"


def test_waiting_for_ready_is_no_failure(new_instance):
    inst = new_instance(env={"STACYVM_PROVIDERS_NATIVE_ENABLED": "false",
                             "STACYVM_PROVIDERS_MOCK_ENABLED": "false",
                             "STACYVM_PROVIDERS_DEFAULT": "auto"})
    inst.start()
    assert inst.api("GET", "/ready").status == 503
    assert inst.api("POST", "/sandboxes", {}).status == 503
    [e] = told(inst, 0, "operation.failed")
    assert e["data"]["operation"] == "sandbox.create"


def test_templates_are_events(shared):
    at = newest(shared)
    for _ in range(2):
        shared.api("POST", "/templates", {"name": "seen", "image": "host"})
    saved = told(shared, at, "template.saved", 2)
    assert [e["data"] for e in saved] == [{"name": "seen"}] * 2
    shared.api("DELETE", "/templates/seen", check=200)
    [e] = told(shared, at, "template.deleted")
    assert e["data"] == {"name": "seen"} and e["id"] > saved[-1]["id"]


def test_who_asks_for_a_sandbox_is_told_what(shared):
    """It is all there is to know of one that is gone."""
    at = newest(shared)
    box = shared.sandbox(provider="mock", name="told", ttl="20m",
                         owner_id="al")["id"]
    shared.api("DELETE", f"/sandboxes/{box}", check=200)
    [e] = told(shared, at, "sandbox.created")
    assert e["sandbox_id"] == box
    assert e["data"] == {"provider": "mock", "image": "host", "name": "told",
                         "owner_id": "al", "ttl": "20m0s"}


def test_every_type_is_told_by_somebody():
    """The page is made of the list; what it promises, the daemon tells."""
    types = (svm.ROOT / "lib/api/event-type.def").read_text()
    listed = set(re.findall(r"^EVENT_TYPE\((\w+),", types, re.M))
    source = "".join(p.read_text() for p in
                     (svm.ROOT / "daemon").rglob("*.c"))
    told = set(re.findall(r"\bEVENT_([A-Z_]+)\b", source)) - {"NONE"}
    assert listed == told, listed ^ told


def test_a_provider_that_fails_is_told_once(new_instance):
    """When a probe first finds that it does not work any more; everything
    that shows its health says the same, and it comes back by itself."""
    if svm.IS_ROOT:
        pytest.skip("nothing can be taken from root's namespaces")
    inst = new_instance(spares=0)
    inst.start()
    if inst.provider != "native":
        pytest.skip("needs the native provider")

    def health():
        tried = inst.api("POST", "/providers/test", check=200).json()
        [shown] = [p for p in inst.api("GET", "/providers").json()
                   if p["name"] == "native"]
        text = inst.api("GET", "/metrics/prometheus").text
        assert shown["healthy"] == tried["native"] == inst.api(
            "GET", "/metrics").json()["providers"]["native"]
        assert (f'stacyvm_provider_healthy{{provider="native"}} '
                f'{int(tried["native"])}\n') in text
        assert shown["healthy"] or shown["error"]
        return shown["healthy"]

    at, pid = newest(inst), inst.daemon_pid()
    assert health()
    had = resource.prlimit(pid, resource.RLIMIT_NPROC)
    for n in (1, 2):
        resource.prlimit(pid, resource.RLIMIT_NPROC, (0, had[1]))
        assert not health() and not health()
        found = told(inst, at, "provider.failed", n)
        assert len(found) == n, found
        assert found[-1]["data"]["provider"] == "native"
        assert found[-1]["data"]["error"]
        resource.prlimit(pid, resource.RLIMIT_NPROC, had)
        assert health() and health()
    assert len(told(inst, at, "provider.failed", 2)) == 2
    probes = [o for o in inst.api("GET", "/metrics").json()["operations"]
              if (o["operation"], o["provider"]) == ("provider.probe",
                                                     "native")]
    assert probes[0]["failures"] >= 4
