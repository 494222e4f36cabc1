// node check.mjs clip.glb [clip.npz]
// The Khronos validator must find nothing to say, and three.js must play the clip so that its
// joints are where the NPZ of the same clip says (within 1e-4 m). Exit code 1 otherwise.
import { readFileSync } from 'node:fs';
import { readNpz } from './npz.mjs';
import validator from 'gltf-validator';
import * as THREE from 'three';
import { GLTFLoader } from 'three/addons/loaders/GLTFLoader.js';

const TOLERANCE_M = 1e-4;
globalThis.self = globalThis;
const [glbPath, npzPath] = process.argv.slice(2);
if (!glbPath) {
  console.error('usage: node check.mjs clip.glb [clip.npz]');
  process.exit(1);
}
const bytes = readFileSync(glbPath);
let failed = false;
const check = (ok, message) => {
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${message}`);
  failed ||= !ok;
};

const { issues } = await validator.validateBytes(new Uint8Array(bytes), { maxIssues: 100 });
for (const issue of issues.messages) console.log('     ', issue.code, issue.pointer, issue.message);
check(
  issues.numErrors + issues.numWarnings + issues.numInfos === 0,
  `validator: ${issues.numErrors} errors, ${issues.numWarnings} warnings, ${issues.numInfos} infos`,
);

const data = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
const gltf = await new GLTFLoader().parseAsync(data, '');
const clip = gltf.animations[0];
const skinned = gltf.scene.getObjectByProperty('isSkinnedMesh', true);
check(Boolean(clip && skinned), 'three.js: one animation and a skinned mesh');
const mixer = new THREE.AnimationMixer(gltf.scene);
const action = mixer.clipAction(clip);
action.setLoop(THREE.LoopOnce, 1);
action.clampWhenFinished = true;
action.play();
const bones = skinned.skeleton.bones;
const pose = (secs) => {
  mixer.setTime(secs);
  gltf.scene.updateMatrixWorld(true);
  return bones.map((bone) => bone.getWorldPosition(new THREE.Vector3()));
};

if (npzPath) {
  const { joints, fps } = readNpz(npzPath);
  const [frames, count] = joints.shape;
  check(count === bones.length, `${count} joints in both files`);
  let worst = 0;
  for (let frame = 0; frame < frames; frame++) {
    pose(frame / fps).forEach((at, joint) => {
      at.toArray().forEach((value, axis) => {
        const want = joints.data[(frame * count + joint) * 3 + axis];
        worst = Math.max(worst, Number.isFinite(value) ? Math.abs(value - want) : Infinity);
      });
    });
  }
  check(worst <= TOLERANCE_M, `three.js plays ${frames} frames within ${worst.toExponential(2)} m`);
}

// The skin moves with the bones: no vertex strays from the body.
pose(clip.duration / 2);
// The root may be a bone on the ground.
const box = new THREE.Box3().setFromPoints(bones.map((bone) => bone.getWorldPosition(new THREE.Vector3())));
const middle = box.getCenter(new THREE.Vector3());
let farthest = 0;
let lowest = Infinity;
gltf.scene.traverse((mesh) => {
  if (!mesh.isSkinnedMesh) return;
  for (let i = 0; i < mesh.geometry.attributes.position.count; i++) {
    const vertex = mesh.getVertexPosition(i, new THREE.Vector3()).applyMatrix4(mesh.matrixWorld);
    farthest = Math.max(farthest, vertex.distanceTo(middle));
    lowest = Math.min(lowest, vertex.y);
  }
});
const span = `skin within ${farthest.toFixed(3)} m of the body's middle, lowest ${lowest.toFixed(3)} m`;
check(farthest < 1.5, span);
process.exit(failed ? 1 : 0);
