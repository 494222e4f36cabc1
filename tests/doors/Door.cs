using Kinograd;

static class Door
{
    static void Main()
    {
        using (var model = new Model("motion-base"))
        using (var task = new MotionTask("a person walks forward").Duration(4).Target(0.5, 3).ForRig("hero.glb"))
        using (var clip = model.GenerateAsync(task).Result)
        {
            clip.Save("door.glb");
        }
    }
}
