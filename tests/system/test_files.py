# SPDX-License-Identifier: MIT
"""Files and archives over REST: every rule of API.md section 5."""
import base64
import io
import json
import os
import socket
import tarfile
import threading
import time
import urllib.parse

import pytest

import conftest
import svm
from svm import API, wait_for

W = "/workspace"


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


class Files:
    """The file calls of one sandbox."""

    def __init__(self, inst, box):
        self.inst, self.box = inst, box
        self.base = f"/sandboxes/{box}/files"

    def q(self, sub="", **query):
        return self.base + sub + "?" + urllib.parse.urlencode(query)

    def write(self, path, content="", **fields):
        return self.inst.api("POST", self.base,
                             {"path": path, "content": content, **fields})

    def put(self, path, data, **query):
        return self.inst.api("PUT", self.q(path=path, **query), data)

    def put_if(self, path, data, **headers):
        return self.inst.api("PUT", self.q(path=path), data, headers={
            k.replace("_", "-"): v for k, v in headers.items()})

    def read(self, path, **headers):
        return self.inst.api("GET", self.q(path=path), headers={
            k.replace("_", "-"): v for k, v in headers.items()})

    def delete(self, path, **query):
        return self.inst.api("DELETE", self.q(path=path, **query))

    def list(self, path):
        return self.inst.api("GET", self.q("/list", path=path))

    def stat(self, path):
        return self.inst.api("GET", self.q("/stat", path=path))

    def glob(self, pattern):
        return self.inst.api("GET", self.q("/glob", pattern=pattern))

    def move(self, old, new):
        return self.inst.api("POST", self.base + "/move",
                             {"old_path": old, "new_path": new})

    def chmod(self, path, mode):
        return self.inst.api("POST", self.base + "/chmod",
                             {"path": path, "mode": mode})

    def sh(self, command, **fields):
        r = self.inst.exec(self.box, command, **fields)
        assert r.status == 200, r
        assert r.json()["exit_code"] == 0, r
        return r.json()["stdout"]


@pytest.fixture
def fs(shared, box):
    return Files(shared, box)


def refused(r, status, code):
    assert r.status == status, r
    assert r.json()["code"] == code and r.json()["message"], r


# -- write and read

def test_round_trip(fs):
    r = fs.write(f"{W}/a/b/c.txt", "hällo\n")
    assert r.status == 200 and r.json() == {"status": "written"}
    r = fs.read(f"{W}/a/b/c.txt")
    assert r.status == 200 and r.body == "hällo\n".encode()
    assert r.headers["content-type"] == "application/octet-stream"
    assert r.headers["content-length"] == "7"
    assert "content-encoding" not in r.headers
    assert fs.sh("cat a/b/c.txt") == "hällo\n"


def test_content_is_data_whatever_it_is(fs):
    for content in ("", "a\0b\0", "\n", "\u2028\x85", "😀", "\"\\/"):
        assert fs.write(f"{W}/x", content).status == 200
        assert fs.read(f"{W}/x").body == content.encode()


def test_base64_content(fs):
    data = bytes(range(256)) * 10
    r = fs.write(f"{W}/x", base64.b64encode(data).decode(), encoding="base64")
    assert r.status == 200 and fs.read(f"{W}/x").body == data
    folded = base64.encodebytes(data).decode()
    assert fs.write(f"{W}/y", folded, encoding="base64").status == 200
    assert fs.read(f"{W}/y").body == data
    refused(fs.write(f"{W}/z", "not base64!", encoding="base64"), 400,
            "BAD_REQUEST")
    refused(fs.write(f"{W}/z", "x", encoding="utf-16"), 400, "BAD_REQUEST")
    refused(fs.stat(f"{W}/z"), 404, "FILE_NOT_FOUND")


@pytest.mark.parametrize("mode,want", [(None, "0644"), ("", "0644"),
                                       ("755", "0755"), ("0755", "0755"),
                                       ("0600", "0600"), ("400", "0400")])
def test_mode_of_a_write(fs, mode, want):
    assert fs.write(f"{W}/m", "x", mode=mode).status == 200
    assert fs.stat(f"{W}/m").json()["mode"] == want


@pytest.mark.parametrize("mode", ["rwx", "888", "-1", "77777", "0o644",
                                  "644 ", "123456789", 420])
def test_bad_modes(fs, mode):
    refused(fs.write(f"{W}/m", "x", mode=mode), 400, "BAD_REQUEST")
    assert fs.write(f"{W}/m", "x").status == 200
    refused(fs.chmod(f"{W}/m", mode), 400, "BAD_REQUEST")
    if isinstance(mode, str):
        refused(fs.put(f"{W}/m", b"", mode=mode), 400, "BAD_REQUEST")


def test_put_raw(fs):
    data = os.urandom(300000)
    r = fs.put(f"{W}/deep/er/raw", data, mode="640")
    assert r.status == 200 and r.json() == {"status": "written"}
    assert fs.read(f"{W}/deep/er/raw").body == data
    assert fs.stat(f"{W}/deep/er/raw").json()["mode"] == "0640"
    assert fs.put(f"{W}/empty", b"").status == 200
    assert fs.read(f"{W}/empty").body == b""


