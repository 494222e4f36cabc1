"""Skeletons, poses and clips between Blender's axes and the protocol's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from figures import BODY, random_rotations, rig, turned
from kinograd_blender.core import rotations
from kinograd_blender.core.errors import KinogradError
from kinograd_blender.core.gltf import Clip
from kinograd_blender.core.rig import Rig, right_of
from kinograd_blender.core.stage import Stage


def world_of(turn: np.ndarray, scale: float, place: tuple[float, float, float]) -> np.ndarray:
    world = np.eye(4)
    world[:3, :3], world[:3, 3] = turn * scale, place
    return world


def posed(own: Rig, keys: dict[str, np.ndarray], location: np.ndarray, frame: int) -> np.ndarray:
    """Blender's kinematics: each bone's matrix in the armature's space, from keys in its rest frame."""
    pose = np.zeros((len(own.bones), 4, 4))
    for bone, (name, parent) in enumerate(zip(own.bones, own.parents, strict=True)):
        rest = np.eye(4)
        rest[:3, :3], rest[:3, 3] = own.axes[bone], own.heads[bone]
        basis = np.eye(4)
        basis[:3, :3] = rotations.matrices(keys[name][frame])
        if parent < 0:
            basis[:3, 3] = location[frame]
            pose[bone] = rest @ basis
            continue
        above = np.eye(4)
        above[:3, :3], above[:3, 3] = own.axes[parent], own.heads[parent]
        pose[bone] = pose[parent] @ np.linalg.inv(above) @ rest @ basis
        if not own.inherits_rotation[bone]:
            pose[bone, :3, :3] = own.axes[bone] @ basis[:3, :3]
    return pose


def clip_of(own: Rig, frames: int = 4) -> Clip:
    q = rotations.continuous(random_rotations(frames * len(own.bones), 8).reshape(frames, -1, 4))
    return Clip(30.0, own.bones, q, np.random.default_rng(9).normal(size=(frames, 3)))


def joints_m(own: Rig, clip: Clip, frame: int) -> np.ndarray:
    """The protocol's kinematics: places of the joints in its world."""
    offsets = np.array([joint["rest_translation"] for joint in own.skeleton()["joints"]])
    places, turns = np.zeros((len(own.bones), 3)), np.zeros((len(own.bones), 3, 3))
    for joint, parent in enumerate(own.parents):
        turn = rotations.matrices(clip.rotations[frame, joint])
        if parent < 0:
            places[joint], turns[joint] = clip.root_m[frame], turn
        else:
            places[joint] = places[parent] + turns[parent] @ offsets[joint]
            turns[joint] = turns[parent] @ turn
    return places


ARMATURES = [
    rig(),
    rig(world_of(turned(0, math.pi / 2) @ turned(1, 0.7), 0.01, (1.0, -2.0, 0.3)), Stage(1.0, 0.3), 100.0),
    rig(world_of(turned(2, 2.0), 1.0, (30.0, 10.0, 0.0)), Stage(0.01, 5.0), 100.0),
    rig(inherits=False),
]


@pytest.mark.parametrize("own", ARMATURES, ids=["plain", "as FBX", "centimetres", "no inheritance"])
def test_bones_are_where_the_clip_has_its_joints(own: Rig) -> None:
    clip = clip_of(own)
    keys = own.keys(clip)
    assert keys.root == "hips"
    for frame in range(4):
        pose = posed(own, keys.rotations, keys.root_location, frame)
        places = own.stage.metres(own.in_world(pose[:, :3, 3]))
        np.testing.assert_allclose(places, joints_m(own, clip, frame), atol=1e-9)


@pytest.mark.parametrize("own", ARMATURES[:3], ids=["plain", "as FBX", "centimetres"])
def test_a_keyframe_is_the_clip_that_was_baked(own: Rig) -> None:
    clip = clip_of(own)
    keys = own.keys(clip)
    keyframe = own.keyframe(7, posed(own, keys.rotations, keys.root_location, 2))
    assert keyframe["frame"] == 7
    np.testing.assert_allclose(keyframe["root_position"], clip.root_m[2], atol=1e-9)
    for joint, name in enumerate(own.bones):
        x, y, z, w = keyframe["joint_rotations"][name]
        assert abs(np.dot([w, x, y, z], clip.rotations[2, joint])) == pytest.approx(1.0, abs=1e-9), name


