// A bar that follows a microphone.
import { h } from "./dom.ts";

const EVERY_MS = 100;

export class LevelMeter {
  readonly element: HTMLElement;
  readonly #bar: HTMLMeterElement;
  #context: AudioContext | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(label: string) {
    this.#bar = h("meter", { min: 0, max: 1, value: 0, "aria-label": label });
    this.element = h("div", { class: "level" }, this.#bar);
  }

  listen(stream: MediaStream): void {
    this.end();
    this.element.hidden = stream.getAudioTracks().length === 0;
    if (this.element.hidden) return;
    const context = new AudioContext();
    this.#context = context;
    const analyser = context.createAnalyser();
    analyser.fftSize = 512;
    context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    this.#timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
      this.#bar.value = Math.min(1, Math.sqrt(power) * 4);
    }, EVERY_MS);
  }

  end(): void {
    clearInterval(this.#timer);
    void this.#context?.close();
    this.#context = undefined;
  }
}
