// A cable between browsers and the relay that loses what it is told to lose: each client's packets go through a socket of their own, so
// that the relay tells them apart.
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";

const HOST = "127.0.0.1";

export class UdpCable {
  readonly #near = createSocket("udp4");
  readonly #far = new Map<string, Socket>();
  #target = 0;
  #every = 0;
  #passed = 0;

  /** Where clients come in. */
  static async open(): Promise<UdpCable> {
    const cable = new UdpCable();
    cable.#near.on("message", (packet, client) => cable.#socket(client).send(packet, cable.#target, HOST));
    cable.#near.bind(0, HOST);
    await once(cable.#near, "listening");
    return cable;
  }

  get port(): number {
    return this.#near.address().port;
  }

  /** Leads to this address (`host:port`). */
  lead(address: string): void {
    this.#target = Number(address.split(":").at(-1));
  }

  /** Loses every n-th packet on its way to a client; 0: none. */
  lose(every: number): void {
    this.#every = every;
  }

  end(): void {
    for (const socket of [this.#near, ...this.#far.values()]) socket.close();
  }

  #socket({ address, port }: RemoteInfo): Socket {
    const client = `${address}:${port}`;
    let socket = this.#far.get(client);
    if (!socket) {
      socket = createSocket("udp4");
      socket.on("message", (packet) => {
        this.#passed += 1;
        if (this.#every === 0 || this.#passed % this.#every > 0) this.#near.send(packet, port, address);
      });
      this.#far.set(client, socket);
    }
    return socket;
  }
}
