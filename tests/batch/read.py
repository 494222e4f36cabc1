"""Reads a batch as training code does: webdataset, NumPy and pyarrow agree on what is there.

python tests/batch/read.py target/release/kinograd
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow.dataset
import webdataset
from slurm import ROOT, TASKS, sweep


def main():
    kinograd = str(Path(sys.argv[1]).resolve())
    os.environ["KINOGRAD_MODELS"] = str(ROOT / "models")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        out = folder / "clips"
        subprocess.run([kinograd, "-q", "batch", sweep(folder), "-o", out, "--formats", "npz,json"], check=True)
        table = pyarrow.dataset.dataset([str(path) for path in out.glob("*.parquet")]).to_table()
        rows = {row["id"]: row for row in table.to_pylist()}
        assert len(rows) == TASKS, rows.keys()
        seen = 0
        for sample in webdataset.WebDataset([str(path) for path in out.glob("*.tar")], shardshuffle=False).decode():
            row = rows[sample["__key__"]]
            assert sample["npz"]["joints"].shape == (row["frames"], 22, 3), sample["npz"]["joints"].shape
            assert sample["json"]["report"]["seed"] == row["seed"]
            assert abs(sample["json"]["report"]["text_score"] - row["text_score"]) < 1e-12
            seen += 1
        assert seen == TASKS, seen
        print(f"read: {seen} samples by webdataset, {table.num_rows} rows of {table.num_columns} columns by pyarrow")


if __name__ == "__main__":
    main()