def test_hips_that_are_moved_under_a_root_move_the_root() -> None:
    heads = [("root", -1, (0.0, 0.0, 0.0)), *((name, parent + 1, head) for name, parent, head in BODY)]
    own = Rig(
        "Hero",
        tuple(name for name, _, _ in heads),
        tuple(parent for _, parent, _ in heads),
        np.array([head for _, _, head in heads]),
        np.tile(np.eye(3), (len(heads), 1, 1)),
        (True,) * len(heads),
        np.eye(4),
        Stage(),
    )
    pose = np.tile(np.eye(4), (len(heads), 1, 1))
    pose[:, :3, 3] = own.heads
    pose[1:, :3, 3] += [0.3, -1.0, 0.1]
    # A hand that is pulled off its arm is no motion of the body.
    pose[-1, :3, 3] += [5.0, 0.0, 0.0]
    np.testing.assert_allclose(own.keyframe(0, pose)["root_position"], [0.3, 0.1, 1.0], atol=1e-12)


def test_the_skeleton_is_the_rest_pose_in_the_world() -> None:
    own = ARMATURES[1]
    form = own.skeleton()
    assert form["joints"][0]["parent"] is None
    assert [joint["parent"] for joint in form["joints"][1:]] == [BODY[parent][0] for _, parent, _ in BODY[1:]]
    assert {tuple(joint["rest_rotation"]) for joint in form["joints"]} == {(0.0, 0.0, 0.0, 1.0)}
    lengths = [np.linalg.norm(joint["rest_translation"]) for joint in form["joints"][1:]]
    expected = [np.linalg.norm(np.subtract(head, BODY[parent][2])) for _, parent, head in BODY[1:]]
    np.testing.assert_allclose(lengths, expected, atol=1e-12)


@pytest.mark.parametrize("yaw", [0.0, 1.0, -2.5])
def test_a_figure_faces_square_to_its_sides(yaw: float) -> None:
    # The file's up axis does not matter, nor do names without sides.
    fbx = rig(world_of(turned(2, yaw), 1.0, (0.0, 0.0, 0.0)))
    assert fbx.heading() == pytest.approx(yaw, abs=1e-9)
    names = tuple(name.replace(".L", "a").replace(".R", "b") for name in fbx.bones)
    nameless = Rig("x", names, fbx.parents, fbx.heads, fbx.axes, fbx.inherits_rotation, fbx.world, fbx.stage)
    assert nameless.heading() == pytest.approx(yaw, abs=1e-9)
    lying = world_of(turned(2, yaw) @ turned(0, math.pi / 2), 1.0, (0.0, 0.0, 0.0))
    nameless = Rig("x", names, fbx.parents, fbx.heads, fbx.axes, fbx.inherits_rotation, lying, fbx.stage)
    assert nameless.heading() == pytest.approx(yaw, abs=1e-9)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("mixamorig:LeftUpLeg", "mixamorig:RightUpLeg"),
        ("thigh_l", "thigh_r"),
        ("DEF-thigh.L.001", "DEF-thigh.R.001"),
        ("J_Bip_L_UpperLeg", "J_Bip_R_UpperLeg"),
        ("Bip01 L Thigh", "Bip01 R Thigh"),
        ("lThighBend", "rThighBend"),
        ("LHipJoint", "RHipJoint"),
        ("left_hip", "right_hip"),
        ("pelvis", None),
        ("LowerBack", None),
        ("RightArm", None),
    ],
)
def test_sides_of_names(left: str, right: str | None) -> None:
    assert right_of(left) == right


def test_armatures_that_are_refused() -> None:
    uneven, mirrored, flat = (
        np.diag([1.0, 2.0, 1.0, 1.0]),
        np.diag([-1.0, 1.0, 1.0, 1.0]),
        np.diag([0.0, 1.0, 1.0, 1.0]),
    )
    for world, words in [(uneven, "unevenly"), (mirrored, "mirrored"), (flat, "scale of 0")]:
        with pytest.raises(KinogradError, match=f"“Hero”.*{words}"):
            rig(world)


def test_an_answer_without_a_bone_is_refused() -> None:
    own = rig()
    clip = clip_of(own)
    short = Clip(clip.fps, clip.joints[:-1], clip.rotations[:, :-1], clip.root_m)
    with pytest.raises(KinogradError, match=r"no joint “hand\.L” of armature “Hero”"):
        own.keys(short)
