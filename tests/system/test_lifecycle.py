# SPDX-License-Identifier: MIT
"""Lives of daemons and sandboxes: start, stop, crash, adoption, expiry."""
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

import svm
from svm import API, descendants, free_port, pid_alive, wait_for

# Always in the middle of its output until it is told to end.
COUNT = r"""i=0; until [ -e enough ]; do echo "line $i"; i=$((i+1)); sleep 0.02; done; echo end"""


def enough(inst, sid):
    r = inst.exec(sid, "touch enough")
    assert r.json()["exit_code"] == 0, r


def is_whole(text):
    """Not a line is lost or twice."""
    n = text.count("\n") - 1
    return text == "".join(f"line {i}\n" for i in range(n)) + "end\n"


def wrote(inst, sid, session, since=0):
    """Wait until a session has written a line, more than it had `since`; how
    much that is.  However slow it is, its output is then cut in two by what
    a test does between two of these."""
    def output():
        # Not there while its agent takes a lost caller for one who follows.
        r = inst.api("GET", f"/sandboxes/{sid}/sessions/{session}")
        return r.status == 200 and r.json()["output_bytes"]

    return wait_for(lambda: (n := output()) > since and n,
                    f"a line of the session after {since} bytes", 60)


def agent_pid(inst, sid):
    """The sandbox's PID 1: among our descendants, by the sandbox's own pid
    file or by having appeared with it."""
    row = inst.api("GET", f"/sandboxes/{sid}", check=200).json()
    if row.get("pid"):
        return row["pid"]
    return inst.agents[sid]


def spawn_watched(inst, **fields):
    """Spawn, and remember which process is its agent: the one of that name,
    or the topmost new one."""
    before = set(descendants())
    sid = inst.sandbox(**fields)["id"]
    new = set(descendants()) - before
    table = svm.processes()
    tops = [p for p in new if p in table and table[p][2] not in new and
            p != inst.daemon_pid()]
    agent = inst.agent_of(sid) or min(tops)
    inst.agents = {**getattr(inst, "agents", {}), sid: agent}
    return sid


def session_output(inst, sid, session, until_enough=False):
    """Everything of a session up to its end."""
    ws = inst.ws(f"/sandboxes/{sid}/sessions/{session}/ws")
    assert ws.response.status == 101, ws.response
    if until_enough:
        enough(inst, sid)
    out, code = b"", None
    for m in ws.messages():
        if isinstance(m, bytes):
            out += m
        elif m["type"] in ("stdout", "stderr"):
            out += m["data"].encode()
        elif m["type"] == "exit":
            code = m["exit_code"]
    ws.close()
    return out.decode(), code


def detached(inst, sid, command, **fields):
    """Start a detached session; its id."""
    r = inst.exec(sid, command, detach=True, **fields)
    assert r.status in (200, 201, 202), r
    found = inst.api("GET", f"/sandboxes/{sid}/sessions", check=200).json()
    return found[-1]["id"]


# -- the tour

def test_two_command_tour(inst, tmp_path):
    """What README shows: spawn, cp, exec, list, kill, by names of commands."""
    program = tmp_path / "hello.sh"
    program.write_text("echo hello $1\nexit 3\n")
    sid = inst.spawn()
    assert sid.startswith("sb-") and len(sid) == 11
    inst.ok("cp", program, f"{sid}:/workspace/hello.sh")
    r = inst.run("exec", sid, "--", "sh", "/workspace/hello.sh", "you")
    assert (r.code, r.text) == (3, "hello you\n"), r
    assert sid in inst.ok("list").text
    inst.ok("kill", sid)
    assert sid not in inst.ok("list").text
    assert inst.must_fail("inspect", sid).code == 3


def test_spawn_rm_runs_and_removes(inst):
    r = inst.run("spawn", "--rm", "--", "sh", "-c", "echo out; exit 7")
    assert (r.code, r.text) == (7, "out\n"), r
    assert inst.ok("list", "-q").text == ""


