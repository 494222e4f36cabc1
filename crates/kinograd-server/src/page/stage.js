// The clip in perspective, on a ground with its target and obstacles.

const BONE_M = 0.045;

export class Stage {
  constructor(canvas) {
    this.canvas = canvas;
    this.turn = 0.6;
    this.lift = 0.35;
    this.distance = 5;
    this.center = [0, 0.9, 0];
    this.dragged = null;
    canvas.addEventListener("pointerdown", (event) => {
      this.dragged = [event.clientX, event.clientY];
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => this.drag(event));
    canvas.addEventListener("pointerup", () => { this.dragged = null; });
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.distance = Math.min(30, Math.max(2, this.distance * Math.exp(event.deltaY * 0.001)));
    }, { passive: false });
  }

  drag(event) {
    if (!this.dragged) return;
    this.turn -= (event.clientX - this.dragged[0]) * 0.008;
    const lift = this.lift + (event.clientY - this.dragged[1]) * 0.006;
    this.lift = Math.min(1.5, Math.max(0.05, lift));
    this.dragged = [event.clientX, event.clientY];
  }

  // A point of the world on the canvas: [x, y, pixels a metre]; null behind the camera.
  project([x, y, z]) {
    const [dx, dy, dz] = [x - this.center[0], y - this.center[1], z - this.center[2]];
    const [sin, cos] = [Math.sin(this.turn), Math.cos(this.turn)];
    // +X of the world is left of one who faces +Z: seen from the front it is on the right.
    const across = dx * cos - dz * sin;
    const towards = dx * sin + dz * cos;
    const [up, down] = [Math.cos(this.lift), Math.sin(this.lift)];
    const height = dy * up - towards * down;
    const depth = this.distance - (towards * up + dy * down);
    if (depth < 0.1) return null;
    const scale = (this.canvas.height * 1.1) / depth;
    return [this.canvas.width / 2 + across * scale, this.canvas.height / 2 - height * scale, scale];
  }

  line(from, to, width, color) {
    const [a, b] = [this.project(from), this.project(to)];
    if (!a || !b) return;
    const pen = this.canvas.getContext("2d");
    pen.strokeStyle = color;
    pen.lineWidth = Math.max(1, width * 0.5 * (a[2] + b[2]));
    pen.lineCap = "round";
    pen.beginPath();
    pen.moveTo(a[0], a[1]);
    pen.lineTo(b[0], b[1]);
    pen.stroke();
  }

  circle([x, z], radius, height, color) {
    const at = (step) => {
      const angle = (step / 24) * 2 * Math.PI;
      return [x + radius * Math.cos(angle), height, z + radius * Math.sin(angle)];
    };
    for (let step = 0; step < 24; step += 1) this.line(at(step), at(step + 1), 0.01, color);
  }

  draw(clip, frame, scene) {
    const pen = this.canvas.getContext("2d");
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    const places = clip && clip.frames[frame];
    if (places) this.center = [places[0][0], 0.9, places[0][2]];
    const [cx, cz] = [Math.round(this.center[0]), Math.round(this.center[2])];
    for (let step = -6; step <= 6; step += 1) {
      this.line([cx + step, 0, cz - 6], [cx + step, 0, cz + 6], 0, "#8885");
      this.line([cx - 6, 0, cz + step], [cx + 6, 0, cz + step], 0, "#8885");
    }
    if (scene.target) this.circle(scene.target, 0.2, 0, "#2b7de9");
    for (const { center, radius } of scene.obstacles) {
      for (const height of [0, 0.5, 1]) this.circle(center, radius, height, "#d33");
    }
    if (!places) return;
    clip.parents.forEach((parent, joint) => {
      if (parent < 0) return;
      const [a, b] = [places[parent], places[joint]];
      this.line([a[0], 0, a[2]], [b[0], 0, b[2]], BONE_M, "#8884");
    });
    clip.parents.forEach((parent, joint) => {
      if (parent >= 0) this.line(places[parent], places[joint], BONE_M, "#e8923a");
    });
  }
}
