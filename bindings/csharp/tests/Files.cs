using System;
using System.Diagnostics;
using System.IO;

namespace Kinograd.Tests
{
    /// <summary>Where things are: the script that starts the tests says so.</summary>
    internal static class Files
    {
        /// <summary>A path under the repository.</summary>
        internal static string Repository(string path)
        {
            return Path.Combine(Needed("KINOGRAD_REPOSITORY"), path);
        }

        /// <summary>A path under an empty folder whose name is not ASCII.</summary>
        internal static string Scratch(string name)
        {
            string folder = Path.Combine(Needed("KINOGRAD_SCRATCH"), "größe 試し");
            Directory.CreateDirectory(folder);
            return Path.Combine(folder, name);
        }

        internal static string Model
        {
            get { return Repository("models/motion-base"); }
        }

        /// <summary>The built-in engine, on every machine.</summary>
        internal static EngineOptions BuiltIn
        {
            get { return new EngineOptions { Engine = "built-in", Threads = 2 }; }
        }

        /// <summary>Runs the command line; it must succeed.</summary>
        internal static void Command(string arguments)
        {
            ProcessStartInfo start = new ProcessStartInfo(Needed("KINOGRAD_BINARY"), arguments)
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            using (Process process = Process.Start(start))
            {
                string errors = process.StandardError.ReadToEnd();
                process.WaitForExit();
                Is.True(process.ExitCode == 0, "kinograd " + arguments + ": " + errors);
            }
        }

        private static string Needed(string variable)
        {
            string value = Environment.GetEnvironmentVariable(variable);
            Is.True(!string.IsNullOrEmpty(value), variable + " is not set");
            return value;
        }
    }
}
