# SPDX-License-Identifier: MIT
"""Completion: what the binary offers, and real shells that ask it."""
import os
import pty
import select
import shutil
import signal
import time

import pytest
import svm

COMPLETIONS = svm.ROOT / "completions"

# What a sandbox may call its files, each found by its first two characters.
HOSTILE = [
    "a1 b", "a2$(touch PWNED)", "a3`touch PWNED`", "a4'q", 'a5"dq',
    "a6;touch PWNED", "a7|touch PWNED", "a8&touch PWNED", "a9\\x",
    "b1!x", "b2*?[c]", "b3~", "b4#c", "b5{a,b}", "b6>PWNED", "b7$HOME",
    "b8%F{red}", "b9=x:y", "c1'\"'$(touch PWNED)", "c2é漢", "c3^x", "c4(e)",
    "c5\\'$(touch PWNED)'", "c6--x", "c7 ;touch PWNED ",
    'd1x"', "d2x!", "d3x'", "d4x$(touch PWNED)\"", "d5x!\"", "d6\"!",
]
# What means something to a shell, or to a program, at the beginning alone.
LEADING = ["~root", "=ls", "#c", "^a^b^", "-rf", "--help", "%1", "{a,b}", "[x]",
           "!!", " x", "&&touch PWNED", "*", "?", "\\x", "$(touch PWNED)"]
SCRIPTS = {"bash": "stacyvm.bash", "zsh": "_stacyvm", "fish": "stacyvm.fish"}
# Never offered: what is shown would not be what is typed.
UNPRINTABLE = ["z1\nz", "z2\x1b]0;t\a", "z3\tt", "z4\u202ed", "z5\x7f"]


@pytest.fixture(scope="module")
def shared(provider):
    """One that is waited for, however busy the machine is."""
    i = svm.Instance(provider, **svm.hurried(complete_wait=60000))
    i.start()
    yield i
    i.stop()


@pytest.fixture(scope="module")
def files(shared):
    """A sandbox with those files in /workspace/h."""
    sid = shared.sandbox(name="box-of-files")["id"]
    for name in HOSTILE + UNPRINTABLE:
        shared.api("POST", f"/sandboxes/{sid}/files",
                   {"path": f"/workspace/h/{name}", "content": "x"}, check=200)
    yield sid
    shared.api("DELETE", f"/sandboxes/{sid}", check=200)


def words(inst, *args, **kw):
    r = inst.ok("__complete", *args, **kw)
    assert r.err == b"", r
    return [line.split("\t")[0] for line in r.text.splitlines()]


# -- what is offered

def test_commands_options_and_values(shared):
    assert words(shared, "sp") == ["spawn"]
    assert words(shared, "files", "gl") == ["glob"]
    assert words(shared, "-q", "--timeout", "list", "imag") == ["image"]
    assert "--ttl" in words(shared, "spawn", "--t")
    assert "--json" in words(shared, "spawn", "--js")
    assert "running" in words(shared, "wait", "--for", "r")
    assert words(shared, "wait", "--for=run") == ["--for=running"]
    assert words(shared, "list", "--color", "a") == ["auto", "always"]
    assert words(shared, "list", "--color=n") == ["--color=never"]
    assert words(shared, "config", "l") == ["lint"]
    for verb in ("get", "set", "unset"):
        assert words(shared, "config", verb, "rate_limit.") == [
            "rate_limit.enabled", "rate_limit.requests_per_minute",
            "rate_limit.burst"]
    assert words(shared, "config", "set", "logging.level", "") == [
        "debug", "info", "warn", "error"]
    assert words(shared, "config", "set", "ui.motion", "f") == ["false"]
    assert words(shared, "config", "set", "server.port", "") == []
    themes = ["auto", "mission", "light", "contrast", "mono"]
    assert words(shared, "config", "set", "ui.theme", "") == themes
    assert words(shared, "tui", "--theme", "") == themes
    own = shared.home / "themes-here/stacyvm/themes"
    own.mkdir(parents=True)
    (own / "mine.yaml").write_text("")
    assert words(shared, "tui", "--theme", "mi",
                 env={"XDG_CONFIG_HOME": str(own.parent.parent)}) == [
                     "mission", "mine"]
    assert words(shared, "config", "get", "ui.motion", "") == []
    assert words(shared, "help", "ex") == ["exec", "extend", "exit-codes"]
    assert words(shared, "help", "key") == ["keys"]
    assert words(shared, "image", "import", "x")[-1] == ""  # local files
    assert words(shared, "--api-key-file", "x") == [""]
    assert words(shared, "nonsense", "") == []
    assert words(shared, "__complete", "") == []
    assert "__complete" not in words(shared, "__")
    assert words(shared) == words(shared, "")


