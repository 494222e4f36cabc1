namespace Kinograd.Humanoid
{
    /// <summary>The body that generated clips are on: a T-pose of 22 joints, about 1.7 m tall. Our frame, metres.</summary>
    public static class CanonicalBody
    {
        private static readonly string[] Names =
        {
            "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle",
            "right_ankle", "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head",
            "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
        };

        private static readonly Vec3[] Places =
        {
            new Vec3(0, 0.955f, 0),
            new Vec3(0.085f, 0.87f, 0),
            new Vec3(-0.085f, 0.87f, 0),
            new Vec3(0, 1.07f, -0.01f),
            new Vec3(0.085f, 0.455f, 0),
            new Vec3(-0.085f, 0.455f, 0),
            new Vec3(0, 1.205f, -0.01f),
            new Vec3(0.085f, 0.06f, -0.01f),
            new Vec3(-0.085f, 0.06f, -0.01f),
            new Vec3(0, 1.265f, -0.01f),
            new Vec3(0.085f, 0.015f, 0.12f),
            new Vec3(-0.085f, 0.015f, 0.12f),
            new Vec3(0, 1.47f, -0.01f),
            new Vec3(0.065f, 1.385f, -0.01f),
            new Vec3(-0.065f, 1.385f, -0.01f),
            new Vec3(0, 1.57f, 0.025f),
            new Vec3(0.18f, 1.4f, -0.01f),
            new Vec3(-0.18f, 1.4f, -0.01f),
            new Vec3(0.445f, 1.4f, -0.01f),
            new Vec3(-0.445f, 1.4f, -0.01f),
            new Vec3(0.695f, 1.4f, -0.01f),
            new Vec3(-0.695f, 1.4f, -0.01f),
        };

        /// <summary>Names of the joints, the root first, as <see cref="Clip.JointNames"/> has them.</summary>
        /// <returns>A new array.</returns>
        public static string[] JointNames()
        {
            return (string[])Names.Clone();
        }

        /// <summary>The rest pose in the world, as <see cref="Clip.Rest"/> has it.</summary>
        /// <returns>A new array.</returns>
        public static JointTransform[] Rest()
        {
            JointTransform[] rest = new JointTransform[Places.Length];
            for (int joint = 0; joint < rest.Length; joint++)
            {
                rest[joint] = new JointTransform { TranslationM = Places[joint], Rotation = Rotations.Identity };
            }
            return rest;
        }
    }
}
