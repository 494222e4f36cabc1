using System;
using System.Runtime.InteropServices;

namespace Kinograd.Native
{
    /// <summary>A handle that is destroyed once, by Dispose or by the garbage collector.</summary>
    internal abstract class Handle : SafeHandle
    {
        /// <summary>Takes a handle over.</summary>
        protected Handle(IntPtr handle) : base(IntPtr.Zero, true)
        {
            SetHandle(handle);
        }

        /// <inheritdoc />
        public override bool IsInvalid
        {
            get { return handle == IntPtr.Zero; }
        }

        /// <summary>The name of the public type, for messages.</summary>
        internal abstract string Owner { get; }
    }

    /// <summary>Keeps a handle alive during a call, whoever disposes of it meanwhile.</summary>
    internal struct Borrowed : IDisposable
    {
        private readonly Handle owner;

        /// <summary>The handle as a number.</summary>
        internal readonly IntPtr Pointer;

        /// <summary>Borrows a handle; one that was disposed of is an error that names the type.</summary>
        internal Borrowed(Handle handle)
        {
            bool added = false;
            try
            {
                handle.DangerousAddRef(ref added);
            }
            catch (ObjectDisposedException)
            {
                throw new ObjectDisposedException("Kinograd." + handle.Owner);
            }
            owner = handle;
            Pointer = handle.DangerousGetHandle();
        }

        /// <summary>Gives it back.</summary>
        public void Dispose()
        {
            owner.DangerousRelease();
        }
    }

    internal sealed unsafe class ModelHandle : Handle
    {
        internal ModelHandle(kg_model* handle) : base((IntPtr)handle) { }

        internal override string Owner { get { return "Model"; } }

        protected override bool ReleaseHandle()
        {
            return NativeMethods.kg_model_destroy((kg_model*)handle) == kg_status.Ok;
        }
    }

    internal sealed unsafe class TaskHandle : Handle
    {
        internal TaskHandle(kg_task* handle) : base((IntPtr)handle) { }

        internal override string Owner { get { return "MotionTask"; } }

        protected override bool ReleaseHandle()
        {
            return NativeMethods.kg_task_destroy((kg_task*)handle) == kg_status.Ok;
        }
    }

    internal sealed unsafe class JobHandle : Handle
    {
        internal JobHandle(kg_job* handle) : base((IntPtr)handle) { }

        internal override string Owner { get { return "Job"; } }

        protected override bool ReleaseHandle()
        {
            return NativeMethods.kg_job_destroy((kg_job*)handle) == kg_status.Ok;
        }
    }

    internal sealed unsafe class ClipHandle : Handle
    {
        internal ClipHandle(kg_clip* handle) : base((IntPtr)handle) { }

        internal override string Owner { get { return "Clip"; } }

        protected override bool ReleaseHandle()
        {
            return NativeMethods.kg_clip_destroy((kg_clip*)handle) == kg_status.Ok;
        }
    }

    internal sealed unsafe class RigHandle : Handle
    {
        internal RigHandle(kg_rig* handle) : base((IntPtr)handle) { }

        internal override string Owner { get { return "Rig"; } }

        protected override bool ReleaseHandle()
        {
            return NativeMethods.kg_rig_destroy((kg_rig*)handle) == kg_status.Ok;
        }
    }
}
