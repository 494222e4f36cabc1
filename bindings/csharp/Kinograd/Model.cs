using System;
using System.Threading;
using System.Threading.Tasks;
using Kinograd.Native;

namespace Kinograd
{
    /// <summary>How a model is run. A new one is the default.</summary>
    public sealed class EngineOptions
    {
        /// <summary>Processor threads; 0 takes one per core.</summary>
        public int Threads { get; set; }

        /// <summary><c>auto</c>, <c>onnxruntime</c> or <c>built-in</c>; null is <c>auto</c>: ONNX Runtime where its library is found, else the built-in engine.</summary>
        public string Engine { get; set; }

        /// <summary><c>auto</c>, <c>cpu</c>, <c>cuda</c> or <c>tensorrt</c>; null is <c>auto</c>.</summary>
        public string Provider { get; set; }

        /// <summary>Path of ONNX Runtime's library or of its folder; null looks for it as the command line does.</summary>
        public string OnnxRuntime { get; set; }
    }

    /// <summary>
    /// A model package on an engine, ready to make clips. Its jobs work one after the other; open several models for
    /// several at a time. Any thread may use it.
    /// </summary>
    public sealed unsafe class Model : IDisposable
    {
        private readonly ModelHandle handle;

        /// <summary>Opens a model package. It reads and checks files for a second or so on the thread that calls.</summary>
        /// <param name="nameOrFolder">A name, looked for as the command line does, or the path of its folder, which has a separator in it; null is <c>motion-base</c>.</param>
        /// <param name="options">How it is run; null is the default.</param>
        /// <exception cref="KinogradException">There is no such package, or it does not load.</exception>
        public Model(string nameOrFolder = null, EngineOptions options = null)
        {
            Call.Ready();
            EngineOptions asked = options ?? new EngineOptions();
            if (asked.Threads < 0)
            {
                throw new ArgumentOutOfRangeException("options", asked.Threads, "Threads must not be negative");
            }
            byte[] name = Utf8.Optional(nameOrFolder, "nameOrFolder");
            byte[] engine = Utf8.Optional(asked.Engine, "Engine");
            byte[] provider = Utf8.Optional(asked.Provider, "Provider");
            byte[] onnxRuntime = Utf8.Optional(asked.OnnxRuntime, "OnnxRuntime");
            kg_model* model = null;
            fixed (byte* atName = name, atEngine = engine, atProvider = provider, atRuntime = onnxRuntime)
            {
                kg_engine_options c = new kg_engine_options
                {
                    struct_size = (uint)sizeof(kg_engine_options),
                    threads = (uint)asked.Threads,
                    engine = atEngine,
                    provider = atProvider,
                    onnx_runtime = atRuntime,
                };
                Call.Check(NativeMethods.kg_model_open(atName, &c, &model));
            }
            handle = new ModelHandle(model);
        }

        /// <summary>What the package says of itself (name, version, licence, known prompts, limits) and which engine runs it.</summary>
        /// <returns>JSON.</returns>
        public string InfoJson()
        {
            using (Borrowed borrowed = new Borrowed(handle))
            {
                kg_model* model = (kg_model*)borrowed.Pointer;
                return Utf8.Write((buffer, capacity, size) => NativeMethods.kg_model_info_json(model, buffer, capacity, size));
            }
        }

        /// <summary>Checks the task and starts to make its clips, on a thread of the library. Later changes of the task do not matter.</summary>
        /// <param name="task">What is asked for.</param>
        /// <param name="keepEstimates">Whether <see cref="Job.Estimate"/> has the estimate of each step, which costs time at each.</param>
        /// <returns>The job, which the caller disposes of.</returns>
        /// <exception cref="KinogradException">The task cannot be; the message names the field.</exception>
        public Job Start(MotionTask task, bool keepEstimates = false)
        {
            if (task == null)
            {
                throw new ArgumentNullException("task");
            }
            kg_job_options options = new kg_job_options
            {
                struct_size = (uint)sizeof(kg_job_options),
                keep_partial = keepEstimates ? 1u : 0u,
            };
            kg_job* job = null;
            using (Borrowed model = new Borrowed(handle))
            using (Borrowed asked = new Borrowed(task.Handle))
            {
                Call.Check(NativeMethods.kg_job_start((kg_model*)model.Pointer, (kg_task*)asked.Pointer, &options, &job));
            }
            return new Job(job);
        }

