# SPDX-License-Identifier: MIT
"""Exec over REST and WebSocket: every promise of API.md section 4."""
import base64
import json
import os
import re
import signal
import socket
import threading
import time

import pytest

import conftest
import svm
from svm import API, wait_for


@pytest.fixture(scope="module", params=["mock", "native"])
def shared(request):
    only = os.environ.get("STACYVM_TEST_PROVIDER")
    if only and only != request.param:
        pytest.skip(f"STACYVM_TEST_PROVIDER is {only}")
    if request.param == "native" and conftest.default_provider() != "native":
        pytest.skip("needs the native provider: " +
                    os.environ.get("STACYVM_TEST_WHY_NOT_NATIVE", "")[:200])
    i = svm.Instance(request.param)
    i.start()
    yield i
    i.stop()


@pytest.fixture(scope="module")
def hurried(shared):
    """One that loses its patience sooner; its provider is that of shared."""
    i = svm.Instance(shared.provider, **svm.hurried(
        http_keepalive=300, ws_start=500))
    i.start()
    i.box = i.sandbox()["id"]
    yield i
    i.stop()


@pytest.fixture
def run(shared, box):
    """Run a command in this test's sandbox and return the decoded reply."""
    def run(command, status=200, **fields):
        r = shared.exec(box, command, **fields)
        assert r.status == status, r
        return r.json()
    return run


def marker():
    """An argument by which a process of this test is found."""
    return f"77{os.getpid()}{time.monotonic_ns() % 10**9}"


def running(mark):
    """Processes with the marker in their command line."""
    found = []
    for pid in svm.descendants():
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                if mark.encode() in f.read():
                    found.append(pid)
        except OSError:
            pass
    return found


def gone(mark):
    wait_for(lambda: not running(mark), f"processes {mark} to be gone")


def begin(shared, box, **fields):
    """Start an exec on a connection of its own; the reply is not read."""
    c = shared.client()
    c.begin("POST", f"{API}/sandboxes/{box}/exec", fields)
    return c


def lines(c, r):
    """The objects of an NDJSON reply, as they come; blank lines are none."""
    rest = b""
    for piece in c.chunks(r):
        rest += piece
        *whole, rest = rest.split(b"\n")
        for line in whole:
            if line:
                yield json.loads(line)
    assert rest == b"", "a line without its end"


def stream(shared, box, command, **fields):
    """A whole stream: (reply, objects)."""
    c = begin(shared, box, command=command, stream=True, **fields)
    r = c.head()
    if r.status != 200:
        r.body = b"".join(c.chunks(r))
        return r, []
    out = list(lines(c, r))
    c.close()
    return r, out


def text(objects, stream):
    return "".join(o["data"] for o in objects if o.get("stream") == stream)


# -- plain

def test_quick_start_of_the_clients(shared, box):
    """What the published SDKs do first."""
    r = shared.api("POST", f"/sandboxes/{box}/files",
                   {"path": "/app/main.py", "content": "print('hello')\n"})
    assert r.status == 200 and r.json() == {"status": "written"}
    r = shared.exec(box, "cat main.py", workdir="/app", timeout="",
                    env={}, args=[])
    assert r.status == 200, r
    assert r.json()["stdout"] == "print('hello')\n"


def test_output_and_exit_code(run):
    r = run("echo out; echo err >&2; exit 3")
    assert (r["exit_code"], r["stdout"], r["stderr"]) == (3, "out\n", "err\n")
    assert r["duration"].endswith("s")
    assert "truncated" not in r and "signal" not in r


@pytest.mark.parametrize("name,number", [("KILL", 9), ("TERM", 15),
                                         ("SEGV", 11)])
def test_death_by_signal(run, name, number):
    r = run(f"kill -{name} $$")
    assert (r["exit_code"], r["signal"]) == (128 + number, name)


def test_program_that_is_not_there(run):
    r = run("/no/such/program", mode="argv")
    assert r["exit_code"] == 127 and r["stderr"]
    r = run("no-such-program-at-all")
    assert r["exit_code"] == 127 and r["stderr"]


def test_program_that_is_not_executable(run):
    run("echo x >plain; chmod 644 plain")
    r = run("./plain", mode="argv")
    assert r["exit_code"] == 126 and r["stderr"]


