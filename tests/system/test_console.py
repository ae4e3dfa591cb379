# SPDX-License-Identifier: MIT
"""The console: as a script, and with a person at a terminal."""
import http.server
import json
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import threading

import pytest
import svm
from screen import Screen
from terminal import Terminal

LIMIT_HISTORY = 1000


def script(inst, *lines, args=(), **kw):
    return inst.run("console", *args, input="\n".join(lines).encode(), **kw)


@pytest.fixture(scope="module")
def shared(provider):
    """One that is waited for, however busy the machine is."""
    i = svm.Instance(provider, **svm.hurried(complete_wait=60000,
                                             console_look=60000))
    i.start()
    yield i
    i.stop()


@pytest.fixture
def web(shared):
    """A sandbox called web."""
    sid = shared.sandbox(name="web")["id"]
    yield sid
    shared.api("DELETE", f"/sandboxes/{sid}", check=200)


def write(inst, sid, path, text="x"):
    inst.api("POST", f"/sandboxes/{sid}/files",
             {"path": path, "content": text}, check=200)


def exists(inst, sid, path):
    return inst.run("files", "stat", sid, path).code == 0


# -- a script

def test_a_script_runs_every_command(shared, web):
    r = script(shared, "# a comment", "", "  version", "stacyvm list -q # all",
               "inspect web --json=name", "list --format '{{id}} \"{{name}}\"'")
    assert r.code == 0 and r.err == b"", r
    assert r.text.startswith("stacyvm ")
    assert f"{web}\n" in r.text and '{"name":"web"}' in r.text
    assert f'{web} "web"\n' in r.text


def test_a_script_acts_in_the_sandbox_in_use(shared, web, tmp_path):
    there, back = tmp_path / "a b", tmp_path / "back"
    there.write_text("hello\n")
    r = script(shared, "use web", f"cp '{there}' :d/", "ls d", "cat 'd/a b'",
               "mv d/a\\ b c", "chmod 600 c", "stat --json=mode c",
               f"cp :c {back}", "!echo $((6 * 7)) | tr 4 x; pwd",
               "exec -- cat c", "inspect --json=id", "inspect . --json=state",
               "rm c", "ls --json", "use", "ls -q")
    assert r.code == 0 and r.err == b"", r
    assert "a b" in r.text and r.text.count("hello\n") == 2
    assert '{"mode":"0600"}' in r.text and "x2\n" in r.text
    assert "/workspace\n" in r.text
    assert f'{{"id":"{web}"}}' in r.text and '{"state":"running"}' in r.text
    assert not exists(shared, web, "c")
    assert r.text.endswith(f"{web}\n"), "without one in use ls is list"
    assert back.read_text() == "hello\n"
    assert script(shared, f"use {web[:6]}", "inspect --json=name").text == (
        '{"name":"web"}\n')


@pytest.mark.native  # mock has no root of its own
def test_a_script_goes_from_directory_to_directory(shared, web, tmp_path):
    write(shared, web, "/workspace/d/e/f", "deep\n")
    host = tmp_path / "host"
    host.write_text("host\n")
    r = script(shared, "use web", "cd d", "cat e/f", "!pwd", "cd e",
               "exec -- pwd", "cat f", f"cp {host} :", "cp :host -",
               "cd ../../d/./e/../..", "!pwd", "cd /", "exec -- pwd",
               "ls --format '{{name}}'", "cd ..", "cd /etc", "!pwd",
               "exec -w /tmp -- pwd", "cat hostname", "cd", "!pwd",
               f"cat /workspace/d/e/host", "cd /usr", f"use {web}", "!pwd")
    assert r.code == 0 and r.err == b"", r
    lines = r.text.splitlines()
    assert lines[:7] == ["deep", "/workspace/d", "/workspace/d/e", "deep",
                         "host", "/workspace", "/"]
    assert "workspace" in lines[7:-6]
    assert lines[-6:] == ["/etc", "/tmp", web, "/workspace", "host",
                          "/workspace"]
    for line, what in (("cd nope", "'/workspace/nope'"), ("cd /etc/passwd",
                       "'/etc/passwd'")):
        r = script(shared, "use web", line)
        assert r.code == 3 and f"no directory {what}" in r.errtext, r
    r = script(shared, "cd /")
    assert r.code == 2 and "no sandbox is in use" in r.errtext
    other = shared.spawn()
    r = script(shared, "use web", "cd /etc", f"files ls {other}")
    assert r.code == 0 and "hostname" not in r.text, "another's paths"
    shared.ok("kill", other)


