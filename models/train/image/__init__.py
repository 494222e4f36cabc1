"""Training of the emoji models: run the modules from `models/train` with `python -m image.<module>`."""
