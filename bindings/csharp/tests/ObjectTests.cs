using System;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;

namespace Kinograd.Tests
{
    /// <summary>Clips of files, characters, gradients; what is wrong, and what is gone.</summary>
    internal static class ObjectTests
    {
        private static Clip Captured()
        {
            return Clip.Load(Files.Repository("assets/clips/walk_mixamo_cm.bvh"));
        }

        [Test]
        private static void TheVersionIsThatOfTheLibrary()
        {
            Is.Same(KinogradLibrary.Version(), "0.1.0", "version");
            Is.Same(Marshal.SizeOf(typeof(JointTransform)), 28, "bytes of a transform");
        }

        [Test]
        private static void OtherVersionsAreRefused()
        {
            MethodInfo fits = typeof(Clip).Assembly.GetType("Kinograd.Native.Call")
                .GetMethod("Fits", BindingFlags.Static | BindingFlags.NonPublic);
            Func<uint, uint, uint, bool> taken =
                (major, minor, patch) => (bool)fits.Invoke(null, new object[] { major, minor, patch });
            Is.True(taken(0, 1, 0), "its own");
            Is.True(taken(0, 1, 7), "a later one without a break");
            Is.True(!taken(0, 2, 0), "while the first number is 0, another second one may break");
            Is.True(!taken(0, 0, 9) && !taken(1, 1, 0), "another one");
        }

        [Test]
        private static void AClipOfAFile()
        {
            using (Clip clip = Captured())
            {
                ClipInfo info = clip.Info;
                string[] names = clip.JointNames();
                Is.Same(names.Length, info.JointCount, "names");
                int[] parents = new int[info.JointCount];
                clip.Parents(parents);
                Is.Same(parents[0], -1, "the root's parent");
                Is.True(parents.Skip(1).Select((parent, at) => parent >= 0 && parent <= at).All(fine => fine), "order");
                JointTransform[] local = new JointTransform[info.JointCount];
                JointTransform[] world = new JointTransform[info.JointCount];
                clip.Rest(JointSpace.Local, local);
                Is.True(local.All(joint => Math.Abs(joint.Rotation.W) > 0.999999), "a joint is turned at rest");
                clip.Sample(0.5, JointSpace.Local, local);
                clip.Sample(0.5, JointSpace.World, world);
                Is.Near(world[0].TranslationM, local[0].TranslationM, 1e-6, "the root");
                Is.True(world[0].TranslationM.Y > 0.5 && world[0].TranslationM.Y < 1.5, "metres: " + world[0].TranslationM);
                JointTransform motion = clip.RootMotion(0, info.DurationSecs);
                JointTransform end = clip.Root(info.DurationSecs);
                Is.Near(end.TranslationM.Y, 0, 1e-6, "the root is on the ground");
                Is.True(Math.Abs(motion.TranslationM.Z) + Math.Abs(motion.TranslationM.X) > 0.2, "travel");
                Is.True(Enumerable.Range(0, 20).Any(step => clip.FootContacts(step * info.DurationSecs / 20) != Foot.None), "no foot stands");
                Is.True(clip.ReportJson().StartsWith("{"), "report");
            }
        }

        [Test]
        private static void PathsAreUnicode()
        {
            string file = Files.Scratch("Übung – 走る.glb");
            using (Clip clip = Captured())
            {
                clip.Save(file, new SaveOptions { Fps = 30, RootMotion = "extract" });
                byte[] inMemory = clip.Encode("glb", new SaveOptions { Fps = 30, RootMotion = "extract" });
                Is.True(inMemory.SequenceEqual(File.ReadAllBytes(file)), "file and memory");
                KinogradException error = Is.Thrown<KinogradException>(
                    () => clip.Save(file, new SaveOptions { JointNames = "größe" }), "unknown names");
                Is.Same(error.Status, KinogradStatus.InvalidArgument, "status");
                Is.True(error.Message.Contains("größe"), error.Message);
                Is.Same(
                    Is.Thrown<KinogradException>(() => clip.Encode("docx"), "unknown format").Status,
                    KinogradStatus.UnknownFormat,
                    "status");
            }
            using (Clip again = Clip.Load(file))
            {
                Is.Near(again.Info.Fps, 30, 1e-9, "fps");
            }
            string gone = Files.Scratch("nicht da – 無い.glb");
            KinogradException missing = Is.Thrown<KinogradException>(() => Clip.Load(gone), "no file");
            Is.Same(missing.Status, KinogradStatus.ReadFailed, "status");
            Is.True(missing.Message.Contains(gone), missing.Message);
        }

