# SPDX-License-Identifier: MIT
"""What the published clients send and need (API.md): those for Python, sync
and async, are httpx; the one for TypeScript is fetch (contract.mjs).  All
over TCP, by address and by name."""
import asyncio
import concurrent.futures
import json
import re
import shutil
import subprocess

import pytest

import svm
from svm import API, free_port, wait_for

try:
    import httpx
except ImportError:
    httpx = None

NODE = shutil.which("node")
SCRIPT = svm.ROOT / "tests/system/contract.mjs"
CASES = re.findall(r"^async function case_(\w+)", SCRIPT.read_text(), re.M)
KEY = "0123456789abcdef0123456789abcdef"
SPAWN = {"image": "alpine:latest", "provider": ""} # what they always send
ADMISSION = {"allowed", "queueable", "reason", "active_sandboxes",
             "max_sandboxes", "active_owner_sandboxes",
             "max_owner_sandboxes", "max_ttl"}
SUMMARY = {"total", "with_max_sandboxes", "with_max_ttl",
           "with_max_exec_timeout"}
# Odd for a query string, a shell, or a JSON text.
NAMES = ["a+b c", "50%", "100%2F", "q?x=1&y=2#z", "st*r", "ä€𝄞", "q\"'\\"]
# A character in two writes, and what str.splitlines() would split at.
ODD_OUTPUT = (r"printf 'a\342'; sleep 0.2; printf '\202\254b\n';"
              r" printf 'x\342\200\250y\302\205z\342\200\251\014\034.'")
ODD_TEXT = "a€b\nx\u2028y\x85z\u2029\f\x1c."
SILENCE = 9 # seconds; a sign of life is due after 5
PATIENCE = 8 # how much silence the callers of these commands stand


class Sync:
    """An httpx.Client, and what holds for every reply of the daemon."""

    def __init__(self, port, host, **headers):
        self.client = self.make(base_url=f"http://{host}:{port}" + API,
                                headers=headers, timeout=60)

    @staticmethod
    def make(**kw):
        return httpx.Client(**kw)

    def send(self, method, path, **kw):
        return self.client.request(method, path, **kw)

    def close(self):
        self.client.close()

    def __call__(self, method, path, check=200, **kw):
        r = self.send(method, path, **kw)
        assert r.status_code == check, (method, path, r.text)
        assert r.status_code != 204 and not r.is_redirect
        assert r.reason_phrase
        assert r.headers["x-request-id"]
        if r.headers["content-type"] != "application/octet-stream":
            assert r.headers["content-type"].startswith("application/json")
            r.json()
        if r.is_error:
            e = r.json()
            assert re.fullmatch("[A-Z_]+", e["code"]) and e["message"], e
            assert e["request_id"] == r.headers["x-request-id"]
            assert isinstance(e.get("remediation", ""), str)
        return r

    def json(self, *args, **kw):
        return self(*args, **kw).json()


class Async(Sync):
    """The same of an httpx.AsyncClient."""

    def __init__(self, *args, **kw):
        self.loop = asyncio.new_event_loop()
        super().__init__(*args, **kw)

    @staticmethod
    def make(**kw):
        return httpx.AsyncClient(**kw)

    def send(self, method, path, **kw):
        return self.loop.run_until_complete(
            self.client.request(method, path, **kw))

    def close(self):
        self.loop.run_until_complete(self.client.aclose())
        self.loop.close()


def tcp_instance(provider, **env):
    port = free_port()
    inst = svm.Instance(provider, env={"STACYVM_SERVER_PORT": str(port),
                                       **env})
    inst.port = port
    return inst.start()


@pytest.fixture(scope="module")
def shared(provider):
    inst = tcp_instance(provider)
    yield inst
    inst.stop()


@pytest.fixture(scope="module")
def guarded(provider):
    """One that asks for a key."""
    inst = tcp_instance(provider, STACYVM_AUTH_API_KEY=KEY)
    yield inst
    inst.stop()


@pytest.fixture(scope="module", params=[
    (Sync, "127.0.0.1"), (Sync, "localhost"), (Async, "localhost")],
    ids=["sync", "sync-localhost", "async-localhost"])
