using System;
using System.Collections.Generic;
using UnityEngine;

namespace Kinograd.Humanoid
{
    /// <summary>
    /// Sampled clips on a character of a scene whose Animator has a Humanoid avatar. Main thread only. It holds no
    /// arithmetic: <see cref="HumanoidPose"/> does that.
    /// </summary>
    public sealed class UnityHumanoid
    {
        private readonly Transform root;
        private readonly Transform[] bones;
        private readonly HumanoidPose pose;
        private readonly AvatarBone[] posed;

        /// <summary>Prepares a character, which is put into its avatar's T-pose.</summary>
        /// <param name="animator">A Humanoid character.</param>
        /// <exception cref="ArgumentException">The avatar is no Humanoid, or a bone is missing; the message says which.</exception>
        public UnityHumanoid(Animator animator)
        {
            if (animator.avatar == null || !animator.avatar.isValid || !animator.avatar.isHuman)
            {
                throw new ArgumentException(animator.name + " has no Humanoid avatar", "animator");
            }
            root = animator.transform;
            TakeTPose(animator);
            List<AvatarBone> rest = new List<AvatarBone>();
            foreach (HumanBone bone in HumanBones.All())
            {
                Transform transform = animator.GetBoneTransform((HumanBodyBones)(int)bone);
                if (transform != null)
                {
                    rest.Add(new AvatarBone
                    {
                        Bone = bone,
                        PositionM = ToVec3(Quaternion.Inverse(root.rotation) * (transform.position - root.position)),
                        Rotation = ToQuat(Quaternion.Inverse(root.rotation) * transform.rotation),
                    });
                }
            }
            pose = new HumanoidPose(rest.ToArray(), CanonicalBody.JointNames(), CanonicalBody.Rest());
            posed = new AvatarBone[pose.Count];
            pose.Apply(CanonicalBody.Rest(), posed);
            bones = new Transform[pose.Count];
            for (int index = 0; index < bones.Length; index++)
            {
                bones[index] = animator.GetBoneTransform((HumanBodyBones)(int)posed[index].Bone);
            }
        }

        /// <summary>How long the character's legs are against our body's: places of goals, metres, are divided by it.</summary>
        public float Scale
        {
            get { return pose.Scale; }
        }

        /// <summary>Puts the character into a pose; its root stays where it is.</summary>
        /// <param name="world">A frame of <see cref="SampledClip.Frames"/>.</param>
        public void Apply(JointTransform[] world)
        {
            pose.Apply(world, posed);
            for (int index = 0; index < bones.Length; index++)
            {
                AvatarBone bone = posed[index];
                if (bone.Bone == HumanBone.Hips)
                {
                    bones[index].position = root.position + root.rotation * ToVector3(bone.PositionM);
                }
                bones[index].rotation = root.rotation * ToQuaternion(bone.Rotation);
            }
        }

        // The avatar's own T-pose, by the names of the transforms, as the importer has it.
        private static void TakeTPose(Animator animator)
        {
            Dictionary<string, Transform> transforms = new Dictionary<string, Transform>();
            foreach (Transform transform in animator.GetComponentsInChildren<Transform>())
            {
                if (!transforms.ContainsKey(transform.name))
                {
                    transforms.Add(transform.name, transform);
                }
            }
            foreach (SkeletonBone bone in animator.avatar.humanDescription.skeleton)
            {
                Transform transform;
                if (transforms.TryGetValue(bone.name, out transform) && transform != animator.transform)
                {
                    transform.localPosition = bone.position;
                    transform.localRotation = bone.rotation;
                    transform.localScale = bone.scale;
                }
            }
        }

        private static Vec3 ToVec3(Vector3 value)
        {
            return new Vec3(value.x, value.y, value.z);
        }

        private static Quat ToQuat(Quaternion value)
        {
            return new Quat(value.x, value.y, value.z, value.w);
        }

        private static Vector3 ToVector3(Vec3 value)
        {
            return new Vector3(value.X, value.Y, value.Z);
        }

        private static Quaternion ToQuaternion(Quat value)
        {
            return new Quaternion(value.X, value.Y, value.Z, value.W);
        }
    }
}
