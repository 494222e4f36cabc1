using System;

namespace Kinograd.Humanoid
{
    /// <summary>
    /// Between our frame and Unity's. Ours is right-handed with left at +X, Unity's left-handed with right at +X; both
    /// have Y up and +Z ahead, in metres. The sides of the body stay what they are: X changes its sign.
    /// </summary>
    public static class UnityFrame
    {
        /// <summary>A place or a direction. The way back is the same.</summary>
        /// <param name="value">In one frame.</param>
        /// <returns>In the other.</returns>
        public static Vec3 Convert(Vec3 value)
        {
            return new Vec3(-value.X, value.Y, value.Z);
        }

        /// <summary>A rotation. The way back is the same.</summary>
        /// <param name="value">In one frame.</param>
        /// <returns>In the other.</returns>
        public static Quat Convert(Quat value)
        {
            return new Quat(value.X, -value.Y, -value.Z, value.W);
        }

        /// <summary>A transform. The way back is the same.</summary>
        /// <param name="value">In one frame.</param>
        /// <returns>In the other.</returns>
        public static JointTransform Convert(JointTransform value)
        {
            return new JointTransform
            {
                TranslationM = Convert(value.TranslationM),
                Rotation = Convert(value.Rotation),
            };
        }
    }

    /// <summary>Arithmetic of rotations; the same formulas in both frames.</summary>
    public static class Rotations
    {
        /// <summary>No rotation.</summary>
        public static Quat Identity
        {
            get { return new Quat(0, 0, 0, 1); }
        }

        /// <summary>One rotation after another: <paramref name="b"/> first.</summary>
        /// <param name="a">The later rotation.</param>
        /// <param name="b">The earlier rotation.</param>
        /// <returns>Their product.</returns>
        public static Quat Multiply(Quat a, Quat b)
        {
            return new Quat(
                a.W * b.X + a.X * b.W + a.Y * b.Z - a.Z * b.Y,
                a.W * b.Y - a.X * b.Z + a.Y * b.W + a.Z * b.X,
                a.W * b.Z + a.X * b.Y - a.Y * b.X + a.Z * b.W,
                a.W * b.W - a.X * b.X - a.Y * b.Y - a.Z * b.Z);
        }

        /// <summary>The rotation back.</summary>
        /// <param name="value">A unit quaternion.</param>
        /// <returns>Its inverse.</returns>
        public static Quat Inverse(Quat value)
        {
            return new Quat(-value.X, -value.Y, -value.Z, value.W);
        }

        /// <summary>A vector turned.</summary>
        /// <param name="rotation">A unit quaternion.</param>
        /// <param name="vector">What is turned.</param>
        /// <returns>The vector after it.</returns>
        public static Vec3 Rotate(Quat rotation, Vec3 vector)
        {
            Vec3 axis = new Vec3(rotation.X, rotation.Y, rotation.Z);
            Vec3 twice = Scale(Cross(axis, vector), 2);
            Vec3 across = Cross(axis, twice);
            return new Vec3(
                vector.X + rotation.W * twice.X + across.X,
                vector.Y + rotation.W * twice.Y + across.Y,
                vector.Z + rotation.W * twice.Z + across.Z);
        }

        /// <summary>The shortest rotation that brings one direction to another.</summary>
        /// <param name="from">A direction of any length but 0.</param>
        /// <param name="to">A direction of any length but 0.</param>
        /// <returns>A unit quaternion; the identity where a length is 0.</returns>
        public static Quat Between(Vec3 from, Vec3 to)
        {
            double lengths = Math.Sqrt((double)Dot(from, from) * Dot(to, to));
            if (lengths < 1e-12)
            {
                return Identity;
            }
            Vec3 axis = Cross(from, to);
            double w = lengths + Dot(from, to);
            if (w < 1e-6 * lengths)
            {
                // Opposite directions: half a turn about any axis across.
                Vec3 other = Math.Abs(from.X) < Math.Abs(from.Z) ? new Vec3(1, 0, 0) : new Vec3(0, 0, 1);
                axis = Cross(from, other);
                w = 0;
            }
            double length = Math.Sqrt(Dot(axis, axis) + w * w);
            return new Quat(
                (float)(axis.X / length), (float)(axis.Y / length), (float)(axis.Z / length), (float)(w / length));
        }

        /// <summary>The same rotation with the sign that is nearer to the one before, so that curves of it do not jump.</summary>
        /// <param name="before">The rotation of the frame before.</param>
        /// <param name="now">The rotation of this frame.</param>
        /// <returns><paramref name="now"/> or its negative.</returns>
        public static Quat Continue(Quat before, Quat now)
        {
            float dot = before.X * now.X + before.Y * now.Y + before.Z * now.Z + before.W * now.W;
            return dot < 0 ? new Quat(-now.X, -now.Y, -now.Z, -now.W) : now;
        }

        internal static Vec3 Minus(Vec3 a, Vec3 b)
        {
            return new Vec3(a.X - b.X, a.Y - b.Y, a.Z - b.Z);
        }

        private static Vec3 Scale(Vec3 a, float by)
        {
            return new Vec3(a.X * by, a.Y * by, a.Z * by);
        }

        private static float Dot(Vec3 a, Vec3 b)
        {
            return a.X * b.X + a.Y * b.Y + a.Z * b.Z;
        }

        private static Vec3 Cross(Vec3 a, Vec3 b)
        {
            return new Vec3(a.Y * b.Z - a.Z * b.Y, a.Z * b.X - a.X * b.Z, a.X * b.Y - a.Y * b.X);
        }
    }
}
