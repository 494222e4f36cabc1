using System;
using Kinograd.Native;

namespace Kinograd
{
    /// <summary>What a clip is.</summary>
    public struct ClipInfo
    {
        /// <summary>Number of joints.</summary>
        public int JointCount { get; internal set; }

        /// <summary>Number of frames.</summary>
        public int FrameCount { get; internal set; }

        /// <summary>Whether the clip can be played again from its end, from where the body is then.</summary>
        public bool IsLoop { get; internal set; }

        /// <summary>Frames per second.</summary>
        public double Fps { get; internal set; }

        /// <summary>Seconds: a frame lasts 1 / <see cref="Fps"/>.</summary>
        public double DurationSecs { get; internal set; }

        /// <summary>The clip's own seed: a task for one clip with this seed gives the same clip. 0 for clips that no model made.</summary>
        public ulong Seed { get; internal set; }
    }

    /// <summary>
    /// A skeleton that moves: metres, Y up, right-handed; a generated clip starts at the origin facing +Z, left is +X.
    /// Any thread may use it, several at once too.
    /// </summary>
    public sealed unsafe class Clip : IDisposable
    {
        private readonly ClipHandle handle;
        private readonly ClipInfo info;

        internal Clip(kg_clip* clip)
        {
            handle = new ClipHandle(clip);
            kg_clip_info found = new kg_clip_info { struct_size = (uint)sizeof(kg_clip_info) };
            using (Borrowed at = new Borrowed(handle))
            {
                Call.Check(NativeMethods.kg_clip_get_info((kg_clip*)at.Pointer, &found));
            }
            info = new ClipInfo
            {
                JointCount = (int)found.joint_count,
                FrameCount = (int)found.frame_count,
                IsLoop = found.is_loop != 0,
                Fps = found.fps,
                DurationSecs = found.duration_secs,
                Seed = found.seed,
            };
        }

        internal ClipHandle Handle
        {
            get { return handle; }
        }

        /// <summary>Number of joints and frames, frame rate, length; known without a call, also after <see cref="Dispose"/>.</summary>
        public ClipInfo Info
        {
            get { return info; }
        }

        /// <summary>Reads a clip: a .glb, .vrm, .fbx, .bvh, .npz or .npy. Metres with Y up, whatever the file has.</summary>
        /// <param name="path">The file.</param>
        /// <returns>The clip, which the caller disposes of.</returns>
        /// <exception cref="KinogradException">The file cannot be read; the message says why.</exception>
        public static Clip Load(string path)
        {
            Call.Ready();
            byte[] file = Utf8.Bytes(path, "path");
            kg_clip* clip = null;
            fixed (byte* at = file)
            {
                Call.Check(NativeMethods.kg_clip_load(at, &clip));
            }
            return new Clip(clip);
        }

        /// <summary>Names of all joints, the root first.</summary>
        /// <returns>A new array of <see cref="ClipInfo.JointCount"/> names.</returns>
        public string[] JointNames()
        {
            string[] names = new string[info.JointCount];
            using (Borrowed borrowed = new Borrowed(handle))
            {
                kg_clip* clip = (kg_clip*)borrowed.Pointer;
                for (int joint = 0; joint < names.Length; joint++)
                {
                    uint number = (uint)joint;
                    names[joint] = Utf8.Write(
                        (buffer, capacity, size) => NativeMethods.kg_clip_joint_name(clip, number, buffer, capacity, size));
                }
            }
            return names;
        }

        /// <summary>The parent of each joint, -1 for the root, which is joint 0. Parents come before their children.</summary>
        /// <param name="parents">Place for at least <see cref="ClipInfo.JointCount"/> numbers.</param>
        /// <exception cref="KinogradException">The array is too short.</exception>
        public void Parents(int[] parents)
        {
            NotNull(parents, "parents");
            using (Borrowed borrowed = new Borrowed(handle))
            {
                fixed (int* at = Pinnable(parents))
                {
                    Call.Check(NativeMethods.kg_clip_parents((kg_clip*)borrowed.Pointer, at, (uint)parents.Length));
                }
            }
        }

        /// <summary>The transform of each joint at a time, smooth between frames. Before the start it is the first pose, after the end the last.</summary>
        /// <param name="timeSecs">Seconds from the start of the clip.</param>
        /// <param name="space">The frame of the transforms.</param>
        /// <param name="joints">Place for at least <see cref="ClipInfo.JointCount"/> transforms, metres; reuse it from frame to frame.</param>
        /// <exception cref="KinogradException">The array is too short, or the time is no number.</exception>
        public void Sample(double timeSecs, JointSpace space, JointTransform[] joints)
        {
            NotNull(joints, "joints");
            using (Borrowed borrowed = new Borrowed(handle))
            {
                fixed (JointTransform* at = Pinnable(joints))
                {
                    Call.Check(NativeMethods.kg_clip_sample(
                        (kg_clip*)borrowed.Pointer, timeSecs, (int)space, (kg_transform*)at, (uint)joints.Length));
                }
            }
        }

        /// <summary>The transform of each joint in the rest pose. In its parent's frame no joint is turned.</summary>
        /// <param name="space">The frame of the transforms.</param>
        /// <param name="joints">Place for at least <see cref="ClipInfo.JointCount"/> transforms, metres.</param>
        /// <exception cref="KinogradException">The array is too short.</exception>
        public void Rest(JointSpace space, JointTransform[] joints)
        {
            NotNull(joints, "joints");
            using (Borrowed borrowed = new Borrowed(handle))
            {
                fixed (JointTransform* at = Pinnable(joints))
                {
                    Call.Check(NativeMethods.kg_clip_rest(
                        (kg_clip*)borrowed.Pointer, (int)space, (kg_transform*)at, (uint)joints.Length));
                }
            }
        }

