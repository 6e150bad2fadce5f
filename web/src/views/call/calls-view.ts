// What a page shows of calls, and when: the ring, the call itself, the line that stands for it.
import type { Model } from "../../model/model.ts";
import { CallBar } from "./call-bar.ts";
import { CallView } from "./call-view.ts";
import { IncomingCall } from "./incoming.ts";

export class CallsView {
  /** Belongs at the head of the page. */
  readonly bar: CallBar;
  readonly #model: Model;
  readonly #root: HTMLElement;
  readonly #incoming: IncomingCall;
  readonly #off: () => void;
  #view: CallView | undefined;
  #aside = false;
  /** Where the focus was before the call. */
  #before: Element | null = null;

  /** `root` is what a call covers. */
  constructor(model: Model, root: HTMLElement) {
    this.#model = model;
    this.#root = root;
    this.bar = new CallBar(model, () => this.#putAside(false));
    this.#incoming = new IncomingCall(model);
    this.#off = model.topics.on(["calls", "people", "conversations", "connection"], () => this.#update());
    this.#update();
  }

  end(): void {
    this.#off();
    this.bar.end();
    this.#incoming.end();
    this.#view?.end();
  }

  #update(): void {
    const { place } = this.#model.calls;
    if (place && !this.#view) {
      this.#aside = false;
      this.#before = document.activeElement;
      this.#view = new CallView(this.#model, () => this.#putAside(true));
      this.#root.append(this.#view.element);
      this.#view.focus();
    } else if (!place && this.#view) {
      this.#view.end();
      this.#view = undefined;
      this.#aside = false;
    }
    this.#view?.update();
    if (this.#view) this.#view.element.hidden = this.#aside;
    this.#cover(this.#view !== undefined && !this.#aside);
    this.bar.update(this.#aside);
  }

  /** What the call covers is out of reach; the focus goes back where it was. */
  #cover(covers: boolean): void {
    const covered = this.#root.classList.contains("in-call");
    this.#root.classList.toggle("in-call", covers);
    if (covered && !covers && this.#before instanceof HTMLElement && document.activeElement === document.body) this.#before.focus();
  }

  #putAside(aside: boolean): void {
    this.#aside = aside;
    this.#update();
    if (!aside) this.#view?.focus();
  }
}
