"""What is registered."""

import atexit

import bpy

from . import operators, panel, preferences, properties, session

CLASSES = (*preferences.CLASSES, *properties.CLASSES, *operators.CLASSES, *panel.CLASSES)


def register() -> None:
    """Adds classes and properties."""
    for each in CLASSES:
        bpy.utils.register_class(each)
    properties.attach()
    atexit.register(session.close)


def unregister() -> None:
    """Takes them away, with the run and the server that this session started."""
    session.close()
    atexit.unregister(session.close)
    properties.detach()
    for each in reversed(CLASSES):
        bpy.utils.unregister_class(each)
