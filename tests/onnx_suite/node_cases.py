"""Gradients of ONNX's own node tests against finite differences of the model as ONNX Runtime evaluates it.

    cargo build --release -p onnx-grad --example gradient
    python tests/onnx_suite/node_cases.py [--fast] [--only REGEX] [--report FILE]

Each case with float inputs and outputs that ONNX calls differentiable is derived as a joint graph
and as a pair, with the shapes of the case and with all of them free. Exits 1 where one failed.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
import time
import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.backend.test.loader import load_model_tests
from onnx.reference import ReferenceEvaluator

from common import CrashedError, Derived, RefusedError, derive, run_pair, run_session, session
from differences import STEPS, Slopes, along, slopes
from double import doubled

# Tolerances by element type: largest difference relative to the largest slope, which counts as FLOOR at least.
FLOATS = {TensorProto.FLOAT: 1e-3, TensorProto.DOUBLE: 1e-6, TensorProto.FLOAT16: 2e-2, TensorProto.BFLOAT16: 1e-1}
# Against finite differences taken in float32.
COARSE_TOLERANCE = 3e-2
FLOOR = 1e-2
HALF_FLOOR = 5e-2
OLDEST = 13
NOT_TENSOR = "an input or output is no tensor"


class SkipError(Exception):
    """The case says nothing about gradients; the message says why."""


class GradientError(Exception):
    """The gradient is wrong, or its graph does not run."""


@dataclass
class Outcome:
    """What became of a case."""

    name: str
    status: str
    reason: str = ""
    notes: list[str] = field(default_factory=list)
    error: float = 0.0


@dataclass
class Problem:
    """A model, the values of its inputs, and what to differentiate."""

    model: onnx.ModelProto
    feeds: dict[str, np.ndarray]
    inputs: list[str]
    outputs: list[str]
    expected: dict[str, np.ndarray]

    def kinds(self) -> dict[str, int]:
        """Element types of inputs and outputs."""
        values = [*self.model.graph.input, *self.model.graph.output]
        return {value.name: value.type.tensor_type.elem_type for value in values}


@cache
def newest_opset() -> int:
    """The newest opset that `onnx-grad` takes."""
    for opset in range(30, OLDEST, -1):
        value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in "xy"]
        graph = helper.make_graph([helper.make_node("Sin", ["x"], ["y"])], "probe", value[:1], value[1:])
        try:
            derive(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)]), ["y"], ["x"])
            return opset
        except RefusedError:
            continue
    raise SystemExit("the gradient example refuses every opset: build it first")


def schema_categories(model: onnx.ModelProto) -> tuple[set[str], set[str]]:
    """Inputs and outputs of a single node that its schema calls not differentiable."""
    node = model.graph.node[0]
    version = next((entry.version for entry in model.opset_import if entry.domain == node.domain), 1)
    try:
        schema = onnx.defs.get_schema(node.op_type, version, node.domain)
    except onnx.defs.SchemaError:
        return set(), set()
    never = onnx.defs.OpSchema.DifferentiationCategory.NonDifferentiable
    found = []
    for names, formals in ((node.input, schema.inputs), (node.output, schema.outputs)):
        bad = set()
        for at, name in enumerate(names):
            formal = formals[min(at, len(formals) - 1)]
            if name and formal.differentiation_category == never:
                bad.add(name)
        found.append(bad)
    return found[0], found[1]


def prepare(case, base) -> Problem:
    """The case as a problem, or a reason to skip it."""
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    graph = model.graph
    domains = {entry.domain for entry in model.opset_import}
    if domains & {"ai.onnx.ml", "ai.onnx.preview.training"}:
        raise SkipError("trees and training steps")
    if any(not value.type.HasField("tensor_type") for value in [*graph.input, *graph.output]):
        raise SkipError(NOT_TENSOR)
    given, wanted = case.data_sets[0]
    feeds = {value.name: np.asarray(data) for value, data in zip(graph.input, given, strict=False)}
    expected = {value.name: np.asarray(data) for value, data in zip(graph.output, wanted, strict=False)}
    not_inputs, not_outputs = schema_categories(base.model)
    kind = {value.name: value.type.tensor_type.elem_type for value in [*graph.input, *graph.output]}
    inputs = [value.name for value in graph.input if kind[value.name] in FLOATS and value.name not in not_inputs]
    outputs = [value.name for value in graph.output if kind[value.name] in FLOATS and value.name not in not_outputs]
    if not outputs:
        raise SkipError("no float output, or none that ONNX calls differentiable")
    if not inputs:
        raise SkipError("no float input, or none that ONNX calls differentiable")
    if len(feeds) < len(graph.input):
        raise SkipError("an input has no value")
    for entry in model.opset_import:
        if entry.domain == "":
            entry.version = int(np.clip(entry.version, OLDEST, newest_opset()))
    # What ONNX Runtime reads; the form of the file says nothing about the ops.
    model.ir_version = 10
    try:
        onnx.checker.check_model(model)
        onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise SkipError(
            f"no such form of {base.model.graph.node[0].op_type} from opset {OLDEST} to {newest_opset()}"
        ) from error
    return Problem(model, feeds, inputs, outputs, expected)


def close(found: dict[str, np.ndarray], expected: dict[str, np.ndarray], names: list[str], tolerance: float) -> bool:
    """Whether outputs agree, infinities included."""
    for name in names:
        a, b = np.asarray(found[name], np.float64), np.asarray(expected[name], np.float64)
        if a.shape != b.shape or not np.allclose(a, b, tolerance, tolerance * max(1.0, _largest(b)), equal_nan=True):
            return False
    return True


def _largest(x: np.ndarray) -> float:
    finite = np.abs(x[np.isfinite(x)])
    return float(finite.max(initial=0.0))


def runner(model: onnx.ModelProto, in_runtime: bool):
    """How to run a gradient graph: ONNX Runtime, else ONNX's reference where the former has no kernel."""
    if not in_runtime:
        return reference(model)
    try:
        opened = session(model)
        return lambda feeds: run_session(opened, feeds)
    except Exception as error:  # the bindings raise classes of their own
        if "NOT_IMPLEMENTED" not in str(error) and "not implemented" not in str(error).lower():
            raise
    return reference(model)


