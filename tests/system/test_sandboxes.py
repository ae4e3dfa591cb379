# SPDX-License-Identifier: MIT
"""The routes of sandboxes: what is accepted, what is refused, what is shown."""
import contextlib
import datetime
import json
import os
import signal
import threading
import time

import pytest

import svm

STATES = {"creating", "running", "paused", "stopped", "unhealthy", "expired",
          "destroying", "destroyed", "error"}


def refused(inst, body, status=400, code="BAD_REQUEST", path="/sandboxes",
            headers=None):
    r = inst.api("POST", path, body, headers=headers)
    assert r.status == status, r
    error = r.json()
    assert error["code"] == code and error["message"], r
    assert error["request_id"] == r.headers["x-request-id"]
    return error


@pytest.fixture
def made(shared):
    """Spawns; everything is destroyed at the end."""
    ids = []

    def spawn(headers=None, **fields):
        r = shared.api("POST", "/sandboxes", fields, headers=headers)
        assert r.status == 201, r
        ids.append(r.json()["id"])
        return r.json()

    yield spawn
    for sid in ids:
        assert shared.api("DELETE", f"/sandboxes/{sid}").status == 200


def test_object(shared, made):
    o = made(name="first-1", metadata={"a": "1", "b": ""}, ttl="90s",
             memory_mb=256, vcpus=1)
    assert o["id"].startswith("sb-") and len(o["id"]) == 11
    assert o["state"] == "running" and o["state"] in STATES
    assert o["metadata"] == {"a": "1", "b": ""}
    assert o["name"] == "first-1" and o["memory_mb"] == 256
    assert o["created_at"].endswith("Z") and o["expires_at"] > o["created_at"]
    assert o["network"] == "none" and isinstance(o["posture"], dict)
    assert set(o["timings"]) >= {"clone_ms", "mounts_ms", "agent_ms",
                                 "total_ms"}
    for key in (o["id"], "first-1"):
        got = shared.api("GET", f"/sandboxes/{key}", check=200).json()
        assert got["id"] == o["id"] and got["metadata"] == o["metadata"]


def test_published_clients_send_empty_fields(made):
    o = made(image="alpine:latest", provider="", ttl="", template="",
             owner_id="", memory_mb=0, vcpus=0, metadata=None, env=None,
             surprise=[1, {"x": None}])
    assert o["metadata"] == {} and o["memory_mb"] > 0
    assert o["image"] == "host", "the clients' default is no choice"


def test_what_a_provider_cannot_do_names_who_can(shared):
    for body in ({"network": "bridge"}, {"network": "full"},
                 {"network": {"allow": ["example.org"]}},
                 {"from_snapshot": "x"}):
        e = refused(shared, body, 501, "UNSUPPORTED")
        assert e["message"].endswith(
            "no other provider does" if "network" in body else ": none"), e
        assert e["remediation"]


def test_insisting_on_an_image_that_is_not_here(shared):
    e = refused(shared, {"image": "docker.io/library/alpine:latest"}, 503,
                "UNAVAILABLE")
    assert "stacyvm image import" in e["remediation"]


def test_list_filters(shared, made):
    a = made(owner_id="alice@example.com", metadata={"k": "v w"})
    b = made(headers={"X-User-ID": "bob"}, owner_id="alice@example.com")
    assert b["owner_id"] == "bob", "the header wins"

    def ids(query):
        return [o["id"] for o in
                shared.api("GET", "/sandboxes" + query, check=200).json()]

    assert ids("") == [b["id"], a["id"]], "newest first"
    assert ids("/") == ids("")
    assert ids("?owner=bob") == [b["id"]]
    assert ids("?owner=alice%40example.com") == [a["id"]]
    assert ids("?metadata.k=v+w") == [a["id"]]
    assert ids("?metadata.k=other") == []
    assert ids("?state=running&provider=" + a["provider"]) == ids("")
    assert ids("?state=paused") == []
    r = shared.api("GET", "/sandboxes?state=runing")
    assert (r.status, r.json()["code"]) == (400, "BAD_REQUEST")
    assert "running" in r.json()["message"], "the known ones are listed"


def test_destroyed_are_in_all(shared, made):
    o = made(name="gone-soon")
    r = shared.api("DELETE", f"/sandboxes/{o['id']}", check=200)
    assert r.json() == {"status": "destroyed"}
    assert shared.api("GET", f"/sandboxes/{o['id']}").status == 404
    assert shared.api("DELETE", f"/sandboxes/{o['id']}").status == 200
    every = shared.api("GET", "/sandboxes?all=true", check=200).json()
    assert {"id": o["id"], "state": "destroyed"}.items() <= next(
        x for x in every if x["id"] == o["id"]).items()
    made(name="gone-soon")  # the name is free again