# -- one daemon

def serving(inst):
    found = []
    for pid in descendants():
        try:
            cmd = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
            env = pathlib.Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            continue
        if b"\0serve" in cmd and f"={inst.state}\0".encode() in env:
            found.append(pid)
    return found


def test_fifty_calls_start_one_daemon(inst):
    calls = [inst.popen("list", "--json") for _ in range(50)]
    for c in calls:
        out, err = c.communicate(timeout=60)
        assert c.returncode == 0, err
        assert json.loads(out) == []
    assert len(serving(inst)) == 1


def test_a_socket_elsewhere(inst):
    """The command line finds the daemon wherever server.socket is."""
    elsewhere = inst.base / "other.sock"
    env = {"STACYVM_SERVER_SOCKET": str(elsewhere)}
    for _ in range(2):
        inst.ok("list", env=env)
        assert len(serving(inst)) == 1
        assert elsewhere.is_socket()
        inst.kill_daemon()  # leaves the link; the next one takes it over
    inst.ok("list", env=env)
    inst.ok("daemon", "stop")
    assert not elsewhere.exists()
    assert not list(inst.runtime.glob("*.sock"))


def test_two_instances_side_by_side(new_instance):
    a, b = new_instance(), new_instance()
    in_a, in_b = a.spawn(), b.spawn()
    assert a.ok("list", "-q").text.split() == [in_a]
    assert b.ok("list", "-q").text.split() == [in_b]
    a.ok("kill", in_a)
    a.ok("daemon", "stop")
    a.start()
    assert b.ok("exec", in_b, "--", "echo", "still here").text == "still here\n"


def test_second_daemon_on_one_state_directory_is_refused(inst, new_instance):
    inst.start()
    r = inst.must_fail("serve", timeout=60)
    assert str(inst.daemon_pid()) in r.errtext or "running" in r.errtext, r
    other = {"STACYVM_RUNTIME_DIR": str(inst.base / "r2")}
    r = inst.must_fail("serve", timeout=20, env=other)
    assert str(inst.state) in r.errtext, r
    assert len(serving(inst)) == 1
    assert inst.api("GET", "/health").status == 200


def test_stop_leaves_sandboxes_running(inst):
    sid = inst.start().sandbox()["id"]
    assert inst.exec(sid, "echo kept > /workspace/f").json()["exit_code"] == 0
    session = detached(inst, sid, COUNT)
    before = wrote(inst, sid, session)
    old = inst.daemon_pid()
    inst.ok("daemon", "stop")
    wait_for(lambda: not pid_alive(old), "the daemon to stop")
    inst.drop_client()
    assert descendants(), "the sandbox was stopped with the daemon"
    inst.start()
    assert inst.api("GET", f"/sandboxes/{sid}").json()["state"] == "running"
    assert inst.exec(sid, "cat /workspace/f").json()["stdout"] == "kept\n"
    wrote(inst, sid, session, before)
    out, code = session_output(inst, sid, session, until_enough=True)
    assert is_whole(out) and code == 0, (out, code)


# -- crashes

@pytest.mark.parametrize("frames", ["full", "plain"])
def test_stop_says_so_to_those_who_listen(new_instance, frames):
    """A stream ends at once, with a last word for who understands it, and
    the command goes on without it."""
    inst = new_instance(**svm.hurried(http_shutdown=100000))
    sid = inst.start().sandbox()["id"]
    c = inst.client()
    c.begin("POST", f"{API}/sandboxes/{sid}/exec",
            {"command": COUNT, "stream": True, "frames": frames})
    r = c.head()
    session = r.headers["x-session-id"]
    chunks = c.chunks(r)
    got = next(chunks)
    logs = inst.client()
    logs.begin("GET", f"{API}/sandboxes/{sid}/logs?follow=true")
    logs.head()
    begun = time.monotonic()
    inst.ok("daemon", "stop", "--timeout", "90s", timeout=100)
    assert time.monotonic() - begun < 60, "it waited for the stream"
    with pytest.raises((EOFError, ConnectionError, AssertionError)):
        for chunk in chunks:
            got += chunk
    last = json.loads(got.rstrip().rsplit(b"\n", 1)[-1])
    if frames == "full":
        assert (last["type"], last["code"]) == ("error", "UNAVAILABLE"), last
        assert session in last["remediation"]
    else:
        assert last["stream"] == "stdout"
    inst.drop_client()
    inst.start()
    wrote(inst, sid, session, sum(
        len(f["data"]) for f in map(json.loads, got.splitlines())
        if (f.get("stream") or f.get("type")) == "stdout"))
    out, code = session_output(inst, sid, session, until_enough=True)
    assert is_whole(out) and code == 0, (out, code)


