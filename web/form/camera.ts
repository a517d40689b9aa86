// The phone's front camera, and the loop that looks at it and gives advice.

import { advise, lookAt } from "./guidance.ts";
import type { Advice, Look } from "./guidance.ts";
import type { Pose } from "./enrollment.ts";
import type { Finder } from "./finder.ts";
import { centre, pixels, shoot } from "./picture.ts";
import type { Shot } from "./picture.ts";

export type CameraFault = "denied" | "missing" | "busy" | "insecure";

export class CameraRefused extends Error {
  readonly code: CameraFault;

  constructor(code: CameraFault) {
    super(code);
    this.code = code;
  }
}

/** Width over height of what is shown, looked at and taken: a face on a phone held upright. */
export const ASPECT = 3 / 4;
// Longest side of what the detector looks at; a face in the oval still has some 60 pixels.
const LOOK_SIDE = 192;
// Looks in a row that must be good before the photo takes itself: about half a second.
const GOOD_LOOKS = 4;
const LEAST_MS_BETWEEN_LOOKS = 110;

export interface Watcher {
  /** Which photo is wanted now; undefined when all are there. */
  wanted(): Pose | undefined;
  /** `share` is how much of the good looks needed has been seen, 0 to 1. */
  advise(advice: Advice | "manual", share: number): void;
  /** Everything is right: take it. */
  take(shot: Shot): void;
  /** The camera was unplugged, or another app took it. */
  lost(): void;
}

export class Camera {
  readonly #video: HTMLVideoElement;
  readonly #stream: MediaStream;
  #running = true;

  private constructor(video: HTMLVideoElement, stream: MediaStream) {
    this.#video = video;
    this.#stream = stream;
  }

  /** Start the camera in `video`; throws CameraRefused. */
  static async open(video: HTMLVideoElement): Promise<Camera> {
    const stream = await openStream();
    video.srcObject = stream;
    await video.play();
    await firstFrame(video);
    return new Camera(video, stream);
  }

  /** Take what the camera sees now. */
  shoot(): Promise<Shot> {
    return shoot(this.#video, this.#region());
  }

  /** Look, advise and take, until `close`. */
  async watch(finder: Finder, watcher: Watcher): Promise<void> {
    const [track] = this.#stream.getVideoTracks();
    track.onended = () => {
      if (this.#running) watcher.lost();
    };
    if (!(await finder.ready)) {
      if (this.#running) watcher.advise("manual", 0);
      return;
    }
    let previous: Look | undefined;
    let good = 0;
    while (this.#running) {
      const started = performance.now();
      const pose = watcher.wanted();
      const picture = pixels(this.#video, this.#region(), LOOK_SIDE);
      const faces = await finder.find(picture);
      if (!this.#running) return;
      if (!faces) return watcher.advise("manual", 0);
      if (pose && pose === watcher.wanted()) {
        const look = lookAt(picture, faces, previous);
        const advice = advise(pose, look, previous);
        previous = look;
        good = advice === "hold-still" ? good + 1 : 0;
        watcher.advise(advice, good / GOOD_LOOKS);
        if (good >= GOOD_LOOKS) {
          good = 0;
          watcher.take(await this.shoot());
        }
      } else good = 0;
      const rest = LEAST_MS_BETWEEN_LOOKS - (performance.now() - started);
      await new Promise((resolve) => setTimeout(resolve, Math.max(rest, 0)));
    }
  }

  close(): void {
    this.#running = false;
    for (const track of this.#stream.getTracks()) track.stop();
    this.#video.srcObject = null;
  }

  #region() {
    return centre(this.#video.videoWidth, this.#video.videoHeight, ASPECT);
  }
}

async function openStream(): Promise<MediaStream> {
  // Absent on addresses that are not secure, and in some in-app browsers.
  if (!navigator.mediaDevices?.getUserMedia) throw new CameraRefused("insecure");
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 960 } },
    });
  } catch (error) {
    throw new CameraRefused(faultOf(error));
  }
}

function faultOf(error: unknown): CameraFault {
  switch (error instanceof DOMException ? error.name : "") {
    case "NotAllowedError":
    case "SecurityError":
      return "denied";
    case "NotFoundError":
    case "OverconstrainedError":
      return "missing";
    default:
      return "busy";
  }
}

/** Before its first frame a video draws black. */
function firstFrame(video: HTMLVideoElement): Promise<void> {
  return new Promise((resolve) => {
    if ("requestVideoFrameCallback" in video) video.requestVideoFrameCallback(() => resolve());
    else setTimeout(resolve, 300);
  });
}
