// Tells of a call outside of the page, where the system shows it and the user allowed it. Whoever looks at the page sees the call there:
// the notice comes when they look away, and goes when they come back, as it goes when the call no longer rings.

/** A call that rings, in words. */
export interface Notice {
  id: string;
  title: string;
  body: string;
}

export class CallNotices {
  readonly #off = new AbortController();
  #ring: Notice | undefined;
  #shown: { id: string; notice: Notification } | undefined;

  constructor() {
    const { signal } = this.#off;
    const update = () => this.#update();
    document.addEventListener("visibilitychange", update, { signal });
    for (const name of ["focus", "blur"]) addEventListener(name, update, { signal });
  }

  /** Tells of this one, or of none. */
  show(ring: Notice | undefined): void {
    this.#ring = ring;
    this.#update();
  }

  end(): void {
    this.#off.abort();
    this.show(undefined);
  }

  #update(): void {
    const ring = isLookedAt() || !mayNotify() ? undefined : this.#ring;
    if (this.#shown?.id === ring?.id) return;
    this.#shown?.notice.close();
    this.#shown = undefined;
    if (!ring) return;
    try {
      const notice = new Notification(ring.title, { body: ring.body, tag: `call-${ring.id}`, icon: "/icon.svg", requireInteraction: true });
      notice.onclick = () => {
        window.focus();
        notice.close();
      };
      this.#shown = { id: ring.id, notice };
    } catch {
      // Some phones take notifications from service workers only.
    }
  }
}

export function mayNotify(): boolean {
  return typeof Notification !== "undefined" && Notification.permission === "granted";
}

/** A page that is visible beside the window that its user works in is not looked at. */
function isLookedAt(): boolean {
  return document.visibilityState === "visible" && document.hasFocus();
}
