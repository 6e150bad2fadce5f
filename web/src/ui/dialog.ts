// Dialogs on the browser's own element: focus stays inside, Escape closes, the page behind is inert, focus goes back where it was.
import { h, uniqueId, type Child } from "./dom.ts";
import { button, iconButton } from "./controls.ts";

export interface Dialog {
  element: HTMLDialogElement;
  close(): void;
}

/** Opens a dialog; `onclose` is called however it closes. */
export function openDialog(title: string, body: Child[], onclose?: () => void): Dialog {
  const id = uniqueId("dialog");
  const close = () => element.close();
  const element = h(
    "dialog",
    {
      "aria-labelledby": id,
      onclose: () => {
        element.remove();
        onclose?.();
      },
      // A click beside the dialog falls on the element itself, one inside on a child.
      onclick: (event: MouseEvent) => {
        if (event.target === element && event.detail > 0 && outside(element, event)) close();
      },
    },
    h("div", { class: "dialog-head" }, h("h2", { id }, title), iconButton("close", "Close", close)),
    h("div", { class: "dialog-body" }, ...body),
  );
  document.body.append(element);
  element.showModal();
  (element.querySelector("[autofocus]") as HTMLElement | null)?.focus();
  return { element, close };
}

/** Asks before something that can't be undone. */
export function confirmDialog(title: string, text: string, action: string): Promise<boolean> {
  return new Promise((resolve) => {
    let agreed = false;
    const agree = button(action, () => {
      agreed = true;
      dialog.close();
    }, "primary");
    const cancel = button("Cancel", () => dialog.close());
    const dialog = openDialog(title, [h("p", {}, text), h("div", { class: "dialog-foot" }, cancel, agree)], () => resolve(agreed));
    cancel.focus();
  });
}

export function closeAllDialogs(): void {
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
}

function outside(element: HTMLElement, { clientX, clientY }: MouseEvent): boolean {
  const { left, right, top, bottom } = element.getBoundingClientRect();
  return clientX < left || clientX > right || clientY < top || clientY > bottom;
}