def test_a_script_ends_at_the_first_failure(shared):
    r = script(shared, "version", "inspect nope", "version")
    assert r.code == 3 and r.text.count("stacyvm") == 1
    assert "line 2" in r.errtext and "status 3" in r.errtext
    r = script(shared, "inspect nope", "nonsense", "version", args=["-k"])
    assert r.code == 3 and r.text.count("stacyvm") == 1
    assert 'unknown command "nonsense"' in r.errtext
    r = script(shared, "version", "exit 7", "version")
    assert r.code == 7 and r.text.count("stacyvm") == 1
    assert script(shared, "quit").code == 0
    assert script(shared, "exit 256").code == 2
    r = script(shared, "version", args=["-v"])
    assert "> version" in r.errtext


def test_a_script_runs_no_shell_here(shared, tmp_path):
    for line, what in (("list | tee x", "|"), ("list; list", ";"),
                       ("list >x", ">"), ("list $HOME", "$"),
                       ("list `touch x`", "`"), ("list &", "&")):
        r = script(shared, line, cwd=str(tmp_path))
        assert r.code == 2 and f"'{what}'" in r.errtext, r
    assert script(shared, "list 'x").code == 2
    (tmp_path / "afile").touch()
    r = script(shared, "inspect *", cwd=str(tmp_path))
    assert r.code == 3 and "'*'" in r.errtext
    assert not (tmp_path / "x").exists()


def test_commands_of_a_script_do_not_read_it(shared, web):
    r = script(shared, "use web", "write f", "exec -i -- cat", "!cat",
               "version")
    assert r.code == 0 and r.text.startswith("stacyvm "), r
    # Nor do they wait for what is still to come of it.
    p = svm.Popen([shared.binary, "console", "web"], stdin=subprocess.PIPE,
                  stdout=subprocess.PIPE, env=shared.env)
    p.stdin.write(b"exec -i -- cat\nversion\n")
    p.stdin.flush()
    assert p.stdout.readline().startswith(b"stacyvm ")
    assert p.communicate(b"exit 3\n", 30) == (b"", None)
    assert p.returncode == 3
    r = shared.ok("console", "-c", "use web", "-c", "write f", "-c", "cat f",
                  input=b"list\n")
    assert r.text == "list\n"


def test_lines_as_options(shared, web):
    assert shared.ok("console", "web", "-c", "!echo a").text == "a\n"
    r = shared.run("console", "-c", "inspect nope", "-c", "version")
    assert r.code == 3 and r.out == b"" and "line 1" in r.errtext
    assert shared.must_fail("console", "nope", "-c", "version").code == 3
    # Its options are those of every command.
    assert json.loads(shared.ok("console", "--json=name", "-c",
                                "inspect web").out) == {"name": "web"}


def test_a_script_is_text_of_lines(shared):
    r = script(shared, "version", "a\0b")
    assert r.code == 1 or "NUL" in r.errtext
    assert r.text.startswith("stacyvm ") and "NUL" in r.errtext
    r = script(shared, "version " + "x" * (1 << 20))
    assert r.code != 0 and "KiB" in r.errtext
    assert shared.ok("console", input=b"version\r\n version").text.count(
        "stacyvm") == 2
    assert shared.ok("console", input=b"").out == b""


def test_a_script_of_another_systems_editor(shared, web):
    r = shared.ok("console", input=b"\xef\xbb\xbfuse web\r\n"
                  b"!printf '<%s>' a b\r\n!pwd\r\n# nothing\r\n\r\n")
    assert r.out == b"<a><b>/workspace\n"
    assert shared.ok("console", input=b"\xef\xbb\xbf").out == b""
    # ... which is no part of a later line
    r = shared.run("console", input=b"version\n\xef\xbb\xbfversion\n")
    assert r.code == 2 and "unknown command" in r.errtext


def test_standard_input_is_closed(shared):
    r = subprocess.run([shared.binary, "console"], env=shared.env,
                       capture_output=True, timeout=30,
                       preexec_fn=lambda: os.close(0))
    assert (r.returncode, r.stdout, r.stderr) == (0, b"", b"")


def test_a_word_that_is_near_is_suggested(shared, web):
    for typed, meant in (("ues web", "use"), ("lsit", "list"),
                         ("exti", "exit")):
        r = script(shared, typed)
        assert r.code == 2 and f'Did you mean "{meant}"' in r.errtext, r
    r = script(shared, "use web now")
    assert r.code == 2 and "  use [ID]" in r.errtext, r
    r = script(shared, "use web", "exec uname -- x")
    assert r.code == 125 and "exec -- uname" in r.errtext, r
    r = script(shared, "use web", "cp a b")
    assert r.code == 2 and ", or :path in" in r.errtext
    r = script(shared, "--quiet use web")
    assert r.code == 2 and "first" in r.errtext


