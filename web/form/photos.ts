// The photo step: three slots, filled by the camera or from files, in any order.

import { Camera, CameraRefused } from "./camera.ts";
import type { CameraFault } from "./camera.ts";
import { POSES } from "./enrollment.ts";
import type { Photo, Pose } from "./enrollment.ts";
import type { Finder } from "./finder.ts";
import { enlarged, faultOf } from "./guidance.ts";
import { reasonWithAdvice } from "./outcome.ts";
import { byTestId, find, keepSaying, part, sayOrHide } from "./page.ts";
import { PictureRefused, shotFromFile } from "./picture.ts";
import type { Shot } from "./picture.ts";
import { t } from "./texts.ts";
import type { TextKey } from "./texts.ts";

const FLASH_MS = 350;

// By the number of photos taken, the front one among them.
const SENDING: Record<number, { note: NoteKey; label: LabelKey }> = {
  1: { note: "send-fewer", label: "send-one" },
  2: { note: "send-nearly", label: "send-two" },
  3: { note: "send-all", label: "send" },
};

type NoteKey = "needed" | "send-fewer" | "send-nearly" | "send-all";
type LabelKey = "send" | "send-one" | "send-two";
type WithoutForm<Key> = Key extends `form.${infer Rest}` ? Rest : never;
type AdviceKey = "photos.starting" | WithoutForm<Extract<TextKey, `form.advice.${string}`>>;

export class PhotoStep {
  readonly #finder: Finder;
  readonly #changed: (photos: readonly Photo[]) => void;
  readonly #photos = new Map<Pose, Photo>();
  readonly #addresses = new Map<Pose, string>();
  // The file last chosen for a pose: what comes of an earlier one, later, no longer counts.
  readonly #chosen = new Map<Pose, File>();
  #wanted: Pose | undefined = "front";
  #camera: Camera | undefined;
  #byFile = false;

