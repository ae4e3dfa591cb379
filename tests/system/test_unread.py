# SPDX-License-Identifier: MIT
"""A terminal that nobody reads any more holds up no signal that is to end what
writes to it."""
import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios

import pytest
import svm

LOOKS = 20


def written(p):
    with open(f"/proc/{p.pid}/io", encoding="ascii") as f:
        return int(f.read().split("wchar:")[1].split()[0])


EXEC = ("exec", "-it", "a", "--", "yes")


@pytest.mark.parametrize("args,sig", [
    (("tui",), signal.SIGTERM), (("tui",), signal.SIGHUP),
    (("list", "--watch"), signal.SIGTERM), (("top",), signal.SIGHUP),
    (EXEC, signal.SIGTERM), (EXEC, signal.SIGHUP)],
    ids=lambda a: a[0] if isinstance(a, tuple) else a.name)
def test_a_signal_ends_what_is_stuck(inst, args, sig):
    inst.start()
    inst.sandbox(name="a")
    master, slave = pty.openpty()
    sizes = iter(range(1 << 30))

    def push():
        """Another size, which is another frame."""
        size = struct.pack("HHHH", 90, 400 + next(sizes) % 7, 0, 0)
        fcntl.ioctl(master, termios.TIOCSWINSZ, size)

    push()
    before = termios.tcgetattr(slave)
    p = subprocess.Popen([inst.binary, *args], stdin=slave, stdout=slave,
                         stderr=slave, start_new_session=True,
                         preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
                         env={**inst.env, "TERM": "xterm-256color"})
    looks = []

    def is_stuck():
        """It has begun, and has a lot to write each time, but no room."""
        if args != EXEC:
            push()
        if termios.tcgetattr(slave) != before or written(p) > 4096:
            looks.append(written(p))
        return len(looks) > LOOKS and looks[-1] - looks[-LOOKS] < 1024

    try:
        svm.wait_for(is_stuck, "a write that nobody reads")
        p.send_signal(sig)
        assert p.wait(30) in (-sig, 128 + sig)
        assert termios.tcgetattr(slave) == before
    finally:
        p.kill()
        os.close(slave)
        os.close(master)
