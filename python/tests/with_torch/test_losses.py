"""Gradients of the loss against finite differences; what it weighs and what it leaves out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from config import FEATURES, TRAIN_STEPS, LossConfig
from losses import CONTACTS, MotionLoss, cosine_alpha_bar, limb_sides, part_means
from motions import swaying

TERMS = ("x0", "d1", "d2", "consistency", "bone", "course", "slip")
FRAMES, REAL = 12, 10
SWAP = [0, 2, 1, 3, 5, 4, 6, 8, 7, 9, 11, 10, 12, 14, 13, 15, 17, 16, 19, 18, 21, 20]


def wide_loss() -> MotionLoss:
    """In float64, so that differences are exact enough."""
    generator = torch.Generator().manual_seed(0)
    mean = 0.1 * torch.randn(FEATURES, generator=generator, dtype=torch.float64)
    std = 0.5 + torch.rand(FEATURES, generator=generator, dtype=torch.float64)
    train = torch.randn(100, FEATURES, generator=generator, dtype=torch.float64)
    return MotionLoss(LossConfig(), mean, std, train)


def clips() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """What was predicted, the truth, the mask and the levels of two clips, the second shorter."""
    x0 = torch.from_numpy(swaying(2 * FRAMES).astype(np.float64)).reshape(2, FRAMES, FEATURES)
    x0[..., CONTACTS] = torch.tensor([1.0, 0.5, 0.0, 0.2], dtype=torch.float64)
    generator = torch.Generator().manual_seed(1)
    predicted = x0 + 0.01 * torch.randn(x0.shape, generator=generator, dtype=torch.float64)
    mask = torch.ones(2, FRAMES, dtype=torch.float64)
    mask[1, REAL:] = 0
    return predicted, x0, mask, torch.tensor([20, 500])


@pytest.mark.parametrize("term", TERMS)
def test_gradients_are_those_of_finite_differences(term: str) -> None:
    loss, (predicted, x0, mask, t) = wide_loss(), clips()
    predicted.requires_grad_()
    loss.terms(predicted, x0, mask, t)[term].sum().backward()
    generator, step = torch.Generator().manual_seed(2), 1e-6
    for _ in range(5):
        direction = torch.randn(predicted.shape, generator=generator, dtype=torch.float64)
        with torch.no_grad():
            ends = (loss.terms(predicted + s * direction, x0, mask, t)[term].sum().item() for s in (step, -step))
            up, down = ends
        slope = (predicted.grad * direction).sum().item()
        assert slope == pytest.approx((up - down) / (2 * step), rel=1e-5)


def test_what_is_predicted_rightly_costs_nothing() -> None:
    loss, (_, x0, mask, t) = wide_loss(), clips()
    terms = loss.terms(x0, x0, mask, t)
    assert set(terms) == set(TERMS)
    for name in ("x0", "d1", "d2", "bone", "course"):
        assert terms[name].abs().max() < 1e-12, name


def test_padding_is_left_out() -> None:
    loss, (predicted, x0, mask, t) = wide_loss(), clips()
    before = loss.terms(predicted, x0, mask, t)
    predicted, x0 = predicted.clone(), x0.clone()
    predicted[1, REAL:], x0[1, REAL:] = 7.0, -3.0
    for name, value in loss.terms(predicted, x0, mask, t).items():
        torch.testing.assert_close(value, before[name], msg=name)


def test_quick_frames_count_more_and_clips_the_same() -> None:
    loss = MotionLoss(LossConfig(), torch.zeros(FEATURES), torch.ones(FEATURES), torch.randn(100, FEATURES))
    x0 = torch.zeros(1, 40, FEATURES)
    x0[:, 10:15, 193:259] = 0.1
    mask = torch.ones(1, 40)
    mask[:, 36:] = 0
    weight, *_ = loss.by_speed(x0, mask, mask[:, 1:], mask[:, 2:])
    assert weight.sum().item() == pytest.approx(36, abs=1e-3)
    assert weight[0, 12] > 2 * weight[0, 30]
    assert weight[0, 37] == 0


def test_limbs_of_a_mirrored_clip() -> None:
    local = torch.randn(2, 30, 22, 3)
    mask = torch.ones(2, 30)
    mask[1, 20:] = 0
    mirrored = local[:, :, SWAP] * torch.tensor([-1.0, 1.0, 1.0])
    torch.testing.assert_close(limb_sides(mirrored, mask), -limb_sides(local, mask))
    local[0, :, 20] = 0
    local[0, :, 21, 1] = torch.linspace(0, 1, 30)
    assert limb_sides(local, mask)[0, 0] < -1
    torch.testing.assert_close(limb_sides(local[1:, :20], mask[1:, :20]), limb_sides(local, mask)[1:])


def test_means_of_parts() -> None:
    values = torch.arange(8.0)[None, :, None].repeat(2, 1, 1)
    mask = torch.ones(2, 8)
    mask[1, 4:] = 0
    got = part_means(values, mask, 4)[..., 0]
    torch.testing.assert_close(got, torch.tensor([[0.5, 2.5, 4.5, 6.5], [0.0, 1.0, 2.0, 3.0]]))


def test_the_schedule_falls_from_signal_to_noise() -> None:
    bars = cosine_alpha_bar()
    assert bars.shape == (TRAIN_STEPS,)
    assert (np.diff(bars) < 0).all()
    # Nichol and Dhariwal 2021, eq. 17, halfway
    assert bars[499] == pytest.approx(np.cos(0.508 / 1.008 * np.pi / 2) ** 2 / np.cos(0.008 / 1.008 * np.pi / 2) ** 2)
