"""Guides an ONNX denoiser of one's own with a loss in NumPy: a body whose hips are 0.6 m above the ground."""

import kinograd
import numpy as np
import onnxruntime

DENOISER, CONSTANTS = "models/motion-base/denoiser.onnx", np.load("models/motion-base/constants.npz")
HEIGHT, WANTED_M, SCALE = 3, 0.6, 3.0  # the feature that is the hips' height; metres; the length of a step
mean, std = CONSTANTS["mean"][HEIGHT], CONSTANTS["std"][HEIGHT]

gradient = kinograd.grad(DENOISER, inputs=["x_t"], outputs=["x0"])
predict, pull_back = map(onnxruntime.InferenceSession, (DENOISER, gradient.model))
feed = {"condition": CONSTANTS["null_condition"][None], "frame_mask": np.ones((1, 60), np.float32)}
x = np.random.default_rng(0).standard_normal((1, 60, 263)).astype(np.float32)
times = np.linspace(999, 0, 21)
signal = np.cos((times / 1000 + 0.008) / 1.008 * np.pi / 2) ** 2
for time, now, then in zip(times[:-1], signal[:-1], signal[1:], strict=True):
    feed |= {"x_t": x, "timestep": np.array([time], np.float32)}
    x0 = predict.run(["x0"], feed)[0]
    on_x0 = np.zeros_like(x0)  # of half the squared distance from the height that is wanted
    on_x0[..., HEIGHT] = std * (x0[..., HEIGHT] * std + mean - WANTED_M)
    (on_x,) = pull_back.run([gradient.gradients["x_t"]], feed | {gradient.cotangents["x0"]: on_x0})
    noise = (x - np.sqrt(now) * x0) / np.sqrt(1 - now)
    x = np.sqrt(then) * x0 + np.sqrt(1 - then) * noise - SCALE * on_x / np.linalg.norm(on_x)
    x = x.astype(np.float32)
print(f"hips at {(x0[..., HEIGHT] * std + mean).mean():.2f} m")
