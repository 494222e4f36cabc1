using System;
using Kinograd.Native;

namespace Kinograd
{
    /// <summary>How much a message matters.</summary>
    public enum LogLevel
    {
        /// <summary>Nothing is said.</summary>
        Off = 0,

        /// <summary>Something failed.</summary>
        Error = 1,

        /// <summary>Something that a user should know, as a prompt that is far from all the model knows.</summary>
        Warn = 2,

        /// <summary>What is done.</summary>
        Info = 3,

        /// <summary>How it is done.</summary>
        Debug = 4,

        /// <summary>Everything.</summary>
        Trace = 5,
    }

    /// <summary>The native library as a whole.</summary>
    public static unsafe class KinogradLibrary
    {
        private static readonly object Lock = new object();

        // Kept for as long as the library may call it.
        private static readonly NativeMethods.kg_log_set_callback_callback_delegate Callback = Receive;
        private static Action<LogLevel, string> listener;

        /// <summary>The version of the native library that runs, such as <c>0.1.0</c>.</summary>
        /// <returns>The version.</returns>
        /// <exception cref="DllNotFoundException">The native library is not found.</exception>
        public static string Version()
        {
            return Utf8.Read(NativeMethods.kg_version_string());
        }

        /// <summary>Takes the library's messages. Without a listener it says nothing; warnings of jobs are in their clips' reports all the same.</summary>
        /// <param name="level">Messages up to this level are taken.</param>
        /// <param name="listen">Gets each message, from any thread and from several at once; it must not call this method, and what it throws is dropped. Null ends it.</param>
        public static void Log(LogLevel level, Action<LogLevel, string> listen)
        {
            Call.Ready();
            lock (Lock)
            {
                if (listen == null)
                {
                    Call.Check(NativeMethods.kg_log_set_callback((int)LogLevel.Off, null, null));
                    listener = null;
                    return;
                }
                listener = listen;
                Call.Check(NativeMethods.kg_log_set_callback((int)level, Callback, null));
            }
        }

        [MonoPInvokeCallback(typeof(NativeMethods.kg_log_set_callback_callback_delegate))]
        private static void Receive(void* user, int level, byte* message)
        {
            try
            {
                Action<LogLevel, string> listen = listener;
                if (listen != null)
                {
                    listen((LogLevel)level, Utf8.Read(message));
                }
            }
            catch (Exception)
            {
                // Nothing may be thrown through the library.
            }
        }
    }

    /// <summary>What compilers ahead of time (IL2CPP) look for, by this name: a method that native code calls.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    internal sealed class MonoPInvokeCallbackAttribute : Attribute
    {
        internal MonoPInvokeCallbackAttribute(Type type)
        {
            Type = type;
        }

        internal Type Type { get; private set; }
    }
}