def test_stop_says_so_to_exec(inst):
    """The command line tells what became of its command."""
    sid = inst.start().sandbox()["id"]
    p = inst.popen("exec", sid, "--", "sh", "-c", COUNT)
    p.stdout.readline()
    inst.ok("daemon", "stop")
    out, err = p.communicate(timeout=60)
    assert p.returncode == 125
    assert b"the command goes on" in err, err
    where = re.search(rf"stacyvm attach ({sid}\S*)".encode(), err)
    inst.drop_client()
    p = inst.popen("attach", where[1].decode(), bufsize=0)
    assert p.stdout.readline() == b"line 0\n"
    enough(inst, sid)
    out, err = p.communicate(timeout=60)
    assert is_whole("line 0\n" + out.decode()) and p.returncode == 0, (out, err)


def test_stop_says_how_many_go_on(inst):
    inst.start()
    assert inst.ok("daemon", "stop").text == "stopped\n"
    inst.spawn()
    assert inst.ok("daemon", "stop").text == \
        "stopped; 1 sandbox goes on running\n"
    inst.spawn()
    assert inst.ok("daemon", "stop").text == \
        "stopped; 2 sandboxes go on running\n"
    assert inst.ok("daemon", "stop").text == "not running\n"


def test_daemon_killed_session_goes_on(inst):
    """kill -9 in the middle of output: not a line is lost or twice."""
    inst.start()
    sid = inst.sandbox()["id"]
    session = detached(inst, sid, COUNT)
    before = wrote(inst, sid, session)
    inst.kill_daemon()
    inst.start()
    assert inst.api("GET", f"/sandboxes/{sid}").json()["state"] == "running"
    wrote(inst, sid, session, before)
    out, code = session_output(inst, sid, session, until_enough=True)
    assert is_whole(out) and code == 0, (out, code)


def test_daemon_killed_logs_are_there(inst):
    """What a command wrote is on record when it has been answered."""
    inst.start()
    sid = inst.sandbox()["id"]
    assert inst.exec(sid, "echo out; echo err >&2").json()["exit_code"] == 0
    inst.kill_daemon()
    inst.start()
    assert sorted(inst.api("GET", f"/sandboxes/{sid}/logs").json()) == \
        ["err", "out"]


def test_daemon_killed_plain_exec_finishes(inst):
    """A lost daemon is not a cancel: the command runs to its end."""
    inst.start()
    sid = inst.sandbox()["id"]
    fifo = "/workspace/go"
    inst.exec(sid, f"mkfifo {fifo}")
    with inst.client() as c:
        c.begin("POST", f"{API}/sandboxes/{sid}/exec",
                {"command": f"echo up > /workspace/up; cat {fifo}; "
                            "echo finished > /workspace/done"})
        wait_for(lambda: inst.api(
            "GET", f"/sandboxes/{sid}/files?path=/workspace/up").body == b"up\n",
            "the command to run")
        inst.kill_daemon()
    inst.start()
    assert inst.exec(sid, f"echo > {fifo}").json()["exit_code"] == 0
    wait_for(lambda: inst.api(
        "GET", f"/sandboxes/{sid}/files?path=/workspace/done").body ==
        b"finished\n", "the command to finish")