def test_exec_is_for_the_sandbox_in_use(shared, web):
    """As at a shell's prompt: what follows the command's name is its own."""
    other = shared.spawn("--name", "other")
    for line, out in (("exec echo -n a -- -e b", "a -- -e b"),
                      ("exec -w / pwd", "/\n"),
                      ("exec -e X=1 sh -c 'echo $X -w $#' -- -t",
                       "1 -w 1\n"),
                      ("exec . pwd", "/workspace\n"),
                      (f"exec {web} -- pwd", "/workspace\n"),
                      (f"exec {web} pwd", "/workspace\n"),
                      ("exec web -- pwd", "/workspace\n"),
                      ("cd /", ""), ("exec -w /tmp -- pwd", "/tmp\n")):
        r = script(shared, "use web", line)
        assert r.code == 0 and r.errtext == "" and (
            r.text == out or shared.provider == "mock"), (line, r)
    write(shared, other, "/workspace/here")
    r = script(shared, "use web", f"exec {other} -- ls")
    assert r.text == "here\n", r
    r = script(shared, "use web", "exec other ls")
    assert r.code == 127 and "exec ID -- COMMAND" in r.errtext, r
    r = script(shared, "use web", "exec")
    assert r.code == 125 and "no command given" in r.errtext, r
    # Without one in use the first word is an id.
    assert script(shared, "exec web pwd").code == 0
    assert script(shared, "exec uname -a").code == 125
    shared.ok("kill", other)


def test_nothing_is_destroyed_by_a_slip(shared, web):
    """rm is a file's with a sandbox in use, and never a sandbox's."""
    for line in ("rm web", "write x", "cat x"):
        r = script(shared, line)
        assert r.code == 2 and "no sandbox is in use" in r.errtext, r
    assert script(shared, "!id").code == 2
    r = script(shared, "use web", "rm web")
    assert r.code == 3, r
    r = script(shared, "use web", "kill")
    assert r.code == 2 and "kill needs an argument" in r.errtext
    assert shared.ok("inspect", "web").code == 0
    other = shared.spawn()
    r = script(shared, f"use {other}", "kill .", "rm web", args=["-k"])
    assert r.code == 2 and "no sandbox is in use" in r.errtext
    assert shared.run("inspect", other).code == 3
    assert shared.ok("inspect", "web").code == 0


def test_paths_want_a_sandbox_in_use(shared, web):
    """What is a path there is none of another command; ls alone lists
    sandboxes, and cp is well without one in use."""
    for line in ("ls /tmp", "ls tmp", "ls -l /tmp", "cp :/x y", "cp y :",
                 "cp -r : y"):
        r = script(shared, line)
        assert r.code == 2 and (f"{line[:2]}: no sandbox is in use"
                                in r.errtext), (line, r)
        assert "choose one with:  use ID" in r.errtext, (line, r)
    r = script(shared, "ls -q", f"cp :x {web}:/workspace/", "cp a b",
               args=["-k"])
    assert r.text == f"{web}\n" and "one of the two" in r.errtext, r
    assert "can't open ':x'" in r.errtext, "a file here"
    assert "no sandbox" not in r.errtext, r


def test_going_on_tells_which_line_failed(shared):
    r = script(shared, "inspect nope", "version", "nonsense", args=["-k"])
    assert r.code == 3, r
    told = [l for l in r.errtext.splitlines() if " line " in l]
    assert told == ["stacyvm: line 1 ended with status 3",
                    "stacyvm: line 3 ended with status 2"], r


def test_cp_of_the_directory_one_is_in(shared, web, tmp_path):
    write(shared, web, "/workspace/d/f", "deep")
    for i, lines in enumerate((["cp -r : {}"], ["cp -r web: {}"],
                               ["cd d", "cp -r : {}"])):
        here = tmp_path / str(i)
        r = script(shared, "use web", *(l.format(here) for l in lines))
        assert r.code == 0 and r.err == b"", r
        assert (here / ("f" if i == 2 else "d/f")).read_text() == "deep"
    # Into one that is there it keeps its name, as from `:/workspace`.
    assert script(shared, "use web", f"cp -r : {tmp_path}").code == 0
    assert (tmp_path / "workspace" / "d" / "f").read_text() == "deep"
    r = script(shared, "use web", f"cp : {tmp_path}")
    assert r.code == 2 and "which file of ':'" in r.errtext


def test_a_sandbox_that_is_gone_is_not_in_use(shared, web):
    other = shared.spawn("--name", "other")
    r = script(shared, "use other", f"exec {web} -- true",
               f"kill {other}", "!echo lives", "rm web", "!echo lives",
               "use web", "!echo there", args=["-k"])
    assert "lives" not in r.text and r.text.endswith("there\n")
    assert r.errtext.count("no sandbox is in use") >= 2
    assert shared.ok("inspect", "web").code == 0


