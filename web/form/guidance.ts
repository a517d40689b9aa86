// From what the detector sees to one piece of advice: plain functions over plain values.
// The camera's limits are a little stricter than the server's own gate, so that what it takes
// passes; a photo that somebody already has is turned down only where the server would do so.

import type { Face, Picture, Point } from "../detector/yunet.ts";
import { measureSkin } from "./crop.ts";
import type { Pose } from "./enrollment.ts";

export type Advice =
  | "hold-still"
  | "no-face"
  | "several-faces"
  | "closer"
  | "back"
  | "centre"
  | "more-light"
  | "less-light"
  | "even-light"
  | "straight"
  | "turn-left"
  | "turn-right"
  | "turn-less"
  | "level"
  | "steady";

// Share of the frame's width that the face takes up.
const SMALLEST_FACE = 0.34;
const LARGEST_FACE = 0.78;
// How far the face's middle may lie from the oval's, in shares of the frame's width and height.
const OFF_CENTRE = { x: 0.14, y: 0.13 };
const OVAL_MIDDLE = { x: 0.5, y: 0.49 };
// A face this tall against the main one is a second person, not somebody in the background.
const SECOND_FACE = 0.35;
// Mean luminance of the face, 0 to 255.
const DARK = 70;
const BRIGHT = 215;
// A background this much brighter than a darkish face is a window behind the person.
const BACKLIGHT = 75;
const BACKLIT_FACE = 105;
// Degrees. The server takes photos of heads turned up to 38 degrees; five points tell 10 from
// 25, not 10 from 12, so the ranges overlap a little.
const STRAIGHT = 12;
const TURNED = { least: 11, most: 30 };
const TILTED = 14;
// Weight of the newest look: the landmarks of one frame scatter by some degrees.
const EVENING = 0.5;
// A mean adult head in eye distances, as in the server's measure (`face_engine.quality.pose`):
// how far the nose stands out, and how far the mouth lies below the eyes.
const NOSE_DEPTH = 0.55;
const MOUTH_DROP = 1.15;
// A photo already taken is judged as the estate's server does (`face_engine.enrollment`), each
// limit a little looser: landmarks from a small copy scatter, and what passes there passes here.
const STILL = {
  eyes: 24,
  dark: 36,
  bright: 232,
  contrast: 8,
  turn: 46,
  tilt: 38,
  sharpness: 0.17,
};
// Movement between two looks, in eye distances.
const MOVING = 0.18;

/** What one look at the camera gave. */
export interface Look {
  readonly width: number;
  readonly height: number;
  readonly faces: readonly Face[];
  /** How far the main face is turned, in degrees, evened out over the last looks. */
  readonly turn: number;
  /** Mean luminance inside the main face's box and outside it, 0 to 255. */
  readonly faceLight: number;
  readonly otherLight: number;
}

export function lookAt(picture: Picture, faces: readonly Face[], previous?: Look): Look {
  const { width, height } = picture;
  const light = faces.length ? lightOf(picture, faces[0]) : { face: 0, other: 0 };
  const now = faces.length ? turnOf(faces[0]) : 0;
  const turn = previous?.faces.length ? EVENING * now + (1 - EVENING) * previous.turn : now;
  return { width, height, faces, turn, faceLight: light.face, otherLight: light.other };
}

/** The advice for a pose; `hold-still` means that the photo can be taken. */
export function advise(pose: Pose, look: Look, previous?: Look): Advice {
  const [face, ...others] = look.faces;
  if (!face) return "no-face";
  if (others.some((other) => other.height > SECOND_FACE * face.height)) return "several-faces";
  if (face.width < SMALLEST_FACE * look.width) return "closer";
  if (face.width > LARGEST_FACE * look.width) return "back";
  if (isOffCentre(face, look)) return "centre";
  if (look.otherLight - look.faceLight > BACKLIGHT && look.faceLight < BACKLIT_FACE) {
    return "even-light";
  }
  if (look.faceLight < DARK) return "more-light";
  if (look.faceLight > BRIGHT) return "less-light";
  if (Math.abs(tiltOf(face)) > TILTED) return "level";
  const turn = adviseTurn(pose, look.turn);
  if (turn) return turn;
  if (previous?.faces[0] && movement(face, previous.faces[0]) > MOVING) return "steady";
  return "hold-still";
}

export type Fault =
  | "no-face"
  | "several-faces"
  | "face-too-small"
  | "too-dark"
  | "too-bright"
  | "low-contrast"
  | "turned-away"
  | "tilted"
  | "blurred";

/** What is wrong with a photo already taken; undefined when nothing obvious is. The faces are
 * in the photo's own pixels. */
