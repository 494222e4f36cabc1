using System;
using System.Threading;
using Kinograd.Native;

namespace Kinograd
{
    /// <summary>Where a job stands.</summary>
    public enum JobState
    {
        /// <summary>It waits for another job of its model.</summary>
        Queued = 0,

        /// <summary>It works.</summary>
        Running = 1,

        /// <summary>Its clips are there.</summary>
        Done = 2,

        /// <summary>It failed; <see cref="Job.Wait()"/> says why.</summary>
        Failed = 3,

        /// <summary>It was cancelled.</summary>
        Cancelled = 4,
    }

    /// <summary>How far a job is.</summary>
    public struct GenerationProgress
    {
        /// <summary>Where the job stands.</summary>
        public JobState State { get; internal set; }

        /// <summary>Units of work that are done, as denoising steps.</summary>
        public long Done { get; internal set; }

        /// <summary>Units of work; 0 before they are known.</summary>
        public long Total { get; internal set; }

        /// <summary>Number of clips that are there: all of them, once the job is done.</summary>
        public int ClipCount { get; internal set; }

        /// <summary>How many estimates <see cref="Job.Estimate"/> has had; a change says that there is a new one.</summary>
        public int EstimateCount { get; internal set; }

        /// <summary>The part that is done, 0 to 1.</summary>
        public double Fraction
        {
            get { return Total > 0 ? (double)Done / Total : 0; }
        }
    }

    /// <summary>
    /// Clips that are being made, on a thread of the library. Games poll it; <see cref="Model.GenerateAsync"/> does so
    /// for programs with tasks. Any thread may use it.
    /// </summary>
    public sealed unsafe class Job : IDisposable
    {
        // How often a waiting thread looks up, seconds. A runtime that ends, or loads assemblies anew as Unity does,
        // waits for threads that are in native code.
        private const double LookSecs = 0.02;

        private readonly JobHandle handle;

        internal Job(kg_job* job)
        {
            handle = new JobHandle(job);
        }

        /// <summary>How far the job is; it does not wait.</summary>
        /// <returns>Steps that are done and their number, clips that are there.</returns>
        public GenerationProgress Progress()
        {
            kg_job_progress found = new kg_job_progress { struct_size = (uint)sizeof(kg_job_progress) };
            using (Borrowed borrowed = new Borrowed(handle))
            {
                Call.Check(NativeMethods.kg_job_poll((kg_job*)borrowed.Pointer, &found));
            }
            return new GenerationProgress
            {
                State = (JobState)found.state,
                Done = (long)found.done,
                Total = (long)found.total,
                ClipCount = (int)found.clip_count,
                EstimateCount = (int)found.partial_count,
            };
        }

        /// <summary>Waits until the clips are there.</summary>
        /// <exception cref="OperationCanceledException">The job was cancelled.</exception>
        /// <exception cref="KinogradException">Why it failed.</exception>
        public void Wait()
        {
            while (!Wait(LookSecs))
            {
            }
        }

        /// <summary>Waits until the clips are there or the time is over.</summary>
        /// <param name="timeoutSecs">Seconds; 0 looks only, a negative number waits for as long as it takes.</param>
        /// <returns>Whether the clips are there.</returns>
        /// <exception cref="OperationCanceledException">The job was cancelled.</exception>
        /// <exception cref="KinogradException">Why it failed.</exception>
        public bool Wait(double timeoutSecs)
        {
            if (timeoutSecs < 0)
            {
                Wait();
                return true;
            }
            using (Borrowed borrowed = new Borrowed(handle))
            {
                kg_status status = NativeMethods.kg_job_wait((kg_job*)borrowed.Pointer, timeoutSecs);
                if (status == kg_status.Timeout)
                {
                    return false;
                }
                if (status == kg_status.Cancelled)
                {
                    throw new OperationCanceledException(Utf8.Read(NativeMethods.kg_last_error()));
                }
                Call.Check(status);
                return true;
            }
        }

        /// <summary>Asks the job to stop and returns at once. It stops after the step that it is at. A job that has ended stays as it is.</summary>
        public void Cancel()
        {
            using (Borrowed borrowed = new Borrowed(handle))
            {
                Call.Check(NativeMethods.kg_job_cancel((kg_job*)borrowed.Pointer));
            }
        }

        /// <summary>A clip of a job that is done.</summary>
        /// <param name="index">Its number from 0.</param>
        /// <returns>The clip, which the caller disposes of; it stays when the job goes.</returns>
        /// <exception cref="KinogradException">The job is not done, it failed, or it has no such clip.</exception>
        public Clip Clip(int index)
        {
            if (index < 0)
            {
                throw new ArgumentOutOfRangeException("index", index, "clips are counted from 0");
            }
            kg_clip* clip = null;
            using (Borrowed borrowed = new Borrowed(handle))
            {
                Call.Check(NativeMethods.kg_job_clip((kg_job*)borrowed.Pointer, (uint)index, &clip));
            }
            return new Clip(clip);
        }

        /// <summary>The current estimate of the first clip at work, on the canonical body of 22 joints at 20 frames per second, without the clean-up that finished clips get.</summary>
        /// <returns>The estimate, which the caller disposes of; null where no step is done yet or the job keeps none.</returns>
        public Clip Estimate()
        {
            kg_clip* clip = null;
            using (Borrowed borrowed = new Borrowed(handle))
            {
                kg_status status = NativeMethods.kg_job_partial((kg_job*)borrowed.Pointer, &clip);
                if (status == kg_status.NotReady)
                {
                    return null;
                }
                Call.Check(status);
            }
            return new Clip(clip);
        }

        /// <summary>Frees the job. One that works is cancelled and stops on its own after the step that it is at; a second time does nothing.</summary>
        public void Dispose()
        {
            handle.Dispose();
        }

        /// <summary>Waits, and reports each change on the way.</summary>
        internal void WaitReporting(IProgress<GenerationProgress> progress, CancellationToken cancellation)
        {
            using (cancellation.Register(Cancel))
            {
                GenerationProgress said = new GenerationProgress { Done = -1 };
                bool isDone;
                do
                {
                    try
                    {
                        isDone = Wait(LookSecs);
                    }
                    catch (OperationCanceledException error)
                    {
                        throw new OperationCanceledException(error.Message, error, cancellation);
                    }
                    said = Say(progress, said);
                }
                while (!isDone);
            }
        }

        private GenerationProgress Say(IProgress<GenerationProgress> progress, GenerationProgress said)
        {
            if (progress == null)
            {
                return said;
            }
            GenerationProgress now = Progress();
            bool isNew = now.Done != said.Done || now.Total != said.Total || now.State != said.State;
            if (isNew)
            {
                progress.Report(now);
            }
            return now;
        }
    }
}