def test_signals_end_a_script(shared, web):
    for sig in (signal.SIGTERM, signal.SIGINT):
        p = svm.Popen([shared.binary, "console", "-k"], stdin=subprocess.PIPE,
                      stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                      env=shared.env, start_new_session=True)
        p.stdin.write(b"use web\n!echo on; exec sleep 1000\nversion\n")
        p.stdin.flush()
        assert p.stdout.readline() == b"on\n"
        # Ctrl-C is for both, as a terminal has it; the other is passed on.
        if sig == signal.SIGINT:
            os.killpg(p.pid, sig)
        else:
            os.kill(p.pid, sig)
        out, err = p.communicate(timeout=60)
        assert p.returncode == 128 + sig, (sig, p.returncode, err)
        assert b"stacyvm 0" not in out


def test_a_daemon_that_was_killed_is_started_anew(new_instance):
    inst = new_instance()
    inst.start()
    sid = inst.spawn("--name", "web")
    p = svm.Popen([inst.binary, "console"], stdin=subprocess.PIPE,
                  stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                  env=inst.env)
    p.stdin.write(b"use web\n!echo before\nls -q\nversion\n")
    p.stdin.flush()
    assert p.stdout.readline() == b"before\n"
    assert p.stdout.readline().startswith(b"stacyvm ")
    inst.kill_daemon()
    out, err = p.communicate(b"list -q\n!echo after\n", 60)
    assert out.decode() == f"{sid}\nafter\n", err


def test_the_program_is_not_slowed_down(shared, web):
    """readline is loaded for a person at a terminal, and for nobody else."""
    seen = subprocess.run(["ldd", shared.binary], text=True,
                          capture_output=True, check=True).stdout
    assert "libcjson" in seen and "readline" not in seen
    for args in (["exec", web, "--", "true"], ["console", "-c", "version"]):
        r = subprocess.run([shared.binary, *args], text=True, timeout=60,
                           capture_output=True, check=True,
                           env={**shared.env, "LD_DEBUG": "files"})
        assert "libcjson" in r.stderr and "readline" not in r.stderr


# -- a person

@pytest.fixture
def term(shared):
    """Consoles on a terminal."""
    made = []

    def make(*args, **kw):
        made.append(Screen(shared, "console", *args,
                           **{"size": "24x100", **kw}))
        return made[-1]
    history = shared.state / "console-history"
    history.unlink(missing_ok=True)
    yield make
    for s in made:
        s.__exit__()


def test_a_person_explores(term, web):
    s = term()
    s.step("wait stacyvm>", r"send use web\r", "wait stacyvm web>",
           r"send !test -t 1 && echo T=$TERM `stty size`\r",
           "wait T=xterm-256color 24 100", "row 5 stacyvm web>",
           r"send nonsense\r", 'wait unknown command "nonsense"',
           "row 8 stacyvm web>", r"send use\r", "row 9 stacyvm>")
    s.end(r"send list -q\r", f"row 10 {web}", "row 11 stacyvm>", "send ^D",
          "exit 0")


def test_the_prompt_has_the_name_that_it_has_now(term, web):
    s = term()
    s.end("wait stacyvm>", r"send use web\r", "row 3 stacyvm web>",
          r"send rename site\r", f"row 4 {web} is named site",
          "row 5 stacyvm site>", r"send label a=1 b=2\r",
          f"row 6 {web} has the labels a=1 b=2", "row 7 stacyvm site>",
          r"send rename --clear\r", f"row 9 stacyvm {web}>",
          r"send rename . web\r", "row 11 stacyvm web>", "send ^D", "exit 0")


def test_help_tells_what_there_is(term):
    s = term()
    s.step(r"send help use\r", "wait Usage: use [ID]", r"send help kill\r",
           "wait Usage: stacyvm kill")
    s.end("size 90 100", r"send help\r", "wait !COMMAND",
          "wait act in this sandbox", "wait destroy sandboxes",
          r"send exit 4\r", "exit 4")


def test_how_a_command_ended(term, shared, web):
    """It is said to who typed it, once; a script has it as its status."""
    s = term("web")
    s.step("wait stacyvm web>", r"send !exit 3\r", "row 3 exit 3",
           "row 4 stacyvm web>", r"send !true\r",
           "row 5 stacyvm web>", r"send exec -- sh -c 'exit 7'\r",
           "row 6 exit 7", "row 7 stacyvm web>",
           # The program's own errors tell all there is.
           r"send exec -X\r", "wait help exec", "row 10 stacyvm web>")
    s.end("send ^D", "exit 0")
    r = script(shared, "use web", "!exit 3")
    assert r.code == 3
    assert b"exit 3" not in r.err


