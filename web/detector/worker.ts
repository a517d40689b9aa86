// The detector in a thread of its own, so that the page stays smooth on a slow phone.
// In: {weights: address} once, then pictures. Out: "ready", then the faces of each picture.

import { readWeights } from "./weights.ts";
import { detect } from "./yunet.ts";
import type { Face, Picture } from "./yunet.ts";
import type { Convolution } from "./layers.ts";

export type ToDetector = { weights: string } | { number: number; picture: Picture };
export type FromDetector = { ready: true } | { number: number; faces: Face[] };

let convolutions: Convolution[] | undefined;

function say(message: FromDetector): void {
  postMessage(message);
}

addEventListener("message", (event: MessageEvent<ToDetector>) => {
  const message = event.data;
  if ("weights" in message) {
    void load(message.weights);
  } else if (convolutions) {
    say({ number: message.number, faces: detect(convolutions, message.picture) });
  }
});

async function load(address: string): Promise<void> {
  const answer = await fetch(address);
  // An error thrown here reaches the page as the worker's "error" event.
  if (!answer.ok) throw new Error(`weights: ${answer.status}`);
  convolutions = readWeights(await answer.arrayBuffer());
  say({ ready: true });
}
