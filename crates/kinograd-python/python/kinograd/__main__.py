"""The command `kinograd`, as the package's script and as `python -m kinograd`."""

from __future__ import annotations

import os
import sys

from kinograd._kinograd import run_command
from kinograd._model import installed_onnx_runtime


def main() -> int:
    """Runs the command of `sys.argv` on the installed package `onnxruntime`, and returns its exit code."""
    if not os.environ.get("ORT_DYLIB_PATH") and (library := installed_onnx_runtime()) is not None:
        os.environ["ORT_DYLIB_PATH"] = str(library)
    # As a module it has no name of its own.
    name = "kinograd" if sys.argv[0].endswith("__main__.py") else sys.argv[0]
    return run_command([name, *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
