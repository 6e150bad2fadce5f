// How far own messages have come: sent, delivered to everybody's devices, read by everybody. In conversations of more than 50 the
// server tells counts only.
import type { MarkerChanged, MarkersCounted, Member, Message, Seq, UserId } from "@secureconnect/sdk";

export type Receipt = "sent" | "delivered" | "read";

interface Marker {
  read: Seq;
  delivered: Seq;
}

export class Receipts {
  readonly #me: UserId;
  readonly #markers = new Map<UserId, Marker>();
  #counts: MarkersCounted | undefined;

  constructor(me: UserId) {
    this.#me = me;
  }

  members(members: Iterable<Member>): void {
    for (const { user, read_seq = 0, delivered_seq = 0 } of members) this.#move(user, read_seq, delivered_seq);
  }

  joined(user: UserId, seq: Seq): void {
    // What was before is not for them to read.
    this.#move(user, seq, seq);
  }

  left(user: UserId): void {
    this.#markers.delete(user);
  }

  changed({ user, read_seq, delivered_seq }: MarkerChanged): void {
    this.#move(user, read_seq, delivered_seq);
  }

  counted(counts: MarkersCounted): void {
    this.#counts = counts;
  }

  of(message: Message): Receipt {
    if (this.#counts && this.#counts.seq === message.seq) {
      return this.#counts.read > 0 ? "read" : this.#counts.delivered > 0 ? "delivered" : "sent";
    }
    const others = [...this.#markers].filter(([user]) => user !== this.#me).map(([, marker]) => marker);
    if (others.length === 0) return "sent";
    if (others.every(({ read }) => read >= message.seq)) return "read";
    return others.every(({ delivered }) => delivered >= message.seq) ? "delivered" : "sent";
  }

  /** Who has read it. */
  readers(message: Message): UserId[] {
    return [...this.#markers].filter(([user, { read }]) => user !== this.#me && read >= message.seq).map(([user]) => user);
  }

  #move(user: UserId, read: Seq, delivered: Seq): void {
    const known = this.#markers.get(user) ?? { read: 0, delivered: 0 };
    const reached = Math.max(known.read, read);
    this.#markers.set(user, { read: reached, delivered: Math.max(known.delivered, delivered, reached) });
  }
}
