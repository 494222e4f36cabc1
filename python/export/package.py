"""What every export script does: graphs written and compared with PyTorch, `model.json` with its hashes."""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from graphs import in_half, without_traces

TOLERANCE = 1e-3
PREDICTIONS = {"epsilon": "epsilon", "sample": "x0", "v_prediction": "v"}
SCHEDULES = {"linear": "linear", "scaled_linear": "scaled_linear", "squaredcos_cap_v2": "cosine"}
# protobuf ends at 2 GiB; what goes beyond is written beside the graph first and then stored as half
INLINE_BYTES = 2_000_000_000


@dataclass
class Networks:
    """The parts of an image diffusion model as PyTorch has them, and their keys of `model.json`.

    `denoiser(x_t, timestep, class?, states?)`, `decoder(latent)` and `encoder(token_ids, token_mask)` have the
    package's inputs; `size` is `[channels, height, width]` of x_t.
    """

    denoiser: nn.Module
    size: list[int]
    keys: dict[str, object]
    decoder: nn.Module | None = None
    encoder: nn.Module | None = None
    tokenizer: Tokenizer | None = None
    name: str = field(default="", compare=False)


def arguments(description: str, source: str) -> argparse.ArgumentParser:
    """The command line that all scripts share; `source` says what the positional argument is."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", help=source)
    parser.add_argument("--random", choices=("small", "large"), nargs="?", const="small", help="untrained instead")
    parser.add_argument("--out", type=Path, required=True, help="folder of the package")
    parser.add_argument("--half", action="store_true", help="store weights in 16 bits; they are computed with in 32")
    parser.add_argument("--licence", default="")
    parser.add_argument("--data", default="")
    return parser


def parsed(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """Arguments, with either a source or `--random`, and the folder made."""
    args = parser.parse_args()
    if bool(args.source) == bool(args.random):
        parser.error("give a model or --random")
    args.out.mkdir(parents=True, exist_ok=True)
    return args


@torch.no_grad()
def export(
    module: nn.Module,
    inputs: tuple[Tensor, ...],
    names: list[str],
    outputs: list[str],
    path: Path,
    half: bool = False,
    tolerance: float = TOLERANCE,
) -> float:
    """Write a graph whose inputs and outputs all have the batch first, and compare it with PyTorch at batch 1.

    Returns the largest difference; above the tolerance, or twice 10⁻² of the output's size for weights of 16 bits, the
    script ends.
    """
    module = module.eval()
    big = sum(p.numel() * p.element_size() for p in module.parameters()) > INLINE_BYTES
    if big and not half:
        raise SystemExit(f"{path.name} would be larger than 2 GiB: add --half")
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        written = Path(scratch) / path.name if big else path
        torch.onnx.export(
            module,
            inputs,
            str(written),
            dynamo=True,
            dynamic_shapes=tuple({0: "batch"} for _ in inputs),
            external_data=big,
            verbose=False,
            input_names=names,
            output_names=outputs,
        )
        model = onnx.load(written)
        onnx.save(without_traces(in_half(model) if half else model), path)
    ones = tuple(x[:1] for x in inputs)
    expected = module(*ones)
    expected = expected if isinstance(expected, tuple) else (expected,)
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    got = session.run(None, {n: x.numpy() for n, x in zip(names, ones, strict=True)})
    worst = max(float(np.abs(a - b.numpy()).max()) for a, b in zip(got, expected, strict=True))
    allowed = 2e-2 * max(float(b.abs().max()) for b in expected) if half else tolerance
    if not worst < allowed:
        raise SystemExit(f"{path.name} differs from PyTorch by {worst:.2e}")
    return worst


def write(out: Path, kind: str, files: dict[str, str], ports: dict[str, dict] | None = None, **keys: object) -> None:
    """Write `model.json`: the files by role with their hashes, `ports` by role, and the keys that are not empty."""
    hashes = {file: hashlib.sha256((out / file).read_bytes()).hexdigest() for file in files.values()}
    entries = {
        role: {"path": file, "sha256": hashes[file]} | (ports or {}).get(role, {}) for role, file in files.items()
    }
    head = {"schema": 1, "name": out.resolve().name, "version": "0.1.0", "kind": kind, "files": entries}
    manifest = head | {key: value for key, value in keys.items() if value is not None}
    (out / "model.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")


def save(networks: Networks, args: argparse.Namespace) -> None:
    """Write a whole image package, each graph compared with PyTorch."""
    out, keys = args.out, networks.keys
    generator = torch.Generator().manual_seed(0)
    x, t = torch.randn(2, *networks.size, generator=generator), torch.tensor([500.0, 20.0])
    inputs, names = [x, t], ["x_t", "timestep"]
    files, differences = {"denoiser": "denoiser.onnx"}, {}
    if "classes" in keys:
        inputs.append(torch.tensor([1, keys["classes"].get("null", 0)]))
        names.append("class")
    if networks.encoder is not None:
        tokens = keys["conditioning"]["max_tokens"]
        ids, mask = torch.ones(2, tokens, dtype=torch.long), torch.ones(2, tokens)
        mask[1, 2:] = 0
        named = (["token_ids", "token_mask"], ["condition"])
        differences["text_encoder"] = export(networks.encoder, (ids, mask), *named, out / "text.onnx", args.half)
        with torch.no_grad():
            inputs.append(networks.encoder(ids, mask))
        names.append("condition")
        networks.tokenizer.save(str(out / "tokenizer.json"))
        files |= {"text_encoder": "text.onnx", "tokenizer": "tokenizer.json"}
    graph = out / "denoiser.onnx"
    differences["denoiser"] = export(networks.denoiser, tuple(inputs), names, ["x0"], graph, args.half)
    if networks.decoder is not None:
        path = out / "decoder.onnx"
        differences["decoder"] = export(networks.decoder, (x,), ["latent"], ["image"], path, args.half)
        files["decoder"] = "decoder.onnx"
    write(out, "image", files, licence=args.licence, data=args.data, **keys)
    report(out, differences)


def schedule(config: dict) -> dict[str, object]:
    """`prediction` and `schedule` of a scheduler's configuration, of diffusers."""
    if "beta_schedule" not in config:
        if "shift" not in config:
            raise SystemExit(f"neither β nor a flow's shift in the scheduler's configuration: {sorted(config)}")
        if config.get("use_dynamic_shifting"):
            raise SystemExit("a schedule that is shifted by the picture's size: give --shift")
        flow = {"kind": "flow", "train_steps": config["num_train_timesteps"], "shift": config["shift"]}
        return {"prediction": "flow", "schedule": flow}
    kind = config["beta_schedule"]
    if kind not in SCHEDULES:
        raise SystemExit(f"schedule {kind}: expected one of {list(SCHEDULES)}")
    if config.get("rescale_betas_zero_snr"):
        raise SystemExit("a schedule that was rescaled to end without signal is not read")
    spec: dict[str, object] = {"kind": SCHEDULES[kind], "train_steps": config["num_train_timesteps"]}
    if kind != "squaredcos_cap_v2":
        spec |= {"beta_start": config["beta_start"], "beta_end": config["beta_end"]}
    return {"prediction": PREDICTIONS[config["prediction_type"]], "schedule": spec}


def report(out: Path, differences: dict[str, float]) -> None:
    """One line of JSON: where, the largest difference of each graph from PyTorch, and their sizes."""
    sizes = {path.name: path.stat().st_size for path in sorted(out.glob("*.onnx"))}
    rounded = {name: float(f"{value:.2e}") for name, value in differences.items()}
    print(json.dumps({"out": str(out), "max_difference": rounded, "bytes": sizes}))
