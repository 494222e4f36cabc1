"""`kinograd serve` judged by the protocol's own client and schemas (motionmcp-client-sdk, motionmcp-sdk).

    python tests/mmcp/judge.py target/release/kinograd [ARGUMENT...]

Starts the binary on a free port, sends requests that the SDK's pydantic schemas take, reads the answers with the
SDK's client, and computes joints in the world with the SDK's own forward kinematics.
"""

import math
import sys

import numpy as np
from motionmcp.backbone import ModelSpec
from motionmcp.client import http
from motionmcp.client.gltf_parser import parse_gltf_samples
from motionmcp.gltf import matrices_to_quats
from motionmcp.schemas import GenerateRequest
from motionmcp.trajectory import compute_trajectories, fk_positions

from served import Served

SEED = 3
STEPS = 20


def body(spec, frames, constraints=(), **further):
    request = {
        "protocol_version": "1.2",
        "model": spec["id"],
        "skeleton": spec["canonical_skeleton"],
        "segments": [{"type": "text", "prompt": "a person walks forward", "duration_frames": frames}],
        "constraints": list(constraints),
        "options": {"seed": SEED, "diffusion_steps": STEPS},
    }
    request.update(further)
    GenerateRequest.model_validate(request)
    return request


def played(document, skeleton, sample=0):
    """Names of the joints and their places, [frames, joints, 3], by the SDK's client and kinematics."""
    motion = parse_gltf_samples(document)[sample]
    names = motion["joint_names"]
    quaternions = matrices_to_quats(motion["local_rot_mats"])
    roots = motion["local_translations"][:, names.index(skeleton["joints"][0]["name"])]
    places, _ = fk_positions(skeleton["joints"], names, quaternions[None], roots[None])
    return motion, names, places[0], quaternions, roots


def heading(names, places, left="left_hip", right="right_hip"):
    """Kimodo's angle of the hips: atan2(dz, -dx) of right less left."""
    across = places[:, names.index(right)] - places[:, names.index(left)]
    return np.arctan2(across[:, 2], -across[:, 0])


def check(name, value, limit, unit):
    print(f"{name:44s} {value:9.4f} {unit:6s} (at most {limit})")
    assert value <= limit, name


def capabilities(url):
    document = http.get_capabilities(url)
    spec = document["models"][0]
    ModelSpec.model_validate(spec)
    print(f"capabilities: {spec['id']}, {spec['fps']} fps, {', '.join(spec['supported_constraints'])}")
    return spec


def judge_text(url, spec):
    document = http.generate(url, body(spec, 60, timing={"fps": 30.0}))
    motion, _, places, *_ = played(document, spec["canonical_skeleton"])
    assert motion["num_frames"] == 60
    assert motion["fps"] == 30.0
    assert 0 < motion["foot_contacts"].sum() < motion["foot_contacts"].size
    lowest = places[:, :, 1].min(axis=1)
    check("text: lowest joint off the ground, median", abs(float(np.median(lowest))), 0.04, "m")
    binary = http.generate(url, body(spec, 60, timing={"fps": 30.0}), headers={"Accept": "model/gltf-binary"})
    same = played(binary, spec["canonical_skeleton"])[2]
    check("text: JSON against binary", float(np.abs(same - places).max()), 1e-6, "m")


def judge_path(url, spec):
    path = {
        "type": "root_path",
        "frames": [0, 30, 79],
        "positions_xz": [[4.0, -2.0], [5.3, -2.0], [7.5, -2.0]],
        "heading_radians": [math.pi / 2, math.pi / 2, math.pi / 2],
    }
    document = http.generate(url, body(spec, 80, [path]))
    _, names, places, quaternions, roots = played(document, spec["canonical_skeleton"])
    for frame, (x, z) in zip(path["frames"], path["positions_xz"], strict=True):
        off = math.hypot(places[frame, 0, 0] - x, places[frame, 0, 2] - z)
        check(f"root_path: frame {frame}", off, 0.1, "m")
    turned = (heading(names, places)[[30, 79]] - math.pi / 2 + math.pi) % (2 * math.pi) - math.pi
    check("root_path: heading, by Kimodo's angle", float(np.degrees(np.abs(turned)).max()), 25.0, "deg")
    travel = compute_trajectories(
        skeleton=spec["canonical_skeleton"],
        joint_names=names,
        rotations_quat=quaternions[None],
        root_translations=roots[None],
        fps=spec["fps"],
        canonical_to_request={"LeftUpLeg": "left_hip", "RightUpLeg": "right_hip"},
    )[0]
    print(f"root_path: the SDK reads the travel as `{travel['model']}` {travel['params']}")