def test_put_chunked(fs):
    c = fs.inst.client()
    c.begin("PUT", API + fs.q(path=f"{W}/chunky"),
            headers={"Transfer-Encoding": "chunked"})
    for _ in range(10):
        c.send(b"5\r\nhello\r\n")
    c.send(b"0\r\n\r\n")
    assert c.reply("PUT").status == 200
    assert fs.read(f"{W}/chunky").body == b"hello" * 10


def test_put_and_get_100_megabytes(fs):
    """Streamed both ways: the daemon keeps little of it."""
    block = os.urandom(1 << 20)
    pid = fs.inst.daemon_pid()
    before = rss(pid)
    c = fs.inst.client()
    c.begin("PUT", API + fs.q(path=f"{W}/big"),
            headers={"Content-Length": str(100 << 20)})
    for _ in range(100):
        c.send(block)
    assert c.reply("PUT").status == 200
    c.begin("GET", API + fs.q(path=f"{W}/big"))
    r = c.head()
    assert r.headers["content-length"] == str(100 << 20)
    svm.wait_until_stalled(c.sock)
    # The sanitizer keeps what was freed for a while.
    assert svm.SANITIZED or rss(pid) - before < 16 << 20
    got = 0
    for piece in c.chunks(r):
        assert piece[:64] in block[got % (1 << 20):] + block
        got += len(piece)
    assert got == 100 << 20
    fs.delete(f"{W}/big")


def rss(pid):
    with open(f"/proc/{pid}/status") as f:
        for line in f:
            if line.startswith("VmRSS"):
                return int(line.split()[1]) * 1024
    return 0


def test_a_write_is_whole_or_nothing(fs):
    """A caller that goes away in the middle leaves what was there."""
    fs.write(f"{W}/safe", "before")
    c = fs.inst.client()
    c.begin("PUT", API + fs.q(path=f"{W}/safe"),
            headers={"Content-Length": "1000000"})
    c.send(b"x" * 300000)
    c.close()
    wait_for(lambda: [f["name"] for f in fs.list(W).json()] == ["safe"],
             "the temporary file to be gone")
    assert fs.read(f"{W}/safe").body == b"before"


def test_a_sandbox_taken_away_under_a_write(fs):
    """Nobody's fault: not 502."""
    other = Files(fs.inst, fs.inst.sandbox()["id"])
    c = fs.inst.client()
    c.begin("PUT", API + other.q(path=f"{W}/half"),
            headers={"Content-Length": "1000000"})
    c.send(b"x" * 300000)
    wait_for(lambda: other.list(W).json(), "the write to have begun")
    fs.inst.api("DELETE", f"/sandboxes/{other.box}", check=200)
    refused(c.reply("PUT"), 409, "CONFLICT")


def test_body_over_the_limit_of_json(fs):
    c = fs.inst.client()
    c.begin("POST", API + fs.base, headers={
        "Content-Length": str((64 << 20) + 1)})
    refused(c.reply("POST"), 413, "TOO_LARGE")


def test_a_large_json_write(fs):
    content = "0123456789abcdef" * (1 << 19)
    assert fs.write(f"{W}/large", content).status == 200
    assert fs.stat(f"{W}/large").json()["size"] == len(content)


def test_write_over_what_is_no_file(fs):
    fs.sh("mkdir d; mkfifo p; echo t >target; ln -s target link")
    refused(fs.write(f"{W}/d", "x"), 400, "BAD_REQUEST")
    refused(fs.write(f"{W}/p", "x"), 400, "BAD_REQUEST")
    refused(fs.write(f"{W}/target/below", "x"), 400, "BAD_REQUEST")
    refused(fs.write(f"{W}/d/", "x"), 400, "BAD_REQUEST")


def test_the_user_of_the_sandbox_owns_what_is_written(fs):
    fs.write("/app/main.py", "print(1)")
    assert fs.sh("test -O main.py && test -w main.py && echo mine",
                 workdir="/app") == "mine\n"


@pytest.mark.parametrize("body", [
    {}, {"path": ""}, {"path": 5}, {"path": "relative"}, {"path": "a\0b"},
    {"path": "/a\0b"}, {"path": "/x", "content": 5},
    {"path": "/x", "content": []}, {"path": "/" + "x" * 300},
    {"path": "/x" * 3000},
])
def test_bad_writes(fs, body):
    refused(fs.inst.api("POST", fs.base, body), 400, "BAD_REQUEST")


@pytest.mark.parametrize("query", ["", "path=", "path=rel", "path=%00",
                                   "path=/a%00b", "path=/%", "path=/" + "y" * 5000])
def test_bad_paths_in_queries(fs, query):
    for method, sub in (("GET", ""), ("DELETE", ""), ("GET", "/stat"),
                        ("GET", "/archive")):
        r = fs.inst.api(method, f"{fs.base}{sub}?{query}")
        assert r.status == 400, (method, sub, r)


