"""Clips as arrays, in files, on characters and in notebooks."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import kinograd
import numpy as np
import pytest
from kinograd import _view

from conftest import REPOSITORY

CLIPS = REPOSITORY / "assets" / "clips"
RIG = REPOSITORY / "assets" / "characters" / "small.glb"


@pytest.fixture(scope="module")
def walk() -> kinograd.Clip:
    return kinograd.read(CLIPS / "walk.npz")


def test_arrays_are_those_of_the_file(walk: kinograd.Clip) -> None:
    with np.load(CLIPS / "walk.npz") as stored:
        assert np.array_equal(stored["root"], walk.root)
        assert np.allclose(stored["local_rotations"], walk.rotations, atol=1e-12)
        assert np.allclose(stored["joints"], walk.joints, atol=1e-6)
        assert np.array_equal(stored["parents"], walk.parents)
        assert stored["fps"] == walk.fps
    frames, joints = len(walk), len(walk.joint_names)
    assert walk.joints.shape == (frames, joints, 3)
    assert walk.joints.dtype == np.float32
    assert walk.rotations.shape == (frames, joints, 4)
    assert np.allclose(np.linalg.norm(walk.rotations, axis=-1), 1)
    assert np.allclose(walk.joints[:, 0], walk.root, atol=1e-6)
    assert walk.contacts.shape == (frames, 4)
    assert walk.contacts.dtype == bool
    assert 0 < walk.contacts.mean() < 1
    assert walk.duration_secs == pytest.approx(frames / walk.fps)
    assert f"{frames} frames" in repr(walk)


def test_arrays_are_made_once_and_cannot_be_changed(walk: kinograd.Clip) -> None:
    for name in ("joints", "rotations", "root", "contacts", "parents"):
        array = getattr(walk, name)
        assert array is getattr(walk, name), name
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.setflags(write=True)
    # An array outlives its clip.
    joints = kinograd.read(CLIPS / "walk.npz").joints
    assert np.array_equal(joints, walk.joints)


@pytest.mark.parametrize("name", ["walk.glb", "walk.fbx", "walk.bvh", "walk.npz"])
def test_every_format_keeps_the_joints(walk: kinograd.Clip, tmp_path: Path, name: str) -> None:
    walk.save(tmp_path / name)
    back = kinograd.read(tmp_path / name)
    # A BVH has the ends of its limbs as joints, too.
    same = [back.joint_names.index(joint) for joint in walk.joint_names]
    assert abs(back.joints[:, same] - walk.joints).max() < 1e-3
    assert back.fps == pytest.approx(walk.fps, rel=1e-4)
    again = walk.to_bytes(name.split(".")[1])
    assert again == (tmp_path / name).read_bytes()


def test_pictures_reports_and_options(walk: kinograd.Clip, tmp_path: Path) -> None:
    walk.save(tmp_path / "walk.png")
    assert (tmp_path / "walk.png").read_bytes().startswith(b"\x89PNG")
    walk.save(str(tmp_path / "walk.json"))
    assert json.loads((tmp_path / "walk.json").read_text())["schema"] == "kinograd.clip/1"
    walk.save(tmp_path / "mixamo.glb", fps=60, root_motion="extract", joint_names="mixamo", rest_pose="t")
    mixamo = kinograd.read(tmp_path / "mixamo.glb")
    assert any(name.endswith("Hips") for name in mixamo.joint_names)
    assert mixamo.fps == pytest.approx(60, rel=1e-3)
    assert len(walk.resampled(10)) < len(walk)
    for options, message in [
        ({"root_motion": "away"}, "root_motion is `away`; choose one of keep, extract, in-place"),
        ({"joint_names": "x"}, "joint_names is `x`"),
        ({"rest_pose": "x"}, "rest_pose is `x`"),
        ({"unit_to_metre": 0.0}, "unit_to_metre is 0"),
        ({"fps": -1.0}, "-1"),
    ]:
        with pytest.raises(kinograd.Error, match=re.escape(message)):
            walk.save(tmp_path / "none.glb", **options)  # type: ignore[arg-type]
    assert not (tmp_path / "none.glb").exists()


def test_files_that_cannot_be(walk: kinograd.Clip, tmp_path: Path) -> None:
    with pytest.raises(kinograd.FileError, match=r"none\.bvh"):
        kinograd.read(tmp_path / "none.bvh")
    (tmp_path / "broken.glb").write_bytes(b"glTF, not")
    with pytest.raises(kinograd.FileError, match=r"broken\.glb"):
        kinograd.read(tmp_path / "broken.glb")
    with pytest.raises(kinograd.FileError, match=r"walk\.abc"):
        walk.save(tmp_path / "walk.abc")
    with pytest.raises(kinograd.FileError, match=r"walk\.glb"):
        walk.save(tmp_path / "no folder" / "walk.glb")
    with pytest.raises(kinograd.Error, match="extension"):
        walk.to_bytes("../glb")
    with pytest.raises(TypeError):
        kinograd.read(5)  # type: ignore[arg-type]


def test_a_clip_on_a_character(walk: kinograd.Clip) -> None:
    rig = kinograd.Rig(RIG)
    on_rig = walk.retarget(rig)
    assert len(on_rig.joint_names) == rig.report["joints"]
    assert len(on_rig) == len(walk)
    assert on_rig.to_bytes("glb").startswith(b"glTF")
    kept = walk.retarget(RIG, travel="kept")
    # Its root is a bone above the hips, which stays.
    middles = [clip.joints[:, :, [0, 2]].mean(axis=1) for clip in (walk, kept, on_rig)]
    way, kept_way, scaled_way = (np.linalg.norm(middle[-1] - middle[0]) for middle in middles)
    assert scaled_way < 0.9 * kept_way < way
    with pytest.raises(kinograd.Error, match="travel is `far`; choose one of scaled, kept"):
        walk.retarget(rig, travel="far")
    with pytest.raises(kinograd.FileError, match=r"none\.glb"):
        kinograd.Rig("none.glb")


def test_a_notebook_shows_it_without_a_network(walk: kinograd.Clip) -> None:
    shown = walk._repr_html_()
    assert shown.startswith('<iframe sandbox="allow-scripts"')
    page = html.unescape(shown.split('srcdoc="')[1].split('" title')[0])
    assert page == _view.page(walk.joints, walk.parents.tolist(), walk.fps)
    assert not re.search(r"https?:|//[a-z]+\.|src=|import|fetch", page.replace("requestAnimationFrame", ""))
    match = re.search(r"const clip = (\{.*\});", page)
    assert match
    clip = json.loads(match[1])
    assert clip["parents"] == walk.parents.tolist()
    assert np.allclose(np.array(clip["joints_mm"]).reshape(-1, *walk.joints.shape[1:]) / 1000, walk.joints, atol=6e-4)
    long = np.concatenate([walk.joints] * 100)
    frames = json.loads(re.search(r"const clip = (\{.*\});", _view.page(long, [], 20.0))[1])["joints_mm"]  # type: ignore[index]
    assert len(frames) <= _view.MOST_FRAMES
