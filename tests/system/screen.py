# SPDX-License-Identifier: MIT
"""Programs on a terminal that libvterm reads: tests/screen/driver.c, whose
steps these scripts are."""
import os
import subprocess

import svm

DRIVER = os.path.join(svm.BUILD, "tests/screen/driver")

# How every way out of a full screen leaves the terminal.
RESTORED = "prop alt 0\nprop mouse 0\nprop cursor 1\n"


class Screen:
    """A subcommand there, told its steps while other things happen.  They
    are done as they are given; each may be several lines."""

    def __init__(self, inst, *argv, size="32x120", seconds=60, env=None,
                 shell=False):
        self.count = 0
        argv = argv if shell else [inst.binary, *map(str, argv)]
        self.p = svm.Popen(
            [DRIVER, "-s", size, "-t", str(seconds), "-", "--", *argv],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, errors="replace",
            cwd=str(inst.home),
            env={**inst.env, "TERM": "xterm-256color", **(env or {})})

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.p.poll() is None:
            self.p.kill()
            self.p.communicate()

    def step(self, *steps):
        """Do them, and return when all came true, with what they print."""
        self.count += 1
        mark, printed = f"--- {self.count}", []
        self.p.stdin.write("".join(s.rstrip("\n") + "\n"
                                   for s in (*steps, f"say {mark}")))
        self.p.stdin.flush()
        while (line := self.p.stdout.readline().rstrip("\n")) != mark:
            assert line or self.p.poll() is None, self.p.stderr.read()
            printed.append(line)
        return printed

    def end(self, *steps):
        """The last steps; all came true.  Returns what `snap` printed."""
        out, err = self.p.communicate("".join(s.rstrip("\n") + "\n"
                                              for s in steps), 180)
        assert self.p.returncode == 0, err
        return out

    def pid(self):
        """The program's."""
        return int(subprocess.run(
            ["pgrep", "-P", str(self.p.pid)], text=True, capture_output=True,
            check=True).stdout)


def drive(inst, script, *args, size="32x120", seconds=60, **env):
    """The dashboard, from its start to the end of the script."""
    return Screen(inst, "tui", *args, size=size, seconds=seconds,
                  env=env).end(script)
