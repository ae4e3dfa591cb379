# SPDX-License-Identifier: MIT
"""Trees and files of a sandbox that don't come whole: what can't be read is
left out and told, what breaks off is blamed on who broke it off."""
import io
import os
import signal
import tarfile
import urllib.parse

import pytest
from screen import Screen
from svm import wait_for

DENIED = "Permission denied"


def sh(inst, box, script):
    r = inst.exec(box, script).json()
    assert r["exit_code"] == 0, r


def archive(inst, box, path):
    """Its names and the trailers."""
    r = inst.api("GET", f"/sandboxes/{box}/files/archive?path={path}",
                 check=200)
    with tarfile.open(fileobj=io.BytesIO(r.body)) as t:
        assert r.body.endswith(bytes(1024))
        return sorted(t.getnames()), r.trailers


# -- left out

def test_a_whole_archive_says_so(shared, box):
    sh(shared, box, "mkdir -p d; echo a >d/a")
    names, trailers = archive(shared, box, "/workspace/d")
    assert names == ["a"] and trailers == {"x-omitted": "0"}


def test_the_rest_is_copied(shared, box, tmp_path):
    sh(shared, box, "mkdir -p d/nolist d/nosearch d/z; cd d; echo a >a; "
       "echo z >z/z; echo s >secret; echo x >nolist/x; echo 1 >nosearch/1; "
       "echo 2 >nosearch/2; ln -s a link; chmod 0 secret; "
       "chmod 111 nolist; chmod 444 nosearch")
    names, trailers = archive(shared, box, "/workspace/d")
    assert names == ["a", "link", "nolist", "nosearch", "z", "z/z"]
    assert trailers["x-omitted"] == "4"
    assert trailers["x-omitted-reason"] == DENIED
    for flags in ([], ["--json"], ["-q"]):
        out = tmp_path / "".join(["out", *flags])
        r = shared.must_fail("cp", "-r", *flags, f"{box}:d", out)
        assert r.code == 1 and r.out == b"", r
        assert (f"4 entries of {box}:/workspace/d were left out; the first: "
                "'/workspace/d/") in r.errtext and DENIED in r.errtext, r
        assert (out / "a").read_text() == "a\n"
        assert (out / "z" / "z").read_text() == "z\n"
        assert os.readlink(out / "link") == "a"
        assert os.listdir(out / "nolist") == os.listdir(
            out / "nosearch") == []
        assert not (out / "secret").exists()
    sh(shared, box, "chmod -R u+rwx d")
    shared.ok("cp", "-r", f"{box}:d", tmp_path / "whole")
    assert (tmp_path / "whole" / "secret").read_text() == "s\n"


def test_what_was_asked_for_is_no_entry(shared, box, tmp_path):
    """An error at once, and nothing is made."""
    sh(shared, box, "mkdir d; echo s >secret; chmod 0 d secret")
    for name in ("d", "secret"):
        r = shared.must_fail("cp", "-r", f"{box}:{name}", tmp_path / "out")
        assert r.code == 4 and f"'/workspace/{name}': {DENIED}" in r.errtext
    r = shared.api("GET", f"/sandboxes/{box}/files/archive?path=/workspace/d")
    assert r.status == 403, r
    assert os.listdir(tmp_path) == []
    sh(shared, box, "chmod 755 d")


def test_a_hostile_name_is_shown(shared, box, tmp_path):
    """It becomes neither a header nor a sequence of the terminal's."""
    evil = "d/s\r\nX-Evil: 1\r\n\r\n\x1b[31mred"
    sh(shared, box, "mkdir d; echo x >\"$(printf 'd/s\\r\\nX-Evil: 1"
       "\\r\\n\\r\\n\\033[31mred')\"; chmod 0 d/s*; echo a >d/a")
    names, trailers = archive(shared, box, "/workspace/d")
    assert names == ["a"]
    assert trailers == {
        "x-omitted": "1", "x-omitted-reason": DENIED,
        "x-omitted-first": urllib.parse.quote(f"/workspace/{evil}", safe="")}
    r = shared.must_fail("cp", "-r", f"{box}:d", tmp_path / "out")
    assert (f"1 entry of {box}:/workspace/d was left out: '/workspace/d/s^M^J"
            f"X-Evil: 1^M^J^M^J^[[31mred': {DENIED}\n") in r.errtext, r
    assert b"\r" not in r.err and b"\x1b" not in r.err
    assert os.listdir(tmp_path / "out") == ["a"]


def test_a_long_name_is_cut(shared, box, tmp_path):
    sh(shared, box, "n=$(printf '\\303\\266%.0s' $(seq 100)); "
       "mkdir -p d/$n/$n/$n; cd d/$n/$n/$n; echo x >x; chmod 0 x")
    _, trailers = archive(shared, box, "/workspace/d")
    first = urllib.parse.unquote(trailers["x-omitted-first"], errors="strict")
    assert first.startswith("/workspace/d/\u00f6") and first.endswith("\u00f6...")
    assert 500 < len(first.encode()) <= 515
    r = shared.must_fail("cp", "-r", f"{box}:d", tmp_path / "out")
    assert r.code == 1 and f"\u00f6...': {DENIED}" in r.errtext, r


def test_files_without_pages(shared, tmp_path):
    """Those of procfs can't be sent by sendfile(2), however large."""
    config = "/proc/config.gz"
    if shared.provider != "native" or not os.path.exists(config):
        pytest.skip(f"no sandbox here has a {config}")
    box = shared.spawn()
    with open(config, "rb") as f:
        data = f.read()
    assert len(data) > 16384
    assert shared.ok("cp", f"{box}:{config}", "-").out == data
    r = shared.must_fail("cp", "-r", f"{box}:/proc", tmp_path / "out")
    assert r.code == 1 and "were left out; the first: '/proc/" in r.errtext, r
    assert (tmp_path / "out" / "config.gz").read_bytes() == data
    shared.ok("kill", box)


