// Beginning something: a person by exact handle, a group, a channel.
import type { Conversation, Profile } from "@secureconnect/sdk";
import type { Model } from "../model/model.ts";
import { navigate } from "../navigation.ts";
import { avatar } from "../ui/avatar.ts";
import { busyWhile, field, problemLine } from "../ui/controls.ts";
import { openDialog } from "../ui/dialog.ts";
import { fill, h } from "../ui/dom.ts";
import { icon, type IconName } from "../ui/icons.ts";
import { describe } from "../words.ts";
import { cleanHandle } from "../views/welcome.ts";
import { channelsDialog } from "./channels.ts";
import { newGroupDialog } from "./new-group.ts";

export function newChatDialog(model: Model): void {
  const found = h("div", { class: "row-list" });
  const go = (conversation: Conversation) => {
    dialog.close();
    model.conversations.put(conversation);
    navigate(conversation.id);
  };
  const search = personSearch(model, (person) => {
    fill(found, personRow(person, () => openDirect(model, person).then(go)));
    found.querySelector("button")?.focus();
  });
  const other = (name: IconName, title: string, hint: string, open: () => void) =>
    h(
      "button",
      {
        type: "button",
        class: "row",
        onclick: () => {
          dialog.close();
          open();
        },
      },
      icon(name),
      h("span", { class: "what" }, h("span", { class: "name" }, title), h("span", { class: "hint" }, hint)),
    );
  const dialog = openDialog("New conversation", [
    search,
    found,
    h(
      "div",
      { class: "menu-list" },
      other("group", "New group", "For people you invite", () => newGroupDialog(model, "group")),
      other("compass", "Find a channel", "Public, anyone can join", () => channelsDialog(model)),
      other("megaphone", "New channel", "Make a public place to talk", () => newGroupDialog(model, "channel")),
    ),
  ]);
}

/** A form that finds one person by exact handle. */
export function personSearch(model: Model, found: (person: Profile) => void): HTMLElement {
  const handle = field("Find somebody by handle", { name: "handle", placeholder: "@handle", autofocus: true, autocomplete: "off", spellcheck: "false" });
  const problem = problemLine();
  const go = h("button", { type: "submit", class: "button primary" }, "Find");
  return h(
    "form",
    {
      class: "form",
      onsubmit: (event: SubmitEvent) => {
        event.preventDefault();
        problem.textContent = "";
        const wanted = cleanHandle(handle.input.value);
        if (!wanted) return;
        void busyWhile(go, async () => {
          try {
            const person = await model.people.find(wanted);
            if (!person) problem.textContent = `Nobody has the handle @${wanted}.`;
            else if (person.id === model.me.id) problem.textContent = "That is you.";
            else {
              handle.input.value = "";
              found(person);
            }
          } catch (error) {
            problem.textContent = describe(error);
          }
        });
      },
    },
    h("div", { class: "inline-form" }, handle.root, go),
    problem,
  );
}

function personRow(person: Profile, open: () => Promise<void>): HTMLElement {
  const problem = problemLine();
  const row: HTMLButtonElement = h(
    "button",
    {
      type: "button",
      class: "row",
      onclick: () =>
        void busyWhile(row, async () => {
          try {
            await open();
          } catch (error) {
            problem.textContent = describe(error);
          }
        }),
    },
    avatar({ id: person.id, name: person.name }),
    h("span", { class: "what" }, h("span", { class: "name" }, person.name), h("span", { class: "hint" }, `@${person.handle}`)),
    h("span", { class: "button primary small" }, "Message"),
  );
  return h("div", {}, row, problem);
}

async function openDirect(model: Model, person: Profile): Promise<Conversation> {
  return model.client.call("conversations.create", { body: { kind: "direct", members: [person.id] } });
}
