"""Ten steps of torch's Adam on given gradients.

pip install torch==2.15.0 numpy==2.4.6 && python make.py
"""

import numpy as np
import torch

rng = np.random.default_rng(5)
weights = rng.normal(size=(3, 4)).astype(np.float32)
gradients = (rng.normal(size=(10, 3, 4)) * np.logspace(-4, 1, 10)[:, None, None]).astype(np.float32)
parameter = torch.nn.Parameter(torch.tensor(weights))
adam = torch.optim.Adam([parameter], lr=0.01)
course = []
for gradient in gradients:
    parameter.grad = torch.tensor(gradient)
    adam.step()
    course.append(parameter.detach().numpy().copy())
np.savez("io.npz", weights=weights, gradients=gradients, course=np.stack(course))