# -- read

def test_missing_file(fs):
    refused(fs.read(f"{W}/none"), 404, "FILE_NOT_FOUND")
    refused(fs.stat(f"{W}/none"), 404, "FILE_NOT_FOUND")
    refused(fs.list(f"{W}/none"), 404, "FILE_NOT_FOUND")
    refused(fs.chmod(f"{W}/none", "644"), 404, "FILE_NOT_FOUND")
    refused(fs.move(f"{W}/none", f"{W}/other"), 404, "FILE_NOT_FOUND")
    r = fs.inst.api("GET", fs.q("/archive", path=f"{W}/none"))
    refused(r, 404, "FILE_NOT_FOUND")


@pytest.mark.parametrize("header,status,body", [
    ("bytes=0-3", 206, b"0123"), ("bytes=4-", 206, b"456789"),
    ("bytes=-3", 206, b"789"), ("bytes=-100", 206, b"0123456789"),
    ("bytes=5-100", 206, b"56789"), ("bytes=9-9", 206, b"9"),
    ("bytes=10-", 416, None), ("bytes=10-20", 416, None),
    ("bytes=-0", 416, None),
    ("bytes=99999999999999999999-", 200, b"0123456789"),
    ("bytes=3-1", 200, b"0123456789"), ("bytes=a-b", 200, b"0123456789"),
    ("bytes=0-1,3-4", 200, b"0123456789"), ("lines=1-2", 200, b"0123456789"),
])
def test_ranges(fs, header, status, body):
    fs.write(f"{W}/digits", "0123456789")
    r = fs.read(f"{W}/digits", Range=header)
    assert r.status == status, r
    if status == 416:
        assert r.headers["content-range"] == "bytes */10"
        assert r.json()["code"] == "RANGE_NOT_SATISFIABLE"
        return
    assert r.body == body
    if status == 206:
        first = b"0123456789".index(body)
        assert r.headers["content-range"] == \
            f"bytes {first}-{first + len(body) - 1}/10"


def test_range_follows_links(fs):
    fs.write(f"{W}/digits", "0123456789")
    fs.sh("ln -s digits link")
    assert fs.read(f"{W}/link", Range="bytes=2-3").body == b"23"


def test_etag_changes_with_the_file(fs):
    fs.write(f"{W}/x", "one")
    tag = fs.read(f"{W}/x").headers["etag"]
    assert fs.read(f"{W}/x").headers["etag"] == tag
    r = fs.read(f"{W}/x", Range="bytes=0-0", If_Range=tag)
    assert r.status == 206 and r.headers["etag"] == tag
    fs.write(f"{W}/x", "two")
    r = fs.read(f"{W}/x", Range="bytes=0-0", If_Range=tag)
    assert r.status == 200 and r.body == b"two" and r.headers["etag"] != tag
    # Never a 3xx: clients take it for an error.
    r = fs.read(f"{W}/x", If_None_Match=r.headers["etag"])
    assert r.status == 200


# -- written only over what was read

def test_if_match(fs):
    old = fs.write(f"{W}/x", "one").headers["etag"]
    assert fs.read(f"{W}/x").headers["etag"] == old
    r = fs.put_if(f"{W}/x", b"two", If_Match=old)
    assert r.status == 200, r
    new = r.headers["etag"]
    assert new != old and fs.read(f"{W}/x").headers["etag"] == new
    # Another version, nobody's, a weak one, one of another kind.
    for tag in (old, '"0-0-0"', "W/" + new, '"abc"', "abc", '""',
                '"1-2-3-4"', '"%s-1-1"' % ("f" * 17)):
        refused(fs.put_if(f"{W}/x", b"lost", If_Match=tag), 412,
                "PRECONDITION_FAILED")
    assert fs.read(f"{W}/x").body == b"two"
    assert fs.read(f"{W}/x").headers["etag"] == new
    # A change of another kind is one too.
    fs.sh("printf TWO >x")
    refused(fs.put_if(f"{W}/x", b"lost", If_Match=new), 412,
            "PRECONDITION_FAILED")
    fs.sh("rm x")
    for tag in (new, "*"):
        refused(fs.put_if(f"{W}/x", b"lost", If_Match=tag), 412,
                "PRECONDITION_FAILED")
    refused(fs.stat(f"{W}/x"), 404, "FILE_NOT_FOUND")
    # Nothing is left of those that were refused.
    assert fs.sh("ls -A") == ""


def test_if_match_anything(fs):
    fs.write(f"{W}/x", "one")
    assert fs.put_if(f"{W}/x", b"two", If_Match="*").status == 200
    assert fs.read(f"{W}/x").body == b"two"
    assert fs.sh("ls -A") == "x\n"


def test_if_none_match(fs):
    assert fs.put_if(f"{W}/d/new", b"1", If_None_Match="*").status == 200
    fs.sh("ln -s nowhere d/link")
    for name in "new", "link":
        refused(fs.put_if(f"{W}/d/{name}", b"2", If_None_Match="*"), 412,
                "PRECONDITION_FAILED")
    assert fs.read(f"{W}/d/new").body == b"1"
    assert fs.sh("ls -A d") == "link\nnew\n"


