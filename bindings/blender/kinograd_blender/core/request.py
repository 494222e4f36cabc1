"""What an animator asks for, and the protocol's request of it. Frames are the scene's until `body`."""

import enum
import json
import math
from dataclasses import dataclass, field

import numpy as np

from . import path
from .errors import KinogradError
from .rig import Rig

VERSION = "1.2"
# Corners of a path: so far apart, and so many at most.
CORNER_M, MAX_CORNERS = 0.05, 128
FPS = (1.0, 240.0)


class Guidance(enum.Enum):
    """How far the prompt's say goes (classifier-free guidance); the value is the name in the interface."""

    MODEL = "MODEL"
    OFF = "OFF"
    REGULAR = "REGULAR"


@dataclass(frozen=True)
class Prompt:
    """What is done from a frame on."""

    text: str
    frame: int


@dataclass(frozen=True)
class Target:
    """A place at a frame: of the root where `bone` is `None`. `place_m`: metres, Y up."""

    name: str
    bone: str | None
    frame: int
    place_m: np.ndarray


@dataclass(frozen=True)
class Path:
    """A line over the ground `[points, 2]`, metres, walked evenly between two frames."""

    name: str
    line: np.ndarray
    from_frame: int
    to_frame: int


@dataclass(frozen=True)
class Pose:
    """The bones' matrices `[bones, 4, 4]` in the armature's space at a frame."""

    frame: int
    matrices: np.ndarray


@dataclass(frozen=True)
class Options:
    """How clips are made."""

    seed: int = 0
    samples: int = 1
    steps: int = 20
    guidance: Guidance = Guidance.MODEL
    weight: float = 2.5
    foot_lock: bool = True
    loop: bool = False


