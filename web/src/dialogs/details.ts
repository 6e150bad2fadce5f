// A conversation's details: title, members with their roles, inviting, leaving.
import { LIMITS, type Conversation, type ConversationId, type Member, type MemberRole, type UserId } from "@secureconnect/sdk";
import type { Model } from "../model/model.ts";
import { navigate } from "../navigation.ts";
import { avatarOf, statusOf, titleOf } from "../titles.ts";
import { avatar } from "../ui/avatar.ts";
import { busyWhile, button, field, problemLine } from "../ui/controls.ts";
import { confirmDialog, openDialog } from "../ui/dialog.ts";
import { fill, h } from "../ui/dom.ts";
import { toast, toastProblem } from "../ui/toasts.ts";
import { describe } from "../words.ts";
import { personSearch } from "./new-chat.ts";

const RANK: Record<MemberRole, number> = { member: 0, admin: 1, owner: 2 };

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

class GroupDetails {
  readonly #model: Model;
  readonly #id: ConversationId;
  readonly #body = h("div", { class: "section" });
  readonly #members = new Map<UserId, Member>();
  readonly #close: () => void;
  #more = false;

  constructor(model: Model, conversation: Conversation) {
    this.#model = model;
    this.#id = conversation.id;
    const off = model.topics.on(["conversations", "people", "presence", `thread:${conversation.id}`], () => this.#changed());
    this.#close = openDialog(conversation.kind === "channel" ? "Channel" : "Group", [this.#body], off).close;
    this.#show();
    void this.#load();
  }

  get #conversation(): Conversation | undefined {
    return this.#model.conversations.get(this.#id);
  }

  async #load(after?: UserId): Promise<void> {
    try {
      const page = await this.#model.client.call("members.list", { to: this.#id, body: { limit: LIMITS.PAGE_MAX, ...(after ? { after } : {}) } });
      for (const member of page.members) this.#members.set(member.user, member);
      void this.#model.presence.ask(this.#model.client, page.members.map(({ user }) => user));
      this.#more = page.more;
      this.#show();
    } catch (error) {
      toastProblem(error);
    }
  }

  /** The log has told something: members that were read stay, what changed is taken from the thread. */
  #changed(): void {
    const conversation = this.#conversation;
    if (!conversation) return this.#close();
    const thread = this.#model.thread(this.#id);
    if (thread.state === "ready" && conversation.members <= LIMITS.PAGE_MAX) {
      this.#members.clear();
      for (const [user, member] of thread.members) this.#members.set(user, member);
    }
    // Not while somebody types in here.
    if (this.#body.contains(document.activeElement) && document.activeElement instanceof HTMLInputElement) return;
    this.#show();
  }

  #show(): void {
    const conversation = this.#conversation;
    if (!conversation) return;
    const manages = RANK[conversation.role] >= RANK.admin;
    const sorted = [...this.#members.values()].sort((a, b) => RANK[b.role] - RANK[a.role] || this.#name(a).localeCompare(this.#name(b)));
    const last = [...this.#members.keys()].at(-1);
    fill(
      this.#body,
      manages ? this.#titleForm(conversation) : h("h3", {}, titleOf(this.#model, conversation)),
      manages && conversation.kind === "group" && personSearch(this.#model, (person) => void this.#run("members.invite", { users: [person.id] }, `${person.name} was added.`)),
      h("h3", {}, `Members (${conversation.members.toLocaleString()})`),
      h("ul", { class: "row-list" }, sorted.map((member) => this.#row(conversation, member))),
      this.#more && last && button("Show more", () => void this.#load(last), "small"),
      h("div", { class: "dialog-foot" }, button(conversation.kind === "channel" ? "Leave channel" : "Leave group", () => void this.#leave(), "danger")),
    );
  }

  #name({ user }: Member): string {
    return this.#model.people.name(user);
  }

  #titleForm(conversation: Conversation): HTMLElement {
    const title = field("Title", { name: "title", required: true, maxlength: LIMITS.TITLE_CHARS_MAX, value: conversation.title ?? "", autocomplete: "off" });
    const problem = problemLine();
    const save = h("button", { type: "submit", class: "button" }, "Rename");
    const onsubmit = (event: SubmitEvent) => {
      event.preventDefault();
      void busyWhile(save, async () => {
        try {
          await this.#model.client.call("conversations.update", { to: this.#id, body: { title: title.input.value.trim() } });
          problem.textContent = "";
          save.focus();
          toast("The title was changed.");
        } catch (error) {
          problem.textContent = describe(error);
        }
      });
    };
    return h("form", { class: "form", onsubmit }, h("div", { class: "inline-form" }, title.root, save), problem);
  }

  #row(conversation: Conversation, member: Member): HTMLElement {
    const { user, role } = member;
    const name = this.#name(member);
    const me = user === this.#model.me.id;
    const above = RANK[conversation.role] > RANK[role] || conversation.role === "owner";
    const presence = this.#model.presence.get(user)?.state;
    return h(
      "li",
      { class: "row", "data-user": user },
      avatar({ id: user, name, size: "small", presence }),
      h("span", { class: "what" }, h("span", { class: "name" }, me ? `${name} (you)` : name)),
      conversation.role === "owner" && conversation.kind !== "direct" ? this.#roleChoice(member, name) : role !== "member" && h("span", { class: "tag" }, role),
      !me && above && RANK[conversation.role] >= RANK.admin && this.#removal(user, name),
    );
  }

  #roleChoice({ user, role }: Member, name: string): HTMLElement {
    const choice: HTMLSelectElement = h(
      "select",
      { "aria-label": `Role of ${name}`, onchange: () => void this.#run("members.role", { user, role: choice.value as MemberRole }, `${name} is now ${choice.value}.`) },
      (["member", "admin", "owner"] as const).map((value) => h("option", { value, selected: value === role }, value)),
    );
    return choice;
  }

  #removal(user: UserId, name: string): HTMLElement {
    return h(
      "span",
      {},
      button("Remove", () => void this.#remove("members.kick", user, name, "They can be invited again."), "small quiet"),
      button("Ban", () => void this.#remove("members.ban", user, name, "They can't come back until the ban is lifted."), "small quiet danger"),
    );
  }

  async #remove(command: "members.kick" | "members.ban", user: UserId, name: string, hint: string): Promise<void> {
    const action = command === "members.kick" ? "Remove" : "Ban";
    if (!(await confirmDialog(`${action} ${name}?`, hint, action))) return;
    await this.#run(command, { user }, command === "members.kick" ? `${name} was removed.` : `${name} was banned.`);
  }

  async #run(command: "members.invite" | "members.role" | "members.kick" | "members.ban", body: object, done: string): Promise<void> {
    try {
      await this.#model.client.call(command, { to: this.#id, body: body as never });
      toast(done);
      await this.#load();
    } catch (error) {
      toastProblem(error);
      this.#show();
    }
  }

  async #leave(): Promise<void> {
    const conversation = this.#conversation;
    if (!conversation) return;
    if (!(await confirmDialog(`Leave ${titleOf(this.#model, conversation)}?`, "You won't get its messages any more.", "Leave"))) return;
    try {
      await this.#model.client.call("members.leave", { to: this.#id });
      this.#close();
      navigate(undefined);
    } catch (error) {
      toastProblem(error);
    }
  }
}
