using System;
using System.Linq;
using System.Threading;
using Kinograd.Humanoid;
using Kinograd.Tests;

namespace Kinograd.UnityTests
{
    /// <summary>What the package computes, against numbers by hand. Unity's frame: left-handed, right is +X, +Z ahead.</summary>
    internal static class HumanoidTests
    {
        private const float Half = 0.70710678f;
        private const double Close = 1e-6;

        /// <summary>An avatar whose T-pose is our body's, with bones turned as some rig has them.</summary>
        private static AvatarBone[] Avatar(float size = 1, Quat? turned = null)
        {
            string[] names = CanonicalBody.JointNames();
            JointTransform[] rest = CanonicalBody.Rest();
            return HumanBones.All().Select(bone =>
            {
                Vec3 place = UnityFrame.Convert(rest[Array.IndexOf(names, HumanBones.Joint(bone))].TranslationM);
                return new AvatarBone
                {
                    Bone = bone,
                    PositionM = new Vec3(place.X * size, place.Y * size, place.Z * size),
                    Rotation = turned ?? Rotations.Identity,
                };
            }).ToArray();
        }

        private static AvatarBone Of(AvatarBone[] bones, HumanBone bone)
        {
            return bones.Single(one => one.Bone == bone);
        }

        private static AvatarBone[] Posed(AvatarBone[] avatar, JointTransform[] world)
        {
            HumanoidPose pose = new HumanoidPose(avatar, CanonicalBody.JointNames(), CanonicalBody.Rest());
            AvatarBone[] bones = new AvatarBone[pose.Count];
            pose.Apply(world, bones);
            return bones;
        }

        private static JointTransform[] Turned(string joint, Quat rotation)
        {
            JointTransform[] world = CanonicalBody.Rest();
            world[Array.IndexOf(CanonicalBody.JointNames(), joint)].Rotation = rotation;
            return world;
        }

        [Test]
        private static void APlaceAndARotationByHand()
        {
            Vec3 place = UnityFrame.Convert(new Vec3(1, 2, 3));
            Is.Near(place, new Vec3(-1, 2, 3), 0, "one metre to the left is -X");
            Is.Near(UnityFrame.Convert(place), new Vec3(1, 2, 3), 0, "and back");
            // 90 degrees about X lift +Y to +Z in the right-handed frame; in Unity's as well.
            Quat nod = UnityFrame.Convert(new Quat(Half, 0, 0, Half));
            Is.Near(nod, new Quat(Half, 0, 0, Half), 0, "about X");
            Is.Near(Rotations.Rotate(nod, new Vec3(0, 1, 0)), new Vec3(0, 0, 1), Close, "forward bend");
            Is.Near(UnityFrame.Convert(new Quat(0, 0, Half, Half)), new Quat(0, 0, -Half, Half), 0, "about Z");
            Quat any = new Quat(0.1f, 0.5f, -0.7f, 0.5f);
            Is.Near(UnityFrame.Convert(UnityFrame.Convert(any)), any, 0, "and back");
            JointTransform both = UnityFrame.Convert(new JointTransform { TranslationM = new Vec3(1, 0, 0), Rotation = any });
            Is.Near(both.TranslationM, new Vec3(-1, 0, 0), 0, "place");
            Is.Near(both.Rotation, new Quat(0.1f, -0.5f, 0.7f, 0.5f), 0, "rotation");
        }

        [Test]
        private static void TurningThenConvertingIsConvertingThenTurning()
        {
            Quat rotation = new Quat(0.5f, -0.1f, 0.7f, 0.5f);
            Vec3 vector = new Vec3(0.3f, -2, 1.1f);
            Vec3 a = UnityFrame.Convert(Rotations.Rotate(rotation, vector));
            Vec3 b = Rotations.Rotate(UnityFrame.Convert(rotation), UnityFrame.Convert(vector));
            Is.Near(a, b, Close, "a turned vector");
            Quat other = new Quat(0.1f, 0.7f, 0.1f, 0.7f);
            Is.Near(
                UnityFrame.Convert(Rotations.Multiply(rotation, other)),
                Rotations.Multiply(UnityFrame.Convert(rotation), UnityFrame.Convert(other)),
                Close,
                "a product");
        }

