"""Reads a batch as training code does: the blocks of docs/batches.md as they stand, webdataset, pyarrow, training data.

python tests/batch/read.py target/release/kinograd
"""

import contextlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow.dataset
import webdataset
from slurm import ROOT, TASKS

EMBEDDING = 128
LABELS = {"a person walks": "walk", "a person jogs": "jog"}


def labelled_sweep(folder):
    """A sweep of short clips of two labels."""
    task = {"prompts": [{"text": ""}], "duration_secs": 4, "sampling": {"steps": 10}}
    axes = {"/prompts/0/text": list(LABELS), "/sampling/seed": {"from": 0, "to": TASKS // 2}}
    document = {"schema": "kinograd.sweep/1", "task": task, "axes": axes, "labels": LABELS}
    path = folder / "sweep.json"
    path.write_text(json.dumps(document))
    return path


def run_blocks(guide, folder, rows):
    """Runs the guide's blocks of Python beside the batch; each of them prints a line a clip."""
    blocks = re.findall(r"^```python\n(.*?)^```", guide.read_text(), re.DOTALL | re.MULTILINE)
    assert len(blocks) == 3, f"{guide}: {len(blocks)} blocks"
    with contextlib.chdir(folder):
        for block in blocks:
            lines = block.strip().splitlines()
            assert len(lines) <= 10, f"{guide}: a loader of {len(lines)} lines"
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(block, str(guide), "exec"), {"__name__": "guide"})
            told = printed.getvalue().splitlines()
            ids = {line.split()[0].removesuffix(".npz") for line in told}
            expected = {id for id, row in rows.items() if "embedding" not in block or row["foot_skate_ratio"] < 0.5}
            assert ids == expected, f"{lines[0]}: {told[:3]}"
            assert len(told) == len(ids), f"{lines[0]}: {told[:3]}"
            shape = f"({EMBEDDING},)" if "embedding" in block else f"{rows[min(ids)]['frames']}, 22, 3"
            assert all(shape in line for line in told), f"{lines[0]}: {told[:3]}"
    return len(blocks)


def check_dataset(kinograd, out, data, rows):
    """The data set is what python/train reads."""
    subprocess.run([kinograd, "-q", "dataset", "from-batch", out, "-o", data], check=True)
    index = json.loads((data / "index.json").read_text())
    features = np.load(data / "features.npy", mmap_mode="r")
    assert features.dtype == np.float32, features.dtype
    assert features.shape[1] == 263, features.shape
    assert all(np.load(data / f"{name}.npy").shape == (263,) for name in ("mean", "std"))
    clips = [clip for clip in index["clips"] if not clip["mirrored"]]
    assert {clip["id"] for clip in clips} | {dropped["id"] for dropped in index["dropped"]} == set(rows)
    assert len(clips) > TASKS // 2, index["dropped"]
    for clip in clips:
        row = rows[clip["id"]]
        assert clip["label"] == row["label"], clip
        assert clip["made"]["seed"] == row["seed"], clip
        assert [segment["captions"] for segment in clip["segments"]] == [[row["prompt"]]], clip
        assert np.isfinite(features[clip["offset"] : clip["offset"] + clip["frames"]]).all(), clip["id"]
    model = json.loads((ROOT / "models/motion-base/model.json").read_text())
    (hashes,) = index["made_from"]["models"].values()
    assert hashes["denoiser"] == model["files"]["denoiser"]["sha256"], hashes
    sys.path.insert(0, str(ROOT / "python/train"))
    from data import MotionData  # the reader of the training itself

    read = MotionData(data)
    assert len(read.split("train")) == len(index["clips"]), read.segments
    window = read.window(read.segments[0], 0, 40)
    assert window.shape == (40, 263)
    assert np.isfinite(window).all()
    return len(clips)


def main():
    kinograd = str(Path(sys.argv[1]).resolve())
    os.environ["KINOGRAD_MODELS"] = str(ROOT / "models")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        out = folder / "clips"
        os.environ["HF_HOME"] = str(folder / "huggingface")
        command = [kinograd, "-q", "batch", labelled_sweep(folder), "-o", out, "--formats", "npz,json"]
        subprocess.run(command, check=True)
        table = pyarrow.dataset.dataset([str(path) for path in out.glob("*.parquet")]).to_table()
        rows = {row["id"]: row for row in table.to_pylist()}
        assert len(rows) == TASKS, rows.keys()
        seen = 0
        for sample in webdataset.WebDataset([str(path) for path in out.glob("*.tar")], shardshuffle=False).decode():
            row = rows[sample["__key__"]]
            assert sample["npz"]["joints"].shape == (row["frames"], 22, 3), sample["npz"]["joints"].shape
            assert sample["json"]["report"]["seed"] == row["seed"]
            assert abs(sample["json"]["report"]["text_score"] - row["text_score"]) < 1e-12
            assert row["label"] == LABELS[row["prompt"]], row["label"]
            assert abs(np.linalg.norm(row["embedding"]) - 1) < 1e-4
            assert len(row["embedding"]) == EMBEDDING
            seen += 1
        assert seen == TASKS, seen
        print(f"read: {seen} samples by webdataset, {table.num_rows} rows of {table.num_columns} columns by pyarrow")
        count = run_blocks(ROOT / "docs/batches.md", folder, rows)
        print(f"read: {count} blocks of docs/batches.md, each of {seen} clips")
        kept = check_dataset(kinograd, out, folder / "data", rows)
        print(f"read: {kept} of {seen} clips as training data by python/train/data.py")


if __name__ == "__main__":
    main()
