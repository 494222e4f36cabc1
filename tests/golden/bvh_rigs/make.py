"""Walks on three rigs, written as BVH, and their joints by two independent readers.

Writes assets/clips/{walk,walk_mixamo_cm,walk_odd_120fps}.bvh and io.npz beside this file:
`<clip>` is [frames, joints, 3] in the file's units, joints in file order, End Sites included.

- walk, walk_mixamo_cm: joints by bvhio 1.5.4 (PyGLM, f32), a reader by other authors.
- walk_odd_120fps_at_50: the same at 50 frames per second, with SciPy's Slerp, every frame.
- walk_odd_120fps: joints by a NumPy statement of the format with SciPy's rotations (bvhio takes
  neither names with spaces nor joints with fewer than three rotations).

pip install bvhio==1.5.4 numpy==2.4.6 scipy==1.17.1
"""

from pathlib import Path

import bvhio
import numpy as np
from scipy.spatial.transform import Rotation, Slerp

HERE = Path(__file__).parent
CLIPS = HERE.parents[2] / "assets" / "clips"

# Body in metres: T-pose, Y up, facing +Z, left at +X.
BODY = {
    "pelvis": (None, (0, 0.955, 0)),
    "left_hip": ("pelvis", (0.085, -0.085, 0)),
    "left_knee": ("left_hip", (0, -0.415, 0)),
    "left_ankle": ("left_knee", (0, -0.395, -0.01)),
    "left_foot": ("left_ankle", (0, -0.045, 0.13)),
    "right_hip": ("pelvis", (-0.085, -0.085, 0)),
    "right_knee": ("right_hip", (0, -0.415, 0)),
    "right_ankle": ("right_knee", (0, -0.395, -0.01)),
    "right_foot": ("right_ankle", (0, -0.045, 0.13)),
    "spine1": ("pelvis", (0, 0.115, -0.01)),
    "spine2": ("spine1", (0, 0.135, 0)),
    "spine3": ("spine2", (0, 0.06, 0)),
    "neck": ("spine3", (0, 0.205, 0)),
    "head": ("neck", (0, 0.1, 0.035)),
    "left_collar": ("spine3", (0.065, 0.12, 0)),
    "left_shoulder": ("left_collar", (0.115, 0.015, 0)),
    "left_elbow": ("left_shoulder", (0.265, 0, 0)),
    "left_wrist": ("left_elbow", (0.25, 0, 0)),
    "right_collar": ("spine3", (-0.065, 0.12, 0)),
    "right_shoulder": ("right_collar", (-0.115, 0.015, 0)),
    "right_elbow": ("right_shoulder", (-0.265, 0, 0)),
    "right_wrist": ("right_elbow", (-0.25, 0, 0)),
}
LEAVES = {
    "left_foot": (0, 0, 0.07),
    "right_foot": (0, 0, 0.07),
    "head": (0, 0.15, 0),
    "left_wrist": (0.17, 0, 0),
    "right_wrist": (-0.17, 0, 0),
}


def euler(order, *degrees):
    return Rotation.from_euler(order, np.stack(np.broadcast_arrays(*degrees), axis=-1), degrees=True)


def gait(time):
    """Local rotations of a walk, one cycle a second."""

    def wave(phase, harmonic=1):
        return np.sin(2 * np.pi * (harmonic * time + phase))

    pose = {name: Rotation.identity(len(time)) for name in BODY}
    for side, phase in (("left", 0.0), ("right", 0.5)):
        swing = 24 * wave(phase)
        pose[f"{side}_hip"] = euler("X", -swing - 6)
        pose[f"{side}_knee"] = euler("X", 8 + 26 * (1 + wave(phase + 0.15)))
        pose[f"{side}_ankle"] = euler("X", -2 + 8 * wave(phase + 0.3))
        sign = 1 if side == "left" else -1
        pose[f"{side}_shoulder"] = euler("XZY", 22 * wave(phase), -72 * sign, 0 * time)
        pose[f"{side}_elbow"] = euler("Y", sign * (-22 + 8 * wave(phase)))
        pose[f"{side}_wrist"] = euler("ZX", sign * (-6) + 0 * time, 4 * wave(phase))
    pose["pelvis"] = euler("YXZ", 5 * wave(0.5), 2 + 0 * time, 3 * wave(0.25))
    pose["spine1"] = euler("YX", -4 * wave(0.5), 2 + 0 * time)
    pose["spine3"] = euler("Y", -6 * wave(0.5))
    pose["neck"] = euler("YX", 4 * wave(0.5), -3 + 0 * time)
    return pose


def joints_of(pose, root):
    world, at = {}, {}
    for name, (parent, offset) in BODY.items():
        world[name] = pose[name] if parent is None else world[parent] * pose[name]
        at[name] = root if parent is None else at[parent] + world[parent].apply(offset)
    return at


