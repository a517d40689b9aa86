// Runs the detector on raw pictures for the comparison with OpenCV's own: arguments are the
// weights file, then files of `uint32 width, uint32 height, RGBA …`; prints one line per file.

import { readFileSync } from "node:fs";
import { readWeights } from "../detector/weights.ts";
import { detect } from "../detector/yunet.ts";

function bytesOf(path: string): ArrayBuffer {
  const content = readFileSync(path);
  return content.buffer.slice(content.byteOffset, content.byteOffset + content.byteLength);
}

const [weights, ...pictures] = process.argv.slice(2);
const convolutions = readWeights(bytesOf(weights));
for (const path of pictures) {
  const file = bytesOf(path);
  const [width, height] = new Uint32Array(file, 0, 2);
  const faces = detect(convolutions, { width, height, data: new Uint8Array(file, 8) });
  console.log(JSON.stringify(faces));
}