def test_move_if_none_match(fs):
    def move(new, condition="*"):
        return fs.inst.api("POST", fs.base + "/move",
                           {"old_path": f"{W}/x", "new_path": f"{W}/{new}"},
                           {"If-None-Match": condition})
    fs.sh("echo x >x; echo y >y; ln -s nowhere link; mkdir dir")
    for name in "y", "link", "x":
        refused(move(name), 412, "PRECONDITION_FAILED")
    refused(move("dir"), 409, "CONFLICT")
    refused(move("z", '"1-2-3"'), 400, "BAD_REQUEST")
    assert fs.sh("cat x y; readlink link; ls -A") == \
        "x\ny\nnowhere\ndir\nlink\nx\ny\n"
    assert move("new/z").status == 200
    assert fs.sh("cat new/z; ls -A") == "x\ndir\nlink\nnew\ny\n"


def test_if_match_is_for_post_as_well(fs):
    tag = fs.write(f"{W}/x", "one").headers["etag"]

    def post(text, **headers):
        return fs.inst.api("POST", fs.base, {"path": f"{W}/x",
                                             "content": text}, headers)
    assert post("two", **{"If-Match": tag}).status == 200
    refused(post("no", **{"If-Match": tag}), 412, "PRECONDITION_FAILED")
    refused(post("no", **{"If-None-Match": "*"}), 412, "PRECONDITION_FAILED")
    assert fs.read(f"{W}/x").body == b"two"


def test_if_match_of_a_link(fs):
    """What was read is the file, what would be replaced is the link."""
    fs.write(f"{W}/file", "text")
    fs.sh("ln -s file link")
    tag = fs.read(f"{W}/link").headers["etag"]
    refused(fs.put_if(f"{W}/link", b"no", If_Match=tag), 412,
            "PRECONDITION_FAILED")
    assert fs.sh("readlink link; cat file") == "file\ntext"


@pytest.mark.parametrize("headers", [
    {"If_Match": '"1-2-3", "4-5-6"'}, {"If_None_Match": '"1-2-3"'},
    {"If_Match": "*", "If_None_Match": "*"},
])
def test_conditions_that_are_none(fs, headers):
    fs.write(f"{W}/x", "one")
    refused(fs.put_if(f"{W}/x", b"two", **headers), 400, "BAD_REQUEST")
    assert fs.read(f"{W}/x").body == b"one"


@pytest.mark.parametrize("name", ["If-Match", "If-None-Match",
                                  "If-Unmodified-Since"])
def test_conditions_nobody_looks_at(fs, name):
    """What should be done under a condition is not done without it."""
    fs.write(f"{W}/x", "one")
    tag = {name: '"1-2-3"' if name != "If-Unmodified-Since" else
           "Thu, 01 Jan 1970 00:00:00 GMT"}
    for method, path, body in (
            ("DELETE", f"?path={W}/x", None),
            ("POST", "/move", {"old_path": f"{W}/x",
                               "new_path": f"{W}/y"}),
            ("POST", "/chmod", {"path": f"{W}/x", "mode": "600"}),
            ("PUT", f"/archive?path={W}", b"")):
        refused(fs.inst.api(method, fs.base + path, body, tag), 400,
                "BAD_REQUEST")
    assert fs.read(f"{W}/x").body == b"one"
    assert fs.read(f"{W}/x", **{name: "*"}).status == 200


