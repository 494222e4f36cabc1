"""Networks of others: exported by torch, compared, and without a trace of the machine."""

from __future__ import annotations

import json
import site
from pathlib import Path

import onnx
import pytest
import torch
from torch import Tensor, nn

import needs
from graphs import parts_with_notes
from package import export, schedule, write


class Small(nn.Module):
    """Two layers, one of them with more than 1024 weights."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last = nn.Conv2d(3, 40, 3, padding=1), nn.Conv2d(40, 3, 3, padding=1)

    def forward(self, x_t: Tensor, timestep: Tensor) -> Tensor:
        """`x_t` `[b, 3, h, w]`, `timestep` `[b]`."""
        return self.last(nn.functional.silu(self.first(x_t) + timestep[:, None, None, None] / 1000))


@pytest.fixture(scope="module", params=[False, True], ids=["whole", "half"])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float, bool]:
    """A graph, its largest difference from PyTorch, and whether its weights are half."""
    needs.require("onnxscript", "torch")
    path = tmp_path_factory.mktemp("package") / "denoiser.onnx"
    inputs = torch.randn(2, 3, 8, 8), torch.tensor([500.0, 20.0])
    worst = export(Small(), inputs, ["x_t", "timestep"], ["x0"], path, half=request.param)
    return path, worst, request.param


def test_the_graph_is_pytorchs(written: tuple[Path, float, bool]) -> None:
    path, worst, half = written
    assert worst < (2e-3 if half else 1e-5)
    size = sum(p.numel() for p in Small().parameters()) * (2 if half else 4)
    assert path.stat().st_size < size + 4000


def test_the_graph_names_no_folder(written: tuple[Path, float, bool]) -> None:
    path, *_ = written
    content = path.read_bytes()
    for folder in (Path.home(), Path(__file__).parent, Path.cwd(), *site.getsitepackages()):
        assert str(folder).encode() not in content
    assert b".py" not in content
    assert not [p for part in parts_with_notes(onnx.load(path).graph) for p in part.metadata_props]


def test_a_difference_ends_the_export(tmp_path: Path) -> None:
    needs.require("onnxscript", "torch")

    class Drifting(Small):
        """Says something else at every call."""

        def forward(self, x_t: Tensor, timestep: Tensor) -> Tensor:
            """As `Small`."""
            drift = 0.0 if torch.compiler.is_exporting() else 0.5
            return super().forward(x_t, timestep) + drift

    inputs = torch.randn(2, 3, 8, 8), torch.tensor([500.0, 20.0])
    with pytest.raises(SystemExit, match=r"denoiser\.onnx differs from PyTorch by 5\.00e-01"):
        export(Drifting(), inputs, ["x_t", "timestep"], ["x0"], tmp_path / "denoiser.onnx")


def test_a_manifest_leaves_out_what_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "denoiser.onnx").write_bytes(b"graph")
    ports = {"denoiser": {"inputs": {"x_t": "sample"}}}
    write(tmp_path, "image", {"denoiser": "denoiser.onnx"}, ports, prediction="v", latent=None)
    manifest = json.loads((tmp_path / "model.json").read_text())
    assert manifest["files"]["denoiser"]["inputs"] == {"x_t": "sample"}
    assert manifest["prediction"] == "v"
    assert "latent" not in manifest


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (
            {"beta_schedule": "scaled_linear", "beta_start": 0.1, "beta_end": 0.2, "prediction_type": "epsilon"},
            {"kind": "scaled_linear", "train_steps": 1000, "beta_start": 0.1, "beta_end": 0.2},
        ),
        (
            {"beta_schedule": "squaredcos_cap_v2", "prediction_type": "v_prediction"},
            {"kind": "cosine", "train_steps": 1000},
        ),
        ({"shift": 3.0}, {"kind": "flow", "train_steps": 1000, "shift": 3.0}),
    ],
)
def test_a_schedule_is_read(config: dict, expected: dict) -> None:
    assert schedule(config | {"num_train_timesteps": 1000})["schedule"] == expected


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"beta_schedule": "sigmoid"}, "schedule sigmoid"),
        ({"beta_schedule": "linear", "rescale_betas_zero_snr": True}, "without signal"),
        ({"shift": 1.0, "use_dynamic_shifting": True}, "give --shift"),
        ({}, "neither β nor a flow's shift"),
    ],
)
def test_a_schedule_that_cannot_be_read_is_refused(config: dict, words: str) -> None:
    with pytest.raises(SystemExit, match=words):
        schedule(config | {"num_train_timesteps": 1000})
