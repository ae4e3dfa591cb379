# SPDX-License-Identifier: MIT
"""What the published clients send and need (API.md): those for Python are
httpx, sync and async."""
import asyncio
import re

import svm
from svm import API, free_port, wait_for

try:
    import httpx
except ImportError:
    httpx = None

KEY = "0123456789abcdef0123456789abcdef"
ADMIN = "fedcba9876543210fedcba9876543210"
SPAWN = {"image": "alpine:latest", "provider": ""} # what they always send


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


def stream(client, sid, command, **fields):
    return client.stream("POST", f"/sandboxes/{sid}/exec", json={
        "command": command, "stream": True, **fields})


def gone(inst, sid, pid):
    wait_for(lambda: inst.exec(sid, f"kill -0 {pid}").json()["exit_code"],
             f"{pid} to be gone")
