// A Redis of the test's own, on a port that the kernel chooses; nothing of it is kept.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";

const STARTS_WITHIN_MS = 10_000;

export class Redis {
  readonly url: string;
  readonly #process: ChildProcess;

  private constructor(port: number, process: ChildProcess) {
    this.url = `redis://127.0.0.1:${port}`;
    this.#process = process;
  }

  static async start(): Promise<Redis> {
    for (;;) {
      const port = await freePort();
      const child = spawn("redis-server", ["--bind", "127.0.0.1", "--port", String(port), "--save", "", "--appendonly", "no"], { stdio: "ignore" });
      // Somebody else may have taken the port between the look and the start.
      if (await answers(port, child)) return new Redis(port, child);
    }
  }

  async end(): Promise<void> {
    const ended = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await ended;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const closed = once(server, "close");
  server.close();
  await closed;
  return port;
}

async function answers(port: number, child: ChildProcess): Promise<boolean> {
  const deadline = Date.now() + STARTS_WITHIN_MS;
  while (child.exitCode === null) {
    if (Date.now() > deadline) throw new Error("Redis does not answer");
    if (await pong(port)) return child.exitCode === null;
  }
  return false;
}

function pong(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = connect(port, "127.0.0.1", () => asked.write("PING\r\n"));
    asked.on("data", (answer) => {
      resolve(answer.toString().startsWith("+PONG"));
      asked.destroy();
    });
    // Between two looks; nothing tells when it listens.
    asked.on("error", () => setTimeout(() => resolve(false), 20));
  });
}