        [Test]
        private static void ALeftTurnIsALeftTurn()
        {
            // Ours: +90 degrees about Y bring ahead (+Z) to the left (+X).
            Quat left = new Quat(0, Half, 0, Half);
            Is.Near(Rotations.Rotate(left, new Vec3(0, 0, 1)), new Vec3(1, 0, 0), Close, "ours");
            // Unity's: the left is -X, a turn of -90 degrees about Y.
            Quat unity = UnityFrame.Convert(left);
            Is.Near(unity, new Quat(0, -Half, 0, Half), 0, "as a quaternion");
            Is.Near(Rotations.Rotate(unity, new Vec3(0, 0, 1)), new Vec3(-1, 0, 0), Close, "Unity's");
            JointTransform[] world = CanonicalBody.Rest();
            for (int joint = 0; joint < world.Length; joint++)
            {
                world[joint].Rotation = left;
            }
            AvatarBone hips = Of(Posed(Avatar(), world), HumanBone.Hips);
            Is.Near(Rotations.Rotate(hips.Rotation, new Vec3(0, 0, 1)), new Vec3(-1, 0, 0), Close, "the hips face left");
        }

        [Test]
        private static void ALeftHandThatIsRaisedStaysLeft()
        {
            // Ours: the left arm points to +X; +90 degrees about Z raise it.
            Quat raise = new Quat(0, 0, Half, Half);
            Is.Near(Rotations.Rotate(raise, new Vec3(1, 0, 0)), new Vec3(0, 1, 0), Close, "ours");
            AvatarBone[] bones = Posed(Avatar(), Turned("left_shoulder", raise));
            // Unity's: the left arm points to -X.
            AvatarBone arm = Of(bones, HumanBone.LeftUpperArm);
            Is.Near(Rotations.Rotate(arm.Rotation, new Vec3(-1, 0, 0)), new Vec3(0, 1, 0), Close, "the left arm is up");
            AvatarBone other = Of(bones, HumanBone.RightUpperArm);
            Is.Near(Rotations.Rotate(other.Rotation, new Vec3(1, 0, 0)), new Vec3(1, 0, 0), Close, "the right arm is out");
            // A rig whose bones point along their own Y: the left arm's Y is Unity's -X at rest, and up afterwards.
            Quat rig = new Quat(0, 0, Half, Half);
            arm = Of(Posed(Avatar(1, rig), Turned("left_shoulder", raise)), HumanBone.LeftUpperArm);
            Is.Near(Rotations.Rotate(rig, new Vec3(0, 1, 0)), new Vec3(-1, 0, 0), Close, "the rig's arm at rest");
            Is.Near(Rotations.Rotate(arm.Rotation, new Vec3(0, 1, 0)), new Vec3(0, 1, 0), Close, "the rig's arm is up");
            // One that is nodded about another axis, so that the order of the turns shows.
            rig = new Quat(Half, 0, 0, Half);
            arm = Of(Posed(Avatar(1, rig), Turned("left_shoulder", raise)), HumanBone.LeftUpperArm);
            Is.Near(arm.Rotation, new Quat(0.5f, -0.5f, -0.5f, 0.5f), Close, "a turn after the rig's own");
        }

        [Test]
        private static void ANamedJointMovesTheBoneOfItsSide()
        {
            Is.Same(HumanBones.All().Length, 22, "bones");
            Is.Same(HumanBones.All().Distinct().Count(), 22, "different bones");
            Is.Same(HumanBones.All().Select(HumanBones.Joint).Distinct().Count(), 22, "different joints");
            string[] names = CanonicalBody.JointNames();
            JointTransform[] rest = CanonicalBody.Rest();
            foreach (HumanBone bone in HumanBones.All())
            {
                string joint = HumanBones.Joint(bone);
                int index = Array.IndexOf(names, joint);
                Is.True(index >= 0, joint + " is a joint");
                float x = rest[index].TranslationM.X;
                string side = bone.ToString().StartsWith("Left") ? "left_" : bone.ToString().StartsWith("Right") ? "right_" : "";
                Is.True(side.Length == 0 ? x == 0 : joint.StartsWith(side) && (side == "left_" ? x > 0 : x < 0), joint);
            }
            Is.Same(HumanBones.Joint(HumanBone.LeftUpperLeg), "left_hip", "thigh");
            Is.Same(HumanBones.Joint(HumanBone.RightLowerArm), "right_elbow", "forearm");
            Is.Same(HumanBones.Joint(HumanBone.LeftToes), "left_foot", "toes");
            Is.Same(HumanBones.Joint(HumanBone.UpperChest), "spine3", "upper chest");
        }

        [Test]
        private static void BonesHaveUnitysNumbers()
        {
            foreach (HumanBone bone in Enum.GetValues(typeof(HumanBone)))
            {
                Is.Same(bone.ToString(), ((UnityEngine.HumanBodyBones)(int)bone).ToString(), "bone " + (int)bone);
            }
        }

