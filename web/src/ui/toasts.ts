// Short news at the head of the page, read out by screen readers; gone after a while.
import { describe } from "../words.ts";
import { h } from "./dom.ts";

const SHOWN_MS = 5_000;

export function toast(text: string): void {
  const place = document.getElementById("toasts");
  if (!place) return;
  const element = h("div", { class: "toast" }, text);
  place.replaceChildren(element);
  toFront(place);
  setTimeout(() => element.remove(), SHOWN_MS);
}

/** Shown anew, so that it stands above a dialog that was opened since. Browsers without popovers show it behind dialogs. */
function toFront(place: HTMLElement): void {
  if (!("showPopover" in place)) return;
  if (place.matches(":popover-open")) place.hidePopover();
  place.showPopover();
}

/** Shows why something did not work. */
export function toastProblem(error: unknown): void {
  toast(describe(error));
}

/** Says something to screen readers only. */
export function announce(text: string): void {
  const place = document.getElementById("announcer");
  if (place) place.textContent = text;
}
