using System.Runtime.InteropServices;

namespace Kinograd
{
    /// <summary>Three numbers: a place in metres or a direction. Right-handed, Y up, +Z ahead of a clip's start, left is +X.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Vec3
    {
        /// <summary>To the left of a clip's start.</summary>
        public float X;

        /// <summary>Up.</summary>
        public float Y;

        /// <summary>Ahead of a clip's start.</summary>
        public float Z;

        /// <summary>A vector of its parts.</summary>
        /// <param name="x">To the left of a clip's start.</param>
        /// <param name="y">Up.</param>
        /// <param name="z">Ahead of a clip's start.</param>
        public Vec3(float x, float y, float z)
        {
            X = x;
            Y = y;
            Z = z;
        }

        /// <summary>The three numbers, for logs.</summary>
        /// <returns>The numbers in brackets, with a point whatever the culture.</returns>
        public override string ToString()
        {
            return string.Format(System.Globalization.CultureInfo.InvariantCulture, "({0}, {1}, {2})", X, Y, Z);
        }
    }

    /// <summary>A rotation as a unit quaternion.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Quat
    {
        /// <summary>Axis times the sine of half the angle, X.</summary>
        public float X;

        /// <summary>Axis times the sine of half the angle, Y.</summary>
        public float Y;

        /// <summary>Axis times the sine of half the angle, Z.</summary>
        public float Z;

        /// <summary>Cosine of half the angle.</summary>
        public float W;

        /// <summary>A quaternion of its parts.</summary>
        /// <param name="x">Axis times the sine of half the angle, X.</param>
        /// <param name="y">Axis times the sine of half the angle, Y.</param>
        /// <param name="z">Axis times the sine of half the angle, Z.</param>
        /// <param name="w">Cosine of half the angle.</param>
        public Quat(float x, float y, float z, float w)
        {
            X = x;
            Y = y;
            Z = z;
            W = w;
        }

        /// <summary>The four numbers, for logs.</summary>
        /// <returns>The numbers in brackets, with a point whatever the culture.</returns>
        public override string ToString()
        {
            return string.Format(System.Globalization.CultureInfo.InvariantCulture, "({0}, {1}, {2}, {3})", X, Y, Z, W);
        }
    }

    /// <summary>Where a joint is and how it is turned; 28 bytes, as the library writes them.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct JointTransform
    {
        /// <summary>Place, metres, in the frame that was asked for.</summary>
        public Vec3 TranslationM;

        /// <summary>Rotation, in the frame that was asked for.</summary>
        public Quat Rotation;
    }

    /// <summary>The frame that a joint's transform is given in.</summary>
    public enum JointSpace
    {
        /// <summary>That of the joint's parent; the root's is in the world. For bones.</summary>
        Local = 0,

        /// <summary>The world: metres, Y up, right-handed, left of the clip's start is +X.</summary>
        World = 1,
    }

    /// <summary>Parts of feet that stand on the ground.</summary>
    [System.Flags]
    public enum Foot
    {
        /// <summary>Both feet are in the air.</summary>
        None = 0,

        /// <summary>The left ankle.</summary>
        LeftAnkle = 1,

        /// <summary>The left toe.</summary>
        LeftToe = 2,

        /// <summary>The right ankle.</summary>
        RightAnkle = 4,

        /// <summary>The right toe.</summary>
        RightToe = 8,
    }
}
