// Pictures from the camera or a file, onto a canvas: upright (the browser applies EXIF
// orientation), without EXIF and GPS, no larger than needed, and as JPEG.

import type { Bytes } from "./bytes.ts";
import type { Picture } from "../detector/yunet.ts";
import { isCutOff } from "./wholeness.ts";

/** Longest side of a photo that is sent, in pixels: a face then has far more than enough. */
const LONGEST_SIDE = 1280;
const JPEG_QUALITY = 0.92;
// A phone's own photo has 3 to 15 MB; what is larger is no photo or would exhaust its memory.
const LARGEST_FILE = 40 * 1024 * 1024;
// The largest phone cameras have 200 megapixels; a small file can claim many times that.
const MOST_PIXELS = 210_000_000;

// Below this no face in it has enough detail to be told from another.
const LEAST_SIDE = 200;

type Refusal = "unreadable" | "incomplete" | "too-large" | "too-small";

export class PictureRefused extends Error {
  readonly code: Refusal;

  constructor(code: Refusal) {
    super(code);
    this.code = code;
  }
}

/** The part of a source that counts, in its own pixels. */
export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A photo ready to be sent, its pixels, and a small copy for the detector. */
export interface Shot {
  readonly jpeg: Bytes;
  readonly full: Picture;
  readonly small: Picture;
}

export async function shotFromFile(file: File): Promise<Shot> {
  if (file.size > LARGEST_FILE) throw new PictureRefused("too-large");
  const content = await file.arrayBuffer().catch(() => {
    throw new PictureRefused("unreadable");
  });
  if (isCutOff(new Uint8Array(content))) throw new PictureRefused("incomplete");
  const address = URL.createObjectURL(file);
  try {
    const image = new Image();
    // Its size is known once it is loaded; only then are its pixels unpacked.
    await new Promise((resolve, reject) => {
      image.addEventListener("load", resolve);
      image.addEventListener("error", () => reject(new PictureRefused("unreadable")));
      image.src = address;
    });
    const { naturalWidth: width, naturalHeight: height } = image;
    if (!width || !height) throw new PictureRefused("unreadable");
    if (width * height > MOST_PIXELS) throw new PictureRefused("too-large");
    await image.decode().catch(() => {
      throw new PictureRefused("unreadable");
    });
    if (Math.max(width, height) < LEAST_SIDE) throw new PictureRefused("too-small");
    return await shoot(image, { x: 0, y: 0, width, height });
  } finally {
    URL.revokeObjectURL(address);
  }
}

/** Side, in pixels, that the detector's copy of a still photo has at its longest. */
const SMALL_SIDE = 320;

export async function shoot(source: CanvasImageSource, region: Region): Promise<Shot> {
  const canvas = draw(source, region, LONGEST_SIDE);
  const blob = await new Promise<Blob | null>((resolve) =>
    canvas.toBlob(resolve, "image/jpeg", JPEG_QUALITY),
  );
  // A canvas beyond the browser's limits comes out blank or not at all.
  if (!blob || blob.type !== "image/jpeg") throw new PictureRefused("too-large");
  const whole = { x: 0, y: 0, width: canvas.width, height: canvas.height };
  return {
    jpeg: new Uint8Array(await blob.arrayBuffer()),
    full: context(canvas).getImageData(0, 0, canvas.width, canvas.height),
    small: pixels(canvas, whole, SMALL_SIDE),
  };
}

/** The region's pixels, its longest side at most `longest`. */
export function pixels(source: CanvasImageSource, region: Region, longest: number): Picture {
  const canvas = draw(source, region, longest);
  return context(canvas).getImageData(0, 0, canvas.width, canvas.height);
}

/** The largest region of the given shape in the middle of a picture. */
export function centre(width: number, height: number, aspect: number): Region {
  const inner = Math.min(width, height * aspect);
  const size = { width: Math.round(inner), height: Math.round(inner / aspect) };
  return { x: (width - size.width) / 2, y: (height - size.height) / 2, ...size };
}

function draw(source: CanvasImageSource, region: Region, longest: number): HTMLCanvasElement {
  const scale = Math.min(1, longest / Math.max(region.width, region.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(region.width * scale));
  canvas.height = Math.max(1, Math.round(region.height * scale));
  context(canvas).drawImage(
    source,
    region.x,
    region.y,
    region.width,
    region.height,
    0,
    0,
    canvas.width,
    canvas.height,
  );
  return canvas;
}

function context(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const found = canvas.getContext("2d", { willReadFrequently: true });
  if (!found) throw new PictureRefused("too-large");
  return found;
}
