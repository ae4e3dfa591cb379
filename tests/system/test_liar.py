# SPDX-License-Identifier: MIT
"""A daemon that tells nonsense: of how far a spawn is, of labels, of images."""
import contextlib
import http.server
import json
import socket
import threading

import pytest

from screen import Screen

GOOD = {"type": "sandbox", "sandbox": {"id": "sb-00000000"}}


def step(**fields):
    return {"type": "progress", **fields}


@contextlib.contextmanager
def liar(*lines, then=None):
    """Who answers whatever is asked with these lines; its address."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-ndjson")
            self.end_headers()
            self.say()
            if then:
                then.wait()

        do_PATCH = do_POST

        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.say()

        def say(self):
            for line in lines:
                self.wfile.write((line if isinstance(line, bytes) else
                                  json.dumps(line).encode()) + b"\n")

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,),
                     daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        if then:
            then.set()
        server.shutdown()
        server.server_close()


def spawn(inst, *lines, code, args=()):
    with liar(*lines) as server:
        r = inst.run("--server", server, *args, "spawn", "--progress=plain",
                     check=code)
    assert "\x1b" not in r.text + r.errtext and "\x07" not in r.text
    return r


@pytest.mark.parametrize("line", [
    step(stage="download", bytes=-1), step(stage="download", layer=128),
    step(stage="download", layer=1.5), step(stage="download", layer=1e300),
    step(stage="download", bytes=1 << 62), step(stage=7), step(id=[]),
    step(command="1"), {"type": 7}, [], None, b"\xff", b"{", b"[" * 100000,
    {"type": "sandbox"}, {"type": "sandbox", "sandbox": "x"},
    {"type": "sandbox", "sandbox": ["id"]},
    {"type": "sandbox", "sandbox": {"id": 7}},
    {"type": "sandbox", "sandbox": {"id": ""}},
    {"type": "sandbox", "sandbox": {"id": "x\x1b]0;pwned\x07"}},
    {"type": "sandbox", "sandbox": {"id": "x\ny"}},
    {"type": "error"}, {"type": "error", "code": 7},
    {"type": "error", "code": "OK", "message": "%s\x1b[2J"},
], ids=lambda line: str(line)[:60])
def test_nonsense_is_an_error(shared, line):
    r = spawn(shared, line, GOOD, code=1)
    assert r.text == "" and r.errtext.startswith("stacyvm: ")


def test_what_is_not_known_is_let_be(shared):
    r = spawn(shared, {}, {"type": "news"}, b"", step(),
              step(stage="dance", id="\x1b[2J\n\u202e"), GOOD, code=0)
    assert r.text == "sb-00000000\n"
    assert r.errtext.splitlines() == ["starting",
                                      "starting ^[[2J^J\\u{202e}"]


def test_an_answer_without_an_end(shared):
    assert "before the sandbox was there" in spawn(shared, step(),
                                                   code=5).errtext
    with liar(step(stage="queue", waiting=1), then=threading.Event()) as s:
        shared.run("--server", s, "--timeout", "1s", "spawn",
                   "--progress=plain", check=124)


def test_more_than_there_is(shared):
    """Sixty-four gigabytes of one byte, of many layers."""
    lines = [step(stage="download", layer=i, bytes=1 << 36, total=int(i == 0))
             for i in range(128)]
    with liar(*lines, then=threading.Event()) as server:
        s = Screen(shared, "--server", server, "spawn", size="4x120",
                   env={"TERM": "xterm"})
        s.end("wait 100%  8.0 TiB of 1 B", "send ^C", "exit 130")


@pytest.mark.parametrize("metadata", [
    ["a", "b"], [7], 7, "x", {"a": 7}, {"a": None}, {"a": {}}], ids=str)
def test_labels_that_are_none(shared, metadata):
    box = {"id": "sb-00000000", "metadata": metadata}
    with liar(box) as s:
        r = shared.ok("__complete", "--server", s, "label", box["id"], "")
        assert r.out == b"", r
        r = shared.ok("--server", s, "label", box["id"], "x=1")
        assert "null" not in r.text and "=" not in r.text, r


def test_an_image_s_name_reaches_no_terminal(shared):
    with liar({"type": "image", "image": {"ref": "x\x1b[2J"}}) as s:
        r = shared.ok("--server", s, "image", "pull", "x")
        assert r.text == "x^[[2J\n" and "\x1b" not in r.errtext


EVIL = "\x1b]0;x\x07\u009b1m"


@pytest.mark.parametrize("url", [EVIL, "http://x/" + EVIL, "file:///etc/passwd",
                                 "-x", "", 7], ids=repr)
def test_a_preview_s_address_is_one(shared, url):
    with liar({"id": "sb-00000000", "url": url}) as server:
        r = shared.run("--server", server, "preview", "sb-00000000", "80", check=1)
    assert r.text == "" and "no address" in r.errtext, r


def test_what_doctor_finds_reaches_no_terminal(shared):
    finding = {"level": EVIL, "what": EVIL, "detail": EVIL, "fix": EVIL}
    provider = {"name": EVIL, "description": EVIL, "enabled": True, "usable": False,
                "error": EVIL, "remediation": EVIL, "findings": [finding]}
    with liar({"version": EVIL, "state_dir": EVIL, "default_provider": EVIL,
               "tcp_problem": EVIL, "providers": [provider]}) as server:
        r = shared.run("--server", server, "doctor")
    assert "^[]0;x^G" in r.text and r.text.count("]0;x") >= 11, r
    assert not set("\x1b\x07\x9b") & set(r.text + r.errtext)


@pytest.mark.parametrize("line", [b"[" * 900000, b"{}", b"<html>"],
                         ids=["deep", "object", "page"])
def test_what_is_no_stream_is_not_no_events(shared, line):
    with liar(line) as server:
        for args in ((), ("--follow",), ("--json",)):
            r = shared.run("--server", server, "events", *args, check=1)
            assert r.text == "" and "no stream of events" in r.errtext, r


def test_interim_replies_come_to_an_end(shared):
    with socket.create_server(("127.0.0.1", 0)) as server:
        def answer():
            c, _ = server.accept()
            with c, contextlib.suppress(OSError):
                while True:
                    c.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 64)

        threading.Thread(target=answer, daemon=True).start()
        r = shared.run("--server", f"http://127.0.0.1:{server.getsockname()[1]}",
                       "list", check=1)
    assert "doesn't come to its point" in r.errtext, r
