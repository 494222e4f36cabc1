using System;
using System.Collections.Generic;
using System.Reflection;

namespace Kinograd.Tests
{
    /// <summary>Marks a static method as a test.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    internal sealed class TestAttribute : Attribute
    {
    }

    /// <summary>What a test says when it does not hold.</summary>
    internal sealed class Wrong : Exception
    {
        internal Wrong(string message) : base(message)
        {
        }
    }

    /// <summary>Conditions of tests.</summary>
    internal static class Is
    {
        internal static void True(bool condition, string what)
        {
            if (!condition)
            {
                throw new Wrong(what);
            }
        }

        internal static void Same<T>(T found, T expected, string what)
        {
            if (!EqualityComparer<T>.Default.Equals(found, expected))
            {
                throw new Wrong(what + ": " + found + " where " + expected + " was expected");
            }
        }

        internal static void Near(double found, double expected, double tolerance, string what)
        {
            if (!(Math.Abs(found - expected) <= tolerance))
            {
                throw new Wrong(what + ": " + found + " where " + expected + " was expected");
            }
        }

        internal static void Near(Vec3 found, Vec3 expected, double tolerance, string what)
        {
            if (!(Math.Abs(found.X - expected.X) <= tolerance && Math.Abs(found.Y - expected.Y) <= tolerance
                && Math.Abs(found.Z - expected.Z) <= tolerance))
            {
                throw new Wrong(what + ": " + found + " where " + expected + " was expected");
            }
        }

        internal static void Near(Quat found, Quat expected, double tolerance, string what)
        {
            if (!(Math.Abs(found.X - expected.X) <= tolerance && Math.Abs(found.Y - expected.Y) <= tolerance
                && Math.Abs(found.Z - expected.Z) <= tolerance && Math.Abs(found.W - expected.W) <= tolerance))
            {
                throw new Wrong(what + ": " + found + " where " + expected + " was expected");
            }
        }

        /// <summary>The exception that a call throws, of this type and no other.</summary>
        internal static T Thrown<T>(Action call, string what) where T : Exception
        {
            try
            {
                call();
            }
            catch (T error)
            {
                Same(error.GetType(), typeof(T), what);
                return error;
            }
            throw new Wrong(what + ": nothing was thrown");
        }
    }

    /// <summary>Runs all tests of this program, or those whose names hold the argument.</summary>
    internal static class Runner
    {
        private static int Main(string[] arguments)
        {
            int passed = 0;
            List<string> failed = new List<string>();
            foreach (Type type in Assembly.GetExecutingAssembly().GetTypes())
            {
                foreach (MethodInfo test in type.GetMethods(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public))
                {
                    string name = type.Name + "." + test.Name;
                    bool isAsked = arguments.Length == 0 || name.Contains(arguments[0]);
                    if (!isAsked || test.GetCustomAttributes(typeof(TestAttribute), false).Length == 0)
                    {
                        continue;
                    }
                    try
                    {
                        test.Invoke(null, null);
                        passed++;
                        Console.WriteLine("ok     " + name);
                    }
                    catch (TargetInvocationException error)
                    {
                        failed.Add(name);
                        Console.WriteLine("FAILED " + name + ": " + error.InnerException);
                    }
                }
            }
            Console.WriteLine(passed + " passed, " + failed.Count + " failed");
            // None at all is a mistake, too.
            return passed > 0 && failed.Count == 0 ? 0 : 1;
        }
    }
}