        /// <summary>Where the body is on the ground at a time, and its heading: a transform in the world on the ground under the hips, turned about Y. It does not sway with the hips.</summary>
        /// <param name="timeSecs">Seconds from the start of the clip.</param>
        /// <returns>The transform, metres, in the world.</returns>
        public JointTransform Root(double timeSecs)
        {
            JointTransform root = new JointTransform();
            using (Borrowed borrowed = new Borrowed(handle))
            {
                Call.Check(NativeMethods.kg_clip_root((kg_clip*)borrowed.Pointer, timeSecs, (kg_transform*)&root));
            }
            return root;
        }

        /// <summary>How the body moves on the ground from one time to another. A character that is placed at T goes to T times this.</summary>
        /// <param name="fromSecs">Seconds from the start of the clip.</param>
        /// <param name="toSecs">Seconds from the start of the clip.</param>
        /// <returns><see cref="Root"/> at the second time in the frame of that at the first, metres.</returns>
        public JointTransform RootMotion(double fromSecs, double toSecs)
        {
            JointTransform motion = new JointTransform();
            using (Borrowed borrowed = new Borrowed(handle))
            {
                Call.Check(NativeMethods.kg_clip_root_motion(
                    (kg_clip*)borrowed.Pointer, fromSecs, toSecs, (kg_transform*)&motion));
            }
            return motion;
        }

        /// <summary>Which parts of the feet stand on the ground at a time, of the frame that is nearest.</summary>
        /// <param name="timeSecs">Seconds from the start of the clip.</param>
        /// <returns>The parts that stand.</returns>
        public Foot FootContacts(double timeSecs)
        {
            uint feet = 0;
            using (Borrowed borrowed = new Borrowed(handle))
            {
                Call.Check(NativeMethods.kg_clip_foot_contacts((kg_clip*)borrowed.Pointer, timeSecs, &feet));
            }
            return (Foot)feet;
        }

        /// <summary>How the clip came to be and what was measured of it: the task that makes it again, the models' hashes, distances from the goals.</summary>
        /// <returns>JSON.</returns>
        public string ReportJson()
        {
            using (Borrowed borrowed = new Borrowed(handle))
            {
                kg_clip* clip = (kg_clip*)borrowed.Pointer;
                return Utf8.Write((buffer, capacity, size) => NativeMethods.kg_clip_report_json(clip, buffer, capacity, size));
            }
        }

        /// <summary>Writes the clip by the extension of the path: .glb, .fbx, .bvh or .npz, a sheet of poses as .png, or its report as .json. The file is whole or not there.</summary>
        /// <param name="path">The file.</param>
        /// <param name="options">How it is written; null is the default.</param>
        /// <exception cref="KinogradException">The file cannot be written, or no format has this extension.</exception>
        public void Save(string path, SaveOptions options = null)
        {
            byte[] file = Utf8.Bytes(path, "path");
            using (Borrowed borrowed = new Borrowed(handle))
            {
                kg_clip* clip = (kg_clip*)borrowed.Pointer;
                fixed (byte* at = file)
                {
                    byte* name = at;
                    WithOptions(options, c => NativeMethods.kg_clip_save(clip, name, c));
                }
            }
        }

        /// <summary>Writes the clip into memory: the bytes of the file that <see cref="Save"/> would write.</summary>
        /// <param name="format">An extension without its dot, such as <c>glb</c>.</param>
        /// <param name="options">How it is written; null is the default.</param>
        /// <returns>The bytes of the file.</returns>
        /// <exception cref="KinogradException">No format has this extension.</exception>
        public byte[] Encode(string format, SaveOptions options = null)
        {
            byte[] extension = Utf8.Bytes(format, "format");
            kg_blob* file = null;
            using (Borrowed borrowed = new Borrowed(handle))
            {
                kg_clip* clip = (kg_clip*)borrowed.Pointer;
                kg_blob** place = &file;
                fixed (byte* at = extension)
                {
                    byte* name = at;
                    WithOptions(options, c => NativeMethods.kg_clip_encode(clip, name, c, place));
                }
            }
            return Call.Bytes(file);
        }

        /// <summary>Frees the clip. A second time does nothing; other calls throw <see cref="ObjectDisposedException"/> from then on.</summary>
        public void Dispose()
        {
            handle.Dispose();
        }

        private delegate kg_status Saver(kg_save_options* options);

        private static void WithOptions(SaveOptions options, Saver save)
        {
            SaveOptions asked = options ?? new SaveOptions();
            byte[] rootMotion = Utf8.Optional(asked.RootMotion, "RootMotion");
            byte[] jointNames = Utf8.Optional(asked.JointNames, "JointNames");
            byte[] restPose = Utf8.Optional(asked.RestPose, "RestPose");
            fixed (byte* root = rootMotion, names = jointNames, rest = restPose)
            {
                kg_save_options c = new kg_save_options
                {
                    struct_size = (uint)sizeof(kg_save_options),
                    fps = asked.Fps,
                    unit_to_metre = asked.UnitToMetre,
                    root_motion = root,
                    joint_names = names,
                    rest_pose = rest,
                };
                Call.Check(save(&c));
            }
        }

        private static void NotNull(object array, string name)
        {
            if (array == null)
            {
                throw new ArgumentNullException(name);
            }
        }

        // `fixed` makes NULL of an array without elements; the library shall say that it is too short instead.
        private static T[] Pinnable<T>(T[] array)
        {
            return array.Length == 0 ? new T[1] : array;
        }
    }
}