        [Test]
        private static void EachOptionOfAFileArrives()
        {
            using (Clip clip = GenerationTests.Made(GenerationTests.Walk(2)))
            {
                Func<SaveOptions, string> bvh = options => Encoding.UTF8.GetString(clip.Encode("bvh", options));
                string plain = bvh(null);
                Is.True(plain.Contains("ROOT pelvis") && plain.Contains("Frames: 20"), plain.Substring(0, 400));
                Is.True(bvh(new SaveOptions { RootMotion = "extract" }).Contains("ROOT root"), "root motion");
                Is.True(bvh(new SaveOptions { JointNames = "unity" }).Contains("LeftUpperLeg"), "names");
                Is.True(bvh(new SaveOptions { Fps = 40 }).Contains("Frames: 40"), "frame rate");
                // The thigh lies 8.5 cm to the side.
                Is.True(plain.Contains("OFFSET 0.085") && bvh(new SaveOptions { UnitToMetre = 0.01 }).Contains("OFFSET 8.5"), "unit");
                Is.True(bvh(new SaveOptions { RestPose = "a" }) != plain, "rest pose");
            }
        }

        [Test]
        private static void TextsAreUnicode()
        {
            using (MotionTask task = new MotionTask("a person wavés – 手を振る 👋"))
            {
                Is.True(task.ToJson().Contains("a person wavés – 手を振る 👋"), task.ToJson());
                Is.Same(task.ModelName(), "motion-base", "model");
            }
            Is.True(
                Is.Thrown<ArgumentException>(() => new MotionTask("a\0b"), "NUL").Message.Contains("NUL"), "NUL");
            Is.Same(Is.Thrown<ArgumentException>(() => new MotionTask("a\ud800b"), "surrogate").ParamName, "prompt", "name");
            Is.Same(Is.Thrown<ArgumentNullException>(() => new MotionTask(null), "null").ParamName, "prompt", "name");
        }

        [Test]
        private static void MistakesOfATaskNameTheField()
        {
            string json = "{\"duration_secs\": 2, \"prompts\": [{\"text\": \"a person walks\"}], \"goals\": [{\"kind\": \"root_target\", \"positon_m\": [0, 1]}]}";
            KinogradException error = Is.Thrown<KinogradException>(() => MotionTask.FromJson(json), "a wrong field");
            Is.Same(error.Status, KinogradStatus.InvalidTask, "status");
            Is.True(error.Message.Contains("positon_m"), error.Message);
            Is.Same(
                Is.Thrown<KinogradException>(() => MotionTask.FromJson("{"), "half of a task").Status,
                KinogradStatus.InvalidTask,
                "status");
            using (MotionTask task = new MotionTask("a person walks").Duration(-1))
            {
                error = Is.Thrown<KinogradException>(task.Check, "a negative duration");
                Is.True(error.Message.Contains("duration_secs"), error.Message);
                error = Is.Thrown<KinogradException>(
                    () => GenerationTests.Opened.GenerateAsync(task).GetAwaiter().GetResult(), "a job of it");
                Is.Same(error.Status, KinogradStatus.InvalidTask, "status");
                error = Is.Thrown<KinogradException>(() => task.Method("projektion"), "an unknown method");
                Is.True(error.Message.Contains("projection"), error.Message);
                Is.Thrown<ArgumentOutOfRangeException>(() => task.Steps(-1), "negative steps");
            }
        }

