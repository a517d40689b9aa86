import assert from "node:assert/strict";
import { test } from "node:test";
import type { Face } from "../detector/yunet.ts";
import { advise, enlarged, faultOf, lookAt, turnOf } from "../form/guidance.ts";
import type { Advice, Look } from "../form/guidance.ts";

const WIDTH = 144;
const HEIGHT = 192;

/** A face in the oval; `turn` moves the nose, in shares of the distance between the eyes. */
function face({ x = 72, y = 94, width = 70, turn = 0, tilt = 0, score = 0.9 } = {}): Face {
  const height = 1.25 * width;
  const eyes = 0.44 * width;
  const spots = [
    [-eyes / 2, 0],
    [eyes / 2, 0],
    [turn * eyes, 0.57 * eyes],
    [-0.4 * eyes, 1.15 * eyes],
    [0.4 * eyes, 1.15 * eyes],
  ];
  const angle = (tilt * Math.PI) / 180;
  const landmarks = spots.map(([across, down]) => ({
    x: x + across * Math.cos(angle) - down * Math.sin(angle),
    y: y - 0.1 * height + across * Math.sin(angle) + down * Math.cos(angle),
  }));
  return { x: x - width / 2, y: y - height / 2, width, height, score, landmarks };
}

function look(faces: Face[], changes: Partial<Look> = {}): Look {
  const turn = faces.length ? turnOf(faces[0]) : 0;
  return { width: WIDTH, height: HEIGHT, faces, turn, faceLight: 130, otherLight: 120, ...changes };
}

const cases: [string, Advice, Look][] = [
  ["a good look asks to hold still", "hold-still", look([face()])],
  ["nobody there", "no-face", look([])],
  ["a second person", "several-faces", look([face(), face({ x: 20, width: 40 })])],
  [
    "somebody small in the background does not count",
    "hold-still",
    look([face(), face({ x: 10, y: 20, width: 15 })]),
  ],
  ["too far away", "closer", look([face({ width: 40 })])],
  ["too near", "back", look([face({ width: 125 })])],
  ["beside the oval", "centre", look([face({ x: 110 })])],
  ["too dark", "more-light", look([face()], { faceLight: 40, otherLight: 50 })],
  ["too bright", "less-light", look([face()], { faceLight: 235, otherLight: 200 })],
  ["a window behind", "even-light", look([face()], { faceLight: 60, otherLight: 200 })],
  ["head tilted", "level", look([face({ tilt: 25 })])],
  ["turned when straight is wanted", "straight", look([face({ turn: 0.2 })])],
];

for (const [promise, advice, seen] of cases) {
  test(promise, () => assert.equal(advise("front", seen), advice));
}

test("the side poses ask for a little turn to the person's own side, and not too far", () => {
  assert.equal(advise("left", look([face()])), "turn-left");
  assert.equal(advise("right", look([face()])), "turn-right");
  // The person's left is on the picture's right.
  assert.equal(advise("left", look([face({ turn: 0.18 })])), "hold-still");
  assert.equal(advise("right", look([face({ turn: -0.18 })])), "hold-still");
  assert.equal(advise("left", look([face({ turn: -0.18 })])), "turn-left");
  assert.equal(advise("left", look([face({ turn: 0.45 })])), "turn-less");
});

test("a face that moves between two looks is asked to be steady", () => {
  const before = look([face({ x: 66 })]);
  assert.equal(advise("front", look([face()]), before), "steady");
  assert.equal(advise("front", look([face()]), look([face({ x: 71 })])), "hold-still");
});

test("the turn does not depend on the head's tilt", () => {
  const upright = turnOf(face({ turn: 0.2 }));
  assert.ok(Math.abs(upright - turnOf(face({ turn: 0.2, tilt: 12 }))) < 1);
  assert.ok(upright > 15 && upright < 30);
});

test("the turn is evened out over looks", () => {
  const data = new Uint8ClampedArray(4 * WIDTH * HEIGHT);
  const picture = { width: WIDTH, height: HEIGHT, data };
  const before = lookAt(picture, [face({ turn: 0.3 })]);
  const { turn } = lookAt(picture, [face()], before);
  assert.ok(turn > 5 && turn < before.turn);
});

test("light is measured inside and outside the face", () => {
  const data = new Uint8ClampedArray(4 * WIDTH * HEIGHT).fill(200);
  const one = face();
  for (let row = Math.ceil(one.y); row < one.y + one.height; row++) {
    const start = 4 * (row * WIDTH + Math.ceil(one.x));
    data.fill(50, start, start + 4 * Math.floor(one.width));
  }
  const seen = lookAt({ width: WIDTH, height: HEIGHT, data }, [one]);
  assert.ok(seen.faceLight < 60 && seen.otherLight > 190);
});

/** A photo of a face: waves `period` pixels long around a grey. */
function photo(grey = 130, period = 4) {
  const [width, height] = [400, 500];
  const data = new Uint8ClampedArray(4 * width * height).map((_, at) => {
    const [x, y] = [(at >> 2) % width, Math.floor((at >> 2) / width)];
    return grey + 0.3 * grey * Math.sin((2 * Math.PI * x) / period) * Math.cos((2 * Math.PI * y) / period);
  });
  return { width, height, data };
}

const STILL_FACE = { x: 200, y: 250, width: 200 };

test("a photo already taken is faulted for what the server would refuse", () => {
  const good = face(STILL_FACE);
  // As long as several pixels of the crop, so that detail is left after the face is made smaller.
  const sharp = photo(130, 14);
  assert.equal(faultOf(sharp, [good]), undefined);
  assert.equal(faultOf(sharp, []), "no-face");
  assert.equal(faultOf(sharp, [good, face({ x: 20, width: 120 })]), "several-faces");
  assert.equal(faultOf(sharp, [face({ ...STILL_FACE, width: 40 })]), "face-too-small");
  assert.equal(faultOf(photo(20, 14), [good]), "too-dark");
  assert.equal(faultOf(photo(250, 1e9), [good]), "too-bright");
  assert.equal(faultOf(photo(130, 1e9), [good]), "low-contrast");
  assert.equal(faultOf(photo(130, 150), [good]), "blurred");
  assert.equal(faultOf(sharp, [face({ ...STILL_FACE, turn: 0.45 })]), "turned-away");
  assert.equal(faultOf(sharp, [face({ ...STILL_FACE, tilt: 45 })]), "tilted");
});

test("a face found in a small copy lies in the large picture where it belongs", () => {
  const { x, width, landmarks } = enlarged(face({ x: 72, width: 70 }), 2);
  assert.deepEqual([x, width], [2 * (72 - 35), 140]);
  assert.equal(landmarks[2].x, 144);
});