def together(calls):
    out = [None] * len(calls)

    def run(i):
        out[i] = calls[i]()
    threads = [threading.Thread(target=run, args=[i])
               for i in range(len(calls))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return out


def test_one_of_many_wins(fs):
    """They all have read the same; whoever is told 200 is what is there."""
    clients = [fs.inst.client() for _ in range(8)]
    q = API + fs.q(path=f"{W}/x")
    tag = fs.write(f"{W}/x", "start").headers["etag"]
    for turn in range(15):
        for headers in ({"If-Match": tag}, {"If-None-Match": "*"}):
            if "If-None-Match" in headers:
                fs.delete(f"{W}/x")
            replies = together([
                lambda c=c, i=i: c.request("PUT", q, b"%d" % i, headers)
                for i, c in enumerate(clients)])
            won = [i for i, r in enumerate(replies) if r.status == 200]
            assert len(won) == 1, replies
            assert {r.status for r in replies} == {200, 412}
            r = fs.read(f"{W}/x")
            assert r.body == b"%d" % won[0]
            tag = r.headers["etag"]
            assert tag == replies[won[0]].headers["etag"]
    assert fs.sh("ls -A") == "x\n"


@pytest.mark.parametrize("make,name", [
    ("mkdir d", "d"), ("mkfifo p", "p"), ("true", "../dev/zero"),
    ("ln -s /dev/zero z", "z"), ("mkfifo q; ln -s q lq", "lq"),
    ("ln -s loop loop", "loop"),
])
def test_reading_what_is_no_file_is_400_at_once(fs, make, name):
    fs.sh(make)
    start = time.monotonic()
    r = fs.read(f"{W}/{name}")
    assert r.status in (400, 404) if "zero" in make + name \
        else r.status == 400, r
    assert time.monotonic() - start < 20
    r = fs.read(f"{W}/{name}", Range="bytes=0-1")
    assert r.status in (400, 404), r


def test_sparse_file(fs):
    fs.sh("truncate -s 3000000000000 sparse 2>/dev/null || "
          "truncate -s 300000000 sparse")
    size = fs.stat(f"{W}/sparse").json()["size"]
    r = fs.read(f"{W}/sparse", Range=f"bytes={size - 4}-")
    assert r.status == 206 and r.body == b"\0" * 4
    c = fs.inst.client()
    c.begin("GET", API + fs.q(path=f"{W}/sparse"))
    r = c.head()
    assert r.headers["content-length"] == str(size)
    for _, piece in zip(range(10), c.chunks(r)):
        assert not piece.strip(b"\0")
    c.close()
    assert fs.stat(f"{W}/sparse").status == 200


def test_a_file_that_shrinks_while_it_is_sent(fs):
    """The connection is cut: a clean end would lie."""
    fs.sh("truncate -s 50000000 shrinks")
    c = fs.inst.client()
    c.begin("GET", API + fs.q(path=f"{W}/shrinks"))
    r = c.head()
    assert r.status == 200
    fs.sh("truncate -s 10 shrinks")
    with pytest.raises(ConnectionError):
        for _ in c.chunks(r):
            pass


def test_a_file_that_grows_while_it_is_sent(fs):
    fs.sh("truncate -s 20000000 grows")
    c = fs.inst.client()
    c.begin("GET", API + fs.q(path=f"{W}/grows"))
    r = c.head()
    fs.sh("truncate -s 40000000 grows")
    assert sum(len(p) for p in c.chunks(r)) == 20000000


def test_files_that_claim_to_be_empty(fs):
    r = fs.read("/proc/self/status")
    assert r.status in (200, 403, 404), r
    if r.status == 200:
        assert b"Name:" in r.body


def test_unreadable_file(fs):
    if fs.sh("id -u") == "0\n":
        pytest.skip("the sandbox's user is root, who may read everything")
    fs.sh("echo x >secret; chmod 000 secret")
    refused(fs.read(f"{W}/secret"), 403, "FORBIDDEN")


# -- list and stat

def test_list(fs):
    fs.sh("mkdir l; cd l; echo 1234 >b; mkdir a; ln -s b c; mkfifo d; "
          "printf '' >'e f'; chmod 640 b; printf x >'ünï'")
    r = fs.list(f"{W}/l")
    assert r.status == 200
    got = r.json()
    assert [e["name"] for e in got] == sorted(["a", "b", "c", "d", "e f",
                                               "ünï"])
    by = {e["name"]: e for e in got}
    assert all(e["path"] == f"{W}/l/{e['name']}" for e in got)
    assert by["b"]["size"] == 5 and by["b"]["mode"] == "0640"
    assert by["b"]["type"] == "file" and by["b"]["is_dir"] is False
    assert by["a"]["type"] == "dir" and by["a"]["is_dir"] is True
    assert by["c"]["type"] == "symlink" and by["c"]["target"] == "b"
    assert by["d"]["type"] == "fifo" and "target" not in by["d"]
    assert by["b"]["mod_time"].endswith("Z")


def test_list_of_the_root_and_of_nothing(fs):
    r = fs.inst.api("GET", fs.base + "/list")
    assert r.status == 200
    assert {"workspace", "app"} <= {e["name"] for e in r.json()}
    assert next(e for e in r.json() if e["name"] == "app")["path"] == "/app"
    fs.sh("mkdir empty")
    assert fs.list(f"{W}/empty").json() == []
    refused(fs.list(f"{W}/empty/../../workspace/empty/x"), 404,
            "FILE_NOT_FOUND")
    fs.write(f"{W}/plain", "")
    refused(fs.list(f"{W}/plain"), 400, "BAD_REQUEST")


def test_list_is_bounded(fs):
    fs.sh("mkdir many && cd many && seq 10050 | xargs touch")
    r = fs.list(f"{W}/many")
    assert r.status == 200 and len(r.json()) == 10000
    assert r.headers["x-truncated"] == "true"


def test_names_nobody_should_choose(fs):
    names = ["new\nline", "esc\x1b[31m", "-rf", "a*b", " ", "\u2028", "..."]
    for n in names:
        assert fs.write(f"{W}/odd/{n}", n).status == 200
    r = fs.list(f"{W}/odd")
    assert {e["name"] for e in r.json()} == set(names)
    assert b"\n" not in r.body and b"\x1b" not in r.body
    for n in names:
        assert fs.read(f"{W}/odd/{n}").body == n.encode()


def test_stat(fs):
    fs.write(f"{W}/s", "12345", mode="0600")
    got = fs.stat(f"{W}//s").json()
    assert got["name"] == "s" and got["path"] == f"{W}/s"
    assert (got["size"], got["mode"], got["type"]) == (5, "0600", "file")
    got = fs.stat("/").json()
    assert (got["name"], got["path"], got["is_dir"]) == ("/", "/", True)
    fs.sh("ln -s s link")
    got = fs.stat(f"{W}/link").json()
    assert (got["type"], got["target"]) == ("symlink", "s")


# -- delete, move, chmod

def test_delete(fs):
    fs.write(f"{W}/gone", "x")
    assert fs.delete(f"{W}/gone").json() == {"status": "deleted"}
    assert fs.delete(f"{W}/gone").status == 200, "idempotent"
    refused(fs.stat(f"{W}/gone"), 404, "FILE_NOT_FOUND")
    fs.write(f"{W}/dir/a/b", "x")
    refused(fs.delete(f"{W}/dir"), 409, "CONFLICT")
    for word in ("1", "yes", "True", "TRUE", ""):
        refused(fs.delete(f"{W}/dir", recursive=word), 409, "CONFLICT")
    assert fs.delete(f"{W}/dir", recursive="true").status == 200
    assert fs.list(W).json() == []
    fs.sh("mkdir empty")
    assert fs.delete(f"{W}/empty").status == 200


def test_delete_does_not_follow_links(fs):
    fs.sh("mkdir keep; echo x >keep/me; mkdir tree; ln -s ../keep tree/l; "
          "ln -s keep top")
    assert fs.delete(f"{W}/tree", recursive="true").status == 200
    assert fs.delete(f"{W}/top", recursive="true").status == 200
    assert fs.read(f"{W}/keep/me").body == b"x\n"


def test_deleting_the_root_is_refused(fs):
    for path in ("/", "//", "/.", "/..", f"{W}/."):
        r = fs.delete(path, recursive="true")
        assert r.status in (400, 403, 409), (path, r)
    assert fs.stat(W).status == 200


def test_move(fs):
    fs.write(f"{W}/from", "1")
    r = fs.move(f"{W}/from", f"{W}/new/parents/to")
    assert r.status == 200 and r.json() == {"status": "moved"}
    assert fs.read(f"{W}/new/parents/to").body == b"1"
    fs.write(f"{W}/other", "2")
    assert fs.move(f"{W}/other", f"{W}/new/parents/to").status == 200
    assert fs.read(f"{W}/new/parents/to").body == b"2"
    fs.write(f"{W}/third", "3")
    fs.sh("mkdir existing")
    refused(fs.move(f"{W}/third", f"{W}/existing"), 409, "CONFLICT")
    assert fs.move(f"{W}/new", f"{W}/renamed").status == 200
    assert fs.read(f"{W}/renamed/parents/to").body == b"2"
    r = fs.move(f"{W}/renamed", f"{W}/renamed/inside")
    assert r.status in (400, 409), r
    for bad in ({"old_path": "/a"}, {"new_path": "/a"},
                {"old_path": "a", "new_path": "/b"},
                {"old_path": "/a", "new_path": "/b\0"}):
        r = fs.inst.api("POST", fs.base + "/move", bad)
        refused(r, 400, "BAD_REQUEST")


def test_chmod(fs):
    fs.write(f"{W}/run.sh", "#!/bin/sh\necho ran\n")
    r = fs.chmod(f"{W}/run.sh", "755")
    assert r.status == 200 and r.json() == {"status": "chmod applied"}
    assert fs.stat(f"{W}/run.sh").json()["mode"] == "0755"
    assert fs.sh("./run.sh") == "ran\n"
    refused(fs.inst.api("POST", fs.base + "/chmod", {"path": f"{W}/run.sh"}),
            400, "BAD_REQUEST")


# -- glob

def test_glob(fs):
    for n in ("a.py", "b.py", "c.txt", "sub/d.py", "sub/deep/e.py",
              ".hidden/f.py"):
        fs.write(f"{W}/g/{n}", "")
    def g(pattern):
        r = fs.glob(pattern)
        assert r.status == 200, r
        return [p.removeprefix(f"{W}/g/") for p in r.json()]
    assert g(f"{W}/g/*.py") == ["a.py", "b.py"]
    assert {"a.py", "b.py", "sub/d.py", "sub/deep/e.py"} <= \
        set(g(f"{W}/g/**/*.py"))
    assert g(f"{W}/g/*.py") == sorted(g(f"{W}/g/*.py"))
    assert g(f"{W}/g/[ab].*") == ["a.py", "b.py"]
    assert g(f"{W}/g/?.txt") == ["c.txt"]
    assert g(f"{W}/g/nothing*") == []
    r = fs.inst.api("GET", f"{fs.base}/glob?pattern={W}/g/*.py")
    assert len(r.json()) == 2, "a raw star"
    for bad in ("", "relative/*", "/" + "a" * 5000):
        refused(fs.glob(bad), 400, "BAD_REQUEST")


# -- nothing reaches the host

def host_file(tmp_path):
    f = tmp_path / "host-secret"
    f.write_text("host")
    return f


@pytest.mark.parametrize("up", ["/../" * 20, "/workspace" + "/.." * 30 + "/"])
def test_dots_stay_inside(fs, tmp_path, up):
    f = host_file(tmp_path)
    r = fs.read(f"{up}{f}")
    assert r.status in (403, 404), r
    r = fs.write(f"{up}{tmp_path}/planted", "x")
    assert not (tmp_path / "planted").exists()


def test_links_stay_inside(fs, tmp_path):
    f = host_file(tmp_path)
    if fs.inst.provider == "mock":
        fs.sh(f"ln -s {f} out; ln -s {tmp_path} dir")
    else:
        fs.sh(f"ln -s {f} out; ln -s {tmp_path} dir; "
              "ln -s /proc/1/root/ root")
        r = fs.read(f"{W}/root{f}")
        assert r.status in (400, 403, 404), r
    assert fs.read(f"{W}/out").status in (403, 404)
    assert fs.read(f"{W}/dir/host-secret").status in (403, 404)
    fs.write(f"{W}/dir/planted", "x")
    fs.write(f"{W}/out", "replaced")
    fs.delete(f"{W}/dir/host-secret")
    assert not (tmp_path / "planted").exists()
    assert f.read_text() == "host"


@pytest.mark.seconds(180)
def test_a_racing_renamer_reaches_nothing(fs, tmp_path):
    """A directory is swapped with a link out of the sandbox for as long as
    calls come in; no call may see, change or make anything out there."""
    f = host_file(tmp_path)
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "keep").write_text("host")
    fs.write(f"{W}/real/host-secret", "inside")
    fs.write(f"{W}/real/victim/keep", "inside")
    r = fs.inst.exec(fs.box, f"ln -s {tmp_path} evil; cp -r real spare; "
                     "while :; do mv -T evil swap; mv -T real evil; "
                     "mv -T swap real; mv -T evil swap; mv -T real evil; "
                     "mv -T swap real; done 2>/dev/null", detach=True)
    assert r.status == 200, r
    end = time.monotonic() + 3
    n = 0
    while time.monotonic() < end:
        n += 1
        for path in (f"{W}/real", f"{W}/evil"):
            r = fs.read(f"{path}/host-secret")
            assert r.body != b"host", "read a file of the host"
            fs.write(f"{path}/planted", "x")
            fs.write(f"{path}/host-secret", "inside")
            fs.chmod(f"{path}/host-secret", "777")
            fs.move(f"{path}/host-secret", f"{path}/moved")
            fs.move(f"{path}/moved", f"{path}/host-secret")
            fs.delete(f"{path}/victim", recursive="true")
            for e in fs.glob(f"{path}/*").json():
                assert isinstance(e, str)
            fs.list(path)
    assert n > 2
    assert f.read_text() == "host" and f.stat().st_mode & 0o777 != 0o777
    assert (tmp_path / "victim" / "keep").read_text() == "host"
    assert sorted(os.listdir(tmp_path)) == ["host-secret", "victim"]