def test_control_c_ends_a_command_and_not_the_console(term, web):
    s = term("web")
    s.step("wait stacyvm web>", r"send !echo o''n; exec sleep 1000\r",
           "row 3 on", "send ^C",
           "row 5 stacyvm web>")
    s.step(r"send exec -- sh -c 'echo w''o; exec sleep 1000'\r", "wait wo",
           "send ^C", "wait interrupted the command", "row 8 stacyvm web>")
    s.step(r"send !echo 1''2\r", "wait 12",
           "row 10 stacyvm web>", r"send ^Llogs -f --tail 1\r", "row 1 12",
           "send ^C", "row 3 stacyvm web>")
    s.step(r"send half a line", "row 3 half a line", "send ^C",
           "row 3 half a line^C",
           "row 4 stacyvm web>", r"send version\r", "row 6 stacyvm web>")
    s.end("send ^D", "exit 0")


def test_control_c_ends_searching(term):
    s = term()
    s.step("wait stacyvm>", r"send version\r", "row 3 stacyvm>", "send ^Rvers",
           "wait reverse-i-search)`vers'", "send ^C", "row 4 stacyvm>",
           r"send list\r", "wait stacyvm> list", "row 6 stacyvm>")
    s.end("send ^D", "exit 0")


def test_control_c_ends_waiting_for_a_daemon(term, shared):
    s = term()
    s.step("wait stacyvm>")
    pid = shared.daemon_pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        s.step(r"send use nothing\r", "cursor 2 0", "send ^C",
               "wait interrupted", "row 4 stacyvm>")
    finally:
        os.kill(pid, signal.SIGCONT)
    s.end("send ^D", "exit 0")


def settings(path):
    return pathlib.Path(path).read_text()


@pytest.mark.parametrize("how", ["^D", r"exit\r", "TERM", "HUP", "CRASH"])
def test_the_terminal_is_as_it_was(how, shared, tmp_path):
    s = Screen(shared, "sh", "-c", 'stty -g >"$0/a"; "$1" console; '
               'echo "left $?"; stty -g >"$0/b"; echo end', str(tmp_path),
               shared.binary, size="24x100", shell=True)
    with s:
        s.step("wait stacyvm>", "send half")
        s.step("wait > half")
        if how in ("TERM", "HUP", "CRASH"):
            shell = s.pid()
            child, = shared.children_of(shell, "stacyvm")
            os.kill(child, {"TERM": signal.SIGTERM, "HUP": signal.SIGHUP,
                            "CRASH": signal.SIGABRT}[how])
        else:
            s.step(f"send ^U{how}")
        left = {"TERM": 143, "HUP": 129, "CRASH": 134}.get(how, 0)
        s.end(f"wait left {left}", "wait end", "exit 0")
    assert settings(tmp_path / "a") == settings(tmp_path / "b")


def test_a_killed_command_leaves_a_terminal_to_type_on(term, shared, web):
    s = term("web")
    s.step("wait stacyvm web>", r"send !echo o''n; exec sleep 1000\r",
           "row 3 on")
    console = s.pid()
    child, = shared.children_of(console, "stacyvm")
    os.kill(child, signal.SIGKILL)
    s.step("wait killed by SIGKILL", "row 5 stacyvm web>",
           r"send version\r", "wait stacyvm 0.")
    # Echo and line ends are the terminal's own again for what runs next.
    s.end("row 7 stacyvm web>", r"send exec -i -- sh -c 'echo g''o; cat'\r",
          "row 8 go", r"send typed\r", "row 9 typed", "row 10 typed",
          "send ^D", "row 11 stacyvm web>",
          "send ^D", "exit 0")


def test_control_z_suspends_and_fg_comes_back(shared, web):
    if not shutil.which("bash"):
        pytest.skip("needs bash")
    s = Screen(shared, "bash", "--norc", "--noprofile", "-i", size="30x160",
               shell=True, env={"PS1": "bash> ", "LC_ALL": "C.UTF-8"})
    with s:
        s.step("wait bash>", rf"send {shared.binary} console web\r",
               "wait stacyvm web>", "send half", "wait > half", "send ^Z",
               "row 4 Stopped", "row 5 bash>", r"send echo ba''ck\r",
               "row 6 back", "row 7 bash>", r"send fg\r")
        s.step("row 9 stacyvm web> half",
               r"send ^U!echo o''n; exec sleep 1000\r", "row 10 on",
               "send ^C", "row 12 stacyvm web>",
               r"send exec -i -- sh -c 'echo o''f; exec cat'\r",
               "row 13 of", "send ^Z", "row 15 Stopped",
               "row 16 bash>",
               r"send echo a''gain\r", "row 17 again", "row 18 bash>",
               r"send fg\r", "row 19 console web")
        # The shell names the job before it hands over the terminal.
        s.step(r"send here\r", "row 21 here", "send ^C",
               "wait interrupted the command", "row 23 stacyvm web>")
        s.end(r"send exit\r", "row 24 bash>", r"send exit\r", "exit 0")


