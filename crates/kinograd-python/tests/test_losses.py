"""Losses and rewards written in Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kinograd
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

WRISTS = [20, 21]


def wrist_height(joints: Any) -> tuple[Any, Any]:
    """Mean height of both wrists, metres."""
    gradient = np.zeros_like(joints)
    gradient[:, :, WRISTS, 1] = 0.5 / joints.shape[1]
    return joints[:, :, WRISTS, 1].mean(axis=(1, 2)), gradient


def squared_speed(joints: Any) -> tuple[Any, Any]:
    """Mean square of the joints' steps, which is no linear function."""
    steps = np.diff(joints, axis=1)
    share = 2 * steps / (steps[0].size)
    gradient = np.zeros_like(joints)
    gradient[:, 1:] += share
    gradient[:, :-1] -= share
    return (steps**2).mean(axis=(1, 2, 3)), gradient


def wrong(joints: Any) -> tuple[Any, Any]:
    """A gradient with the wrong sign."""
    values, gradient = squared_speed(joints)
    return values, -gradient


@pytest.fixture
def plain() -> kinograd.Task:
    return kinograd.Task(
        "a person walks forward",
        duration_secs=2,
        sampling=kinograd.Sampling(seed=3, steps=10, count=2),
        output=kinograd.OutputSettings(foot_lock=False),
    )


def heights(clips: list[kinograd.Clip]) -> Any:
    return np.array([clip.joints[:, WRISTS, 1].mean() for clip in clips])


def test_gradients_against_finite_differences(model: kinograd.Model, plain: kinograd.Task) -> None:
    clips = model.generate(plain)
    joints = np.stack([clip.joints for clip in clips])
    assert kinograd.gradient_error(wrist_height, joints) < 1e-7
    assert kinograd.gradient_error(squared_speed, joints) < 1e-6
    assert kinograd.gradient_error(squared_speed, joints[0]) < 1e-6
    assert kinograd.gradient_error(wrong, joints) > 1
    with pytest.raises(kinograd.Error, match=r"joints have shape \[22, 3\]"):
        kinograd.gradient_error(wrong, joints[0, 0])


def test_a_reward_rises_and_a_loss_falls(model: kinograd.Model, plain: kinograd.Task) -> None:
    before = heights(model.generate(plain))
    raised = heights(model.generate(plain, rewards=[wrist_height]))
    lowered = heights(model.generate(plain, losses=[wrist_height]))
    nothing = heights(model.generate(plain, losses=[(0.5, wrist_height)], rewards=[(0.5, wrist_height)]))
    assert (raised > before + 0.02).all(), (before, raised)
    assert (lowered < before).all(), (before, lowered)
    assert np.allclose(nothing, before, atol=1e-3), (before, nothing)


def test_it_sees_the_joints_of_the_batch(model: kinograd.Model, plain: kinograd.Task) -> None:
    seen: list[Any] = []

    def look(joints: Any) -> tuple[Any, Any]:
        seen.append(joints.copy())
        joints[:] = np.nan  # its own copy
        return np.zeros(len(joints)), np.zeros_like(joints)

    clips = model.generate(plain, losses=[look, wrist_height])
    assert all(joints.shape == (2, 40, 22, 3) and joints.dtype == np.float64 for joints in seen)
    assert np.isfinite(seen[-1]).all()
    # What it saw last is nearly the clip, which is cleaned up after.
    assert abs(seen[-1] - np.stack([clip.joints for clip in clips])).mean() < 0.1


def test_it_steers_as_the_same_loss_in_onnx(model: kinograd.Model, plain: kinograd.Task, tmp_path: Path) -> None:
    weights = np.zeros((1, 1, 22, 3), np.float32)
    weights[0, 0, WRISTS, 1] = 0.5 / 40
    nodes = [
        helper.make_node("Mul", ["joints", "weights"], ["weighted"]),
        helper.make_node("ReduceSum", ["weighted", "axes"], ["sum"], keepdims=0),
        helper.make_node("Reshape", ["sum", "flat"], ["score"]),
    ]
    constants = [
        numpy_helper.from_array(weights, "weights"),
        numpy_helper.from_array(np.array([1, 2, 3]), "axes"),
        numpy_helper.from_array(np.array([-1, 1]), "flat"),
    ]
    joints = helper.make_tensor_value_info("joints", TensorProto.FLOAT, ["batch", 40, 22, 3])
    score = helper.make_tensor_value_info("score", TensorProto.FLOAT, ["batch", 1])
    graph = helper.make_graph(nodes, "wrists", [joints], [score], constants)
    opsets = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), tmp_path / "wrists.onnx")
    ours = model.generate(plain, losses=[(1.0, wrist_height)])
    plain.losses = [kinograd.NetworkLoss(tmp_path / "wrists.onnx", 1.0)]
    theirs = model.generate(plain)
    for one, other in zip(ours, theirs, strict=True):
        # Single precision in the network, double in NumPy.
        assert abs(one.joints - other.joints).max() < 2e-3


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (lambda joints: (np.zeros(5), joints), r"values has shape \[5\], expected \[2\]"),
        (lambda joints: (np.zeros(2), joints[:, 1:]), r"the gradient has shape \[2, 39, 22, 3\]"),
        (lambda joints: (np.full(2, np.nan), joints), "not finite"),
        (lambda joints: (np.zeros(2), joints / 0), "not finite"),
        (lambda joints: np.zeros(2), r"\(values, gradient\) was expected"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_a_loss_may_not_return(model: kinograd.Model, plain: kinograd.Task, returned: Any, message: str) -> None:
    with pytest.raises(kinograd.Error, match=message):
        model.generate(plain, losses=[returned])
    assert len(model.generate(plain)) == 2


def test_what_a_loss_raises_comes_back_as_it_is(model: kinograd.Model, plain: kinograd.Task) -> None:
    def fails(joints: Any) -> tuple[Any, Any]:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        model.generate(plain, losses=[fails])


def test_what_takes_no_losses(model: kinograd.Model, plain: kinograd.Task) -> None:
    plain.guidance.method = "none"
    with pytest.raises(kinograd.TaskError, match=r"guidance\.method"):
        model.generate(plain, losses=[wrist_height])
    for bad in (5, (1.0, 5), (-1.0, wrist_height), (np.inf, wrist_height)):
        with pytest.raises(kinograd.Error, match=r"a loss is|weight"):
            model.generate(plain, losses=[bad])  # type: ignore[list-item]
