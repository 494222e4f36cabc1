"""The protocol's requests of what an animator asks for."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from figures import rig
from kinograd_blender.core.errors import KinogradError
from kinograd_blender.core.path import walked_evenly
from kinograd_blender.core.request import Guidance, Options, Path, Pose, Prompt, Target, Wish, extra_from_text


def wish(**changes: object) -> Wish:
    base = Wish(rig=rig(), fps=24.0, start=11, end=106, prompts=[Prompt("a person walks", 1)])
    return replace(base, **changes)


def target(frame: int = 106, bone: str | None = None, name: str = "door") -> Target:
    return Target(name, bone, frame, np.array([1.0, 0.5, 2.0]))


def test_a_prompt_alone_starts_where_the_armature_stands() -> None:
    body = wish().body("walker", 20.0)
    assert body["model"] == "walker"
    assert body["segments"] == [{"type": "text", "prompt": "a person walks", "duration_frames": 96}]
    assert body["timing"] == {"fps": 24.0}
    (start,) = body["constraints"]
    assert start["frames"] == [0]
    assert start["positions_xz"] == [[0.0, 0.0]]
    assert start["heading_radians"] == [pytest.approx(0.0)]
    assert "x_kinograd" not in body
    assert "guidance" not in body["options"]


def test_prompts_follow_one_another() -> None:
    # The first of the list is done from the start; the others are put in order.
    prompts = [Prompt(" a person walks ", 70), Prompt("a person sits", 80), Prompt("a person stops", 60)]
    segments = wish(prompts=prompts).body("m")["segments"]
    assert [(s["prompt"], s["duration_frames"]) for s in segments] == [
        ("a person walks", 49),
        ("a person stops", 20),
        ("a person sits", 27),
    ]
    assert wish(prompts=prompts).title == "a person walks, a person stops, a person sits"


def test_targets_are_in_frames_of_the_clip() -> None:
    body = wish(targets=[target(50), target(106, "hand.L", "cup")]).body("m")
    assert body["constraints"][1:] == [
        {"type": "effector_target", "joint": "hand.L", "frames": [95], "positions": [[1.0, 0.5, 2.0]]},
        {"type": "root_path", "frames": [39], "positions_xz": [[1.0, 2.0]]},
    ]
    start = wish(targets=[target(11)]).body("m")["constraints"]
    assert [(c["frames"], c["positions_xz"]) for c in start] == [([0], [[1.0, 2.0]])]


def test_a_path_is_walked_from_its_start() -> None:
    line = np.array([[1.0, 1.0], [1.0, 1.0], [4.0, 1.0]])
    body = wish(path=Path("way", line, 11, 106)).body("m", 20.0)
    (start,) = body["constraints"]
    assert start["positions_xz"] == [[1.0, 1.0]]
    assert start["heading_radians"] == [pytest.approx(math.pi / 2)]
    (goal,) = body["x_kinograd"]["goals"]
    assert goal["kind"] == "trajectory"
    assert goal["from_secs"] == 0.0
    assert "to_secs" not in goal
    corners = np.array(goal["path_m"])
    np.testing.assert_allclose(corners[[0, -1]], [[1.0, 1.0], [4.0, 1.0]])
    np.testing.assert_allclose(np.diff(corners[:, 0]), 3.0 / (len(corners) - 1))
    later = wish(path=Path("way", line, 35, 59)).body("m")
    assert later["constraints"][0]["positions_xz"] == [[0.0, 0.0]]
    (goal,) = later["x_kinograd"]["goals"]
    assert (goal["from_secs"], goal["to_secs"]) == (1.0, 2.0)


def test_the_last_place_is_at_a_frame_of_the_model() -> None:
    for fps, end in [(24.0, 106), (30.0, 100), (60.0, 190), (25.0, 110), (23.976, 110)]:
        asked = wish(fps=fps, end=end, targets=[target(end)])
        rate = asked.body("m", 20.0)["timing"]["fps"]
        own = (end - 11) / rate * 20.0
        assert own == pytest.approx(round(own), abs=1e-9)
        assert abs(rate / fps - 1.0) < 0.02
        # The place is not after the model's last frame, and the clip is no longer than the model makes.
        assert round(own) <= math.ceil(asked.frames / rate * 20.0 - 1e-9) - 1 or rate < fps
    ten_seconds = wish(fps=30.0, end=310, targets=[target(310)])
    assert ten_seconds.frames / ten_seconds.body("m", 20.0)["timing"]["fps"] <= 10.0
    assert wish().rate(20.0) == 24.0
    assert wish(targets=[target(12)]).rate(20.0) == 24.0


def test_poses_take_the_place_of_the_start() -> None:
    pose = np.tile(np.eye(4), (7, 1, 1))
    pose[:, :3, :3], pose[:, :3, 3] = rig().axes, rig().heads
    (keyframe,) = wish(poses=[Pose(11, pose)]).body("m")["constraints"]
    assert (keyframe["type"], keyframe["frame"]) == ("pose_keyframe", 0)
    kinds = [c["type"] for c in wish(poses=[Pose(40, pose)]).body("m")["constraints"]]
    assert kinds == ["root_path", "pose_keyframe"]


def test_options() -> None:
    options = Options(seed=5, samples=3, steps=10, guidance=Guidance.OFF, foot_lock=False, loop=True)
    assert wish(options=options).body("m")["options"] == {
        "seed": 5,
        "num_samples": 3,
        "diffusion_steps": 10,
        "post_processing": False,
        "loop": True,
        "guidance": {"type": "nocfg"},
    }
    weighed = wish(options=Options(guidance=Guidance.REGULAR, weight=1.5)).body("m")["options"]["guidance"]
    assert weighed == {"type": "regular", "weight": [1.5]}


def test_what_a_text_says_is_kept_beside_the_rest() -> None:
    extra = extra_from_text("more", '{"method": "dps", "goals": [{"kind": "smooth"}], "obstacles": [{"shape": 1}]}')
    line = np.array([[0.0, 0.0], [0.0, 3.0]])
    asked = wish(extra=extra, obstacles=[{"shape": 2}], path=Path("way", line, 11, 106)).body("m")["x_kinograd"]
    assert asked["method"] == "dps"
    assert asked["obstacles"] == [{"shape": 1}, {"shape": 2}]
    assert [goal["kind"] for goal in asked["goals"]] == ["smooth", "trajectory"]
    for text, words in [("{", "no JSON"), ("[]", "no JSON object"), ('{"goals": {}}', "`goals` is no list")]:
        with pytest.raises(KinogradError, match=f"“more”.*{words}"):
            extra_from_text("more", text)


LINE = np.array([[0.0, 0.0], [0.0, 3.0]])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"prompts": []}, "armature “Hero” has no prompt"),
        ({"prompts": [Prompt(" ", 1)]}, "armature “Hero” has an empty prompt"),
        ({"prompts": [Prompt("a", 1), Prompt("b", 107)]}, "“b”: frame 107 is outside the clip, 11 to 106"),
        ({"prompts": [Prompt("a", 1), Prompt("b", 50), Prompt("c", 50)]}, "“b” lasts no frame"),
        ({"targets": [target(10)]}, "“door”: frame 10 is outside"),
        ({"targets": [target(), target(name="gate")]}, "“door” and “gate” are places of the root at one frame, 106"),
        ({"targets": [target(bone="tail")]}, "“door”: armature “Hero” has no bone “tail”"),
        ({"path": Path("way", LINE, 11, 200)}, "“way”: frame 200 is outside"),
        ({"path": Path("way", LINE, 60, 60)}, "“way” ends at frame 60, before it starts"),
        ({"path": Path("way", LINE * 0.0, 11, 106)}, "“way” has no length on the ground"),
        ({"end": 11}, "the clip has 1 frames"),
        ({"fps": 300.0}, "300 frames a second; 1 to 240 are taken"),
    ],
)
def test_what_is_refused_names_the_thing(changes: dict, words: str) -> None:
    with pytest.raises(KinogradError, match=words):
        wish(**changes).body("m")


def test_points_at_equal_distances() -> None:
    corner = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 0.0], [1.0, 3.0]])
    points = walked_evenly("way", corner, 5)
    np.testing.assert_allclose(points, [[0, 0], [1, 0], [1, 1], [1, 2], [1, 3]], atol=1e-12)
