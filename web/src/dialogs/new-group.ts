// A new group with its first members, or a new public channel.
import { LIMITS, type ConversationKind, type Profile } from "@secureconnect/sdk";
import type { Model } from "../model/model.ts";
import { navigate } from "../navigation.ts";
import { busyWhile, field, iconButton, problemLine } from "../ui/controls.ts";
import { openDialog } from "../ui/dialog.ts";
import { fill, h } from "../ui/dom.ts";
import { describe } from "../words.ts";
import { personSearch } from "./new-chat.ts";

export function newGroupDialog(model: Model, kind: Exclude<ConversationKind, "direct">): void {
  const members = new Map<string, Profile>();
  const chips = h("div", { class: "chips", role: "list", "aria-label": "Members" });
  const showChips = () =>
    fill(
      chips,
      [...members.values()].map((person) =>
        h(
          "span",
          { class: "chip", role: "listitem" },
          person.name,
          iconButton("close", `Remove ${person.name}`, () => {
            members.delete(person.id);
            showChips();
          }),
        ),
      ),
    );
  const title = field("Title", { name: "title", required: true, maxlength: LIMITS.TITLE_CHARS_MAX, autofocus: true, autocomplete: "off", autocapitalize: "sentences" });
  const problem = problemLine();
  const create = h("button", { type: "submit", class: "button primary" }, kind === "group" ? "Create group" : "Create channel");
  const form = h(
    "form",
    {
      class: "form",
      onsubmit: (event: SubmitEvent) => {
        event.preventDefault();
        problem.textContent = "";
        void busyWhile(create, async () => {
          try {
            const body = { kind, title: title.input.value.trim(), members: [...members.keys()] };
            const conversation = await model.client.call("conversations.create", { body });
            dialog.close();
            model.conversations.put(conversation);
            navigate(conversation.id);
          } catch (error) {
            problem.textContent = describe(error);
          }
        });
      },
    },
    title.root,
    kind === "channel" && h("p", { class: "hint" }, "Anyone on this server can find it, join it and read all of it."),
    chips,
  );
  create.setAttribute("form", "new-conversation");
  form.id = "new-conversation";
  const people =
    kind === "group" &&
    personSearch(model, (person) => {
      members.set(person.id, person);
      showChips();
    });
  const dialog = openDialog(kind === "group" ? "New group" : "New channel", [form, people, problem, h("div", { class: "dialog-foot" }, create)]);
}
