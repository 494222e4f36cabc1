"""A batch as Ray tasks: python with_ray.py tasks.jsonl /shared/clips --shards 64.

Each Ray task runs one shard by the command line. A task whose node dies is tried again by Ray, and goes on where it
ended. The folder must be on storage that all nodes see.
"""

import argparse
import json
import os
import subprocess

import ray


@ray.remote(num_cpus=1, max_retries=5, retry_exceptions=[subprocess.CalledProcessError])
def run_shard(kinograd: str, source: str, folder: str, index: int, shards: int) -> dict:
    """Runs shard `index` of `shards` and returns the command's report."""
    command = [kinograd, "batch", source, "-o", folder, "--shard", f"{index}/{shards}", "--threads", "1", "--json"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("folder")
    parser.add_argument("--shards", type=int, default=8)
    args = parser.parse_args()
    ray.init(log_to_driver=False)
    kinograd = os.environ.get("KINOGRAD", "kinograd")
    source, folder = (os.path.abspath(path) for path in (args.source, args.folder))
    pending = [run_shard.remote(kinograd, source, folder, index, args.shards) for index in range(args.shards)]
    made = skipped = failed = 0
    while pending:
        ready, pending = ray.wait(pending)
        for report in ray.get(ready):
            made += report["made"]
            skipped += report["skipped"]
            failed += report["failed"]
    print(f"made {made}, skipped {skipped}, failed {failed}")


if __name__ == "__main__":
    main()