        [Test]
        private static void BuildersSayWhatJsonSays()
        {
            using (MotionTask task = new MotionTask("a person walks forward"))
            {
                task.Then("a person waves", 2).Duration(4).Fps(30).Target(1, 2).Waypoint(0.5, 1, 1.5)
                    .Obstacle(0.2, 0.4, 0.1).Seed(9).Count(2).BestOf(3).Steps(11).Method("projection")
                    .GuidanceScale(0.5).FootLock(false);
                string json = task.ToJson();
                using (MotionTask again = MotionTask.FromJson(json))
                {
                    Is.Same(again.ToJson(), json, "JSON");
                }
                string[] words =
                {
                    "a person waves", "\"fps\":30", "\"seed\":9", "\"count\":2", "\"best_of\":3", "\"steps\":11",
                    "projection", "\"foot_lock\":false",
                };
                string dense = json.Replace("\n", "").Replace(": ", ":");
                foreach (string word in words)
                {
                    Is.True(dense.Contains(word), word + " is not in " + json);
                }
            }
        }

        [Test]
        private static void AnArrayThatIsTooShort()
        {
            using (Clip clip = Captured())
            {
                JointTransform[] few = new JointTransform[3];
                KinogradException error = Is.Thrown<KinogradException>(() => clip.Sample(0, JointSpace.World, few), "3 places");
                Is.Same(error.Status, KinogradStatus.BufferTooSmall, "status");
                Is.Same(
                    Is.Thrown<KinogradException>(() => clip.Rest(JointSpace.World, new JointTransform[0]), "none").Status,
                    KinogradStatus.BufferTooSmall,
                    "status");
                Is.Same(
                    Is.Thrown<KinogradException>(() => clip.Parents(new int[0]), "none").Status,
                    KinogradStatus.BufferTooSmall,
                    "status");
                Is.Thrown<ArgumentNullException>(() => clip.Sample(0, JointSpace.World, null), "null");
                JointTransform[] enough = new JointTransform[clip.Info.JointCount];
                Is.Same(
                    Is.Thrown<KinogradException>(() => clip.Sample(double.NaN, JointSpace.World, enough), "no time").Status,
                    KinogradStatus.InvalidArgument,
                    "status");
            }
        }

        [Test]
        private static void DisposedTwiceAndUsedAfter()
        {
            Clip clip = Captured();
            clip.Dispose();
            clip.Dispose();
            Is.Same(Is.Thrown<ObjectDisposedException>(() => clip.Root(0), "clip").ObjectName, "Kinograd.Clip", "name");
            Is.Thrown<ObjectDisposedException>(() => clip.Save("x.glb"), "clip");
            Is.True(clip.Info.JointCount > 0, "what is known stays");
            MotionTask task = new MotionTask("a person walks");
            task.Dispose();
            task.Dispose();
            Is.Same(Is.Thrown<ObjectDisposedException>(() => task.Seed(1), "task").ObjectName, "Kinograd.MotionTask", "name");
            Is.Thrown<ObjectDisposedException>(() => GenerationTests.Opened.Start(task), "a job of it");
            Model model = new Model(Files.Model, Files.BuiltIn);
            Job job = model.Start(GenerationTests.Walk(200));
            model.Dispose();
            model.Dispose();
            Is.Thrown<ObjectDisposedException>(() => model.InfoJson(), "model");
            Is.True(job.Progress().State == JobState.Running || job.Progress().State == JobState.Queued, "the job goes on");
            job.Cancel();
            Is.Thrown<OperationCanceledException>(job.Wait, "the cancelled job");
            job.Dispose();
            job.Dispose();
            Is.Thrown<ObjectDisposedException>(() => job.Progress(), "job");
            Rig rig = new Rig(Files.Repository("assets/characters/small.glb"));
            rig.Dispose();
            rig.Dispose();
            Is.Thrown<ObjectDisposedException>(() => rig.ReportJson(), "rig");
        }

