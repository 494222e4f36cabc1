// A clip from a file onto a character: convert CLIP CHARACTER OUT, such as walk.bvh hero.glb out.glb.
#include <kinograd.h>
#include <stdio.h>
#include <stdlib.h>

static int fail(void) {
    fprintf(stderr, "%s\n", kg_last_error());
    return 1;
}

// Prints a text of the library's, as long as it may be.
static int print_report(const kg_rig *rig) {
    uint64_t size = 0;
    if (kg_rig_report_json(rig, NULL, 0, &size) != KG_STATUS_OK) {
        return fail();
    }
    char *report = malloc((size_t)size);
    int failed = report == NULL || kg_rig_report_json(rig, report, size, NULL) != KG_STATUS_OK;
    if (!failed) {
        puts(report);
    }
    free(report);
    return failed;
}

int main(int argc, char **argv) {
    kg_clip *clip = NULL, *on_rig = NULL;
    kg_rig *rig = NULL;
    kg_blob *file = NULL;
    uint64_t bytes = 0;
    if (argc != 4) {
        fprintf(stderr, "convert CLIP CHARACTER OUT\n");
        return 1;
    }
    int failed = kg_clip_load(argv[1], &clip) != KG_STATUS_OK ||
                 kg_rig_open(argv[2], NULL, &rig) != KG_STATUS_OK ||
                 kg_rig_retarget(rig, clip, NULL, &on_rig) != KG_STATUS_OK ||
                 kg_clip_save(on_rig, argv[3], NULL) != KG_STATUS_OK ||
                 // The same in memory, for an engine that takes files from there.
                 kg_clip_encode(on_rig, "glb", NULL, &file) != KG_STATUS_OK ||
                 kg_blob_size(file, &bytes) != KG_STATUS_OK;
    failed = failed ? fail() : print_report(rig);
    if (!failed) {
        printf("%llu bytes as GLB\n", (unsigned long long)bytes);
    }
    kg_blob_destroy(file);
    kg_clip_destroy(on_rig);
    kg_rig_destroy(rig);
    kg_clip_destroy(clip);
    return failed;
}
