// Who is in the call, who is called, who waits; and what its host may do.
import { isIn, type Participant, type ParticipantStatus } from "@secureconnect/sdk";
import type { Model } from "../model/model.ts";
import { avatar } from "../ui/avatar.ts";
import { button } from "../ui/controls.ts";
import { confirmDialog, openDialog } from "../ui/dialog.ts";
import { h } from "../ui/dom.ts";
import { KeyedList } from "../ui/keyed.ts";

const STATES: Record<ParticipantStatus, string> = {
  invited: "Calling…",
  ringing: "Ringing…",
  waiting: "Waits to be let in",
  joined: "In the call",
  reconnecting: "Reconnecting…",
  left: "Left",
  declined: "Declined",
  busy: "In another call",
  missed: "Did not answer",
  removed: "Removed",
};

export function callPeopleDialog(model: Model): void {
  const list = h("ul", { class: "row-list" });
  const rows = new KeyedList(list);
  const foot = h("div", { class: "dialog-foot" });
  const endForAll = button("End for all", async () => {
    if (await confirmDialog("End the call for everybody?", "Everyone is out of it at once.", "End call")) model.calls.calls.host("call.end");
  }, "danger");
  const update = () => {
    const call = model.calls.current;
    if (!call) return dialog.close();
    const hosts = call.host === model.me.id;
    foot.replaceChildren(...(hosts ? [endForAll] : []));
    rows.show(
      call.participants.map((part) => ({
        key: part.user,
        signature: JSON.stringify([part, model.people.name(part.user), hosts, call.host === part.user]),
        make: () => row(model, part, hosts, call.host === part.user),
      })),
    );
  };
  const off = model.topics.on(["calls", "people"], update);
  const dialog = openDialog("People in the call", [list, foot], off);
  update();
}

function row(model: Model, part: Participant, hosts: boolean, isHost: boolean): HTMLElement {
  const { user, status, media } = part;
  const { calls } = model.calls;
  const me = user === model.me.id;
  const name = model.people.name(user);
  const sends = isIn(part) ? [!media.audio && "muted", media.video && "camera", media.screen && "screen", media.hand && "hand raised"].filter(Boolean) : [];
  const others = hosts && !me;
  return h(
    "li",
    { class: "row", "data-user": user },
    avatar({ id: user, name, size: "small" }),
    h("span", { class: "what" }, h("span", { class: "name" }, me ? `${name} (you)` : name), h("span", { class: "hint" }, [STATES[status], ...sends].join(" · "))),
    isHost && h("span", { class: "tag" }, "host"),
    others && isIn(part) && media.audio && button("Mute", () => calls.host("call.mute", user), "small quiet"),
    others && (status === "waiting" || status === "removed") && button("Let in", () => calls.host("call.admit", user), "small"),
    others && (isIn(part) || status === "waiting" || status === "invited" || status === "ringing") && button("Remove", () => calls.host("call.remove", user), "small quiet danger"),
  );
}