def reference(model: onnx.ModelProto):
    """How ONNX's reference implementation runs a model."""
    opened = ReferenceEvaluator(model)
    names = [value.name for value in model.graph.input]
    outputs = [value.name for value in model.graph.output]

    def run(feeds):
        try:
            return dict(zip(outputs, opened.run(None, {name: feeds[name] for name in names}), strict=True))
        except Exception as error:  # it has limits of its own, such as negative pads
            raise SkipError("neither ONNX Runtime nor the reference runs the gradient") from error

    return run


def evaluators(problem: Problem):
    """Ways to evaluate the model as ONNX Runtime does, or as the case says where that cannot; most exact first."""
    wide, fixed = doubled(problem.model)
    kinds = problem.kinds()

    def widened(run):
        def evaluate(feeds):
            cast = {
                name: value.astype(np.float64) if kinds[name] in FLOATS and name not in fixed else value
                for name, value in feeds.items()
            }
            return run(cast)

        return evaluate

    tolerance = 1e-3 if all(kinds[name] in (1, 11) for name in problem.inputs) else 2e-2
    tried = [("float64", lambda: widened(runner_ort(wide))), ("float64", lambda: widened(reference(wide)))]
    if all(kinds[name] == TensorProto.FLOAT for name in problem.inputs):
        tried.append(("float32", lambda: runner_ort(problem.model)))
    for precision, build in tried:
        try:
            evaluate = build()
            if close(evaluate(problem.feeds), problem.expected, problem.outputs, tolerance):
                yield precision, evaluate
        except Exception:  # no kernel, or one that rejects these inputs
            continue


def runner_ort(model: onnx.ModelProto):
    """ONNX Runtime only."""
    opened = session(model)
    return lambda feeds: run_session(opened, feeds)


