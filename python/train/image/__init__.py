"""Training of the emoji models: run the modules from `python/train` with `python -m image.<module>`."""
