// A QR code of version 5, level L, alphanumeric (ISO/IEC 18004): 37 modules, up to 154
// characters, in which every pass and every code fits. One size and one mask keep it small; what
// is shown ends in a signature, so no mask suits it better than another.

export const SIZE = 37;
const MOST = 154;
const DATA = 108;
const CORRECTION = 26;
const FORMAT = 0x77c4; // level L, mask 0, with its own error correction
const ALIGNMENT = 30;
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

/** Rows of modules, true for dark; throws a RangeError for what does not fit. */
export function drawCode(text: string): boolean[][] {
  const data = pack(text);
  const words = [...data, ...correction(data)];
  const grid = new Grid();
  let bit = 0;
  for (let right = SIZE - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5;
    for (let step = 0; step < SIZE; step++) {
      const y = ((right + 1) & 2) === 0 ? SIZE - 1 - step : step;
      for (const x of [right, right - 1]) {
        if (grid.fixed[y]![x]) continue;
        const value = ((words[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1;
        bit++;
        grid.dark[y]![x] = (value === 1) !== ((x + y) % 2 === 0);
      }
    }
  }
  return grid.dark;
}

/** Draw a code as an `<svg>` with its quiet zone, black on white whatever the page's colours. */
export function codePicture(text: string): SVGSVGElement {
  const rows = drawCode(text);
  const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  picture.setAttribute("viewBox", `-4 -4 ${SIZE + 8} ${SIZE + 8}`);
  picture.setAttribute("shape-rendering", "crispEdges");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  const squares = rows.flatMap((row, y) =>
    row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : "")),
  );
  path.setAttribute("d", squares.join(""));
  path.setAttribute("fill", "#000");
  picture.append(path);
  return picture;
}

class Grid {
  readonly dark = square();
  readonly fixed = square();

  constructor() {
    for (let at = 0; at < SIZE; at++) {
      this.#set(6, at, at % 2 === 0);
      this.#set(at, 6, at % 2 === 0);
    }
    for (const [x, y] of [
      [3, 3],
      [SIZE - 4, 3],
      [3, SIZE - 4],
    ] as const) {
      this.#rings(x, y, 4, (ring) => ring !== 2 && ring !== 4);
    }
    this.#rings(ALIGNMENT, ALIGNMENT, 2, (ring) => ring !== 1);
    for (let at = 0; at < 15; at++) {
      const value = ((FORMAT >> at) & 1) === 1;
      const first = at < 6 ? [8, at] : at < 8 ? [8, at + 1] : at === 8 ? [7, 8] : [14 - at, 8];
      this.#set(first[0]!, first[1]!, value);
      const second = at < 8 ? [SIZE - 1 - at, 8] : [8, SIZE - 15 + at];
      this.#set(second[0]!, second[1]!, value);
    }
    this.#set(8, SIZE - 8, true);
  }

  #rings(x: number, y: number, reach: number, isDark: (ring: number) => boolean): void {
    for (let down = -reach; down <= reach; down++) {
      for (let across = -reach; across <= reach; across++) {
        this.#set(x + across, y + down, isDark(Math.max(Math.abs(across), Math.abs(down))));
      }
    }
  }

  #set(x: number, y: number, dark: boolean): void {
    if (x < 0 || y < 0 || x >= SIZE || y >= SIZE) return;
    this.dark[y]![x] = dark;
    this.fixed[y]![x] = true;
  }
}

function square(): boolean[][] {
  return Array.from({ length: SIZE }, () => new Array<boolean>(SIZE).fill(false));
}

function pack(text: string): number[] {
  const values = [...text].map((character) => ALPHABET.indexOf(character));
  if (values.length > MOST || values.includes(-1)) throw new RangeError("code");
  let bits = "0010" + values.length.toString(2).padStart(9, "0");
  for (let at = 0; at < values.length; at += 2) {
    const [one, other] = [values[at]!, values[at + 1]];
    bits +=
      other === undefined
        ? one.toString(2).padStart(6, "0")
        : (45 * one + other).toString(2).padStart(11, "0");
  }
  bits += "0".repeat(Math.min(4, 8 * DATA - bits.length));
  bits += "0".repeat((8 - (bits.length % 8)) % 8);
  const words = (bits.match(/.{8}/g) ?? []).map((word) => parseInt(word, 2));
  for (let filler = 0xec; words.length < DATA; filler ^= 0xec ^ 0x11) words.push(filler);
  return words;
}

/** Reed–Solomon over GF(256) modulo x⁸ + x⁴ + x³ + x² + 1. */
function correction(data: readonly number[]): number[] {
  let divisor = [1];
  let root = 1;
  for (let degree = 0; degree < CORRECTION; degree++) {
    const longer = [...divisor, 0];
    divisor.forEach((value, at) => (longer[at + 1]! ^= multiply(value, root)));
    divisor = longer;
    root = multiply(root, 2);
  }
  const rest = new Array<number>(CORRECTION).fill(0);
  for (const word of data) {
    const factor = word ^ rest.shift()!;
    rest.push(0);
    rest.forEach((_, at) => (rest[at]! ^= multiply(divisor[at + 1]!, factor)));
  }
  return rest;
}

function multiply(one: number, other: number): number {
  let product = 0;
  for (let bit = 7; bit >= 0; bit--) {
    product = (product << 1) ^ ((product >> 7) * 0x11d);
    product ^= ((other >> bit) & 1) * one;
  }
  return product;
}
