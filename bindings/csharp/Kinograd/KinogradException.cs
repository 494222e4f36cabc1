using System;

namespace Kinograd
{
    /// <summary>Why a call failed; the numbers are those of <c>kg_status</c> in kinograd.h.</summary>
    public enum KinogradStatus
    {
        /// <summary>It did what it says.</summary>
        Ok = 0,

        /// <summary>A number or a word is none that is taken, or a text is not Unicode.</summary>
        InvalidArgument = 1,

        /// <summary>An object is not there any more.</summary>
        InvalidHandle = 2,

        /// <summary>The caller's array is too short; nothing was written.</summary>
        BufferTooSmall = 3,

        /// <summary>A task asks for what cannot be; the message names the field.</summary>
        InvalidTask = 4,

        /// <summary>A file could not be read.</summary>
        ReadFailed = 5,

        /// <summary>A file could not be written; what was there before is still there.</summary>
        WriteFailed = 6,

        /// <summary>No file format has this extension.</summary>
        UnknownFormat = 7,

        /// <summary>A model package, an engine or a network failed.</summary>
        ModelFailed = 8,

        /// <summary>A clip or a rig is not what is needed, as one whose joints cannot be told.</summary>
        InvalidClip = 9,

        /// <summary>A network could not be differentiated.</summary>
        GradientFailed = 10,

        /// <summary>The job was cancelled.</summary>
        Cancelled = 11,

        /// <summary>The time is over and the job goes on.</summary>
        Timeout = 12,

        /// <summary>The job has not got there yet.</summary>
        NotReady = 13,

        /// <summary>More is asked for than the library takes on, as frames of a clip or bytes of a file.</summary>
        OverBudget = 14,

        /// <summary>A fault of the library.</summary>
        Internal = 15,
    }

    /// <summary>A call of the library failed. The message is the library's: it names the file or the field.</summary>
    public sealed class KinogradException : Exception
    {
        /// <summary>An error with the library's code and message.</summary>
        /// <param name="status">Why the call failed.</param>
        /// <param name="message">The library's words, in English.</param>
        public KinogradException(KinogradStatus status, string message) : base(message)
        {
            Status = status;
        }

        /// <summary>Why the call failed. Later libraries may have codes that have no name here.</summary>
        public KinogradStatus Status { get; private set; }
    }
}
