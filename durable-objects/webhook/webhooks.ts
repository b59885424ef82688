/**
 * Owns telling the operator's receiver what has happened in an object: each event once or, after a
 * failure, again, until it is taken or too old. Refuses to know the object, and never makes it wait.
 */
import { WEBHOOK_BATCH, WEBHOOK_TIMEOUT_MS } from "../../src/protocol/limits.ts";
import type { Clock, Random } from "../../src/stream/clock.ts";
import type { Sql } from "../log/sql.ts";
import { Outbox, type Waiting } from "./outbox.ts";
import type { WebhookSettings, WebhookType } from "./settings.ts";
import { signWebhook } from "./sign.ts";

/** What webhooks are given from outside. */
export interface WebhookContext {
  readonly sql: Sql;
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: () => string;
  readonly fetch: (address: string, init: RequestInit) => Promise<Response>;
  /**
   * Undefined where nobody is told; what waits from before is forgotten in time. `refused` where nobody
   * can know who is told: what waits goes on waiting.
   */
  readonly settings: WebhookSettings | "refused" | undefined;
  /** Told how many events were given up. */
  readonly dropped: (count: number) => void;
}

/** What came of an attempt. */
type Attempt = "taken" | "refused for ever" | { readonly failed: true; readonly leastMs: number };

export class Webhooks {
  readonly #context: WebhookContext;
  readonly #outbox: Outbox;

  constructor(context: WebhookContext) {
    this.#context = context;
    this.#outbox = new Outbox(context.sql, context.clock, context.random);
  }

  /** When the next attempt is due, in milliseconds since 1970; undefined: nothing waits. */
  get dueAt(): number | undefined {
    return this.#outbox.head?.dueAt;
  }

  /** All that waits: it outlives what it tells of. */
  get waiting(): readonly Waiting[] {
    return this.#outbox.all;
  }

  /** Puts back what waited, after the object has forgotten everything else. */
  restore(waiting: readonly Waiting[]): void {
    this.#outbox.restore(waiting);
  }

  /** Whether anybody wants to know of such events. */
  wants(type: WebhookType): boolean {
    const { settings } = this.#context;
    return typeof settings === "object" && settings.types.has(type);
  }

  /** Stores an event, in the turn that makes it true; it is sent by the object's alarm. */
  tell(type: WebhookType, data: Readonly<Record<string, unknown>>): void {
    if (!this.wants(type)) return;
    const { clock, newId, dropped } = this.#context;
    const timestamp = new Date(clock.now()).toISOString();
    const driven = this.#outbox.add({
      id: `msg_${newId().replaceAll("-", "")}`,
      body: JSON.stringify({ type, timestamp, data }),
    });
    if (driven > 0) dropped(driven);
  }

  /** Sends what is due, in order, up to the first that is not taken. Never throws. */
  async deliver(): Promise<void> {
    const { clock, settings, dropped } = this.#context;
    const expired = this.#outbox.expire();
    if (expired > 0) dropped(expired);
    for (let sent = 0; sent < WEBHOOK_BATCH; sent += 1) {
      const { head } = this.#outbox;
      if (head === undefined || head.dueAt > clock.now()) return;
      const attempt = await this.#attempt(head, settings);
      if (typeof attempt === "object") {
        this.#outbox.postpone(head, attempt.leastMs);
        return;
      }
      this.#outbox.remove(head);
      if (attempt !== "taken") dropped(1);
    }
  }

  async #attempt(head: Waiting, settings: WebhookContext["settings"]): Promise<Attempt> {
    // Without a receiver, what waits has nowhere to go.
    if (settings === undefined) return "refused for ever";
    return settings === "refused" ? { failed: true, leastMs: 0 } : await this.#send(head, settings);
  }

  async #send({ id, body }: Waiting, { url, keys }: WebhookSettings): Promise<Attempt> {
    const { clock, fetch } = this.#context;
    const deadline = new AbortController();
    const disarm = clock.after(WEBHOOK_TIMEOUT_MS, () => {
      deadline.abort();
    });
    try {
      const timestamp = Math.floor(clock.now() / 1000);
      const signature = await signWebhook({ id, timestamp, body }, keys);
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json", "user-agent": "sluice", ...signature },
        body,
        // What is signed goes where the operator said and nowhere else.
        redirect: "manual",
        signal: deadline.signal,
      });
      await response.body?.cancel();
      if (response.ok) return "taken";
      if (response.status === 410) return "refused for ever";
      const seconds = Number(response.headers.get("retry-after") ?? 0);
      return { failed: true, leastMs: Number.isFinite(seconds) ? seconds * 1000 : 0 };
    } catch {
      return { failed: true, leastMs: 0 };
    } finally {
      disarm();
    }
  }
}
