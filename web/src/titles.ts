// What a conversation is called and looks like, and what happened in it, in words.
import type {
  CallRecord,
  Conversation,
  ConversationUpdated,
  MemberBan,
  MemberJoined,
  MemberLeft,
  MemberRole,
  MemberRoleChanged,
  Message,
  UserId,
} from "@secureconnect/sdk";
import { recordWords } from "./calls/words.ts";
import { avatar } from "./ui/avatar.ts";
import { count, firstLine, lastSeen, nameList } from "./format.ts";
import type { Model } from "./model/model.ts";
import type { Note } from "./model/thread.ts";

export function titleOf(model: Model, conversation: Conversation): string {
  if (conversation.kind !== "direct") return conversation.title ?? "Untitled";
  return conversation.peer ? model.people.name(conversation.peer) : "Deleted account";
}

export function avatarOf(model: Model, conversation: Conversation, size?: "small" | "large"): HTMLElement {
  const { kind, peer, id } = conversation;
  const name = titleOf(model, conversation);
  const look = kind === "direct" && peer ? { id: peer, name, presence: model.presence.get(peer)?.state } : { id, name, shared: true };
  return avatar(size ? { ...look, size } : look);
}

/** Who somebody is in a sentence. */
export function who(model: Model, user: UserId, meAs = "You"): string {
  return user === model.me.id ? meAs : model.people.name(user);
}

/** The line below the title: who types, who is there. */
export function statusOf(model: Model, conversation: Conversation): { text: string; kind: string } {
  const typing = typingLine(model, conversation);
  if (typing) return { text: typing, kind: "typing" };
  if (conversation.kind !== "direct") {
    const kind = conversation.kind === "channel" ? "Public channel · " : "";
    return { text: kind + count(conversation.members, "member", "members"), kind: "" };
  }
  const presence = conversation.peer ? model.presence.get(conversation.peer) : undefined;
  if (presence?.state === "online") return { text: "Online", kind: "online" };
  if (presence?.state === "away") return { text: "Away", kind: "" };
  return { text: presence?.last_seen_at ? capital(lastSeen(presence.last_seen_at, model.client.serverNow())) : "Offline", kind: "" };
}

export function typingLine(model: Model, conversation: Conversation): string {
  const typing = model.typing.in(conversation.id).filter((user) => user !== model.me.id);
  if (typing.length === 0) return "";
  if (conversation.kind === "direct") return "typing…";
  return `${nameList(typing.map((user) => model.people.name(user)))} ${typing.length === 1 ? "is" : "are"} typing…`;
}

/** A message in one line. */
export function preview(model: Model, conversation: Conversation, message: Message): string {
  const text = message.deleted ? "Message deleted" : firstLine(message.text);
  if (message.by === model.me.id) return `You: ${text}`;
  return conversation.kind === "direct" ? text : `${model.people.name(message.by)}: ${text}`;
}

const ROLES: Record<MemberRole, string> = { owner: "owner", admin: "admin", member: "member" };

/** What happened, as a sentence; empty where it is nothing to tell. */
export function sentence(model: Model, note: Note): string {
  const name = (user: UserId) => who(model, user);
  const object = (user: UserId) => who(model, user, "you");
  switch (note.name) {
    case "member.joined": {
      const { user, by, role } = note.body as MemberJoined;
      // Who made it is there from the beginning.
      if (role === "owner" && user === by) return `${name(user)} made this conversation`;
      return user === by ? `${name(user)} joined` : `${name(by)} added ${object(user)}`;
    }
    case "member.left": {
      const { user, by, how } = note.body as MemberLeft;
      if (how === "left") return `${name(user)} left`;
      return `${name(by)} ${how === "banned" ? "banned" : "removed"} ${object(user)}`;
    }
    case "member.role": {
      const { user, by, role } = note.body as MemberRoleChanged;
      return `${name(by)} made ${object(user)} ${ROLES[role]}`;
    }
    case "member.banned": {
      const { user, by } = note.body as MemberBan;
      return `${name(by)} banned ${object(user)}`;
    }
    case "member.unbanned": {
      const { user, by } = note.body as MemberBan;
      return `${name(by)} lifted the ban of ${object(user)}`;
    }
    case "conversation.updated": {
      const { title, by } = note.body as ConversationUpdated;
      return `${name(by)} changed the title to “${title}”`;
    }
    case "call.record":
      return recordWords(note.body as CallRecord, model.me.id);
    default:
      return "";
  }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