def call(request, shared):
    if not httpx:
        pytest.skip("needs python3-httpx")
    kind, host = request.param
    c = kind(shared.port, host)
    yield c
    c.close()


@pytest.fixture
def client(shared):
    """A plain httpx.Client for streams."""
    if not httpx:
        pytest.skip("needs python3-httpx")
    with httpx.Client(base_url=f"http://localhost:{shared.port}{API}",
                      timeout=60) as c:
        yield c


def stream(client, sid, command, **fields):
    return client.stream("POST", f"/sandboxes/{sid}/exec", json={
        "command": command, "stream": True, **fields})


def gone(inst, sid, pid):
    wait_for(lambda: inst.exec(sid, f"kill -0 {pid}").json()["exit_code"],
             f"{pid} to be gone")


# -- calls with one reply

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


# -- streams

def test_stream(client, box):
    with stream(client, box, ODD_OUTPUT + "; echo err >&2; exit 3") as r:
        assert r.status_code == 200
        assert r.headers["content-type"].startswith("application/x-ndjson")
        assert r.headers["cache-control"] == "no-cache"
        text = "".join(r.iter_text())
    lines = text.split("\n")
    assert lines == text.splitlines() + [""], "an escape is missing"
    chunks = [json.loads(x) for x in lines if x]
    # Others would be empty chunks to the published clients.
    assert all(set(c) == {"stream", "data"} for c in chunks), chunks
    said = {s: "".join(c["data"] for c in chunks if c["stream"] == s)
            for s in ("stdout", "stderr")}
    assert said == {"stdout": ODD_TEXT, "stderr": "err\n"}


def test_stream_line_by_line(client, box):
    """Each line when it is written, the first while the command runs."""
    with stream(client, box, "echo one; read x; echo $x", stdin="two\n") as r:
        got = [json.loads(x) for x in r.iter_lines() if x.strip()]
    assert "".join(c["data"] for c in got) == "one\ntwo\n"
    wait = "echo one; while [ ! -e go ]; do sleep 0.02; done; echo two"
    with stream(client, box, wait) as r:
        lines = (x for x in r.iter_lines() if x.strip())
        assert json.loads(next(lines))["data"] == "one\n"
        client.post(f"/sandboxes/{box}/files",
                    json={"path": "/workspace/go", "content": ""})
        assert json.loads(next(lines))["data"] == "two\n"
        assert next(lines, None) is None


def test_stream_with_frames(client, box):
    with stream(client, box, "echo x; exit 3", frames="full") as r:
        got = [json.loads(x) for x in r.iter_lines() if x.strip()]
    assert got[-1]["type"] == "exit" and got[-1]["exit_code"] == 3


def test_stream_that_does_not_begin(client, box):
    with stream(client, box, "true", workdir="/none") as r:
        r.read()
        assert r.status_code == 400 and r.json()["code"] == "BAD_REQUEST"


def test_stream_timeout_is_a_chunk(client, box):
    with stream(client, box, "echo x; sleep 100", timeout="300ms") as r:
        got = [json.loads(x) for x in r.iter_lines() if x.strip()]
    assert got[-1]["stream"] == "stderr"
    assert re.fullmatch(r"exec timeout: \S+\n", got[-1]["data"])


def test_stream_that_breaks_does_not_end(client, shared):
    sid = shared.sandbox()["id"]
    with pytest.raises(httpx.RemoteProtocolError):
        with stream(client, sid, "echo x; sleep 1000") as r:
            for line in r.iter_lines():
                if line.strip():
                    shared.api("DELETE", f"/sandboxes/{sid}", check=200)


@pytest.mark.parametrize("flood", ["sleep 1000", "yes"])
def test_break_out_of_a_stream(client, shared, box, flood):
    """The command ends, quiet or in the middle of its output (a reset)."""
    with stream(client, box, f"echo $$; exec {flood}") as r:
        for line in r.iter_lines():
            if line.strip():
                pid = int(json.loads(line)["data"].split()[0])
                break
    gone(shared, box, pid)
    assert client.get("/health").status_code == 200


