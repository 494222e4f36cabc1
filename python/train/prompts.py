"""The prompts of the evaluation and what a clip must do to obey each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from config import FPS
from kinematics import measures

Check = Callable[[dict[str, float]], bool]


@dataclass(frozen=True)
class Prompt:
    """A text, the clip's length and the test of its measures."""

    text: str
    frames: int
    obeys: Check


def judged(joints: np.ndarray) -> dict[str, float]:
    """`measures` plus the speeds of the first and the last second."""
    v = np.linalg.norm(np.diff(joints[:, 0][:, [0, 2]], axis=0), axis=1) * FPS
    return measures(joints) | {"speed_first": float(v[:15].mean()), "speed_last": float(v[-15:].mean())}


PROMPTS = (
    Prompt("a person walks forward", 80, lambda m: 0.8 <= m["forward"] <= 1.6 and abs(m["turn_left_deg"]) < 60),
    Prompt("a person walks backwards", 80, lambda m: m["forward"] < -0.3),
    Prompt("a person jogs forward", 80, lambda m: 1.3 <= m["forward"] <= 3.5),
    Prompt("a person runs forward", 60, lambda m: 2.5 <= m["forward"] <= 5.0),
    Prompt("a person walks and turns left", 80, lambda m: m["turn_left_deg"] > 30),
    Prompt("a person walks and turns right", 80, lambda m: m["turn_left_deg"] < -30),
    Prompt("a person steps sideways to the left", 60, lambda m: m["leftward"] > max(0.15, abs(m["forward"]))),
    Prompt("a person steps sideways to the right", 60, lambda m: m["leftward"] < -max(0.15, abs(m["forward"]))),
    Prompt("a person walks in a circle", 120, lambda m: abs(m["turn_left_deg"]) > 200),
    Prompt("a person walks forward and stops", 80, lambda m: m["speed_first"] > 0.4 and m["speed_last"] < 0.3),
    Prompt("a person stands and then starts walking", 80, lambda m: m["speed_first"] < 0.4 < m["speed_last"]),
    Prompt("a person turns around", 60, lambda m: abs(m["turn_left_deg"]) > 120),
    Prompt("a person jumps", 60, lambda m: m["foot_max"] > 0.12),
    Prompt("a person hops", 60, lambda m: m["foot_max"] > 0.10),
    Prompt("a person kicks with the right leg", 40, lambda m: m["right_foot_max"] > max(0.5, m["left_foot_max"])),
    Prompt("a person kicks with the left leg", 40, lambda m: m["left_foot_max"] > max(0.5, m["right_foot_max"])),
    Prompt("a person throws a punch", 40, lambda m: m["hand_speed"] > 3.0),
    Prompt("a person waves", 60, lambda m: m["hand_max"] > 1.35),
    Prompt("a person sits down", 60, lambda m: m["root_end"] < 0.7 < m["root_start"]),
    Prompt("a person stands up", 60, lambda m: m["root_start"] < 0.75 < m["root_end"]),
    Prompt("a person crouches down", 60, lambda m: m["root_min"] < 0.7),
    Prompt("a person dances", 120, lambda m: m["hand_speed"] > 1.2),
    Prompt("a person stands still", 80, lambda m: m["speed"] < 0.15 and m["hand_speed"] < 1.0),
    Prompt("a person walks slowly", 80, lambda m: 0.2 <= m["forward"] <= 1.05),
)
