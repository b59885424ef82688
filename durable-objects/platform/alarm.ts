/** Owns the one alarm of an object. Refuses to know what it is for. */

/** The part of an object's storage that keeps its alarm. */
type AlarmStorage = Pick<DurableObjectStorage, "getAlarm" | "setAlarm">;

/** Each alarm asked for is a row written, so one is asked for only when none comes soon enough. */
export class Alarm {
  readonly #storage: AlarmStorage;
  #at: number | undefined;
  #rowsWritten = 0;

  constructor(storage: AlarmStorage) {
    this.#storage = storage;
  }

  /** Rows written for alarms since the object was made. */
  get rowsWritten(): number {
    return this.#rowsWritten;
  }

  /** Learns which alarm was set before the object slept. */
  async restore(): Promise<void> {
    this.#at = (await this.#storage.getAlarm()) ?? undefined;
  }

  /** The alarm has come. */
  rang(): void {
    this.#at = undefined;
  }

  /** Sees to it that the object is awake at `due`, in milliseconds since 1970, or earlier. */
  schedule(due: number | undefined): void {
    if (due === undefined || (this.#at !== undefined && this.#at <= due)) return;
    this.#at = due;
    this.#rowsWritten += 1;
    void this.#storage.setAlarm(due);
  }
}
