// The page: goes on with the login of the cookie, or asks for one.
import { openOutbox, Rest, Session, type Account, type Outbox, type Stop } from "@secureconnect/sdk";
import { Model } from "./model/model.ts";
import { closeAllDialogs } from "./ui/dialog.ts";
import { fill, h } from "./ui/dom.ts";
import { announce, toast } from "./ui/toasts.ts";
import { button } from "./ui/controls.ts";
import { firstLine } from "./format.ts";
import { describe } from "./words.ts";
import { ShellView } from "./views/shell.ts";
import { welcomeView } from "./views/welcome.ts";

const session = new Session(new Rest(""));
const outbox = openOutbox();
const root = document.getElementById("app")!;

async function begin(): Promise<void> {
  loading("Loading…");
  try {
    const me = await session.restore();
    if (me) await enter(me);
    else ask();
  } catch (error) {
    fill(
      root,
      h("main", { class: "welcome loading" }, h("p", { role: "alert" }, describe(error)), button("Try again", () => void begin(), "primary")),
    );
  }
}

function loading(text: string): void {
  fill(root, h("main", { class: "welcome loading", "aria-busy": "true" }, h("div", { class: "spinner" }), h("p", { class: "unseen" }, text)));
}

function ask(): void {
  document.title = "SecureConnect";
  fill(root, welcomeView(session, (me) => void enter(me)));
  root.querySelector("input")?.focus();
}

async function enter(me: Account): Promise<void> {
  const kept: Outbox = await outbox;
  const model = new Model(session, me, kept, {
    stopped: (why) => stopped(model, shell, why),
    message: (message) => announce(`${model.people.name(message.by)}: ${firstLine(message.text)}`),
  });
  const shell = new ShellView(model, () => void logout(model, shell));
  fill(root, shell.element);
  await model.start();
}

/** Ends the login of this browser. */
async function logout(model: Model, shell: ShellView): Promise<void> {
  leave(model, shell);
  await model.clearOutbox();
  try {
    await session.logout();
  } catch (error) {
    toast(`You are logged out here. The server was not told: ${describe(error)}`);
  }
}

/** The client has given up: the login is over, or this tab was one too many. */
function stopped(model: Model, shell: ShellView, why: Stop): void {
  if (why.kind === "asked") return;
  const code = why.kind === "closed" ? why.code : undefined;
  // The shell shows what else there is to say, with a button to begin anew.
  const loginOver = why.kind !== "closed" || code === 4200 || code === 4201;
  if (!loginOver) return;
  leave(model, shell);
  toast("Your login was ended. Log in again.");
}

function leave(model: Model, shell: ShellView): void {
  closeAllDialogs();
  shell.end();
  model.end();
  session.forget();
  history.replaceState(null, "", "#/");
  ask();
}

void begin();
