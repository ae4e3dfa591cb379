# SPDX-License-Identifier: MIT
"""Options whose value makes no sense: 2, a usage error, whoever finds it."""
import json
import re
import shlex
import subprocess

import pytest


@pytest.mark.parametrize("args", [
    ("list", "--json=nope"), ("inspect", "BOX", "--json=id,nope"),
    ("spawn", "--json=nope"), ("spawn", "--json=metadata.x,nope.x"),
    ("extend", "BOX", "1m", "--json=nope"), ("rename", "BOX", "x", "--json=n"),
    ("label", "BOX", "a=b", "--json=n"), ("template", "ls", "--json=nope"),
    ("image", "ls", "--json=nope"), ("provider", "ls", "--json=nope"),
    ("provider", "show", "mock", "--json=nope"), ("quota", "ls", "--json=no"),
    ("files", "ls", "BOX", "--json=nope"), ("audit", "ls", "--json=nope"),
    ("files", "stat", "BOX", "/", "--json=nope"),
    ("pool", "status", "--json=nope"), ("preview", "BOX", "80", "--json=no"),
    ("top", "-n", "1", "--json=nope"), ("list", "--watch", "--json=nope"),
], ids=" ".join)
def test_json_has_no_such_field(shared, box, args):
    before = shared.api("GET", "/sandboxes").json()
    r = shared.must_fail(*(box if a == "BOX" else a for a in args))
    assert r.code == 2 and r.out == b"", r
    said = json.loads(r.errtext)["error"]
    assert "there is no field 'n" in said["message"], said
    assert "there are " in said["message"] and "stacyvm help" in said["hint"]
    assert shared.api("GET", "/sandboxes").json() == before, "it did it"


@pytest.mark.parametrize("args", [
    ("list",), ("inspect", "BOX"), ("extend", "BOX", "9m"),
    ("rename", "BOX", "fields"), ("label", "BOX", "a=b"), ("template", "ls"),
    ("template", "show", "T"), ("image", "ls"), ("provider", "ls"),
    ("provider", "show", "mock"), ("quota", "ls"), ("files", "ls", "BOX"),
    ("files", "stat", "BOX", "/"), ("audit", "ls", "-n", "5"),
    ("pool", "status"), ("top", "-n", "1"), ("spawn",),
], ids=" ".join)
def test_json_has_every_field_that_is_printed(shared, box, args):
    """What is known of fields is all there is."""
    shared.run("template", "create", "T", "--image", "host")
    shared.ok("files", "write", box, "file", input="x")
    shared.run("quota", "set", "ann", "--max-sandboxes", "9")
    args = [box if a == "BOX" else a for a in args]
    whole = shared.ok(*args, "--json").json()
    names = {k for o in (whole if isinstance(whole, list) else [whole])
             for k in o}
    names |= {"reason", "template"} if args[0] == "list" else set()
    one = shared.ok(*args, f"--json={','.join(sorted(names))}").json()
    assert {k for o in (one if isinstance(one, list) else [one])
            for k in o} == names


@pytest.mark.parametrize("args", [
    ("spawn", "-l", "x"), ("spawn", "-l", "=x"), ("spawn", "--memory", "0"),
    ("spawn", "--memory", "lots"), ("spawn", "--memory", "99999999"),
    ("spawn", "--vcpus", "0"), ("spawn", "--vcpus", "999999"),
    ("spawn", "--ttl", "999999h"), ("spawn", "--ttl", "-1s"),
    ("spawn", "--name", "a b/c"), ("spawn", "--network", "bogus"),
    ("spawn", "--image", "Not//An:Image:"), ("spawn", "-e", "=x"),
    ("template", "create", "w", "--image", "host", "--warm", "many"),
    ("template", "create", "w", "--image", "host", "-l", "x"),
    ("logs", "BOX", "--since", "yesterday"), ("logs", "BOX", "--tail", "x"),
    ("logs", "BOX", "--stream", "up"), ("events", "--since", "never"),
    ("audit", "ls", "--since", "never"), ("audit", "ls", "-n", "x"),
    ("wait", "BOX", "--for", "bliss"), ("list", "--filter", "x"),
    ("preview", "BOX", "99999"),
    ("preview", "BOX", "http"), ("label", "BOX", "x"),
    ("rename", "BOX", "a b/c"), ("files", "chmod", "BOX", "rwx", "/x"),
    ("files", "write", "BOX", "/workspace/x", "--mode", "rwx"),
    ("files", "write", "BOX", "/workspace/x", "--mode", ""),
    ("quota", "set", "ann", "--max-sandboxes", "x"),
    ("audit", "export", "--as", "xml"), ("tui", "--theme", "none"),
    ("tui", "--frames", "x"), ("--server", "gopher://x", "list"),
    ("--timeout", "soon", "list"), ("top", "-d", "1ms"),
    ("console", "--color", "mauve"), ("completion", "tcsh"),
], ids=" ".join)
def test_a_value_that_makes_no_sense_is_2(shared, box, args):
    r = shared.run(*(box if a == "BOX" else a for a in args), input="")
    assert r.code == 2, r


def test_what_is_no_usage_is_not(shared, box):
    """The daemon may find fault with what isn't typed, too."""
    shared.ok("exec", box, "mkdir", "dir")
    for args in (("files", "cat", box, "dir"), ("cp", f"{box}:none", "x"),
                 ("template", "create", "w", "-f", "-")):
        r = shared.run(*args, input="image: [1]\n")
        assert r.code not in (0, 2), r


# -- names that a shell would take for something else

def confirm_of(text):
    return re.search(r"add (--confirm=.*) to do it anyway", text).group(1)


def test_the_option_that_is_offered_works(inst, tmp_path):
    """Pasted into a shell it is the name that was meant."""
    inst.start()
    inst.ok("db", "backup", tmp_path / "copy.db")
    inst.ok("daemon", "stop")
    for name in ("it's a copy", "$(id) `x`", 'a"b\\c', "plain.db", "''"):
        file = tmp_path / name
        file.write_bytes((tmp_path / "copy.db").read_bytes())
        r = inst.must_fail("db", "restore", file)
        option = confirm_of(r.errtext)
        assert shlex.split(option) == [f"--confirm={name}"], option
        line = f"{inst.binary} db restore {shlex.quote(str(file))} {option}"
        done = subprocess.run(["sh", "-c", line], env=inst.env, check=False,
                              capture_output=True, timeout=60)
        assert done.returncode == 0, done
    # What would be shown as something else is not shown to be pasted.
    file = tmp_path / "two\nlines"
    file.write_bytes((tmp_path / "copy.db").read_bytes())
    r = inst.must_fail("db", "restore", file)
    assert r.code == 8 and "--confirm=NAME" in r.errtext, r


def test_a_copy_is_looked_for_before_it_is_asked(inst, tmp_path):
    inst.start()
    inst.ok("daemon", "stop")
    (tmp_path / "text").write_text("no database" * 999)
    for name in ("none", "text", "."):
        r = inst.must_fail("db", "restore", tmp_path / name)
        assert r.code not in (2, 8) and "nobody to ask" not in r.errtext, r
