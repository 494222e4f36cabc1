using System;

namespace Kinograd.Humanoid
{
    /// <summary>All frames of a clip in memory, so that nothing native is needed any more. Our frame, metres.</summary>
    public sealed class SampledClip
    {
        /// <summary>Samples a clip at even times from its first to its last frame.</summary>
        /// <param name="clip">The clip; it is not kept.</param>
        /// <param name="fps">Frames per second; 0 is the clip's own.</param>
        public SampledClip(Clip clip, double fps = 0)
        {
            ClipInfo info = clip.Info;
            Fps = fps > 0 ? fps : info.Fps;
            IsLoop = info.IsLoop;
            JointNames = clip.JointNames();
            Rest = new JointTransform[info.JointCount];
            clip.Rest(JointSpace.World, Rest);
            Frames = new JointTransform[FrameCount(info.FrameCount, info.Fps, Fps)][];
            for (int frame = 0; frame < Frames.Length; frame++)
            {
                Frames[frame] = new JointTransform[info.JointCount];
                clip.Sample(frame / Fps, JointSpace.World, Frames[frame]);
            }
        }

        /// <summary>Frames per second.</summary>
        public double Fps { get; private set; }

        /// <summary>Whether the clip can be played again from its end.</summary>
        public bool IsLoop { get; private set; }

        /// <summary>Names of the joints, the root first.</summary>
        public string[] JointNames { get; private set; }

        /// <summary>The rest pose in the world, metres.</summary>
        public JointTransform[] Rest { get; private set; }

        /// <summary>The joints in the world, frame by frame, metres.</summary>
        public JointTransform[][] Frames { get; private set; }

        /// <summary>How many frames lie between the first and the last of a clip at another rate, both included.</summary>
        /// <param name="count">Frames of the clip.</param>
        /// <param name="clipFps">Its frames per second.</param>
        /// <param name="fps">The other rate, frames per second.</param>
        /// <returns>Number of frames; at least 1 for a clip that has any.</returns>
        public static int FrameCount(int count, double clipFps, double fps)
        {
            if (count <= 0)
            {
                return 0;
            }
            // A frame that is there but for rounding counts.
            return (int)Math.Floor((count - 1) / clipFps * fps + 1e-6) + 1;
        }
    }
}
