// A group or a channel: its title, its members with their roles, inviting, leaving. News may come at any moment: only what changed is
// drawn anew, so that nobody loses what they type or the button that they press.
import { LIMITS, type Conversation, type ConversationId, type Member, type MemberRole, type Profile, type UserId } from "@secureconnect/sdk";
import type { Model } from "../model/model.ts";
import { navigate } from "../navigation.ts";
import { titleOf } from "../titles.ts";
import { avatar } from "../ui/avatar.ts";
import { button } from "../ui/controls.ts";
import { confirmDialog, openDialog } from "../ui/dialog.ts";
import { fill, h } from "../ui/dom.ts";
import { KeyedList, type KeyedItem } from "../ui/keyed.ts";
import { toast, toastProblem } from "../ui/toasts.ts";
import { personSearch } from "./new-chat.ts";
import { TitleForm } from "./title-form.ts";

const RANK: Record<MemberRole, number> = { member: 0, admin: 1, owner: 2 };

export class GroupDetails {
  readonly #model: Model;
  readonly #id: ConversationId;
  readonly #members = new Map<UserId, Member>();
  readonly #heading = h("div", { class: "section" });
  readonly #count = h("h3");
  readonly #list = h("ul", { class: "row-list" });
  readonly #rows = new KeyedList(this.#list);
  readonly #showMore = button("Show more", () => void this.#load([...this.#members.keys()].at(-1)), "small");
  readonly #close: () => void;
  #title: TitleForm | undefined;
  #managed: boolean | undefined;
  #more = false;

  constructor(model: Model, conversation: Conversation) {
    this.#model = model;
    this.#id = conversation.id;
    const off = model.topics.on(["conversations", "people", "presence", `thread:${conversation.id}`], () => this.#changed());
    const channel = conversation.kind === "channel";
    const foot = h("div", { class: "dialog-foot" }, button(channel ? "Leave channel" : "Leave group", () => void this.#leave(), "danger"));
    const body = h("div", { class: "section" }, this.#heading, this.#count, this.#list, this.#showMore, foot);
    this.#close = openDialog(channel ? "Channel" : "Group", [body], off).close;
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
    this.#show();
  }

  #show(): void {
    const conversation = this.#conversation;
    if (!conversation) return;
    this.#showHeading(conversation);
    this.#count.textContent = `Members (${conversation.members.toLocaleString()})`;
    const sorted = [...this.#members.values()].sort((a, b) => RANK[b.role] - RANK[a.role] || this.#name(a).localeCompare(this.#name(b)));
    this.#rows.show(sorted.map((member) => this.#item(conversation, member)));
    this.#showMore.hidden = !this.#more;
  }

  /** The forms stay as long as the role does: whoever types or clicks in them keeps what they began. */
  #showHeading(conversation: Conversation): void {
    const manages = RANK[conversation.role] >= RANK.admin;
    if (manages !== this.#managed) {
      this.#managed = manages;
      this.#title = manages ? new TitleForm(this.#model.client, this.#id) : undefined;
      const invites = manages && conversation.kind === "group";
      fill(this.#heading, this.#title?.element ?? h("h3"), invites && personSearch(this.#model, (person) => void this.#invite(person)));
    }
    if (this.#title) this.#title.show(conversation.title ?? "");
    else this.#heading.firstElementChild!.textContent = titleOf(this.#model, conversation);
  }

  #invite({ id, name }: Profile): Promise<void> {
    return this.#run("members.invite", { users: [id] }, `${name} was added.`);
  }

  #name({ user }: Member): string {
    return this.#model.people.name(user);
  }

  #item(conversation: Conversation, member: Member): KeyedItem {
    const presence = this.#model.presence.get(member.user)?.state;
    const signature = JSON.stringify([this.#name(member), member.role, presence, conversation.role]);
    return { key: member.user, signature, make: () => this.#row(conversation, member) };
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
      // A choice that was refused goes back to what holds.
      this.#rows.show([]);
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
