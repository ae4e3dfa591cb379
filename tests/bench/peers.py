# SPDX-License-Identifier: MIT
"""Others that start a program closed in, each a job of ten.  One that is not
installed, or that does not run here, is named as missing."""
import json
import os
import pathlib
import shutil
import subprocess

BWRAP = ("bwrap --unshare-all --die-with-parent --ro-bind /usr /usr "
         "--symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 "
         "/lib64 --proc /proc --dev /dev --tmpfs /tmp true").split()
UNSHARE = "unshare --fork --pid --mount --net --ipc --uts --mount-proc true".split()


def bundle(b):
    """A root file system for crun, or None where it could not be run."""
    busybox = shutil.which("busybox")
    if not busybox or os.geteuid():
        return None
    rootfs = pathlib.Path(b.tmp, "bundle/rootfs")
    for d in ("bin", "proc", "dev", "sys", "tmp"):
        (rootfs / d).mkdir(parents=True)
    shutil.copy(busybox, rootfs / "bin/busybox")
    os.symlink("busybox", rootfs / "bin/true")
    subprocess.run(["crun", "spec"], cwd=rootfs.parent, check=True)
    spec = rootfs.parent / "config.json"
    config = json.loads(spec.read_text())
    config["process"].update(terminal=False, args=["/bin/true"])
    spec.write_text(json.dumps(config))
    return str(rootfs.parent)


def crun(b):
    where = bundle(b)
    if not where:
        return None
    # crun refuses a hybrid cgroup layout: hide the v2 half of it.
    hide = ["unshare", "--mount", "sh", "-c",
            "umount /sys/fs/cgroup/unified 2>/dev/null; exec \"$@\"", "sh"]
    return lambda: b.samples("child", 10, "crun", "run", "-b", where,
                             "svm-bench", prefix=hide)


def peers(b):
    root = ["--map-root-user"] if os.geteuid() else []
    jobs = {
        "static program": lambda: b.samples("child", 10, b.true),
        "`unshare`": lambda: b.samples("child", 10, UNSHARE[0], *root,
                                       *UNSHARE[1:]),
        "`bwrap`": lambda: b.samples("child", 10, *BWRAP),
    }
    if shutil.which("crun") and (job := crun(b)):
        jobs["`crun run`"] = job
    for name, job in list(jobs.items()):
        try:
            job()
        except subprocess.CalledProcessError:
            b.table.missing.append(f"{name} does not run here")
            del jobs[name]
    for name in ("unshare", "bwrap", "crun"):
        if not shutil.which(name):
            b.table.missing.append(f"{name} is not installed")
    return jobs
