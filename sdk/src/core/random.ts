// The core's only source of chance: a generator that a seed determines. It spreads heartbeats and reconnects, nothing secret. It is
// mulberry32, the same as in the Rust client, so that the recorded vectors hold for both.

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  draw(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** A number from 0 to `bound - 1`; 0 where the bound is 0. Bounds stay below 2^21, so that the product is exact. */
  below(bound: number): number {
    return Math.floor((this.draw() * bound) / 2 ** 32);
  }
}