def test_filters_hold_for_the_destroyed(shared, made):
    """With ?all=true too, in one order with the living."""
    first = made(owner_id="ann", metadata={"k": "v"}, memory_mb=99)
    second = made(owner_id="ben", metadata={"k": "v"})
    third = made(owner_id="ann")
    for o in (first, second):
        shared.api("DELETE", f"/sandboxes/{o['id']}", check=200)

    def ids(query):
        own = {o["id"] for o in (first, second, third)}
        return [o["id"] for o in shared.api(
            "GET", "/sandboxes?all=true" + query, check=200).json()
            if o["id"] in own]

    a, b, c = first["id"], second["id"], third["id"]
    assert ids("") == [c, b, a], "newest first"
    assert ids("&owner=ann") == [c, a] and ids("&owner=ben") == [b]
    assert ids("&metadata.k=v") == [b, a] and ids("&metadata.k=w") == []
    assert ids("&state=destroyed") == [b, a] and ids("&state=running") == [c]
    assert ids("&provider=none") == []
    assert ids("&provider=" + first["provider"]) == [c, b, a]
    dead = next(o for o in shared.api("GET", "/sandboxes?all=true").json()
                if o["id"] == a)
    assert {**first, "state": "destroyed"}.items() >= {
        k: dead[k] for k in ("id", "image", "memory_mb", "metadata", "state",
                             "owner_id", "created_at", "network")}.items()


def test_names(shared, made):
    made(name="twin", owner_id="a")
    made(name="twin", owner_id="b")
    refused(shared, {"name": "twin", "owner_id": "a"}, 409, "CONFLICT")
    for bad in ("", ):
        made(name=bad)  # not given
    for bad in ("-x", "A", "a_b", "a" * 64, "a/b", "a b", "ü", "\x1b[31m",
                "sb-0123abcd"):
        refused(shared, {"name": bad})


@pytest.mark.parametrize("ttl", ["0", "-5m", "5", "soon", "1h1", "25h", " 1m",
                                 "9" * 300 + "h", "1m\n", "0s"])
def test_bad_ttl(shared, ttl):
    refused(shared, {"ttl": ttl})


@pytest.mark.parametrize("body", [
    {"memory_mb": "1024"}, {"memory_mb": 1.5}, {"memory_mb": -1},
    {"memory_mb": 1e300}, {"vcpus": {}}, {"vcpus": 100000}, {"ttl": 60},
    {"metadata": []}, {"metadata": {"a": 1}}, {"metadata": {"": "x"}},
    {"metadata": {"k" * 500: "v"}}, {"env": {"A=B": "x"}}, {"env": "A=B"},
    {"network": 1}, {"network": "moon"}, {"network": {}},
    {"network": {"allow": "example.org"}}, {"network": {"allow": [1]}},
    {"network": {"allow": ["x"] * 257}}, {"image": 7}, {"name": True},
    {"owner_id": "a/b"}, {"owner_id": "a b"}, {"owner_id": "a\\b"},
    {"owner_id": "x" * 129}, {"owner_id": "\u00e4"}, {"pids": 10 ** 9},
    {"metadata": {str(i): "x" for i in range(65)}},
])
def test_wrong_fields(shared, body):
    refused(shared, body)


@pytest.mark.parametrize("text", [
    b"{", b"[]", b"1", b'"x"', b"nul", b'{"a":1} x', b'{"ttl":"1m","ttl":"2m"}',
    b'{"name":"a\\u0000b"}', b'{"a\\u0000":1}', b'{"a":"\xff"}',
    b'{"a":' * 70 + b"1" + b"}" * 70, b"[" * 100000, b'{"x":1e999999}x',
    b"{'a':1}", b'{"a":1,}', b"\0", b'{"a":"\x01"}',
])
def test_malformed_json(shared, text):
    refused(shared, text)


def test_empty_body_is_fine(shared):
    r = shared.api("POST", "/sandboxes", b"")
    assert r.status == 201, r
    shared.api("DELETE", f"/sandboxes/{r.json()['id']}", check=200)


