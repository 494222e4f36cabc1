// A clip from a prompt, a place to reach and a thing to walk round, in a file.
#include <kinograd.h>
#include <stdio.h>

int main(void) {
    kg_model *model = NULL;
    kg_task *task = NULL;
    kg_job *job = NULL;
    kg_clip *clip = NULL;
    kg_status status = kg_model_open("motion-base", NULL, &model);
    if (status == KG_STATUS_OK) {
        status = kg_task_create("a person walks forward", &task);
    }
    if (status == KG_STATUS_OK) {
        kg_task_set_duration(task, 2);
        kg_task_add_target(task, 0.5, 1.5, -1); // metres; at the end of the clip
        kg_task_add_obstacle(task, -0.2, 0.8, 0.3);
        status = kg_job_start(model, task, NULL, &job);
    }
    if (status == KG_STATUS_OK) {
        status = kg_job_wait(job, -1);
    }
    if (status == KG_STATUS_OK) {
        status = kg_job_clip(job, 0, &clip);
    }
    if (status == KG_STATUS_OK) {
        status = kg_clip_save(clip, "walk.glb", NULL);
    }
    if (status != KG_STATUS_OK) {
        fprintf(stderr, "%s\n", kg_last_error());
    }
    kg_clip_destroy(clip); // NULL is taken
    kg_job_destroy(job);
    kg_task_destroy(task);
    kg_model_destroy(model);
    return status;
}
