# SPDX-License-Identifier: MIT
"""Streams, silence, and callers that leave, as the published Python clients
have them."""
import asyncio
import concurrent.futures
import json
import re

import pytest

from clients import SPAWN, gone, httpx, stream
from svm import API, wait_for

# A character in two writes, and what str.splitlines() would split at.
ODD_OUTPUT = (r"printf 'a\342'; sleep 0.2; printf '\202\254b\n';"
              r" printf 'x\342\200\250y\302\205z\342\200\251\014\034.'")
ODD_TEXT = "a€b\nx\u2028y\x85z\u2029\f\x1c."
SILENCE = 9 # seconds; a sign of life is due after 5
PATIENCE = 8 # how much silence the callers of these commands stand


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
        client.post(f"/sandboxes/{box}/exec", timeout=3, json={
            "command": "echo $$ >pid; sleep 1000"})
    r = client.get(f"/sandboxes/{box}/files", params={"path": "/workspace/pid"})
    gone(shared, box, int(r.text))


# -- time

def slow_spawn(client):
    """Its setup takes longer than the caller stands silence."""
    return client.post("/templates/slow/spawn", json=SPAWN)


def make_slow(inst):
    inst.api("POST", "/templates", {"name": "slow", "image": "host",
                                    "setup": [f"sleep {SILENCE}"]})


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

    make_slow(shared)
    with httpx.Client(base_url=f"http://127.0.0.1:{shared.port}{API}",
                      timeout=PATIENCE) as c, \
            concurrent.futures.ThreadPoolExecutor(1) as other, \
            concurrent.futures.ThreadPoolExecutor(1) as third:
        lines = other.submit(read_slow_stream, c)
        made = third.submit(slow_spawn, c)
        assert slow_exec(c, box).json()["stdout"] == "done\n"
        check_slow_stream(lines.result())
        assert made.result().status_code == 201
        c.delete(f"/sandboxes/{made.result().json()['id']}")
        c.delete("/templates/slow")


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
            r, made, lines, _ = await asyncio.gather(
                slow_exec(c, box), slow_spawn(c), read_slow_stream(c),
                idle(base))
            assert made.status_code == 201
            await c.delete(f"/sandboxes/{made.json()['id']}")
            await c.delete("/templates/slow")
        assert r.json()["stdout"] == "done\n"
        check_slow_stream(lines)

    make_slow(shared)

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


def test_async_quick_starts_side_by_side(shared):
    """Each spawns, writes, runs, reads and destroys, all in one loop."""
    if not httpx:
        pytest.skip("needs python3-httpx")

    async def one(c, i):
        r = await c.post("/sandboxes", json={**SPAWN, "memory_mb": 64})
        assert r.status_code == 201, r.text
        at = f"/sandboxes/{r.json()['id']}"
        await c.post(at + "/files", json={"path": "/workspace/f",
                                          "content": f"{i}\n"})
        r = await c.post(at + "/exec", json={"command": "cat f; echo x >g"})
        assert r.json()["stdout"] == f"{i}\n"
        r = await c.get(at + "/files", params={"path": "/workspace/g"})
        assert r.text == "x\n"
        assert (await c.delete(at)).json() == {"status": "destroyed"}
        return at

    async def run():
        async with httpx.AsyncClient(
                base_url=f"http://localhost:{shared.port}{API}",
                timeout=60) as c:
            return await asyncio.gather(*(one(c, i) for i in range(12)))

    assert len(set(asyncio.run(run()))) == 12


def test_a_cancelled_spawn_leaves_nothing(shared):
    """A task that is cancelled, as asyncio.timeout() does it."""
    if not httpx:
        pytest.skip("needs python3-httpx")
    shared.api("POST", "/templates", {"name": "endless", "image": "host",
                                      "setup": ["sleep 1000"]})

    def creating():
        return [b for b in shared.api("GET", "/sandboxes").json()
                if b["state"] == "creating"]

    async def run():
        async with httpx.AsyncClient(
                base_url=f"http://localhost:{shared.port}{API}",
                timeout=60) as c:
            task = asyncio.create_task(
                c.post("/templates/endless/spawn", json=SPAWN))
            await asyncio.to_thread(wait_for, creating, "the spawn to begin")
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(run())
    wait_for(lambda: not creating(), "the half-made sandbox to go")
    shared.api("DELETE", "/templates/endless")


# -- events

def take_event(lines, seen):
    """Of an SSE stream that is read line by line."""
    for line in lines:
        if line.startswith("data: "):
            seen.append(json.loads(line[6:]))
            return
        assert not line.startswith("event:"), line


def test_events_sync(client, shared, box):
    seen = []
    with client.stream("GET", "/events", params={
            "type": "file.written", "sandbox_id": box}) as r:
        assert r.headers["content-type"].startswith("text/event-stream")
        lines = r.iter_lines()
        for n in "ab":
            client.post(f"/sandboxes/{box}/files",
                        json={"path": f"/tmp/{n}", "content": n})
            take_event(lines, seen)
    assert [e["data"]["path"] for e in seen] == ["/tmp/a", "/tmp/b"]
    # Whoever comes back says what it saw last.
    with client.stream("GET", "/events", params={"sandbox_id": box},
                       headers={"Last-Event-ID": str(seen[0]["id"])}) as r:
        again = []
        take_event(r.iter_lines(), again)
    assert again == [seen[1]]


def test_events_async(shared, box):
    if not httpx:
        pytest.skip("needs python3-httpx")

    async def run():
        async with httpx.AsyncClient(
                base_url=f"http://localhost:{shared.port}{API}") as c:
            async with c.stream("GET", "/events", params={
                    "type": "exec.completed"}) as r:
                await c.post(f"/sandboxes/{box}/exec",
                             json={"command": "exit 7"})
                async for line in r.aiter_lines():
                    if line.startswith("data: "):
                        return json.loads(line[6:])

    e = asyncio.run(run())
    assert e["sandbox_id"] == box and e["data"]["exit_code"] == 7


# -- a server of one's own

@pytest.mark.native # the mock has no ports of its own
def test_preview_of_a_server_in_the_background(shared, client):
    """The example: start a server with &, then open its address.  It logs
    every request to an output that nobody holds any more."""
    if not httpx:
        pytest.skip("needs python3-httpx")
    made = client.post("/sandboxes", json=SPAWN).json()
    at = f"/sandboxes/{made['id']}"
    client.post(at + "/files", json={"path": "/app/index.html",
                                     "content": "hello from inside"})
    r = client.post(at + "/exec", json={
        "command": "cd /app && python3 -m http.server 3000 &"})
    assert r.json()["exit_code"] == 0
    name = f"3000-{made['id']}.{made['preview_domain']}"

    def fetch():
        # No resolver is asked for it: *.localhost is this machine.
        return httpx.get(f"http://127.0.0.1:{shared.port}/index.html",
                         headers={"Host": name})

    wait_for(lambda: fetch().status_code == 200, "the server to answer")
    for _ in range(20):
        assert fetch().text == "hello from inside"
    client.delete(at)
