// Our NPZ files, read by hand.
import { readFileSync } from 'node:fs';

// Joints, `[frames, joints, 3]`, metres, and frames per second of an NPZ of ours.
export function readNpz(path) {
  const file = readFileSync(path);
  const arrays = {};
  // Entries are stored, not deflated; the central directory at the end lists them.
  let at = file.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  const entries = file.readUInt16LE(at + 10);
  at = file.readUInt32LE(at + 16);
  for (let entry = 0; entry < entries; entry++) {
    const [nameLength, extra, comment] = [28, 30, 32].map((o) => file.readUInt16LE(at + o));
    const name = file.toString('utf8', at + 46, at + 46 + nameLength);
    const local = file.readUInt32LE(at + 42);
    const start = local + 30 + file.readUInt16LE(local + 26) + file.readUInt16LE(local + 28);
    arrays[name.replace(/\.npy$/, '')] = readNpy(file.subarray(start));
    at += 46 + nameLength + extra + comment;
  }
  return { joints: arrays.joints, fps: arrays.fps.data[0] };
}

function readNpy(npy) {
  const wide = npy[6] > 1;
  const start = wide ? 12 + npy.readUInt32LE(8) : 10 + npy.readUInt16LE(8);
  const header = npy.toString('latin1', wide ? 12 : 10, start);
  const type = /'descr': '(.*?)'/.exec(header)[1];
  const shape = /'shape': \((.*?)\)/.exec(header)[1].split(',').filter((n) => n.trim()).map(Number);
  const size = shape.reduce((a, b) => a * b, 1);
  const read = { '<f4': ['readFloatLE', 4], '<f8': ['readDoubleLE', 8] }[type];
  if (!read) return { shape, data: [] };
  return { shape, data: Array.from({ length: size }, (_, i) => npy[read[0]](start + i * read[1])) };
}
