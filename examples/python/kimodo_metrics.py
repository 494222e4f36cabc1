"""What the benchmark of Kimodo measures of feet and of places to reach, on clips of ours."""

import kinograd
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
FEET = [7, 10, 8, 11]  # left ankle, left toe, right ankle, right toe, as in `Clip.contacts`
FLOOR, SKATES = 0.05, 0.2  # metres; metres a second
NEAR, STILL = 0.1, 0.15  # of a contact that is told from places and speeds


def kimodo_metrics(joints: Floats, contacts: npt.NDArray[np.bool_], fps: float) -> dict[str, float]:
    """Of joints `[frames, 22, 3]`, metres, and contacts `[frames, 4]`; the names are Kimodo's.

    Speeds are those from a frame to the next, m/s. Without a foot on the floor a speed and a share are 0.
    """
    feet = joints[:, FEET]
    speed = np.linalg.norm(np.diff(feet, axis=0), axis=-1) * fps
    held = contacts[:-1]
    toes = feet[:, [1, 3]]
    low, toe_speed = toes[..., 1] < FLOOR, speed[:, [1, 3]]
    stays_low = low[:-1] & low[1:]
    told = (speed < STILL) & (feet[:-1, :, 1] < NEAR)

    def mean(values: npt.NDArray[np.generic], of: npt.NDArray[np.bool_]) -> float:
        return float(values[of].mean()) if of.any() else 0.0

    return {
        "foot_skate_from_height": mean(toe_speed, low[:-1]),
        "foot_skate_from_pred_contacts": mean(speed, held),
        "foot_skate_max_vel": float((speed * held).max()),
        "foot_skate_ratio": mean(toe_speed > SKATES, stays_low),
        "foot_contact_consistency": float((told == held).mean()),
    }


def main() -> None:
    """Sixteen walks to a place, their means, and how far from the place they end."""
    model = kinograd.Model("models/motion-base")
    place = (0.5, 3.0)
    task = kinograd.Task(
        "a person walks forward",
        duration_secs=4,
        goals=[{"kind": "root_target", "position_m": list(place)}],
        sampling=kinograd.Sampling(count=16),
    )
    clips = model.generate(task)
    rows = [kimodo_metrics(clip.joints, clip.contacts, clip.fps) for clip in clips]
    for name in rows[0]:
        print(f"{name}: {np.mean([row[name] for row in rows]):.4f}")
    off = [np.linalg.norm(clip.root[-1, [0, 2]] - place) for clip in clips]
    print(f"root2d error at the end, m: {np.mean(off):.4f}")


if __name__ == "__main__":
    main()
