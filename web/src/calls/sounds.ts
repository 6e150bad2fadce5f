// The sounds of calls, made here: nothing to load, and nothing that a content security policy would have to allow. Of several tabs one
// rings for all.

type Note = { at: number; hz: number; lasts: number };

const RING: Note[] = [
  { at: 0, hz: 660, lasts: 0.28 },
  { at: 0.3, hz: 880, lasts: 0.28 },
  { at: 0.6, hz: 660, lasts: 0.28 },
  { at: 0.9, hz: 880, lasts: 0.4 },
];
const BACK: Note[] = [{ at: 0, hz: 425, lasts: 1 }];
const EVERY_MS = { ring: 2_600, back: 4_000 } as const;

/** Plays one pattern over and over, or none; then nothing is kept open to play on. */
export class Sounds {
  #context: AudioContext | undefined;
  #playing: keyof typeof EVERY_MS | undefined;
  #end = new AbortController();
  #timer: ReturnType<typeof setInterval> | undefined;
  #gain: GainNode | undefined;

  play(pattern: keyof typeof EVERY_MS | undefined): void {
    if (pattern === this.#playing) return;
    clearInterval(this.#timer);
    this.#gain?.disconnect();
    this.#end.abort();
    this.#end = new AbortController();
    this.#playing = pattern;
    if (pattern === "back") this.#repeat(BACK, 0.05, EVERY_MS.back);
    else if (pattern) this.#ring(this.#end.signal);
    else void this.#context?.suspend();
  }

  #ring(signal: AbortSignal): void {
    const ring = () => {
      this.#repeat(RING, 0.16, EVERY_MS.ring);
      navigator.vibrate?.([300, 200, 300]);
    };
    // Pages that were not loaded safely have no locks.
    if (!navigator.locks) return ring();
    const until = () => new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    const granted = () => {
      if (signal.aborted) return undefined;
      ring();
      return until();
    };
    // It is over before the other tab's ring was.
    navigator.locks.request("secureconnect.ring", { signal }, granted).catch(() => undefined);
  }

  #repeat(notes: Note[], loudness: number, everyMs: number): void {
    const once = () => this.#once(notes, loudness);
    once();
    this.#timer = setInterval(once, everyMs);
  }

  #once(notes: Note[], loudness: number): void {
    // Before anybody touched the page, browsers keep it silent; then it only shows.
    const context = (this.#context ??= new AudioContext());
    void context.resume().catch(() => undefined);
    // What was kept silent so far must not sound later, all at once.
    this.#gain?.disconnect();
    const gain = context.createGain();
    gain.gain.value = loudness;
    gain.connect(context.destination);
    this.#gain = gain;
    for (const { at, hz, lasts } of notes) {
      const tone = context.createOscillator();
      const shape = context.createGain();
      const begin = context.currentTime + at;
      tone.frequency.value = hz;
      shape.gain.setValueAtTime(0, begin);
      shape.gain.linearRampToValueAtTime(1, begin + 0.02);
      shape.gain.setValueAtTime(1, begin + lasts - 0.06);
      shape.gain.linearRampToValueAtTime(0, begin + lasts);
      tone.connect(shape).connect(gain);
      tone.start(begin);
      tone.stop(begin + lasts);
    }
  }
}
