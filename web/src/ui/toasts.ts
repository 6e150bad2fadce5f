// Short news at the foot of the page, read out by screen readers; gone after a while.
import { describe } from "../words.ts";
import { h } from "./dom.ts";

const SHOWN_MS = 6_000;

export function toast(text: string): void {
  const place = document.getElementById("toasts");
  if (!place) return;
  const element = h("div", { class: "toast" }, text);
  place.append(element);
  while (place.childElementCount > 3) place.firstElementChild?.remove();
  setTimeout(() => element.remove(), SHOWN_MS);
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