def with_constants(problem: Problem) -> Problem:
    """The same problem, inputs that are not differentiated stored in the model."""
    model = onnx.ModelProto()
    model.CopyFrom(problem.model)
    for value in list(model.graph.input):
        if value.name not in problem.inputs:
            model.graph.initializer.append(numpy_helper.from_array(problem.feeds[value.name], value.name))
            model.graph.input.remove(value)
    return Problem(model, problem.feeds, problem.inputs, problem.outputs, problem.expected)


def with_free_shapes(model: onnx.ModelProto) -> onnx.ModelProto:
    """Every length of every input and output a symbol of its own."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    del copy.graph.value_info[:]
    for at, value in enumerate([*copy.graph.input, *copy.graph.output]):
        dims = value.type.tensor_type.shape.dim
        if len(dims) == 1 and value.type.tensor_type.elem_type == TensorProto.INT64:
            continue  # the length of a list of axes or lengths is a rank
        for axis, dim in enumerate(dims):
            dim.dim_param = f"free_{at}_{axis}"
    return copy


@dataclass
class Attempt:
    """A derivation that worked, for some of the inputs and outputs."""

    problem: Problem
    derived: Derived
    inputs: list[str]
    outputs: list[str]


def attempts(problem: Problem) -> tuple[list[Attempt], dict[str, str]]:
    """Derives all at once where that works, else input by input; and what was refused, by input."""
    forms = [problem]
    if len(problem.feeds) > len(problem.inputs):
        forms.append(with_constants(problem))
    selections = [problem.outputs] if len(problem.outputs) == 1 else [problem.outputs, problem.outputs[:1]]
    reason = ""
    for outputs in selections:
        for form in forms:
            try:
                return [Attempt(form, derive(form.model, outputs, problem.inputs), problem.inputs, outputs)], {}
            except RefusedError as error:
                reason = str(error)
    found: list[Attempt] = []
    refused: dict[str, str] = {}
    if len(problem.inputs) == 1:
        return [], {problem.inputs[0]: reason}
    for name in problem.inputs:
        for outputs in selections:
            for form in forms:
                try:
                    found.append(Attempt(form, derive(form.model, outputs, [name]), [name], outputs))
                    break
                except RefusedError as error:
                    refused[name] = str(error)
            else:
                continue
            refused.pop(name, None)
            break
    return found, refused


def gradients(
    derived: Derived, feeds: dict[str, np.ndarray], in_runtime: bool
) -> list[tuple[str, dict[str, np.ndarray]]]:
    """Outputs of the joint graph and of the pair."""
    joint = runner(derived.joint, in_runtime)(feeds)
    pair = run_pair(runner(derived.forward, in_runtime), runner(derived.backward, in_runtime), feeds)
    return [("joint", joint), ("split", pair)]


def compare(name: str, gradient: np.ndarray, x: np.ndarray, found: Slopes, tolerance: float) -> float:
    """Largest difference from the slopes, relative to the largest slope."""
    if gradient.shape != x.shape:
        raise GradientError(f"the gradient of {name} has shape {gradient.shape}, the input {x.shape}")
    claimed = along(gradient, found)[found.trusted]
    truth = found.values[found.trusted]
    if not truth.size:
        return 0.0
    if not np.isfinite(claimed).all():
        raise GradientError(f"the gradient of {name} is not finite")
    floor = HALF_FLOOR if tolerance > 1e-2 else FLOOR
    error = float(np.abs(claimed - truth).max()) / max(float(np.abs(truth).max()), floor)
    if error > tolerance:
        worst = int(np.abs(claimed - truth).argmax())
        raise GradientError(
            f"gradient of {name} off by {error:.2e}: {claimed[worst]:.6g} instead of {truth[worst]:.6g}"
        )
    return error


class Truth:
    """Finite differences of a problem, from the first evaluator that can be trusted."""

    def __init__(self, problem: Problem, most: int) -> None:
        self.problem, self.most = problem, most
        self.in_runtime = False
        with contextlib.suppress(Exception):  # no kernel, or one that rejects these inputs
            problem.expected.update(runner_ort(problem.model)(problem.feeds))
            self.in_runtime = True
        self.ways = list(evaluators(problem))
        if not self.ways:
            raise SkipError("nothing evaluates the model as the case expects")
        _, evaluate = self.ways[0]
        first, second = evaluate(problem.feeds), evaluate(problem.feeds)
        if not close(first, second, problem.outputs, 1e-7):
            raise SkipError("random outputs")
        random = np.random.default_rng(5)
        kinds = problem.kinds()
        self.cotangents = {
            name: random.uniform(-1, 1, np.shape(problem.expected[name])).astype(
                helper.tensor_dtype_to_np_dtype(kinds[name])
            )
            for name in problem.outputs
        }

    def slopes(self, name: str, outputs: list[str]) -> tuple[Slopes, str]:
        """Slopes of the seeded outputs along one input, and the precision they were taken in."""
        best: tuple[Slopes, str] | None = None
        reason = ""
        cotangents = {key: self.cotangents[key].astype(np.float64) for key in outputs}
        for precision, evaluate in self.ways:
            feeds = dict(self.problem.feeds)
            if precision == "float64":
                feeds[name] = feeds[name].astype(np.float64)
            try:
                found = slopes(evaluate, feeds, name, cotangents, STEPS[precision], self.most, 11)
            except Exception as error:  # a moved input may be none that the op allows
                reason = str(error)[:80] if isinstance(error, ValueError) else "a moved input is rejected"
                continue
            if best is None or found.share > best[0].share:
                best = (found, precision)
            if found.share >= 0.5:
                break
        if best is None:
            raise SkipError(reason)
        if best[0].share < 0.25:
            raise SkipError("kinks or jumps nearly everywhere")
        return best


def check(case, base, most: int) -> Outcome:
    """One case, from the model to a verdict."""
    out = Outcome(case.name, "passed")
    try:
        with np.errstate(all="ignore"):
            examine(case, base, most, out)
    except SkipError as reason:
        out.status, out.reason = "skipped", str(reason)
    except CrashedError as reason:
        out.status, out.reason = "failed", f"crash: {reason}"
    except GradientError as reason:
        out.status, out.reason = "failed", str(reason)
    except Exception as error:  # a graph that does not run is the gradient's fault
        out.status, out.reason = "failed", f"{type(error).__name__}: {str(error)[:300]}"
    return out


def examine(case, base, most: int, out: Outcome) -> None:
    """Raises where the case is skipped or wrong; notes what was refused."""
    problem = prepare(case, base)
    truth = Truth(problem, most)
    found, refused = attempts(problem)
    kinds = problem.kinds()
    checked = 0
    cannot: list[str] = []
    for name, reason in list(refused.items()):
        if "no differentiable path" in reason:
            try:
                truth_slopes, _ = truth.slopes(name, problem.outputs)
            except SkipError as error:
                cannot.append(str(error))
                del refused[name]
                continue
            compare(name, np.zeros(problem.feeds[name].shape), problem.feeds[name], truth_slopes, 1e-3)
            del refused[name]
            checked += 1
    for attempt in found:
        feeds = {**problem.feeds}
        feeds.update({f"{name}_cotangent": truth.cotangents[name] for name in attempt.outputs})
        forms = [("", gradients(attempt.derived, feeds, truth.in_runtime))]
        try:
            free = derive(with_free_shapes(attempt.problem.model), attempt.outputs, attempt.inputs)
            forms.append(("free shapes, ", gradients(free, feeds, truth.in_runtime)))
        except RefusedError as error:
            out.notes.append(f"free shapes: {error}")
        for name in attempt.inputs:
            try:
                slope, precision = truth.slopes(name, attempt.outputs)
            except SkipError as error:
                cannot.append(str(error))
                continue
            checked += 1
            tolerance = max(FLOATS[kinds[name]], *(FLOATS[kinds[key]] for key in attempt.outputs))
            if precision == "float32":
                tolerance = max(tolerance, COARSE_TOLERANCE)
            for form, results in forms:
                for mode, result in results:
                    try:
                        got = result[f"{name}_gradient"]
                        error = compare(name, got, problem.feeds[name], slope, tolerance)
                        out.error = max(out.error, error / tolerance)
                    except GradientError as failure:
                        raise GradientError(f"{form}{mode}: {failure}") from failure
                    for key in attempt.outputs:
                        if key in result and not close(result, problem.expected, [key], 2e-2):
                            raise GradientError(f"{form}{mode}: output {key} changed")
    out.notes += [f"{name}: {reason}" for name, reason in refused.items()]
    if not checked and refused:
        out.status, out.reason = "refused", next(iter(refused.values()))
    elif not checked:
        raise SkipError(cannot[0] if cannot else "nothing to compare")


def plain(reason: str) -> str:
    """A reason without the names of one case."""
    reason = re.sub(r"^\w+: (?=node|input|`|bad|the|opset)", "", reason)
    reason = re.sub(r"node `[^`]*`: ", "", reason)
    reason = re.sub(r"(tensor of|rank of|type of|input|tensor|output) `[^`]*`", r"\1 …", reason)
    return re.sub(r" \(opset \d+\)", "", reason)[:200]


def report(outcomes: list[Outcome], seconds: float) -> str:
    """Counts, then reasons."""
    status = Counter(outcome.status for outcome in outcomes)
    lines = [
        f"{len(outcomes)} cases in {seconds:.0f} s: "
        + ", ".join(f"{status[s]} {s}" for s in ("passed", "refused", "failed", "skipped"))
    ]
    partly = [note for outcome in outcomes if outcome.status == "passed" for note in outcome.notes]
    free = sum(any(n.startswith("free") for n in o.notes) for o in outcomes if o.status == "passed")
    lines.append(
        f"Of the passed, {free} are refused with free shapes, {len(partly) - free} inputs of others are refused."
    )
    lines += ["", "# Failed"] + [f"{o.name}: {o.reason}" for o in outcomes if o.status == "failed"]
    for title, reasons in (
        ("Refused", Counter(plain(o.reason) for o in outcomes if o.status == "refused")),
        ("Passed, but in part refused", Counter(plain(note) for note in partly if not note.startswith("free"))),
        (
            "Passed, but refused with free shapes",
            Counter(plain(n[len("free shapes: ") :]) for n in partly if n.startswith("free")),
        ),
        ("Skipped", Counter(o.reason for o in outcomes if o.status == "skipped")),
    ):
        lines += ["", f"# {title}"] + [f"{count:5} {reason}" for reason, count in reasons.most_common()]
    return "\n".join(lines)


_CASES: dict = {}


def _load() -> None:
    warnings.simplefilter("ignore")
    with np.errstate(all="ignore"):
        _CASES.update({case.name: case for case in load_model_tests(kind="node")})


def _one(argument: tuple[str, int]) -> Outcome:
    if not _CASES:
        _load()
    name, most = argument
    case = _CASES[name]
    return check(case, _CASES.get(re.sub(r"_expanded.*$", "", name), case), most)


def main() -> int:
    """Runs the cases; 1 where one failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fast", action="store_true", help="fewer elements of each input")
    parser.add_argument("--only", default="", help="cases whose name matches")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--report", type=Path)
    parser.add_argument("-v", "--verbose", action="store_true", help="the verdict on every case")
    args = parser.parse_args()
    started = time.perf_counter()
    _load()
    names = sorted(name for name in _CASES if re.search(args.only, name))
    work = [(name, 12 if args.fast else 150) for name in names]
    newest_opset()
    if args.jobs > 1:
        with ProcessPoolExecutor(args.jobs) as pool:
            outcomes = list(pool.map(_one, work, chunksize=8))
    else:
        outcomes = [_one(item) for item in work]
    text = report(outcomes, time.perf_counter() - started)
    if args.verbose:
        print("\n".join(f"{o.status:8} {o.error:8.1e} {o.name} {o.reason}" for o in outcomes))
    print(text)
    if args.report:
        args.report.write_text(text + "\n")
    return 1 if any(outcome.status == "failed" for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