def test_async_break_out_of_a_stream(shared, box):
    if not httpx:
        pytest.skip("needs python3-httpx")

    async def run():
        async with httpx.AsyncClient(
                base_url=f"http://localhost:{shared.port}{API}") as c:
            async with stream(c, box, "echo $$; exec yes") as r:
                async for line in r.aiter_lines():
                    if line.strip():
                        return int(json.loads(line)["data"].split()[0])

    gone(shared, box, asyncio.run(run()))


def test_a_caller_that_gives_up(client, shared, box):
    """Its command ends with it, whatever the plain reply would have been."""
    with pytest.raises(httpx.ReadTimeout):
        client.post(f"/sandboxes/{box}/exec", timeout=1, json={
            "command": "echo $$ >pid; sleep 1000"})
    r = client.get(f"/sandboxes/{box}/files", params={"path": "/workspace/pid"})
    gone(shared, box, int(r.text))


# -- time

def slow_exec(client, sid):
    return client.post(f"/sandboxes/{sid}/exec", json={
        "command": f"sleep {SILENCE}; echo done"})


def check_slow_stream(lines):
    assert json.loads(lines[-1])["data"] == "done\n", lines
    assert any(not x.strip() for x in lines), "no sign of life"


def test_silence_sync(shared, box):
    """102 keeps a slow exec's caller waiting, a blank line a stream's."""
    if not httpx:
        pytest.skip("needs python3-httpx")

    def read_slow_stream(c):
        with stream(c, box, f"sleep {SILENCE}; echo done") as r:
            return [x for x in r.iter_lines()]

    with httpx.Client(base_url=f"http://127.0.0.1:{shared.port}{API}",
                      timeout=PATIENCE) as c, \
            concurrent.futures.ThreadPoolExecutor(1) as other:
        lines = other.submit(read_slow_stream, c)
        assert slow_exec(c, box).json()["stdout"] == "done\n"
        check_slow_stream(lines.result())


def test_silence_async(shared, box):
    """The same, and an idle connection is still there afterwards."""
    if not httpx:
        pytest.skip("needs python3-httpx")

    def peer(r):
        return r.extensions["network_stream"].get_extra_info("client_addr")

    async def read_slow_stream(c):
        async with stream(c, box, f"sleep {SILENCE}; echo done") as r:
            return [x async for x in r.aiter_lines()]

    async def idle(base):
        async with httpx.AsyncClient(base_url=base, limits=httpx.Limits(
                keepalive_expiry=None)) as c:
            before = peer(await c.get("/health"))
            await asyncio.sleep(SILENCE)
            assert peer(await c.get("/health")) == before

    async def run():
        base = f"http://localhost:{shared.port}{API}"
        async with httpx.AsyncClient(base_url=base, timeout=PATIENCE) as c:
            r, lines, _ = await asyncio.gather(
                slow_exec(c, box), read_slow_stream(c), idle(base))
        assert r.json()["stdout"] == "done\n"
        check_slow_stream(lines)

    asyncio.run(run())


def test_many_at_once(shared, box):
    """Twenty execs that wait for each other run side by side."""
    if not httpx:
        pytest.skip("needs python3-httpx")
    meet = ("mkdir -p m; : >m/%d; "
            "while [ $(ls m | wc -l) -lt 20 ]; do sleep 0.1; done; "
            "echo %d")

    async def run():
        async with httpx.AsyncClient(
                base_url=f"http://localhost:{shared.port}{API}",
                timeout=60) as c:
            return await asyncio.gather(*(
                c.post(f"/sandboxes/{box}/exec",
                       json={"command": meet % (i, i)}) for i in range(20)))

    assert [r.json()["stdout"] for r in asyncio.run(run())] == [
        f"{i}\n" for i in range(20)]


# -- fetch

@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("case", [
    pytest.param(c, marks=[pytest.mark.native] * (c == "quick_start"))
    for c in CASES])
def test_fetch(shared, guarded, box, case, host):
    if not NODE:
        pytest.skip("needs node")
    r = subprocess.run(
        [NODE, SCRIPT, case, f"http://{host}:{shared.port}{API}", box,
         f"http://{host}:{guarded.port}{API}", KEY],
        capture_output=True, text=True, timeout=100)
    assert r.returncode == 0, r.stderr
    assert r.stdout == f"ok {case}\n"
