// Public channels: found by the beginning of their title, joined by a click.
import type { Channel } from "@secureconnect/sdk";
import { count } from "../format.ts";
import type { Model } from "../model/model.ts";
import { navigate } from "../navigation.ts";
import { avatar } from "../ui/avatar.ts";
import { busyWhile, button, field, problemLine } from "../ui/controls.ts";
import { openDialog } from "../ui/dialog.ts";
import { fill, h } from "../ui/dom.ts";
import { describe } from "../words.ts";

/** After the last key, before the server is asked. */
const PAUSE_MS = 250;

export function channelsDialog(model: Model): void {
  const list = h("div", { class: "row-list", "aria-live": "polite" });
  const problem = problemLine();
  const title = field("Title begins with", { name: "title", type: "search", autofocus: true, autocomplete: "off" });
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked = 0;

  const show = async (after?: string): Promise<void> => {
    const question = ++asked;
    const wanted = title.input.value.trim();
    try {
      const page = await model.client.call("channels.find", { body: { limit: 50, ...(wanted ? { title: wanted } : {}), ...(after ? { after } : {}) } });
      if (question !== asked) return;
      problem.textContent = "";
      if (!after) list.replaceChildren();
      list.querySelector(".more")?.remove();
      for (const channel of page.channels) list.append(channelRow(model, channel, () => dialog.close()));
      const last = page.channels.at(-1)?.id;
      if (page.more && last) list.append(h("div", { class: "more" }, button("Show more", () => void show(last), "small")));
      if (!list.firstChild) fill(list, h("p", { class: "empty" }, wanted ? "No channel of this title." : "There are no channels yet."));
    } catch (error) {
      problem.textContent = describe(error);
    }
  };
  title.input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => void show(), PAUSE_MS);
  });
  const dialog = openDialog("Find a channel", [title.root, problem, list], () => clearTimeout(timer));
  void show();
}

function channelRow(model: Model, channel: Channel, close: () => void): HTMLElement {
  const problem = problemLine();
  const open = () => {
    close();
    navigate(channel.id);
  };
  const join: HTMLButtonElement = button("Join", () =>
    void busyWhile(join, async () => {
      try {
        await model.client.call("channels.join", { to: channel.id });
        await model.conversations.fetch(channel.id);
        open();
      } catch (error) {
        problem.textContent = describe(error);
      }
    }), "primary small");
  return h(
    "div",
    {},
    h(
      "div",
      { class: "row" },
      avatar({ id: channel.id, name: channel.title, shared: true }),
      h("span", { class: "what" }, h("span", { class: "name" }, channel.title), h("span", { class: "hint" }, count(channel.members, "member", "members"))),
      channel.joined ? button("Open", open, "small") : join,
    ),
    problem,
  );
}
