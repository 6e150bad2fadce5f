// The buttons of a call. A toggle's name says what it does next.
import { callDevicesDialog } from "../../dialogs/call-devices.ts";
import { callPeopleDialog } from "../../dialogs/call-people.ts";
import { canShareScreen } from "../../calls/local-media.ts";
import type { Model } from "../../model/model.ts";
import { iconButton } from "../../ui/controls.ts";
import { h, set } from "../../ui/dom.ts";
import { icon, type IconName } from "../../ui/icons.ts";

interface Toggle {
  element: HTMLButtonElement;
  show(on: boolean): void;
}

export class CallControls {
  readonly element: HTMLElement;
  readonly #model: Model;
  readonly #microphone: Toggle;
  readonly #camera: Toggle;
  readonly #screen: Toggle;
  readonly #hand: Toggle;

  constructor(model: Model) {
    this.#model = model;
    const { calls } = model;
    this.#microphone = toggle(["microphoneOff", "Unmute"], ["microphone", "Mute"], () => void calls.toggleMicrophone());
    this.#camera = toggle(["cameraOff", "Turn camera on"], ["camera", "Turn camera off"], () => void calls.toggleCamera());
    this.#screen = toggle(["screen", "Share screen"], ["screen", "Stop sharing"], () => void calls.toggleScreen());
    this.#hand = toggle(["hand", "Raise hand"], ["hand", "Lower hand"], () => calls.toggleHand());
    this.element = h(
      "div",
      { class: "call-controls", role: "toolbar", "aria-label": "Call" },
      this.#microphone.element,
      this.#camera.element,
      canShareScreen() && this.#screen.element,
      this.#hand.element,
      iconButton("group", "People", () => callPeopleDialog(model), { class: "call-button" }),
      iconButton("settings", "Devices", () => callDevicesDialog(model), { class: "call-button" }),
      iconButton("hangUp", "Leave call", () => calls.leave(), { class: "call-button hang-up" }),
    );
  }

  update(): void {
    const media = this.#model.calls.calls.leg?.media;
    this.#microphone.show(media?.audio ?? true);
    this.#camera.show(media?.video ?? false);
    this.#screen.show(media?.screen ?? false);
    this.#hand.show(media?.hand ?? false);
    for (const { element } of [this.#microphone, this.#camera, this.#screen, this.#hand]) element.disabled = !media;
  }
}

function toggle(off: [IconName, string], on: [IconName, string], act: () => void): Toggle {
  const element = iconButton(...off, act, { class: "call-button" });
  let shown: boolean | undefined;
  return {
    element,
    show(state) {
      if (state === shown) return;
      shown = state;
      const [name, label] = state ? on : off;
      element.replaceChildren(icon(name));
      set(element, "aria-label", label);
      set(element, "title", label);
      element.classList.toggle("on", state);
    },
  };
}