def test_daemon_killed_terminal_survives(inst):
    inst.start()
    sid = inst.sandbox()["id"]
    ws = inst.ws(f"/sandboxes/{sid}/exec/ws")
    assert ws.response.status == 101, ws.response
    ws.send({"type": "start", "command": "sh", "mode": "argv", "tty": True,
             "cols": 80, "rows": 24})
    ws.send({"type": "stdin", "data": "x=before-$((20+3)); echo $x\n"})
    seen = ""
    for m in ws.messages():
        seen += m.get("data", "") if isinstance(m, dict) else m.decode()
        if "before-23" in seen:
            break
    [session] = inst.api("GET", f"/sandboxes/{sid}/sessions").json()
    inst.kill_daemon()
    ws.close()
    inst.start()
    ws = inst.ws(f"/sandboxes/{sid}/sessions/{session['id']}/ws")
    ws.send({"type": "stdin", "data": "echo again-$x; exit 5\n"})
    out, code = "", None
    for m in ws.messages():
        if isinstance(m, bytes):
            out += m.decode()
        elif m["type"] == "stdout":
            out += m["data"]
        elif m["type"] == "exit":
            code = m["exit_code"]
    assert "before-23" in out, "the scrollback was lost"
    assert "again-before-23" in out and code == 5, (out, code)


def test_cli_says_so_when_the_daemon_is_lost(inst):
    sid = inst.spawn()
    p = inst.popen("exec", sid, "--", "sh", "-c", "echo begun; exec sleep 60")
    assert p.stdout.readline() == b"begun\n"
    inst.kill_daemon()
    out, err = p.communicate(timeout=60)
    assert p.returncode in (5, 125), (p.returncode, err)
    assert err.strip(), "no message"


@pytest.mark.native
def test_launcher_killed(inst):
    """Live sandboxes go on; the daemon starts another launcher."""
    inst.start()
    sid = inst.sandbox()["id"]
    daemon = inst.daemon_pid()
    [launcher] = [p for p in inst.children_of(daemon)
                  if b"launcher" in pathlib.Path(f"/proc/{p}/cmdline").read_bytes()]
    os.kill(launcher, signal.SIGKILL)
    wait_for(lambda: not pid_alive(launcher), "the launcher to be gone")
    assert inst.exec(sid, "echo alive").json()["stdout"] == "alive\n"

    def spawns():
        r = inst.api("POST", "/sandboxes", {})
        return r.status == 201 and r.json()["id"]
    other = wait_for(spawns, "a spawn through the next launcher")
    assert inst.exec(other, "echo new").json()["stdout"] == "new\n"
    assert inst.daemon_pid() == daemon


def test_agent_killed_is_an_error_with_a_reason(inst):
    inst.start()
    sid = spawn_watched(inst)
    other = inst.sandbox()["id"]
    os.kill(agent_pid(inst, sid), signal.SIGKILL)
    row = wait_for(lambda: (s := inst.api("GET", f"/sandboxes/{sid}").json()) and
                   s["state"] == "error" and s, "state error")
    reason = row.get("reason") or row.get("error")
    assert reason, row
    assert inst.exec(sid, "true").status == 409
    r = inst.must_fail("exec", sid, "true")
    assert r.code == 125 and reason in r.errtext and "kill" in r.errtext
    assert inst.exec(other, "echo ok").json()["stdout"] == "ok\n"
    inst.api("DELETE", f"/sandboxes/{sid}", check=200)
    inst.api("GET", f"/sandboxes/{sid}", check=404)


def test_daemon_and_agent_killed(inst):
    """What can't be adopted is not running afterwards, and says why."""
    inst.start()
    sid = spawn_watched(inst)
    agent = agent_pid(inst, sid)
    inst.kill_daemon()
    os.kill(agent, signal.SIGKILL)
    svm.reap()
    inst.start()
    r = inst.api("GET", f"/sandboxes/{sid}")
    assert r.status == 404 or r.json()["state"] in ("error", "destroyed"), r
    inst.api("DELETE", f"/sandboxes/{sid}", check=200)