def test_ids_names_and_paths(shared, files):
    assert files in words(shared, "exec", "sb-")
    assert words(shared, "kill", "box-") == ["box-of-files"]
    assert files in words(shared, "kill", "other", "sb-"), "any number of them"
    assert words(shared, "extend", files, "") == [], "a duration"
    assert words(shared, "inspect", "--", "box-") == ["box-of-files"]
    assert words(shared, "rename", "box-") == ["box-of-files"]
    assert words(shared, "rename", files, "b") == [], "a new name"


def test_labels_that_are_there(shared, files):
    shared.api("PATCH", f"/sandboxes/{files}", check=200,
               body={"metadata": {"task": "ci", "to": "x", "z\x1b": "1"}})
    assert words(shared, "label", "box-") == ["box-of-files"]
    for box in (files, "box-of-files"):
        assert words(shared, "label", box, "t") == ["task=", "task-", "to=",
                                                    "to-"]
        assert words(shared, "label", box, "x=1", "ta") == ["task=", "task-"]
    assert words(shared, "label", files, "z") == []
    assert words(shared, "label", files, "task=") == [], "a value"
    assert words(shared, "label", "nobody", "") == []
    shared.api("PATCH", f"/sandboxes/{files}", {"metadata": None}, check=200)


def test_paths(shared, files):
    got = words(shared, "cp", "box-")
    assert got == ["box-of-files:", ""]
    assert words(shared, "cp", "x", f"{files}:/et") == [f"{files}:/etc/"]
    assert words(shared, "cp", f"{files}:h/c2") == [f"{files}:h/c2é漢"]
    assert words(shared, "files", "cat", files, "h/a1") == ["h/a1 b"]
    assert words(shared, "files", "mv", files, "x", "h/a1") == ["h/a1 b"]
    assert words(shared, "files", "cat", "box-of-files:/workspace/h/a9") == [
        "box-of-files:/workspace/h/a9\\x"]
    assert words(shared, "exec", files, "/et") == ["/etc/"]
    assert words(shared, "exec", files, "--", "/et") == ["/etc/"]
    assert words(shared, "exec", files, "--", "ls", "-") == []
    assert words(shared, "exec", files, "--", "l") == []


def test_options_after_a_command_s_name_are_its_own(shared, files):
    """Before it they are ours, whether or not the sandbox was named yet."""
    shared.ok("files", "write", files, "e/inner", input="")
    for args in (("--w",), (files, "--w"), ("-e", "A=1", files, "--w"),
                 (files, "-t", "--w")):
        assert words(shared, "exec", *args) == ["--workdir"], args
    for args in ((files, "ls", "--w"), (files, "ls", "-la", "-"),
                 (files, "--", "ls", "-"), ("-t", files, "ls", "-"),
                 (files, "-w", "/", "ls", "--"), (files, "--", "--w")):
        assert words(shared, "exec", *args) == [], args
    # What it takes may be a file there, from where it runs.
    assert words(shared, "exec", files, "cat", "e/") == ["e/inner"]
    assert words(shared, "exec", files, "cat", "-n", "e/in") == ["e/inner"]
    assert words(shared, "exec", files, "-w", "e", "cat", "in") == ["inner"]
    assert words(shared, "exec", files, "-w", "/et") == ["/etc/"]
    everything = words(shared, "files", "cat", files, "/workspace/h/")
    assert sorted(everything) == sorted(f"/workspace/h/{n}" for n in HOSTILE)


def test_a_name_is_no_option(shared, files):
    """Who called it that would have it done to another, or in another way."""
    for name in ("-y", "--json", "y-y"):
        shared.api("POST", "/templates", {"name": name, "image": "host"},
                   check=201)
    for args in (("template", "rm"), ("spawn", "--template")):
        got = words(shared, *args, "")
        assert "y-y" in got and "-y" not in got and "--json" not in got
    # Where there are no options any more, or where it is a part of one.
    assert "-y" in words(shared, "template", "rm", "--", "-")
    assert "--template=-y" in words(shared, "spawn", "--template=")
    shared.api("PATCH", f"/sandboxes/{files}", check=200,
               body={"metadata": {"--clear": "1", "-x": "1", "x-x": "1"}})
    assert words(shared, "label", files, "") == ["x-x=", "x-x-"]
    shared.api("PATCH", f"/sandboxes/{files}", {"metadata": None}, check=200)
    for name in ("-y", "--json", "y-y"):
        shared.api("DELETE", f"/templates/{name}", check=200)