def test_history_is_kept_for_the_next_time(term, shared):
    path = shared.state / "console-history"
    s = term()
    s.end("wait stacyvm>", r"send version\r", "row 3 stacyvm>",
          r"send  inspect secret\r", "row 6 stacyvm>",
          r"send list --api-key secret2\r",
          "wait lines with a secret are not kept", "row 9 stacyvm>",
          r"send spawn -e A=secret3 --nonsense\r", "row 12 stacyvm>",
          r"send ls -q\r", "row 13 stacyvm>", "send ^D", "exit 0")
    assert path.read_text() == "version\nls -q\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    s = term()
    s.step("wait stacyvm>", r"send \e[A", "wait > ls -q", r"send \e[A",
           "wait > version", r"send \r", "row 3 stacyvm>")
    s.end("send ^D", "exit 0")
    assert path.read_text() == "version\nls -q\nversion\n"


def test_history_is_bounded(term, shared):
    path = shared.state / "console-history"
    path.write_text("".join(f"line {i}\n" for i in range(5 * LIMIT_HISTORY)))
    path.chmod(0o644)
    s = term()
    s.end("wait stacyvm>", r"send version\r", "row 3 stacyvm>", "send ^D",
          "exit 0")
    assert len(path.read_text().splitlines()) == LIMIT_HISTORY + 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_history_that_is_no_file_is_left_alone(term, shared, tmp_path):
    path = shared.state / "console-history"
    target = tmp_path / "target"
    target.write_text("mine\n")
    path.symlink_to(target)
    s = term()
    s.end("row 0 console-history", "wait stacyvm>", r"send version\r",
          "row 5 stacyvm>", r"send \e[A", "wait > version", "send ^U^D", "exit 0")
    assert target.read_text() == "mine\n"
    path.unlink()


def test_pasted_lines_are_lines(term, shared):
    s = term()
    s.step("wait stacyvm>", r"send \e[200~version\nnonsense\n\e[201~",
           r"send \r", 'wait unknown command "nonsense"', "row 6 stacyvm>")
    s.end("send ^D", "exit 0")
    assert (shared.state / "console-history").read_text() == (
        "version\nnonsense\n")


def test_a_paste_without_an_end_can_be_left(term):
    s = term()
    s.step("wait stacyvm>", r"send version\r", "row 3 stacyvm>",
           r"send \e[200~half", "send ^C", "row 4 stacyvm>",
           r"send version\r", "row 6 stacyvm>", r"send \e[200~half")
    os.kill(s.pid(), signal.SIGTERM)
    s.end("exit 143")


def test_control_c_takes_what_was_just_typed(shared):
    """It drops what poll() may have seen: nobody waits for that."""
    t = Terminal(shared, "console", env={"TERM": "xterm"})
    t.expect(b"stacyvm> ")
    for i in range(2000):
        t.send(b"\x1b[200~typed")
        for _ in range(i % 400): # Ctrl-C between its poll() and read()
            pass
        t.send(b"\x03")
        t.expect(b"^C")
        t.expect(b"stacyvm> ")
    t.send(b"\x04")
    assert t.end() == 0


# -- completion

HOSTILE = ["a1 b", "a2$(touch PWNED)", "a3'q", 'a4"dq', "a5;x|y&z", "a6\\x",
           "a7#c", "a8é漢", "a9`x`", "b1*?[c]", "b2!x", "b3 'a\" b"]
UNPRINTABLE = ["z1\x1b]0;t\a", "z2\nz", "z3\u202ed", "z4\x7f"]


def test_completes_commands_options_ids_and_templates(term, shared, web):
    shared.api("POST", "/templates", {"name": "tpl-one", "image": "host"},
               check=201)
    s = term()
    s.step("wait stacyvm>", r"send vers\t.", "wait > version .", "send ^U",
           r"send us\twe\t.", "wait > use web .", r"send \x7f\r",
           "wait stacyvm web>", "send ^U",
           rf"send inspect {web[:-1]}\t.", f"wait inspect {web} .", "send ^U",
           r"send spawn --templ\ttpl\t",
           "wait spawn --template tpl-one", "send ^U",
           r"send wait --for=runn\t", "wait wait --for=running", "send ^U",
           r"send help use\t.", "wait > help use .", "send ^U",
           r"send stacyvm inspe\t.", "wait > stacyvm inspect .", "send ^U",
           r"send ex\t\t", "wait exec    run a command in a sandbox",
           "wait exit    leave the console", "send ^U",
           r"send version # use we\t", "wait > version # use we", "send ^U")
    shared.api("DELETE", "/templates/tpl-one", check=200)
    s.end("send ^D", "exit 0")


