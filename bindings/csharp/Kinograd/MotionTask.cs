using System;
using Kinograd.Native;

namespace Kinograd
{
    /// <summary>
    /// All that is asked for. It is collected step by step or read from JSON, and checked when a job starts. Places on
    /// the ground are (x, z) in metres, left is +X, ahead is +Z; times are seconds from the start of the clip.
    /// </summary>
    public sealed unsafe class MotionTask : IDisposable
    {
        private readonly TaskHandle handle;

        private MotionTask(TaskHandle handle)
        {
            this.handle = handle;
        }

        /// <summary>A task with a prompt for the whole clip, of 6 seconds.</summary>
        /// <param name="prompt">What the person does, in English, such as <c>a person walks forward</c>.</param>
        public MotionTask(string prompt)
        {
            Call.Ready();
            byte[] text = Utf8.Bytes(prompt, "prompt");
            kg_task* task = null;
            fixed (byte* at = text)
            {
                Call.Check(NativeMethods.kg_task_create(at, &task));
            }
            handle = new TaskHandle(task);
        }

        internal TaskHandle Handle
        {
            get { return handle; }
        }

        /// <summary>A task from its JSON form, which says everything that a task can say: timed prompts, goals for any joint, shapes in space, losses, rewards.</summary>
        /// <param name="json">The task.</param>
        /// <returns>The task, which the caller disposes of.</returns>
        /// <exception cref="KinogradException">A mistake; the message names the field.</exception>
        public static MotionTask FromJson(string json)
        {
            Call.Ready();
            byte[] text = Utf8.Bytes(json, "json");
            kg_task* task = null;
            fixed (byte* at = text)
            {
                Call.Check(NativeMethods.kg_task_from_json(at, &task));
            }
            return new MotionTask(new TaskHandle(task));
        }

        /// <summary>The task as JSON, which makes the same task again.</summary>
        /// <returns>JSON.</returns>
        /// <exception cref="KinogradException">The task cannot be, as of <see cref="Check"/>.</exception>
        public string ToJson()
        {
            using (Borrowed borrowed = new Borrowed(handle))
            {
                kg_task* task = (kg_task*)borrowed.Pointer;
                return Utf8.Write((buffer, capacity, size) => NativeMethods.kg_task_to_json(task, buffer, capacity, size));
            }
        }

        /// <summary>The name or folder of the model that the task asks for, for <see cref="Model"/>.</summary>
        /// <returns>A name such as <c>motion-base</c>, or a path.</returns>
        public string ModelName()
        {
            using (Borrowed borrowed = new Borrowed(handle))
            {
                kg_task* task = (kg_task*)borrowed.Pointer;
                return Utf8.Write((buffer, capacity, size) => NativeMethods.kg_task_model(task, buffer, capacity, size));
            }
        }

        /// <summary>Throws where the task cannot be.</summary>
        /// <exception cref="KinogradException">The message names the field, what came and what was expected.</exception>
        public void Check()
        {
            Set(task => NativeMethods.kg_task_check(task));
        }

        /// <summary>Adds a prompt for what the person does from a time on, in place of what they did before.</summary>
        /// <param name="prompt">What the person does, in English.</param>
        /// <param name="fromSecs">Seconds from the start of the clip.</param>
        /// <returns>This task.</returns>
        public MotionTask Then(string prompt, double fromSecs)
        {
            byte[] text = Utf8.Bytes(prompt, "prompt");
            fixed (byte* at = text)
            {
                byte* words = at;
                return Set(task => NativeMethods.kg_task_add_prompt(task, words, fromSecs));
            }
        }

        /// <summary>Sets the length of the clip.</summary>
        /// <param name="durationSecs">Seconds.</param>
        /// <returns>This task.</returns>
        public MotionTask Duration(double durationSecs)
        {
            return Set(task => NativeMethods.kg_task_set_duration(task, durationSecs));
        }

        /// <summary>Sets the frame rate of the clip; 20, the model's own, if it is not set.</summary>
        /// <param name="fps">Frames per second.</param>
        /// <returns>This task.</returns>
        public MotionTask Fps(double fps)
        {
            return Set(task => NativeMethods.kg_task_set_fps(task, fps));
        }

        /// <summary>Adds a place on the ground to be at.</summary>
        /// <param name="xM">Metres to the left of the start.</param>
        /// <param name="zM">Metres ahead of the start.</param>
        /// <param name="timeSecs">Seconds from the start of the clip; a negative time is its end.</param>
        /// <returns>This task.</returns>
        public MotionTask Target(double xM, double zM, double timeSecs = -1)
        {
            return Set(task => NativeMethods.kg_task_add_target(task, xM, zM, timeSecs));
        }

        /// <summary>Adds a place on the ground to pass on the way.</summary>
        /// <param name="xM">Metres to the left of the start.</param>
        /// <param name="zM">Metres ahead of the start.</param>
        /// <param name="timeSecs">Seconds from the start of the clip.</param>
        /// <returns>This task.</returns>
        public MotionTask Waypoint(double xM, double zM, double timeSecs)
        {
            return Set(task => NativeMethods.kg_task_add_waypoint(task, xM, zM, timeSecs));
        }

