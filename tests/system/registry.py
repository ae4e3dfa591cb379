# SPDX-License-Identifier: MIT
"""Registries on 127.0.0.1: the distribution's own, with a small pusher, and
one in Python that misbehaves as it is told."""
import functools
import gzip
import hashlib
import http.client
import http.server
import json
import platform
import shutil
import socket
import ssl
import subprocess
import threading

from svm import ROOT, Popen, free_port, wait_for

MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(),
                                                      platform.machine())
OCI = "application/vnd.oci.image.%s.v1+json"
DOCKER = "application/vnd.docker.distribution.manifest.v2+json"


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


@functools.lru_cache(maxsize=8)
def packed(data):
    return gzip.compress(data, 1)


class Image:
    """What a registry stores of one image."""

    def __init__(self, layers, pack=packed, oci=True, arch=MACHINE,
                 env=("FROM_IMAGE=yes",)):
        self.layers = [pack(b) for b in layers]
        self.config = json.dumps({
            "architecture": arch, "os": "linux", "config": {"Env": list(env)},
            "rootfs": {"type": "layers",
                       "diff_ids": [digest(b) for b in layers]},
        }).encode()
        self.type = OCI % "manifest" if oci else DOCKER
        self.arch = arch
        self.manifest = json.dumps({
            "schemaVersion": 2, "mediaType": self.type,
            "config": self.descriptor(
                self.config, OCI % "config" if oci else
                "application/vnd.docker.container.image.v1+json"),
            "layers": [self.descriptor(
                b, "application/vnd.oci.image.layer.v1.tar+gzip" if oci else
                "application/vnd.docker.image.rootfs.diff.tar.gzip")
                for b in self.layers],
        }).encode()

    @staticmethod
    def descriptor(data, kind):
        return {"mediaType": kind, "digest": digest(data), "size": len(data)}

    def blobs(self):
        return [self.config, *self.layers]


def index_of(images, oci=True):
    """A manifest list of images of several machines."""
    kind = (OCI % "index" if oci else
            "application/vnd.docker.distribution.manifest.list.v2+json")
    return kind, json.dumps({
        "schemaVersion": 2, "mediaType": kind,
        "manifests": [{**Image.descriptor(i.manifest, i.type),
                       "platform": {"os": "linux", "architecture": i.arch}}
                      for i in images]}).encode()


class Distribution:
    """Debian's docker-registry, installed or where tests/deps unpacked it."""

    PROGRAM = shutil.which("docker-registry") or shutil.which(
        "docker-registry", path=f"{ROOT}/build/test-tools/usr/bin")

    def __init__(self, base, htpasswd=None):
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        auth = (f"auth:\n  htpasswd:\n    realm: test\n    path: {htpasswd}\n"
                if htpasswd else "")
        self.auth = None
        conf = base / f"registry-{self.port}.yml"
        conf.write_text(
            "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n"
            f"    rootdirectory: {base}/registry-{self.port}\n"
            f"http:\n  addr: {self.host}\n" + auth)
        self.process = Popen([self.PROGRAM, "serve", str(conf)],
                             stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        wait_for(self._answers, "the registry to answer")

    def _answers(self):
        try:
            return self.call("GET", "/v2/")[0] in (200, 401)
        except OSError:
            return False

    def call(self, method, path, body=None, headers=None):
        c = http.client.HTTPConnection(self.host, timeout=20)
        h = dict(headers or {})
        if self.auth:
            h["Authorization"] = self.auth
        c.request(method, path, body, h)
        r = c.getresponse()
        data = r.read()
        c.close()
        return r.status, dict(r.getheaders()), data

    def push_blob(self, name, data):
        status, h, _ = self.call("POST", f"/v2/{name}/blobs/uploads/")
        assert status == 202, status
        where = h["Location"].split(self.host, 1)[-1]
        where += ("&" if "?" in where else "?") + "digest=" + digest(data)
        status, _, body = self.call("PUT", where, data, {
            "Content-Type": "application/octet-stream"})
        assert status == 201, (status, body)

    def push_manifest(self, name, tag, kind, data):
        status, _, body = self.call("PUT", f"/v2/{name}/manifests/{tag}", data,
                                    {"Content-Type": kind})
        assert status == 201, (status, body)

    def push(self, name, tag, image):
        for b in image.blobs():
            self.push_blob(name, b)
        self.push_manifest(name, tag, image.type, image.manifest)
        return f"{self.host}/{name}:{tag}"

    def stop(self):
        self.process.terminate()
        self.process.wait(60)


class Rogue:
    """A registry of our own: `routes` maps a path to bytes, or to a function
    that gets the handler and answers as it likes.  Every request is noted."""

    def __init__(self, tls=None):
        rogue = self
        self.routes = {}
        self.seen = []     # (path, headers)

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # heads and bodies come apart

            def log_message(self, *_):
                pass

            def do_GET(self):
                rogue.seen.append((self.path, dict(self.headers)))
                what = rogue.routes.get(self.path) or rogue.routes.get(
                    self.path.split("?")[0])
                try:
                    if callable(what):
                        what(self)
                    elif what is None:
                        self.reply(404, b"{}")
                    else:
                        self.reply(200, what)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def reply(self, status, body, **headers):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                for k, v in headers.items():
                    self.send_header(k.replace("_", "-"), v)
                self.end_headers()
                self.wfile.write(body)

            def serve_range(self, data):
                """All of it, or from where the client asks."""
                r = self.headers.get("Range")
                start = int(r.split("=")[1].rstrip("-")) if r else 0
                if not r:
                    return self.reply(200, data)
                return self.reply(
                    206, data[start:],
                    Content_Range=f"bytes {start}-{len(data) - 1}/{len(data)}")

            def cut(self, data, n, start=0):
                """Promise all of data, send n bytes and hang up."""
                self.send_response(206 if start else 200)
                self.send_header("Content-Length", str(len(data) - start))
                if start:
                    self.send_header("Content-Range",
                                     f"bytes {start}-{len(data) - 1}/{len(data)}")
                self.end_headers()
                self.wfile.write(data[start:start + n])
                self.wfile.flush()
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket,
                                                     server_side=True)
        self.port = self.server.server_address[1]
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"{'https' if tls else 'http'}://{self.host}"
        threading.Thread(target=self.server.serve_forever, daemon=True,
                         args=(0.05,)).start()

    def put(self, name, tag, image):
        """Serve an image honestly; single routes may be replaced after."""
        base = f"/v2/{name}"

        def manifest(h):
            h.reply(200, image.manifest, Content_Type=image.type)

        self.routes[f"{base}/manifests/{tag}"] = manifest
        self.routes[f"{base}/manifests/{digest(image.manifest)}"] = manifest
        for b in image.blobs():
            self.routes[self.blob(name, b)] = (
                lambda h, b=b: h.serve_range(b))
        return f"{self.host}/{name}:{tag}"

    @staticmethod
    def blob(name, data):
        return f"/v2/{name}/blobs/{digest(data)}"

    def paths(self):
        return [p for p, _ in self.seen]

    def count(self, path):
        return self.paths().count(path)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
