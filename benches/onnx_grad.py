"""A model's forward and its gradient, by every route there is, taking turns in one process.

    cargo build --release -p onnx-grad --example gradient
    python benches/onnx_grad.py --quick                 # the encoder in a minute or two
    python benches/onnx_grad.py [MODEL ..] [--batch 1 --batch 2] [--threads 1] [--runs 15] [--compile]
    python benches/onnx_grad.py --full                  # batches of 1, 2 and 8, one and two threads, torch.compile

F is ONNX Runtime's forward. Other rows compute the output and the gradient by the first input:
the joint graph, the pair (forward that keeps activations, then backward), onnx-ad's graph without
its dead nodes, torch's own vector-Jacobian product, the same traced by make_fx and exported, and
torch.compile. Needs tests/onnx_suite/requirements.txt. A row's F is the median, with the middle
half, of its time over that of the forward in the same round, in which all routes take their turn.
Memory is that of a process of its own: after its imports, the most beyond that (opening a session
needs more than running it), and what three steps leave.
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "onnx_suite"))

from common import RefusedError, derive_files, session

EXPORT_BATCH = 2
# Graphs of each route that runs in ONNX Runtime, in the order in which a step runs them.
GRAPHS = {
    "ORT forward": ["model"],
    "joint": ["joint"],
    "pair": ["forward", "backward"],
    "onnx-ad, pruned": ["onnx_ad"],
    "make_fx export": ["make_fx"],
}
FEED_OF = {"y": "y_cotangent"}
TORCH = ["torch eager", "torch.compile"]


def pruned(model: onnx.ModelProto, outputs: list[str]) -> onnx.ModelProto:
    """The model with the nodes and weights that these outputs need."""
    needed, nodes = set(outputs), []
    for node in reversed(model.graph.node):
        if needed & set(node.output):
            nodes.append(node)
            needed.update(node.input)
    out = onnx.ModelProto()
    out.CopyFrom(model)
    del out.graph.node[:], out.graph.initializer[:], out.graph.output[:], out.graph.value_info[:]
    out.graph.node.extend(reversed(nodes))
    out.graph.initializer.extend(t for t in model.graph.initializer if t.name in needed)
    out.graph.output.extend(value for value in model.graph.output if value.name in outputs)
    return out


def onnx_ad_graph(folder: Path, feeds: dict[str, np.ndarray]) -> float:
    """Writes onnx_ad.onnx for the batch of `feeds`, as it needs known shapes; how many seconds that took."""
    from onnx_ad import reverse

    started = time.perf_counter()
    model = onnx.load(folder / "model.onnx")
    for value in [*model.graph.input, *model.graph.output]:
        for dim, length in zip(
            value.type.tensor_type.shape.dim, feeds[FEED_OF.get(value.name, value.name)].shape, strict=True
        ):
            dim.dim_value = length
    del model.graph.value_info[:]
    model = onnx.shape_inference.infer_shapes(model, data_prop=True)
    onnx.save(
        pruned(reverse(model, inputs=["x"], outputs=["y"], layout="onnx"), ["y", "adj_x"]), folder / "onnx_ad.onnx"
    )
    return time.perf_counter() - started


def make_fx_graph(network, inputs, folder: Path, names: tuple[str, ...]) -> float:
    """Writes make_fx.onnx for the batch of `inputs`; seconds that tracing and export took."""
    import torch
    from torch.fx.experimental.proxy_tensor import make_fx
    from torch.nn.attention import SDPBackend, sdpa_kernel

    def both(x, *rest):
        x = x.detach().requires_grad_(True)
        y = network(x, *rest[:-1])
        return y.detach(), torch.autograd.grad(y, x, rest[-1])[0]

    started = time.perf_counter()
    with torch.no_grad():
        cotangent = torch.randn_like(network(*inputs))
    # The fused attention has no ONNX form.
    with sdpa_kernel(SDPBackend.MATH):
        traced = make_fx(both)(*inputs, cotangent)
    torch.onnx.export(
        traced, (*inputs, cotangent), str(folder / "make_fx.onnx"), dynamo=True, external_data=False, verbose=False,
        input_names=[*names, "y_cotangent"], output_names=["y", "x_gradient"], opset_version=18,
    )  # fmt: skip
    return time.perf_counter() - started


def feeds_of(folder: Path, batch: int) -> dict[str, np.ndarray]:
    """What the graphs take."""
    return dict(np.load(folder / f"feeds{batch}.npz"))


def ort_step(
    folder: Path, route: str, feeds: dict[str, np.ndarray], threads: int
) -> tuple[list[Callable[[], object]], float]:
    """The stages of a step, and how long the sessions took to open."""
    started = time.perf_counter()
    opened = [session(folder / f"{name}.onnx", threads) for name in GRAPHS[route]]
    load = time.perf_counter() - started
    known = {**feeds, "adj_y": feeds["y_cotangent"][..., None]}
    passed: dict[str, np.ndarray] = {}

    def stage(which):
        names = [node.name for node in which.get_inputs()]
        outputs = [node.name for node in which.get_outputs()]

        def run():
            given = {name: passed[name] if name in passed else known[name] for name in names}
            passed.update(zip(outputs, which.run(outputs, given), strict=True))
            return passed

        return run

    return [stage(which) for which in opened], load


def torch_step(
    model: str, feeds: dict[str, np.ndarray], names: tuple[str, ...], compiled: bool
) -> list[Callable[[], object]]:
    """Forward and vector-Jacobian product in torch."""
    import torch

    import zoo

    network = zoo.build(model)
    if compiled:
        network = torch.compile(network)
    inputs = [torch.from_numpy(feeds[name]) for name in names]
    cotangent = torch.from_numpy(feeds["y_cotangent"])

    def run():
        x = inputs[0].detach().requires_grad_(True)
        y = network(x, *inputs[1:])
        return {"x_gradient": torch.autograd.grad(y, x, cotangent)[0].numpy()}

    return [run]


def quartiles(values: list[float], digits: int) -> str:
    """Median with the middle half."""
    low, middle, high = statistics.quantiles(values, n=4) if len(values) > 1 else values * 3
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def peak_memory(folder: Path, model: str, route: str, batch: int, threads: int) -> str:
    """MB of a process of its own: its imports, the most held beyond them, and what is held after three steps."""
    command = [
        sys.executable,
        __file__,
        model,
        "--measure",
        route,
        "--folder",
        str(folder),
        "--batch",
        str(batch),
        "--threads",
        str(threads),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return " ".join(done.stdout.split()[-5:]) if done.returncode == 0 else "–"


def measure(folder: Path, model: str, route: str, batch: int, threads: int) -> None:
    """Prints what this process held after its imports, at most, and in the end."""
    feeds = feeds_of(folder, batch)
    names = tuple(json.loads((folder / "names.json").read_text()))
    if route in TORCH:
        import torch

        importlib.import_module("zoo")  # what reading the saved network takes
        torch.set_num_threads(threads)
        # What a library sets up at its first use is no part of the model.
        weight = torch.ones(64, 64, requires_grad=True)
        torch.autograd.grad((weight @ weight).sum(), weight)
    before = resident()
    if route in TORCH:
        stages = torch_step(model, feeds, names, route == "torch.compile")
    else:
        stages, _ = ort_step(folder, route, feeds, threads)
    for _ in range(3):
        for stage in stages:
            stage()
    print(f"{before / 1e6:.0f} + {(peak() - before) / 1e6:.0f} / {(resident() - before) / 1e6:.0f}")


def resident() -> int:
    """Bytes that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def first_line(error: Exception) -> str:
    """What went wrong, at its cause."""
    while error.__cause__:
        error = error.__cause__
    lines = str(error).splitlines() or [""]
    return f"{type(error).__name__}: {lines[0][:160]}"


