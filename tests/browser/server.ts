// The real binary, in as many processes as a test wants, on a data directory of its own and on ports that the kernel chooses.
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { ONE_PROCESS, ROLES, type Part } from "./parts.ts";

/** Limits stay on in tests, raised to this, so that their code runs. */
const RAISED = "1000000";
const LIMITS = ["general", "login_account", "login_address", "register_address", "join_user", "join_address", "conversation_messages", "socket_frames", "socket_opens", "calls_user", "call_signals"];
const STARTS_WITHIN_MS = 30_000;

function binary(): string {
  const beside = fileURLToPath(new URL("../../target/debug/secureconnect", import.meta.url));
  const file = process.env["SECURECONNECT_BIN"] ?? beside;
  if (!existsSync(file)) throw new Error(`no binary at ${file}: run \`cargo build -p secureconnect\` first`);
  return file;
}

export class Server {
  readonly directory = mkdtempSync(path.join(tmpdir(), "secureconnect-browser-"));
  readonly #settings: Record<string, string>;
  readonly #parts: Part[];
  /** Its address in a network, where it serves that (`serve --lan`). */
  readonly #lan: string | undefined;
  readonly #processes = new Map<Part, ChildProcess>();
  /** The gateway's port; kept over restarts, so that pages find the server again. */
  #port = 0;

  private constructor(settings: Record<string, string>, parts: Part[], lan?: string) {
    this.#settings = settings;
    this.#parts = parts;
    this.#lan = lan;
  }

  /** Starts it with these settings by their environment variables, beside the tests' own. */
  static async start(settings: Record<string, string> = {}, parts: Part[] = ONE_PROCESS, lan?: string): Promise<Server> {
    const server = new Server(settings, parts, lan);
    for (const { name } of parts) await server.restart(name);
    return server;
  }

  /** Where the page is. `localhost`, because browsers take its plain HTTP for secure. */
  get url(): string {
    return this.#lan === undefined ? `http://localhost:${this.#port}/` : `https://${this.#lan}:${this.#port}/`;
  }

  /** What a role listens on, by its name in the role's folder; of the process that is named, where several run it. */
  address(role: string, name: string, part?: string): string {
    const found = addressOf(this.#addresses(this.#parts.find((one) => one.name === part), role), name);
    if (found === undefined) throw new Error(`${role} listens on no ${name}`);
    return found;
  }

  /** Starts a process, the gateway's where none is named, and awaits that it serves. */
  async restart(name = this.#gateway): Promise<void> {
    const part = this.#part(name);
    const env = this.#environment(part);
    const files = part.roles.map((role) => this.#addresses(part, role));
    for (const file of files) rmSync(file, { force: true });
    const log = openSync(this.#log, "a");
    const parameters = ["serve", ...(this.#lan === undefined ? [] : ["--lan"]), ...part.roles.flatMap((role) => ["--role", role])];
    const child = spawn(binary(), parameters, { cwd: this.directory, env, stdio: ["ignore", log, log] });
    this.#processes.set(part, child);
    const bound = () => files.every((file) => addressOf(file, "admin") !== undefined) || undefined;
    await this.#until(child, "bound its listeners", bound);
    if (!part.roles.includes("gateway")) return;
    this.#port = Number(this.address("gateway", "api-gateway").split(":").at(-1));
    await this.#until(child, "ready", () => this.#isReady());
  }

  /** It comes last; where few processes run, most other roles run in it, too. */
  get #gateway(): string {
    return this.#parts.at(-1)!.name;
  }

  #addresses(part: Part | undefined, role: string): string {
    return path.join(part?.home?.(this.directory) ?? this.directory, role, "addresses.json");
  }

  get #log(): string {
    return path.join(this.directory, "server.log");
  }

  #part(name: string): Part {
    const found = this.#parts.find((part) => part.name === name);
    if (!found) throw new Error(`no process ${name}`);
    return found;
  }

  /** The certificate for development is nobody's who could be trusted. */
  #isReady(): Promise<true | undefined> {
    const { get } = this.#lan === undefined ? http : https;
    return new Promise((resolve) => {
      const asked = get(new URL("readyz", this.url), { rejectUnauthorized: false, agent: false }, (answer) => {
        answer.resume();
        resolve(answer.statusCode === 200 || undefined);
      });
      asked.on("error", () => resolve(undefined));
    });
  }

  /** As a crash or the kernel does, to one process: the gateway's where none is named. */
  async kill(name = this.#gateway): Promise<void> {
    await killed(this.#processes.get(this.#part(name)));
  }

  async end(): Promise<void> {
    await Promise.all([...this.#processes.values()].map(killed));
    rmSync(this.directory, { recursive: true, force: true });
  }

  log(): string {
    return readFileSync(this.#log, "utf8");
  }

  #environment({ home, settings }: Part): Record<string, string> {
    const set: Record<string, string> = { PATH: process.env["PATH"] ?? "", SECURECONNECT_DATA_DIR: home?.(this.directory) ?? this.directory };
    for (const service of [...ROLES.map((name) => `LISTEN__${name.toUpperCase()}`), "ADMIN__LISTEN"]) {
      set[`SECURECONNECT_${service}`] = "127.0.0.1:0";
    }
    set["SECURECONNECT_TURN__LISTEN"] = `["127.0.0.1:0"]`;
    set["SECURECONNECT_LISTEN__GATEWAY"] = `${this.#lan ?? "127.0.0.1"}:${this.#port}`;
    // Whether it is ready is asked where it listens.
    if (this.#lan !== undefined) set["SECURECONNECT_METRICS__NETWORKS"] = `["${this.#lan}/32"]`;
    // People in tests don't wait as long as people do.
    set["SECURECONNECT_CHAT__PRESENCE_GRACE_MS"] = "1000";
    set["SECURECONNECT_CHAT__MARKERS_EVERY_MS"] = "200";
    for (const limit of LIMITS) set[`SECURECONNECT_LIMITS__${limit.toUpperCase()}`] = RAISED;
    return { ...set, ...this.#settings, ...settings?.(this.directory) };
  }

  async #until<T>(child: ChildProcess, what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
    const deadline = Date.now() + STARTS_WITHIN_MS;
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`the server is not ${what}:\n${this.log().slice(-4_000)}`);
      // Between two looks at a file; nothing tells when it is written.
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** Ends a process that has not ended. */
async function killed(child: ChildProcess | undefined): Promise<void> {
  if (child?.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

/** An address of a process, once the file is whole. */
function addressOf(file: string, name: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(file, "utf8")) as Record<string, string>)[name];
  } catch {
    return undefined;
  }
}
