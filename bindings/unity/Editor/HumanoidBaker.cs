using System;
using Kinograd.Humanoid;
using UnityEditor;
using UnityEngine;
using Object = UnityEngine.Object;

namespace Kinograd.Editor
{
    /// <summary>
    /// Bakes a sampled clip into an AnimationClip of muscles, some frames at a time so that the editor goes on. It
    /// works on a hidden copy of the character.
    /// </summary>
    internal sealed class HumanoidBaker : IDisposable
    {
        // In muscles' own unit (-1 to 1), metres over the avatar's height, and parts of a quaternion.
        private const float Tolerance = 0.001f;

        private readonly GameObject copy;
        private readonly UnityHumanoid humanoid;
        private readonly HumanPoseHandler handler;
        private readonly float[][] muscles = new float[HumanTrait.MuscleCount][];
        private readonly float[][] body = new float[7][];
        private SampledClip clip;
        private HumanPose pose;
        private Quat last = Rotations.Identity;
        private int frame;

        internal HumanoidBaker(Animator character)
        {
            copy = Object.Instantiate(character.gameObject);
            copy.hideFlags = HideFlags.HideAndDontSave;
            try
            {
                copy.transform.SetParent(null);
                copy.transform.position = Vector3.zero;
                copy.transform.rotation = Quaternion.identity;
                Animator animator = copy.GetComponent<Animator>();
                animator.enabled = false;
                humanoid = new UnityHumanoid(animator);
                handler = new HumanPoseHandler(animator.avatar, copy.transform);
            }
            catch (Exception)
            {
                Object.DestroyImmediate(copy);
                throw;
            }
        }

        /// <summary>How long the character's legs are against our body's: places of goals, metres, are divided by it.</summary>
        internal float Scale
        {
            get { return humanoid.Scale; }
        }

        /// <summary>Gives the clip that <see cref="Step"/> bakes.</summary>
        internal void Take(SampledClip made)
        {
            clip = made;
            Allocate(muscles);
            Allocate(body);
        }

        /// <summary>The part that is baked, 0 to 1.</summary>
        internal float Fraction
        {
            get { return clip == null ? 0 : (float)frame / clip.Frames.Length; }
        }

        /// <summary>Bakes some frames; whether all are.</summary>
        internal bool Step(int frames)
        {
            for (int end = Math.Min(frame + frames, clip.Frames.Length); frame < end; frame++)
            {
                humanoid.Apply(clip.Frames[frame]);
                handler.GetHumanPose(ref pose);
                for (int muscle = 0; muscle < muscles.Length; muscle++)
                {
                    muscles[muscle][frame] = pose.muscles[muscle];
                }
                body[0][frame] = pose.bodyPosition.x;
                body[1][frame] = pose.bodyPosition.y;
                body[2][frame] = pose.bodyPosition.z;
                Quaternion turn = pose.bodyRotation;
                last = Rotations.Continue(last, new Quat(turn.x, turn.y, turn.z, turn.w));
                body[3][frame] = last.X;
                body[4][frame] = last.Y;
                body[5][frame] = last.Z;
                body[6][frame] = last.W;
            }
            return frame == clip.Frames.Length;
        }

        /// <summary>The clip, once all frames are baked.</summary>
        internal AnimationClip Clip()
        {
            AnimationClip made = new AnimationClip { frameRate = (float)clip.Fps };
            string[] names = HumanTrait.MuscleName;
            for (int muscle = 0; muscle < muscles.Length; muscle++)
            {
                if (Muscles.IsMoved(names[muscle]))
                {
                    Add(made, names[muscle], muscles[muscle]);
                }
            }
            string[] parts = { "RootT.x", "RootT.y", "RootT.z", "RootQ.x", "RootQ.y", "RootQ.z", "RootQ.w" };
            for (int part = 0; part < parts.Length; part++)
            {
                Add(made, parts[part], body[part]);
            }
            AnimationClipSettings settings = AnimationUtility.GetAnimationClipSettings(made);
            settings.loopTime = clip.IsLoop;
            settings.keepOriginalOrientation = true;
            settings.keepOriginalPositionXZ = true;
            settings.keepOriginalPositionY = true;
            AnimationUtility.SetAnimationClipSettings(made, settings);
            return made;
        }

        public void Dispose()
        {
            handler.Dispose();
            Object.DestroyImmediate(copy);
        }

        private void Allocate(float[][] curves)
        {
            for (int curve = 0; curve < curves.Length; curve++)
            {
                curves[curve] = new float[clip.Frames.Length];
            }
        }

        private void Add(AnimationClip made, string property, float[] samples)
        {
            CurveKey[] keys = CurveKeys.Reduce(samples, clip.Fps, Tolerance);
            Keyframe[] frames = new Keyframe[keys.Length];
            for (int key = 0; key < keys.Length; key++)
            {
                frames[key] = new Keyframe(keys[key].TimeSecs, keys[key].Value, keys[key].Slope, keys[key].Slope);
            }
            EditorCurveBinding binding = EditorCurveBinding.FloatCurve("", typeof(Animator), property);
            AnimationUtility.SetEditorCurve(made, binding, new AnimationCurve(frames));
        }
    }
}
