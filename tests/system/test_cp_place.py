# SPDX-License-Identifier: MIT
"""Where copies of a sandbox's files are written: a link stays and what it
leads to is replaced, standard output and devices never are, and the longest
of names is as good as any."""
import os
import stat

import pytest
from screen import Screen

TEXT = "from the sandbox\n"


@pytest.fixture
def source(shared, box):
    shared.ok("files", "write", box, "/tmp/z", input=TEXT)
    return f"{box}:/tmp/z"


@pytest.fixture
def foreign(tmp_path):
    """A link that somebody else made, and our file behind it."""
    file, link = tmp_path / "ours", tmp_path / "foreign"
    file.write_text("ours\n")
    link.symlink_to("ours")
    try:
        os.lchown(link, 12345, 12345)
    except OSError:
        pytest.skip("there is nobody else")
    return link


def test_a_link_to_standard_output_stays(shared, source, tmp_path):
    """As /dev/stdout is one, which is nothing to try this with."""
    link, out = tmp_path / "stdout", tmp_path / "out"
    link.symlink_to("/proc/self/fd/1")
    into = tmp_path / "into"
    into.mkdir()
    (into / "z").symlink_to(link)
    for target in (link, into, out):
        with open(out, "wb", buffering=0) as f:
            f.write(b"before\n")
            shared.ok("cp", source, target, stdout=f)
            f.write(b"after\n")
        assert out.read_text() == f"before\n{TEXT}after\n", target
        assert os.readlink(link) == "/proc/self/fd/1"
        assert (into / "z").is_symlink()
    assert shared.ok("cp", source, link).text == TEXT, "a pipe"
    r = shared.must_fail("cp", "-r", source.replace("/tmp/z", "/tmp"), link)
    assert r.code == 2 and "standard output" in r.errtext, r
    # Another open file has what it had as well.
    other = tmp_path / "other"
    link.unlink()
    with open(other, "wb", buffering=0) as f:
        f.write(b"before\n")
        link.symlink_to(f"/proc/self/fd/{f.fileno()}")
        shared.ok("cp", source, link, pass_fds=[f.fileno()])
    assert other.read_text() == f"before\n{TEXT}"
    assert link.is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["into", "other", "out", "stdout"]


def test_a_pipe_behind_a_link_is_written(shared, source, tmp_path):
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to("pipe")
    r = shared.must_fail("cp", source, link)
    assert r.code == 1 and f"can't open '{link}'" in r.errtext, r
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        shared.ok("cp", source, link)
        assert os.read(reader, 100).decode() == TEXT
    finally:
        os.close(reader)
    assert os.readlink(link) == "pipe"
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_file_behind_a_link_is_replaced(shared, source, tmp_path):
    (tmp_path / "d").mkdir()
    file, link = tmp_path / "d" / "file", tmp_path / "link"
    link.symlink_to("d/file")
    shared.ok("cp", source, link)
    assert file.read_text() == TEXT
    file.write_text("what was there")
    file.chmod(0o640)
    before = file.stat().st_ino
    shared.ok("cp", source, link)
    assert file.read_text() == TEXT and file.stat().st_ino != before
    assert file.stat().st_mode & 0o777 == 0o640
    assert os.readlink(link) == "d/file"
    # What fails leaves it as it is.
    shared.must_fail("cp", source + "z", link)
    assert file.read_text() == TEXT
    assert os.listdir(tmp_path / "d") == ["file"]
    assert sorted(os.listdir(tmp_path)) == ["d", "link"]


def test_a_tree_leads_nowhere(shared, box, source, tmp_path):
    """A link that came with what was copied from a sandbox chooses nothing
    beyond that tree."""
    mine, tree = tmp_path / "mine", tmp_path / "tree"
    mine.write_text("mine\n")
    (tmp_path / "dir").mkdir()
    shared.ok("exec", box, "--", "sh", "-c", f"""mkdir -p /tmp/tree/in &&
        cd /tmp/tree && ln -s ../mine up && ln -s {mine} absolute &&
        ln -s ../new new && ln -s ../dir out && ln -s out/f through &&
        ln -s /dev/null device && ln -s in/f down""")
    shared.ok("cp", "-r", f"{box}:/tmp/tree", tree)
    for name, leads in (("up", "../mine"), ("absolute", mine),
                        ("new", "../new"), ("through", "out/f"),
                        ("device", "/dev/null")):
        r = shared.must_fail("cp", source, tree / name)
        assert "a link that leads out of its directory" in r.errtext, r
        assert str(leads) in r.errtext, r
        assert (tree / name).is_symlink(), name
    assert mine.read_text() == "mine\n"
    assert os.listdir(tmp_path / "dir") == []
    assert sorted(os.listdir(tmp_path)) == ["dir", "mine", "tree"]
    # Nor does a directory that is copied, which has names of its own.
    shared.ok("exec", box, "--", "sh", "-c",
              "mkdir /tmp/out && touch /tmp/out/.rc")
    r = shared.must_fail("cp", "-r", f"{box}:/tmp/out", tree)
    assert "a link that leads out of its directory" in r.errtext, r
    assert os.listdir(tmp_path / "dir") == []
    shared.ok("cp", source, tree / "down")
    assert (tree / "in" / "f").read_text() == TEXT


def test_nobody_else_chooses(shared, source, foreign, tmp_path):
    r = shared.must_fail("cp", source, foreign)
    assert "it is somebody else's link" in r.errtext, r
    assert foreign.read_text() == "ours\n" and foreign.is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["foreign", "ours"]


def test_the_longest_name(shared, box, source, tmp_path):
    longest = "n" * 255
    shared.ok("files", "mv", box, "/tmp/z", f"/workspace/{longest}")
    shared.ok("cp", f"{box}:{longest}", tmp_path)
    assert (tmp_path / longest).read_text() == TEXT
    assert os.listdir(tmp_path) == [longest]


def test_the_dashboard_replaces_files_alone(inst):
    inst.start()
    d = inst.home / "d"
    d.mkdir()
    s = inst.sandbox()["id"]
    longest, file, link, pipe, bad = (d / n for n in (
        "n" * 255, "file", "link", "pipe", "to-pipe"))
    inst.exec(s, "echo hello; cd /workspace; echo more >a; echo copied >b")
    file.write_text("what was there")
    link.symlink_to("file")
    os.mkfifo(pipe)
    bad.symlink_to("pipe")
    with Screen(inst, "tui") as t:
        t.step(f"wait ▌ {s}", "send l", "wait hello",
               rf"send s^U{bad}\r", "wait file:",
               rf"send ^U{link}\r", "wait REPLACE A FILE?", "wait link ->",
               "wait What it holds now, 14 B, is lost.", "send y",
               "wait saved 1 line to")
        assert file.read_text() == "hello\n"
        t.end("send q", "exit 0")
    with Screen(inst, "tui") as t:
        t.step(f"wait ▌ {s}", "send f", "wait ▌   a", "send s",
               "wait SAVE", rf"send ^U{bad}\r", "wait file:",
               rf"send ^U{link}\r", "wait now, 6 B, is lost.", "send y",
               "wait copied /workspace/a", "send j", "wait ▌   b", "send s",
               "wait SAVE", rf"send ^U{longest}\r",
               "wait copied /workspace/b")
        t.end("send q", "exit 0")
    assert file.read_text() == "more\n"
    assert longest.read_text() == "copied\n"
    assert os.readlink(link) == "file" and os.readlink(bad) == "pipe"
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert sorted(os.listdir(d)) == [
        "file", "link", longest.name, "pipe", "to-pipe"]