def test_arguments_are_quoted_for_the_shell(run):
    hard = ["a b", "it's", "$HOME", "`id`", "", "*", "\\", "\n", "ünï"]
    r = run("printf '[%s]'", args=hard)
    assert r["stdout"] == "".join(f"[{a}]" for a in hard)


def test_argv_mode_has_no_shell(run):
    r = run("printf", args=["[%s]", "$HOME; `id`"], mode="argv")
    assert r["stdout"] == "[$HOME; `id`]"


def test_environment(run):
    r = run("printf '%s|%s|%s' \"$A\" \"$B\" \"${HOME:+home}\"",
            env={"A": "1 2", "B": "ü=\n"})
    assert r["stdout"] == "1 2|ü=\n|home"


def test_home_and_workspace_are_writable(run):
    r = run("touch \"$HOME/x\" y && cd && pwd >/dev/null && echo ok")
    assert r["stdout"] == "ok\n", r


def test_missing_workdir_is_the_callers_mistake(run):
    r = run("true", status=400, workdir="/no/such/place")
    assert r["code"] == "BAD_REQUEST"


def test_stdin(run):
    assert run("cat", stdin="a\0b\nü")["stdout"] == "a\0b\nü"
    assert run("cat; echo end", stdin="")["stdout"] == "end\n"
    assert run("cat; echo end")["stdout"] == "end\n"


def test_large_stdin(run):
    data = "0123456789abcdef" * 65536 * 2
    assert run("wc -c", stdin=data)["stdout"].strip() == str(len(data))


def test_stdin_nobody_reads(run):
    assert run("exit 4", stdin="x" * 3000000)["exit_code"] == 4


def test_invalid_utf8_is_replaced(run):
    assert run(r"printf 'a\377b\303'")["stdout"] == "a\ufffdb\ufffd"


def test_base64_keeps_every_byte(run):
    r = run(r"printf '\000\001\377\303'; printf '\200' >&2",
            encoding="base64")
    assert base64.b64decode(r["stdout"]) == b"\x00\x01\xff\xc3"
    assert base64.b64decode(r["stderr"]) == b"\x80"


def test_output_over_the_limit_is_cut_and_drained(run):
    r = run("head -c 9000000 /dev/zero | tr '\\0' x; echo done >&2")
    assert r["truncated"] is True
    assert len(r["stdout"]) == 8 * 1024 * 1024
    assert (r["exit_code"], r["stderr"]) == (0, "done\n")


def test_background_server_does_not_hold_the_call(shared, box, run):
    mark = marker()
    start = time.monotonic()
    r = run(f"sleep {mark} & echo started")
    assert r["stdout"] == "started\n"
    assert time.monotonic() - start < 60
    wait_for(lambda: running(mark), "the background command")


def test_what_is_left_running_may_go_on_writing(shared, box, run):
    """No EPIPE, no blocking, and the words end up in the log."""
    r = run("(sleep 0.3; echo from-behind; echo wrote >mark) & echo now")
    assert r["stdout"] == "now\n"
    wait_for(lambda: run("cat mark 2>/dev/null || true")["stdout"] ==
             "wrote\n", "the background child to write")
    wait_for(lambda: any("from-behind" in line for line in shared.api(
        "GET", f"/sandboxes/{box}/logs", check=200).json()),
        "its words in the log")


@pytest.mark.parametrize("how", [
    "sleep {m}",
    "trap '' TERM; sleep {m} & sleep {m}; sleep {m}",
    "setsid sleep {m} & setsid -f sh -c 'sleep {m} & sleep {m}'; sleep {m}",
])
def test_timeout_kills_the_tree_and_nothing_else(shared, box, run, how):
    other, mark = marker(), marker()
    run(f"sleep {other} &")
    r = run(how.format(m=mark), status=408, timeout="400ms")
    assert r["code"] == "TIMEOUT"
    assert not running(mark), "the tree must be dead when 408 is answered"
    assert running(other)


def test_a_timeout_that_is_not_needed(run):
    assert run("echo hi", timeout="1m")["stdout"] == "hi\n"


