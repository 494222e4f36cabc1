namespace Kinograd
{
    /// <summary>How a clip is written. A new one is the default.</summary>
    public sealed class SaveOptions
    {
        /// <summary>Frames per second; 0 is the clip's own.</summary>
        public double Fps { get; set; }

        /// <summary>Metres per unit of a format without a unit of its own (BVH); 0 is 1.</summary>
        public double UnitToMetre { get; set; }

        /// <summary>Where the travel lies: <c>keep</c> (null: in the hips), <c>extract</c> (in a root bone on the ground) or <c>in-place</c> (nowhere).</summary>
        public string RootMotion { get; set; }

        /// <summary>Whose names the joints get: <c>ours</c>, <c>mixamo</c>, <c>ue5</c>, <c>unity</c> or <c>vrm</c>; null leaves them.</summary>
        public string JointNames { get; set; }

        /// <summary>The pose in which the skeleton rests: <c>t</c> or <c>a</c>; null leaves it.</summary>
        public string RestPose { get; set; }
    }
}
