"""Actions as Blender 4.2 has them, and as those with slots and layers (4.4 and later) are."""

import bpy
import numpy as np

LINEAR = bpy.types.Keyframe.bl_rna.properties["interpolation"].enum_items["LINEAR"].value


def fcurves_of(action: bpy.types.Action) -> list[bpy.types.FCurve]:
    """All curves of an action."""
    if hasattr(action, "layers"):
        bags = [bag for layer in action.layers for strip in layer.strips for bag in strip.channelbags]
        return [curve for bag in bags for curve in bag.fcurves]
    return list(action.fcurves)


def assign(animation: bpy.types.AnimData, action: bpy.types.Action | None, slot: object = None) -> None:
    """Makes an action the present one, with a slot that fits."""
    animation.action = action
    if action is None or not hasattr(animation, "action_slot"):
        return
    if slot is None and animation.action_slot is None:
        slot = next(iter(animation.action_suitable_slots), None)
    if slot is not None:
        animation.action_slot = slot


class NewAction:
    """An action that is being filled."""

    def __init__(self, name: str, owner: bpy.types.Object) -> None:
        self.action = bpy.data.actions.new(name)
        self.action.use_fake_user = True
        self.slot, self._bag = None, None
        if hasattr(self.action, "layers"):
            self.slot = self.action.slots.new(id_type="OBJECT", name=owner.name)
            strip = self.action.layers.new("Layer").strips.new(type="KEYFRAME")
            self._bag = strip.channelbag(self.slot, ensure=True)

    def curves(self, path: str, group: str, first: float, values: np.ndarray) -> None:
        """Curves of `values` `[frames, numbers]`, one key a frame from `first` on, straight lines between."""
        frames = np.arange(len(values), dtype=np.float64) + first
        for index in range(values.shape[1]):
            if self._bag is None:
                curve = self.action.fcurves.new(path, index=index, action_group=group)
            else:
                curve = self._bag.fcurves.new(path, index=index)
                curve.group = self._bag.groups.get(group) or self._bag.groups.new(group)
            points = curve.keyframe_points
            points.add(len(values))
            points.foreach_set("co", np.stack([frames, values[:, index]], axis=1).ravel())
            points.foreach_set("interpolation", np.full(len(values), LINEAR, dtype=np.int32))
            curve.update()