def test_body_over_the_limit(shared):
    r = shared.api("POST", "/sandboxes", b'{"x":"' + b"a" * (1 << 20) + b'"}')
    assert r.status == 413 and r.json()["code"] == "TOO_LARGE", r


def test_providers_by_name(shared):
    e = refused(shared, {"provider": "xen"})
    assert "native" in e["message"] and "mock" in e["message"]


def test_a_provider_that_is_switched_off(new_instance):
    i = new_instance(env={"STACYVM_PROVIDERS_MOCK_ENABLED": "false",
                          "STACYVM_PROVIDERS_DEFAULT": "auto"})
    i.start()
    e = refused(i, {"provider": "mock"}, 503, "UNAVAILABLE")
    assert "providers.mock.enabled" in e["remediation"]
    if not i.ok("provider", "show", "native", "--json").json()["healthy"]:
        # nothing that isolates: never mock by itself
        assert i.api("GET", "/ready").status == 503
        refused(i, {}, 503, "UNAVAILABLE")


def test_what_is_not_there_yet(shared):
    e = refused(shared, {"network": "bridge"}, 501, "UNSUPPORTED")
    assert "gives sandboxes no network, and no other" in e["message"]
    assert e["remediation"] == "leave 'network' out, or set it to \"none\""
    e = refused(shared, {"network": "brigde"})
    assert "'brigde' is not known: it is \"none\", or where the provider " \
        "has networks \"bridge\"" in e["message"]
    refused(shared, {"network": {"allow": ["example.org"]}}, 501,
            "UNSUPPORTED")
    refused(shared, {"from_snapshot": "x"}, 501, "UNSUPPORTED")


@pytest.mark.parametrize("sid", [
    "sb-00000000", "x", "..", "%2e%2e", "a%2Fb", "sb-0000000%0a", "%1b%5b31m",
    "a" * 5000, "sb-\u00fc".encode().hex(),
])
def test_ids_that_are_none(shared, sid):
    for method, path in (("GET", ""), ("POST", "/extend"), ("GET", "/logs"),
                         ("GET", "/stats"), ("POST", "/exec"),
                         ("GET", "/files/list"), ("GET", "/sessions")):
        r = shared.api(method, f"/sandboxes/{sid}{path}",
                       {"command": "true"} if method == "POST" else None)
        assert r.status in (404, 414), r
        assert r.json()["code"] in ("NOT_FOUND", "TOO_LARGE", "BAD_REQUEST")
        assert "\x1b" not in r.text


def test_extend(shared, made):
    o = made(ttl="1m")
    r = shared.api("POST", f"/sandboxes/{o['id']}/extend", {"ttl": "10m"},
                   check=200)
    assert r.json()["expires_at"] > o["expires_at"]
    for bad in ({"ttl": "0s"}, {"ttl": "x"}, {"ttl": 5}):
        refused(shared, bad, path=f"/sandboxes/{o['id']}/extend")


def when(text):
    return datetime.datetime.fromisoformat(
        text.replace("Z", "+00:00")).timestamp()


def test_extend_is_clipped_to_the_longest_life(new_instance):
    i = new_instance(env={"STACYVM_DEFAULTS_MAX_TTL": "2m",
                          "STACYVM_DEFAULTS_TTL": "1m"})
    i.start()
    o = i.sandbox(ttl="1m")
    r = i.api("POST", f"/sandboxes/{o['id']}/extend", {"ttl": "2m"}, check=200)
    for ttl in ("2m", "3m", "1000h", "2562047h"):
        later = i.api("POST", f"/sandboxes/{o['id']}/extend", {"ttl": ttl},
                      check=200)
        assert abs(when(r.json()["expires_at"]) -
                   when(later.json()["expires_at"])) < 30


def test_limits_of_how_many(new_instance):
    i = new_instance(env={"STACYVM_DEFAULTS_MAX_SANDBOXES": "3",
                          "STACYVM_DEFAULTS_MAX_SANDBOXES_PER_OWNER": "2"})
    i.start()
    i.sandbox(owner_id="a")
    i.sandbox(owner_id="a")
    refused(i, {"owner_id": "a"}, 429, "RESOURCE_LIMIT")
    last = i.sandbox(owner_id="b")
    refused(i, {"owner_id": "c"}, 429, "RESOURCE_LIMIT")
    i.api("DELETE", f"/sandboxes/{last['id']}", check=200)
    i.sandbox(owner_id="c")


