// Somebody rings at a door: heard, and seen in the title of a page that lies behind another.

import { isOn } from "./switches";

const TONES = [659, 523]; // hertz: ding, dong
const TONE_S = 0.45;
const VOLUME = 0.12;
const EVERY_MS = 3000;

let audio: AudioContext | null = null;
let last = 0;
const title = document.title;

// Browsers let a page sound only after somebody has touched it.
for (const touch of ["pointerdown", "keydown"]) {
  document.addEventListener(touch, () => {
    audio ??= new AudioContext();
    void audio.resume().then(showSound);
  });
}

/** Follow the banner: mark the title while somebody rings, and sound now and then. */
export function followRinging(): void {
  const place = document.querySelector<HTMLElement>("#ringing");
  const rings = Number(place?.dataset.count ?? 0) > 0;
  document.title = rings ? `\u260e ${place?.dataset.title ?? ""} \u00b7 ${title}` : title;
  if (rings && Date.now() - last >= EVERY_MS) sound();
}

/** Say whether a call would be heard here, where the page has a place for that. */
export function showSound(): void {
  const place = document.querySelector<HTMLElement>("[data-sound]");
  if (!place) return;
  const { on, muted, blocked } = place.dataset;
  const text = (isOn("muted") ? muted : audio?.state === "running" ? on : blocked) ?? "";
  if (place.textContent !== text) place.textContent = text;
}

function sound(): void {
  if (audio?.state !== "running" || isOn("muted")) return;
  last = Date.now();
  TONES.forEach((hertz, at) => {
    if (audio === null) return;
    const begin = audio.currentTime + at * TONE_S;
    const tone = new OscillatorNode(audio, { frequency: hertz });
    const fading = new GainNode(audio, { gain: VOLUME });
    fading.gain.setTargetAtTime(0, begin + TONE_S / 3, TONE_S / 5);
    tone.connect(fading).connect(audio.destination);
    tone.start(begin);
    tone.stop(begin + 2 * TONE_S);
  });
}
