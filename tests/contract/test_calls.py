# SPDX-License-Identifier: MIT
"""Calls with one reply, as the published Python clients make them."""
import asyncio
import re

import pytest

from clients import ADMIN, KEY, SPAWN, Async, Sync, httpx
from svm import wait_for

ADMISSION = {"allowed", "queueable", "reason", "active_sandboxes",
             "max_sandboxes", "active_owner_sandboxes",
             "max_owner_sandboxes", "max_ttl"}
SUMMARY = {"total", "with_max_sandboxes", "with_max_ttl",
           "with_max_exec_timeout"}
# Odd for a query string, a shell, or a JSON text.
NAMES = ["a+b c", "50%", "100%2F", "q?x=1&y=2#z", "st*r", "ä€𝄞", "q\"'\\"]


@pytest.mark.native  # the mock has no root of its own
def test_quick_start(call):
    box = call.json("POST", "/sandboxes", 201, json=SPAWN)
    assert re.fullmatch("sb-[0-9a-f]{8}", box["id"])
    assert box["state"] == "running" and box["provider"]
    assert box["metadata"] == {}
    assert box["created_at"].endswith("Z") and box["expires_at"].endswith("Z")
    assert isinstance(box["memory_mb"], int) and isinstance(box["vcpus"], int)
    at = f"/sandboxes/{box['id']}"
    content = "print('hello', 6 * 7)\n"
    assert call.json("POST", at + "/files", json={
        "path": "/app/main.py", "content": content}) == {"status": "written"}
    r = call.json("POST", at + "/exec", json={
        "command": "python3 /app/main.py"})
    assert (r["exit_code"], r["stdout"], r["stderr"]) == (0, "hello 42\n", "")
    assert re.fullmatch(r"[0-9.]+(µs|ms|s)", r["duration"])
    r = call("GET", at + "/files", params={"path": "/app/main.py"})
    assert r.content == content.encode()
    assert r.headers["content-type"] == "application/octet-stream"
    assert "content-encoding" not in r.headers
    assert box["id"] in [b["id"] for b in call.json("GET", "/sandboxes/")]
    for _ in "once", "twice":
        assert call.json("DELETE", at) == {"status": "destroyed"}
    assert call.json("GET", at, 404)["code"] == "NOT_FOUND"
    assert call.json("POST", at + "/exec", 404,
                     json={"command": "true"})["code"] == "NOT_FOUND"


def test_fields_that_are_not_given(call):
    box = call.json("POST", "/sandboxes", 201, json={
        **SPAWN, "ttl": "", "template": "", "owner_id": "", "memory_mb": 0,
        "vcpus": 0, "metadata": None, "env": None, "unheard": [1]})
    assert box["metadata"] == {} and box["memory_mb"] > 0
    r = call.json("POST", f"/sandboxes/{box['id']}/exec", json={
        "command": "echo", "args": ["a b", "$HOME"], "env": {}, "workdir": "",
        "timeout": "", "stream": False, "stdin": ""})
    assert r["stdout"] == "a b $HOME\n"
    call("DELETE", f"/sandboxes/{box['id']}")


def test_no_content_length(call, box):
    """A POST or DELETE without a body may come without its length."""
    call("POST", "/templates", json={"name": "bare", "image": "host"},
         check=201)
    made = []
    for method, path, status in (
            ("POST", "/templates/bare/spawn", 201),
            ("POST", "/providers/test", 200),
            ("POST", "/sandboxes", 201),
            ("POST", f"/sandboxes/{box}/exec", 400),
            ("DELETE", "/templates/bare", 200),
            ("DELETE", "/sandboxes", 200),
            ("DELETE", "/sandboxes/sb-00000000", 200)):
        request = call.client.build_request(method, path)
        request.headers.pop("content-length", None)
        assert "content-type" not in request.headers
        r = call.client.send(request)
        if asyncio.iscoroutine(r):
            r = call.loop.run_until_complete(r)
        assert r.status_code == status, (method, path, r.text)
        if status == 201:
            made.append(r.json()["id"])
    for sid in made:
        call("DELETE", f"/sandboxes/{sid}")


