// What the others miss of this user, why, and what to do about it. It stays for as long as it is so: by the time that somebody has found
// their browser's settings, a toast would be gone.
import type { Model } from "../../model/model.ts";
import { fill, h } from "../../ui/dom.ts";
import { icon } from "../../ui/icons.ts";

const WORDS = {
  microphone: { icon: "microphoneOff", missed: "Nobody can hear you.", then: "Then press “Unmute”." },
  camera: { icon: "cameraOff", missed: "Nobody can see you.", then: "Then press “Turn camera on”." },
} as const;

export class MissingMedia {
  readonly element = h("div", { class: "call-waiting", role: "status" });
  readonly #model: Model;
  #look = "";

  constructor(model: Model) {
    this.#model = model;
  }

  update(): void {
    const problems = [...this.#model.calls.media.problems];
    const look = JSON.stringify(problems);
    if (look === this.#look) return;
    this.#look = look;
    fill(
      this.element,
      problems.map(([what, problem]) => {
        const { icon: name, missed, then } = WORDS[what];
        return h("div", { class: "call-asks" }, icon(name), h("span", {}, `${missed} ${problem} ${then}`));
      }),
    );
  }
}