# -- time to live

def test_ttl_expires(inst):
    inst.start()
    begin = time.monotonic()
    sid = inst.sandbox(ttl="1s")["id"]
    keep = inst.sandbox(ttl="1h")["id"]
    wait_for(lambda: inst.api("GET", f"/sandboxes/{sid}").status == 404,
             "the sandbox to expire")
    assert time.monotonic() - begin >= 1
    assert inst.api("GET", f"/sandboxes/{keep}").json()["state"] == "running"


def test_extend_moves_the_end(inst):
    inst.start()
    sid = inst.sandbox(ttl="1s")["id"]
    inst.api("POST", f"/sandboxes/{sid}/extend", {"ttl": "1h"}, check=200)
    gone = inst.sandbox(ttl="1500ms")["id"]
    wait_for(lambda: inst.api("GET", f"/sandboxes/{gone}").status == 404,
             "the other one to expire")
    assert inst.api("GET", f"/sandboxes/{sid}").json()["state"] == "running"


def test_expired_while_no_daemon_ran(new_instance):
    inst = new_instance(**svm.hurried(ttl_grace=200)).start()
    sid = inst.sandbox(ttl="1s")["id"]
    inst.kill_daemon()
    wait_for(lambda: not descendants(), "the agent's own deadline to end it")
    inst.start()
    wait_for(lambda: inst.api("GET", f"/sandboxes/{sid}").status == 404,
             "it to be gone")


# -- who may call, and hosts that refuse

def as_other(code, *args):
    """Run Python as another uid; its output."""
    return subprocess.run(
        ["setpriv", "--reuid", "58999", "--regid", "58999", "--clear-groups",
         sys.executable, "-I", "-c", code, *map(str, args)],
        capture_output=True, text=True, timeout=60)


ASK_UNIX = """
import socket, sys
s = socket.socket(socket.AF_UNIX); s.settimeout(10)
try:
    s.connect(sys.argv[1])
    s.sendall(b"GET /api/v1/health HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n")
    print(s.recv(4096).decode())
except OSError as e:
    print(e)
"""
ASK_TCP = ASK_UNIX.replace("AF_UNIX", "AF_INET").replace(
    "s.connect(sys.argv[1])", "s.connect(('127.0.0.1', int(sys.argv[1])))")


@pytest.mark.root
def test_another_uid_is_kept_from_the_unix_socket(inst):
    inst.start()
    out = as_other(ASK_UNIX, inst.socket).stdout
    assert "Permission denied" in out, out


@pytest.mark.root
def test_another_uid_on_the_unix_socket_is_refused(inst):
    """Even when somebody opened the directory: the peer's uid counts."""
    inst.start()
    os.chmod(inst.base, 0o711)
    os.chmod(inst.runtime, 0o711)
    os.chmod(inst.socket, 0o666)
    out = as_other(ASK_UNIX, inst.socket).stdout
    assert '"status"' not in out and "200 OK" not in out, out
    assert "Permission denied" not in out, f"not the check under test: {out}"
    assert inst.api("GET", "/health").status == 200


def ask_tcp(port, headers, what=f"GET {API}/health"):
    with socket.create_connection(("127.0.0.1", port), 10) as s:
        s.sendall(f"{what} HTTP/1.1\r\n{headers}\r\n".encode())
        return s.recv(4096).decode()


def test_tcp_answers_its_own_user(new_instance):
    port = free_port()
    new_instance(env={"STACYVM_SERVER_PORT": str(port)}).start()
    assert "200 OK" in ask_tcp(port, f"Host: localhost:{port}\r\n")


@pytest.mark.root
def test_another_uid_on_tcp_is_refused(new_instance):
    port = free_port()
    inst = new_instance(env={"STACYVM_SERVER_PORT": str(port)}).start()
    out = as_other(ASK_TCP, port).stdout
    assert "200 OK" not in out and '"status"' not in out, out
    assert "refused" not in out, f"nobody listens: {out}"
    assert inst.api("GET", "/health").status == 200