  /** `changed` hears every set of photos, to keep it; `send` that the person is content. */
  constructor(finder: Finder, changed: (photos: readonly Photo[]) => void, send: () => void) {
    this.#finder = finder;
    this.#changed = changed;
    byTestId("use-camera").addEventListener("click", () => void this.#openCamera());
    byTestId("more").addEventListener("click", () => this.#more());
    byTestId("shutter").addEventListener("click", () => void this.#press());
    byTestId("send").addEventListener("click", () => {
      this.close();
      send();
    });
    for (const pose of POSES) {
      byTestId(`retake-${pose}`).addEventListener("click", () => this.retake([pose]));
      const input = byTestId<HTMLInputElement>(`file-${pose}`);
      input.addEventListener("change", () => {
        const file = input.files?.[0];
        input.value = "";
        this.#byFile = true;
        if (file) void this.#read(pose, file);
      });
    }
  }

  get photos(): readonly Photo[] {
    return POSES.flatMap((pose) => this.#photos.get(pose) ?? []);
  }

  /** Show what was kept from an earlier visit to the page. */
  restore(photos: readonly Photo[]): void {
    this.#photos.clear();
    for (const photo of photos) this.#photos.set(photo.pose, photo);
    this.#advance();
    for (const pose of POSES) this.#show(pose);
    this.#tell();
  }

  /** Empty some slots and ask for them again, saying why where a reason is known. */
  retake(poses: readonly Pose[], reason?: TextKey): void {
    for (const pose of poses) {
      this.#photos.delete(pose);
      this.#chosen.delete(pose);
      this.#show(pose);
      this.#complain(pose, reason && (() => t(reason)));
    }
    this.#wanted = poses[0];
    this.#tell();
    this.#changed(this.photos);
    // Where a reason stands, the person reads that first and opens the camera themselves.
    if (!reason) void this.#openCamera();
  }

  /** Turn the camera off. */
  close(): void {
    this.#camera?.close();
    this.#camera = undefined;
    this.#stage("off");
    byTestId<HTMLButtonElement>("shutter").disabled = true;
    this.#advise(undefined);
  }

  async #openCamera(): Promise<void> {
    if (this.#camera) return;
    this.#stage("starting");
    this.#advise("photos.starting");
    try {
      const camera = await Camera.open(find<HTMLVideoElement>("video", part("stage")));
      this.#camera = camera;
      this.#byFile = false;
      this.#stage("on");
      this.#tell();
      part("camera").scrollIntoView({ block: "nearest" });
      byTestId<HTMLButtonElement>("shutter").disabled = false;
      void camera.watch(this.#finder, {
        wanted: () => this.#wanted,
        advise: (advice, share) => this.#advise(`advice.${advice}`, share),
        take: (shot) => void this.#take(shot),
        lost: () => {
          this.close();
          this.#cameraFault("lost");
        },
      });
    } catch (error) {
      this.close();
      this.#cameraFault(error instanceof CameraRefused ? error.code : "busy");
    }
  }

  async #press(): Promise<void> {
    if (this.#camera && this.#wanted) await this.#take(await this.#camera.shoot());
  }

  async #take(shot: Shot): Promise<void> {
    const pose = this.#wanted;
    if (!pose) return;
    // Until the photo has been looked at, nothing further is taken.
    this.#wanted = undefined;
    this.#chosen.delete(pose);
    part("flash").classList.add("on");
    setTimeout(() => part("flash").classList.remove("on"), FLASH_MS);
    await this.#keep(pose, shot);
  }

  async #read(pose: Pose, file: File): Promise<void> {
    this.#chosen.set(pose, file);
    this.#complain(pose, undefined);
    try {
      await this.#keep(pose, await shotFromFile(file), file);
    } catch (error) {
      if (!(error instanceof PictureRefused)) throw error;
      if (this.#chosen.get(pose) !== file) return;
      const key = `form.file.${error.code}` as const;
      this.#complain(pose, () => t(key));
    }
  }

  async #keep(pose: Pose, shot: Shot, file?: File): Promise<void> {
    const faces = await this.#finder.find(shot.small);
    if (this.#chosen.get(pose) !== file) return;
    const scale = shot.full.width / shot.small.width;
    const fault = faces && faultOf(shot.full, faces.map((face) => enlarged(face, scale)));
    this.#complain(pose, fault && (() => reasonWithAdvice(fault, pose)));
    if (fault) this.#wanted ??= pose;
    else {
      this.#photos.set(pose, { pose, data: shot.jpeg });
      this.#advance();
      this.#changed(this.photos);
    }
    for (const each of POSES) this.#show(each);
    this.#tell();
    if (this.#wanted) return;
    this.close();
    this.#tell();
    byTestId("send").scrollIntoView({ block: "nearest" });
  }

  #advance(): void {
    this.#wanted = POSES.find((pose) => !this.#photos.has(pose));
  }

  #slot(pose: Pose): HTMLElement {
    return find(`.slot[data-pose="${pose}"]`);
  }

  #show(pose: Pose): void {
    const photo = this.#photos.get(pose);
    const image = byTestId<HTMLImageElement>(`photo-${pose}`);
    const old = this.#addresses.get(pose);
    if (old) URL.revokeObjectURL(old);
    this.#addresses.delete(pose);
    image.hidden = !photo;
    if (photo) {
      const address = URL.createObjectURL(new Blob([photo.data], { type: "image/jpeg" }));
      this.#addresses.set(pose, address);
      image.src = address;
      image.alt = t("form.photos.alt", { pose: t(`form.photos.pose-${pose}`) });
    } else image.removeAttribute("src");
    byTestId(`retake-${pose}`).hidden = !photo;
    find('[data-part="choose"]', this.#slot(pose)).hidden = Boolean(photo);
  }

  #complain(pose: Pose, say: (() => string) | undefined): void {
    sayOrHide(find('[data-part="slot-error"]', this.#slot(pose)), say);
  }

  #tell(): void {
    for (const pose of POSES) {
      const isWanted = pose === this.#wanted && this.#camera !== undefined;
      const state = this.#photos.has(pose) ? "taken" : isWanted ? "wanted" : "empty";
      this.#slot(pose).dataset["state"] = state;
    }
    // With all photos there is nothing left for the camera to do.
    part("camera").hidden = this.#wanted === undefined && this.#camera === undefined;
    this.#tellSending();
  }

  /** What sending now means, and, before it, the way to the next photo. */
  #tellSending(): void {
    const send = byTestId<HTMLButtonElement>("send");
    send.disabled = !this.#photos.has("front");
    const { note, label } = send.disabled
      ? ({ note: "needed", label: "send" } as const)
      : SENDING[this.#photos.size];
    keepSaying(part("send-note"), () => t(`form.photos.${note}`));
    keepSaying(send, () => t(`form.photos.${label}`));
    send.classList.toggle("primary", label === "send");
    // With the camera on, the next photo takes itself.
    const offersMore = label !== "send" && this.#camera === undefined;
    const more = this.#byFile ? "more-file" : "more";
    sayOrHide(byTestId("more"), offersMore ? () => t(`form.photos.${more}`) : undefined);
  }

  /** Go on to the next photo the way the last one came. */
  #more(): void {
    const next = POSES.find((pose) => !this.#photos.has(pose));
    if (!next) return;
    if (this.#byFile) byTestId(`file-${next}`).click();
    else void this.#openCamera();
  }

  #stage(state: "off" | "starting" | "on"): void {
    part("stage").dataset["state"] = state;
    byTestId<HTMLButtonElement>("use-camera").disabled = state !== "off";
  }

  #advise(key: AdviceKey | undefined, share = 0): void {
    const line = byTestId("advice");
    part("stage").style.setProperty("--share", String(100 * share));
    const code = key?.split(".")[1] ?? "";
    // Said once, not ten times a second: screen readers repeat what is written anew.
    if (line.dataset["advice"] === code && code) return;
    line.dataset["advice"] = code;
    delete line.dataset["fault"];
    keepSaying(line, () => (key ? t(`form.${key}`) : ""));
  }

  #cameraFault(code: CameraFault | "lost"): void {
    const line = byTestId("advice");
    line.dataset["fault"] = code;
    keepSaying(line, () => t(`form.camera.${code}`));
  }
}
