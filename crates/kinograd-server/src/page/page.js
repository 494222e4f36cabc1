// The page: a request of what is on it, and its clip.

import { readClip } from "/clip.js";
import { Stage } from "/stage.js";

const on = (id) => document.getElementById(id);
const ground = on("ground");
const stage = new Stage(on("stage"));
const scene = { target: [1, 3], obstacles: [] };
const SPAN_M = 10;
const RADIUS_M = 0.5;
let model = null;
let clip = null;
let job = null;
let playing = true;
let time = 0;
let before = null;

function say(text, isError = false) {
  on("said").textContent = text;
  on("said").className = isError ? "error" : "";
}

function headers(further) {
  const token = on("token").value.trim();
  return token ? { ...further, Authorization: `Bearer ${token}` } : further;
}

async function ask(path, options = {}) {
  const response = await fetch(path, { ...options, headers: headers(options.headers || {}) });
  if (response.ok) return response;
  const said = await response.json().catch(() => null);
  throw new Error(said ? said.error.message : `the server answered ${response.status}`);
}

// The ground: +Z up, +X left, as one who faces +Z sees it on a map; the origin below the middle.
const scale = () => ground.width / SPAN_M;
const onMap = ([x, z]) => [ground.width / 2 - x * scale(), ground.height * 0.8 - z * scale()];
const inWorld = ([a, b]) => [(ground.width / 2 - a) / scale(), (ground.height * 0.8 - b) / scale()];

function disc(at, radius, color) {
  const pen = ground.getContext("2d");
  const [a, b] = onMap(at);
  pen.fillStyle = color;
  pen.beginPath();
  pen.arc(a, b, radius * scale(), 0, 2 * Math.PI);
  pen.fill();
}

function drawGround() {
  const pen = ground.getContext("2d");
  pen.clearRect(0, 0, ground.width, ground.height);
  pen.strokeStyle = "#8884";
  for (let line = 0; line <= SPAN_M; line += 1) {
    pen.strokeRect(-1, line * scale(), ground.width + 2, 0);
    pen.strokeRect(line * scale(), -1, 0, ground.height + 2);
  }
  for (const { center, radius } of scene.obstacles) disc(center, radius, "#d33a");
  if (on("has-target").checked) disc(scene.target, 0.2, "#2b7de9");
  disc([0, 0], 0.12, "#888");
  if (clip) {
    pen.strokeStyle = "#e8923a";
    pen.beginPath();
    for (const frame of clip.frames) pen.lineTo(...onMap([frame[0][0], frame[0][2]]));
    pen.stroke();
  }
}

function pointed(event) {
  const box = ground.getBoundingClientRect();
  const share = ground.width / box.width;
  return inWorld([(event.clientX - box.left) * share, (event.clientY - box.top) * share]);
}

let held = null;
ground.addEventListener("pointerdown", (event) => {
  const at = pointed(event);
  const near = (place, radius) => Math.hypot(place[0] - at[0], place[1] - at[1]) < radius;
  const obstacle = scene.obstacles.find(({ center, radius }) => near(center, radius));
  if (on("has-target").checked && near(scene.target, 0.4)) held = (place) => { scene.target = place; };
  else if (obstacle) held = (place) => { obstacle.center = place; };
  ground.setPointerCapture(event.pointerId);
});
ground.addEventListener("pointermove", (event) => {
  if (!held) return;
  held(pointed(event).map((value) => Math.round(value * 100) / 100));
  drawGround();
});
ground.addEventListener("pointerup", () => { held = null; });
on("has-target").addEventListener("change", drawGround);
on("add").addEventListener("click", () => {
  const row = scene.obstacles.length;
  scene.obstacles.push({ center: [0.5 + 0.3 * row, 1.5 + 0.3 * row], radius: RADIUS_M });
  drawGround();
});
on("clear").addEventListener("click", () => { scene.obstacles = []; drawGround(); });

function request() {
  const frames = Math.round(Number(on("seconds").value) * model.fps);
  const body = {
    protocol_version: "1.2",
    model: model.id,
    skeleton: model.canonical_skeleton,
    segments: [{ type: "text", prompt: on("prompt").value, duration_frames: frames }],
    options: { seed: Number(on("seed").value) },
  };
  if (on("has-target").checked) {
    body.constraints = [{ type: "root_path", frames: [frames - 1], positions_xz: [scene.target] }];
  }
  if (scene.obstacles.length) {
    const shape = ({ center, radius }) => ({ kind: "circle", center_m: center, radius_m: radius });
    body.x_kinograd = { obstacles: scene.obstacles.map((obstacle) => ({ shape: shape(obstacle) })) };
  }
  return body;
}

const pause = (seconds) => new Promise((done) => { setTimeout(done, seconds * 1000); });

async function make() {
  model = model || (await (await ask("/capabilities")).json()).models[0];
  const accepted = await ask("/generate", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "model/gltf-binary", Prefer: "respond-async" },
    body: JSON.stringify(request()),
  });
  job = accepted.headers.get("Location");
  while (job) {
    const response = await ask(job);
    if (response.status === 200) return response.arrayBuffer();
    const { progress } = await response.json();
    on("progress").value = progress;
    await pause(0.25);
  }
  return null;
}

function show(glb) {
  clip = readClip(glb);
  time = 0;
  const link = on("download");
  URL.revokeObjectURL(link.href);
  link.href = URL.createObjectURL(new Blob([glb], { type: "model/gltf-binary" }));
  link.hidden = false;
  drawGround();
  say(`${clip.frames.length} frames at ${clip.fps} a second`);
}

on("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  on("make").disabled = true;
  on("stop").disabled = false;
  on("progress").hidden = false;
  on("progress").value = 0;
  say("at work");
  try {
    const glb = await make();
    if (glb) show(glb);
    else say("stopped");
  } catch (error) {
    say(job === null && on("stop").disabled ? "stopped" : error.message, true);
  }
  job = null;
  on("make").disabled = false;
  on("stop").disabled = true;
  on("progress").hidden = true;
});

on("stop").addEventListener("click", async () => {
  const given = job;
  job = null;
  on("stop").disabled = true;
  if (given) await ask(given, { method: "DELETE" }).catch(() => null);
});

on("play").addEventListener("click", () => {
  playing = !playing;
  on("play").textContent = playing ? "Pause" : "Play";
});
on("time").addEventListener("input", () => {
  playing = false;
  on("play").textContent = "Play";
  if (clip) time = (Number(on("time").value) * (clip.frames.length - 1)) / clip.fps;
});

function tick(now) {
  const last = clip ? clip.frames.length - 1 : 0;
  if (clip && playing && before !== null) time = (time + (now - before) / 1000) % ((last + 1) / clip.fps);
  before = now;
  const frame = clip ? Math.min(last, Math.floor(time * clip.fps)) : 0;
  if (clip && playing) on("time").value = last ? frame / last : 0;
  stage.draw(clip, frame, { target: on("has-target").checked ? scene.target : null, obstacles: scene.obstacles });
  requestAnimationFrame(tick);
}

drawGround();
requestAnimationFrame(tick);
