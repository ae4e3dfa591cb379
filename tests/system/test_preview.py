# SPDX-License-Identifier: MIT
"""Live preview: a Host of PORT-ID.DOMAIN is a port inside a sandbox."""
import os
import re
import signal
import socket
import threading
import time

import pytest

import svm
from http_unix import Client
from svm import API, free_port, wait_for

KEY = "0123456789abcdef0123456789abcdef"
ADMIN = "fedcba9876543210fedcba9876543210"
PYTHON = "/usr/bin/python3"

# What listens inside; the path says how it behaves.
SERVER = r'''
import hashlib, os, socket, struct, sys, threading, time
RAW = {
    "/nothttp": b"hello\r\n\r\n",
    "/both": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
             b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "/lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
                b"Content-Length: 4\r\n\r\nabcd",
    "/badchunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                 b"zz\r\nabc\r\n",
    "/short": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc",
    "/split": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 "
              b"OK\r\nContent-Length: 4\r\n\r\nevil",
    "/interim": b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n"
                b"Content-Length: 2\r\n\r\nok",
    "/interims": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100,
    "/switch": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    "/close": b"HTTP/1.0 200 OK\r\nContent-Type: text/x\r\n\r\nto the end",
    "/cookie": b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Domain=localhost; "
               b"Path=/\r\nSet-Cookie: stacyvm_preview=x\r\n"
               b"Strict-Transport-Security: max-age=1\r\n"
               b"Connection: X-Hop\r\nX-Hop: 1\r\nContent-Length: 2\r\n\r\nok",
    "/trailers": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                 b"Trailer: X-T\r\n\r\n2\r\nok\r\n0\r\nX-T: 1\r\n\r\n",
    "/own": b"HTTP/1.1 200 OK\r\nSet-Cookie: domain=5; domain=x; Path=/\r\n"
            b"Set-Cookie: stacyvm_preview =x\r\n"
            b"Set-Cookie: =stacyvm_preview=x\r\n"
            b"Set-Cookie: ;; stacyvm_preview=x\r\n"
            b"Content-Length: 2\r\n\r\nok",
    "/nobody": b"HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n",
    "/notmod": b"HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n",
    "/bighead": b"HTTP/1.1 200 OK\r\n" + b"X-A: " + b"b" * 40000 +
                b"\r\n\r\n",
    "/silent": b"",
    "/stalls": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc",
    "/quiet": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
              b"3\r\nabc\r\n",
}
def serve(c):
    f = c.makefile("rb")
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = f.readline()
        if not line: return
        head += line
    method, path = head.split()[:2]
    path = path.decode().split("?")[0]
    low = head.lower()
    def body():
        if b"transfer-encoding: chunked" in low:
            while True:
                n = int(f.readline(), 16)
                data = f.read(n); f.readline()
                if not n: return
                yield data
        for line in low.split(b"\r\n"):
            if line.startswith(b"content-length:"):
                left = int(line.split(b":")[1])
                while left:
                    data = f.read1(min(left, 65536))
                    if not data: return
                    left -= len(data)
                    yield data
    def answer(data, more=b""):
        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n" + more +
                  b"Content-Length: %d\r\n\r\n" % len(data) + data)
    if path == "/head": answer(head)
    elif path == "/sum":
        h, n = hashlib.sha256(), 0
        for data in body(): h.update(data); n += len(data)
        answer(b"%d %s" % (n, h.hexdigest().encode()))
    elif path == "/big":
        c.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for i in range(1024): c.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        c.sendall(b"0\r\n\r\n")
    elif path == "/forever":
        c.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        n = 0
        try:
            while True:
                n += c.send(b"y" * 65536)
                open("/tmp/sent", "w").write(str(n))
        except OSError:
            open("/tmp/gone", "w").write("yes")
    elif path == "/reset":
        c.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        c.settimeout(1)
        try:
            while True: c.send(b"z" * 65536)
        except OSError: pass  # the reader stands still
        c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                     struct.pack("ii", 1, 0))
        f.close()
        c.close()  # RST
        open("/tmp/reset", "w").write("yes")
    elif path == "/drips":
        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n")
        for i in range(30):
            c.sendall(b"d")
            time.sleep(0.1)
    elif path == "/held":
        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
                  % (64 << 20))
        c.settimeout(3)
        left = 64 << 20
        while left:
            try: left -= c.send(b"h" * min(left, 65536))
            except TimeoutError: open("/tmp/held", "w").write("yes")
    elif path == "/wsbig":
        c.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n")
        f.read()  # until the client's half is closed
        c.sendall(b"w" * (16 << 20))
    elif path == "/sse":
        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
                  b"data: 1\n\n")
        while not os.path.exists("/tmp/go"): time.sleep(0.01)
        c.sendall(b"data: 2\n\n")
    elif path == "/ws":
        c.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                  b"Connection: Upgrade\r\nSec-WebSocket-Accept: abc\r\n"
                  b"X-Other: 1\r\n\r\nfirst")
        while True:
            data = f.read1(65536)
            if not data: break
            c.sendall(data.upper())
        c.sendall(b"bye")
    elif path in RAW:
        c.sendall(RAW[path])
        if path in ("/silent", "/stalls", "/quiet"): time.sleep(1000)
    else: answer(b"root")
    c.close()
s = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=200)
open("/tmp/ready", "w").write("1")
while True:
    c, _ = s.accept()
    threading.Thread(target=serve, args=(c,), daemon=True).start()
'''


