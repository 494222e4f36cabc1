using System;

namespace Kinograd.Native
{
    /// <summary>What every call of the library needs.</summary>
    internal static unsafe class Call
    {
        private static bool isCompatible;

        /// <summary>Throws where the library is not of the version that these declarations are of.</summary>
        internal static void Ready()
        {
            if (isCompatible)
            {
                return;
            }
            uint found = NativeMethods.kg_version();
            uint major = found >> 20;
            uint minor = (found >> 10) & 1023;
            uint patch = found & 1023;
            if (!Fits(major, minor, patch))
            {
                throw new InvalidOperationException(
                    "the native library is Kinograd " + major + "." + minor + "." + patch
                    + "; this assembly needs " + NativeMethods.KG_VERSION_MAJOR + "."
                    + NativeMethods.KG_VERSION_MINOR + "." + NativeMethods.KG_VERSION_PATCH
                    + ", or later without a break");
            }
            isCompatible = true;
        }

        /// <summary>Whether a library of this version has what is declared here.</summary>
        internal static bool Fits(uint major, uint minor, uint patch)
        {
            if (major != NativeMethods.KG_VERSION_MAJOR || minor < NativeMethods.KG_VERSION_MINOR)
            {
                return false;
            }
            // While the first number is 0, another second one may be incompatible.
            if (minor > NativeMethods.KG_VERSION_MINOR)
            {
                return major > 0;
            }
            return patch >= NativeMethods.KG_VERSION_PATCH;
        }

        /// <summary>Throws what the thread's last call had to say.</summary>
        internal static void Check(kg_status status)
        {
            if (status != kg_status.Ok)
            {
                throw new KinogradException((KinogradStatus)(int)status, Utf8.Read(NativeMethods.kg_last_error()));
            }
        }

        /// <summary>The bytes of a blob, which is destroyed.</summary>
        internal static byte[] Bytes(kg_blob* blob)
        {
            try
            {
                ulong size = 0;
                Check(NativeMethods.kg_blob_size(blob, &size));
                byte[] all = new byte[checked((int)size)];
                if (all.Length > 0)
                {
                    fixed (byte* at = all)
                    {
                        Check(NativeMethods.kg_blob_copy(blob, at, size));
                    }
                }
                return all;
            }
            finally
            {
                NativeMethods.kg_blob_destroy(blob);
            }
        }
    }
}