@dataclass(frozen=True)
class Wish:
    """All that is asked for. The clip has the frames `start` to `end`, both included."""

    rig: Rig
    fps: float
    start: int
    end: int
    prompts: list[Prompt]
    targets: list[Target] = field(default_factory=list)
    path: Path | None = None
    poses: list[Pose] = field(default_factory=list)
    obstacles: list[dict] = field(default_factory=list)
    extra: dict = field(default_factory=dict)
    options: Options = field(default_factory=Options)

    @property
    def frames(self) -> int:
        """Length of the clip."""
        return self.end - self.start + 1

    @property
    def title(self) -> str:
        """The name of what comes of it."""
        return ", ".join(prompt.text.strip() for prompt in self._in_order())

    def body(self, model: str, model_fps: float = 0.0) -> dict:
        """The request for a model that makes so many frames a second; 0 where that is not known.

        Raises `KinogradError` that names the prompt, target, path or pose that cannot be asked for.
        """
        if self.frames < 2:
            raise KinogradError(f"the clip has {max(self.frames, 0)} frames, from {self.start} to {self.end}")
        if not FPS[0] <= self.fps <= FPS[1]:
            raise KinogradError(f"the scene has {self.fps:g} frames a second; {FPS[0]:g} to {FPS[1]:g} are taken")
        options, fps = self.options, self.rate(model_fps)
        body = {
            "protocol_version": VERSION,
            "model": model,
            "skeleton": self.rig.skeleton(),
            "segments": self._segments(),
            "constraints": self._constraints(),
            "timing": {"fps": fps},
            "options": {
                "seed": options.seed,
                "num_samples": options.samples,
                "diffusion_steps": options.steps,
                "post_processing": options.foot_lock,
                "loop": options.loop,
            },
        }
        if options.guidance is Guidance.OFF:
            body["options"]["guidance"] = {"type": "nocfg"}
        elif options.guidance is Guidance.REGULAR:
            body["options"]["guidance"] = {"type": "regular", "weight": [options.weight]}
        extension = dict(self.extra)
        if self.obstacles:
            extension["obstacles"] = [*extension.get("obstacles", []), *self.obstacles]
        if self.path is not None:
            extension["goals"] = [*extension.get("goals", []), self._way(self.path, fps)]
        if extension:
            body["x_kinograd"] = extension
        return body

    def rate(self, model_fps: float) -> float:
        """The rate at which the clip is asked for, so that the last place is at one of the model's own frames.

        A model of 20 frames a second meets a place at the frame that is nearest, up to 25 ms off: 3 cm of a walk. The
        clip is played that much slower or faster, at most by half a frame of the model over its length.
        """
        frames = [target.frame for target in self.targets] + [pose.frame for pose in self.poses]
        if self.path is not None:
            frames.append(self.path.to_frame)
        last = max(frames, default=self.start) - self.start
        own = last * model_fps / self.fps
        if own < 1.0:
            return self.fps
        rate = last * model_fps / round(own)
        # A longer clip may be too long.
        return rate if rate >= self.fps or round(own) == math.floor(own) else last * model_fps / math.floor(own)

    def _at(self, what: str, frame: int) -> int:
        """A frame of the scene as one of the clip."""
        if not self.start <= frame <= self.end:
            raise KinogradError(f"{what}: frame {frame} is outside the clip, {self.start} to {self.end}")
        return frame - self.start

    def _in_order(self) -> list[Prompt]:
        """The first of the list is done from the start, whatever its frame says."""
        return [*self.prompts[:1], *sorted(self.prompts[1:], key=lambda prompt: prompt.frame)]

    def _segments(self) -> list[dict]:
        prompts = self._in_order()
        if not prompts:
            raise KinogradError(f"armature “{self.rig.name}” has no prompt")
        for prompt in prompts:
            if not prompt.text.strip():
                raise KinogradError(f"armature “{self.rig.name}” has an empty prompt")
        starts = [0, *(self._at(f"prompt “{prompt.text}”", prompt.frame) for prompt in prompts[1:])]
        ends = [*starts[1:], self.frames]
        segments = []
        for prompt, start, end in zip(prompts, starts, ends, strict=True):
            if end <= start:
                raise KinogradError(f"prompt “{prompt.text}” lasts no frame: another begins at frame {prompt.frame}")
            segments.append({"type": "text", "prompt": prompt.text.strip(), "duration_frames": end - start})
        return segments

    def _constraints(self) -> list[dict]:
        constraints: list[dict] = []
        ways: dict[int, list[float]] = {}
        names: dict[int, str] = {}
        poses = [(self._at("a key of the poses", pose.frame), pose) for pose in self.poses]
        for target in self.targets:
            at = self._at(f"target “{target.name}”", target.frame)
            if target.bone is not None:
                if target.bone not in self.rig.bones:
                    raise KinogradError(
                        f"target “{target.name}”: armature “{self.rig.name}” has no bone “{target.bone}” under its root"
                    )
                place = [float(length) for length in target.place_m]
                constraints.append(
                    {"type": "effector_target", "joint": target.bone, "frames": [at], "positions": [place]}
                )
                continue
            if at in names:
                raise KinogradError(
                    f"targets “{names[at]}” and “{target.name}” are places of the root at one frame, {target.frame}"
                )
            names[at] = target.name
            ways[at] = [float(target.place_m[0]), float(target.place_m[2])]
        constraints += [self.rig.keyframe(at, pose.matrices) for at, pose in poses]
        ways = dict(sorted(ways.items()))
        if all(at > 0 for at, _ in poses):
            constraints.insert(0, self._start(ways.pop(0, None)))
        if ways:
            constraints.append({"type": "root_path", "frames": list(ways), "positions_xz": list(ways.values())})
        return constraints

    def _start(self, place: list[float] | None) -> dict:
        """It starts where the path does, at a target of that frame, or where the armature stands, and faces so."""
        stands, heading = self.rig.start()
        if self.path is not None and self.path.from_frame == self.start:
            line = self._corners(self.path)
            stands = line[0]
            heading = math.atan2(line[1][0] - stands[0], line[1][1] - stands[1])
        elif place is not None:
            stands = place
        return {"type": "root_path", "frames": [0], "positions_xz": [stands], "heading_radians": [heading]}

    def _corners(self, way: Path) -> list[list[float]]:
        count = min(max(math.ceil(path.length_m(way.line) / CORNER_M), 2), MAX_CORNERS)
        return [[float(x) for x in place] for place in path.walked_evenly(way.name, way.line, count)]

    def _way(self, way: Path, fps: float) -> dict:
        first = self._at(f"path “{way.name}”", way.from_frame)
        last = self._at(f"path “{way.name}”", way.to_frame)
        if last <= first:
            raise KinogradError(f"path “{way.name}” ends at frame {way.to_frame}, before it starts")
        goal = {"kind": "trajectory", "path_m": self._corners(way), "from_secs": first / fps}
        # The model's last frame may be a little before the scene's.
        return goal if way.to_frame == self.end else {**goal, "to_secs": last / fps}


def extra_from_text(name: str, text: str) -> dict:
    """Further fields of `x_kinograd` from a text of the file.

    Raises `KinogradError` that names the text and says what is wrong with it.
    """
    try:
        extra = json.loads(text)
    except ValueError as error:
        raise KinogradError(f"text “{name}” is no JSON: {error}") from error
    if not isinstance(extra, dict):
        raise KinogradError(f"text “{name}” holds no JSON object")
    for field_name in ("goals", "obstacles"):
        if not isinstance(extra.get(field_name, []), list):
            raise KinogradError(f"text “{name}”: `{field_name}` is no list")
    return extra
