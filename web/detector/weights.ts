// Reads the file that build.py writes from YuNet's published int8 model: for each convolution
// in the graph's order its shape, then scales, float weights and biases, then the int8 weights.
//
//   uint32 count
//   count × uint16[4]   outputs, inputs per group, kernel side, 1 if quantised else 0
//   float32 …           per convolution: scales and zero points, one of each per output, or,
//                       where it is not quantised, all weights; then the biases
//   int8 …              the quantised weights, in the same order
//
// All little endian, as every browser's typed arrays are.

import type { Convolution } from "./layers.ts";

/** Unpack the convolutions; depthwise weights come out as [tap][channel]. */
export function readWeights(file: ArrayBuffer): Convolution[] {
  const count = new Uint32Array(file, 0, 1)[0];
  const shapes = new Uint16Array(file, 4, 4 * count);
  const rowsOf = (index: number) => shapes[4 * index];
  const lengthOf = (index: number) => shapes[4 * index + 1] * shapes[4 * index + 2] ** 2;
  const isQuantised = (index: number) => shapes[4 * index + 3] === 1;

  let floatCount = 0;
  for (let index = 0; index < count; index++) {
    floatCount += rowsOf(index) * (isQuantised(index) ? 3 : lengthOf(index) + 1);
  }
  const floats = new Float32Array(file, 4 + 8 * count, floatCount);
  const bytes = new Int8Array(file, 4 + 8 * count + 4 * floatCount);

  const convolutions: Convolution[] = [];
  let float = 0;
  let byte = 0;
  for (let index = 0; index < count; index++) {
    const outputs = rowsOf(index);
    const length = lengthOf(index);
    const weights = new Float32Array(outputs * length);
    if (isQuantised(index)) {
      for (let at = 0; at < weights.length; at++) {
        const row = float + Math.floor(at / length);
        weights[at] = (bytes[byte++] - floats[row + outputs]) * floats[row];
      }
      float += 2 * outputs;
    } else {
      weights.set(floats.subarray(float, float + weights.length));
      float += weights.length;
    }
    const bias = floats.slice(float, float + outputs);
    float += outputs;
    const isDepthwise = shapes[4 * index + 1] === 1 && shapes[4 * index + 2] === 3;
    convolutions.push({
      outputs,
      bias,
      weights: isDepthwise ? tapsFirst(weights, outputs) : weights,
    });
  }
  return convolutions;
}

function tapsFirst(weights: Float32Array, channels: number): Float32Array {
  const turned = new Float32Array(weights.length);
  for (let channel = 0; channel < channels; channel++) {
    for (let tap = 0; tap < 9; tap++) turned[tap * channels + channel] = weights[channel * 9 + tap];
  }
  return turned;
}