def test_images_templates_providers(shared):
    shared.api("POST", "/templates", {"name": "tpl-one", "image": "host"},
               check=201)
    assert "host" in words(shared, "spawn", "--image", "")
    assert words(shared, "spawn", "--template=tpl") == ["--template=tpl-one"]
    assert words(shared, "template", "show", "tpl") == ["tpl-one"]
    assert "mock" in words(shared, "spawn", "--provider", "m")
    shared.api("DELETE", "/templates/tpl-one", check=200)


def test_no_daemon_is_silence_and_stays_none(inst):
    for args in (("exec", ""), ("cp", "x:"), ("spawn", "--template", ""),
                 ("--server", "unix:/nowhere", "exec", "")):
        assert [w for w in words(inst, *args) if w] == []
    assert words(inst, "sp") == ["spawn"]
    assert not inst.runtime.exists(), "it made directories"
    assert inst.daemon_pid() is None


def test_the_line_says_which_daemon(inst, shared, files):
    server = f"unix:{shared.socket}"
    for args in (("--server", server), (f"--server={server}",)):
        assert files in words(inst, *args, "exec", "sb-")


def test_a_hanging_daemon_does_not_hang_the_shell(inst):
    inst.start()
    pid = inst.daemon_pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        begin = time.monotonic()
        assert words(inst, "exec", "") == []
        assert time.monotonic() - begin < 60
    finally:
        os.kill(pid, signal.SIGCONT)


# -- the scripts

def test_the_binary_prints_what_is_installed(shared):
    for name, script in SCRIPTS.items():
        assert (shared.ok("completion", name).out ==
                (COMPLETIONS / script).read_bytes()), name
    assert words(shared, "completion", "") == list(SCRIPTS)
    r = shared.must_fail("completion", "tcsh")
    assert r.code == 2 and "'tcsh'" in r.errtext and "fish" in r.errtext


# -- real shells

class Shell:
    """An interactive shell on a pty, with a `stacyvm` on its PATH that notes
    how it was called."""

    def __init__(self, name, inst, place, printed=False):
        if not shutil.which(name):
            pytest.skip(f"needs {name}")
        self.name, self.place, self.seen = name, place, b""
        self.log = place / "log"
        self.log.touch()
        tool = place / "bin" / "stacyvm"
        tool.parent.mkdir()
        tool.write_text(f"""#!/bin/sh
[ "$1" != __complete ] || exec '{inst.binary}' "$@"
printf '%s\\0' "$@" end >>'{self.log}'
""")
        tool.chmod(0o755)
        home = place / "home"
        home.mkdir()
        env = {**inst.env, "HOME": str(home), "TERM": "xterm",
               "XDG_CONFIG_HOME": str(home), "ZDOTDIR": str(home),
               "PATH": f"{tool.parent}:/usr/bin:/bin", "COLUMNS": "500"}
        script = COMPLETIONS / SCRIPTS[name]
        if printed:
            script = place / "script"
            script.write_bytes(inst.ok("completion", name).out)
        start = {
            "bash": f"PS1='rea''dy> '; . {script}; set +o histexpand;"
                    " bind 'set enable-bracketed-paste off'",
            "zsh": "PS1='rea''dy> '; unset zle_bracketed_paste; autoload -Uz "
                   "compinit; " +
                   (f"compinit -u -D; . {script}; " if printed else
                    f"fpath=({COMPLETIONS} $fpath); compinit -u -D; ") +
                   # its default would expand, and so run, what is typed
                   "bindkey '^I' complete-word",
            "fish": f"source {script}; function fish_prompt; "
                    "printf 'rea'; printf 'dy> '; end",
        }[name]
        argv = {"bash": ["bash", "--norc", "--noprofile", "-i"],
                "zsh": ["zsh", "-f", "-i"],
                "fish": ["fish", "--no-config", "-i"]}[name]
        self.master, slave = pty.openpty()
        self.p = svm.Popen(argv, stdin=slave, stdout=slave, stderr=slave,
                           env=env, cwd=str(home), start_new_session=True,
                           preexec_fn=lambda: svm.fcntl.ioctl(
                               0, svm.termios.TIOCSCTTY, 0))
        os.close(slave)
        self.send(start + "\r")
        self.expect(b"ready> ")

    def send(self, text):
        os.write(self.master, text.encode())

    def pump(self, timeout=0.05):
        if select.select([self.master], [], [], timeout)[0]:
            try:
                self.seen += os.read(self.master, 65536)
            except OSError:
                pass

    def until(self, done):
        """Look whenever it has written something: no other waiting."""
        deadline = time.monotonic() + 60
        while not done() and time.monotonic() < deadline:
            self.pump()
        return done()

    def expect(self, what):
        assert self.until(lambda: what in self.seen), \
            f"{self.name} does not show {what!r}: {self.seen!r}"

    def line(self, text):
        """Enter a line with tabs; the words `stacyvm` was called with."""
        had = self.log.stat().st_size
        self.send(text + "\r")

        assert self.until(lambda: self.log.read_bytes()[had:].endswith(
            b"\0end\0")), (f"{self.name}: {text!r} did not run: "
                           f"{self.seen[-2000:]!r}")
        return [w.decode() for w in
                self.log.read_bytes()[had:].split(b"\0")[:-2]]

    def end(self):
        self.p.kill()
        self.p.wait()
        os.close(self.master)
        assert not list(self.place.rglob("PWNED")), "something was executed"