class Preview:
    def __init__(self, inst, port, inner=3000):
        self.inst, self.port, self.inner = inst, port, inner
        self.id = inst.sandbox(memory_mb=512, pids=1024)["id"]
        r = inst.api("POST", f"/sandboxes/{self.id}/files", {
            "path": "/workspace/server.py", "content": SERVER}, check=200)
        inst.exec(self.id, f"{PYTHON} server.py {inner} >/tmp/log 2>&1 &")
        wait_for(lambda: inst.exec(self.id, "cat /tmp/ready").json()["stdout"]
                 == "1", "the server inside")

    @property
    def host(self):
        return f"{self.inner}-{self.id}.localhost:{self.port}"

    def client(self, timeout=60):
        return Client(("127.0.0.1", self.port), timeout)

    def __call__(self, path, method="GET", body=None, host=None, **headers):
        with self.client() as c:
            return c.request(method, path, body, {
                "Host": host or self.host,
                **{k.replace("_", "-"): v for k, v in headers.items()}})

    def raw(self, text, timeout=60):
        s = socket.create_connection(("127.0.0.1", self.port), timeout)
        s.sendall(text.encode() if isinstance(text, str) else text)
        return s


def begin(provider, binary=None, **env):
    port = free_port()
    inst = svm.Instance(provider, binary, env={
        "STACYVM_SERVER_PORT": str(port),
        **{"STACYVM_" + k: v for k, v in env.items()}})
    inst.start()
    return inst, port


@pytest.fixture(scope="module")
def web(provider):
    inst, port = begin(provider)
    yield Preview(inst, port)
    inst.stop()


def test_carries_requests(web):
    r = web("/head?a=b&c=%2F", X_Mine="1", Accept="x/y")
    assert r.status == 200, r
    head = r.text
    assert head.startswith("GET /head?a=b&c=%2F HTTP/1.1\r\n")
    assert f"Host: {web.host}\r\n" in head and "X-Mine: 1\r\n" in head
    assert "X-Forwarded-For: 127.0.0.1\r\n" in head
    assert f"X-Forwarded-Host: {web.host}\r\n" in head
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
        assert web("/sum", method, "abc").text.startswith("3 ba7816bf")
    assert web("/").text == "root"
    r = web("/", "HEAD")
    assert r.status == 200 and r.headers.get("content-length") == "4"
    # any port part, any case
    assert web("/", host=web.host.upper()).text == "root"
    assert web("/", host=web.host.rsplit(":", 1)[0]).text == "root"
    assert web("/", host=web.host.rsplit(":", 1)[0] + ".:1").text == "root"


