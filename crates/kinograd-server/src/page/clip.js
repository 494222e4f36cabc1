// A clip of the server's glTF: joints in the world, frame by frame.

const WIDTH = { SCALAR: 1, VEC3: 3, VEC4: 4 };

// The quaternion product a b, x, y, z, w.
function product(a, b) {
  return [
    a[3] * b[0] + a[0] * b[3] + a[1] * b[2] - a[2] * b[1],
    a[3] * b[1] - a[0] * b[2] + a[1] * b[3] + a[2] * b[0],
    a[3] * b[2] + a[0] * b[1] - a[1] * b[0] + a[2] * b[3],
    a[3] * b[3] - a[0] * b[0] - a[1] * b[1] - a[2] * b[2],
  ];
}

// A vector turned by a quaternion.
function turned(q, v) {
  const [x, y, z, w] = q;
  const t = [2 * (y * v[2] - z * v[1]), 2 * (z * v[0] - x * v[2]), 2 * (x * v[1] - y * v[0])];
  return [
    v[0] + w * t[0] + y * t[2] - z * t[1],
    v[1] + w * t[1] + z * t[0] - x * t[2],
    v[2] + w * t[2] + x * t[1] - y * t[0],
  ];
}

// Document and numbers of a GLB (glTF 2.0, binary form).
function chunks(glb) {
  const view = new DataView(glb);
  if (view.getUint32(0, true) !== 0x46546c67) throw new Error("the answer is no GLB");
  const length = view.getUint32(12, true);
  const text = new TextDecoder().decode(new Uint8Array(glb, 20, length));
  return { gltf: JSON.parse(text), start: 20 + length + 8 };
}

// {fps, parents, frames: [frame][joint] = [x, y, z]} of the first sample, metres.
export function readClip(glb) {
  const { gltf, start } = chunks(glb);
  const numbers = (index) => {
    const accessor = gltf.accessors[index];
    const from = start + (gltf.bufferViews[accessor.bufferView].byteOffset || 0);
    const count = accessor.count * WIDTH[accessor.type];
    return new Float32Array(glb.slice(from, from + count * 4));
  };
  const parents = gltf.nodes.map(() => -1);
  gltf.nodes.forEach((node, index) => (node.children || []).forEach((child) => { parents[child] = index; }));
  const animation = gltf.animations[0];
  const rotations = [];
  let roots;
  for (const channel of animation.channels) {
    const values = numbers(animation.samplers[channel.sampler].output);
    if (channel.target.path === "rotation") rotations[channel.target.node] = values;
    else roots = values;
  }
  const { fps, samples } = gltf.extensions.MMCP_motion;
  const frames = [];
  for (let frame = 0; frame < samples[0].num_frames; frame += 1) {
    const places = [];
    const turns = [];
    gltf.nodes.forEach((node, joint) => {
      const own = Array.from(rotations[joint].subarray(4 * frame, 4 * frame + 4));
      const parent = parents[joint];
      if (parent < 0) {
        places.push(Array.from(roots.subarray(3 * frame, 3 * frame + 3)));
        turns.push(own);
        return;
      }
      const offset = turned(turns[parent], node.translation);
      places.push(places[parent].map((value, axis) => value + offset[axis]));
      turns.push(product(turns[parent], own));
    });
    frames.push(places);
  }
  return { fps, parents, frames };
}