def test_lists_are_lists(call, box):
    for path in ("/sandboxes", "/sandboxes?owner=nobody", "/templates",
                 "/templates/", "/snapshots", "/providers", "/images",
                 "/quotas", "/audit", f"/sandboxes/{box}/sessions",
                 f"/sandboxes/{box}/logs?lines=5",
                 f"/sandboxes/{box}/files/list?path=/app",
                 f"/sandboxes/{box}/files/glob?pattern=/none/*"):
        assert isinstance(call.json("GET", path), list), path


def test_metadata(call):
    sid = call.json("POST", "/sandboxes", 201, json={
        **SPAWN, "metadata": {"k": "ä€ +/%"}})["id"]
    assert call.json("GET", f"/sandboxes/{sid}")["metadata"]["k"] == "ä€ +/%"
    assert [b["id"] for b in call.json("GET", "/sandboxes", params={
        "metadata.k": "ä€ +/%"})] == [sid]
    call("DELETE", f"/sandboxes/{sid}")


def test_request_id(call):
    for given in ("req-1", "x" * 128):
        r = call("GET", "/health", headers={"X-Request-ID": given})
        assert r.headers["x-request-id"] == given
    r = call("GET", "/sandboxes/nope", 404, headers={"X-Request-ID": "mine"})
    assert r.json()["request_id"] == "mine"
    r = call("GET", "/health", headers={"X-Request-ID": "x" * 129})
    assert 0 < len(r.headers["x-request-id"]) <= 128


def test_errors(call, box):
    at = f"/sandboxes/{box}"
    for method, path, body, status, code in (
            ("GET", "/sandboxes/sb-00000000", None, 404, "NOT_FOUND"),
            ("GET", "/nowhere", None, 404, "NOT_FOUND"),
            ("GET", "/templates/none", None, 404, "NOT_FOUND"),
            ("GET", at + "/files?path=/none", None, 404, "FILE_NOT_FOUND"),
            ("GET", at + "/files?path=/app", None, 400, "BAD_REQUEST"),
            ("POST", "/sandboxes", {"ttl": "5"}, 400, "BAD_REQUEST"),
            ("POST", "/sandboxes", {"provider": "x"}, 400, "BAD_REQUEST"),
            ("POST", "/sandboxes", [], 400, "BAD_REQUEST"),
            ("POST", at + "/exec", {}, 400, "BAD_REQUEST"),
            ("POST", at + "/exec", {"command": "sleep 9", "timeout": "50ms"},
             408, "TIMEOUT"),
            ("PATCH", "/sandboxes", None, 405, "METHOD_NOT_ALLOWED")):
        r = call(method, path, status, json=body)
        assert r.json()["code"] == code, (path, r.text)


def test_a_failed_command_is_a_reply(call, box):
    def run(command, **fields):
        return call.json("POST", f"/sandboxes/{box}/exec",
                         json={"command": command, **fields})
    assert run("exit 3")["exit_code"] == 3
    assert run("no-such-program")["exit_code"] == 127
    assert run("kill -9 $$")["exit_code"] == 137
    assert run("cat", stdin="in\n")["stdout"] == "in\n"
    assert run("basename $PWD; echo $V", env={"V": "v"},
               workdir="/app")["stdout"] == "app\nv\n"
    assert run("sleep 1000 & echo begun")["stdout"] == "begun\n"


def test_extend_stats_logs(call, box):
    at = f"/sandboxes/{box}"
    before = call.json("GET", at)["expires_at"]
    after = call.json("POST", at + "/extend", json={"ttl": "1h30m"})
    assert after["expires_at"] > before
    assert {"supported", "cpu_pct", "mem_bytes", "mem_limit_bytes", "pids",
            "disk_bytes", "net_rx_bytes",
            "net_tx_bytes"} <= set(call.json("GET", at + "/stats"))
    call("POST", at + "/exec", json={"command": "echo logged"})
    wait_for(lambda: "logged" in "".join(
        call.json("GET", at + "/logs", params={"lines": 20})), "the log")