# -- archives

def archive(fs, path):
    r = fs.inst.api("GET", fs.q("/archive", path=path))
    assert r.status == 200, r
    assert r.headers["content-type"] == "application/x-tar"
    return r.body


def test_archive_round_trip(fs):
    fs.sh("mkdir -p t/sub/empty; echo one >t/one; echo two >t/sub/two; "
          "chmod 755 t/one; ln -s one t/link; "
          "printf x >\"t/$(printf 'n%.0s' $(seq 200))\"")
    data = archive(fs, f"{W}/t")
    with tarfile.open(fileobj=io.BytesIO(data)) as t:
        names = [m.name.removeprefix("./").rstrip("/") for m in t]
        assert any(n.endswith("sub/two") for n in names), names
        link = next(m for m in t.getmembers() if m.issym())
        assert link.linkname == "one"
    r = fs.inst.api("PUT", fs.q("/archive", path=f"{W}/copy"), data)
    assert r.status == 200 and r.json()["status"] == "extracted", r
    assert fs.sh("diff -r t copy/t 2>/dev/null || diff -r t copy && "
                 "echo same") == "same\n"


def test_archive_made_elsewhere(fs):
    b = io.BytesIO()
    with tarfile.open(fileobj=b, mode="w") as t:
        info = tarfile.TarInfo("dir/" + "x" * 150)
        info.size = 5
        t.addfile(info, io.BytesIO(b"hello"))
    r = fs.inst.api("PUT", fs.q("/archive", path=f"{W}/in"), b.getvalue())
    assert r.status == 200, r
    assert fs.read(f"{W}/in/dir/" + "x" * 150).body == b"hello"


