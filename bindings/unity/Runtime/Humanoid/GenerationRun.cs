using System;
using System.Threading;
using System.Threading.Tasks;

namespace Kinograd.Humanoid
{
    /// <summary>
    /// A clip that is made away from the thread that asks for it, which looks at it from frame to frame: opening the
    /// model, generating and sampling. Any thread may look.
    /// </summary>
    public sealed class GenerationRun : IProgress<GenerationProgress>
    {
        private static readonly object OpenLock = new object();
        private static string openFolder;
        private static Model openModel;

        private readonly CancellationTokenSource cancellation = new CancellationTokenSource();
        private readonly Task<SampledClip> work;
        private int permille;

        /// <summary>Starts.</summary>
        /// <param name="modelFolder">Folder of the model package; it stays open for the next run.</param>
        /// <param name="taskJson">What is asked for, <see cref="MotionTask.ToJson"/>.</param>
        /// <param name="fps">Frames per second of the samples; 0 is the clip's own.</param>
        public GenerationRun(string modelFolder, string taskJson, double fps = 0)
        {
            work = Task.Run(() => Work(modelFolder, taskJson, fps), cancellation.Token);
        }

        /// <summary>Whether it has ended: done, failed or cancelled.</summary>
        public bool IsOver
        {
            get { return work.IsCompleted; }
        }

        /// <summary>Whether it was cancelled.</summary>
        public bool IsCancelled
        {
            get { return work.IsCanceled; }
        }

        /// <summary>The part that is done, 0 to 1.</summary>
        public float Fraction
        {
            get { return Volatile.Read(ref permille) / 1000f; }
        }

        /// <summary>Why it failed, in the library's words; null where it did not.</summary>
        public string Error
        {
            get { return work.IsFaulted ? work.Exception.GetBaseException().Message : null; }
        }

        /// <summary>The clip; null where it is not there.</summary>
        public SampledClip Result
        {
            get { return work.Status == TaskStatus.RanToCompletion ? work.Result : null; }
        }

        /// <summary>Asks it to stop after the step that it is at; it does not wait.</summary>
        public void Cancel()
        {
            cancellation.Cancel();
        }

        /// <summary>Closes the model that is kept open. Runs that use it go on.</summary>
        public static void CloseModel()
        {
            lock (OpenLock)
            {
                if (openModel != null)
                {
                    openModel.Dispose();
                }
                openModel = null;
                openFolder = null;
            }
        }

        void IProgress<GenerationProgress>.Report(GenerationProgress value)
        {
            Volatile.Write(ref permille, (int)(value.Fraction * 1000));
        }

        private SampledClip Work(string modelFolder, string taskJson, double fps)
        {
            CancellationToken token = cancellation.Token;
            Task<Clip> making;
            using (MotionTask task = MotionTask.FromJson(taskJson))
            {
                lock (OpenLock)
                {
                    token.ThrowIfCancellationRequested();
                    making = Opened(modelFolder).GenerateAsync(task, this, token);
                }
            }
            using (Clip clip = making.GetAwaiter().GetResult())
            {
                return new SampledClip(clip, fps);
            }
        }

        private static Model Opened(string folder)
        {
            if (openModel == null || openFolder != folder)
            {
                Model model = new Model(folder);
                if (openModel != null)
                {
                    openModel.Dispose();
                }
                openModel = model;
                openFolder = folder;
            }
            return openModel;
        }
    }
}