def test_stats(shared, made):
    o = made()
    st = shared.api("GET", f"/sandboxes/{o['id']}/stats", check=200).json()
    assert set(st) >= {"supported", "cpu_pct", "mem_bytes", "mem_limit_bytes",
                       "pids", "disk_bytes", "net_rx_bytes", "net_tx_bytes"}


def test_logs(shared, made):
    o = made()
    shared.exec(o["id"], "for i in 1 2 3; do echo line $i; done; echo bad >&2")

    def lines(query=""):
        return shared.api("GET", f"/sandboxes/{o['id']}/logs{query}",
                          check=200).json()

    svm.wait_for(lambda: len(lines()) == 4, "the log")
    assert [x for x in lines() if x.startswith("line")] == [
        "line 1", "line 2", "line 3"]
    assert len(lines("?lines=2")) == 2 and lines("?lines=0") == []
    for bad in ("-1", "x", "1.5", "99999999"):
        r = shared.api("GET", f"/sandboxes/{o['id']}/logs?lines={bad}")
        assert r.status == 400, r


def log_objects(inst, sid, query=""):
    return inst.api("GET", f"/sandboxes/{sid}/logs?details=true{query}",
                    check=200).json()


def test_logs_in_detail(shared, made):
    o = made()
    shared.exec(o["id"], "echo out; echo err >&2")
    shared.exec(o["id"], "printf unfinished")
    shared.exec(o["id"], "echo next")
    rows = log_objects(shared, o["id"])
    assert sorted((r["stream"], r["line"]) for r in rows[:2]) == [
        ("stderr", "err"), ("stdout", "out")]
    assert [r["line"] for r in rows[2:]] == ["unfinished", "next"]
    times = [r["time"] for r in rows]
    assert times == sorted(times) and times[0] > o["created_at"]

    def texts(query):
        return [r["line"] for r in log_objects(shared, o["id"], query)]

    assert texts("&stream=stderr") == ["err"]
    assert texts("&stream=stdout&lines=1") == ["next"]
    assert len(texts("&since=1h")) == 4 and texts("&since=1h&lines=1") == [
        "next"]
    assert texts(f"&since={times[0]}") and not texts(
        "&since=2100-01-01T00:00:00Z")
    # Each says where it is; before and after it are others.
    at = [r["at"] for r in rows]
    assert at[0] == 0 and at == sorted(set(at))
    assert texts(f"&before={at[3]}&lines=2") == [r["line"] for r in rows[1:3]]
    assert texts(f"&before={at[0]}") == []
    assert texts(f"&after={at[0]}&lines=2") == [r["line"] for r in rows[1:3]]
    assert texts(f"&after={at[3]}") == []
    assert texts(f"&before={at[3]}&stream=stderr") == ["err"]
    for bad in ("before=-1", "after=x", "before=9999999999999999999"):
        r = shared.api("GET", f"/sandboxes/{o['id']}/logs?{bad}", check=400)
        assert bad.split("=")[1] in r.json()["message"], r
    for bad in ("before=1&after=1", "follow=true&before=1",
                "after=1&follow=true"):
        shared.api("GET", f"/sandboxes/{o['id']}/logs?{bad}", check=400)
    for bad in ("since=x", "since=-1m", "stream=stdin", "since=12:00"):
        r = shared.api("GET", f"/sandboxes/{o['id']}/logs?{bad}", check=400)
        assert bad.split("=")[1] in r.json()["message"], r


def cmdlines():
    found = b""
    for pid in svm.processes():
        with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline",
                                                "rb") as f:
            found += f.read() + b"\n"
    return found


def test_logs_go_on_with_the_next_daemon(new_instance):
    """What was written while there was none has the time at which it was,
    and what the old one had logged is not there twice."""
    i = new_instance()
    i.start()
    sid = i.sandbox()["id"]
    i.exec(sid, "(echo before; sleep 0.5; date +%s.%N; sleep 2; "
                "until [ -e stop ]; do sleep 0.06125; done; echo after) &")
    svm.wait_for(lambda: any(r["line"] == "before"
                             for r in log_objects(i, sid)), "the first line")
    i.kill_daemon()
    svm.wait_for(lambda: b"sleep\0000.06125" in cmdlines(),
                 "the end of the silence")
    started = time.time()
    i.start()
    i.exec(sid, "touch stop")
    svm.wait_for(lambda: any(r["line"] == "after"
                             for r in log_objects(i, sid)), "the last line")
    first, alone, last = log_objects(i, sid)
    assert first["line"] == "before" and last["line"] == "after"
    assert float(alone["line"]) - 1 < when(alone["time"]) < started


