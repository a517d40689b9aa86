// Is a JPEG or PNG all there? Browsers show the half of a file that came, with grey for the rest.

import type { Bytes } from "./bytes.ts";

const PNG = [0x89, 0x50, 0x4e, 0x47];
// JPEG's markers (ITU-T T.81, table B.1).
const START_OF_SCAN = 0xda;
const END_OF_IMAGE = 0xd9;

/** Say whether the end of a JPEG or PNG is missing; other formats are left to the decoder. */
export function isCutOff(file: Bytes): boolean {
  if (PNG.every((byte, at) => file[at] === byte)) return isPngCutOff(file);
  return file[0] === 0xff && file[1] === 0xd8 && isJpegCutOff(file);
}

function isJpegCutOff(file: Bytes): boolean {
  // Step over the segments first: the preview inside one has an end mark of its own.
  let at = 2;
  while (at + 4 <= file.length) {
    if (file[at] !== 0xff) return false;
    const marker = file[at + 1];
    // Padding before a marker.
    if (marker === 0xff) at++;
    else if (marker === START_OF_SCAN) return !hasEnd(file, at);
    else at += 2 + (file[at + 2] << 8) + file[at + 3];
  }
  return true;
}

/** Phones append previews and films, so the end mark may lie far before the file's end. */
function hasEnd(file: Bytes, from: number): boolean {
  for (let at = file.indexOf(0xff, from); at >= 0; at = file.indexOf(0xff, at + 1)) {
    if (file[at + 1] === END_OF_IMAGE) return true;
  }
  return false;
}

function isPngCutOff(file: Bytes): boolean {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  // Eight bytes of signature, then chunks: length, name, content, checksum.
  for (let at = 8; at + 12 <= file.length; at += 12 + view.getUint32(at)) {
    if (String.fromCharCode(...file.subarray(at + 4, at + 8)) === "IEND") return false;
  }
  return true;
}
