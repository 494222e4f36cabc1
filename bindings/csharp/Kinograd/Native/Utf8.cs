using System;
using System.Text;

namespace Kinograd.Native
{
    /// <summary>Texts of C: UTF-8 with a NUL at the end.</summary>
    internal static unsafe class Utf8
    {
        // Half of a surrogate pair is an error and not a question mark.
        private static readonly UTF8Encoding Strict = new UTF8Encoding(false, true);

        /// <summary>A function that writes a text, as kinograd.h says under "Texts".</summary>
        internal delegate kg_status Writer(byte* buffer, ulong capacity, ulong* size);

        /// <summary>A text for C; null stays null.</summary>
        internal static byte[] Optional(string text, string name)
        {
            return text == null ? null : Bytes(text, name);
        }

        /// <summary>A text for C that must be there.</summary>
        internal static byte[] Bytes(string text, string name)
        {
            if (text == null)
            {
                throw new ArgumentNullException(name);
            }
            if (text.IndexOf('\0') >= 0)
            {
                throw new ArgumentException("the text holds a NUL, where C would end it", name);
            }
            try
            {
                return Strict.GetBytes(text + "\0");
            }
            catch (EncoderFallbackException error)
            {
                throw new ArgumentException("the text is no Unicode: " + error.Message, name, error);
            }
        }

        /// <summary>A text that the library holds; null is empty.</summary>
        internal static string Read(byte* text)
        {
            if (text == null)
            {
                return "";
            }
            int length = 0;
            while (text[length] != 0)
            {
                length++;
            }
            return length == 0 ? "" : Encoding.UTF8.GetString(text, length);
        }

        /// <summary>The text that a function writes, asked for its size first.</summary>
        internal static string Write(Writer write)
        {
            ulong size = 0;
            Call.Check(write(null, 0, &size));
            while (true)
            {
                byte[] buffer = new byte[checked((int)size)];
                ulong needed = 0;
                kg_status status;
                fixed (byte* at = buffer)
                {
                    status = write(at, (ulong)buffer.Length, &needed);
                }
                // Another thread may have made it longer in between.
                if (status == kg_status.BufferTooSmall && needed > size)
                {
                    size = needed;
                    continue;
                }
                Call.Check(status);
                return Encoding.UTF8.GetString(buffer, 0, checked((int)needed) - 1);
            }
        }
    }
}
