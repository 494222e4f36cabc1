// node chromium.mjs CONVERT CLIP.bvh…
//
// three.js in headless Chromium plays our GLB files, each clip in every form that can be written: its bones must be
// within 0.1 mm of our NPZ's joints at every tenth frame, and its renderer must draw a figure. The Khronos validator
// must find nothing to say of any. CONVERT is kinograd-formats' example `convert`; CHROMIUM names the browser.
// Prints a line a case; exit code 1 where one is wrong.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import validator from 'gltf-validator';
import { readNpz } from './npz.mjs';

const LIMIT_M = 1e-4;
const EVERY = 10;
const TIMEOUT_MS = 300_000;
const FORMS = [
  [],
  ['--root-motion', 'extract'],
  ['--root-motion', 'in-place'],
  ...['ours', 'mixamo', 'ue5', 'unity', 'vrm'].map((names) => ['--root-motion', 'extract', '--names', names]),
  ['--rest-pose', 'a'],
  ['--root-motion', 'extract', '--names', 'ue5', '--rest-pose', 'a', '--fps', '60'],
];
const here = dirname(fileURLToPath(import.meta.url));
const [convert, ...clips] = process.argv.slice(2);
if (!clips.length) {
  console.error('usage: node chromium.mjs CONVERT CLIP.bvh…');
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), 'kinograd-three-'));

// Every clip in every form, as a GLB for the judge and an NPZ for us.
const cases = clips.flatMap((clip) =>
  FORMS.map((flags, form) => {
    const name = `${basename(clip, '.bvh')}-${form}`;
    const file = (extension) => join(folder, `${name}.${extension}`);
    for (const extension of ['glb', 'npz']) {
      execFileSync(convert, [clip, file(extension), '--retarget', 'yes', ...flags], { stdio: ['ignore', 'ignore', 'inherit'] });
    }
    const { joints, fps } = readNpz(file('npz'));
    const frames = [];
    for (let frame = 0; frame < joints.shape[0]; frame += EVERY) frames.push(frame);
    const title = `${basename(clip)} ${flags.join(' ')}`.trim();
    return { title, glb: `/clips/${name}.glb`, path: file('glb'), joints, seconds: frames.map((f) => f / fps), frames };
  }),
);

// What runs in the browser.
const PAGE = `<!doctype html><title>judge</title>
<script type="importmap">{"imports": {"three": "/three/build/three.module.js", "three/addons/": "/three/examples/jsm/"}}</script>
<script type="module">
import * as THREE from 'three';
import { GLTFLoader } from 'three/addons/loaders/GLTFLoader.js';
const say = (answer) => fetch('/answer', { method: 'POST', body: JSON.stringify(answer) });
async function play({ glb, seconds }, renderer) {
  const gltf = await new GLTFLoader().loadAsync(glb);
  const skinned = gltf.scene.getObjectByProperty('isSkinnedMesh', true);
  const mixer = new THREE.AnimationMixer(gltf.scene);
  const action = mixer.clipAction(gltf.animations[0]);
  action.setLoop(THREE.LoopOnce, 1);
  action.clampWhenFinished = true;
  action.play();
  const scene = new THREE.Scene();
  scene.add(gltf.scene, new THREE.HemisphereLight(0xffffff, 0x808080, 3));
  const camera = new THREE.PerspectiveCamera(50, 1, 0.1, 100);
  const bones = [];
  for (const secs of seconds) {
    mixer.setTime(secs);
    gltf.scene.updateMatrixWorld(true);
    bones.push(skinned.skeleton.bones.map((bone) => bone.getWorldPosition(new THREE.Vector3()).toArray()));
  }
  const middle = new THREE.Box3().setFromPoints(bones.at(-1).map((p) => new THREE.Vector3(...p))).getCenter(new THREE.Vector3());
  camera.position.copy(middle).add(new THREE.Vector3(0, 0, 3));
  renderer.render(scene, camera);
  const gl = renderer.getContext();
  const pixels = new Uint8Array(4 * 128 * 128);
  gl.readPixels(0, 0, 128, 128, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
  let drawn = 0;
  for (let at = 0; at < pixels.length; at += 4) drawn += pixels[at] > 8;
  scene.traverse((thing) => thing.geometry?.dispose());
  return { bones, drawn: drawn / (128 * 128), loop: gltf.animations[0].userData?.loop ?? false, root: skinned.skeleton.bones[0].name };
}
try {
  const renderer = new THREE.WebGLRenderer({ preserveDrawingBuffer: true });
  renderer.setSize(128, 128, false);
  const answers = [];
  for (const one of await (await fetch('/cases')).json()) answers.push(await play(one, renderer));
  await say({ revision: THREE.REVISION, agent: navigator.userAgent, answers });
} catch (error) {
  await say({ error: String(error.stack ?? error) });
}
</script>`;

