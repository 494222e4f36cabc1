"""Where the server is."""

import shlex

import bpy

from .core.client import Server
from .core.process import LocalServer


class KinogradPreferences(bpy.types.AddonPreferences):
    """Settings of the user, not of a file."""

    bl_idname = __package__

    where: bpy.props.EnumProperty(
        name="Server",
        items=[
            ("LOCAL", "Started here", "The add-on starts the command on this machine"),
            ("OTHER", "Runs already", "A server with an address of its own"),
        ],
        default="LOCAL",
    )
    command: bpy.props.StringProperty(
        name="Command", description="The program kinograd; empty takes the one in PATH", subtype="FILE_PATH"
    )
    port: bpy.props.IntProperty(
        name="Port", description="Port of the server that is started; 0 takes a free one", min=0, max=65535
    )
    arguments: bpy.props.StringProperty(
        name="Arguments", description="Further arguments of “kinograd serve”, such as --model FOLDER"
    )
    url: bpy.props.StringProperty(name="Address", default="http://127.0.0.1:8000")
    token: bpy.props.StringProperty(
        name="Token",
        description="Secret of the server, where it wants one; kept in Blender's preferences as it is",
        subtype="PASSWORD",
    )

    def draw(self, _context: bpy.types.Context) -> None:
        """In the preferences."""
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "where", expand=True)
        for name in ("command", "port", "arguments") if self.where == "LOCAL" else ("url", "token"):
            layout.prop(self, name)

    def start(self) -> LocalServer:
        """Starts the command. Raises `KinogradError`."""
        # Blender's paths may be relative to the file.
        command = bpy.path.abspath(self.command) if self.command.startswith("//") else self.command
        return LocalServer(command, self.port, shlex.split(self.arguments))

    def other(self) -> Server:
        """The server that runs already. Raises `KinogradError`, also where Blender is offline."""
        return Server(self.url, self.token, bpy.app.online_access)


def of(context: bpy.types.Context) -> KinogradPreferences:
    """The add-on's preferences."""
    return context.preferences.addons[__package__].preferences


CLASSES = (KinogradPreferences,)
