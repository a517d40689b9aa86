// The few kinds of layer that YuNet is made of, on planes stored row by row, pixel by pixel,
// channels last. Depthwise layers need a pixel of zeros around their input, so whatever feeds
// one writes into a grid that already has that border.

/** Values of `channels` per pixel, with `border` pixels of zeros on every side. */
export interface Grid {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly border: number;
  readonly values: Float32Array;
}

/** A convolution's numbers: `weights[output][…]` flattened, one bias per output. */
export interface Convolution {
  readonly outputs: number;
  readonly weights: Float32Array;
  readonly bias: Float32Array;
}

export function emptyGrid(width: number, height: number, channels: number, border: number): Grid {
  const values = new Float32Array((width + 2 * border) * (height + 2 * border) * channels);
  return { width, height, channels, border, values };
}

function offset(grid: Grid, row: number, column: number): number {
  const stride = grid.width + 2 * grid.border;
  return ((row + grid.border) * stride + column + grid.border) * grid.channels;
}

/** The stem: 3×3, stride 2, over three channels, negative values cut. Input has a border. */
export function stem(input: Grid, layer: Convolution): Grid {
  const output = emptyGrid(input.width / 2, input.height / 2, layer.outputs, 0);
  const rowLength = (input.width + 2 * input.border) * 3;
  const { weights, bias } = layer;
  let to = 0;
  for (let row = 0; row < output.height; row++) {
    for (let column = 0; column < output.width; column++) {
      const from = offset(input, 2 * row - 1, 2 * column - 1);
      for (let channel = 0; channel < layer.outputs; channel++) {
        // Weights lie [output][input channel][row][column].
        let weight = channel * 27;
        let sum = bias[channel];
        for (let plane = 0; plane < 3; plane++) {
          for (let line = 0; line < 3; line++) {
            const at = from + line * rowLength + plane;
            sum +=
              input.values[at] * weights[weight] +
              input.values[at + 3] * weights[weight + 1] +
              input.values[at + 6] * weights[weight + 2];
            weight += 3;
          }
        }
        output.values[to++] = sum > 0 ? sum : 0;
      }
    }
  }
  return output;
}

/** 1×1 convolution into a grid with a border, ready for a depthwise layer. */
export function pointwise(input: Grid, layer: Convolution): Grid {
  const { outputs, weights, bias } = layer;
  const output = emptyGrid(input.width, input.height, outputs, 1);
  const depth = input.channels;
  const source = input.values;
  const target = output.values;
  for (let row = 0; row < input.height; row++) {
    let from = offset(input, row, 0);
    let to = offset(output, row, 0);
    for (let column = 0; column < input.width; column++) {
      let weight = 0;
      let channel = 0;
      // Four outputs at a time: each input value is read once for the four.
      for (; channel + 4 <= outputs; channel += 4) {
        let a = bias[channel];
        let b = bias[channel + 1];
        let c = bias[channel + 2];
        let d = bias[channel + 3];
        for (let index = 0; index < depth; index++) {
          const value = source[from + index];
          const at = weight + index;
          a += value * weights[at];
          b += value * weights[at + depth];
          c += value * weights[at + 2 * depth];
          d += value * weights[at + 3 * depth];
        }
        target[to + channel] = a;
        target[to + channel + 1] = b;
        target[to + channel + 2] = c;
        target[to + channel + 3] = d;
        weight += 4 * depth;
      }
      for (; channel < outputs; channel++) {
        let sum = bias[channel];
        for (let index = 0; index < depth; index++) {
          sum += source[from + index] * weights[weight + index];
        }
        target[to + channel] = sum;
        weight += depth;
      }
      from += depth;
      to += outputs;
    }
  }
  return output;
}

/** 3×3 convolution of each channel by itself. `weights` lie [tap][channel]. */
export function depthwise(input: Grid, layer: Convolution, cutNegative: boolean): Grid {
  const { outputs: channels, weights, bias } = layer;
  const output = emptyGrid(input.width, input.height, channels, 0);
  const rowLength = (input.width + 2) * channels;
  const source = input.values;
  const target = output.values;
  let to = 0;
  for (let row = 0; row < input.height; row++) {
    for (let column = 0; column < input.width; column++) {
      const first = offset(input, row - 1, column - 1);
      const second = first + rowLength;
      const third = second + rowLength;
      for (let channel = 0; channel < channels; channel++) {
        const sum =
          bias[channel] +
          source[first + channel] * weights[channel] +
          source[first + channels + channel] * weights[channels + channel] +
          source[first + 2 * channels + channel] * weights[2 * channels + channel] +
          source[second + channel] * weights[3 * channels + channel] +
          source[second + channels + channel] * weights[4 * channels + channel] +
          source[second + 2 * channels + channel] * weights[5 * channels + channel] +
          source[third + channel] * weights[6 * channels + channel] +
          source[third + channels + channel] * weights[7 * channels + channel] +
          source[third + 2 * channels + channel] * weights[8 * channels + channel];
        target[to + channel] = cutNegative && sum < 0 ? 0 : sum;
      }
      to += channels;
    }
  }
  return output;
}

/** Halve both sides, keeping the largest of each four. */
export function halve(input: Grid): Grid {
  const { channels } = input;
  const output = emptyGrid(input.width >> 1, input.height >> 1, channels, 0);
  const rowLength = input.width * channels;
  let to = 0;
  for (let row = 0; row < output.height; row++) {
    for (let column = 0; column < output.width; column++) {
      const from = offset(input, 2 * row, 2 * column);
      for (let channel = 0; channel < channels; channel++) {
        const at = from + channel;
        output.values[to++] = Math.max(
          input.values[at],
          input.values[at + channels],
          input.values[at + rowLength],
          input.values[at + rowLength + channels],
        );
      }
    }
  }
  return output;
}

/** Add `coarse`, enlarged twice by repetition, onto `fine`. */
export function addEnlarged(fine: Grid, coarse: Grid): Grid {
  const output = emptyGrid(fine.width, fine.height, fine.channels, 0);
  let to = 0;
  for (let row = 0; row < fine.height; row++) {
    for (let column = 0; column < fine.width; column++) {
      const from = offset(coarse, row >> 1, column >> 1);
      for (let channel = 0; channel < fine.channels; channel++, to++) {
        output.values[to] = fine.values[to] + coarse.values[from + channel];
      }
    }
  }
  return output;
}
