using System;
using Kinograd.Native;

namespace Kinograd
{
    /// <summary>A character from a file. Any thread may use it.</summary>
    public sealed unsafe class Rig : IDisposable
    {
        private readonly RigHandle handle;

        /// <summary>Reads a character.</summary>
        /// <param name="file">A GLB, VRM, FBX or BVH, or a clip as NPZ.</param>
        /// <param name="mapping">A file that says which joints are which; null where their names tell.</param>
        /// <exception cref="KinogradException">The file cannot be read, or is no humanoid.</exception>
        public Rig(string file, string mapping = null)
        {
            Call.Ready();
            byte[] fileText = Utf8.Bytes(file, "file");
            byte[] mappingText = Utf8.Optional(mapping, "mapping");
            kg_rig* rig = null;
            fixed (byte* atFile = fileText, atMapping = mappingText)
            {
                Call.Check(NativeMethods.kg_rig_open(atFile, atMapping, &rig));
            }
            handle = new RigHandle(rig);
        }

        /// <summary>What was found in the character's file: number of joints, scale, which joint is which part of the body, doubts.</summary>
        /// <returns>JSON.</returns>
        public string ReportJson()
        {
            using (Borrowed borrowed = new Borrowed(handle))
            {
                kg_rig* rig = (kg_rig*)borrowed.Pointer;
                return Utf8.Write((buffer, capacity, size) => NativeMethods.kg_rig_report_json(rig, buffer, capacity, size));
            }
        }

        /// <summary>Puts a clip on the character: saved as GLB it has the character's mesh.</summary>
        /// <param name="clip">A clip of any humanoid.</param>
        /// <param name="travel"><c>scaled</c> (null: in proportion to its legs) or <c>kept</c>.</param>
        /// <returns>A clip of its own, which the caller disposes of; it stays when the rig goes.</returns>
        /// <exception cref="KinogradException">The clip's joints cannot be told.</exception>
        public Clip Retarget(Clip clip, string travel = null)
        {
            if (clip == null)
            {
                throw new ArgumentNullException("clip");
            }
            byte[] travelText = Utf8.Optional(travel, "travel");
            kg_clip* retargeted = null;
            using (Borrowed rig = new Borrowed(handle))
            using (Borrowed from = new Borrowed(clip.Handle))
            {
                fixed (byte* at = travelText)
                {
                    Call.Check(NativeMethods.kg_rig_retarget((kg_rig*)rig.Pointer, (kg_clip*)from.Pointer, at, &retargeted));
                }
            }
            return new Clip(retargeted);
        }

        /// <summary>Frees the rig; clips on it stay. A second time does nothing.</summary>
        public void Dispose()
        {
            handle.Dispose();
        }
    }
}
