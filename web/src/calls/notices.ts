// Tells of a call outside of the page, where the system shows it and the user allowed it.

export class CallNotices {
  #shown: { id: string; notice: Notification } | undefined;

  /** Shows this one, or none. Somebody who looks at the page sees it there. */
  show(id: string | undefined, title = "", body = ""): void {
    if (this.#shown?.id === id) return;
    this.#shown?.notice.close();
    this.#shown = undefined;
    if (id === undefined || !mayNotify() || document.visibilityState === "visible") return;
    try {
      const notice = new Notification(title, { body, tag: `call-${id}`, icon: "/icon.svg", requireInteraction: true });
      notice.onclick = () => {
        window.focus();
        notice.close();
      };
      this.#shown = { id, notice };
    } catch {
      // Some phones take notifications from service workers only.
    }
  }
}

export function mayNotify(): boolean {
  return typeof Notification !== "undefined" && Notification.permission === "granted";
}
