# SPDX-License-Identifier: MIT
"""Subcommands on a pty, byte by byte; see screen.py for what one looks
like."""
import fcntl
import os
import pty
import select
import struct
import termios
import time


class Terminal:
    """A subcommand on a pty of its own."""

    def __init__(self, inst, *args, rows=30, cols=100, env=None, stdin=None,
                 controls=True):
        self.master, slave = pty.openpty()
        self.resize(rows, cols)
        self.slave = slave
        self.before = termios.tcgetattr(slave)
        self.p = inst.popen(
            *args, stdin=slave if stdin is None else stdin, stdout=slave,
            stderr=slave, env=env, start_new_session=True,
            preexec_fn=(lambda: fcntl.ioctl(1, termios.TIOCSCTTY, 0))
            if controls else None)
        self.text = b""

    def resize(self, rows, cols):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ,
                    struct.pack("HHHH", rows, cols, 0, 0))

    def send(self, data):
        os.write(self.master, data)

    def expect(self, what, timeout=60):
        deadline = time.monotonic() + timeout
        while what not in self.text:
            left = deadline - time.monotonic()
            assert left > 0, f"no {what!r} in {self.text!r}"
            if select.select([self.master], [], [], left)[0]:
                self.text += os.read(self.master, 65536)
        self.text = self.text.split(what, 1)[1]

    def now(self):
        """All that it has written since the last expect()."""
        while select.select([self.master], [], [], 0)[0]:
            self.text += os.read(self.master, 65536)
        return self.text

    def look(self, wait):
        """A piece of what it writes, or of what it does in a moment."""
        if select.select([self.master], [], [], 0.01 if wait else 0)[0]:
            self.text += os.read(self.master, 65536)

    def rest(self):
        """All that it still writes."""
        while self.p.poll() is None:
            select.select([self.master], [], [], 0.05)
            self.now()
        return self.now().decode(errors="replace").replace("\r\n", "\n")

    def end(self, timeout=60):
        code = self.p.wait(timeout)
        assert termios.tcgetattr(self.slave) == self.before, "not restored"
        os.close(self.master)
        os.close(self.slave)
        return code