        [Test]
        private static void ATrunkOfFewBonesTurnsAtItsTop()
        {
            Is.Same(HumanBones.Joint(HumanBone.Chest, true, true), "spine2", "three bones");
            Is.Same(HumanBones.Joint(HumanBone.Chest, true, false), "spine3", "two bones");
            Is.Same(HumanBones.Joint(HumanBone.Spine, true, false), "spine1", "two bones");
            Is.Same(HumanBones.Joint(HumanBone.Spine, false, false), "spine3", "one bone");
            Is.Same(HumanBones.Joint(HumanBone.LeftHand, false, false), "left_wrist", "others");
            AvatarBone[] few = Avatar().Where(bone => bone.Bone != HumanBone.Chest && bone.Bone != HumanBone.UpperChest
                && bone.Bone != HumanBone.Neck && bone.Bone != HumanBone.LeftToes && bone.Bone != HumanBone.RightToes
                && bone.Bone != HumanBone.LeftShoulder && bone.Bone != HumanBone.RightShoulder).ToArray();
            Quat bend = new Quat(Half, 0, 0, Half);
            AvatarBone[] posed = Posed(few, Turned("spine3", bend));
            Is.Same(posed.Length, 15, "bones");
            Is.Near(Of(posed, HumanBone.Spine).Rotation, bend, Close, "the one bone of the trunk");
        }

        [Test]
        private static void ARestingBodyIsTheAvatarsTPose()
        {
            Quat rig = new Quat(0.5f, -0.5f, 0.5f, 0.5f);
            foreach (AvatarBone bone in Posed(Avatar(1.5f, rig), CanonicalBody.Rest()))
            {
                Is.Near(bone.Rotation, rig, Close, bone.Bone.ToString());
            }
        }

        [Test]
        private static void TheHipsAreScaledByTheLegs()
        {
            JointTransform[] world = CanonicalBody.Rest();
            world[0].TranslationM = new Vec3(0.5f, 0.855f, 2);
            HumanoidPose pose = new HumanoidPose(Avatar(2), CanonicalBody.JointNames(), CanonicalBody.Rest());
            Is.Near(pose.Scale, 2, Close, "scale");
            // 10 cm lower, half a metre to the left, two ahead; twice of it.
            Vec3 hips = Of(Posed(Avatar(2), world), HumanBone.Hips).PositionM;
            Is.Near(hips, new Vec3(-1, 1.71f, 4), 1e-5, "hips");
        }

        [Test]
        private static void AnAvatarWhoseArmsHangIsBroughtToOurs()
        {
            AvatarBone[] avatar = Avatar();
            for (int index = 0; index < avatar.Length; index++)
            {
                // Its left arm hangs at 45 degrees, forearm and hand along it.
                float along = avatar[index].Bone == HumanBone.LeftLowerArm ? 0.265f
                    : avatar[index].Bone == HumanBone.LeftHand ? 0.515f
                    : 0;
                if (along > 0)
                {
                    avatar[index].PositionM = new Vec3(-0.18f - along * Half, 1.4f - along * Half, -0.01f);
                }
            }
            AvatarBone[] posed = Posed(avatar, CanonicalBody.Rest());
            Vec3 hanging = new Vec3(-Half, -Half, 0);
            HumanBone[] arm = { HumanBone.LeftUpperArm, HumanBone.LeftLowerArm, HumanBone.LeftHand };
            foreach (HumanBone bone in arm)
            {
                Is.Near(Rotations.Rotate(Of(posed, bone).Rotation, hanging), new Vec3(-1, 0, 0), 1e-5, bone + " is held out");
            }
        }

        [Test]
        private static void WhatIsMissingIsNamed()
        {
            AvatarBone[] avatar = Avatar().Where(bone => bone.Bone != HumanBone.LeftFoot).ToArray();
            ArgumentException error = Is.Thrown<ArgumentException>(() => Posed(avatar, CanonicalBody.Rest()), "no foot");
            Is.True(error.Message.Contains("LeftFoot"), error.Message);
            error = Is.Thrown<ArgumentException>(
                () => new HumanoidPose(Avatar(), new[] { "pelvis" }, new JointTransform[1]), "no joints");
            Is.True(error.Message.Contains("left_") || error.Message.Contains("spine1"), error.Message);
            Is.Thrown<ArgumentException>(() => Posed(Avatar(), new JointTransform[21]), "21 joints");
        }

