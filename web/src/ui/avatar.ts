// A person or a group by initials on one of eight tones; the tone follows from the id, so that it is the same everywhere.
import { h } from "./dom.ts";

const TONES = 8;

export interface AvatarLook {
  id: string;
  name: string;
  /** Several people. */
  shared?: boolean;
  size?: "small" | "large";
  presence?: string | undefined;
}

export function avatar({ id, name, shared, size, presence }: AvatarLook): HTMLElement {
  const classes = ["avatar", `tone-${tone(id)}`, size ?? "", shared ? "shared" : ""].join(" ");
  return h("span", { class: classes, "aria-hidden": "true" }, initials(name), presence && h("span", { class: `presence ${presence}` }));
}

export function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const first = (word: string | undefined) => [...(word ?? "")][0] ?? "";
  const letters = words.length > 1 ? first(words[0]) + first(words.at(-1)) : first(words[0]);
  return letters.toLocaleUpperCase() || "?";
}

function tone(id: string): number {
  let sum = 0;
  for (const letter of id) sum = (sum * 31 + letter.charCodeAt(0)) >>> 0;
  return sum % TONES;
}
