# SPDX-License-Identifier: MIT
"""A shell as far as job control goes: leader.py fg|bg PROGRAM [ARG...] leads
the session of its terminal, and runs PROGRAM as a job, in front or not.

Each time that stops or ends it takes the terminal back, as it was, and says
"[N] stopped SIGNAL" or "[N] ended STATUS, modes as before" (or "changed").
In between it reads lines:

    fg        the job is in front again, and continued
    bg        it is continued where it is
    TERM HUP  it gets that signal, and is continued, as bash does it

SIGUSR1 takes the terminal while the job runs, SIGUSR2 stops the job as
kill -STOP does.
"""
import os
import signal
import sys
import termios

before = termios.tcgetattr(0)


def put_in_front(group):
    os.tcsetpgrp(0, group)


def say(text):
    os.write(1, f"{text}\n".encode())


def start(place, argv):
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        if place == "fg":
            put_in_front(os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        os.execv(argv[0], argv)
    return pid


def take_back(*_):
    put_in_front(os.getpgrp())
    termios.tcsetattr(0, termios.TCSADRAIN, before)


def await_job(pid, count):
    """Its status; None: it has stopped."""
    status = os.waitpid(pid, os.WUNTRACED)[1]
    put_in_front(os.getpgrp())
    if os.WIFSTOPPED(status):
        take_back()
        # What was there is out of sight.
        say("\n" * 60 + f"[{count}] stopped "
            f"{signal.Signals(os.WSTOPSIG(status)).name}")
        return None
    kept = termios.tcgetattr(0) == before
    code = os.waitstatus_to_exitcode(status)
    take_back()
    say(f"[{count}] ended {code if code >= 0 else 128 - code}, modes "
        f"{'as before' if kept else 'changed'}")
    return code


def main():
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    pid = start(sys.argv[1], sys.argv[2:])
    signal.signal(signal.SIGUSR1, take_back)
    signal.signal(signal.SIGUSR2, lambda *_: os.killpg(pid, signal.SIGSTOP))
    count = 1
    while await_job(pid, count) is None:
        count += 1
        word = sys.stdin.readline().strip()
        if word == "fg":
            put_in_front(pid)
        elif word != "bg":
            os.killpg(pid, getattr(signal, "SIG" + word))
        os.killpg(pid, signal.SIGCONT)


main()