def test_logs_followed_until_the_end(shared):
    sid = shared.sandbox()["id"]
    with shared.client() as c:
        c.begin("GET", f"/api/v1/sandboxes/{sid}/logs?follow=true")
        head = c.head()
        assert head.headers["content-type"] == "application/x-ndjson"
        pieces = c.chunks(head)
        shared.exec(sid, "echo hello; echo there")
        got = b""
        while got.count(b"\n{") + got.startswith(b"{") < 2:
            got += next(pieces)
        shared.api("DELETE", f"/sandboxes/{sid}", check=200)
        got += b"".join(pieces)  # a clean end
    assert [json.loads(x)["line"] for x in got.split(b"\n") if x.strip()] == [
        "hello", "there"]


def test_a_silent_agent_is_unhealthy(new_instance):
    # Without spares what is new is the sandbox's.
    i = new_instance(spares=0, **svm.hurried(agent_reply=4000))
    i.start()
    before = set(svm.descendants())
    o = i.sandbox()
    table = svm.processes()
    new = set(svm.descendants()) - before
    agent = min(p for p in new if p in table and table[p][2] not in new)
    os.kill(agent, signal.SIGSTOP)
    try:
        r = i.api("POST", f"/sandboxes/{o['id']}/exec", {"command": "true"})
        assert r.status in (408, 502, 503), r
        state = i.api("GET", f"/sandboxes/{o['id']}", check=200).json()
        assert state["state"] == "unhealthy" and state["reason"], state
    finally:
        os.kill(agent, signal.SIGCONT)
    svm.wait_for(lambda: i.api("POST", f"/sandboxes/{o['id']}/exec",
                               {"command": "true"}).status == 200,
                 "the agent to answer again")
    state = i.api("GET", f"/sandboxes/{o['id']}", check=200).json()
    assert state["state"] == "running", state


def test_everything_at_once_on_one_id(shared):
    """Exec, extend and destroy race; each gets an answer that fits."""
    for _ in range(3):
        sid = shared.sandbox()["id"]
        seen, threads = [], []

        def call(method, path, body=None):
            with shared.client() as c:
                r = c.request(method, f"/api/v1/sandboxes/{sid}{path}", body)
                seen.append((method + path, r.status))

        for args in [("POST", "/exec", {"command": "sleep 0.05; echo x"})] * 4 \
                + [("POST", "/extend", {"ttl": "5m"})] * 4 \
                + [("DELETE", "")] * 3 + [("GET", "/stats")] * 2:
            threads.append(threading.Thread(target=call, args=args))
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert len(seen) == len(threads)
        for what, status in seen:
            if what == "DELETE":
                assert status == 200, seen
            else:
                assert status in (200, 404, 409, 502), seen
        assert shared.api("GET", f"/sandboxes/{sid}").status == 404


def test_system_routes(shared):
    health = shared.api("GET", "/health", check=200).json()
    assert health["status"] == "ok" and health["version"] and health["uptime"]
    assert shared.api("GET", "/live", check=200).json()
    assert shared.api("GET", "/ready", check=200).json()
    providers = shared.api("GET", "/providers", check=200).json()
    names = {p["name"]: p for p in providers}
    assert {"native", "mock"} <= set(names)
    for p in providers:
        assert set(p) >= {"name", "healthy", "default", "latency_ms",
                          "last_checked", "error", "remediation",
                          "capabilities", "runtime_count"}
        one = shared.api("GET", f"/providers/{p['name']}", check=200).json()
        assert "sandbox_count" in one and isinstance(one["config"], dict)
    assert not names["mock"]["default"] or shared.provider == "mock"
    assert shared.api("GET", "/providers/xen").status == 404
    tested = shared.api("POST", "/providers/test", check=200).json()
    assert tested[shared.provider] is True
    m = shared.api("GET", "/metrics", check=200).json()
    assert {"uptime", "goroutines", "memory_alloc", "active_sandboxes",
            "total_sandboxes", "sandboxes", "operations"} <= set(m)
    text = shared.api("GET", "/metrics/prometheus", check=200)
    assert "# TYPE stacyvm_sandboxes_active gauge" in text.text
    config = shared.api("GET", "/config", check=200).json()
    assert config["defaults.ttl"]["value"]
    assert shared.api("GET", "/nothing").status == 404
    r = shared.api("PUT", "/health")
    assert r.status == 405 and "GET" in r.headers["allow"]