def test_a_web_page_is_refused_on_tcp(new_instance):
    port = free_port()
    new_instance(env={"STACYVM_SERVER_PORT": str(port)}).start()
    assert " 403 " in ask_tcp(port, "Host: evil.example\r\n")
    assert " 403 " in ask_tcp(
        port, f"Host: localhost:{port}\r\nOrigin: https://evil.example\r\n"
        "Content-Length: 0\r\n", f"POST {API}/sandboxes")


@pytest.fixture
def mounted(inst):
    """Mounts a file system on the state directory, for this test."""
    done = []

    def mount(options):
        inst.state.mkdir(mode=0o700, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs",
                        inst.state], check=True)
        done.append(inst.state)

    yield mount
    for path in done:
        inst.drop_client()
        inst.destroy_all()
        inst.drop_client()
        inst.run("daemon", "stop")
        subprocess.run(["umount", "-l", path], check=True)


def test_read_only_state_directory(inst):
    if svm.IS_ROOT and not svm.IS_WHOLE_ROOT:
        pytest.skip("this root can write everywhere and mount nothing")
    inst.state.mkdir(mode=0o700)
    if svm.IS_WHOLE_ROOT:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "ro,mode=700", "tmpfs",
                        inst.state], check=True)
    else:
        inst.state.chmod(0o500)
    try:
        r = inst.must_fail("list", timeout=60)
        assert str(inst.state) in r.errtext, r
        assert not serving(inst)
    finally:
        if svm.IS_WHOLE_ROOT:
            subprocess.run(["umount", inst.state], check=True)
        inst.state.chmod(0o700)


def fill(where):
    """To the last byte; returns what with."""
    with open(where / "filler", "wb", buffering=0) as f:
        for size in (65536, 1):
            with contextlib.suppress(OSError):
                while f.write(b"x" * size):
                    pass
    return where / "filler"


@pytest.mark.root
def test_a_start_on_a_full_disk_says_so(inst, mounted):
    """Though the log that would say it has no room either."""
    mounted("size=1m,mode=700")
    fill(inst.state)
    r = inst.must_fail("list", timeout=60)
    assert r.code == 5 and "the daemon did not start: can't" in r.errtext, r
    assert "No space left on device" in r.errtext, r
    (inst.state / "filler").unlink()
    assert inst.ok("list", "-q").text == ""


@pytest.mark.root
def test_full_disk(inst, mounted):
    """Refused with a reason, nothing half-made, and well again afterwards."""
    mounted("size=8m,mode=700")
    inst.start()
    sid = inst.sandbox()["id"]
    filler = fill(inst.state)
    seen = set()
    for _ in range(40):
        r = inst.api("POST", "/sandboxes", {})
        seen.add(r.status)
        if r.status != 201:
            assert r.status in (503, 507), r
            assert r.json()["message"], r
        else:
            inst.api("DELETE", f"/sandboxes/{r.json()['id']}")
    assert inst.api("GET", "/health").status == 200
    filler.unlink()
    assert inst.exec(sid, "echo well").json()["stdout"] == "well\n"
    new = inst.sandbox()["id"]
    rows = inst.api("GET", "/sandboxes").json()
    assert sorted(b["id"] for b in rows if b["state"] == "running") == sorted(
        [sid, new]), rows


def test_spawns_at_once_are_all_different(inst):
    inst.start()
    ids, threads = [], []

    def spawn():
        with inst.client() as c:
            r = c.request("POST", API + "/sandboxes", {})
            ids.append(r.json()["id"] if r.status == 201 else r)
    for _ in range(16):
        threads.append(threading.Thread(target=spawn))
        threads[-1].start()
    for t in threads:
        t.join()
    assert len(set(ids)) == 16 and all(isinstance(i, str) for i in ids), ids
