using System;

namespace Kinograd.Humanoid
{
    /// <summary>Bones that our body moves, with the numbers of UnityEngine.HumanBodyBones.</summary>
    public enum HumanBone
    {
        /// <summary>The hips, on which all others hang.</summary>
        Hips = 0,

        /// <summary>The left thigh.</summary>
        LeftUpperLeg = 1,

        /// <summary>The right thigh.</summary>
        RightUpperLeg = 2,

        /// <summary>The left shin.</summary>
        LeftLowerLeg = 3,

        /// <summary>The right shin.</summary>
        RightLowerLeg = 4,

        /// <summary>The left foot.</summary>
        LeftFoot = 5,

        /// <summary>The right foot.</summary>
        RightFoot = 6,

        /// <summary>The lowest of the trunk.</summary>
        Spine = 7,

        /// <summary>The middle of the trunk; avatars may lack it.</summary>
        Chest = 8,

        /// <summary>The neck; avatars may lack it.</summary>
        Neck = 9,

        /// <summary>The head.</summary>
        Head = 10,

        /// <summary>The left collar bone; avatars may lack it.</summary>
        LeftShoulder = 11,

        /// <summary>The right collar bone; avatars may lack it.</summary>
        RightShoulder = 12,

        /// <summary>The left upper arm.</summary>
        LeftUpperArm = 13,

        /// <summary>The right upper arm.</summary>
        RightUpperArm = 14,

        /// <summary>The left forearm.</summary>
        LeftLowerArm = 15,

        /// <summary>The right forearm.</summary>
        RightLowerArm = 16,

        /// <summary>The left hand.</summary>
        LeftHand = 17,

        /// <summary>The right hand.</summary>
        RightHand = 18,

        /// <summary>The left toes; avatars may lack them.</summary>
        LeftToes = 19,

        /// <summary>The right toes; avatars may lack them.</summary>
        RightToes = 20,

        /// <summary>The highest of the trunk; avatars may lack it.</summary>
        UpperChest = 54,
    }

    /// <summary>Which of our 22 joints moves which bone.</summary>
    public static class HumanBones
    {
        // Parents come before their children.
        private static readonly HumanBone[] Bones =
        {
            HumanBone.Hips, HumanBone.Spine, HumanBone.Chest, HumanBone.UpperChest, HumanBone.Neck, HumanBone.Head,
            HumanBone.LeftShoulder, HumanBone.LeftUpperArm, HumanBone.LeftLowerArm, HumanBone.LeftHand,
            HumanBone.RightShoulder, HumanBone.RightUpperArm, HumanBone.RightLowerArm, HumanBone.RightHand,
            HumanBone.LeftUpperLeg, HumanBone.LeftLowerLeg, HumanBone.LeftFoot, HumanBone.LeftToes,
            HumanBone.RightUpperLeg, HumanBone.RightLowerLeg, HumanBone.RightFoot, HumanBone.RightToes,
        };

        private static readonly string[] Joints =
        {
            "pelvis", "spine1", "spine2", "spine3", "neck", "head",
            "left_collar", "left_shoulder", "left_elbow", "left_wrist",
            "right_collar", "right_shoulder", "right_elbow", "right_wrist",
            "left_hip", "left_knee", "left_ankle", "left_foot",
            "right_hip", "right_knee", "right_ankle", "right_foot",
        };

        /// <summary>All 22 bones, parents before their children.</summary>
        /// <returns>A new array.</returns>
        public static HumanBone[] All()
        {
            return (HumanBone[])Bones.Clone();
        }

        /// <summary>The joint of our body that moves a bone of an avatar that has all of them.</summary>
        /// <param name="bone">The bone.</param>
        /// <returns>The joint's name, as <see cref="Clip.JointNames"/> has it.</returns>
        public static string Joint(HumanBone bone)
        {
            int index = Array.IndexOf(Bones, bone);
            if (index < 0)
            {
                throw new ArgumentOutOfRangeException("bone", bone, "no joint moves this bone");
            }
            return Joints[index];
        }

        /// <summary>
        /// The joint that moves a bone of an avatar that may lack bones of the trunk: the topmost one that is there
        /// turns as our topmost one, so that the shoulders do.
        /// </summary>
        /// <param name="bone">The bone.</param>
        /// <param name="hasChest">Whether the avatar has a Chest.</param>
        /// <param name="hasUpperChest">Whether the avatar has an UpperChest.</param>
        /// <returns>The joint's name.</returns>
        public static string Joint(HumanBone bone, bool hasChest, bool hasUpperChest)
        {
            bool isTop = (bone == HumanBone.Chest && !hasUpperChest)
                || (bone == HumanBone.Spine && !hasChest && !hasUpperChest);
            return isTop ? "spine3" : Joint(bone);
        }

        /// <summary>The bone whose place says which way a bone points, where the avatar's T-pose is brought to ours; null for the trunk, the head, hands and feet.</summary>
        internal static HumanBone? PointsTo(HumanBone bone)
        {
            switch (bone)
            {
                case HumanBone.LeftUpperLeg: return HumanBone.LeftLowerLeg;
                case HumanBone.LeftLowerLeg: return HumanBone.LeftFoot;
                case HumanBone.RightUpperLeg: return HumanBone.RightLowerLeg;
                case HumanBone.RightLowerLeg: return HumanBone.RightFoot;
                case HumanBone.LeftUpperArm: return HumanBone.LeftLowerArm;
                case HumanBone.LeftLowerArm: return HumanBone.LeftHand;
                case HumanBone.RightUpperArm: return HumanBone.RightLowerArm;
                case HumanBone.RightLowerArm: return HumanBone.RightHand;
                default: return null;
            }
        }
    }
}