def planted_root(pose, frames):
    """Root path on which the lower foot stands on the floor and does not slide."""
    at = joints_of(pose, np.zeros((frames, 3)))
    feet = [np.minimum(at[f"{s}_ankle"][:, 1] - 0.06, at[f"{s}_foot"][:, 1] - 0.015) for s in ("left", "right")]
    lower = np.argmin(feet, axis=0)
    root = np.zeros((frames, 3))
    root[:, 1] = -np.min(feet, axis=0)
    for frame in range(1, frames):
        ankle = at[("left_ankle", "right_ankle")[lower[frame]]]
        root[frame, [0, 2]] = root[frame - 1, [0, 2]] - (ankle[frame] - ankle[frame - 1])[[0, 2]]
    return root


def write(path, joints, frames, fps, *, tab="\t", end="\n", encoding="utf-8"):
    """`joints`: dicts of name, parent, offset, channels, values [frames, channels], leaf."""
    lines, columns = ["HIERARCHY"], []
    children = {j["name"]: [k for k in joints if k["parent"] == j["name"]] for j in joints}

    def put(joint, depth):
        pad = tab * depth
        lines.append(f"{pad}{'JOINT' if joint['parent'] else 'ROOT'} {joint['name']}")
        lines.append(pad + "{")
        inner = pad + tab
        lines.append(inner + "OFFSET " + " ".join(f"{x:.6g}" for x in joint["offset"]))
        lines.append(inner + f"CHANNELS {len(joint['channels'])} " + " ".join(joint["channels"]))
        columns.append(joint["values"])
        for child in children[joint["name"]]:
            put(child, depth + 1)
        if joint.get("leaf") is not None:
            lines.append(inner + "End Site")
            lines.append(inner + "{")
            lines.append(inner + tab + "OFFSET " + " ".join(f"{x:.6g}" for x in joint["leaf"]))
            lines.append(inner + "}")
        lines.append(pad + "}")

    put(joints[0], 0)
    lines += ["MOTION", f"Frames: {frames}", f"Frame Time: {1 / fps:.7g}"]
    for row in np.concatenate(columns, axis=1):
        lines.append((tab if tab == "\t" else " ").join(f"{x:.4f}".rstrip("0").rstrip(".") for x in row))
    path.write_bytes((end.join(lines) + end).encode(encoding))


def channels(order):
    return [f"{axis}rotation" for axis in order]


def rig(names, unit, order_of, pose, root, extra=()):
    """BVH joints of the body under other names, with a rotation order per joint."""
    joints = []
    for name, (parent, offset) in BODY.items():
        order = order_of(name)
        # as_euler needs three axes; a subset is given by the axes that turn.
        if len(order) == 3:
            values = pose[name].as_euler(order, degrees=True)
        else:
            rest = [axis for axis in "XYZ" if axis not in order]
            values = pose[name].as_euler(order + "".join(rest), degrees=True)
            assert np.abs(values[:, len(order) :]).max() < 1e-6, name
            values = values[:, : len(order)]
        names_of_channels = channels(order)
        if parent is None:
            names_of_channels = ["Xposition", "Yposition", "Zposition", *names_of_channels]
            values = np.concatenate([root / unit, values], axis=1)
        joints.append(
            {
                "name": names[name],
                "parent": names.get(parent),
                "offset": np.array(offset) / unit,
                "channels": names_of_channels,
                "values": values,
                "leaf": np.array(LEAVES[name]) / unit if name in LEAVES else None,
            }
        )
    return joints + list(extra)


