using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;

namespace Kinograd.Tests
{
    /// <summary>Clips that the model makes.</summary>
    internal static class GenerationTests
    {
        private static Model opened;

        internal static Model Opened
        {
            get { return opened ?? (opened = new Model(Files.Model, Files.BuiltIn)); }
        }

        /// <summary>A walk of a second.</summary>
        internal static MotionTask Walk(int steps)
        {
            return new MotionTask("a person walks forward").Duration(1).Steps(steps).Seed(5);
        }

        internal static Clip Made(MotionTask task)
        {
            using (task)
            {
                return Opened.GenerateAsync(task).GetAwaiter().GetResult();
            }
        }

        private sealed class Heard : IProgress<GenerationProgress>
        {
            internal readonly List<GenerationProgress> All = new List<GenerationProgress>();

            public void Report(GenerationProgress value)
            {
                lock (All)
                {
                    All.Add(value);
                }
            }
        }

        [Test]
        private static void AClipIsThatOfTheCommandLine()
        {
            string json;
            using (MotionTask task = Walk(4).Target(0.2, 0.8))
            {
                json = task.ToJson();
            }
            string asked = Files.Scratch("task.json");
            string file = Files.Scratch("walk.npz");
            File.WriteAllText(asked, json);
            Files.Command("generate --task \"" + asked + "\" --runtime builtin --threads 2 -o \"" + file + "\"");
            using (Clip ours = Made(MotionTask.FromJson(json)))
            using (Clip theirs = Clip.Load(file))
            {
                Is.Same(ours.Info.FrameCount, theirs.Info.FrameCount, "frames");
                Is.True(ours.JointNames().SequenceEqual(theirs.JointNames()), "names");
                JointTransform[] a = new JointTransform[22];
                JointTransform[] b = new JointTransform[22];
                for (int frame = 0; frame < ours.Info.FrameCount; frame++)
                {
                    ours.Sample(frame / ours.Info.Fps, JointSpace.World, a);
                    theirs.Sample(frame / theirs.Info.Fps, JointSpace.World, b);
                    for (int joint = 0; joint < 22; joint++)
                    {
                        // What a file in single precision leaves.
                        string what = "joint " + joint + " of frame " + frame;
                        Is.Near(a[joint].TranslationM, b[joint].TranslationM, 2e-6, what);
                    }
                }
                ours.Sample(0.95, JointSpace.World, a);
                Is.True(a[0].TranslationM.Z > 0.5, "it walks: " + a[0].TranslationM);
                // The same bytes, too: the same record.
                Is.True(ours.Encode("npz").SequenceEqual(File.ReadAllBytes(file)), "other bytes than the command's");
            }
        }

        [Test]
        private static void ProgressIsReportedInOrder()
        {
            Heard heard = new Heard();
            using (MotionTask task = Walk(40))
            using (Clip clip = Opened.GenerateAsync(task, heard).GetAwaiter().GetResult())
            {
                Is.Same(clip.Info.Seed, 5UL, "seed");
            }
            Is.True(heard.All.Count >= 3, "reports: " + heard.All.Count);
            for (int index = 1; index < heard.All.Count; index++)
            {
                Is.True(heard.All[index].Done >= heard.All[index - 1].Done, "steps went back");
            }
            GenerationProgress last = heard.All[heard.All.Count - 1];
            Is.Same(last.State, JobState.Done, "state");
            Is.Same(last.Done, last.Total, "steps");
            Is.Same(last.ClipCount, 1, "clips");
            Is.Near(last.Fraction, 1, 0, "fraction");
        }

        [Test]
        private static void ACancelledTaskIsCancelled()
        {
            using (MotionTask task = Walk(500))
            using (CancellationTokenSource cancellation = new CancellationTokenSource())
            {
                Heard heard = new Heard();
                Task<Clip> making = Opened.GenerateAsync(task, heard, cancellation.Token);
                while (!heard.All.ToArray().Any(progress => progress.Done > 0))
                {
                    Is.True(!making.IsCompleted, "it ended before it was cancelled");
                    Thread.Sleep(5);
                }
                cancellation.Cancel();
                OperationCanceledException error =
                    Is.Thrown<TaskCanceledException>(() => making.GetAwaiter().GetResult(), "cancelled");
                Is.True(making.IsCanceled, "the task's status is " + making.Status);
                Is.Same(error.CancellationToken, cancellation.Token, "token");
                Is.True(Opened.GenerateAsync(task, null, cancellation.Token).IsCanceled, "cancelled before the start");
            }
            Made(Walk(2)).Dispose();
        }

