# SPDX-License-Identifier: MIT
"""The dashboard before a daemon that lies, hangs, breaks off or floods: it
shows what is the matter, has the keys all the time, and leaves the terminal
as it was."""
import contextlib
import os
import socket
import threading

import pytest

from screen import RESTORED, Screen, drive

EVIL = r"\u001b]52;c;eA==\u0007\u009b2J\u202eevil"


class FakeDaemon:
    """Listens where the daemon would; `reply(conn, target)` has a connection
    after its first request was read."""

    def __init__(self, inst, reply):
        os.makedirs(inst.runtime, mode=0o700, exist_ok=True)
        self.reply, self.open = reply, []
        self.ended = threading.Event()
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.bind(inst.socket)
        self.sock.listen(64)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            self.open.append(conn)
            threading.Thread(target=self.serve, args=(conn,),
                             daemon=True).start()

    def serve(self, conn):
        with contextlib.suppress(OSError), conn:
            head = b""
            while b"\r\n\r\n" not in head:
                more = conn.recv(4096)
                if not more:
                    return
                head += more
            self.reply(self, conn, head.split(b" ")[1].decode())

    def close(self):
        self.ended.set()
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        for conn in self.open:
            with contextlib.suppress(OSError):
                conn.shutdown(socket.SHUT_RDWR)
        self.thread.join(10)


def json_reply(body, status="200 OK"):
    body = body.encode()
    return (f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            ).encode() + body


def sse(events):
    return (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            b"Connection: close\r\n\r\n" + events)


def garbage(d, conn, target):
    conn.sendall(b"\x00\xff\x1b[31m not HTTP at all\r\n\r\n" * 20)


def breaks_off(d, conn, target):
    conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[{\"id\"")


def hangs(d, conn, target):
    d.ended.wait(120)


def half_a_head(d, conn, target):
    conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Le")
    d.ended.wait(120)


def wrong_shapes(d, conn, target):
    if "/events" in target:
        conn.sendall(sse(b"data: 7\n\ndata: {\"type\":5}\n\ndata: [\n\n"
                         b"data: {\"type\":\"sandbox.created\","
                         b"\"sandbox_id\":{}}\n\nid: \x1b\n\n: \n"))
        d.ended.wait(120)
    else:
        conn.sendall(json_reply('[1,null,"x",[],{},{"id":5},{"id":""},'
                                '{"id":"sb-1","state":{},"metadata":[1],'
                                '"expires_at":7,"vcpus":"many"}]'))


def not_json(d, conn, target):
    if "/events" in target:
        conn.sendall(sse(b"data: {{{\n\n"))
        d.ended.wait(120)
    else:
        conn.sendall(json_reply("<html>no</html>"))


def evil_errors(d, conn, target):
    body = '{"message":"%s","code":"%s","remediation":"%s"}'
    conn.sendall(json_reply(body % (EVIL, EVIL, EVIL),
                            "500 Internal Server Error"))


def endless(d, conn, target):
    if "/events" in target:
        conn.sendall(sse(b""))
        d.ended.wait(120)
        return
    conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                 b"Connection: close\r\n\r\n[")
    with contextlib.suppress(OSError):
        while not d.ended.is_set():
            conn.sendall(b'"' + b"x" * 65533 + b'",')


def flood(d, conn, target):
    """Events as fast as they are taken, of sandboxes that come and go."""
    if "/events" not in target:
        conn.sendall(json_reply("[]"))
        return
    conn.sendall(sse(b""))
    with contextlib.suppress(OSError):
        while not d.ended.is_set():
            conn.sendall(b'data: {"type":"file.changed","sandbox_id":"sb-1",'
                         b'"data":{"path":"/x"}}\n\n' * 100)


ALL = [garbage, breaks_off, hangs, half_a_head, wrong_shapes, not_json,
       evil_errors, endless, flood]


@pytest.mark.parametrize("how", ALL, ids=lambda f: f.__name__)
def test_daemon(inst, how):
    d = FakeDaemon(inst, how)
    try:
        drive(inst, f"""
wait DASH
send 2
wait FLEET
send 3
wait 3 TEMPLATES
send 4
wait 4 PROVIDERS
send 6
wait SETTINGS
send 7
wait EVENTS  kind
send ?
wait HELP
send \\e
gone HELP
send :
wait COMMAND
send \\e
gone COMMAND
send ^R
send 1
wait SANDBOXES
send q
exit 0
{RESTORED}""", seconds=40)
    finally:
        d.close()


def test_what_is_the_matter(inst):
    """The message is the daemon's, and cells."""
    d = FakeDaemon(inst, evil_errors)
    try:
        drive(inst, """
wait no daemon
send 6
wait ^[]52;c;eA==^G
send q
exit 0
""", size="32x200", seconds=40)
    finally:
        d.close()


def test_too_much(inst):
    d = FakeDaemon(inst, endless)
    try:
        drive(inst, "wait over 8 MiB\nsend q\nexit 0\n" + RESTORED,
              seconds=60)
    finally:
        d.close()


def test_it_comes_to_its_senses(inst):
    """Once it answers again, everything is there, without a key."""
    broken = threading.Event()
    broken.set()

    def sometimes(d, conn, target):
        if broken.is_set():
            return
        if "/events" in target:
            conn.sendall(sse(b""))
            d.ended.wait(120)
        elif target.endswith("/sandboxes"):
            conn.sendall(json_reply('[{"id":"sb-0000000a","name":"back",'
                                    '"state":"running"}]'))
        else:
            conn.sendall(json_reply("[]"))

    d = FakeDaemon(inst, sometimes)
    try:
        with Screen(inst, "tui", seconds=60) as t:
            t.step("wait no daemon")
            broken.clear()
            t.end("wait sb-0000000a", "wait live", "send q", "exit 0",
                  RESTORED)
    finally:
        d.close()
