/**
 * Owns a document between an application and its room: what the room tells goes into it, what is changed in it goes to the
 * server. Refuses to know how either is carried.
 */
import type * as Y from "yjs";
import { isOpen } from "../connection/machine.ts";
import type { Context } from "../context.ts";
import { ClientError } from "../errors.ts";
import type { Room, RoomItem } from "../room/types.ts";
import type { Unsubscribe } from "../state.ts";
import { Store, until } from "../store.ts";
import { applyTo } from "./apply.ts";
import { lackingIn } from "./lacking.ts";
import { Puller } from "./puller.ts";
import { RemoteDocument } from "./remote.ts";
import { Saver } from "./saver.ts";
import type { DocumentState, SharedDocument } from "./types.ts";

// One object each: a state that is the same is no news.
const LOADING: DocumentState = { kind: "loading" };
const SAVING: DocumentState = { kind: "saving" };
const SYNCED: DocumentState = { kind: "synced" };
const OFFLINE: DocumentState = { kind: "offline" };

export class DocumentSession implements SharedDocument {
  readonly name: string;
  readonly state = new Store<DocumentState>(LOADING);
  readonly #room: Room;
  readonly #doc: Y.Doc;
  readonly #remote: RemoteDocument;
  readonly #puller: Puller;
  readonly #saver: Saver;
  /** Ends what is asked for. */
  readonly #over = new AbortController();
  #undo: readonly Unsubscribe[] = [];
  #isOpen = false;
  #isOffline = false;
  /** Whether the server's state was put into the document once. */
  #isLoaded = false;

  constructor(context: Context, room: Room, name: string, doc: Y.Doc) {
    this.name = name;
    this.#room = room;
    this.#doc = doc;
    const { signal } = this.#over;
    const remote = new RemoteDocument(context, room, name);
    this.#remote = remote;
    this.#puller = new Puller({
      read: (stopped) => remote.read(stopped),
      pulled: (state, heard) => {
        this.#pulled(state, heard);
      },
      refused: ({ code, message }) => {
        this.#end(code, message);
      },
    });
    this.#saver = new Saver({
      clock: context.clock,
      write: (update) => remote.write(update, signal),
      settled: (refusal) => {
        if (refusal?.code === "document_deleted") this.#end(refusal.code, refusal.message);
        else this.#look();
      },
    });
  }

  /** Begins. Called once. */
  start(): void {
    const doc = this.#doc;
    if (doc.isDestroyed) {
      this.#destroyed();
      return;
    }
    doc.on("update", this.#changed);
    doc.on("destroy", this.#destroyed);
    this.#undo = [
      () => {
        doc.off("update", this.#changed);
        doc.off("destroy", this.#destroyed);
      },
      this.#room.state.onChange(this.#roomChanged),
      // Before the first request, so that what its answer does not hold is told.
      this.#room.subscribe(this.#take),
    ];
    this.#roomChanged();
  }

  synced(): Promise<void> {
    const wait = async (): Promise<void> => {
      const state = await until(this.state, ({ kind }) => kind === "synced" || kind === "closed");
      if (state.kind === "closed") throw new ClientError(state.because, state.message);
    };
    const promise = wait();
    promise.catch(() => {});
    return promise;
  }

  close(): void {
    this.#finish("The application closed it.");
  }

  readonly #destroyed = (): void => {
    this.#finish("The document was destroyed.");
  };

  /** Something was changed in the document. */
  readonly #changed = (update: Uint8Array, origin: unknown): void => {
    // Until the state is here, what the server lacks is found when it comes.
    if (origin === this || !this.#isLoaded) return;
    this.#saver.add(update);
    if (this.#saver.isToBeCompared) this.#pull();
    this.#look();
  };

  /** The room's connection is another one, or gone. */
  readonly #roomChanged = (): void => {
    const state = this.#room.state.get();
    if (state.kind === "closed") {
      this.#end(state.because, state.message);
      return;
    }
    const wasOpen = this.#isOpen;
    this.#isOpen = isOpen(state);
    if (this.#isOpen && !wasOpen) {
      this.#isOffline = false;
      if (this.#isLoaded) this.#saver.open();
      // The room goes on where it was: once the state is here, nothing is missed.
      const isDue = !this.#isLoaded || this.#puller.isDue || this.#saver.isToBeCompared;
      if (isDue) this.#puller.hurry();
    } else if (!this.#isOpen) {
      this.#isOffline ||= wasOpen || state.kind === "waiting";
      this.#saver.lose();
    }
    this.#look();
  };

  /** The room tells something. */
  readonly #take = (item: RoomItem): void => {
    if (this.#isOver) return;
    if (item.kind === "gap") this.#pull();
    else if (item.kind !== "direct" && item.event === this.#remote.event) {
      // A room's validators are for what the application says in it.
      this.#hear(item.kind === "invalid" ? item.data : item.payload);
    }
  };

  /** Someone has changed the document: so, or by something that has to be asked for. */
  #hear(payload: unknown): void {
    if (payload instanceof Uint8Array && applyTo(this.#doc, payload, this)) {
      this.#puller.hear(payload);
    } else this.#pull();
  }

  #pull(): void {
    // Before the first connection stands there is nothing that could be asked for already.
    if (!this.#isOpen && !this.#isLoaded) return;
    this.#puller.want();
    this.#look();
  }

  /** The server's state has come. */
  #pulled(state: readonly Uint8Array[], heard: readonly Uint8Array[]): void {
    if (!state.every((update) => applyTo(this.#doc, update, this))) {
      this.#end("bad_answer", "The answer holds no document.");
      return;
    }
    // By what the application does when the document changes.
    if (this.#isOver) return;
    this.#isLoaded = true;
    try {
      this.#saver.replace(lackingIn([...state, ...heard, ...this.#saver.sending], this.#doc));
    } catch {
      // A member sent what no document can hold, and this one has held a part of it since; the server's has not.
      this.#end("bad_answer", "The document is broken: it has to be loaded anew.");
      return;
    }
    if (this.#isOpen) this.#saver.open();
    this.#look();
  }

  get #isOver(): boolean {
    return this.#over.signal.aborted;
  }

  /** Says where it stands. */
  #look(): void {
    if (!this.#isOver) this.state.set(this.#find());
  }

  #find(): DocumentState {
    if (this.#isOffline) return OFFLINE;
    const { refusal } = this.#saver;
    // What was refused is compared with the server's state now and then, which is no news.
    if (!this.#isLoaded || (this.#puller.isDue && refusal === undefined)) return LOADING;
    if (this.#saver.isDone) return SYNCED;
    if (refusal === undefined) return SAVING;
    const { code: because, message } = refusal;
    const before = this.state.get();
    const isSame = before.kind === "unsaved" && before.because === because;
    return isSame ? before : { kind: "unsaved", because, message };
  }

  #finish(message: string): void {
    // What was typed in the last moment does not wait for the next.
    if (!this.#isOver) this.#saver.finish();
    this.#end("closed", message);
  }

  #end(because: string, message: string): void {
    if (this.#isOver) return;
    this.#over.abort();
    for (const undo of this.#undo) undo();
    this.#puller.stop();
    this.#saver.stop();
    this.state.set({ kind: "closed", because, message });
  }
}