def test_the_dashboard_says_so(inst, tmp_path):
    inst.start()
    boxes = [inst.sandbox(name=f"box{i}")["id"] for i in range(2)]
    sh(inst, boxes[1], "echo a >a; echo s >secret; chmod 0 secret")
    with Screen(inst, "tui", size="32x160") as t:
        t.step("send 2", f"wait {boxes[0]}", f"wait {boxes[1]}", "send A",
               "send X", "wait EXPORT", f"send ^U{tmp_path}\\r",
               "wait exported 1 of 2, 1 failed",
               "wait was left out: '/workspace/secret': Permission denied")
        t.step("send \\e", "gone entry of the archive")
        t.end("send q", "exit 0")
    with tarfile.open(tmp_path / f"{boxes[1]}.tar") as t:
        assert t.getnames() == ["a"]


# -- holes

def test_holes_stay_holes(shared, box, tmp_path):
    sh(shared, box, "mkdir d; cd d; truncate -s 64M big; echo x >>big; "
       "truncate -s 65M big; : >empty")
    shared.ok("cp", "-r", f"{box}:d", tmp_path / "d")
    shared.ok("cp", f"{box}:d/big", tmp_path / "big")
    (tmp_path / "other").touch()
    os.truncate(tmp_path / "other", 1 << 20)
    holes = (tmp_path / "other").stat().st_blocks == 0
    for f in (tmp_path / "d" / "big", tmp_path / "big"):
        st = f.stat()
        assert st.st_size == 65 << 20
        assert not holes or st.st_blocks * 512 < 1 << 20
        with open(f, "rb") as data:
            assert data.read().strip(b"\0") == b"x\n"
    assert (tmp_path / "d" / "empty").stat().st_size == 0


# -- cut off

def test_more_than_an_archive_holds(shared, box, tmp_path):
    sh(shared, box, "mkdir -p d/sub; truncate -s 65G d/sub/huge")
    r = shared.must_fail("cp", "-r", f"{box}:d", tmp_path / "out")
    assert r.code == 1 and "lost the daemon" not in r.errtext, r
    assert (f"'{box}:/workspace/d': cut off: the sandbox did not send the "
            "rest") in r.errtext and "at most 64 GiB" in r.errtext, r
    # What was whole stays, as ever.
    assert os.listdir(tmp_path / "out") == ["sub"]
    assert os.listdir(tmp_path / "out" / "sub") == []
    log = shared.log()
    assert (f"sandbox={box}" in log and "was cut off: the archive would be "
            "larger than" in log and "'sub/huge'" in log), log[-2000:]


def stopped_midway(inst, box, tmp_path):
    """A copy of what takes long, in the midst of it."""
    sh(inst, box, "mkdir d; truncate -s 8G d/big")
    p = inst.popen("cp", "-r", f"{box}:d", tmp_path / "out")
    wait_for(lambda: (tmp_path / "out" / "big").exists(), "it to begin")
    p.send_signal(signal.SIGSTOP)
    return p


def goes_on(p, tmp_path):
    p.send_signal(signal.SIGCONT)
    _, err = p.communicate(timeout=60)
    assert os.listdir(tmp_path / "out") == []
    return err.decode()


def test_a_sandbox_that_is_killed(inst, tmp_path):
    box = inst.spawn()
    p = stopped_midway(inst, box, tmp_path)
    inst.ok("kill", box)
    err = goes_on(p, tmp_path)
    assert p.returncode == 6 and "lost the daemon" not in err, err
    assert f"'{box}:/workspace/d': cut off: the sandbox has ended" in err, err


def test_a_file_of_a_sandbox_that_is_killed(inst):
    box = inst.spawn()
    sh(inst, box, "truncate -s 64M big")
    p = inst.popen("cp", f"{box}:big", "-")
    assert p.stdout.read(10) == bytes(10)
    inst.ok("kill", box)
    _, err = p.communicate(timeout=60)
    assert p.returncode == 6 and b"has ended" in err, err


def test_a_file_that_got_shorter(shared, box):
    sh(shared, box, "truncate -s 64M big")
    p = shared.popen("cp", f"{box}:big", "-")
    assert p.stdout.read(10) == bytes(10)
    sh(shared, box, "truncate -s 1000 big")
    _, err = p.communicate(timeout=60)
    assert p.returncode == 1 and b"did not send the rest" in err, err


def test_a_daemon_that_is_lost(inst, tmp_path):
    """None is started to be asked."""
    box = inst.spawn()
    p = stopped_midway(inst, box, tmp_path)
    inst.kill_daemon()
    err = goes_on(p, tmp_path)
    assert p.returncode == 5 and "lost the daemon" in err, err
    assert not inst.answers()
    inst.ok("kill", box)


def test_an_agent_that_dies(inst, tmp_path):
    """What it said last is less than was promised."""
    inst.start()
    if inst.provider != "native":
        pytest.skip("the mock's agent has no name to find it by")
    box = inst.spawn()
    p = stopped_midway(inst, box, tmp_path)
    os.kill(inst.agent_of(box), signal.SIGKILL)
    err = goes_on(p, tmp_path)
    assert p.returncode in (1, 6) and "lost the daemon" not in err, err
    assert f"'{box}:/workspace/d': cut off: the sandbox " in err, err
    assert inst.answers()
