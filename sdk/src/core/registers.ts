// The highest version seen of every register (presence, markers): an older one that arrives late is dropped.

/** Beyond this many the memory of versions starts anew. That is harmless: one connection carries versions in order, and only a value
 * that overtakes its successor across connections would show for a moment. */
const REGISTERS_MAX = 20_000;

export class Registers {
  readonly #versions = new Map<string, number>();

  /** Whether this version is newer than all before. */
  arrive(key: string, version: number): boolean {
    const known = this.#versions.get(key);
    if (known !== undefined && version <= known) return false;
    if (known === undefined && this.#versions.size >= REGISTERS_MAX) this.#versions.clear();
    this.#versions.set(key, version);
    return true;
  }

  clear(): void {
    this.#versions.clear();
  }
}