def test_hostile_archives(fs, tmp_path):
    def tar(*members):
        b = io.BytesIO()
        with tarfile.open(fileobj=b, mode="w") as t:
            for name, kind, target in members:
                info = tarfile.TarInfo(name)
                info.type, info.linkname = kind, target
                if kind == tarfile.REGTYPE:
                    info.size = 3
                t.addfile(info, io.BytesIO(b"bad")
                          if kind == tarfile.REGTYPE else None)
        return b.getvalue()
    reg, sym = tarfile.REGTYPE, tarfile.SYMTYPE
    for data in (tar((f"../../../../../..{tmp_path}/planted", reg, "")),
                 tar((f"{tmp_path}/planted", reg, "")),
                 tar(("l", sym, str(tmp_path)), ("l/planted", reg, "")),
                 tar(("dev", tarfile.CHRTYPE, ""))):
        fs.inst.api("PUT", fs.q("/archive", path=f"{W}/h"), data)
        assert os.listdir(tmp_path) == []
    r = fs.inst.api("PUT", fs.q("/archive", path=f"{W}/h"), b"x" * 2000)
    refused(r, 400, "BAD_REQUEST")
    r = fs.inst.api("PUT", fs.q("/archive", path=f"{W}/h"),
                    tar(("a", reg, ""))[:700])
    assert r.status in (200, 400), r