        /// <summary>Makes the clip of a task without holding up the thread that calls. The task may be disposed of at once.</summary>
        /// <param name="task">What is asked for. Of a task for several clips this is the first; <see cref="GenerateAllAsync"/> has all.</param>
        /// <param name="progress">Gets each step, on a thread of the pool or where <see cref="Progress{T}"/> brings it; null for none.</param>
        /// <param name="cancellation">Stops the work after the step that it is at.</param>
        /// <returns>The clip, which the caller disposes of. It fails with <see cref="KinogradException"/>, or is cancelled.</returns>
        public Task<Clip> GenerateAsync(
            MotionTask task,
            IProgress<GenerationProgress> progress = null,
            CancellationToken cancellation = default(CancellationToken))
        {
            return Run(task, progress, cancellation, First);
        }

        /// <summary>Makes all clips of a task without holding up the thread that calls. The task may be disposed of at once.</summary>
        /// <param name="task">What is asked for.</param>
        /// <param name="progress">Gets each step, on a thread of the pool or where <see cref="Progress{T}"/> brings it; null for none.</param>
        /// <param name="cancellation">Stops the work after the step that it is at.</param>
        /// <returns>The clips, which the caller disposes of. It fails with <see cref="KinogradException"/>, or is cancelled.</returns>
        public Task<Clip[]> GenerateAllAsync(
            MotionTask task,
            IProgress<GenerationProgress> progress = null,
            CancellationToken cancellation = default(CancellationToken))
        {
            return Run(task, progress, cancellation, clips => clips);
        }

        /// <summary>Frees the model. Jobs that use it go on; a second time does nothing.</summary>
        public void Dispose()
        {
            handle.Dispose();
        }

        private Task<T> Run<T>(
            MotionTask task,
            IProgress<GenerationProgress> progress,
            CancellationToken cancellation,
            Func<Clip[], T> choose)
        {
            if (cancellation.IsCancellationRequested)
            {
                return Task.FromCanceled<T>(cancellation);
            }
            Job job;
            try
            {
                job = Start(task);
            }
            catch (KinogradException error)
            {
                return Task.FromException<T>(error);
            }
            TaskCompletionSource<T> result =
                new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
            // A thread of its own: it sleeps in the library for as long as the work takes.
            Task.Factory.StartNew(
                () => Settle(result, () => choose(Finish(job, progress, cancellation)), cancellation),
                CancellationToken.None,
                TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach,
                TaskScheduler.Default);
            return result.Task;
        }

        private static void Settle<T>(TaskCompletionSource<T> result, Func<T> work, CancellationToken cancellation)
        {
            try
            {
                result.SetResult(work());
            }
            catch (OperationCanceledException)
            {
                result.TrySetCanceled(cancellation);
            }
            catch (Exception error)
            {
                result.SetException(error);
            }
        }

        private static Clip First(Clip[] clips)
        {
            for (int index = 1; index < clips.Length; index++)
            {
                clips[index].Dispose();
            }
            return clips[0];
        }

        private static Clip[] Finish(Job job, IProgress<GenerationProgress> progress, CancellationToken cancellation)
        {
            using (job)
            {
                job.WaitReporting(progress, cancellation);
                Clip[] clips = new Clip[job.Progress().ClipCount];
                for (int index = 0; index < clips.Length; index++)
                {
                    clips[index] = job.Clip(index);
                }
                return clips;
            }
        }
    }
}
