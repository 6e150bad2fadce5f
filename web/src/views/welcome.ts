// Sign up and log in: one card, two forms.
import { LIMITS, type Account, type Session } from "@secureconnect/sdk";
import { deviceName } from "../device.ts";
import { field, problemLine, submits } from "../ui/controls.ts";
import { fill, h } from "../ui/dom.ts";

export function welcomeView(session: Session, entered: (me: Account) => void): HTMLElement {
  const card = h("div", { class: "card" });
  const show = (form: (other: () => void) => HTMLElement[], other: () => void) => {
    fill(card, brand(), ...form(other));
    card.querySelector("input")?.focus();
  };
  const logIn = (): void => show((other) => logInForm(session, entered, other), signUp);
  const signUp = (): void => show((other) => signUpForm(session, entered, other), logIn);
  logIn();
  return h("main", { class: "welcome" }, card);
}

function brand(): HTMLElement {
  return h("div", { class: "brand" }, h("img", { src: "/icon.svg", alt: "", width: 34, height: 34 }), h("span", {}, "SecureConnect"));
}

function logInForm(session: Session, entered: (me: Account) => void, other: () => void): HTMLElement[] {
  const handle = field("Handle", { name: "handle", autocomplete: "username", required: true, spellcheck: "false" });
  const password = field("Password", { name: "password", type: "password", autocomplete: "current-password", required: true });
  return [
    h("h1", {}, "Welcome back"),
    h("p", { class: "lead" }, "Log in to go on with your conversations."),
    form("Log in", [handle.root, password.root], async () =>
      entered(await session.login(cleanHandle(handle.input.value), password.input.value, deviceName())),
    ),
    switchLine("New here?", "Make an account", other),
  ];
}

function signUpForm(session: Session, entered: (me: Account) => void, other: () => void): HTMLElement[] {
  const name = field("Your name", { name: "name", autocomplete: "name", required: true, maxlength: LIMITS.NAME_CHARS_MAX, autocapitalize: "words" });
  const handle = field(
    "Handle",
    { name: "handle", autocomplete: "username", required: true, spellcheck: "false", maxlength: LIMITS.HANDLE_CHARS_MAX + 1 },
    "How others find you. Letters, digits, dots and underscores.",
  );
  const password = field(
    "Password",
    { name: "password", type: "password", autocomplete: "new-password", required: true, minlength: LIMITS.PASSWORD_CHARS_MIN },
    `At least ${LIMITS.PASSWORD_CHARS_MIN} characters.`,
  );
  return [
    h("h1", {}, "Make an account"),
    h("p", { class: "lead" }, "A name, a handle and a password. That is all."),
    form("Sign up", [name.root, handle.root, password.root], async () =>
      entered(await session.register(cleanHandle(handle.input.value), name.input.value.trim(), password.input.value, deviceName())),
    ),
    switchLine("Been here before?", "Log in", other),
  ];
}

function form(action: string, fields: HTMLElement[], submit: () => Promise<void>): HTMLElement {
  const problem = problemLine();
  const go = h("button", { type: "submit", class: "button primary" }, action);
  return h(
    "form",
    {
      class: "form",
      onsubmit: submits(go, problem, submit),
    },
    ...fields,
    problem,
    go,
  );
}

function switchLine(question: string, action: string, other: () => void): HTMLElement {
  return h("p", { class: "switch" }, `${question} `, h("button", { type: "button", class: "link", onclick: other }, action));
}

/** People write handles with an @ and in capitals. */
export function cleanHandle(text: string): string {
  return text.trim().replace(/^@/, "").toLowerCase();
}