def test_another_name_and_other_metadata(call, box):
    at = f"/sandboxes/{box}"
    o = call.json("PATCH", at, json={"name": "patched",
                                     "metadata": {"task": "ci", "no": None}})
    assert o["id"] == box and o["metadata"]["task"] == "ci"
    assert o == call.json("GET", "/sandboxes/patched")
    o = call.json("PATCH", at, json={"name": None,
                                     "metadata": {"task": None}})
    assert o == call.json("GET", at)
    assert "name" not in o and "task" not in o["metadata"]


def test_templates_in_both_spellings(call):
    t = call.json("POST", "/templates", 201, json={
        "name": "two words", "image": "alpine:latest", "cpu_cores": 2,
        "ttl_seconds": 90, "memory_mb": 256})
    assert (t["vcpus"], t["cpu_cores"], t["ttl_seconds"]) == (2, 2, 90)
    t = call.json("POST", "/templates", json={
        "name": "two words", "image": "alpine:latest", "vcpus": 1,
        "ttl": "2m"})
    assert (t["vcpus"], t["cpu_cores"], t["ttl"], t["ttl_seconds"],
            t["memory_mb"]) == (1, 1, "2m", 120, 256)
    assert t["env"] == {} and t["metadata"] == {} and t["setup"] == []
    assert call.json("GET", "/templates/two%20words")["ttl"] == "2m"
    assert [x["name"] for x in call.json("GET", "/templates")] == ["two words"]
    box = call.json("POST", "/templates/two%20words/spawn", 201)
    assert box["metadata"]["template"] == "two words"
    assert box["memory_mb"] == 256
    call("DELETE", f"/sandboxes/{box['id']}")
    call("DELETE", "/templates/two%20words")
    call("GET", "/templates/two%20words", 404)


def test_template_quick_start(call):
    """The default image of the clients is no choice against a template."""
    call("POST", "/templates", 201, json={
        "name": "starter", "image": "alpine:latest", "description": "",
        "provider": "", "memory_mb": 200, "cpu_cores": 1, "ttl_seconds": 300})
    for how in ({"path": "/templates/starter/spawn", "json": SPAWN},
                {"path": "/sandboxes", "json": {**SPAWN,
                                                "template": "starter"}}):
        box = call.json("POST", how["path"], 201, json=how["json"])
        assert box["memory_mb"] == 200 and box["state"] == "running"
        assert box["metadata"] == {"template": "starter"}
        r = call.json("POST", f"/sandboxes/{box['id']}/exec",
                      json={"command": "echo ready"})
        assert r["stdout"] == "ready\n"
        call("DELETE", f"/sandboxes/{box['id']}")
    call("DELETE", "/templates/starter")


def test_prune(call):
    gone = call.json("POST", "/sandboxes", 201, json={**SPAWN, "ttl": "1s"})
    assert call.json("DELETE", "/sandboxes")["pruned"] in (0, 1)
    wait_for(lambda: call.send("GET", f"/sandboxes/{gone['id']}")
             .status_code == 404, "it to expire or be pruned")
    assert call.json("DELETE", "/sandboxes") == {"pruned": 0}


@pytest.mark.parametrize("owner", ["\u00e4".encode(), "\u00e4".encode("latin-1"),
                                   b"a/b", b"a\\b", b"a b", b"x" * 129])
def test_owners_that_clients_encode_differently(call, owner):
    e = call.json("POST", "/sandboxes", 400, json=SPAWN,
                  headers={"X-User-ID": owner})
    assert e["code"] == "BAD_REQUEST"