def peak() -> int:
    """The most bytes that this process held; unlike `ru_maxrss`, not those of the one that started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


class Bench:
    """One model: its files, its routes and their times."""

    def __init__(self, model: str, folder: Path, with_compile: bool) -> None:
        import zoo

        self.model, self.folder = model, folder
        self.network, self.names = zoo.build(model), zoo.ZOO[model].names
        self.torch_routes = TORCH if with_compile else TORCH[:1]
        self.routes: list[str] = []
        self.notes: list[str] = []
        self.derive: dict[str, float] = {}
        self.batch = 0
        self.memory: dict[tuple[str, int], str] = {}
        (folder / "names.json").write_text(json.dumps(self.names))
        zoo.export(self.network, zoo.inputs(model, EXPORT_BATCH), self.names, folder / "model.onnx")
        started = time.perf_counter()
        log = derive_files(folder / "model.onnx", ["y"], ["x"], folder)
        self.notes.append(f"joint and pair read, derived and written in {time.perf_counter() - started:.2f} s")
        spent = {line.split()[0]: float(line.split()[1]) for line in log if line.endswith(" s")}
        self.derive = {"joint": spent["read"] + spent["joint"], "pair": spent["read"] + spent["split"]}

    def attempt(self, route: str, build: Callable[[], float]) -> None:
        """Builds a route that may fail."""
        try:
            self.derive[route] = build()
        except Exception as error:  # another tool's limits are its own
            self.notes.append(f"{route}: {first_line(error)}")
            if route in self.routes:
                self.routes.remove(route)

    def write_feeds(self, batch: int) -> None:
        """Inputs and cotangent of a batch."""
        import torch

        import zoo

        inputs = zoo.inputs(self.model, batch)
        with torch.no_grad():
            y = self.network(*inputs)
        feeds = {name: value.numpy() for name, value in zip(self.names, inputs, strict=True)}
        feeds["y_cotangent"] = torch.randn_like(y).numpy()
        np.savez(self.folder / f"feeds{batch}.npz", **feeds)
        # These two are graphs for one batch.
        self.routes = [*GRAPHS, *self.torch_routes]
        self.attempt("onnx-ad, pruned", lambda: onnx_ad_graph(self.folder, feeds))
        if "make_fx export" in GRAPHS:
            self.attempt("make_fx export", lambda: make_fx_graph(self.network, inputs, self.folder, self.names))

    def run(self, batch: int, threads: int, runs: int) -> list[list[str]]:
        """Rows of the table."""
        import torch

        torch.set_num_threads(threads)
        if batch != self.batch:
            self.write_feeds(batch)
            self.batch = batch
        feeds = feeds_of(self.folder, batch)
        steps, loads = {}, {}
        for route in list(self.routes):
            try:
                if route in TORCH:
                    steps[route] = torch_step(self.model, feeds, self.names, route == "torch.compile")
                else:
                    steps[route], loads[route] = ort_step(self.folder, route, feeds, threads)
                found = [stage() for stage in steps[route]][-1]
                if route == "torch eager":
                    truth = found["x_gradient"]
                    self.compare(steps, truth)
            except Exception as error:  # a route that fails must not hide the others
                self.notes.append(f"{route}, batch {batch}: {first_line(error)}")
                steps.pop(route, None)
        wall = {route: [[] for _ in stages] for route, stages in steps.items()}
        for run in range(runs + 1):
            for route, stages in steps.items():
                for at, stage in enumerate(stages):
                    started = time.perf_counter()
                    stage()
                    if run > 0:  # the first round warms up
                        wall[route][at].append(time.perf_counter() - started)
        return self.rows(batch, threads, wall, loads)

    def compare(self, steps, truth: np.ndarray) -> None:
        """Notes the routes whose gradient is not torch's."""
        for route, stages in steps.items():
            result = [stage() for stage in stages][-1]
            got = result.get("x_gradient", result.get("adj_x"))
            if route == "ORT forward" or got is None:
                continue
            got = got[..., 0] if got.ndim > truth.ndim else got
            error = float(np.abs(got - truth).max() / np.abs(truth).max())
            if error > 1e-3:
                self.notes.append(f"{route}: its gradient is off by {error:.1e}")

    def rows(self, batch: int, threads: int, wall, loads) -> list[list[str]]:
        """Formats the times."""
        whole = {route: [sum(values) for values in zip(*parts, strict=True)] for route, parts in wall.items()}
        base = whole["ORT forward"]

        def over(times: list[float]) -> list[float]:
            return [time / forward for time, forward in zip(times, base, strict=True)]

        rows = []
        for route, times in whole.items():
            key = (route, batch)
            if key not in self.memory:
                self.memory[key] = peak_memory(self.folder, self.model, route, batch, threads)
            rows.append([
                self.model, str(batch), str(threads), route,
                quartiles([1e3 * time for time in times], 1), quartiles(over(times), 2),
                f"{self.derive[route]:.2f}" if route in self.derive else "–",
                f"{loads[route]:.2f}" if route in loads else "–",
                self.memory[key],
            ])  # fmt: skip
            if len(wall[route]) == 2:
                shares = [f"{statistics.median(over(part)):.2f} F" for part in wall[route]]
                self.notes.append(f"pair, batch {batch}, {threads} threads: forward {shares[0]}, backward {shares[1]}")
        for ours in ("joint", "pair"):
            for other in TORCH:
                if other in whole and ours in whole:
                    gain = [theirs / mine for theirs, mine in zip(whole[other], whole[ours], strict=True)]
                    self.notes.append(
                        f"{ours}, batch {batch}, {threads} threads: {quartiles(gain, 2)} times as fast as {other}"
                    )
        return rows


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=["motion_encoder", "unet"])
    parser.add_argument("--batch", type=int, action="append")
    parser.add_argument("--threads", type=int, action="append")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument(
        "--quick", action="store_true", help="the encoder, seven rounds, without the routes that take minutes to build"
    )
    parser.add_argument("--full", action="store_true", help="batches of 1, 2 and 8, one and two threads, torch.compile")
    parser.add_argument("--compile", action="store_true", help="torch.compile too, which takes minutes")
    parser.add_argument("--no-export", action="store_true", help="leave out the make_fx route, which takes minutes")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.quick:
        args.models, args.runs, args.no_export = ["motion_encoder"], min(args.runs, 7), True
    args.compile |= args.full
    batches = args.batch or ([1, 2, 8] if args.full else [1])
    threads = args.threads or ([1, 2] if args.full else [1])
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    if args.measure:
        measure(args.folder, args.models[0], args.measure, batches[0], threads[0])
        return
    if args.no_export:
        GRAPHS.pop("make_fx export")
    head = [
        "model",
        "batch",
        "threads",
        "route",
        "ms a step: median (middle half)",
        "F",
        "derive s",
        "load s",
        "MB: imports + peak / held",
    ]
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    notes = []
    for model in args.models:
        with tempfile.TemporaryDirectory() as name:
            try:
                bench = Bench(model, Path(name), args.compile)
            except RefusedError as error:
                notes.append(f"{model}: refused: {error}")
                continue
            for batch in batches:
                for count in threads:
                    for row in bench.run(batch, count, args.runs):
                        print("| " + " | ".join(row) + " |", flush=True)
            notes += [f"{model}: {note}" for note in bench.notes]
    print("\n" + "\n".join(f"- {note}" for note in notes))


if __name__ == "__main__":
    main()
