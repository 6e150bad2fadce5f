// The text of a message: links can be followed, a message of a few emoji is shown large. Everything else is plain text.
import { h, type Child } from "../ui/dom.ts";

const LINK = /https?:\/\/[^\s<>"]+/g;
const EMOJI_ONLY = /^(?:\p{Extended_Pictographic}\uFE0F?(?:\u200D\p{Extended_Pictographic}\uFE0F?)*\s?){1,3}$/u;

export function richText(text: string): HTMLElement {
  return h("span", { class: EMOJI_ONLY.test(text) ? "text emoji" : "text", dir: "auto" }, ...parts(text));
}

function parts(text: string): Child[] {
  const out: Child[] = [];
  let at = 0;
  for (const match of text.matchAll(LINK)) {
    // A full stop or bracket after a link belongs to the sentence.
    const url = match[0].replace(/[.,;:!?)\]}']+$/, "");
    out.push(text.slice(at, match.index), h("a", { href: url, target: "_blank", rel: "noopener noreferrer nofollow" }, url));
    at = match.index + url.length;
  }
  out.push(text.slice(at));
  return out;
}