        /// <summary>Adds a circle on the ground that the body's root keeps out of. Shapes in space are added by JSON.</summary>
        /// <param name="xM">Metres to the left of the start.</param>
        /// <param name="zM">Metres ahead of the start.</param>
        /// <param name="radiusM">Metres.</param>
        /// <returns>This task.</returns>
        public MotionTask Obstacle(double xM, double zM, double radiusM)
        {
            return Set(task => NativeMethods.kg_task_add_obstacle(task, xM, zM, radiusM));
        }

        /// <summary>Sets the seed: the same task, model, engine and number of threads give the same clip on one machine. Clip i of several has the noise of seed + i.</summary>
        /// <param name="seed">Any number.</param>
        /// <returns>This task.</returns>
        public MotionTask Seed(ulong seed)
        {
            return Set(task => NativeMethods.kg_task_set_seed(task, seed));
        }

        /// <summary>Sets how many clips a job makes; 1 if it is not set.</summary>
        /// <param name="count">Number of clips.</param>
        /// <returns>This task.</returns>
        public MotionTask Count(int count)
        {
            uint number = NotNegative(count, "count");
            return Set(task => NativeMethods.kg_task_set_count(task, number));
        }

        /// <summary>Sets how many clips are drawn for each that is kept, the best of them; 1 if it is not set.</summary>
        /// <param name="draws">Number of clips.</param>
        /// <returns>This task.</returns>
        public MotionTask BestOf(int draws)
        {
            uint number = NotNegative(draws, "draws");
            return Set(task => NativeMethods.kg_task_set_best_of(task, number));
        }

        /// <summary>Sets the number of denoising steps; the model's own if it is not set, or else 20.</summary>
        /// <param name="steps">Number of steps.</param>
        /// <returns>This task.</returns>
        public MotionTask Steps(int steps)
        {
            uint number = NotNegative(steps, "steps");
            return Set(task => NativeMethods.kg_task_set_steps(task, number));
        }

        /// <summary>Sets how goals steer.</summary>
        /// <param name="name">The method's name, such as <c>projection</c>, which is taken if none is set, or <c>none</c>.</param>
        /// <returns>This task.</returns>
        /// <exception cref="KinogradException">The name is unknown; the message lists the known ones.</exception>
        public MotionTask Method(string name)
        {
            byte[] text = Utf8.Bytes(name, "name");
            fixed (byte* at = text)
            {
                byte* words = at;
                return Set(task => NativeMethods.kg_task_set_method(task, words));
            }
        }

        /// <summary>Sets the strength of the steering; what was tuned for the method if it is not set.</summary>
        /// <param name="scale">The method's scale, without a unit.</param>
        /// <returns>This task.</returns>
        public MotionTask GuidanceScale(double scale)
        {
            return Set(task => NativeMethods.kg_task_set_guidance_scale(task, scale));
        }

        /// <summary>Sets whether feet in contact are held still. They are if it is not set.</summary>
        /// <param name="isOn">Whether they are held.</param>
        /// <returns>This task.</returns>
        public MotionTask FootLock(bool isOn)
        {
            return Set(task => NativeMethods.kg_task_set_foot_lock(task, isOn ? 1u : 0u));
        }

        /// <summary>Makes clips for a character. The goals' places are then in the character's world. The files are read when the job starts.</summary>
        /// <param name="file">A GLB, VRM, FBX or BVH, or a clip as NPZ.</param>
        /// <param name="mapping">A file that says which joints are which; null where their names tell.</param>
        /// <param name="travel"><c>scaled</c> (null: in proportion to its legs) or <c>kept</c>.</param>
        /// <returns>This task.</returns>
        public MotionTask ForRig(string file, string mapping = null, string travel = null)
        {
            byte[] fileText = Utf8.Bytes(file, "file");
            byte[] mappingText = Utf8.Optional(mapping, "mapping");
            byte[] travelText = Utf8.Optional(travel, "travel");
            fixed (byte* atFile = fileText, atMapping = mappingText, atTravel = travelText)
            {
                byte* f = atFile;
                byte* m = atMapping;
                byte* t = atTravel;
                return Set(task => NativeMethods.kg_task_set_rig(task, f, m, t));
            }
        }

        /// <summary>Frees the task. Jobs that were started with it go on; a second time does nothing.</summary>
        public void Dispose()
        {
            handle.Dispose();
        }

        private delegate kg_status Setter(kg_task* task);

        private MotionTask Set(Setter set)
        {
            using (Borrowed borrowed = new Borrowed(handle))
            {
                Call.Check(set((kg_task*)borrowed.Pointer));
            }
            return this;
        }

        private static uint NotNegative(int number, string name)
        {
            if (number < 0)
            {
                throw new ArgumentOutOfRangeException(name, number, "it must not be negative");
            }
            return (uint)number;
        }
    }
}
