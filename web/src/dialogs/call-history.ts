// The calls that are over, the latest first. Who looks at them has seen what they missed.
import type { CallId, CallRecord } from "@secureconnect/sdk";
import { recordWords, wasMissed } from "../calls/words.ts";
import { fullMoment } from "../format.ts";
import type { Model } from "../model/model.ts";
import { avatarOf, titleOf } from "../titles.ts";
import { avatar } from "../ui/avatar.ts";
import { button, iconButton } from "../ui/controls.ts";
import { openDialog, type Dialog } from "../ui/dialog.ts";
import { fill, h } from "../ui/dom.ts";
import { describe } from "../words.ts";

const PAGE = 50;

export function callHistoryDialog(model: Model): void {
  const list = h("ul", { class: "row-list", "aria-label": "Calls" });
  const foot = h("div", {});
  const dialog = openDialog("Calls", [list, foot]);
  const load = async (before?: CallId): Promise<void> => {
    fill(foot, h("div", { class: "spinner" }));
    try {
      const { calls, more } = await model.client.call("calls.list", { body: { limit: PAGE, ...(before ? { before } : {}) } });
      list.append(...calls.map((record) => row(model, record, dialog)));
      const [first] = calls;
      if (!before && first) model.calls.calls.seen(first.call);
      const last = calls.at(-1)?.call;
      if (more && last) fill(foot, button("Show more", () => void load(last), "small"));
      else fill(foot, !before && calls.length === 0 && h("p", { class: "empty" }, "No calls yet."));
    } catch (error) {
      fill(foot, h("p", { class: "problem", role: "alert" }, describe(error)));
    }
  };
  void load();
}

function row(model: Model, record: CallRecord, dialog: Dialog): HTMLElement {
  const { id } = model.me;
  const conversation = model.conversations.get(record.conversation);
  const title = conversation ? titleOf(model, conversation) : model.people.name(record.by);
  const missed = wasMissed(record, id);
  const again = () => {
    dialog.close();
    void model.calls.start(record.conversation, record.kind);
  };
  return h(
    "li",
    { class: `row ${missed ? "missed" : ""}` },
    conversation ? avatarOf(model, conversation, "small") : avatar({ id: record.by, name: title, size: "small" }),
    h("span", { class: "what" }, h("span", { class: "name" }, title), h("span", { class: "hint" }, h("span", { class: "outcome" }, recordWords(record, id)), ` · ${fullMoment(record.created_at)}`)),
    conversation && iconButton(record.kind === "video" ? "camera" : "phone", `Call ${title}`, again),
  );
}