def test_completes_labels(term, shared, web):
    shared.api("PATCH", f"/sandboxes/{web}", {"metadata": {"zeta": "1"}},
               check=200)
    s = term()
    s.step("wait stacyvm>", r"send use web\r", "row 3 stacyvm web>",
           r"send label ze\t.", "wait > label zeta.", "send ^U",
           r"send label a=1 ze\t.", "wait > label a=1 zeta.", "send ^U",
           r"send label . ze\t.", "wait > label . zeta.", "send ^U",
           r"send label web ze\t.", "wait > label web zeta.")
    s.end("send ^U", "send ^D", "exit 0")


def test_labels_and_names_are_of_the_sandbox_in_use(shared, web):
    other = shared.sandbox(name="other", metadata={"a": "1"})["id"]
    try:
        r = script(shared, "use web", "label a=1 b=2", "label b- c=3",
                   "label . a-", "label c-", "label d=4", "rename site",
                   "label other e=5", "rename other more", "rename --clear",
                   "rename . web")
        assert r.code == 0, r
    finally:
        shared.api("DELETE", f"/sandboxes/{other}", check=200)
    has, named = f"{web} has the labels", "is named"
    assert r.text.splitlines() == [
        f"{has} a=1 b=2", f"{has} a=1 c=3", f"{has} c=3",
        f"{web} has no labels", f"{has} d=4", f"{web} {named} site",
        f"{other} has the labels a=1 e=5", f"{other} {named} more",
        f"{web} has no name", f"{web} {named} web"]


def test_a_name_is_not_the_id_that_was_left_out(shared, web):
    """`rename` alone is not `rename ID` with the id as the name."""
    for line in ("rename", "rename .", f"rename {web}"):
        r = script(shared, "use web", line)
        assert r.code == 2 and "needs a name, or --clear" in r.errtext, r
    box = shared.ok("inspect", "--json", web).json()
    assert (box[0] if isinstance(box, list) else box)["name"] == "web"


def test_completes_paths_here_and_there(term, shared, web):
    home = pathlib.Path(shared.home)
    (home / "here dir").mkdir()
    (home / "here dir" / "it's").write_text("local\n")
    for name in ("one", "two"):
        write(shared, web, f"/workspace/there/{name}")
    s = term("web")
    s.step("wait stacyvm web>", r"send ls the\t", "wait ls there/",
           r"send \t\t", "wait one  two", "send ^U",
           r"send cd the\t\r", "wait stacyvm web:/workspace/there>",
           r"send ls o\t\r", "wait ls one", "send ^L",
           "row 0 /workspace/there>", r"send cd\r",
           "row 1 stacyvm web>", "send ^L", "row 0 stacyvm web>",
           r"send !cat the\to\t", "wait !cat there/one", "send ^U",
           r"send cp her\ti\t:the\t\r", r"wait cp here\ dir/it\'s :there/",
           "row 1 stacyvm web>",
           r"send cp web:/workspace/there/i\t-\r", "row 2 local",
           "row 3 stacyvm web>",
           r"send cat 'there/i\t\r", r"wait cat 'there/it'\''s'",
           "row 5 stacyvm web>")
    s.end(r"send cp :there/it\\'s 'here dir/back'\r",
          "row 6 stacyvm web>", "send ^D", "exit 0")
    assert (home / "here dir" / "back").read_text() == "local\n"
    shutil.rmtree(home / "here dir")


def test_completes_no_option_of_ours_for_a_command_there(term, shared, web):
    write(shared, web, "/workspace/--w")
    write(shared, web, "/workspace/there/one")
    s = term("web")
    s.step("wait stacyvm web>",
           # Ours before its name, whatever stands for the sandbox.
           r"send exec --workd\t.", "wait exec --workdir .", "send ^U",
           r"send exec . --workd\t.", "wait exec . --workdir .", "send ^U",
           r"send exec -w the\t", "wait exec -w there/", "send ^U")
    for line in ("exec ls ", "exec . ls ", "exec -t ls ", "exec -- ls ",
                 "exec web -- ls "):
        s.step(rf"send {line}--work\t.", f"wait {line}--work.", "send ^U",
               rf"send {line}the\to\t.", f"wait {line}there/one .", "send ^U")
    s.end(r"send exec ./the\to\t.", "wait exec ./there/one .",
          "send ^U^D", "exit 0")


