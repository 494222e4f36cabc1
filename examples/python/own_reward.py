"""A reward of one's own beside a prompt: the right hand goes up."""

import kinograd
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

RIGHT_WRIST = 21


def hand_height(joints: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean height of the right wrist, metres, and its gradient on the joints."""
    gradient = np.zeros_like(joints)
    gradient[:, :, RIGHT_WRIST, 1] = 1 / joints.shape[1]
    return joints[:, :, RIGHT_WRIST, 1].mean(axis=1), gradient


model = kinograd.Model("models/motion-base")
task = kinograd.Task("a person walks forward", duration_secs=3)
(before,) = model.generate(task)
print("gradient off by", kinograd.gradient_error(hand_height, before.joints))
with tqdm(desc="sampling") as bar:
    (after,) = model.generate(task, rewards=[hand_height], progress=bar)
for clip in before, after:
    print(f"{clip.joints[:, RIGHT_WRIST, 1].mean():.2f} m")