@pytest.mark.parametrize("fields", [
    {"command": ""}, {"command": 5}, {"command": ["a"]},
    {"command": "true", "args": "a"}, {"command": "true", "args": [1]},
    {"command": "true", "mode": "perl"}, {"command": "true", "env": []},
    {"command": "true", "env": {"A": 1}}, {"command": "true", "env": {"": ""}},
    {"command": "true", "env": {"A=B": ""}},
    {"command": "true", "env": {"A\n": ""}},
    {"command": "true", "workdir": "relative"},
    {"command": "true", "workdir": "/" + "x" * 5000},
    {"command": "true", "workdir": 5},
    {"command": "true", "timeout": "soon"}, {"command": "true", "timeout": 5},
    {"command": "true", "timeout": "-1s"},
    {"command": "true", "stream": "yes"}, {"command": "true", "stdin": 5},
    {"command": "true", "encoding": "latin-1"},
    {"command": "true", "frames": "some"},
    {"command": "tr\0ue"}, {"command": "true", "args": ["\0"]},
    {"command": "true", "tty": True, "cols": 100000},
    {"command": "true", "stream": True, "detach": True},
    {},
])
def test_bad_input_is_400(shared, box, fields):
    r = shared.api("POST", f"/sandboxes/{box}/exec", fields)
    assert r.status == 400, r
    assert r.json()["code"] == "BAD_REQUEST" and r.json()["message"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b"{}x", b"\xff",
                                  b'{"command":"a","command":"b"}',
                                  b'{"a":' + b"[" * 100 + b"]" * 100 + b"}"])
def test_malformed_bodies_are_400(shared, box, body):
    r = shared.api("POST", f"/sandboxes/{box}/exec", body)
    assert r.status == 400 and r.json()["code"] == "BAD_REQUEST", r


def test_not_given_in_every_spelling(run):
    for none in ("", None, 0):
        assert run("pwd", workdir=none, timeout=none)["exit_code"] == 0


def test_too_large_arguments_say_so(shared, box):
    r = shared.exec(box, "true", args=["x" * 200000])
    assert r.status == 413 and r.json()["code"] == "TOO_LARGE", r
    r = shared.exec(box, "true", mode="argv", args=["x" * 100000] * 12)
    assert r.status == 413, r


def test_unknown_sandbox(shared):
    r = shared.exec("sb-00000000", "true")
    assert r.status == 404 and r.json()["code"] == "NOT_FOUND"


