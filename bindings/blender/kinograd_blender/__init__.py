"""Kinograd in Blender: motion for humanoid armatures by a server on this machine or another."""


def register() -> None:
    """Called by Blender. `bpy` is first imported here, so that `core` can be used without it."""
    from . import addon

    addon.register()


def unregister() -> None:
    """Called by Blender."""
    from . import addon

    addon.unregister()