        [Test]
        private static void RotationsBetweenDirections()
        {
            Vec3 up = new Vec3(0, 2, 0);
            Is.Near(Rotations.Between(up, new Vec3(0, 0, 5)), new Quat(Half, 0, 0, Half), Close, "a quarter");
            Is.Near(Rotations.Between(up, up), Rotations.Identity, Close, "none");
            Vec3 down = Rotations.Rotate(Rotations.Between(up, new Vec3(0, -1, 0)), up);
            Is.Near(down, new Vec3(0, -2, 0), Close, "half a turn");
            Is.Near(Rotations.Between(up, new Vec3(0, 0, 0)), Rotations.Identity, 0, "no direction");
            Quat near = new Quat(0, -Half, 0, -Half);
            Is.Near(Rotations.Continue(new Quat(0, Half, 0, Half), near), new Quat(0, Half, 0, Half), 0, "sign");
        }

        [Test]
        private static void CurvesKeepTheirShapeWithFewKeys()
        {
            float[] line = Enumerable.Range(0, 41).Select(frame => 3 - 0.25f * frame).ToArray();
            CurveKey[] keys = CurveKeys.Reduce(line, 20, 1e-5f);
            Is.Same(keys.Length, 2, "keys of a line");
            Is.Near(keys[1].TimeSecs, 2, Close, "its end");
            Is.Near(keys[1].Value, -7, Close, "its value");
            Is.Near(keys[0].Slope, -5, 1e-4, "its slope, per second");
            float[] parabola = Enumerable.Range(0, 41).Select(frame => (frame / 20f - 1) * (frame / 20f - 1)).ToArray();
            keys = CurveKeys.Reduce(parabola, 20, 1e-5f);
            Is.Same(keys.Length, 2, "keys of a parabola");
            Is.Near(keys[0].Slope, -2, 1e-4, "slope at its start");
            Is.Near(CurveKeys.Evaluate(keys, 1), 0, 1e-5, "its middle");
            float[] wave = Enumerable.Range(0, 201).Select(frame => (float)Math.Sin(frame / 20.0 * 2)).ToArray();
            keys = CurveKeys.Reduce(wave, 20, 0.005f);
            Is.True(keys.Length > 6 && keys.Length < 40, "keys of a wave: " + keys.Length);
            for (int frame = 0; frame < wave.Length; frame++)
            {
                Is.Near(CurveKeys.Evaluate(keys, frame / 20.0), wave[frame], 0.005001, "frame " + frame);
            }
            float[] step = { 0, 0, 0, 1, 1, 1 };
            Is.True(CurveKeys.Reduce(step, 20, 0.001f).Length >= 4, "keys of a step");
            Is.Same(CurveKeys.Reduce(new[] { 4f }, 20, 0.1f).Length, 1, "one frame");
            Is.Same(CurveKeys.Reduce(new float[0], 20, 0.1f).Length, 0, "no frame");
            Is.Thrown<ArgumentOutOfRangeException>(() => CurveKeys.Reduce(step, 0, 0.1f), "no rate");
            Is.Thrown<ArgumentOutOfRangeException>(() => CurveKeys.Reduce(step, 20, float.NaN), "no tolerance");
        }

        [Test]
        private static void MusclesOfFingersAndFacesAreLeftAlone()
        {
            string[] ours = { "Spine Front-Back", "Left Upper Leg In-Out", "Right Arm Twist In-Out", "Right Forearm Stretch", "Head Tilt Left-Right", "Left Toes Up-Down" };
            string[] others = { "Left Eye Down-Up", "Jaw Close", "Left Thumb 1 Stretched", "Right Index Spread", "Left Little 3 Stretched" };
            Is.True(ours.All(Muscles.IsMoved), "moved");
            Is.True(!others.Any(Muscles.IsMoved), "left alone");
        }