def test_many_at_once(shared, box):
    """Each gets its own output, over connections of their own."""
    got = {}

    def one(i):
        with shared.client() as c:
            r = c.request("POST", f"{API}/sandboxes/{box}/exec",
                          {"command": f"echo {i}; sleep 0.05"})
            got[i] = r.json()["stdout"]

    threads = [threading.Thread(target=one, args=(i,)) for i in range(20)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert got == {i: f"{i}\n" for i in range(20)}


# -- who goes away

def vanish(shared, box, mark, **fields):
    c = begin(shared, box, command=f"setsid sleep {mark} & sleep {mark}",
              **fields)
    wait_for(lambda: len(running(mark)) >= 2, "the command to start")
    return c


@pytest.mark.parametrize("streamed", [False, True])
def test_a_caller_that_vanishes_kills_the_tree(shared, box, streamed):
    mark = marker()
    c = vanish(shared, box, mark, stream=streamed)
    c.close()
    gone(mark)


def test_a_half_closed_caller_is_answered(shared, box):
    c = begin(shared, box, command="sleep 0.3; echo alive")
    c.sock.shutdown(socket.SHUT_WR)
    r = c.reply("POST")
    assert r.status == 200 and r.json()["stdout"] == "alive\n"


def test_a_detached_command_outlives_its_caller(shared, box):
    mark = marker()
    r = shared.exec(box, f"sleep {mark}", detach=True)
    assert r.status == 200, r
    sid = r.json()["session_id"]
    assert r.json()["pid"] > 0
    shared.drop_client()
    svm.wait_for(lambda: running(mark), "the command") # its shell was there
    r = shared.api("DELETE", f"/sandboxes/{box}/sessions/{sid}", check=200)
    assert not running(mark)


def test_destroying_the_sandbox_ends_the_call(shared):
    box = shared.sandbox()["id"]
    mark = marker()
    c = vanish(shared, box, mark)
    shared.api("DELETE", f"/sandboxes/{box}", check=200)
    r = c.reply("POST")
    assert r.status >= 400, r
    assert r.json()["code"] in ("CONFLICT", "NOT_FOUND", "PROVIDER_ERROR")
    gone(mark)


# -- streams

def test_stream_head_comes_with_the_start(shared, box):
    c = begin(shared, box, command="read x; echo after", stdin="",
              stream=True)
    r = c.head()
    assert r.status == 200
    assert r.headers["content-type"] == "application/x-ndjson"
    assert r.headers["cache-control"] == "no-cache"
    assert r.headers["x-accel-buffering"] == "no"
    assert r.headers["trailer"].lower() == "x-exit-code"
    assert text(lines(c, r), "stdout") == "after\n"
    assert r.trailers["x-exit-code"] == "0"


def test_stream_is_live(shared, box):
    shared.exec(box, "mkfifo fifo")
    c = begin(shared, box, command="echo one; read x <fifo; echo two",
              stream=True)
    r = c.head()
    it = lines(c, r)
    assert next(it) == {"stream": "stdout", "data": "one\n"}
    shared.exec(box, "echo go >fifo")
    assert next(it)["data"] == "two\n"
    assert list(it) == []


def test_stream_exit_code_in_the_trailer(shared, box):
    r, out = stream(shared, box, "echo a; echo b >&2; exit 7")
    assert r.trailers == {"x-exit-code": "7"}
    assert text(out, "stdout") == "a\n" and text(out, "stderr") == "b\n"
    assert all(set(o) == {"stream", "data"} for o in out)


def test_stream_full_frames(shared, box):
    r, out = stream(shared, box, "echo a; kill -9 $$", frames="full")
    assert out[-1] == {"type": "exit", "exit_code": 137, "signal": "KILL"}
    assert r.trailers == {"x-exit-code": "137"}


def test_stream_timeout_says_so(shared, box):
    mark = marker()
    r, out = stream(shared, box, f"echo a; sleep {mark}", timeout="300ms")
    assert out[-1] == {"stream": "stderr", "data": f"exec timeout: {box}\n"}
    assert not running(mark)
    r, out = stream(shared, box, f"sleep {mark}", timeout="300ms",
                    frames="full")
    assert out[-1]["type"] == "error" and out[-1]["code"] == "TIMEOUT"


def test_stream_that_fails_to_start_is_a_status(shared, box):
    r, _ = stream(shared, box, "true", workdir="/no/such/place")
    assert r.status == 400 and json.loads(r.body)["code"] == "BAD_REQUEST"


def test_stream_chunks_are_small_and_whole_characters(shared, box):
    word = "äöü€😀" * 40000
    r, out = stream(shared, box, "cat", stdin=word)
    assert text(out, "stdout") == word
    assert all(len(o["data"].encode()) <= 16384 for o in out)
    assert "\ufffd" not in text(out, "stdout")


def test_stream_split_character_waits(shared, box):
    r, out = stream(shared, box, r"printf '\342'; sleep 0.1; "
                    r"printf '\202'; sleep 0.1; printf x >&2; printf '\254'; "
                    r"printf '\303'")
    assert text(out, "stdout") == "€\ufffd" and text(out, "stderr") == "x"


def test_stream_lines_hold_no_line_breaks(shared, box):
    data = "a\x85b\u2028c\u2029d\re\x0bf\x0cg\x1ch\x7f"
    c = begin(shared, box, command="cat", stdin=data, stream=True)
    r = c.head()
    raw = b"".join(c.chunks(r)).decode()
    # What httpx calls a line: str.splitlines()
    assert len(raw.splitlines()) == raw.count("\n")
    assert "".join(json.loads(l)["data"] for l in raw.splitlines()) == data


def test_stream_base64(shared, box):
    r, out = stream(shared, box, r"printf '\377\000'", encoding="base64")
    assert b"".join(base64.b64decode(o["data"]) for o in out) == b"\xff\0"


def test_stream_of_ten_megabytes_to_a_slow_reader(shared, box):
    """Bounded memory: the command waits for the reader."""
    c = begin(shared, box, stream=True,
              command="head -c 10000000 /dev/zero | tr '\\0' x; echo >made")
    r = c.head()
    pid = shared.daemon_pid()
    before = rss(pid)
    svm.wait_until_stalled(c.sock)
    made = shared.exec(box, "cat made 2>/dev/null; true").json()["stdout"]
    assert made == "", "nobody has read, so it can't have ended"
    assert svm.SANITIZED or rss(pid) - before < 8 << 20
    total = sum(len(o["data"]) for o in lines(c, r))
    assert total == 10000000 and r.trailers["x-exit-code"] == "0"


@pytest.mark.parametrize("fields", [{}, {"stream": True}], ids=str)
def test_a_command_that_calls_the_api(new_instance, fields):
    """About its own sandbox, while its caller waits for it: nobody waits for
    anybody in a circle.  (The mock's commands reach the daemon's socket.)"""
    inst = new_instance(provider="mock")
    inst.start()
    sid = inst.sandbox()["id"]
    line = (f"for i in 1 2 3; do {inst.binary} exec {sid} -- echo inner $i; "
            f"{inst.binary} list -q; done")
    env = {k: inst.env[k] for k in ("STACYVM_STATE_DIR", "HOME",
                                    "STACYVM_RUNTIME_DIR")}
    r = inst.exec(sid, line, env=env, **fields)
    assert r.status == 200, r
    said = r.json()["stdout"] if not fields else "".join(
        json.loads(x)["data"] for x in r.text.split("\n") if x)
    assert said == "".join(f"inner {i}\n{sid}\n" for i in (1, 2, 3)), r


def rss(pid):
    with open(f"/proc/{pid}/status") as f:
        for line in f:
            if line.startswith("VmRSS"):
                return int(line.split()[1]) * 1024
    return 0


def silent(hurried, **fields):
    """A command that says nothing until it is told to."""
    assert hurried.exec(hurried.box, "rm -f go").json()["exit_code"] == 0
    return begin(hurried, hurried.box, command="until [ -e go ]; do "
                 "sleep 0.05; done; echo end", **fields)


def test_stream_silence_is_filled(hurried):
    c = silent(hurried, stream=True)
    r = c.head()
    pieces = c.chunks(r)
    assert next(pieces) == b"\n"
    assert hurried.exec(hurried.box, "touch go").json()["exit_code"] == 0
    assert b"end" in b"".join(pieces)


def test_plain_silence_is_filled_with_102(hurried):
    begun = time.monotonic()
    c = silent(hurried)
    c.sock.recv(1, socket.MSG_PEEK)
    assert hurried.exec(hurried.box, "touch go").json()["exit_code"] == 0
    r = c.reply("POST")
    assert set(r.interim) == {102} and r.json()["stdout"] == "end\n"
    assert len(r.interim) <= (time.monotonic() - begun) / 0.3, r.interim


def test_stream_cut_short_has_no_final_chunk(shared):
    """A clean end means success, so this one must not be clean."""
    box = shared.sandbox()["id"]
    c = begin(shared, box, command="echo a; sleep 100", stream=True)
    r = c.head()
    it = lines(c, r)
    assert next(it)["data"] == "a\n"
    shared.api("DELETE", f"/sandboxes/{box}", check=200)
    with pytest.raises(ConnectionError):
        list(it)


# -- events and logs

def test_events_and_logs(shared, box):
    shared.exec(box, "echo seen; echo also >&2; exit 5")
    log = shared.api("GET", f"/sandboxes/{box}/logs", check=200).json()
    assert "seen" in "\n".join(log) and "also" in "\n".join(log)


# -- WebSocket

@pytest.fixture
def ws(shared, box):
    """Opens a WebSocket and sends the start message."""
    made = []

    def ws(start=None, path="exec/ws"):
        w = shared.ws(f"/sandboxes/{box}/{path}")
        made.append(w)
        assert w.response.status == 101, w.response
        if start is not None:
            w.send(start if isinstance(start, (str, bytes))
                   else {"type": "start", **start})
        return w

    yield ws
    for w in made:
        w.close()


def output(messages, stream="stdout"):
    return "".join(m["data"] for m in messages
                   if isinstance(m, dict) and m.get("type") == stream)


def test_ws_exec(ws):
    w = ws({"command": "echo out; echo err >&2; exit 3"})
    got = list(w.messages())
    assert {"type": "stdout", "stream": "stdout", "data": "out\n"} in got
    assert {"type": "stderr", "stream": "stderr", "data": "err\n"} in got
    assert got[-2:] == [{"type": "exit", "exit_code": 3}, {"type": "done"}]
    assert w.close_code == 1000


def test_ws_start_without_a_type(ws):
    w = ws('{"command": "echo hi"}')
    assert output(w.messages()) == "hi\n"


def test_ws_stdin_text_binary_and_eof(ws):
    w = ws({"command": "cat"})
    w.send({"type": "stdin", "data": "a\0b"})
    w.send(b"\xc3")
    w.send(b"\xbc")
    w.send({"type": "eof"})
    assert output(w.messages()) == "a\0bü"


def test_ws_binary_output(ws):
    w = ws({"command": r"printf '\000\377'", "binary": True})
    got = list(w.messages())
    assert b"".join(m for m in got if isinstance(m, bytes)) == b"\0\xff"


def test_ws_signal(ws):
    w = ws({"command": "trap 'echo caught; exit 9' USR1; echo ready; "
                       "while :; do sleep 0.05; done"})
    it = w.messages()
    assert next(it)["data"] == "ready\n"
    w.send({"type": "signal", "signal": "USR1"})
    got = list(it)
    assert output(got) == "caught\n" and got[-2]["exit_code"] == 9


def test_ws_terminal_and_resize(ws):
    w = ws({"command": "stty size; until stty size | grep '43 132'; "
                       "do sleep 0.02; done", "tty": True,
            "cols": 100, "rows": 30})
    it, seen = w.messages(), []
    while "30 100" not in output(seen):
        seen.append(next(it))
    w.send({"type": "resize", "cols": 132, "rows": 43})
    assert "43 132" in output(it)


def test_ws_input_finds_the_size_told_before_it(ws):
    """Also when both come at once, and the end of input behind them."""
    w = ws({"command": "stty -echo; while read x; do stty size; done; echo o''ver",
            "tty": True, "binary": True, "cols": 80, "rows": 24})
    it, seen = w.messages(), b""
    next(it)
    for cols in range(100, 400):
        w.send({"type": "resize", "cols": cols, "rows": 24})
        w.send(b"go\n")
        while f"24 {cols}\r\n".encode() not in seen:
            assert not re.search(rb"24 (?!80|%d)\d+\r\n" % cols, seen), seen
            seen += next(it)
        seen = b""
    w.send({"type": "resize", "cols": 99, "rows": 24})
    w.send(b"go\n")
    w.send({"type": "stdin", "data": "\x04"})
    while b"over" not in seen:
        seen += next(it)
    assert b"24 99\r\n" in seen


def test_ws_caller_that_closes_kills(ws):
    mark = marker()
    w = ws({"command": f"sleep {mark}"})
    wait_for(lambda: running(mark), "the command to start")
    w.close()
    gone(mark)


@pytest.mark.parametrize("start,code", [
    ("{", 1008), ('{"type":"stdin","data":"x"}', 1008), (b"binary", 1008),
    ('{"type":"start"}', 1008), ('{"command":"true","workdir":"x"}', 1008),
    ('{"command":"true","workdir":"/no/such/place"}', 1008),
])
def test_ws_bad_start(ws, start, code):
    w = ws(start)
    list(w.messages())
    assert w.close_code == code


def test_ws_bad_messages(ws):
    w = ws({"command": "cat"})
    w.send("{")
    list(w.messages())
    assert w.close_code == 1007
    w = ws({"command": "cat"})
    w.send({"type": "dance"})
    list(w.messages())
    assert w.close_code == 1003


def test_ws_without_a_start(hurried):
    """Its time is that of a head; until then nothing is wrong with it."""
    begun = time.monotonic()
    w = hurried.ws(f"/sandboxes/{hurried.box}/exec/ws")
    list(w.messages())
    assert w.close_code == 1008
    assert time.monotonic() - begun >= 0.5
    w.close()


def test_ws_when_the_daemon_stops(new_instance):
    """1001 to all, also to who has not begun; the terminal lives on."""
    inst = new_instance()
    inst.start()
    box = inst.sandbox()["id"]
    sockets = [inst.ws(f"/sandboxes/{box}/exec/ws") for _ in range(3)]
    sockets[0].send({"type": "start", "command": "echo on; sleep 1000",
                     "tty": True})
    sockets[1].send({"type": "start", "command": "echo on; sleep 1000"})
    began = []
    for w in sockets[:2]:
        it = w.messages()
        while not (m := next(it)).get("data"):
            began.append(m)
    sid = began[0]["session_id"]
    inst.drop_client()
    stop = inst.popen("daemon", "stop")
    for w in sockets:
        list(w.messages())
        assert w.close_code == 1001
        w.close()
    assert stop.wait(60) == 0
    inst.start()
    assert inst.api("GET", f"/sandboxes/{box}/sessions/{sid}",
                    check=200).json()["state"] == "running"


@pytest.mark.native
def test_ws_when_the_agent_dies(new_instance):
    inst = new_instance(provider="native")
    inst.start()
    box = inst.sandbox()["id"]
    w = inst.ws(f"/sandboxes/{box}/exec/ws")
    w.send({"type": "start", "command": "echo on; sleep 1000"})
    it = w.messages()
    assert next(it)["data"] == "on\n"
    os.kill(inst.agent_of(box), signal.SIGKILL)
    got = list(it)
    assert got[-1]["type"] == "error" and w.close_code == 1011, got
    w.close()


def test_ws_unknown_sandbox(shared):
    w = shared.ws("/sandboxes/sb-00000000/exec/ws")
    assert w.response.status == 404
    w.close()


def test_ws_timeout(ws):
    w = ws({"command": "sleep 100", "timeout": "300ms"})
    got = list(w.messages())
    assert "exec timeout" in output(got, "stderr")
    assert got[-2]["timeout"] is True and w.close_code == 1000


def test_ws_large_input_and_output(ws):
    w = ws({"command": "cat", "binary": True})
    block = bytes(range(256)) * 128
    sent = 0

    def feed():
        nonlocal sent
        for _ in range(64):
            w.send(block)
            sent += len(block)
        w.send({"type": "eof"})

    t = threading.Thread(target=feed)
    t.start()
    got = sum(len(m) for m in w.messages() if isinstance(m, bytes))
    t.join()
    assert got == sent == 64 * len(block)


# -- sessions

def sessions(shared, box):
    return shared.api("GET", f"/sandboxes/{box}/sessions", check=200).json()


def test_a_terminal_survives_its_client(shared, box, ws):
    w = ws({"command": "echo first; read x; echo got $x; read y",
            "tty": True})
    it, seen = w.messages(), []
    while "first" not in output(seen):
        seen.append(next(it))
    started = next(m for m in seen if m.get("type") == "started")
    sid = started["session_id"]
    w.close()
    only = wait_for(lambda: [s for s in sessions(shared, box)
                             if s["attached"] == 0], "the client to be gone")
    assert only[0]["id"] == sid and only[0]["tty"]
    assert only[0]["state"] == "running"
    w = ws(path=f"sessions/{sid}/ws")
    it, seen = w.messages(), []
    while "first" not in output(seen):
        seen.append(next(it))
    w.send({"type": "stdin", "data": "word\n"})
    while "got word" not in output(seen):
        seen.append(next(it))
    one = shared.api("GET", f"/sandboxes/{box}/sessions/{sid}",
                     check=200).json()
    assert one["id"] == sid and one["attached"] == 1
    assert shared.api("POST", f"/sandboxes/{box}/sessions/{sid}/resize",
                      {"cols": 90, "rows": 20}).status == 200
    assert shared.api("DELETE", f"/sandboxes/{box}/sessions/{sid}"
                      ).status == 200
    assert shared.api("GET", f"/sandboxes/{box}/sessions/{sid}").status == 404


def test_several_may_watch_and_one_takes_over(shared, box, ws):
    w = ws({"command": "echo hello; read x; echo got $x; sleep 100",
            "tty": True})
    it, seen = w.messages(), []
    while "hello" not in output(seen):
        seen.append(next(it))
    sid = seen[0]["session_id"]
    watcher = ws(path=f"sessions/{sid}/ws?mode=read-only")
    wit, wseen = watcher.messages(), []
    while "hello" not in output(wseen):
        wseen.append(next(wit))
    watcher.send({"type": "stdin", "data": "ignored\n"})
    watcher.send(b"ignored\n")
    w.send({"type": "stdin", "data": "mine\n"})
    while "got mine" not in output(wseen):
        wseen.append(next(wit))
    taker = ws(path=f"sessions/{sid}/ws?mode=takeover")
    list(it)
    assert w.close_code == 4001
    list(wit)
    assert watcher.close_code == 4001
    taker.close()
    shared.api("DELETE", f"/sandboxes/{box}/sessions/{sid}", check=200)


def test_viewers_are_told_the_size(shared, box, ws):
    """Whoever takes binary output, but for the one who set it; others get
    no message that they may not know."""
    w = ws({"command": "read x; echo e''nd; sleep 100", "tty": True,
            "binary": True, "cols": 80, "rows": 24})
    it = w.messages()
    sid = next(it)["session_id"]
    binary = ws(path=f"sessions/{sid}/ws?binary=true")
    bit = binary.messages()
    next(bit)
    plain = ws(path=f"sessions/{sid}/ws")
    pit, seen = plain.messages(), []
    seen.append(next(pit))
    w.send({"type": "resize", "cols": 90, "rows": 30})
    assert next(bit) == {"type": "resized", "cols": 90, "rows": 30}
    shared.api("POST", f"/sandboxes/{box}/sessions/{sid}/resize",
               {"cols": 70, "rows": 20}, check=200)
    sized = {"type": "resized", "cols": 70, "rows": 20}
    assert next(bit) == sized and next(it) == sized
    w.send(b"go\n")
    while "end" not in output(seen):
        seen.append(next(pit))
    assert "resized" not in [m["type"] for m in seen]
    shared.api("DELETE", f"/sandboxes/{box}/sessions/{sid}", check=200)


def test_attach_since_an_offset(shared, box, ws):
    r = shared.exec(box, "printf 0123456789; read x <&-; sleep 100",
                    detach=True).json()
    sid = r["session_id"]
    wait_for(lambda: sessions(shared, box)[0]["output_bytes"] == 10,
             "the output")
    w = ws(path=f"sessions/{sid}/ws?since=6")
    it = w.messages()
    first = next(it)
    assert first["type"] == "started" and first["offset"] == 6
    assert next(it)["data"] == "6789"


def test_session_signal(shared, box):
    sid = shared.exec(box, "sleep 100", detach=True).json()["session_id"]
    path = f"/sandboxes/{box}/sessions/{sid}"
    assert shared.api("POST", f"{path}/signal", {"signal": "HUH"}
                      ).status == 400
    assert shared.api("POST", f"{path}/signal", {}).status == 400
    shared.api("POST", f"{path}/signal", {"signal": "TERM"}, check=200)
    ended = wait_for(lambda: (s := shared.api("GET", path).json())[
        "state"] == "exited" and s, "the end")
    assert ended["exit_code"] == 143 and ended["signal"] == "TERM"


@pytest.mark.parametrize("sid", ["ex-00000000", "nope", "..%2F..", "%00"])
def test_unknown_sessions(shared, box, sid):
    path = f"/sandboxes/{box}/sessions/{sid}"
    want = (400, 404)
    assert shared.api("GET", path).status in want
    assert shared.api("DELETE", path).status in want
    assert shared.api("POST", f"{path}/signal", {"signal": "TERM"}
                      ).status in want
    assert shared.api("POST", f"{path}/resize", {"cols": 5, "rows": 5}
                      ).status in want


def test_attach_to_nothing(ws):
    w = ws(path="sessions/ex-00000000/ws")
    got = list(w.messages())
    assert got[0]["code"] == "NOT_FOUND" and w.close_code == 1008
