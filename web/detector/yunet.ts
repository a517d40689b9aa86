// YuNet (Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", 2023; OpenCV Zoo's
// face_detection_yunet_2023mar), written out: the door's own detector, so that what the form
// calls a good picture is what the door will see.

import { addEnlarged, depthwise, emptyGrid, halve, pointwise, stem } from "./layers.ts";
import type { Convolution, Grid } from "./layers.ts";

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** One face, in pixels of the picture given. */
export interface Face {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly score: number;
  /** Right eye, left eye, nose tip, right and left mouth corner; the person's own sides. */
  readonly landmarks: readonly Point[];
}

/** RGBA pixels, as a canvas gives them. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray | Uint8Array;
}

const STRIDES = [8, 16, 32];
const LARGEST_STRIDE = 32;
// Below this a "face" is more often a shirt; advice about a shirt helps nobody.
const LEAST_SCORE = 0.6;
// As in OpenCV's FaceDetectorYN.
const MOST_OVERLAP = 0.3;
// The order of the convolutions in the file, which is the graph's own.
const NECK_AT = 23;
const HEADS_AT = NECK_AT + 6;

/** Find the faces in a picture, best first. */
export function detect(convolutions: readonly Convolution[], picture: Picture): Face[] {
  const levels = neck(convolutions, backbone(convolutions, padded(picture)));
  const faces = levels.flatMap((level, index) => read(convolutions, level, index));
  return keepBest(faces);
}

/** Blue, green, red planes, sides grown to whole multiples of 32 by black, and a border. */
function padded(picture: Picture): Grid {
  const grown = (side: number) => Math.ceil(side / LARGEST_STRIDE) * LARGEST_STRIDE;
  const grid = emptyGrid(grown(picture.width), grown(picture.height), 3, 1);
  let from = 0;
  for (let row = 0; row < picture.height; row++) {
    let to = ((row + 1) * (grid.width + 2) + 1) * 3;
    for (let column = 0; column < picture.width; column++, from += 4, to += 3) {
      grid.values[to] = picture.data[from + 2];
      grid.values[to + 1] = picture.data[from + 1];
      grid.values[to + 2] = picture.data[from];
    }
  }
  return grid;
}

function separable(layers: readonly Convolution[], at: number, input: Grid, cut = true): Grid {
  return depthwise(pointwise(input, layers[at]), layers[at + 1], cut);
}

function twice(layers: readonly Convolution[], at: number, input: Grid): Grid {
  return separable(layers, at + 2, separable(layers, at, input));
}

function backbone(layers: readonly Convolution[], picture: Grid): Grid[] {
  const first = halve(separable(layers, 1, stem(picture, layers[0])));
  const second = halve(twice(layers, 7, twice(layers, 3, first)));
  const fine = twice(layers, 11, second);
  const middle = twice(layers, 15, halve(fine));
  const coarse = twice(layers, 19, halve(middle));
  return [fine, middle, coarse];
}

function neck(layers: readonly Convolution[], [fine, middle, coarse]: readonly Grid[]): Grid[] {
  const last = separable(layers, NECK_AT, coarse);
  const centre = separable(layers, NECK_AT + 2, addEnlarged(middle, last));
  return [separable(layers, NECK_AT + 4, addEnlarged(fine, centre)), centre, last];
}

/** The four heads of one level: class, box, objectness, landmarks; anchors are grid points. */
function read(layers: readonly Convolution[], level: Grid, index: number): Face[] {
  const head = (kind: number) =>
    separable(layers, HEADS_AT + 6 * kind + 2 * index, level, false).values;
  const [kinds, boxes, objects, points] = [head(0), head(1), head(2), head(3)];
  const stride = STRIDES[index];
  const faces: Face[] = [];
  for (let at = 0; at < level.width * level.height; at++) {
    const score = Math.sqrt(sigmoid(kinds[at]) * sigmoid(objects[at]));
    if (score < LEAST_SCORE) continue;
    const column = at % level.width;
    const row = Math.floor(at / level.width);
    const width = Math.exp(boxes[4 * at + 2]) * stride;
    const height = Math.exp(boxes[4 * at + 3]) * stride;
    const landmarks = [0, 2, 4, 6, 8].map((pair) => ({
      x: (column + points[10 * at + pair]) * stride,
      y: (row + points[10 * at + pair + 1]) * stride,
    }));
    faces.push({
      x: (column + boxes[4 * at]) * stride - width / 2,
      y: (row + boxes[4 * at + 1]) * stride - height / 2,
      width,
      height,
      score,
      landmarks,
    });
  }
  return faces;
}

function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value));
}

function keepBest(faces: Face[]): Face[] {
  const kept: Face[] = [];
  for (const face of faces.sort((one, other) => other.score - one.score)) {
    if (kept.every((better) => overlap(better, face) <= MOST_OVERLAP)) kept.push(face);
  }
  return kept;
}

/** Intersection over union. */
function overlap(one: Face, other: Face): number {
  const width = Math.min(one.x + one.width, other.x + other.width) - Math.max(one.x, other.x);
  const height = Math.min(one.y + one.height, other.y + other.height) - Math.max(one.y, other.y);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (one.width * one.height + other.width * other.height - shared);
}