def main():
    CLIPS.mkdir(parents=True, exist_ok=True)
    golden = {}

    def clip(fps, seconds):
        frames = int(fps * seconds) + 1
        pose = gait(np.arange(frames) / fps)
        return frames, pose, planted_root(pose, frames)

    frames, pose, root = clip(30, 2)
    own = {name: name for name in BODY}
    write(CLIPS / "walk.bvh", rig(own, 1.0, lambda _: "ZXY", pose, root), frames, 30)
    golden["walk"] = by_bvhio(CLIPS / "walk.bvh")

    mixamo = {
        "pelvis": "Hips",
        "spine1": "Spine",
        "spine2": "Spine1",
        "spine3": "Spine2",
        "neck": "Neck",
        "head": "Head",
    }
    for side in ("Left", "Right"):
        low = side.lower()
        mixamo |= {
            f"{low}_hip": f"{side}UpLeg",
            f"{low}_knee": f"{side}Leg",
            f"{low}_ankle": f"{side}Foot",
            f"{low}_foot": f"{side}ToeBase",
            f"{low}_collar": f"{side}Shoulder",
            f"{low}_shoulder": f"{side}Arm",
            f"{low}_elbow": f"{side}ForeArm",
            f"{low}_wrist": f"{side}Hand",
        }
    mixamo = {name: f"mixamorig:{value}" for name, value in mixamo.items()}
    write(CLIPS / "walk_mixamo_cm.bvh", rig(mixamo, 0.01, lambda _: "ZYX", pose, root), frames, 30, tab="  ")
    golden["walk_mixamo_cm"] = by_bvhio(CLIPS / "walk_mixamo_cm.bvh")

    frames, pose, root = clip(120, 1)
    biped = {
        "pelvis": "Bip01 Pelvis",
        "spine1": "Bip01 Spine",
        "spine2": "Bip01 Spine1",
        "spine3": "Bip01 Spine2",
        "neck": "Bip01 Neck",
        "head": "Bip01 Head",
    }
    for side, mark in (("left", "L"), ("right", "R")):
        biped |= {
            f"{side}_hip": f"Bip01 {mark} Thigh",
            f"{side}_knee": f"Bip01 {mark} Calf",
            f"{side}_ankle": f"Bip01 {mark} Foot",
            f"{side}_foot": f"Bip01 {mark} Toe0",
            f"{side}_collar": f"Bip01 {mark} Clavicle",
            f"{side}_shoulder": f"Bip01 {mark} UpperArm",
            f"{side}_elbow": f"Bip01 {mark} Forearm",
            f"{side}_wrist": f"Bip01 {mark} Hand",
        }
    orders = {
        "left_knee": "X",
        "right_knee": "X",
        "left_elbow": "Y",
        "right_elbow": "Y",
        "spine1": "YX",
        "left_hip": "XYZ",
        "right_hip": "YZX",
        "left_shoulder": "ZYX",
        "right_shoulder": "XZY",
    }
    # A scarf that is only translated, under the chest: position channels away from the root.
    slide = np.stack([0.3 * np.sin(np.arange(frames) / 9), np.full(frames, 4.0)], axis=1)
    scarf = {
        "name": "Écharpe flottante",
        "parent": biped["spine3"],
        "offset": (0.0, 3.0, 5.0),
        "channels": ["Yrotation", "Xposition", "Yposition"],
        "values": np.concatenate([20 * slide[:, :1], slide], axis=1),
        "leaf": (0.0, 0.0, 2.0),
    }
    joints = rig(biped, 0.0254, lambda name: orders.get(name, "YXZ"), pose, root, [scarf])
    path = CLIPS / "walk_odd_120fps.bvh"
    write(path, joints, frames, 120, end="\r\n", encoding="latin-1")
    golden["walk_odd_120fps"] = by_numpy(path)
    golden = {k: v[::10] for k, v in golden.items()}
    golden["walk_odd_120fps_at_50"] = by_numpy(path, resample=(120, 50))
    np.savez(HERE / "io.npz", **golden)


def by_bvhio(path):
    bvh = bvhio.readAsBvh(str(path))

    def walk(joint, position, rotation, out):
        poses = joint.Keyframes
        local = Rotation.from_quat([[p.Rotation.x, p.Rotation.y, p.Rotation.z, p.Rotation.w] for p in poses])
        at = position + rotation.apply([list(p.Position) for p in poses])
        world = rotation * local
        out.append(at)
        for child in joint.Children:
            walk(child, at, world, out)
        if not joint.Children:
            out.append(at + world.apply(list(joint.EndSite)))

    out = []
    walk(bvh.Root, np.zeros((bvh.FrameCount, 3)), Rotation.identity(bvh.FrameCount), out)
    return np.stack(out, axis=1)


def by_numpy(path, resample=None):
    text = path.read_bytes().decode("latin-1")
    head, motion = text.split("MOTION")
    data = np.array([[float(x) for x in line.split()] for line in motion.splitlines()[3:] if line.strip()])
    frames, column, stack, out = len(data), 0, [], []
    identity = Rotation.identity(frames)
    for line in head.splitlines():
        words = line.split()
        if not words:
            continue
        if words[0] in ("ROOT", "JOINT", "End"):
            joint = {"channels": [], "parent": stack[-1] if stack else None}
        elif words[0] == "{":
            stack.append(joint)
        elif words[0] == "OFFSET":
            stack[-1]["offset"] = np.tile(np.array(words[1:], float), (frames, 1))
            place(stack[-1], out)
        elif words[0] == "CHANNELS":
            for channel in words[2:]:
                value, axis = data[:, column], "XYZ".index(channel[0])
                column += 1
                if channel.endswith("position"):
                    stack[-1]["offset"][:, axis] = value
                else:
                    stack[-1]["local"] = stack[-1].get("local", identity) * euler(channel[0], value)
            place(stack[-1], out)
        elif words[0] == "}":
            stack.pop()
    assert column == data.shape[1]
    if resample:
        joints, out = out, []
        before = np.arange(frames) / resample[0]
        after = np.arange(int(before[-1] * resample[1] + 1e-6) + 1) / resample[1]
        for joint in joints:
            joint["offset"] = np.stack([np.interp(after, before, x) for x in joint["offset"].T], axis=1)
            joint["local"] = Slerp(before, joint.get("local", identity))(after)
            place(joint, out)
    return np.stack([joint["at"] for joint in out], axis=1)


def place(joint, out):
    parent, local = joint["parent"], joint.get("local", Rotation.identity(len(joint["offset"])))
    joint["at"] = joint["offset"] if parent is None else parent["at"] + parent["world"].apply(joint["offset"])
    joint["world"] = local if parent is None else parent["world"] * local
    if not any(joint is other for other in out):
        out.append(joint)


if __name__ == "__main__":
    main()