def test_completes_what_a_hostile_sandbox_says(term, shared, web):
    for name in HOSTILE + UNPRINTABLE:
        write(shared, web, f"/workspace/h/{name}", f"<{name[:2]}>\n")
    s = term("web")
    s.step("wait stacyvm web>")
    for name in HOSTILE:
        for quote in ("", "'", '"'):
            s.step(rf"send cat {quote}h/{name[:2]}\t\r", f"wait <{name[:2]}>",
                   "send ^L", "gone <")
    s.step(r"send cat h/z\t\t", "wait > cat h/z", "send ^U",
           r"send cat h/\t\t", "wait b2!x", "gone z1", "send ^U")
    s.end("send ^D", "exit 0")


def test_completes_no_file_that_would_not_be_typed(term, shared, web):
    place = pathlib.Path(shared.home) / "names"
    place.mkdir()
    for name in HOSTILE + UNPRINTABLE:
        (place / name).touch()
    s = term("web")
    s.step("wait stacyvm web>", r"send cp names/z\t\t", "wait > cp names/z",
           "send ^U", r"send cp names/\t\t", "wait b2!x", "gone z1",
           "send ^U", r"send cp names/a2\t:\r", r"wait a2\$(touch\ PWNED) :",
           "row 7 stacyvm web>")
    s.end("send ^D", "exit 0")
    assert exists(shared, web, "a2$(touch PWNED)")
    shutil.rmtree(place)


def test_completion_does_not_wait_for_a_daemon_that_hangs(inst):
    inst.start()
    with Screen(inst, "console", size="24x100") as s:
        s.step("wait stacyvm>")
        pid = inst.daemon_pid()
        os.kill(pid, signal.SIGSTOP)
        try:
            s.step(r"send inspect we\t", "wait > inspect we",
                   r"send ^Uvers\t.", "wait > version .")
        finally:
            os.kill(pid, signal.SIGCONT)
        s.end("send ^U^D", "exit 0")


# -- strange places

class Liar(http.server.BaseHTTPRequestHandler):
    """A daemon whose sandbox has a name for the terminal."""
    name = "\x1b]0;pwned\x07\x1b[31mred\u202e" + "x" * 200

    def do_GET(self):
        box = {"id": "sb-00000000", "name": self.name, "state": "\x1b[2J",
               "image": "host"}
        body = json.dumps([box] if self.path.endswith("/sandboxes") else
                          box).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def test_what_a_daemon_says_is_escaped(term):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Liar)
    threading.Thread(target=server.serve_forever, args=(0.02,),
                     daemon=True).start()
    try:
        s = term("--server", f"http://127.0.0.1:{server.server_port}")
        s.step("wait stacyvm>", r"send use sb-0\t\r",
               r"wait stacyvm ^[]0;pwned^G^[[31mred\u{202e}xxxxxx",
               "wait is ^[[2J", "row 0 help tells")
        s.end("send ^D", "exit 0")
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("name", ["dumb", "", "nonsense"])
def test_any_terminal_will_do(name, term, web):
    s = term("web", env={"TERM": name})
    s.end("wait stacyvm web>", r"send !echo o''n\r", "wait on",
          "row 4 stacyvm web>", r"send vers\t\r", "row 6 stacyvm web>",
          "send half", "wait > half", "send ^C", "row 7 stacyvm web>",
          "send ^D", "exit 0")


def test_without_readline_it_is_plainer(term, shared, web, tmp_path):
    (tmp_path / "libreadline.so.8").write_text("no library")
    # Wide: the path of the library stands in one line.
    s = term("web", size="24x480", env={"LD_LIBRARY_PATH": str(tmp_path)})
    s.step("wait apt install libreadline8", "wait stacyvm web>",
           r"send !echo o''n\r", "row 5 stacyvm web>", "send half",
           "wait > half", "send ^C", "row 6 stacyvm web>",
           r"send version\r", "row 8 stacyvm web>",
           r"send exec -- sh -c 'echo w''o; exec sleep 1000'\r", "wait wo",
           "send ^C", "row 11 stacyvm web>")
    s.end("send ^D", "exit 0")


def test_standard_error_is_no_terminal(shared, tmp_path):
    s = Screen(shared, "sh", "-c", '"$1" console 2>"$0/err"; echo "left $?"',
               str(tmp_path), shared.binary, size="24x100", shell=True)
    s.end(r"send version\r", "wait stacyvm 0.", "send ^D", "wait left 0",
          "exit 0")
    assert "stacyvm> " in (tmp_path / "err").read_text()
