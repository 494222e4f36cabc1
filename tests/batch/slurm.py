"""Runs a batch as an array on a Slurm of its own, controller and two nodes on this machine, and kills a task.

    python3 tests/batch/slurm.py target/release/kinograd

Needs root, munged, slurmctld and slurmd (Debian: slurm-wlm). A task of the array is killed in the middle and requeued;
at the end every sample is there once, with the bytes that a run without Slurm makes.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TASKS = 40
SHARDS = 4

CONFIG = """
ClusterName=kinograd
SlurmctldHost=localhost
SlurmctldPort={port}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SlurmdParameters=config_overrides
SchedulerParameters=bf_interval=1,sched_interval=2
JobRequeue=1
ReturnToService=2
MailProg=/bin/true
NodeName=node[0-1] NodeHostname=localhost Port=[{first}-{last}] CPUs=2 RealMemory=2000
PartitionName=all Nodes=node[0-1] Default=YES MaxTime=INFINITE State=UP
"""


def wait_for(what, holds, seconds=120):
    """Waits until something holds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = holds()
        if value:
            return value
        time.sleep(0.2)
    raise TimeoutError(what)


class Cluster:
    """A Slurm that ends with the `with` that holds it."""

    def __init__(self, folder):
        self.folder = folder
        self.running = []

    def __enter__(self):
        (self.folder / "state").mkdir()
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        config = self.folder / "slurm.conf"
        config.write_text(CONFIG.format(folder=self.folder, port=26817, first=26818, last=26819))
        os.environ["SLURM_CONF"] = str(config)
        self.start(
            "munged",
            "--foreground",
            "--force",
            f"--socket={self.folder}/munge.socket",
            f"--key-file={key}",
            f"--pid-file={self.folder}/munged.pid",
            f"--seed-file={self.folder}/munge.seed",
            f"--log-file={self.folder}/munged.log",
        )
        wait_for("munged", (self.folder / "munge.socket").exists)
        self.start("slurmctld", "-D")
        for node in ("node0", "node1"):
            self.start("slurmd", "-D", "-N", node)
        wait_for("two idle nodes", lambda: ask("sinfo", "-h", "-o", "%D %t").split() == ["2", "idle"])
        return self

    def start(self, *command):
        log = (self.folder / f"{command[0]}.out").open("a")
        self.running.append(subprocess.Popen(command, stdout=log, stderr=log))

    def __exit__(self, *_):
        for process in reversed(self.running):
            process.terminate()
        for process in self.running:
            process.wait(timeout=30)


def ask(*command):
    """What a command prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout


def samples(folder):
    """The hash of every file; fails where one is twice."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        manifest = json.loads(path.read_text())
        if manifest["tar"] is None:
            continue
        with tarfile.open(folder / manifest["tar"]["path"]) as archive:
            for member in archive:
                assert member.name not in found, f"{member.name} is twice"
                found[member.name] = hashlib.sha256(archive.extractfile(member).read()).hexdigest()
    return found


def sweep(folder):
    """A sweep of short clips."""
    task = {
        "prompts": [{"text": "a person walks"}],
        "duration_secs": 4,
        "sampling": {"steps": 10},
    }
    axes = {"/sampling/seed": {"from": 0, "to": TASKS}}
    path = folder / "sweep.json"
    path.write_text(json.dumps({"schema": "kinograd.sweep/1", "task": task, "axes": axes}))
    return path


def batch_process(out):
    """The process of a shard that is at work, if there is one."""
    found = ask("pgrep", "-f", f"batch .* {out} ").split()
    return int(found[0]) if found else None


def main():
    kinograd = str(Path(sys.argv[1]).resolve())
    folder = Path(tempfile.mkdtemp(prefix="kinograd-slurm-"))
    os.environ["KINOGRAD_MODELS"] = str(ROOT / "models")
    os.environ["KINOGRAD_CACHE"] = str(folder / "cache")
    os.environ["KINOGRAD"] = kinograd
    source = sweep(folder)
    alone, out = folder / "alone", folder / "slurm"
    # As many threads as a task of the array has: bytes are promised for equal threads.
    subprocess.run([kinograd, "-q", "batch", source, "-o", alone, "--threads", "2"], check=True)
    with Cluster(folder):
        script = ROOT / "examples/batch/slurm.sh"
        array = f"--array=0-{SHARDS - 1}"
        submitted = ["sbatch", "--parsable", array, f"--output={folder}/task-%a.out", script, source, out]
        job = ask(*map(str, submitted)).strip()
        assert job.isdigit(), "sbatch took no job"
        victim = wait_for("a process at work", lambda: batch_process(out))
        time.sleep(1.0)
        os.kill(victim, signal.SIGKILL)
        wait_for("the end of the array", lambda: not ask("squeue", "-h", "-j", job).strip(), 600)
        before = len(samples(out))
        assert before < 2 * TASKS, "the kill came too late"
        # The task that was killed failed: the array is submitted again, as a user would.
        job = ask(*map(str, submitted)).strip()
        wait_for("the end of the second array", lambda: not ask("squeue", "-h", "-j", job).strip(), 600)
    found, expected = samples(out), samples(alone)
    assert len(expected) == 2 * TASKS, expected
    assert found == expected, sorted(set(found) ^ set(expected)) or "bytes differ"
    print(f"slurm: {SHARDS} tasks on 2 nodes, one killed: {before // 2} of {TASKS} samples after it")
    print(f"slurm: all {len(found) // 2} samples after the next, each once and to the byte")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
