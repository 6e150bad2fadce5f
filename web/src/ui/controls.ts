// The controls that views are made of.
import { h, uniqueId, type Attributes } from "./dom.ts";
import { icon, type IconName } from "./icons.ts";
import { describe } from "../words.ts";

/** A button that shows an icon only; its label is for screen readers and the tooltip. */
export function iconButton(name: IconName, label: string, onclick: (event: MouseEvent) => void, attributes: Attributes = {}): HTMLButtonElement {
  return h("button", { type: "button", "aria-label": label, title: label, onclick, ...attributes, class: `icon-button ${attributes["class"] ?? ""}` }, icon(name));
}

export function button(text: string, onclick: (event: MouseEvent) => void, kind = ""): HTMLButtonElement {
  return h("button", { type: "button", class: `button ${kind}`, onclick }, text);
}

export interface Field {
  root: HTMLElement;
  input: HTMLInputElement;
}

/** A labelled input. */
export function field(label: string, attributes: Attributes, hint?: string): Field {
  const id = uniqueId("field");
  const hintId = `${id}-hint`;
  const input = h("input", { id, "aria-describedby": hint ? hintId : false, autocapitalize: "none", ...attributes });
  const root = h("div", { class: "field" }, h("label", { for: id }, label), input, hint && h("p", { class: "hint", id: hintId }, hint));
  return { root, input };
}

/** A place for what went wrong; empty it is not seen, and what appears is read out. */
export function problemLine(): HTMLElement {
  return h("p", { class: "problem", role: "alert" });
}

/** Runs `work` with `control` disabled, so that it isn't started twice. */
export async function busyWhile(control: HTMLButtonElement, work: () => Promise<void>): Promise<void> {
  if (control.disabled) return;
  control.disabled = true;
  try {
    await work();
  } finally {
    control.disabled = false;
  }
}

/** What a form does when it is sent: `submit` runs once at a time, and what goes wrong is said in `problem`. */
export function submits(go: HTMLButtonElement, problem: HTMLElement, submit: () => Promise<void>): (event: SubmitEvent) => void {
  return (event) => {
    event.preventDefault();
    problem.textContent = "";
    void busyWhile(go, async () => {
      try {
        await submit();
      } catch (error) {
        problem.textContent = describe(error);
      }
    });
  };
}
