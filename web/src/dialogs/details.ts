// A conversation's details: of a person, or of a group or channel.
import type { Conversation, ConversationId } from "@secureconnect/sdk";
import type { Model } from "../model/model.ts";
import { avatarOf, statusOf, titleOf } from "../titles.ts";
import { openDialog } from "../ui/dialog.ts";
import { h } from "../ui/dom.ts";
import { GroupDetails } from "./group-details.ts";

export function detailsDialog(model: Model, id: ConversationId): void {
  const conversation = model.conversations.get(id);
  if (!conversation) return;
  if (conversation.kind === "direct") personDialog(model, conversation);
  else new GroupDetails(model, conversation);
}

function personDialog(model: Model, conversation: Conversation): void {
  const profile = conversation.peer ? model.people.get(conversation.peer) : undefined;
  openDialog("Details", [
    h(
      "div",
      { class: "row" },
      avatarOf(model, conversation, "large"),
      h(
        "div",
        { class: "what" },
        h("span", { class: "name" }, titleOf(model, conversation)),
        profile && h("span", { class: "hint" }, `@${profile.handle}`),
        h("span", { class: "hint" }, statusOf(model, conversation).text),
      ),
    ),
  ]);
}