        [Test]
        private static void AListenerThatThrowsEndsTheJob()
        {
            using (MotionTask task = Walk(500))
            {
                Task<Clip> making = Opened.GenerateAsync(task, new Thrower());
                Is.Same(
                    Is.Thrown<InvalidTimeZoneException>(() => making.GetAwaiter().GetResult(), "the listener's").Message,
                    "listener",
                    "message");
            }
            // The model is free again, and not after 500 steps.
            Made(Walk(2)).Dispose();
        }

        private sealed class Thrower : IProgress<GenerationProgress>
        {
            public void Report(GenerationProgress value)
            {
                throw new InvalidTimeZoneException("listener");
            }
        }

        [Test]
        private static void AllClipsOfATask()
        {
            using (MotionTask task = Walk(2).Count(2))
            {
                Clip[] clips = Opened.GenerateAllAsync(task).GetAwaiter().GetResult();
                Is.Same(clips.Length, 2, "clips");
                Is.Same(clips[0].Info.Seed + 1, clips[1].Info.Seed, "seeds");
                foreach (Clip clip in clips)
                {
                    clip.Dispose();
                }
                using (Clip first = Opened.GenerateAsync(task).GetAwaiter().GetResult())
                {
                    Is.Same(first.Info.Seed, 5UL, "seed of the first");
                }
            }
        }

        [Test]
        private static void AJobIsPolledAndHasEstimates()
        {
            using (MotionTask task = Walk(20))
            using (Job job = Opened.Start(task, true))
            {
                KinogradException early = Is.Thrown<KinogradException>(() => job.Clip(0), "a clip too early");
                Is.Same(early.Status, KinogradStatus.NotReady, "status");
                int seen = 0;
                while (!job.Wait(0.005))
                {
                    using (Clip estimate = job.Estimate())
                    {
                        if (estimate != null)
                        {
                            seen++;
                            Is.Same(estimate.Info.JointCount, 22, "joints of the estimate");
                        }
                    }
                }
                Is.True(seen > 0, "no estimate");
                job.Cancel();
                job.Clip(0).Dispose();
                Is.Same(
                    Is.Thrown<KinogradException>(() => job.Clip(1), "a clip too many").Status,
                    KinogradStatus.InvalidArgument,
                    "status");
                Is.Thrown<ArgumentOutOfRangeException>(() => job.Clip(-1), "a clip before the first");
            }
        }

        [Test]
        private static void TwoThreadsShareAModel()
        {
            byte[][] files = new byte[2][];
            Exception[] failures = new Exception[2];
            Thread[] threads = new Thread[2];
            for (int index = 0; index < 2; index++)
            {
                int own = index;
                threads[own] = new Thread(() =>
                {
                    try
                    {
                        using (Clip clip = Made(Walk(3)))
                        {
                            files[own] = clip.Encode("npz");
                        }
                    }
                    catch (Exception error)
                    {
                        failures[own] = error;
                    }
                });
                threads[own].Start();
            }
            foreach (Thread thread in threads)
            {
                thread.Join();
            }
            Is.True(failures[0] == null && failures[1] == null, "" + failures[0] + failures[1]);
            Is.True(files[0].SequenceEqual(files[1]), "two threads, two clips");
        }

        [Test]
        private static void NothingIsLostUnderTheGarbageCollector()
        {
            bool isOver = false;
            Thread collector = new Thread(() =>
            {
                while (!Volatile.Read(ref isOver))
                {
                    GC.Collect();
                    GC.WaitForPendingFinalizers();
                }
            });
            collector.Start();
            try
            {
                for (int round = 0; round < 4; round++)
                {
                    // Nobody holds the task, the model's wrapper is new, estimates are left to the collector.
                    Clip clip = new Model(Files.Model, Files.BuiltIn).GenerateAsync(Walk(2)).GetAwaiter().GetResult();
                    JointTransform[] joints = new JointTransform[22];
                    for (int sample = 0; sample < 2000; sample++)
                    {
                        clip.Sample(sample / 2000.0, JointSpace.World, joints);
                        Is.True(joints[0].TranslationM.Y > 0.5f, "hips at " + joints[0].TranslationM);
                    }
                    for (int encoding = 0; encoding < 20; encoding++)
                    {
                        Is.True(new MotionTask("a person waves").ToJson().Contains("waves"), "JSON");
                        Is.True(clip.ReportJson().Length > 100, "report");
                    }
                }
            }
            finally
            {
                Volatile.Write(ref isOver, true);
                collector.Join();
            }
        }
    }
}