const KINDS = { js: 'text/javascript', html: 'text/html', glb: 'model/gltf-binary' };
function serve(request, response, answered) {
  const send = (kind, body) => response.writeHead(200, { 'content-type': kind }).end(body);
  const path = new URL(request.url, 'http://localhost').pathname;
  if (path === '/') return send(KINDS.html, PAGE);
  if (path === '/cases') return send('application/json', JSON.stringify(cases.map(({ glb, seconds }) => ({ glb, seconds }))));
  if (path === '/answer') {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      send('text/plain', 'thanks');
      answered(JSON.parse(Buffer.concat(parts).toString()));
    });
    return undefined;
  }
  const [root, rest] = path.startsWith('/three/')
    ? [join(here, 'node_modules/three'), path.slice(7)]
    : [folder, path.replace('/clips/', '')];
  const file = resolve(root, rest);
  if (!file.startsWith(root)) return response.writeHead(404).end();
  try {
    return send(KINDS[file.split('.').pop()] ?? 'application/octet-stream', readFileSync(file));
  } catch {
    return response.writeHead(404).end();
  }
}

function askChromium() {
  return new Promise((resolveAnswer, reject) => {
    const server = createServer((request, response) => serve(request, response, finish(resolveAnswer)));
    let browser;
    const timer = setTimeout(() => finish(reject)(new Error('Chromium did not answer')), TIMEOUT_MS);
    function finish(then) {
      return (value) => {
        clearTimeout(timer);
        browser?.kill();
        server.close();
        server.closeAllConnections();
        then(value);
      };
    }
    server.listen(0, '127.0.0.1', () => {
      const url = `http://127.0.0.1:${server.address().port}/`;
      browser = spawn(process.env.CHROMIUM ?? 'chromium', [
        '--headless=new', '--no-sandbox', '--disable-gpu-sandbox', '--use-angle=swiftshader',
        '--enable-unsafe-swiftshader', '--no-first-run', '--disable-background-networking',
        '--disable-component-update', '--disable-dev-shm-usage', `--user-data-dir=${join(folder, 'profile')}`, url,
      ], { stdio: 'ignore' });
      browser.on('error', finish(reject));
    });
  });
}

function farthest(one, answer) {
  const [, count] = one.joints.shape;
  let worst = 0;
  one.frames.forEach((frame, at) => {
    const bones = answer.bones[at];
    if (bones.length !== count) worst = Infinity;
    bones.forEach((bone, joint) => {
      bone.forEach((value, axis) => {
        const off = Math.abs(value - one.joints.data[(frame * count + joint) * 3 + axis]);
        worst = Math.max(worst, Number.isFinite(off) ? off : Infinity);
      });
    });
  });
  return worst;
}

let wrong = 0;
try {
  const { error, revision, agent, answers } = await askChromium();
  if (error) throw new Error(error);
  console.log(`three.js r${revision} in ${/Chrome\/[\d.]+/.exec(agent)[0]}`);
  for (const [at, one] of cases.entries()) {
    const off = farthest(one, answers[at]);
    const { issues } = await validator.validateBytes(new Uint8Array(readFileSync(one.path)), { maxIssues: 20 });
    const said = issues.numErrors + issues.numWarnings + issues.numInfos;
    const ok = off <= LIMIT_M && answers[at].drawn > 0.02 && said === 0;
    wrong += !ok;
    const loops = answers[at].loop ? ', loops' : '';
    console.log(
      `${ok ? 'ok   ' : 'WRONG'} ${one.title}: ${off.toExponential(1)} m at ${one.frames.length} frames, root ` +
        `${answers[at].root}, ${(100 * answers[at].drawn).toFixed(0)} % drawn, validator ${said} issues${loops}`,
    );
    for (const issue of issues.messages) console.log('     ', issue.code, issue.pointer, issue.message);
  }
} finally {
  // The browser may still be writing its profile.
  await new Promise((go) => setTimeout(go, 500));
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
console.log(`${wrong} wrong`);
process.exit(wrong ? 1 : 0);
