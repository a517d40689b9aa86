// The face in the encoder's own frame, and how good a look it is: what `face_engine.alignment` and
// `face_engine.quality` do on the estate's server, so that both mean the same by "blurred".

import type { Picture, Point } from "../detector/yunet.ts";

const SIZE = 112;
// InsightFace's reference face (`face_engine.alignment.TARGET`).
const TARGET = [
  { x: 38.2946, y: 51.6963 },
  { x: 73.5318, y: 51.5014 },
  { x: 56.0252, y: 71.7366 },
  { x: 41.5493, y: 92.3655 },
  { x: 70.7299, y: 92.2041 },
];
// Where skin is (`face_engine.quality`): middle and half axes.
const ELLIPSE = { x: 56, y: 66, across: 34, down: 44 };
// A Gaussian of 9 taps with a standard deviation of 2.
const TAPS = [-4, -3, -2, -1, 0, 1, 2, 3, 4];
const WEIGHTS = TAPS.map((tap) => Math.exp((-tap * tap) / 8));
const WEIGHT = WEIGHTS.reduce((sum, weight) => sum + weight);

/** What the middle of a face looks like. */
export interface Skin {
  /** Mean grey, 0 to 255. */
  readonly brightness: number;
  /** Standard deviation of the grey. */
  readonly contrast: number;
  /** Fine detail for its contrast, about 0 (blurred) to 1. */
  readonly sharpness: number;
}

/** Measure the face whose five landmarks are given, in pixels of the picture. */
export function measureSkin(picture: Picture, landmarks: readonly Point[]): Skin {
  const grey = greyCrop(picture, landmarks);
  const mean = average(grey, (_, at) => grey[at]);
  const contrast = spread(grey, (_, at) => grey[at]);
  const detail = Math.min(
    spread(grey, (x, at) => grey[at] - blurred(grey, at, x, 1)),
    spread(grey, (_, at) => grey[at] - blurred(grey, at, Math.floor(at / SIZE), SIZE)),
  );
  return {
    brightness: mean,
    contrast,
    sharpness: Math.min(1, (4 * detail) / (contrast + 4)),
  };
}

/** The face upright in 112 × 112 pixels of grey, black beyond the picture. */
function greyCrop({ width, height, data }: Picture, landmarks: readonly Point[]): Float32Array {
  const from = centreOf(landmarks);
  const to = centreOf(TARGET);
  let [dot, cross, size] = [0, 0, 0];
  landmarks.forEach((point, index) => {
    const [x, y] = [point.x - from.x, point.y - from.y];
    const [u, v] = [TARGET[index].x - to.x, TARGET[index].y - to.y];
    dot += x * u + y * v;
    cross += x * v - y * u;
    size += x * x + y * y;
  });
  // Back from the frame to the picture: the inverse of Umeyama's similarity.
  const length = (dot * dot + cross * cross) / (size || 1) || 1;
  const luma = (x: number, y: number): number => {
    if (x < 0 || y < 0 || x >= width || y >= height) return 0;
    const at = 4 * (y * width + x);
    // Rec. 601.
    return 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
  };
  return new Float32Array(SIZE * SIZE).map((_, at) => {
    const [u, v] = [(at % SIZE) - to.x, Math.floor(at / SIZE) - to.y];
    const x = from.x + (dot * u + cross * v) / length;
    const y = from.y + (dot * v - cross * u) / length;
    const [left, top] = [Math.floor(x), Math.floor(y)];
    const [across, down] = [x - left, y - top];
    const above = luma(left, top) * (1 - across) + luma(left + 1, top) * across;
    const below = luma(left, top + 1) * (1 - across) + luma(left + 1, top + 1) * across;
    return Math.round(above * (1 - down) + below * down);
  });
}

function centreOf(points: readonly Point[]): Point {
  const sum = points.reduce((one, other) => ({ x: one.x + other.x, y: one.y + other.y }));
  return { x: sum.x / points.length, y: sum.y / points.length };
}

/** One pixel blurred along its row (`step` 1) or column; `place` is where on it the pixel lies. */
function blurred(grey: Float32Array, at: number, place: number, step: number): number {
  let sum = 0;
  TAPS.forEach((tap, index) => {
    // Mirrored at the border, as OpenCV does.
    const there = SIZE - 1 - Math.abs(SIZE - 1 - Math.abs(place + tap));
    sum += WEIGHTS[index] * grey[at + step * (there - place)];
  });
  return sum / WEIGHT;
}

type Measure = (x: number, at: number) => number;

function average(grey: Float32Array, measure: Measure): number {
  let [sum, count] = [0, 0];
  for (let at = 0; at < grey.length; at++) {
    const x = at % SIZE;
    const y = Math.floor(at / SIZE);
    const outside =
      ((x - ELLIPSE.x) / ELLIPSE.across) ** 2 + ((y - ELLIPSE.y) / ELLIPSE.down) ** 2 > 1;
    if (outside) continue;
    sum += measure(x, at);
    count++;
  }
  return sum / count;
}

/** Standard deviation inside the ellipse. */
function spread(grey: Float32Array, measure: Measure): number {
  const mean = average(grey, measure);
  return Math.sqrt(average(grey, (x, at) => (measure(x, at) - mean) ** 2));
}
