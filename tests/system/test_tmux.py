# SPDX-License-Identifier: MIT
"""Inside a real terminal multiplexer: what it says of the screen, of its
modes, and of what was there before."""
import shutil
import subprocess

import pytest

import svm
from svm import wait_for

pytestmark = pytest.mark.skipif(not shutil.which("tmux"),
                                reason="no tmux on this host")


class Tmux:
    """A server of the test's own with one window: a shell, at which
    `stacyvm` is the program."""

    def __init__(self, inst, tmp_path, columns=120, rows=32):
        self.socket, self.env = tmp_path / "sock", dict(inst.env)
        self.env.update(PS1="at> ", SHELL="/bin/sh", TERM="xterm-256color",
                        PATH=f"{inst.binary.rpartition('/')[0]}:"
                             f"{inst.env['PATH']}")
        self.env.pop("ENV", None)
        self.run("-f", "/dev/null", "new-session", "-d", "-x", columns,
                 "-y", rows, "exec sh")
        self.shows("at>")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"],
                       env=self.env, capture_output=True, check=False)

    def run(self, *args):
        r = subprocess.run(["tmux", "-S", self.socket, *map(str, args)],
                           env=self.env, capture_output=True, text=True,
                           check=False)
        assert r.returncode == 0, (args, r.stderr)
        return r.stdout

    def screen(self, *args):
        return self.run("capture-pane", "-p", *args)

    def shows(self, *words, without=()):
        def there():
            text = self.screen()
            return text if (all(w in text for w in words) and
                            not any(w in text for w in without)) else None

        try:
            return wait_for(there, (words, without))
        except svm.Timeout as e:
            raise AssertionError(f"{e}\n{self.screen()}") from None

    def line(self, text):
        self.run("send-keys", "-l", text)
        self.run("send-keys", "Enter")

    def flag(self, *names):
        return [self.run("display-message", "-p", f"#{{{name}}}").strip()
                for name in names]

    def modes(self):
        return self.flag("alternate_on", "mouse_any_flag",
                         "mouse_button_flag", "cursor_flag")


SHELL = ["0", "0", "0", "1"]  # modes() of a terminal nobody has touched


@pytest.fixture
def tmux(inst, tmp_path):
    inst.start()
    with Tmux(inst, tmp_path) as t:
        yield t


def dashboard(tmux, *words):
    tmux.line("stacyvm tui")
    return tmux.shows("ACTIVE SANDBOXES", *words)


def test_it_is_drawn_and_ends(inst, tmux):
    """Lines are lines and not letters; the shell's screen comes back."""
    s = inst.sandbox()["id"]
    tmux.line("echo be''fore")
    tmux.shows("before")
    text = dashboard(tmux, s, "┌ ACTIVE")
    assert "lqq" not in text
    assert tmux.flag("alternate_on", "mouse_any_flag") == ["1", "1"]
    tmux.run("send-keys", "2")
    tmux.shows("FLEET", "[Info]")
    tmux.run("send-keys", "q")
    tmux.shows("before", "sandbox goes on", without=["FLEET"])
    wait_for(lambda: tmux.modes() == SHELL, "the terminal to be put back")


@pytest.mark.parametrize("signal", ["TERM", "HUP", "SEGV"])
def test_it_is_put_back_after_a_signal(tmux, signal):
    dashboard(tmux)
    tmux.run("send-keys", "C-z")
    tmux.shows("at>")
    wait_for(lambda: tmux.modes() == SHELL, "the shell to have it meanwhile")
    tmux.line("fg")
    tmux.shows("ACTIVE SANDBOXES")
    shell = tmux.flag("pane_pid")[0]
    child = subprocess.run(["pgrep", "-P", shell], text=True, check=True,
                           capture_output=True).stdout.split()
    assert len(child) == 1
    subprocess.run(["kill", f"-{signal}", *child], check=True)
    wait_for(lambda: tmux.modes() == SHELL, "the terminal to be put back")
    tmux.line("echo e''cho $((6 * 7))")  # echoed, line by line: not raw
    tmux.shows("echo 42")


def test_it_follows_the_size(inst, tmux):
    s = inst.sandbox()["id"]
    dashboard(tmux, s, "┌ EVENTS")
    for columns, rows, word, gone in (
            (80, 24, "┌ ACTIVE SANDBOXES", "┌ EVENTS"),
            (60, 16, f"▌ {s}", "┌ TEMPLATES"),
            (30, 8, "need 40x10", s),
            (120, 32, "┌ EVENTS", "need 40x10")):
        tmux.run("resize-window", "-x", columns, "-y", rows)
        tmux.shows(word, without=[gone])


def test_a_paste_is_text(inst, tmux):
    """On a list it does nothing, in a terminal it is what was pasted."""
    s = inst.sandbox()["id"]
    dashboard(tmux, s)
    tmux.run("set-buffer", "2\nq\ny\n")
    tmux.run("paste-buffer", "-p")
    tmux.run("send-keys", "t")
    tmux.shows("^] leaves", "$")
    tmux.line("cat >take; wc -c <take")
    tmux.shows("wc -c")
    tmux.run("set-buffer", "q 漢字\n2\n")
    tmux.run("paste-buffer", "-p")
    tmux.shows("q 漢字")
    tmux.run("send-keys", "C-d")
    wait_for(lambda: inst.exec(s, "cat take").json()["stdout"] == "q 漢字\n2\n",
             "what was pasted")
    tmux.run("send-keys", "C-]")
    tmux.shows("left")
    tmux.run("send-keys", "q")
    tmux.shows("sandbox goes on")


def test_what_could_not_be_copied_is_not_pasted(inst, tmux):
    """The file that tmux reads can't be written: it holds what was copied
    before, which it must not read again."""
    s = inst.sandbox()["id"]
    clipboard = inst.runtime / "clipboard"
    clipboard.write_text("before")
    clipboard.chmod(0o600)
    tmux.run("set-buffer", "mine")
    tmux.line("(ulimit -f 0; exec stacyvm tui)")
    tmux.shows("ACTIVE SANDBOXES", s)
    tmux.run("send-keys", "y")
    tmux.shows("copied to the terminal alone", "cannot write")
    assert tmux.run("show-buffer") == "mine"
    tmux.run("send-keys", "q")
    tmux.shows("sandbox goes on")
    tmux.line("stacyvm tui")
    tmux.shows("ACTIVE SANDBOXES", s, without=["goes on"])
    tmux.run("send-keys", "y")
    wait_for(lambda: tmux.run("show-buffer") == s, "tmux to have it")


def test_inline_views_leave_the_screen_alone(inst, tmux):
    """What was there before stays above them."""
    s = inst.sandbox()["id"]
    tmux.line("echo be''fore")
    tmux.line("stacyvm list --watch")
    text = tmux.shows("q quit", s)
    assert "before" in text
    assert tmux.flag("alternate_on") == ["0"]
    gone = inst.sandbox()["id"]
    tmux.shows(gone)
    inst.api("DELETE", f"/sandboxes/{gone}")
    wait_for(lambda: gone not in tmux.screen(), "the row to go")
    tmux.run("send-keys", "q")
    wait_for(lambda: tmux.modes() == SHELL, "the terminal to be put back")
    tmux.line("echo af''ter")
    assert "before" in tmux.shows("after")
