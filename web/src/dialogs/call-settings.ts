// How this browser calls and is called.
import { mayNotify } from "../calls/notices.ts";
import { prefer, preferences } from "../calls/preferences.ts";
import type { Model } from "../model/model.ts";
import { button } from "../ui/controls.ts";
import { fill, h, uniqueId } from "../ui/dom.ts";
import { callDevicesDialog } from "./call-devices.ts";

export function callSettings(model: Model): HTMLElement {
  const { relayOnly, saveData, sound } = preferences();
  return h(
    "div",
    { class: "form" },
    check("Ring with sound", "Without it an incoming call only shows.", sound, (on) => prefer({ sound: on })),
    check("Always relay calls", "Hides this device’s address from the others; the way of sound and picture gets longer.", relayOnly, (on) => prefer({ relayOnly: on })),
    check("Use less data", "Sends a small picture at a low rate.", saveData, (on) => prefer({ saveData: on })),
    notices(),
    h("div", {}, button("Camera and microphone…", () => callDevicesDialog(model))),
  );
}

function check(label: string, hint: string, checked: boolean, choose: (on: boolean) => void): HTMLElement {
  const id = uniqueId("check");
  const input: HTMLInputElement = h("input", { id, type: "checkbox", checked, "aria-describedby": `${id}-hint`, onchange: () => choose(input.checked) });
  return h("div", { class: "check" }, input, h("label", { for: id }, label), h("p", { class: "hint", id: `${id}-hint` }, hint));
}

/** Browsers ask their user once, and only after a click. */
function notices(): HTMLElement {
  const place = h("div", {});
  const show = () => {
    if (typeof Notification === "undefined") return fill(place);
    if (mayNotify()) return fill(place, h("p", { class: "hint" }, "Calls are also shown while this page is hidden."));
    if (Notification.permission === "denied") return fill(place, h("p", { class: "hint" }, "Your browser keeps this page from showing calls while it is hidden."));
    fill(place, button("Show calls while this page is hidden", () => void Notification.requestPermission().then(show)));
  };
  show();
  return place;
}
