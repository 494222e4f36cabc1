using System;
using System.IO;
using Kinograd.Humanoid;
using UnityEditor;
using UnityEngine;

namespace Kinograd.Editor
{
    /// <summary>Window, Animation, Kinograd: a clip from a prompt for a Humanoid character, as an asset.</summary>
    public sealed class KinogradWindow : EditorWindow
    {
        private const int FramesPerUpdate = 20;

        [SerializeField] private Animator character;
        [SerializeField] private string prompt = "a person walks forward";
        [SerializeField] private float durationSecs = 4;
        [SerializeField] private int seed;
        [SerializeField] private bool hasTarget;
        [SerializeField] private Vector3 target = new Vector3(0, 0, 3);
        [SerializeField] private string modelFolder = "";
        [SerializeField] private string assetPath = "Assets/Kinograd.anim";

        private GenerationRun run;
        private HumanoidBaker baker;
        private string message = "";

        /// <summary>Opens the window.</summary>
        [MenuItem("Window/Animation/Kinograd")]
        public static void Open()
        {
            GetWindow<KinogradWindow>("Kinograd");
        }

        private bool IsBusy
        {
            get { return baker != null; }
        }

        private void OnEnable()
        {
            EditorApplication.update += Look;
            AssemblyReloadEvents.beforeAssemblyReload += Stop;
        }

        private void OnDisable()
        {
            EditorApplication.update -= Look;
            AssemblyReloadEvents.beforeAssemblyReload -= Stop;
            Stop();
        }

        private void OnGUI()
        {
            using (new EditorGUI.DisabledScope(IsBusy))
            {
                character = (Animator)EditorGUILayout.ObjectField("Character", character, typeof(Animator), true);
                prompt = EditorGUILayout.TextField("Prompt", prompt);
                durationSecs = EditorGUILayout.Slider("Seconds", durationSecs, 1, 10);
                seed = EditorGUILayout.IntField("Seed", seed);
                hasTarget = EditorGUILayout.Toggle("Ends at a place", hasTarget);
                if (hasTarget)
                {
                    target = EditorGUILayout.Vector3Field("Place (m, from the character)", target);
                }
                modelFolder = EditorGUILayout.TextField("Model folder (empty: the package's)", modelFolder);
                assetPath = EditorGUILayout.TextField("Asset", assetPath);
                if (GUILayout.Button("Make clip"))
                {
                    Begin();
                }
            }
            if (IsBusy)
            {
                float part = run != null ? run.Fraction : baker.Fraction;
                EditorGUI.ProgressBar(GUILayoutUtility.GetRect(18, 18), part, run != null ? "Generating" : "Baking");
                if (GUILayout.Button("Cancel"))
                {
                    Cancel();
                }
            }
            if (message.Length > 0)
            {
                EditorGUILayout.HelpBox(message, MessageType.Info);
            }
        }

        private void Begin()
        {
            message = "";
            try
            {
                if (character == null)
                {
                    throw new ArgumentException("choose a character that has an Animator with a Humanoid avatar");
                }
                string folder = modelFolder.Length > 0
                    ? modelFolder
                    : Path.GetFullPath("Packages/com.kinograd.kinograd/Models~/motion-base");
                // An avatar that will not do is told before the work and not after it.
                baker = new HumanoidBaker(character);
                run = new GenerationRun(folder, TaskJson(baker.Scale));
            }
            catch (Exception error)
            {
                message = error.Message;
                End();
            }
        }

        private string TaskJson(float scale)
        {
            using (MotionTask task = new MotionTask(prompt))
            {
                task.Duration(durationSecs).Seed((ulong)Math.Max(seed, 0));
                if (hasTarget)
                {
                    Vec3 place = UnityFrame.Convert(new Vec3(target.x, target.y, target.z));
                    task.Target(place.X / scale, place.Z / scale);
                }
                return task.ToJson();
            }
        }

        private void Cancel()
        {
            if (run != null)
            {
                run.Cancel();
                message = "Cancelled.";
            }
            End();
        }

        // Every frame of the editor: nothing here waits.
        private void Look()
        {
            try
            {
                if (!IsBusy)
                {
                    return;
                }
                if (run != null && run.IsOver)
                {
                    Take(run);
                }
                else if (run == null && baker.Step(FramesPerUpdate))
                {
                    Save(baker.Clip());
                    End();
                }
            }
            catch (Exception error)
            {
                message = error.Message;
                End();
            }
            Repaint();
        }

        private void Take(GenerationRun ended)
        {
            run = null;
            if (ended.Error != null)
            {
                message = ended.Error;
                End();
                return;
            }
            baker.Take(ended.Result);
        }

        private void Save(AnimationClip clip)
        {
            string path = AssetDatabase.GenerateUniqueAssetPath(assetPath);
            AssetDatabase.CreateAsset(clip, path);
            AssetDatabase.SaveAssets();
            message = "Saved " + path + ".";
        }

        private void End()
        {
            if (baker != null)
            {
                baker.Dispose();
            }
            baker = null;
            run = null;
        }

        // Before scripts are loaded anew: nothing native may be left at work.
        private void Stop()
        {
            Cancel();
            GenerationRun.CloseModel();
        }
    }
}