@pytest.fixture(params=list(SCRIPTS))
def shell(request, shared, tmp_path):
    s = Shell(request.param, shared, tmp_path)
    yield s
    s.end()


def test_a_shell_completes(shell, files):
    assert shell.line("stacyvm inspe\t box-o\t") == ["inspect", "box-of-files"]
    assert shell.line("stacyvm spawn --templ\t x") == ["spawn", "--template", "x"]
    assert shell.line("stacyvm wait --for=runn\t x") == [
        "wait", "--for=running", "x"]
    assert shell.line("stacyvm cp box-o\t/workspace/h/c6\t .") == [
        "cp", "box-of-files:/workspace/h/c6--x", "."]
    assert shell.line(f"stacyvm files cat {files} /works\th/b4\t") == [
        "files", "cat", files, "/workspace/h/b4#c"]


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_shell_completes_by_what_is_printed(name, shared, files, tmp_path):
    s = Shell(name, shared, tmp_path, printed=True)
    try:
        assert s.line("stacyvm inspe\t box-o\t") == ["inspect", "box-of-files"]
    finally:
        s.end()


def test_a_shell_completes_local_files(shell):
    home = shell.place / "home"
    (home / "dir with $(touch PWNED)").mkdir()
    (home / "dir with $(touch PWNED)" / "x'y").touch()
    assert shell.line("stacyvm image import di\tx\t") == [
        "image", "import", "dir with $(touch PWNED)/x'y"]


def test_a_shell_quotes_what_a_sandbox_says(shell, files):
    for name in HOSTILE:
        for quote in ("", "'", '"'):
            got = shell.line(f"stacyvm files cat {files} "
                             f"{quote}/workspace/h/{name[:2]}\t")
            assert [w.rstrip("/") for w in got] == [
                "files", "cat", files, f"/workspace/h/{name}"], (quote, name)
        got = shell.line(f"stacyvm cp . {files}:h/{name[:2]}\t")
        assert got == ["cp", ".", f"{files}:h/{name}"], name


def test_a_shell_quotes_how_a_name_begins(shell, shared, files):
    """Alone in its directory, so that nothing of it need be typed."""
    for i, name in enumerate(LEADING):
        shared.api("POST", f"/sandboxes/{files}/files", check=200, body={
            "path": f"/workspace/l{i}/{name}", "content": "x"})
        got = shell.line(f"stacyvm exec -w /workspace/l{i} {files} cat \t")
        there = f"/workspace/l{i}/{name}" if name[0] in "-~" else name
        assert got == ["exec", "-w", f"/workspace/l{i}", files, "cat",
                       there], name
    got = shell.line(f"stacyvm files cat {files} \\~r\t x")
    assert got == ["files", "cat", files, "~r", "x"], "none there"
    shared.ok("files", "write", files, "~root", input="")
    for typed in ("\\~r", "'~r", '"~r'):
        got = shell.line(f"stacyvm files cat {files} {typed}\t")
        assert got == ["files", "cat", files, "~root"], typed
    shared.ok("files", "rm", files, "~root")


def test_a_shell_evaluates_nothing_that_is_typed(shell, files):
    for text in ("$(touch PWNED)", "`touch PWNED`", "$(touch PWNED", "`touch"):
        shell.send(f"stacyvm cp {text}\t\t\x15")
        assert shell.line("stacyvm list") == ["list"]
        assert not list(shell.place.rglob("PWNED")), text
