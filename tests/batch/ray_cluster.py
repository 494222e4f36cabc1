"""Runs a batch on a Ray cluster of two nodes on this machine, and kills one of them in the middle.

    python tests/batch/ray_cluster.py target/release/kinograd

Needs `ray`. At the end every sample is there once, with the bytes that a run without Ray makes.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ray.cluster_utils import Cluster
from slurm import ROOT, TASKS, samples, sweep


def main():
    kinograd = str(Path(sys.argv[1]).resolve())
    folder = Path(tempfile.mkdtemp(prefix="kinograd-ray-"))
    os.environ["KINOGRAD_MODELS"] = str(ROOT / "models")
    os.environ["KINOGRAD_CACHE"] = str(folder / "cache")
    os.environ["KINOGRAD"] = kinograd
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    source = sweep(folder)
    alone, out = folder / "alone", folder / "ray"
    subprocess.run([kinograd, "-q", "batch", source, "-o", alone, "--threads", "1"], check=True)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    second = cluster.add_node(num_cpus=1)
    os.environ["RAY_ADDRESS"] = cluster.address
    script = ROOT / "examples/batch/with_ray.py"
    command = [sys.executable, script, source, out, "--shards", "4"]
    run = subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, text=True)
    while not out.is_dir():
        assert run.poll() is None, "the script ended before a shard began"
        time.sleep(0.1)
    time.sleep(1.5)
    cluster.remove_node(second, allow_graceful=False)
    cluster.add_node(num_cpus=1)
    told, _ = run.communicate(timeout=600)
    assert run.returncode == 0, told
    cluster.shutdown()
    found, expected = samples(out), samples(alone)
    assert len(expected) == 2 * TASKS, expected
    assert found == expected, sorted(set(found) ^ set(expected)) or "bytes differ"
    print(f"ray: two nodes, one killed; {told.strip()}; {len(found) // 2} samples, each once")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
