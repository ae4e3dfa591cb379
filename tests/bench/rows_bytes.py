# SPDX-License-Identifier: MIT
"""Many bytes, and many who hear the same."""
import os

from measure import MIB, median, ms, percentile, rate, topic


@topic("bytes")
def files_and_output(b):
    size = b.few(4, 64) * MIB
    rounds = b.few(1, 8)
    a, copy = f"{b.tmp}/a", f"{b.tmp}/b"
    with open(a, "wb") as f:
        f.write(os.urandom(size))
    with b.daemon("files and output") as inst:
        sid = inst.sandbox(ttl="1h")["id"]
        # The pipe beside it has every processor too.
        wide = inst.sandbox(ttl="1h", vcpus=os.cpu_count())["id"]
        b.samples("stream", inst.socket, wide, size, 1)  # makes the file
        stream, pipe = b.turns(
            lambda: b.samples("stream", inst.socket, wide, size, 1),
            lambda: b.samples("pipe", size, 1, 1), rounds=rounds)
        put, get, cp = b.turns(
            lambda: b.samples("put", inst.socket, sid, "/tmp/f", size, 1),
            lambda: b.samples("get", inst.socket, sid, "/tmp/f", 1),
            lambda: b.samples("child", 1, "cp", a, copy), rounds=rounds)
    amount = f"{size // MIB} MiB"
    b.table.row(f"streamed exec output: `cat` of {amount}, all processors",
                rate(size, median(stream)), "",
                f"kernel pipe {rate(size, median(pipe))}", "> 477 MiB/s")
    for name, got in (("upload", put), ("download", get)):
        b.table.row(f"file {name}, {amount}", rate(size, median(got)), "",
                    f"`cp` {rate(size, median(cp))}", "within 2x of `cp`")


@topic("streams")
def streams(b):
    count, size = b.few(10, 100), b.few(1, 4) * MIB
    with b.daemon(f"{count} streams at once") as inst:
        ids = [inst.sandbox(ttl="1h")["id"] for _ in range(10)]
        for sid in ids:
            b.samples("stream", inst.socket, sid, size, 1)  # makes the file
        ours, pipes = b.turns(
            lambda: b.samples("streams", inst.socket, count, size, 1, *ids),
            lambda: b.samples("pipe", size, count, 1), rounds=b.few(1, 4))
    b.table.row(f"{count} streams of {size // MIB} MiB at once, in "
                f"{len(ids)} sandboxes",
                rate(size * count, median(ours)), "",
                f"{count} kernel pipes {rate(size * count, median(pipes))}")


@topic("events")
def events(b):
    listeners, count = b.few(50, 1000), b.few(20, 200)
    with b.daemon(f"{listeners} event subscribers") as inst:
        ours, raw = b.turns(
            lambda: b.samples("events", inst.socket, listeners, count, 1),
            lambda: b.samples("sockets", listeners, count, 200, 1),
            rounds=b.few(1, 5))
    b.table.row(f"{count} events to each of {listeners} subscribers",
                ms(median(ours)), ms(percentile(ours, .99)),
                f"written raw to as many sockets {ms(median(raw))}",
                "all delivered < 2 s")
