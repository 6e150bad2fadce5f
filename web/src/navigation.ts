// Which conversation is open, in the address' fragment: the browser's back button goes back, and a reload stays.
import type { ConversationId } from "@secureconnect/sdk";

const FORM = /^#\/c\/([0-9a-f-]{36})$/;

export function openConversation(): ConversationId | undefined {
  return FORM.exec(location.hash)?.[1];
}

export function navigate(id: ConversationId | undefined): void {
  const hash = id ? `#/c/${id}` : "#/";
  if (location.hash === hash) return;
  // From one conversation to the next is no step back: on a phone, back leads to the list.
  if (id && openConversation()) {
    history.replaceState(null, "", hash);
    dispatchEvent(new HashChangeEvent("hashchange"));
  } else {
    location.hash = hash;
  }
}

/** Calls `listener` when another conversation is opened, until the signal ends it. */
export function onNavigate(listener: () => void, signal: AbortSignal): void {
  addEventListener("hashchange", listener, { signal });
}
