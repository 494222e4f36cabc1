"""Answers of the server."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import pytest
from figures import answer, glb, random_rotations
from kinograd_blender.core import gltf, rotations
from kinograd_blender.core.errors import KinogradError

NAMES = ["hips", "spine"]
TURNS = rotations.continuous(random_rotations(10).reshape(5, 2, 4))
ROOT = np.arange(15.0).reshape(5, 3)


def test_a_clip_is_read() -> None:
    read = gltf.read(glb(*answer(NAMES, TURNS, ROOT, 25.0)))
    (clip,) = read.clips
    assert (clip.fps, clip.joints, read.model, read.parts) == (25.0, ("hips", "spine"), "walker", {"pelvis": "hips"})
    np.testing.assert_allclose(clip.rotations, TURNS, atol=1e-6)
    np.testing.assert_allclose(clip.root_m, ROOT)


def test_another_rate() -> None:
    (clip,) = gltf.read(glb(*answer(NAMES, TURNS, ROOT, 10.0))).clips
    assert clip.resampled(10.0, 5) is clip
    fast = clip.resampled(20.0, 12)
    np.testing.assert_allclose(fast.root_m[:9:2], ROOT, atol=1e-12)
    np.testing.assert_allclose(fast.root_m[1], (ROOT[0] + ROOT[1]) / 2, atol=1e-12)
    np.testing.assert_allclose(fast.root_m[9:], ROOT[[4, 4, 4]], atol=1e-12)
    np.testing.assert_allclose(np.abs(np.sum(fast.rotations[:9:2] * TURNS, axis=-1)), 1.0, atol=1e-6)


def change(edit: Callable[[dict], object]) -> bytes:
    document, binary = answer(NAMES, TURNS, ROOT)
    document = copy.deepcopy(document)
    edit(document)
    return glb(document, binary)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no binary glTF"),
        (b"<html>not found</html>", "no binary glTF"),
        (glb(*answer(NAMES, TURNS, ROOT))[:200], "ends in the middle"),
        (glb(*answer(NAMES, TURNS, ROOT))[:12], "no JSON"),
        (change(lambda d: d.pop("extensions")), "no MMCP_motion"),
        (change(lambda d: d["extensions"]["MMCP_motion"].update(fps=0)), "0.0 frames a second"),
        (change(lambda d: d.update(animations=[])), "no clip"),
        (change(lambda d: d["animations"][0]["channels"].pop()), "without a way of the root"),
        (
            change(lambda d: d["animations"][0]["channels"][0]["target"].update(path="translation")),
            "more than the root",
        ),
        (change(lambda d: d["accessors"][0].update(count=4)), "different lengths"),
        (change(lambda d: d["accessors"][0].update(count=10**12)), "outside its data"),
        (change(lambda d: d["accessors"][0].update(bufferView=99)), "no clip that can be read"),
        (change(lambda d: d["accessors"][0].update(componentType=5123)), "form that is not read"),
        (change(lambda d: d["nodes"].clear()), "no clip that can be read"),
        (glb(*answer(NAMES, TURNS, ROOT * np.nan)), "numbers that are none"),
    ],
)
def test_broken_answers_are_refused(data: bytes, words: str) -> None:
    with pytest.raises(KinogradError, match=words):
        gltf.read(data)
