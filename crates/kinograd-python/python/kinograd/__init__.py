"""Kinograd: human motion from a prompt, places to reach and things to walk round.

    import kinograd

    model = kinograd.Model()
    clip, = model.generate(kinograd.Task("a person walks forward", duration_secs=3))
    clip.save("walk.glb")

World: metres, Y up, right-handed; a clip starts at the origin facing +Z, left is +X. Places on the ground are (x, z).
"""

from kinograd._clip import Clip, Rig, read
from kinograd._errors import Error, FileError, GradientError, KinogradWarning, ModelError, TaskError
from kinograd._gradient import Gradient, grad
from kinograd._kinograd import __version__
from kinograd._losses import Loss, gradient_error
from kinograd._model import Model
from kinograd._task import GuidanceSettings, NetworkLoss, OutputSettings, Prompt, Sampling, Task, check

__all__ = [
    "Clip",
    "Error",
    "FileError",
    "Gradient",
    "GradientError",
    "GuidanceSettings",
    "KinogradWarning",
    "Loss",
    "Model",
    "ModelError",
    "NetworkLoss",
    "OutputSettings",
    "Prompt",
    "Rig",
    "Sampling",
    "Task",
    "TaskError",
    "__version__",
    "check",
    "grad",
    "gradient_error",
    "read",
]
