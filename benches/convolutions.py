"""How near ONNX Runtime's convolutions of an image denoiser come to the processor's peak: GFLOP/s of each, one thread.

python convolutions.py ../models/emoji-64/denoiser.onnx --batch 8
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import onnxruntime as ort

RUNS = 6


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--batch", type=int, default=8)
    args = parser.parse_args()
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.enable_profiling = 1, True
    session = ort.InferenceSession(args.model, options, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    feeds = {i.name: rng.standard_normal([args.batch, *i.shape[1:]]).astype(np.float32) for i in session.get_inputs()}
    for _ in range(RUNS):
        session.run(None, feeds)
    profile = Path(session.end_profiling())
    events = json.loads(profile.read_text())
    profile.unlink()
    times, shapes = defaultdict(list), {}
    for event in events:
        if event["name"].endswith("kernel_time") and event["args"]["op_name"] == "Conv":
            times[event["name"]].append(event["dur"] * 1e-6)
            sides = event["args"]["input_type_shape"][1], event["args"]["output_type_shape"][0]
            shapes[event["name"]] = [next(iter(side.values())) for side in sides]
    work, spent = 0.0, 0.0
    for name, seconds in times.items():
        weight, output = shapes[name]
        flop = 2.0 * np.prod(weight[1:]) * np.prod(output)
        work, spent = work + flop, spent + min(seconds)
        print(f"{name:40} {weight} -> {output}: {1e-9 * flop / min(seconds):.0f} GFLOP/s")
    print(f"all: {1e-9 * work / args.batch:.2f} GFLOP a sample, {1e-9 * work / spent:.0f} GFLOP/s")


if __name__ == "__main__":
    main()
