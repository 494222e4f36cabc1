"""Losses and rewards written in Python."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from kinograd._errors import Error

Array: TypeAlias = npt.NDArray[np.float64]
# Joints `[batch, frames, 22, 3]` in, values `[batch]` and their gradient on the joints out.
Loss: TypeAlias = Callable[[Array], tuple[npt.ArrayLike, npt.ArrayLike]]
WeightedLoss: TypeAlias = Loss | tuple[float, Loss]


def sum_of(losses: Iterable[WeightedLoss], rewards: Iterable[WeightedLoss]) -> Loss | None:
    """The weighted losses minus the weighted rewards, checked at every call; `None` where there are none."""
    terms = [weighted(loss) for loss in losses]
    terms += [(-weight, reward) for weight, reward in map(weighted, rewards)]
    if not terms:
        return None

    def total(joints: Array) -> tuple[Array, Array]:
        values, gradient = np.zeros(len(joints)), np.zeros(joints.shape)
        for weight, loss in terms:
            # A copy: what one changes in place, the next must not see.
            own_values, own_gradient = evaluate(loss, joints.copy())
            values += weight * own_values
            gradient += weight * own_gradient
        return values, gradient

    return total


def weighted(loss: WeightedLoss) -> tuple[float, Loss]:
    """A loss with its weight, 1 if it has none."""
    weight, function = loss if isinstance(loss, tuple) else (1.0, loss)
    if not callable(function):
        raise Error(f"a loss is a function or (weight, function), not {type(function).__name__}")
    if not (np.isfinite(weight) and weight >= 0):
        raise Error(f"{name_of(function)}: weight {weight} is not a number from 0 on")
    return float(weight), function


def evaluate(loss: Loss, joints: Array) -> tuple[Array, Array]:
    """A loss's values and gradient, as float64 of the shapes that they must have."""
    returned = loss(joints)
    if not (isinstance(returned, tuple) and len(returned) == 2):
        raise Error(f"{name_of(loss)}: (values, gradient) was expected, got {type(returned).__name__}")
    values = array(loss, "values", returned[0], joints.shape[:1])
    return values, array(loss, "the gradient", returned[1], joints.shape)


def array(loss: Loss, what: str, given: npt.ArrayLike, shape: tuple[int, ...]) -> Array:
    """What a loss returned as an array of a shape."""
    made = np.ascontiguousarray(given, dtype=np.float64)
    if made.shape != shape:
        raise Error(f"{name_of(loss)}: {what} has shape {list(made.shape)}, expected {list(shape)}")
    if not np.isfinite(made).all():
        raise Error(f"{name_of(loss)}: {what} has a number that is not finite")
    return made


def name_of(loss: Any) -> str:
    """What messages call a loss."""
    return f"loss `{getattr(loss, '__name__', type(loss).__name__)}`"


def gradient_error(
    loss: Loss, joints: npt.ArrayLike, *, step: float = 1e-5, directions: int = 8, seed: int = 0
) -> float:
    """How far a loss's gradient is from central differences at `joints`, `[batch, frames, 22, 3]` or one clip's.

    The largest over random directions of |difference| over the larger of both slopes; 1e-6 is fine, 1 is wrong.
    """
    at = np.asarray(joints, dtype=np.float64)
    at = at[None] if at.ndim == 3 else at
    if at.ndim != 4:
        raise Error(f"joints have shape {list(at.shape)}, expected [batch, frames, joints, 3]")
    _, gradient = evaluate(loss, at.copy())
    noise = np.random.default_rng(seed)
    worst = 0.0
    for _ in range(directions):
        direction = noise.standard_normal(at.shape)
        above, _ = evaluate(loss, at + step * direction)
        below, _ = evaluate(loss, at - step * direction)
        measured = (above - below) / (2 * step)
        stated = (gradient * direction).sum(axis=(1, 2, 3))
        size = np.maximum(np.maximum(abs(measured), abs(stated)), 1e-12)
        worst = max(worst, float((abs(measured - stated) / size).max()))
    return worst
