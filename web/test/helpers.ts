// Conversations and messages for tests.
import type { Conversation, Message } from "@secureconnect/sdk";

export const ME = "me";
export const OTHER = "other";

export function message(number: number, by: string, text = `m${number}`): Message {
  return { conversation: "c", seq: number * 2, number, by, client_id: `id-${number}`, text, at: number };
}

export function conversation(over: Partial<Conversation> = {}): Conversation {
  return {
    id: "c",
    kind: "group",
    title: "Kitchen",
    role: "member",
    members: 3,
    created_at: 0,
    head: { seq: 2, tag: "00000002" },
    read: { seq: 2, number: 1, own_number: 0 },
    own_number: 0,
    unread: 0,
    ...over,
  };
}
