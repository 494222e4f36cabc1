using Kinograd;
using Kinograd.Humanoid;
using UnityEngine;

/// <summary>A Humanoid character walks from where it stands to a place, in a clip that is made meanwhile.</summary>
[RequireComponent(typeof(Animator))]
public sealed class WalkToPlace : MonoBehaviour
{
    [SerializeField] private Transform place;
    [SerializeField] private float durationSecs = 4;
    [Tooltip("Under StreamingAssets")]
    [SerializeField] private string model = "kinograd/motion-base";

    private GenerationRun run;
    private SampledClip clip;
    private UnityHumanoid humanoid;
    private float startedSecs;

    private void Start()
    {
        humanoid = new UnityHumanoid(GetComponent<Animator>());
        // Metres from the character, whatever its scale.
        Vector3 way = Quaternion.Inverse(transform.rotation) * (place.position - transform.position);
        Vec3 target = UnityFrame.Convert(new Vec3(way.x, way.y, way.z));
        using (MotionTask task = new MotionTask("a person walks forward"))
        {
            task.Duration(durationSecs).Target(target.X / humanoid.Scale, target.Z / humanoid.Scale);
            run = new GenerationRun(Application.streamingAssetsPath + "/" + model, task.ToJson());
        }
    }

    private void Update()
    {
        if (run == null || !run.IsOver)
        {
            return;
        }
        if (run.Error != null)
        {
            Debug.LogError(run.Error);
        }
        clip = run.Result;
        run = null;
        if (clip != null)
        {
            startedSecs = Time.time;
        }
    }

    // After the Animator, which would pose the character by its own clips.
    private void LateUpdate()
    {
        if (clip != null)
        {
            int frame = (int)((Time.time - startedSecs) * clip.Fps);
            humanoid.Apply(clip.Frames[Mathf.Min(frame, clip.Frames.Length - 1)]);
        }
    }

    private void OnDestroy()
    {
        if (run != null)
        {
            run.Cancel();
        }
        GenerationRun.CloseModel();
    }
}
