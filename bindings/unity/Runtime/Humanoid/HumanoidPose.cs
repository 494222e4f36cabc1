using System;
using System.Collections.Generic;

namespace Kinograd.Humanoid
{
    /// <summary>A bone of an avatar in Unity's frame, relative to the character's root, which faces +Z.</summary>
    public struct AvatarBone
    {
        /// <summary>Which one.</summary>
        public HumanBone Bone;

        /// <summary>Place, metres, from the character's root.</summary>
        public Vec3 PositionM;

        /// <summary>Rotation against the character's root.</summary>
        public Quat Rotation;
    }

    /// <summary>
    /// Poses of our body as poses of a humanoid avatar. Both rest in a T-pose: each bone turns in the world as its
    /// joint does, from the avatar's own T-pose, whose arms and legs are first brought to the directions of ours. The
    /// hips' way is scaled by the length of the legs.
    /// </summary>
    public sealed class HumanoidPose
    {
        private readonly AvatarBone[] resting;
        private readonly int[] joints;
        private readonly int pelvis;
        private readonly int jointCount;
        private readonly float scale;
        private readonly float ankleM;
        private readonly float avatarAnkleM;

        /// <summary>Prepares for an avatar.</summary>
        /// <param name="tPose">Its T-pose: the bones that it has, in any order, metres in Unity's frame.</param>
        /// <param name="jointNames">Joints of the clip, <see cref="Clip.JointNames"/>.</param>
        /// <param name="rest">The clip's rest pose in the world, our frame, <see cref="Clip.Rest"/>.</param>
        /// <exception cref="ArgumentException">A bone or a joint is missing; the message names it.</exception>
        public HumanoidPose(AvatarBone[] tPose, string[] jointNames, JointTransform[] rest)
        {
            Dictionary<HumanBone, AvatarBone> avatar = new Dictionary<HumanBone, AvatarBone>();
            foreach (AvatarBone bone in tPose)
            {
                avatar[bone.Bone] = bone;
            }
            bool hasChest = avatar.ContainsKey(HumanBone.Chest);
            bool hasUpperChest = avatar.ContainsKey(HumanBone.UpperChest);
            List<AvatarBone> found = new List<AvatarBone>();
            List<int> drivers = new List<int>();
            foreach (HumanBone bone in HumanBones.All())
            {
                AvatarBone one;
                if (avatar.TryGetValue(bone, out one))
                {
                    one.Rotation = Rotations.Multiply(Alignment(bone, avatar, jointNames, rest), one.Rotation);
                    found.Add(one);
                    drivers.Add(Joint(jointNames, HumanBones.Joint(bone, hasChest, hasUpperChest)));
                }
            }
            resting = found.ToArray();
            joints = drivers.ToArray();
            pelvis = Joint(jointNames, "pelvis");
            jointCount = jointNames.Length;
            ankleM = (rest[Joint(jointNames, "left_ankle")].TranslationM.Y
                + rest[Joint(jointNames, "right_ankle")].TranslationM.Y) / 2;
            avatarAnkleM = (Needed(avatar, HumanBone.LeftFoot).PositionM.Y
                + Needed(avatar, HumanBone.RightFoot).PositionM.Y) / 2;
            float legM = rest[pelvis].TranslationM.Y - ankleM;
            float avatarLegM = Needed(avatar, HumanBone.Hips).PositionM.Y - avatarAnkleM;
            if (legM <= 0 || avatarLegM <= 0)
            {
                throw new ArgumentException("the hips are not above the feet in the T-pose", "tPose");
            }
            scale = avatarLegM / legM;
        }

        /// <summary>How long the avatar's legs are against ours: what places of goals are divided by.</summary>
        public float Scale
        {
            get { return scale; }
        }

        /// <summary>Number of bones that are posed.</summary>
        public int Count
        {
            get { return resting.Length; }
        }

        /// <summary>The avatar's pose for a pose of our body.</summary>
        /// <param name="world">The joints in the world, our frame, <see cref="Clip.Sample"/> with <see cref="JointSpace.World"/>.</param>
        /// <param name="bones">Place for <see cref="Count"/> bones, parents before their children: rotations against the character's root in Unity's frame, and the place of the hips; others keep the T-pose's places, which do not matter.</param>
        public void Apply(JointTransform[] world, AvatarBone[] bones)
        {
            if (bones.Length < resting.Length)
            {
                throw new ArgumentException(
                    "place for " + bones.Length + " bones; " + resting.Length + " are needed", "bones");
            }
            if (world.Length != jointCount)
            {
                throw new ArgumentException(
                    "a pose of " + world.Length + " joints; one of " + jointCount + " was expected", "world");
            }
            for (int index = 0; index < resting.Length; index++)
            {
                AvatarBone bone = resting[index];
                Quat turn = UnityFrame.Convert(world[joints[index]].Rotation);
                bone.Rotation = Rotations.Multiply(turn, bone.Rotation);
                if (bone.Bone == HumanBone.Hips)
                {
                    Vec3 place = UnityFrame.Convert(world[pelvis].TranslationM);
                    bone.PositionM = new Vec3(
                        place.X * scale, avatarAnkleM + (place.Y - ankleM) * scale, place.Z * scale);
                }
                bones[index] = bone;
            }
        }

        // Brings the avatar's limb to the direction that ours has at rest. A hand goes with its forearm.
        private static Quat Alignment(
            HumanBone bone, Dictionary<HumanBone, AvatarBone> avatar, string[] names, JointTransform[] rest)
        {
            HumanBone limb = bone == HumanBone.LeftHand ? HumanBone.LeftLowerArm
                : bone == HumanBone.RightHand ? HumanBone.RightLowerArm
                : bone;
            HumanBone? end = HumanBones.PointsTo(limb);
            if (end == null)
            {
                return Rotations.Identity;
            }
            Vec3 theirs = Rotations.Minus(
                Needed(avatar, end.Value).PositionM, Needed(avatar, limb).PositionM);
            Vec3 ours = Rotations.Minus(
                rest[Joint(names, HumanBones.Joint(end.Value))].TranslationM,
                rest[Joint(names, HumanBones.Joint(limb))].TranslationM);
            return Rotations.Between(theirs, UnityFrame.Convert(ours));
        }

        private static AvatarBone Needed(Dictionary<HumanBone, AvatarBone> avatar, HumanBone bone)
        {
            AvatarBone found;
            if (!avatar.TryGetValue(bone, out found))
            {
                throw new ArgumentException("the avatar has no bone " + bone, "tPose");
            }
            return found;
        }

        private static int Joint(string[] names, string name)
        {
            int index = Array.IndexOf(names, name);
            if (index < 0)
            {
                throw new ArgumentException("the clip has no joint " + name + ": it is not on our body", "jointNames");
            }
            return index;
        }
    }
}