@pytest.mark.parametrize("kind", [Sync, Async])
def test_keys(guarded, kind):
    """In either header; what an ordinary key may not is 403."""
    if not httpx:
        pytest.skip("needs python3-httpx")
    none = kind(guarded.port, "localhost")
    assert none.json("GET", "/sandboxes", 401)["code"] == "UNAUTHORIZED"
    none("GET", "/live")
    for headers in ({"X-API-Key": KEY}, {"Authorization": f"Bearer {KEY}"}):
        c = kind(guarded.port, "localhost", **headers, **{"X-User-ID": "ann"})
        box = c.json("POST", "/sandboxes", 201, json=SPAWN)
        assert box["owner_id"] == "ann"
        assert [b["id"] for b in c.json("GET", "/sandboxes")] == [box["id"]]
        for path in "/quotas", "/audit", "/quotas/summary":
            assert c.json("GET", path, 403)["code"] == "FORBIDDEN"
        other = kind(guarded.port, "localhost", **headers,
                     **{"X-User-ID": "ben"})
        assert other.json("GET", "/sandboxes") == []
        assert other.json("GET", f"/sandboxes/{box['id']}", 403)[
            "code"] == "FORBIDDEN"
        c("DELETE", f"/sandboxes/{box['id']}")
        c.close()
        other.close()
    for headers in ({"X-Admin-API-Key": ADMIN}, {"X-API-Key": ADMIN}):
        admin = kind(guarded.port, "localhost", **headers)
        assert isinstance(admin.json("GET", "/quotas"), list)
        admin.close()
    none.close()


def test_sessions(call, box):
    at = f"/sandboxes/{box}/sessions"
    assert call.json("GET", at) == []
    sid = call.json("POST", f"/sandboxes/{box}/exec", json={
        "command": "sleep 1000", "tty": True, "detach": True})["session_id"]
    [s] = call.json("GET", at)
    assert s["id"] == sid and s["tty"] is True and s["state"] == "running"
    call("DELETE", f"{at}/{sid}")
    wait_for(lambda: not [s for s in call.json("GET", at)
                          if s["state"] == "running"], "the session's end")


def test_files(call, box):
    at = f"/sandboxes/{box}/files"
    for name in NAMES:
        path = f"/workspace/d/{name}"
        call("POST", at, json={"path": path, "content": name, "mode": "600"})
        assert call("GET", at, params={"path": path}).text == name
        s = call.json("GET", at + "/stat", params={"path": path})
        assert (s["name"], s["path"], s["mode"], s["is_dir"], s["type"]) == (
            name, path, "0600", False, "file")
        assert s["size"] == len(name.encode()) and s["mod_time"][-1] == "Z"
    listed = call.json("GET", at + "/list", params={"path": "/workspace/d"})
    assert [f["name"] for f in listed] == sorted(NAMES, key=str.encode)
    assert call.json("GET", at + "/list")  # of the root
    assert call.json("GET", at + "/glob", params={
        "pattern": "/workspace/**/a+*"}) == ["/workspace/d/a+b c"]
    # The same, as some other library would write it.
    for query in ("/workspace/d/a%2Bb+c", "%2Fworkspace%2Fd%2Fa%2Bb%20c",
                  "%2fworkspace/d/%61%2bb+c"):
        assert call("GET", f"{at}?path={query}").text == "a+b c"
    for query in ("/workspace/d/st*", "%2Fworkspace%2Fd%2Fst%2A"):
        assert call.json("GET", f"{at}/glob?pattern={query}") == [
            "/workspace/d/st*r"]
    assert call.json("POST", at + "/move", json={
        "old_path": "/workspace/d/50%", "new_path": "/workspace/e/f"}) == {
            "status": "moved"}
    assert call.json("POST", at + "/chmod", json={
        "path": "/workspace/e/f", "mode": "755"}) == {
            "status": "chmod applied"}
    assert call.json("GET", at + "/stat", params={
        "path": "/workspace/e/f"})["mode"] == "0755"
    for _ in "once", "twice":
        assert call.json("DELETE", at, params={
            "path": "/workspace/e/f"}) == {"status": "deleted"}
    d = {"path": "/workspace/d"}
    assert call.json("DELETE", at, 409, params=d)["code"] == "CONFLICT"
    call("DELETE", at, 409, params={**d, "recursive": "1"})
    call("DELETE", at, params={**d, "recursive": "true"})


