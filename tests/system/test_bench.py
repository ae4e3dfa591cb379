# SPDX-License-Identifier: MIT
"""Every topic of `make bench`, roughly: what it asks for succeeds, and the
daemon gives back what it took.  How fast that was is not looked at."""
import subprocess
import sys

import pytest

import svm

RUN = [sys.executable, "-B", str(svm.ROOT / "tests/bench/run"),
       "--build", str(svm.BUILD)]
TOPICS = subprocess.run([*RUN, "--list"], capture_output=True, text=True,
                        check=True).stdout.split()


def run(*args):
    return subprocess.run([*RUN, "--quick", *args], capture_output=True,
                          text=True, check=False)


@pytest.mark.parametrize("topic", TOPICS)
def test_topic(topic, provider):
    p = run("--provider", provider, topic)
    assert p.returncode == 0, p.stderr
    [_, rows, memory, *_] = p.stdout.strip().split("\n\n")
    assert rows.startswith("| what ") and rows.count("\n") > 1, p.stdout
    assert memory.startswith("| memory of the daemon "), p.stdout
    daemons = 2 if topic == "spawn" else 1  # with and without spares
    assert memory.count("\n") == 1 + daemons, p.stdout


def test_table_is_put_into_a_file(provider, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n")
    p = run("--provider", provider, "--into", str(page), "tcp")
    assert p.returncode == 0, p.stderr
    assert page.read_text() == (f"before\n<!-- bench -->\n{p.stdout}"
                                "<!-- /bench -->\nafter\n")


def test_what_fails_is_told(provider):
    """An unknown topic, and a request that is refused."""
    p = run("nothing-such")
    assert p.returncode != 0 and "no topic" in p.stderr, p
    tool = str(svm.BUILD / "tests/bench/bench")
    with_daemon = svm.Instance(provider)
    try:
        with_daemon.start()
        p = subprocess.run([tool, "exec", with_daemon.socket, "sb-00000000",
                            "1"], capture_output=True, text=True, check=False)
        assert p.returncode == 1 and "404" in p.stderr and not p.stdout, p
    finally:
        with_daemon.stop()
