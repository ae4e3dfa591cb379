# SPDX-License-Identifier: MIT
"""A terminal that reads no UTF-8: to one of eight bits, a byte of a character
is a control (0x9b is CSI), so it is shown ASCII alone."""
import os
import pty
import signal
import subprocess

import pytest
from screen import RESTORED, Screen
from terminal import Terminal

NAME, SHOWN = "a\u00db6n", "a\\u{db}6n"  # C3 9B: CSI 6 n asks where we are
EIGHT_BITS = {"LC_ALL": "C", "TERM": "xterm-256color"}


@pytest.fixture(scope="module")
def named(shared):
    """A sandbox that says it everywhere."""
    s = shared.sandbox(metadata={"k": NAME})["id"]
    shared.ok("files", "write", s, f"d/{NAME}", input=f"{NAME}\n")
    yield s
    shared.api("DELETE", f"/sandboxes/{s}", check=200)


COMMANDS = [
    (0, "files", "ls", "BOX", "d"), (0, "files", "glob", "BOX", "d/*"),
    (0, "files", "cat", "BOX", f"d/{NAME}"), (0, "label", "BOX", f"n={NAME}"),
    (0, "list", "--format", "{{metadata}}"), (0, "inspect", "BOX"),
    (0, "exec", "BOX", "--", "ls", "d"),
    (0, "exec", "BOX", "--", "sh", "-c", "ls d >&2"),
    (3, "inspect", f"x{NAME}"), (2, "list", f"--{NAME}"),
    (3, "files", "cat", "BOX", f"/no/{NAME}"),
]


@pytest.mark.parametrize("args", COMMANDS, ids=lambda a: " ".join(a[1:3]))
def test_it_is_shown_ascii(shared, named, args):
    code, args = args[0], [named if a == "BOX" else a for a in args[1:]]
    t = Terminal(shared, "--no-pager", *args, env=EIGHT_BITS)
    t.rest()
    assert SHOWN.encode() in t.text and t.text.isascii(), t.text
    assert t.end() == code
    t = Terminal(shared, "--no-pager", *args, env={"TERM": "xterm-256color"})
    t.rest()
    assert NAME.encode() in t.text, t.text
    t.end()


def test_json_says_the_same_in_ascii(shared, named):
    t = Terminal(shared, "--no-pager", "inspect", named, "--json",
                 env=EIGHT_BITS)
    t.rest()
    assert b"a\\u00db6n" in t.text and t.text.isascii(), t.text
    assert t.end() == 0


def test_pipes_keep_the_bytes(shared, named):
    """Each of the two by itself."""
    for args in (("files", "ls", named, "d"), ("inspect", named, "--json")):
        assert NAME in shared.ok(*args, env=EIGHT_BITS).text
    master, slave = pty.openpty()
    for args, fd in ((("files", "ls", named, "d"), "stdout"),
                     (("inspect", f"x{NAME}"), "stderr")):
        other = "stderr" if fd == "stdout" else "stdout"
        p = shared.popen(*args, env=EIGHT_BITS, stdin=slave,
                         **{fd: subprocess.PIPE, other: slave})
        out, err = p.communicate(timeout=60)
        assert NAME.encode() in (out or err)
    os.close(slave)
    os.close(master)


def test_the_dashboard_as_text(shared, named):
    t = Terminal(shared, "tui", "--dump", env=EIGHT_BITS)
    t.rest()
    assert named.encode() in t.text and t.text.isascii(), t.text
    assert t.end() == 0


def test_the_copy_of_an_editor_that_is_left(inst, tmp_path):
    """Its last component is the sandbox's to choose."""
    inst.start()
    s = inst.sandbox()["id"]
    inst.ok("files", "write", s, NAME, input="old\n")
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\necho mine >>"$1"\necho your turn\n'
                      'read x </dev/tty\nkill -TERM $PPID\n')
    editor.chmod(0o755)
    with Screen(inst, "tui", env={**EIGHT_BITS, "VISUAL": str(editor)}) as t:
        t.step(f"wait {s}", "wait live", "send f", "wait 0644", "send e",
               "wait your turn")
        daemon = inst.daemon_pid()
        os.kill(daemon, signal.SIGSTOP)  # it is never saved
        try:
            t.end("send \\r", "exit 143", RESTORED, "wait your copy is",
                  f"wait /{SHOWN}")
        finally:
            os.kill(daemon, signal.SIGCONT)
