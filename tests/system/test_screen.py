# SPDX-License-Identifier: MIT
"""The screen driver (tests/screen/driver.c), with programs that are no ours:
that what it says about a screen is so, and that it fails when it isn't."""
import shutil
import subprocess

import pytest

from screen import DRIVER


def drive(script, *argv, size="24x80", seconds=60):
    env = {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "HOME": "/",
           "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        [DRIVER, "-s", size, "-t", str(seconds), "-", "--", *argv],
        input=script, capture_output=True, text=True, env=env, timeout=60,
        check=False)


SHELL = ("sh", "-c", r"""
printf '\033[1mready\033[m\n'; read x; echo "got $x"; read y; stty size
exit 3""")


def test_steps():
    p = drive("# all of them\nwait ready\nattr 0 0 bold\nattr 0 6 plain\n"
              "send a\\x62^Vc\\r\nwait got abc\ngone nothing\n"
              "size 10 30\nsend \\r\nrow 4 10 30\nsnap\nexit 3\n", *SHELL)
    assert p.returncode == 0, p.stderr
    assert "10 30" in p.stdout


@pytest.mark.parametrize("step", [
    "wait never", "gone ready", "row 1 ready", "cursor 9 9",
    "attr 0 0 reverse", "prop alt 1", "exit 0", "nonsense"])
def test_what_is_not_so(step):
    p = drive(f"wait ready\n{step}\n", *SHELL, seconds=1)
    assert p.returncode == 1, step
    assert step in p.stderr and "ready" in p.stderr


def test_ends():
    assert drive("exit 143\n", "sh", "-c", "kill $$").returncode == 0
    assert drive("exit 127\n", "/no/such/program").returncode == 0
    # the last words of one that is gone
    assert drive("exit 0\nwait last words\n", "sh", "-c",
                 "seq 2000; echo last words").returncode == 0


@pytest.mark.skipif(not shutil.which("vim"), reason="needs vim")
def test_full_screen_program():
    p = drive("wait ~\nprop alt 1\nsend ihello\\e\nrow 0 hello\n"
              "cursor 0 4\nsend :q!\\r\nprop alt 0\nexit 0\n",
              "vim", "-u", "NONE", "-i", "NONE")
    assert p.returncode == 0, p.stderr
