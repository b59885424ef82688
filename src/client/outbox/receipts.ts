/**
 * Owns which messages were stored of late, for tabs that speak of one when it has long been sent. Refuses to
 * know who does.
 */

/** Receipts that are remembered. */
const MAX_RECEIPTS = 256;

interface Receipt {
  readonly id: string;
  readonly seq: number;
}

export class Receipts {
  readonly #receipts = new Map<string, Receipt>();

  /** All that are remembered. */
  get all(): readonly Receipt[] {
    return [...this.#receipts.values()];
  }

  get(id: string): Receipt | undefined {
    return this.#receipts.get(id);
  }

  add({ id, seq }: Receipt): void {
    this.#receipts.set(id, { id, seq });
    for (const [oldest] of this.#receipts) {
      if (this.#receipts.size <= MAX_RECEIPTS) return;
      this.#receipts.delete(oldest);
    }
  }
}