def test_nothing_of_ours_goes_in(web):
    r = web("/head", X_API_Key="k1", X_Admin_API_Key="k2", X_User_ID="u",
            X_Forwarded_For="9.9.9.9", Forwarded="for=9.9.9.9",
            Connection="X-Hop", X_Hop="1", Proxy_Authorization="x", TE="x",
            Cookie="a=1; stacyvm_preview=secret; b=2")
    low = r.text.lower()
    for word in ("k1", "k2", "9.9.9.9", "x-hop", "proxy-", "secret",
                 "x-user-id", "te:"):
        assert word not in low, (word, r.text)
    assert "Cookie: a=1; b=2\r\n" in r.text


def test_bodies_both_ways(web):
    import hashlib
    data = bytes(range(256)) * 40960  # 10 MiB
    want = f"{len(data)} {hashlib.sha256(data).hexdigest()}"
    assert web("/sum", "POST", data).text == want
    with web.client() as c:
        c.connect()
        c.send(f"POST /sum HTTP/1.1\r\nHost: {web.host}\r\n"
               "Transfer-Encoding: chunked\r\n\r\n".encode())
        for i in range(0, len(data), 100000):
            part = data[i:i + 100000]
            c.send(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        c.send(b"0\r\n\r\n")
        assert c.reply("POST").text == want
    r = web("/big")
    assert len(r.body) == 64 << 20 and set(r.body[:99]) == {ord("x")}
    assert web("/close").text == "to the end"


def test_keep_alive_with_the_api_on_one_connection(web):
    """Each request is looked at for itself."""
    with web.client() as c:
        for _ in range(3):
            assert c.request("GET", "/", None, {"Host": web.host}).text \
                == "root"
            r = c.request("GET", API + "/health",
                          None, {"Host": f"localhost:{web.port}"})
            assert r.json()["status"] == "ok"


@pytest.mark.parametrize("path", ["/nothttp", "/both", "/lengths", "/bighead",
                                  "/interims", "/switch"])
def test_hostile_answers(web, path):
    r = web(path)
    assert r.status == 502 and "Port 3000" in r.text, r
    assert web("/").text == "root"


@pytest.mark.parametrize("path", ["/badchunk", "/short"])
def test_cut_answers_are_cut(web, path):
    """An answer that breaks off does not look whole."""
    with pytest.raises((ConnectionError, OSError, ValueError, AssertionError,
                        EOFError)):
        r = web(path)
        assert r.body == b"complete"


def test_answers_are_written_anew(web):
    s = web.raw(f"GET /split HTTP/1.1\r\nHost: {web.host}\r\n"
                "Connection: close\r\n\r\n")
    text = b""
    while data := s.recv(65536):
        text += data
    assert text.endswith(b"\r\n\r\nok") and b"evil" not in text
    assert web("/interim").text == "ok"
    r = web("/cookie")
    assert "domain" not in r.headers["set-cookie"].lower()
    assert "a=b" in r.headers["set-cookie"]
    for name in ("strict-transport-security", "x-hop"):
        assert name not in r.headers
    r = web("/nobody")
    assert r.status == 204 and r.headers["x-a"] == "b"
    assert "content-length" not in r.headers
    assert web("/notmod").status == 304


def test_smuggling(web):
    """What can be read in two ways is refused before it gets there."""
    for evil in ("Content-Length: 3\r\nTransfer-Encoding: chunked",
                 "Content-Length: 3\r\nContent-Length: 4",
                 "Transfer-Encoding: chunked, chunked",
                 "X-A: b\n c"):
        s = web.raw(f"POST /sum HTTP/1.1\r\nHost: {web.host}\r\n{evil}"
                    "\r\n\r\nabcd")
        assert s.recv(100).split()[1] in (b"400", b"501"), evil


def test_events_come_as_they_happen(web):
    s = web.raw(f"GET /sse HTTP/1.1\r\nHost: {web.host}\r\n\r\n")
    text = b""
    while b"data: 1" not in text:
        text += s.recv(4096)
    web.inst.exec(web.id, "touch /tmp/go")
    while b"data: 2" not in text:
        text += s.recv(4096)


def test_upgrade(web):
    s = web.raw(f"GET /ws HTTP/1.1\r\nHost: {web.host}\r\nUpgrade: websocket"
                "\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n")
    text = b""
    while not text.endswith(b"first"):
        text += s.recv(4096)
    assert text.startswith(b"HTTP/1.1 101 ")
    assert b"Sec-WebSocket-Accept: abc\r\n" in text
    assert b"X-Other" not in text
    for i in range(200):
        word = f"word{i}".encode() * 50
        s.sendall(word)
        got = b""
        while len(got) < len(word):
            got += s.recv(65536)
        assert got == word.upper()
    s.shutdown(socket.SHUT_WR)  # the other half goes on
    got = b""
    while data := s.recv(4096):
        got += data
    assert got == b"bye"


def test_a_slow_reader_stops_the_sender(web):
    web.inst.exec(web.id, "rm -f /tmp/sent /tmp/gone")
    s = web.raw(f"GET /forever HTTP/1.1\r\nHost: {web.host}\r\n\r\n")

    def sent():
        out = web.inst.exec(web.id, "cat /tmp/sent").json()["stdout"]
        return int(out or 0)

    wait_for(lambda: sent() > 0, "some to be sent")
    seen = []

    def stands():
        seen.append(sent())
        return len(seen) > 5 and len(set(seen[-5:])) == 1

    wait_for(stands, "the sender to stand still")
    assert seen[-1] < 64 << 20
    assert web("/").text == "root"
    s.close()  # and who goes away is noticed
    wait_for(lambda: web.inst.exec(web.id, "cat /tmp/gone").json()["stdout"]
             == "yes", "the sender to notice")


def cpu_ticks(web):
    stat = open(f"/proc/{web.inst.daemon_pid()}/stat").read()
    return sum(int(n) for n in stat.rsplit(")", 1)[1].split()[11:13])


def test_a_reset_behind_a_slow_reader(web):
    """It doesn't keep the loop busy, and the answer does not look whole."""
    s = web.raw(f"GET /reset HTTP/1.1\r\nHost: {web.host}\r\n\r\n")
    wait_for(lambda: web.inst.exec(web.id, "cat /tmp/reset").json()["stdout"]
             == "yes", "the reset")
    before = cpu_ticks(web)
    web.inst.exec(web.id, "sleep 2")
    assert cpu_ticks(web) - before < 100
    text, last = 0, b""
    while data := s.recv(1 << 20):
        text, last = text + len(data), data
    assert text > 65536 and not last.endswith(b"0\r\n\r\n")


def test_a_tunnel_ends_with_its_last_byte(web):
    s = web.raw(f"GET /wsbig HTTP/1.1\r\nHost: {web.host}\r\nUpgrade: x"
                "\r\nConnection: Upgrade\r\n\r\n")
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += s.recv(1)
    s.shutdown(socket.SHUT_WR)
    before = cpu_ticks(web)
    web.inst.exec(web.id, "sleep 2")  # meanwhile nobody reads
    assert cpu_ticks(web) - before < 100
    n = 0
    while data := s.recv(1 << 20):
        n += len(data)
    assert n == 16 << 20


def test_pipelining(web):
    """Several requests at once are answered in their order, and those to the
    API between them by the API."""
    api = f"GET {API}/live HTTP/1.1\r\nHost: localhost:{web.port}\r\n\r\n"
    with web.client() as c:
        c.send((f"GET /big HTTP/1.1\r\nHost: {web.host}\r\n\r\n" + api +
                f"POST /sum HTTP/1.1\r\nHost: {web.host}\r\n"
                "Content-Length: 3\r\n\r\nabc" +
                f"GET / HTTP/1.1\r\nHost: {web.host}\r\n\r\n").encode())
        assert len(c.reply().body) == 64 << 20
        assert "status" in c.reply().json()
        assert c.reply().text.startswith("3 ba7816bf")
        assert c.reply().text == "root"


def test_expect(web):
    """We answer the expectation; the port gets the body, not the word."""
    with web.client() as c:
        c.send(f"POST /sum HTTP/1.1\r\nHost: {web.host}\r\n"
               "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n".encode())
        assert c._line() == "HTTP/1.1 100 Continue" and c._line() == ""
        c.send(b"abc")
        assert c.reply("POST").text.startswith("3 ba7816bf")
    r = web("/head", "POST", "abc", Expect="100-continue")
    assert r.interim == [100] and "expect" not in r.text.lower(), r


def test_an_old_client(web):
    """HTTP/1.0: no chunks, and the end is the end of the connection."""
    for path, want in (("/", b"root"), ("/trailers", b"ok"),
                       ("/close", b"to the end"),
                       ("/big", b"x" * (64 << 20))):
        s = web.raw(f"GET {path} HTTP/1.0\r\nHost: {web.host}\r\n\r\n")
        text = bytearray()
        while data := s.recv(1 << 20):
            text += data
        head, _, body = text.partition(b"\r\n\r\n")
        assert b"Transfer-Encoding" not in head and body == want, path


def test_heads(web):
    """HEAD has no body however its length is told, and ends there."""
    with web.client() as c:
        for path in ("/", "/trailers", "/nobody", "/notmod", "/short"):
            r = c.request("HEAD", path, None, {"Host": web.host})
            assert r.status in (200, 204, 304), (path, r)
            assert c.sock, "the connection goes on"
        assert c.request("GET", "/", None, {"Host": web.host}).text == "root"


def test_trailers_are_dropped(web):
    r = web("/trailers")
    assert r.text == "ok" and "trailer" not in r.headers, r


def test_tunnels_count_for_their_sandbox(web):
    held = []
    for _ in range(64):
        s = web.raw(f"GET /ws HTTP/1.1\r\nHost: {web.host}\r\nUpgrade: x"
                    "\r\nConnection: Upgrade\r\n\r\n")
        assert s.recv(12) == b"HTTP/1.1 101"
        held.append(s)
    wait_for(lambda: web("/").status == 503, "the limit")
    for s in held:
        s.close()
    wait_for(lambda: web("/").status == 200, "places to be free again")


def test_cookies_of_our_name_are_not_set(web):
    s = web.raw(f"GET /own HTTP/1.1\r\nHost: {web.host}\r\n"
                "Connection: close\r\n\r\n")
    text = b""
    while data := s.recv(65536):
        text += data
    assert b"Set-Cookie: domain=5; Path=/\r\n" in text
    assert b"stacyvm_preview" not in text


def test_many_at_once(web):
    errors = []

    def one():
        try:
            for _ in range(5):
                assert web("/").text == "root"
        except BaseException as e:  # pylint: disable=broad-except
            errors.append(e)

    threads = [threading.Thread(target=one) for _ in range(30)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    assert not errors, errors[:3]


def test_open_requests_are_limited(web):
    """A sandbox that never answers takes its own places only."""
    held = [web.raw(f"GET /silent HTTP/1.1\r\nHost: {web.host}\r\n\r\n")
            for _ in range(64)]
    wait_for(lambda: web("/").status == 503, "the limit")
    r = web.inst.api("GET", "/health")
    assert r.status == 200
    for s in held:
        s.close()
    wait_for(lambda: web("/").status == 200, "places to be free again")


def test_a_port_that_says_nothing(provider):
    """A minute (here half a second), then the client is told."""
    short = svm.hurried(preview_head=500)
    inst, port = begin(provider, short["binary"],
                       FAULT=short["env"]["STACYVM_FAULT"])
    try:
        web = Preview(inst, port)
        begun = time.monotonic()
        r = web("/silent")
        assert r.status == 504 and "Port 3000" in r.text, r
        assert time.monotonic() - begun >= 0.5
    finally:
        inst.stop()


@pytest.mark.parametrize("path, limit", [("/stalls", "preview_body"),
                                         ("/quiet", "preview_idle")])
def test_an_answer_that_stalls(provider, path, limit):
    """It is cut off, and the place it took is free; the other limit is not
    its own, and every byte begins the time anew."""
    short = svm.hurried(**{limit: 500})
    inst, port = begin(provider, short["binary"],
                       FAULT=short["env"]["STACYVM_FAULT"])
    try:
        web = Preview(inst, port)
        begun = time.monotonic()
        with web.raw(f"GET {path} HTTP/1.1\r\nHost: {web.host}\r\n\r\n") as s:
            got = b""
            while data := s.recv(65536):
                got += data
        assert got.startswith(b"HTTP/1.1 200 OK\r\n") and b"abc" in got
        assert not got.endswith(b"0\r\n\r\n"), "it looks whole"
        assert time.monotonic() - begun >= 0.5
    finally:
        inst.stop()


@pytest.mark.parametrize("path", ["/drips", "/held"])
def test_an_answer_that_gets_on(provider, path):
    """What drips is not cut off, nor what we do not read for a slow client."""
    short = svm.hurried(preview_body=2000)
    inst, port = begin(provider, short["binary"],
                       FAULT=short["env"]["STACYVM_FAULT"])
    try:
        web = Preview(inst, port)
        with web.raw(f"GET {path} HTTP/1.1\r\nHost: {web.host}\r\n\r\n") as s:
            if path == "/held":
                wait_for(lambda: inst.exec(
                    web.id, "test -e /tmp/held").json()["exit_code"] == 0,
                    "the sender to stand still for longer than that")
            head, rest = s.recv(65536).split(b"\r\n\r\n", 1)
            size = int(head.lower().split(b"content-length: ")[1].split()[0])
            got = len(rest)
            while got < size and (data := s.recv(65536)):
                got += len(data)
        assert got == size
    finally:
        inst.stop()


def test_what_is_not_there(web):
    assert web("/", host=f"3000-sb-00000000.localhost:{web.port}").status \
        == 404
    r = web("/", host=f"3001-{web.id}.localhost:{web.port}")
    assert r.status == 502 and "3001" in r.text, r
    for host in (f"0-{web.id}.localhost", f"70000-{web.id}.localhost",
                 f"3000-{web.id}.localhost.evil.example",
                 f"3000-{web.id}.evil.example", f"3000{web.id}.localhost",
                 f"-{web.id}.localhost", f"3000-.localhost",
                 f"3000-../x.localhost"):
        assert web("/", host=host).status in (400, 403), host


def test_pages_inside_cannot_drive_the_api(web):
    """Their origin is a stranger's."""
    origin = "http://" + web.host
    for method, path in (("POST", "/sandboxes"),
                         ("DELETE", f"/sandboxes/{web.id}")):
        r = web(API + path, method, "{}", host=f"localhost:{web.port}",
                Origin=origin)
        assert r.status == 403, r
        assert "access-control-allow-origin" not in r.headers
    # and the API is not served on their names
    assert web(API + "/sandboxes").text == "root"


def test_address(web):
    r = web.inst.api("GET", f"/sandboxes/{web.id}/preview?port=3000")
    assert r.status == 200, r
    assert r.json()["url"] == f"http://{web.host}/"
    assert r.json()["token"] == ""
    for bad in ("", "?port=", "?port=0", "?port=65536", "?port=x",
                "?port=-1"):
        assert web.inst.api("GET", f"/sandboxes/{web.id}/preview{bad}"
                            ).status == 400
    domain = web.inst.api("GET", f"/sandboxes/{web.id}").json()[
        "preview_domain"]
    assert f"3000-{web.id}.{domain}" == web.host


def test_a_port_that_another_has(provider):
    """Who wants the address is told why there is none, and what to do."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        inst = svm.Instance(provider, env={
            "STACYVM_SERVER_PORT": str(other.getsockname()[1])})
        try:
            r = inst.start().must_fail("preview", inst.spawn(), "3000")
            assert "Address already in use" in r.errtext, r
            assert "config set server.port" in r.errtext
            assert re.search(r"bad +tcp: .* already in use\n +fix: .*server\.port",
                             inst.run("doctor").text)
        finally:
            inst.stop()


def test_tokens(provider):
    inst, port = begin(provider, AUTH_API_KEY=KEY, AUTH_ADMIN_API_KEY=ADMIN)
    try:
        web = Preview(inst, port)
        other = inst.sandbox()["id"]
        assert web("/").status == 401
        assert web("/", X_API_Key=KEY).status == 401
        assert web("/?stacyvm_token=1.00").status == 401
        r = inst.api("GET", f"/sandboxes/{web.id}/preview?port=3000").json()
        token = r["token"]
        assert r["url"].endswith(f"/?stacyvm_token={token}")
        r = web(f"/head?x=1&stacyvm_token={token}&y=2")
        assert r.text.startswith("GET /head?x=1&y=2 HTTP/1.1\r\n"), r
        cookie = r.headers["set-cookie"]
        assert cookie.startswith(f"stacyvm_preview={token};")
        assert "HttpOnly" in cookie and "Domain" not in cookie
        assert web("/", Cookie=f"stacyvm_preview=1.00; stacyvm_preview={token}"
                   ).status == 200  # another page's doesn't hide ours
        r = web("/head", Cookie=f"a=b; stacyvm_preview={token}")
        assert r.status == 200 and token not in r.text
        # not for another port, another sandbox, with another digit
        assert web(f"/?stacyvm_token={token}",
                   host=f"3001-{web.id}.localhost").status == 401
        assert web(f"/?stacyvm_token={token}",
                   host=f"3000-{other}.localhost").status == 401
        for i in (0, 5, len(token) - 1):
            wrong = token[:i] + ("0" if token[i] != "0" else "1") + \
                token[i + 1:]
            assert web(f"/?stacyvm_token={wrong}").status == 401, i
        # the keys of the API are not told
        r = web(f"/head?stacyvm_token={token}",
                Authorization=f"Bearer {KEY}", X_API_Key=KEY)
        assert KEY not in r.text
        assert "Authorization: Basic x\r\n" in web(
            f"/head?stacyvm_token={token}", Authorization="Basic x").text
        # it holds after a restart
        inst.kill_daemon()
        inst.start()
        assert web(f"/?stacyvm_token={token}").text == "root"
        # another owner doesn't get one
        r = web(API + f"/sandboxes/{web.id}/preview?port=3000",
                host=f"localhost:{port}", X_API_Key=KEY, X_User_ID="eve")
        assert r.status in (403, 404), r
    finally:
        inst.stop()


def test_token_ends(provider):
    inst, port = begin(provider, AUTH_API_KEY=KEY)
    try:
        box = inst.sandbox(ttl="3s")
        token = inst.api("GET", f"/sandboxes/{box['id']}/preview?port=80"
                         ).json()["token"]

        def status():
            with Client(("127.0.0.1", port)) as c:
                return c.request(
                    "GET", f"/?stacyvm_token={token}", None,
                    {"Host": f"80-{box['id']}.localhost"}).status

        assert status() == 502
        wait_for(lambda: status() == 401, "the token to end")
    finally:
        inst.stop()


def test_daemon_killed_meanwhile(provider):
    inst, port = begin(provider)
    try:
        web = Preview(inst, port)
        assert web("/").text == "root"
        inst.kill_daemon()
        inst.start()
        assert web("/").text == "root"
        inst.api("DELETE", f"/sandboxes/{web.id}", check=200)
        assert web("/").status == 404
    finally:
        inst.stop()


def test_stop_with_open_previews(provider):
    """Tunnels and events end at once, an answer under way is let finish."""
    inst, port = begin(provider)
    try:
        web = Preview(inst, port)
        events = web.raw(f"GET /sse HTTP/1.1\r\nHost: {web.host}\r\n\r\n")
        text = b""
        while b"data: 1" not in text:
            text += events.recv(4096)
        tunnel = web.raw(f"GET /ws HTTP/1.1\r\nHost: {web.host}\r\n"
                         "Upgrade: x\r\nConnection: Upgrade\r\n\r\n")
        text = b""
        while not text.endswith(b"first"):
            text += tunnel.recv(4096)
        big = web.client().connect()
        big.begin("GET", "/big", None, {"Host": web.host})
        reply = big.head()
        pid = inst.daemon_pid()
        os.kill(pid, signal.SIGTERM)
        text = b""
        while data := events.recv(4096):
            text += data
        assert not text.endswith(b"0\r\n\r\n")  # cut, not ended
        assert tunnel.recv(4096) == b""
        assert svm.pid_alive(pid), "it waits for the answer under way"
        assert sum(len(x) for x in big.chunks(reply)) == 64 << 20
        big.close()
        wait_for(lambda: not svm.pid_alive(pid), "the daemon to end")
        inst.drop_client()
    finally:
        inst.stop()