# -- limits and neighbours

def test_full_disk(fs):
    """507, and what was there is still there."""
    if fs.inst.provider != "native":
        pytest.skip("only native has a disk of its own")
    box = fs.inst.sandbox(disk_mb=16)["id"]
    small = Files(fs.inst, box)
    small.write(f"{W}/keep", "kept")
    c = fs.inst.client()
    c.begin("PUT", API + small.q(path=f"{W}/keep"),
            headers={"Content-Length": str(64 << 20)})
    try:
        for _ in range(64):
            c.send(b"x" * (1 << 20))
    except (BrokenPipeError, ConnectionResetError):
        pass
    refused(c.reply("PUT"), 507, "NO_SPACE")
    assert small.read(f"{W}/keep").body == b"kept"
    assert [e["name"] for e in small.list(W).json()] == ["keep"]
    refused(small.write(f"{W}/more", "x" * (30 << 20)), 507, "NO_SPACE")
    fs.inst.api("DELETE", f"/sandboxes/{box}", check=200)


def test_downloads_at_once(fs):
    data = os.urandom(3 << 20)
    fs.put(f"{W}/many", data)
    bad = []

    def one():
        with fs.inst.client() as c:
            r = c.request("GET", API + fs.q(path=f"{W}/many"))
            if r.body != data:
                bad.append(len(r.body))

    threads = [threading.Thread(target=one) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not bad


# Left of it: less than the agent is about to send, and all but the last
# piece, whose absence it takes for the end.
@pytest.mark.parametrize("size,left", [(48 << 20, 1),
                                       ((48 << 20) + 100, 48 << 20)])
def test_a_file_that_shrinks_meanwhile(fs, size, left):
    """Its length was promised: the client sees a cut, and nothing else in the
    place of what is gone."""
    data = (os.urandom(1 << 20) * 49)[:size]
    assert fs.put(f"{W}/shrinks", data).status in (200, 201)
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)  # long before a call without progress is ended
        s.connect(fs.inst.socket)
        s.sendall(f"GET {API}{fs.q(path=f'{W}/shrinks')} HTTP/1.1\r\n"
                  "Host: localhost\r\n\r\n".encode())
        svm.wait_until_stalled(s)
        fs.sh(f"truncate -s {left} shrinks")
        got = bytearray()
        try:
            while piece := s.recv(1 << 20):
                got += piece
        except ConnectionResetError:
            pass
    head, _, body = bytes(got).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert f"Content-Length: {len(data)}".encode() in head, head
    assert len(body) < len(data) and data.startswith(body), len(body)
    # The agent is none the worse for it.
    assert fs.read(f"{W}/shrinks").body == data[:left]
    assert fs.sh("echo on") == "on\n"
    state = fs.inst.api("GET", f"/sandboxes/{fs.box}", check=200).json()
    assert state["state"] == "running", state


def test_events_of_files(fs):
    c = fs.inst.client()
    c.begin("GET", f"{API}/events?sandbox_id={fs.box}&since=0")
    r = c.head()
    fs.write(f"{W}/e", "x")
    fs.move(f"{W}/e", f"{W}/f")
    fs.delete(f"{W}/f")
    want, seen = {"file.written", "file.moved", "file.deleted"}, set()
    for piece in c.chunks(r):
        for line in piece.decode().splitlines():
            if line.startswith("data:"):
                e = json.loads(line[5:])
                seen.add(e["type"])
                if e["type"] == "file.moved":
                    assert e["data"] == {"path": f"{W}/e",
                                         "new_path": f"{W}/f"}
        if want <= seen:
            break
    c.close()


def test_unknown_sandbox(shared):
    nobody = Files(shared, "sb-00000000")
    for r in (nobody.read("/x"), nobody.write("/x", ""), nobody.list("/"),
              nobody.delete("/x"), nobody.put("/x", b"y")):
        refused(r, 404, "NOT_FOUND")
