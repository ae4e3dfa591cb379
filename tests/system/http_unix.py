# SPDX-License-Identifier: MIT
"""A small raw HTTP/1.1 client over a unix socket or TCP, and WebSocket on top.

Raw on purpose: tests send what a library would refuse to send, and see
exactly what came back, interim replies and trailers included.
"""
import base64
import json
import os
import socket
import struct


class Response:
    def __init__(self, status, reason, headers):
        self.status, self.reason, self.headers = status, reason, headers
        self.body, self.trailers, self.interim = b"", {}, []

    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode()

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


class Client:
    """One connection; reopened by itself after the server closed it.
    path: of the unix socket, or (host, port)."""

    def __init__(self, path, timeout=60):
        self.path, self.timeout = path, timeout
        self.sock, self.buf = None, b""

    def connect(self):
        self.close()
        if isinstance(self.path, tuple):
            self.sock = socket.create_connection(self.path, self.timeout)
        else:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(self.timeout)
            self.sock.connect(self.path)
        return self

    def close(self):
        if self.sock:
            self.sock.close()
        self.sock, self.buf = None, b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        """Raw bytes, as they are."""
        if not self.sock:
            self.connect()
        self.sock.sendall(data)

    def _fill(self):
        data = self.sock.recv(65536)
        if not data:
            raise ConnectionError("closed by the server")
        self.buf += data

    def _line(self):
        while b"\r\n" not in self.buf:
            self._fill()
        line, self.buf = self.buf.split(b"\r\n", 1)
        return line.decode("latin-1")

    def exactly(self, n):
        while len(self.buf) < n:
            self._fill()
        data, self.buf = self.buf[:n], self.buf[n:]
        return data

    def _headers(self):
        headers = {}
        while line := self._line():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return headers

    def head(self):
        """The head of the next final reply; interim ones are kept in it."""
        interim = []
        while True:
            version, status, *reason = self._line().split(" ", 2)
            assert version == "HTTP/1.1", version
            r = Response(int(status), "".join(reason), self._headers())
            if r.status >= 200 or r.status == 101:
                r.interim = interim
                return r
            interim.append(r.status)

    def chunks(self, r):
        """The body of reply r, piece by piece as it arrives."""
        if r.headers.get("transfer-encoding") == "chunked":
            while size := int(self._line().split(";")[0], 16):
                yield self.exactly(size)
                assert self._line() == ""
            r.trailers = self._headers()
        elif "content-length" in r.headers:
            left = int(r.headers["content-length"])
            while left:
                if not self.buf:
                    self._fill()
                piece = self.exactly(min(left, len(self.buf)))
                left -= len(piece)
                yield piece
        elif r.status not in (204, 304):
            try:
                while True:
                    if self.buf:
                        yield self.exactly(len(self.buf))
                    self._fill()
            except ConnectionError:
                self.close()

    def reply(self, method="GET"):
        r = self.head()
        if method != "HEAD":
            r.body = b"".join(self.chunks(r))
        if r.headers.get("connection", "").lower() == "close":
            self.close()
        return r

    def begin(self, method, path, body=None, headers=None):
        """Send a request; body may be bytes, text or something for JSON."""
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        head = {"Host": "localhost"}
        if body is not None:
            head["Content-Length"] = str(len(body))
        head.update(headers or {})
        lines = "".join(f"{k}: {v}\r\n" for k, v in head.items())
        self.send(f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() +
                  (body or b""))

    def request(self, method, path, body=None, headers=None):
        fresh = self.sock is None
        try:
            self.begin(method, path, body, headers)
            return self.reply(method)
        except (ConnectionError, BrokenPipeError):
            if fresh or method not in ("GET", "HEAD"):
                raise
            self.connect()
            self.begin(method, path, body, headers)
            return self.reply(method)


class WebSocket:
    """A client's half of RFC 6455: text, binary, ping, close."""

    def __init__(self, path, target, timeout=60, headers=None):
        self.c = Client(path, timeout)
        key = base64.b64encode(os.urandom(16)).decode()
        self.c.begin("GET", target, headers={
            "Connection": "Upgrade", "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key,
            **(headers or {})})
        self.response = self.c.head()
        if self.response.status != 101:
            self.response.body = b"".join(self.c.chunks(self.response))

    def send(self, data, opcode=None):
        if isinstance(data, dict):
            data = json.dumps(data)
        opcode = opcode or (1 if isinstance(data, str) else 2)
        data = data.encode() if isinstance(data, str) else data
        mask = os.urandom(4)
        n = len(data)
        head = bytes([0x80 | opcode])
        if n < 126:
            head += bytes([0x80 | n])
        elif n < 65536:
            head += bytes([0x80 | 126]) + struct.pack(">H", n)
        else:
            head += bytes([0x80 | 127]) + struct.pack(">Q", n)
        self.c.send(head + mask + bytes(
            b ^ mask[i % 4] for i, b in enumerate(data)))

    def frame(self):
        """(opcode, payload) of the next frame; pings are answered."""
        while True:
            first, second = self.c.exactly(2)
            n = second & 127
            if n == 126:
                n = struct.unpack(">H", self.c.exactly(2))[0]
            elif n == 127:
                n = struct.unpack(">Q", self.c.exactly(8))[0]
            data = self.c.exactly(n)
            if first & 15 == 9:
                self.send(data, 10)
            else:
                return first & 15, data

    def messages(self):
        """Decoded messages until the server closes."""
        while True:
            opcode, data = self.frame()
            if opcode == 8:
                self.close_code = struct.unpack(">H", data[:2])[0]
                return
            yield json.loads(data) if opcode == 1 else data

    def close(self):
        self.c.close()
