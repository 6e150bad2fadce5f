// Brings a list of elements in step with a list of items, touching only what changed: scrolling, focus and the screen reader's place
// stay where they are.

export interface KeyedItem {
  key: string;
  /** Equal signatures look the same. */
  signature: string;
  make(): HTMLElement;
}

export class KeyedList {
  readonly #parent: HTMLElement;
  #rows = new Map<string, { signature: string; element: HTMLElement }>();

  constructor(parent: HTMLElement) {
    this.#parent = parent;
  }

  show(items: KeyedItem[]): void {
    const rows = new Map<string, { signature: string; element: HTMLElement }>();
    let place: ChildNode | null = this.#parent.firstChild;
    for (const item of items) {
      const known = this.#rows.get(item.key);
      let element = known?.element;
      if (!known || !element || known.signature !== item.signature) {
        const made = item.make();
        if (element) {
          const focused = element.contains(document.activeElement);
          if (place === element) place = made;
          element.replaceWith(made);
          if (focused) (made.querySelector<HTMLElement>("button, [tabindex]") ?? made).focus();
        }
        element = made;
      }
      rows.set(item.key, { signature: item.signature, element });
      if (place === element) place = element.nextSibling;
      else this.#parent.insertBefore(element, place);
    }
    for (const [key, { element }] of this.#rows) if (!rows.has(key)) element.remove();
    this.#rows = rows;
  }

  element(key: string): HTMLElement | undefined {
    return this.#rows.get(key)?.element;
  }
}