        [Test]
        private static void FramesAtAnotherRate()
        {
            Is.Same(SampledClip.FrameCount(20, 20, 20), 20, "the clip's own");
            Is.Same(SampledClip.FrameCount(21, 20, 60), 61, "three times");
            Is.Same(SampledClip.FrameCount(20, 20, 30), 29, "0.95 s at 30");
            Is.Same(SampledClip.FrameCount(1, 20, 30), 1, "one");
            Is.Same(SampledClip.FrameCount(0, 20, 30), 0, "none");
            using (Clip clip = Clip.Load(Files.Repository("assets/clips/walk_mixamo_cm.bvh")))
            {
                SampledClip sampled = new SampledClip(clip, 2 * clip.Info.Fps);
                Is.Same(sampled.Frames.Length, 2 * clip.Info.FrameCount - 1, "frames");
                JointTransform[] joints = new JointTransform[clip.Info.JointCount];
                clip.Sample(10 / clip.Info.Fps, JointSpace.World, joints);
                Is.Near(sampled.Frames[20][0].TranslationM, joints[0].TranslationM, Close, "the same time");
                Is.True(Math.Abs(sampled.Frames[40][0].TranslationM.Z - joints[0].TranslationM.Z) > 0.01, "it moves");
                Is.Near(new SampledClip(clip).Fps, clip.Info.Fps, 0, "its own rate");
            }
        }

        private static string Task(int steps)
        {
            using (MotionTask task = new MotionTask("a person walks forward").Duration(1).Steps(steps).Seed(5))
            {
                return task.ToJson();
            }
        }

        private static void Wait(GenerationRun run)
        {
            while (!run.IsOver)
            {
                Thread.Sleep(5);
            }
        }

        [Test]
        private static void ARunMakesAClipThatThePoseTakes()
        {
            GenerationRun run = new GenerationRun(Files.Model, Task(20), 30);
            Is.True(run.Result == null && run.Error == null, "it has just begun");
            Wait(run);
            Is.Same(run.Error, null, "error");
            Is.Near(run.Fraction, 1, 0, "fraction");
            SampledClip clip = run.Result;
            Is.Same(clip.Frames.Length, 29, "frames");
            Is.True(clip.JointNames.SequenceEqual(CanonicalBody.JointNames()), "names");
            JointTransform[] rest = CanonicalBody.Rest();
            for (int joint = 0; joint < rest.Length; joint++)
            {
                Is.Near(clip.Rest[joint].TranslationM, rest[joint].TranslationM, 1e-6, clip.JointNames[joint]);
            }
            // The avatar has our proportions, so that its hand must be where ours is.
            AvatarBone[] posed = Posed(Avatar(), clip.Frames[14]);
            Vec3 hips = Of(posed, HumanBone.Hips).PositionM;
            Is.Near(hips, UnityFrame.Convert(clip.Frames[14][0].TranslationM), 1e-5, "hips");
            Vec3 knee = Reach(posed, clip.Frames[14], HumanBone.LeftUpperLeg, "left_hip", "left_knee");
            Is.Near(knee, UnityFrame.Convert(clip.Frames[14][4].TranslationM), 1e-4, "left knee");
            Vec3 wrist = Reach(posed, clip.Frames[14], HumanBone.RightLowerArm, "right_elbow", "right_wrist");
            Is.Near(wrist, UnityFrame.Convert(clip.Frames[14][21].TranslationM), 1e-4, "right wrist");
            GenerationRun.CloseModel();
        }

        // Where a bone of the avatar ends if it begins where our joint is.
        private static Vec3 Reach(AvatarBone[] posed, JointTransform[] world, HumanBone bone, string from, string to)
        {
            string[] names = CanonicalBody.JointNames();
            JointTransform[] rest = CanonicalBody.Rest();
            Vec3 a = rest[Array.IndexOf(names, from)].TranslationM;
            Vec3 b = rest[Array.IndexOf(names, to)].TranslationM;
            Vec3 along = Rotations.Rotate(
                Of(posed, bone).Rotation, UnityFrame.Convert(new Vec3(b.X - a.X, b.Y - a.Y, b.Z - a.Z)));
            Vec3 start = UnityFrame.Convert(world[Array.IndexOf(names, from)].TranslationM);
            return new Vec3(start.X + along.X, start.Y + along.Y, start.Z + along.Z);
        }

        [Test]
        private static void ARunIsCancelledOrFails()
        {
            GenerationRun run = new GenerationRun(Files.Model, Task(500));
            while (run.Fraction <= 0)
            {
                Is.True(!run.IsOver, "it ended: " + run.Error);
                Thread.Sleep(5);
            }
            run.Cancel();
            Wait(run);
            Is.True(run.IsCancelled && run.Error == null && run.Result == null, "cancelled: " + run.Error);
            run = new GenerationRun(Files.Scratch("no model"), Task(2));
            Wait(run);
            Is.True(run.Error != null && run.Error.Contains("no model"), run.Error);
            run = new GenerationRun(Files.Model, "{}");
            Wait(run);
            Is.True(run.Error != null && run.Error.Contains("duration_secs"), run.Error);
            GenerationRun.CloseModel();
        }
    }
}