        [Test]
        private static void ACharacter()
        {
            string file = Files.Repository("assets/characters/small.glb");
            using (Rig rig = new Rig(file))
            using (Clip clip = Captured())
            using (Clip on = rig.Retarget(clip))
            using (Clip kept = rig.Retarget(clip, "kept"))
            {
                Is.True(rig.ReportJson().StartsWith("{"), "report");
                Is.True(Encoding.ASCII.GetString(on.Encode("glb"), 0, 4) == "glTF", "GLB");
                double scaled = Math.Abs(on.Root(9).TranslationM.Z) + Math.Abs(on.Root(9).TranslationM.X);
                double same = Math.Abs(kept.Root(9).TranslationM.Z) + Math.Abs(kept.Root(9).TranslationM.X);
                Is.True(scaled < same, "a small character goes less far: " + scaled + " of " + same);
                Is.Same(
                    Is.Thrown<KinogradException>(() => rig.Retarget(clip, "flown"), "unknown travel").Status,
                    KinogradStatus.InvalidArgument,
                    "status");
            }
            Is.Same(
                Is.Thrown<KinogradException>(() => new Rig("none.glb"), "no file").Status, KinogradStatus.ReadFailed, "status");
            using (Clip made = GenerationTests.Made(GenerationTests.Walk(2).ForRig(file)))
            {
                Is.True(made.Info.JointCount != 22, "joints of the character: " + made.Info.JointCount);
            }
        }

        [Test]
        private static void AGradient()
        {
            string model = Files.Repository("models/motion-judge/motion_embedding.onnx");
            string written = Files.Scratch("Ableitung.onnx");
            string report = OnnxGradient.Write(model, written);
            Is.True(report.Contains("Ableitung.onnx"), report);
            Is.True(new FileInfo(written).Length > 1000, "the file");
            KinogradException error = Is.Thrown<KinogradException>(
                () => OnnxGradient.Write(model, written, new OnnxGradientOptions { Inputs = new[] { "größe" } }), "no such input");
            Is.True(error.Message.Contains("größe"), error.Message);
            Is.Thrown<ArgumentNullException>(
                () => OnnxGradient.Write(model, written, new OnnxGradientOptions { Outputs = new string[] { null } }), "null");
        }

        [Test]
        private static void ModelsThatAreNotThere()
        {
            KinogradException error = Is.Thrown<KinogradException>(() => new Model("./größe"), "no folder");
            Is.True(error.Message.Contains("größe"), error.Message);
            error = Is.Thrown<KinogradException>(
                () => new Model(Files.Model, new EngineOptions { Engine = "steam" }), "no such engine");
            Is.Same(error.Status, KinogradStatus.InvalidArgument, "status");
            Is.True(error.Message.Contains("steam"), error.Message);
            Is.True(GenerationTests.Opened.InfoJson().Contains("motion-base"), "info");
        }

        [Test]
        private static void MessagesComeAndEnd()
        {
            int heard = 0;
            KinogradLibrary.Log(LogLevel.Trace, (level, message) =>
            {
                System.Threading.Interlocked.Increment(ref heard);
                Is.True(level >= LogLevel.Error && level <= LogLevel.Trace, "level");
                throw new InvalidOperationException("dropped");
            });
            GenerationTests.Made(GenerationTests.Walk(2)).Dispose();
            KinogradLibrary.Log(LogLevel.Off, null);
            Is.True(heard > 0, "no message");
            int before = heard;
            GenerationTests.Made(GenerationTests.Walk(2)).Dispose();
            Is.Same(heard, before, "messages after the end");
            Is.Thrown<KinogradException>(() => KinogradLibrary.Log((LogLevel)77, (level, message) => { }), "no such level");
        }
    }
}
