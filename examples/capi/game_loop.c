// What a game does: starts a job, goes on with its frames, shows the estimate while the clip is made,
// then plays it on a character that root motion moves.
#include <kinograd.h>
#include <stdio.h>
#include <string.h>

enum { MOST_JOINTS = 64 };

static void say(void *user, int32_t level, const char *message) {
    fprintf(user, "kinograd, level %d: %s\n", (int)level, message);
}

static int fail(void) {
    fprintf(stderr, "%s\n", kg_last_error());
    return 1;
}

// How high the joint named `head` is, metres; the engine would set its bones here.
static float head_height(kg_clip *clip, double time_secs) {
    kg_transform joints[MOST_JOINTS];
    kg_clip_info info = {.struct_size = sizeof info};
    char name[32];
    if (kg_clip_get_info(clip, &info) != KG_STATUS_OK ||
        kg_clip_sample(clip, time_secs, KG_SPACE_WORLD, joints, MOST_JOINTS) != KG_STATUS_OK) {
        return -1;
    }
    for (uint32_t joint = 0; joint < info.joint_count; ++joint) {
        if (kg_clip_joint_name(clip, joint, name, sizeof name, NULL) == KG_STATUS_OK &&
            strcmp(name, "head") == 0) {
            return joints[joint].translation_m[1];
        }
    }
    return -1;
}

// Waits for the next frame of the game, and draws the newest estimate.
static kg_status wait_for(kg_job *job) {
    kg_job_progress progress = {.struct_size = sizeof progress};
    uint32_t seen = 0;
    for (;;) {
        kg_status status = kg_job_wait(job, 1.0 / 60);
        if (status != KG_STATUS_TIMEOUT) {
            return status;
        }
        kg_clip *estimate = NULL;
        if (kg_job_poll(job, &progress) == KG_STATUS_OK && progress.partial_count != seen &&
            kg_job_partial(job, &estimate) == KG_STATUS_OK) {
            seen = progress.partial_count;
            printf("step %d of %d: head at %.2f m\n", (int)progress.done, (int)progress.total,
                   head_height(estimate, 0));
            kg_clip_destroy(estimate);
        }
    }
}

// Plays a clip once, on a character that stands at the origin.
static int play(kg_clip *clip) {
    kg_clip_info info = {.struct_size = sizeof info};
    kg_transform step;
    float way_m = 0;
    uint32_t feet = 0;
    if (kg_clip_get_info(clip, &info) != KG_STATUS_OK) {
        return fail();
    }
    const double frame_secs = 1.0 / 60;
    for (double now = 0; now < info.duration_secs; now += frame_secs) {
        // The character's own transform is multiplied by the step.
        if (kg_clip_root_motion(clip, now, now + frame_secs, &step) != KG_STATUS_OK ||
            kg_clip_foot_contacts(clip, now, &feet) != KG_STATUS_OK) {
            return fail();
        }
        way_m += step.translation_m[2];
    }
    printf("%u joints, %.2f s, %.2f m ahead, head at %.2f m, left toe %s\n", info.joint_count,
           info.duration_secs, way_m, head_height(clip, info.duration_secs / 2),
           feet & KG_FOOT_LEFT_TOE ? "down" : "up");
    return 0;
}

int main(void) {
    kg_model *model = NULL;
    kg_task *task = NULL;
    kg_job *job = NULL, *unwanted = NULL;
    kg_clip *clip = NULL;
    kg_engine_options engine = {.struct_size = sizeof engine, .threads = 2};
    kg_job_options options = {.struct_size = sizeof options, .keep_partial = 1};
    kg_log_set_callback(KG_LOG_LEVEL_WARN, say, stderr);
    // Everything that a task can say, as JSON.
    const char *json = "{\"duration_secs\": 1,"
                       " \"prompts\": [{\"text\": \"a person walks forward\"}],"
                       " \"sampling\": {\"seed\": 7, \"steps\": 5}}";
    int failed = kg_model_open("motion-base", &engine, &model) != KG_STATUS_OK ||
                 kg_task_from_json(json, &task) != KG_STATUS_OK ||
                 kg_job_start(model, task, &options, &job) != KG_STATUS_OK ||
                 kg_job_start(model, task, NULL, &unwanted) != KG_STATUS_OK ||
                 // The player has turned round: this clip is not needed any more.
                 kg_job_cancel(unwanted) != KG_STATUS_OK || wait_for(job) != KG_STATUS_OK ||
                 kg_job_clip(job, 0, &clip) != KG_STATUS_OK;
    failed = failed ? fail() : play(clip);
    kg_job_wait(unwanted, -1); // before the program ends
    kg_clip_destroy(clip);
    kg_job_destroy(unwanted);
    kg_job_destroy(job);
    kg_task_destroy(task);
    kg_model_destroy(model);
    kg_log_set_callback(KG_LOG_LEVEL_OFF, NULL, NULL);
    return failed;
}
