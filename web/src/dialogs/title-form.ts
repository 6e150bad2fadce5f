// Changes a conversation's title. What others make of the title meanwhile does not overwrite what is being typed.
import { LIMITS, type Client, type ConversationId } from "@secureconnect/sdk";
import { field, problemLine, submits } from "../ui/controls.ts";
import { h } from "../ui/dom.ts";
import { toast } from "../ui/toasts.ts";

export class TitleForm {
  readonly element: HTMLFormElement;
  readonly #input: HTMLInputElement;
  #shown = "";

  constructor(client: Client, id: ConversationId) {
    const title = field("Title", { name: "title", required: true, maxlength: LIMITS.TITLE_CHARS_MAX, autocomplete: "off" });
    const problem = problemLine();
    const save = h("button", { type: "submit", class: "button" }, "Rename");
    const onsubmit = submits(save, problem, async () => {
      await client.call("conversations.update", { to: id, body: { title: title.input.value.trim() } });
      toast("The title was changed.");
    });
    this.#input = title.input;
    this.element = h("form", { class: "form", onsubmit }, h("div", { class: "inline-form" }, title.root, save), problem);
  }

  /** The title as it is. */
  show(title: string): void {
    if (this.#input.value === this.#shown) this.#input.value = title;
    this.#shown = title;
  }
}
