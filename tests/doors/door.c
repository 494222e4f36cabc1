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
        kg_task_set_duration(task, 4);
        kg_task_add_target(task, 0.5, 3, -1);
        kg_task_set_rig(task, "hero.glb", NULL, NULL);
        status = kg_job_start(model, task, NULL, &job);
    }
    if (status == KG_STATUS_OK) {
        status = kg_job_wait(job, -1);
    }
    if (status == KG_STATUS_OK) {
        status = kg_job_clip(job, 0, &clip);
    }
    if (status == KG_STATUS_OK) {
        status = kg_clip_save(clip, "door.glb", NULL);
    }
    if (status != KG_STATUS_OK) {
        fprintf(stderr, "%s\n", kg_last_error());
    }
    kg_clip_destroy(clip);
    kg_job_destroy(job);
    kg_task_destroy(task);
    kg_model_destroy(model);
    return status;
}
