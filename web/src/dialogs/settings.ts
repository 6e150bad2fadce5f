// One's own account: name, password, the places where one is logged in.
import { LIMITS, type SessionInfo } from "@secureconnect/sdk";
import { callSettings } from "./call-settings.ts";
import { fullMoment } from "../format.ts";
import type { Model } from "../model/model.ts";
import { button, field, problemLine, submits, type Field } from "../ui/controls.ts";
import { confirmDialog, openDialog } from "../ui/dialog.ts";
import { fill, h } from "../ui/dom.ts";
import { toast, toastProblem } from "../ui/toasts.ts";
import { describe } from "../words.ts";

export function settingsDialog(model: Model, logout: () => void): void {
  const dialog = openDialog("Settings", [
    section("Profile", profileForm(model)),
    section("Password", passwordForm(model)),
    section("Calls", callSettings(model)),
    section("Where you are logged in", sessionList(model)),
    section(
      "Account",
      h("p", { class: "hint" }, `Others find you as @${model.me.handle}.`),
      h(
        "div",
        {},
        button("Log out", () => {
          dialog.close();
          logout();
        }, "danger"),
      ),
    ),
  ]);
}

function section(title: string, ...children: HTMLElement[]): HTMLElement {
  return h("section", { class: "section" }, h("h3", {}, title), ...children);
}

function profileForm(model: Model): HTMLElement {
  const name = field("Name", { name: "name", required: true, maxlength: LIMITS.NAME_CHARS_MAX, value: model.me.name, autocomplete: "name", autocapitalize: "words" });
  return form([name], "Save", async () => {
    model.accountChanged(await model.client.call("me.update", { body: { name: name.input.value.trim() } }));
    toast("Your name was changed.");
  });
}

function passwordForm(model: Model): HTMLElement {
  const current = field("Present password", { name: "current", type: "password", required: true, autocomplete: "current-password" });
  const next = field(
    "New password",
    { name: "new", type: "password", required: true, minlength: LIMITS.PASSWORD_CHARS_MIN, autocomplete: "new-password" },
    `At least ${LIMITS.PASSWORD_CHARS_MIN} characters. All other sessions end.`,
  );
  return form([current, next], "Change password", async () => {
    await model.client.call("me.password", { body: { current: current.input.value, new: next.input.value } });
    current.input.value = "";
    next.input.value = "";
    toast("Your password was changed. All other sessions ended.");
  });
}

function form(fields: Field[], action: string, submit: () => Promise<void>): HTMLElement {
  const problem = problemLine();
  const go = h("button", { type: "submit", class: "button" }, action);
  const onsubmit = submits(go, problem, submit);
  return h("form", { class: "form", onsubmit }, fields.map(({ root }) => root), problem, h("div", {}, go));
}

function sessionList(model: Model): HTMLElement {
  const list = h("ul", { class: "row-list", "aria-busy": "true" }, h("li", { class: "row" }, h("div", { class: "spinner" })));
  const load = async (): Promise<void> => {
    try {
      const { sessions } = await model.client.call("sessions.list");
      fill(list, sessions.map((session) => sessionRow(model, session, load)));
    } catch (error) {
      fill(list, h("li", { class: "problem", role: "alert" }, describe(error)));
    }
    list.removeAttribute("aria-busy");
  };
  void load();
  return list;
}

function sessionRow(model: Model, session: SessionInfo, reload: () => Promise<void>): HTMLElement {
  const device = session.device ?? "Unknown device";
  const revoke = async (): Promise<void> => {
    if (!(await confirmDialog(`Log out ${device}?`, "That device is logged out at once.", "Log out"))) return;
    try {
      await model.client.call("sessions.revoke", { body: { session: session.id } });
      toast(`${device} was logged out.`);
    } catch (error) {
      toastProblem(error);
    }
    await reload();
  };
  const where = [`Last seen ${fullMoment(session.last_seen_at)}`, session.address].filter(Boolean).join(" · ");
  return h(
    "li",
    { class: "row" },
    h("span", { class: "what" }, h("span", { class: "name" }, device), h("span", { class: "hint" }, where)),
    session.current ? h("span", { class: "tag" }, "This device") : button("Log out", () => void revoke(), "small"),
  );
}