def judge_trajectory(url, spec):
    """Our travel against the SDK's own, of the same clips: names of the paths and places; and how far it turns.

    The SDK's turn goes one way only. So ours is held against Kimodo's angle of the hips, both averaged over a second
    and freed of their difference in the mean.
    """
    prompts = ["a person walks forward", "a person runs", "a person walks in a circle", "a person stands still",
               "a person turns left", "a person side steps to the left"]  # fmt: skip
    apart, turns, same = [], [], 0
    for prompt in prompts:
        segment = {"type": "text", "prompt": prompt, "duration_frames": 80}
        document = http.generate(url, body(spec, 1, segments=[segment]))
        motion, names, places, quaternions, roots = played(document, spec["canonical_skeleton"])
        theirs = compute_trajectories(
            skeleton=spec["canonical_skeleton"],
            joint_names=names,
            rotations_quat=quaternions[None],
            root_translations=roots[None],
            fps=spec["fps"],
        )[0]
        ours = motion["trajectory"]
        assert set(ours) >= {"model", "loop", "params", "position", "yaw"}
        assert len(ours["position"]) == len(ours["yaw"]) == 80
        assert ours["yaw"][0] == 0.0
        apart.append(np.linalg.norm(np.subtract(ours["position"], theirs["position"]), axis=1).max())
        off = ours["yaw"] - np.unwrap(heading(names, places))
        off = np.convolve(off - off.mean(), np.full(20, 1 / 20), mode="valid")
        turns.append(np.degrees(np.abs(off).max()))
        same += ours["model"] == theirs["model"]
        print(f"trajectory: {prompt}: ours `{ours['model']}`, the SDK's `{theirs['model']}`, "
              f"{apart[-1]:.3f} m apart at most; turns {turns[-1]:.1f} deg off the hips")  # fmt: skip
    check("trajectory: from the SDK's, median of clips", float(np.median(apart)), 0.12, "m")
    check("trajectory: turns from the hips', at most", max(turns), 10.0, "deg")
    assert same >= len(prompts) - 2


def judge_effector(url, spec):
    target = {"type": "effector_target", "joint": "right_wrist", "frames": [50], "positions": [[-0.2, 1.5, 1.4]]}
    document = http.generate(url, body(spec, 60, [target]))
    _, names, places, *_ = played(document, spec["canonical_skeleton"])
    off = np.linalg.norm(places[50, names.index("right_wrist")] - np.array(target["positions"][0]))
    check("effector_target: right_wrist", float(off), 0.1, "m")


def judge_keyframe(url, spec):
    source = http.generate(url, body(spec, 60))
    _, names, places, quaternions, roots = played(source, spec["canonical_skeleton"])
    pose = {
        "type": "pose_keyframe",
        "frame": 40,
        "root_position": roots[40].tolist(),
        "joint_rotations": {name: quaternions[40, joint].tolist() for joint, name in enumerate(names)},
    }
    request = body(spec, 60, [pose], options={"seed": SEED + 1, "diffusion_steps": STEPS})
    again = played(http.generate(url, request), spec["canonical_skeleton"])[2]
    off = np.linalg.norm(again[40] - places[40], axis=1)
    check("pose_keyframe: mean over joints", float(off.mean()), 0.15, "m")


def judge_rest(url, spec):
    segments = [
        {"type": "text", "prompt": "a person walks forward", "duration_frames": 60},
        {"type": "text", "prompt": "a person sits down", "duration_frames": 60},
    ]
    document = http.generate(url, body(spec, 1, segments=segments))
    assert parse_gltf_samples(document)[0]["num_frames"] == 120
    free = body(spec, 1, segments=[{"type": "unconditioned", "duration_frames": 40}])
    assert parse_gltf_samples(http.generate(url, free))[0]["num_frames"] == 40
    two = body(spec, 40, options={"seed": 1, "num_samples": 2, "diffusion_steps": STEPS})
    samples = parse_gltf_samples(http.generate(url, two))
    assert len(samples) == 2
    assert np.abs(samples[0]["local_rot_mats"] - samples[1]["local_rot_mats"]).max() > 0.01
    job = http.generate(url, body(spec, 40), headers={"Prefer": "respond-async"})
    assert parse_gltf_samples(job)[0]["num_frames"] == 40
    print("segments, unconditioned, samples and a job: read by the client")


def judge_loop(url, spec):
    looped = body(spec, 60, options={"seed": SEED, "loop": True, "diffusion_steps": STEPS})
    _, _, places, *_ = played(http.generate(url, looped), spec["canonical_skeleton"])
    pose = places - places[:, :1] * np.array([1.0, 0.0, 1.0])
    check("loop: last pose from the first", float(np.abs(pose[-1] - pose[0]).max()), 1e-4, "m")
    speeds = np.linalg.norm(np.diff(pose, axis=0), axis=2).max(axis=1) * spec["fps"]
    print(f"loop: fastest joint in the last second {speeds[-20:].max():.2f} m/s, before {speeds[:-20].max():.2f} m/s")


def refused(url, request):
    try:
        http.generate(url, request)
    except http.MmcpError as error:
        return error
    raise AssertionError(f"{request} was taken")


def judge_errors(url, spec):
    for change, code in [
        ({"model": "kimodo"}, "unknown_model"),
        ({"protocol_version": "2.0"}, "version_unsupported"),
        ({"segments": [{"type": "pose", "prompt": "a person sits"}]}, "unsupported_segment"),
        ({"segments": []}, "schema_validation"),
        ({"options": {"num_samples": 99}}, "schema_validation"),
    ]:
        error = refused(url, {**body(spec, 40), **change})
        assert error.code == code, (change, error.code, error)
        assert error.details["request_id"]
    print("errors: the protocol's codes, as the client reads them")


def main():
    with Served(sys.argv[1:]) as served:
        spec = capabilities(served.url)
        judges = (
            judge_text, judge_path, judge_trajectory, judge_effector, judge_keyframe, judge_rest, judge_loop,
            judge_errors,
        )  # fmt: skip
        for judge in judges:
            judge(served.url, spec)


if __name__ == "__main__":
    main()