def test_content_is_data(call, box):
    at = f"/sandboxes/{box}/files"
    text = "a\0b\u2028\x7f\r\n€𝄞"
    call("POST", at, json={"path": "/app/t", "content": text})
    assert call("GET", at, params={"path": "/app/t"}).content == text.encode()
    big = bytes(range(256)) * 8192
    call("PUT", at, params={"path": "/app/b"}, content=big)
    assert call("GET", at, params={"path": "/app/b"}).content == big


def test_admission_and_quotas(call):
    a = call.json("POST", "/sandboxes/admission", json=SPAWN)
    assert set(a) == ADMISSION and a["allowed"] is True
    call("PUT", "/quotas/alice@example.com", json={"max_sandboxes": 1,
                                                   "max_ttl": "1h"})
    assert set(call.json("GET", "/quotas/summary")) == SUMMARY
    alice = {"X-User-ID": "alice@example.com"}
    sid = call.json("POST", "/sandboxes", 201, json=SPAWN,
                    headers=alice)["id"]
    a = call.json("POST", "/sandboxes/admission", json=SPAWN, headers=alice)
    assert set(a) == ADMISSION and a["allowed"] is False and a["reason"]
    assert a["active_owner_sandboxes"] == a["max_owner_sandboxes"] == 1
    r = call("POST", "/sandboxes", 429, json=SPAWN, headers=alice)
    assert r.json()["code"] == "RESOURCE_LIMIT"
    q = call.json("GET", "/quotas/alice@example.com")
    assert q["owner_id"] == "alice@example.com" and q["max_ttl"] == "1h0m0s"
    u = call.json("GET", "/quotas/alice@example.com/usage")
    assert u["active_sandboxes"] == 1
    call("DELETE", f"/sandboxes/{sid}")
    call("DELETE", "/quotas/alice@example.com")


def test_what_the_daemon_says_of_itself(call):
    h = call.json("GET", "/health")
    assert h["status"] == "ok" and h["version"] and h["uptime"]
    providers = call.json("GET", "/providers")
    for p in providers:
        assert {"name", "healthy", "default", "latency_ms", "last_checked",
                "error", "remediation", "capabilities",
                "runtime_count"} <= set(p)
        assert isinstance(p["capabilities"], list)
        config = call.json("GET", f"/providers/{p['name']}")["config"]
        assert config["enabled"] in (True, False)
    assert [p["default"] for p in providers].count(True) == 1
    tested = call.json("POST", "/providers/test")
    assert {p["name"] for p in providers} == set(tested)
    assert all(type(v) is bool for v in tested.values())
    pool = call.json("GET", "/pool/status")
    assert {"enabled": False, "vms": 0, "max_vms": 0, "total_users": 0,
            "max_users_per_vm": 0}.items() <= pool.items()
    assert call.json("GET", "/snapshots") == []
    m = call.json("GET", "/metrics")
    assert m["goroutines"] == 0 and isinstance(m["operations"], list)
    assert {"total", "active", "by_state", "by_provider"} <= set(
        m["sandboxes"])


# -- replies before the request was read

@pytest.mark.parametrize("kind", [Sync, Async])
def test_an_early_answer_is_readable(guarded, kind):
    """The status, not a broken pipe, whoever is still sending."""
    if not httpx:
        pytest.skip("needs python3-httpx")
    big = {"path": "/app/x", "content": "x" * (8 << 20)}
    for headers, path, status, code in (
            ({}, "/sandboxes/sb-00000000/files", 401, "UNAUTHORIZED"),
            ({"X-API-Key": KEY}, "/sandboxes", 413, "TOO_LARGE")):
        for host in "127.0.0.1", "localhost":
            c = kind(guarded.port, host, **headers)
            for _ in range(3):
                assert c.json("POST", path, status, json=big)["code"] == code
            c.close()
