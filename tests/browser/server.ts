// The real binary on a data directory of its own and on ports that the kernel chooses.
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const SERVICES = ["gateway", "auth", "chat", "signaling", "storage", "turn"];
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
  /** Roles that run in a process of their own, which outlives the other one. */
  readonly #apart: string[];
  /** Its address in a network, where it serves that (`serve --lan`). */
  readonly #lan: string | undefined;
  #process: ChildProcess | undefined;
  #beside: ChildProcess | undefined;
  /** The gateway's port; kept over restarts, so that pages find the server again. */
  #port = 0;

  constructor(settings: Record<string, string>, apart: string[], lan?: string) {
    this.#settings = settings;
    this.#apart = apart;
    this.#lan = lan;
  }

  /** Starts it with these settings by their environment variables, beside the tests' own. */
  static async start(settings: Record<string, string> = {}, apart: string[] = [], lan?: string): Promise<Server> {
    const server = new Server(settings, apart, lan);
    if (apart.length > 0) await server.#startBeside();
    await server.restart();
    return server;
  }

  /** Where the page is. `localhost`, because browsers take its plain HTTP for secure. */
  get url(): string {
    return this.#lan === undefined ? `http://localhost:${this.#port}/` : `https://${this.#lan}:${this.#port}/`;
  }

  /** What a role listens on, by its name in the role's folder. */
  address(role: string, name: string): string {
    const found = addressOf(path.join(this.directory, role, "addresses.json"), name);
    if (found === undefined) throw new Error(`${role} listens on no ${name}`);
    return found;
  }

  async restart(): Promise<void> {
    const addresses = path.join(this.directory, "gateway", "addresses.json");
    rmSync(addresses, { force: true });
    const child = this.#spawn(SERVICES.filter((role) => !this.#apart.includes(role)));
    this.#process = child;
    const gateway = await this.#until(child, "bound its listeners", () => addressOf(addresses, "api-gateway"));
    this.#port = Number(gateway.split(":").at(-1));
    await this.#until(child, "ready", () => this.#isReady());
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

  async #startBeside(): Promise<void> {
    const child = this.#spawn(this.#apart);
    this.#beside = child;
    const files = this.#apart.map((role) => path.join(this.directory, role, "addresses.json"));
    const bound = () => files.every((file) => addressOf(file, "admin") !== undefined) || undefined;
    await this.#until(child, "bound its listeners", bound);
  }

  #spawn(roles: string[]): ChildProcess {
    const log = openSync(path.join(this.directory, "server.log"), "a");
    const parameters = ["serve", ...(this.#lan === undefined ? [] : ["--lan"]), ...roles.flatMap((role) => ["--role", role])];
    return spawn(binary(), parameters, { cwd: this.directory, env: this.#environment(), stdio: ["ignore", log, log] });
  }

  /** As a crash or the kernel does, to all but what runs apart. */
  async kill(): Promise<void> {
    await killed(this.#process);
  }

  async end(): Promise<void> {
    await Promise.all([killed(this.#process), killed(this.#beside)]);
    rmSync(this.directory, { recursive: true, force: true });
  }

  log(): string {
    return readFileSync(path.join(this.directory, "server.log"), "utf8");
  }

  #environment(): Record<string, string> {
    const set: Record<string, string> = { PATH: process.env["PATH"] ?? "", SECURECONNECT_DATA_DIR: this.directory };
    for (const service of [...SERVICES.map((name) => `LISTEN__${name.toUpperCase()}`), "ADMIN__LISTEN"]) {
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
    return { ...set, ...this.#settings };
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
