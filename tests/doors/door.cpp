#include <kinograd.hpp>

int main() {
    kinograd::Model model("motion-base");
    kinograd::Task task("a person walks forward");
    task.duration(4).target(0.5, 3).rig("hero.glb");
    kinograd::Job job = model.generate(task);
    job.wait();
    job.clip(0).save("door.glb");
}