export function faultOf(photo: Picture, faces: readonly Face[]): Fault | undefined {
  const [face, ...others] = faces;
  if (!face) return "no-face";
  if (others.some((other) => other.height > SECOND_FACE * face.height)) return "several-faces";
  const [right, left] = face.landmarks;
  if (distance(right, left) < STILL.eyes) return "face-too-small";
  const { brightness, contrast, sharpness } = measureSkin(photo, face.landmarks);
  if (brightness < STILL.dark) return "too-dark";
  if (brightness > STILL.bright) return "too-bright";
  if (contrast < STILL.contrast) return "low-contrast";
  if (Math.abs(turnOf(face)) > STILL.turn) return "turned-away";
  if (Math.abs(tiltOf(face)) > STILL.tilt) return "tilted";
  return sharpness < STILL.sharpness ? "blurred" : undefined;
}

/** A face found in a smaller copy, in the pixels of a picture `scale` times as large. */
export function enlarged(face: Face, scale: number): Face {
  return {
    x: face.x * scale,
    y: face.y * scale,
    width: face.width * scale,
    height: face.height * scale,
    score: face.score,
    landmarks: face.landmarks.map(({ x, y }) => ({ x: x * scale, y: y * scale })),
  };
}

/** How far the head is turned, in degrees; positive is towards the person's own left. */
export function turnOf(face: Face): number {
  const tilt = tiltOf(face);
  const [right, left, nose, mouthRight, mouthLeft] = face.landmarks.map((point) =>
    level(point, tilt),
  );
  const eyes = middle(right, left);
  const mouth = middle(mouthRight, mouthLeft);
  // A turned head brings the eyes together; its height does not change, so the larger counts.
  const scale = Math.max(left.x - right.x, (mouth.y - eyes.y) / MOUTH_DROP, 1e-6);
  const down = (nose.y - eyes.y) / Math.max(mouth.y - eyes.y, 1e-6);
  const sideways = (nose.x - eyes.x - (mouth.x - eyes.x) * down) / scale / NOSE_DEPTH;
  return degrees(Math.asin(Math.max(-1, Math.min(1, sideways))));
}

/** Tilt in the picture's plane, in degrees, positive clockwise. */
export function tiltOf(face: Face): number {
  const [right, left] = face.landmarks;
  return degrees(Math.atan2(left.y - right.y, left.x - right.x));
}

/** Undo a tilt: turn a point about the picture's corner. */
function level({ x, y }: Point, tilt: number): Point {
  const angle = (-tilt * Math.PI) / 180;
  return {
    x: x * Math.cos(angle) - y * Math.sin(angle),
    y: x * Math.sin(angle) + y * Math.cos(angle),
  };
}

function middle(one: Point, other: Point): Point {
  return { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 };
}

function degrees(radians: number): number {
  return (radians * 180) / Math.PI;
}

function adviseTurn(pose: Pose, turn: number): Advice | undefined {
  if (pose === "front") return Math.abs(turn) > STRAIGHT ? "straight" : undefined;
  const towards = pose === "left" ? turn : -turn;
  if (towards < TURNED.least) return pose === "left" ? "turn-left" : "turn-right";
  return towards > TURNED.most ? "turn-less" : undefined;
}

function isOffCentre(face: Face, look: Look): boolean {
  const x = (face.x + face.width / 2) / look.width - OVAL_MIDDLE.x;
  const y = (face.y + face.height / 2) / look.height - OVAL_MIDDLE.y;
  return Math.abs(x) > OFF_CENTRE.x || Math.abs(y) > OFF_CENTRE.y;
}

function movement(face: Face, before: Face): number {
  const [right, left] = face.landmarks;
  const moved = Math.max(
    ...face.landmarks.map((point, index) => distance(point, before.landmarks[index])),
  );
  return moved / distance(right, left);
}

function distance(one: Point, other: Point): number {
  return Math.hypot(one.x - other.x, one.y - other.y) || 1;
}

function lightOf({ width, height, data }: Picture, face: Face): { face: number; other: number } {
  let [faceSum, faceCount, otherSum, otherCount] = [0, 0, 0, 0];
  for (let row = 0; row < height; row++) {
    const inRow = row >= face.y && row < face.y + face.height;
    for (let column = 0; column < width; column++) {
      const at = 4 * (row * width + column);
      // Rec. 601 luma.
      const luma = 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
      if (inRow && column >= face.x && column < face.x + face.width) {
        faceSum += luma;
        faceCount++;
      } else {
        otherSum += luma;
        otherCount++;
      }
    }
  }
  return { face: faceSum / (faceCount || 1), other: otherSum / (otherCount || 1) };
}
