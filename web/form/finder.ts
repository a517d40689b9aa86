// The detector's worker, seen from the page.

import type { Face, Picture } from "../detector/yunet.ts";
import type { FromDetector, ToDetector } from "../detector/worker.ts";

export class Finder {
  /** Resolves to false where the detector cannot run: the form then works without advice. */
  readonly ready: Promise<boolean>;
  readonly #worker: Worker | undefined;
  readonly #waiting = new Map<number, (faces: Face[] | undefined) => void>();
  #number = 0;
  #failed = false;

  constructor(script: string, weights: string) {
    try {
      this.#worker = new Worker(script);
    } catch {
      this.#failed = true;
    }
    this.ready = new Promise((resolve) => {
      if (!this.#worker) return resolve(false);
      this.#worker.onerror = () => {
        this.#failed = true;
        for (const answer of this.#waiting.values()) answer(undefined);
        this.#waiting.clear();
        resolve(false);
      };
      this.#worker.onmessage = (event: MessageEvent<FromDetector>) => {
        const message = event.data;
        if ("ready" in message) return resolve(true);
        this.#waiting.get(message.number)?.(message.faces);
        this.#waiting.delete(message.number);
      };
      this.#tell({ weights });
    });
  }

  /** The faces in a picture, best first; undefined where the detector cannot run. */
  async find(picture: Picture): Promise<Face[] | undefined> {
    if (!(await this.ready) || this.#failed) return undefined;
    const number = this.#number++;
    return new Promise((resolve) => {
      this.#waiting.set(number, resolve);
      const { width, height, data } = picture;
      this.#tell({ number, picture: { width, height, data } });
    });
  }

  #tell(message: ToDetector): void {
    this.#worker?.postMessage(message);
  }
}
