// A clip in memory and on a character, with destructors and exceptions.
#include <cstdio>
#include <exception>
#include <kinograd.hpp>

int main(int argc, char** argv) {
    try {
        kinograd::Log log(KG_LOG_LEVEL_WARN, [](kg_log_level, const char* message) {
            std::fprintf(stderr, "kinograd: %s\n", message);
        });
        kinograd::Model model("motion-base");
        kinograd::Task task("a person walks forward");
        task.duration(2).target(0, 2).waypoint(0.3, 1, 1).seed(7).steps(8);
        kinograd::Job job = model.generate(task);
        while (!job.wait(0.5)) {
            const kg_job_progress progress = job.progress();
            std::fprintf(stderr, "%d of %d\n", int(progress.done), int(progress.total));
        }
        kinograd::Clip walk = job.clip(0);
        kinograd::SaveOptions for_unreal;
        for_unreal.fps = 30;
        for_unreal.root_motion = "extract";
        for_unreal.joint_names = "ue5";
        const auto fbx = walk.encode("fbx", for_unreal);
        const kg_transform end = walk.root(walk.info().duration_secs);
        std::printf("FBX of %zu bytes; ends at (%.1f, %.1f)\n", fbx.size(), end.translation_m[0],
                    end.translation_m[2]);
        if (argc > 1) {
            kinograd::Rig(argv[1]).retarget(walk).save("on_rig.glb");
        }
        return 0;
    } catch (const kinograd::Error& error) {
        std::fprintf(stderr, "%s (status %d)\n", error.what(), int(error.status()));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
    }
    return 1;
}
