// How far one invitation has come, kept in this browser alone (IndexedDB) until the estate's
// final reply: a reload, a closed page or a dead battery loses nothing, and an envelope that
// was lost on its way can be sent again.

import type { Bytes } from "./bytes.ts";
import type { GivenConsent, Particulars, Photo } from "./enrollment.ts";
import type { Reply } from "./reply.ts";
import type { KeyPair } from "./sealing.ts";

/** An enrollment that has been sealed. */
export interface SentEnvelope {
  readonly id: string;
  readonly key: string;
  readonly replyPair: KeyPair;
  /** The poses sent, in the order that a reply counts photos in. */
  readonly poses: readonly Photo["pose"][];
  /** The sealed bytes, until the cloud has them; sent again as they are, never sealed twice. */
  readonly sealed?: Bytes;
}

export interface Progress {
  consents: readonly GivenConsent[];
  /** Who consents for somebody under 14. */
  guardian?: string;
  particulars: Particulars;
  photos: readonly Photo[];
  alternative: "" | "pin";
  envelope?: SentEnvelope;
  reply?: Reply;
}

export function newProgress(): Progress {
  return {
    consents: [],
    guardian: "",
    particulars: { name: "", phone: "", visiting: "", purpose: "", plate: "" },
    photos: [],
    alternative: "",
  };
}

/** Keep the answer alone: what was sent is the estate's matter from now on. */
export function forgetWhatWasSent(progress: Progress): void {
  Object.assign(progress, newProgress());
}

const DATABASE = "gatehouse-form";
const STORE = "progress";

/** Keeps the progress of one invitation. */
export class Keeper<Kept = Progress> {
  readonly #key: string;
  #database: IDBDatabase | undefined;

  private constructor(key: string, database: IDBDatabase | undefined) {
    this.#key = key;
    this.#database = database;
  }

  /** For the desk's own computer: a stranger's photos are none of its business afterwards. */
  static inMemory(): Keeper {
    return new Keeper("", undefined);
  }

  static async open<Kept = Progress>(
    community: string,
    invitation: string,
  ): Promise<Keeper<Kept>> {
    return new Keeper<Kept>(`${community}/${invitation}`, await openDatabase());
  }

  /** False where the browser keeps nothing, in some private windows for instance. */
  get keeps(): boolean {
    return this.#database !== undefined;
  }

  async load(): Promise<Kept | undefined> {
    const store = this.#store("readonly");
    if (!store) return undefined;
    return (await finished(store.get(this.#key))) as Kept | undefined;
  }

  async save(progress: Kept): Promise<void> {
    try {
      const store = this.#store("readwrite");
      if (store) await finished(store.put(progress, this.#key));
    } catch {
      // No room, or the browser took its storage back: the page itself still has everything.
      this.#database = undefined;
    }
  }

  #store(mode: IDBTransactionMode): IDBObjectStore | undefined {
    return this.#database?.transaction(STORE, mode).objectStore(STORE);
  }
}

function openDatabase(): Promise<IDBDatabase | undefined> {
  return new Promise((resolve) => {
    try {
      const request = indexedDB.open(DATABASE, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => resolve(undefined);
      request.onblocked = () => resolve(undefined);
    } catch {
      resolve(undefined);
    }
  });
}

/** Resolves once the request's whole transaction is on disk, with the request's result. */
function finished<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const transaction = request.transaction;
    if (!transaction) throw new Error("a request outside a transaction");
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = () => reject(transaction.error ?? new Error("nothing was kept"));
  });
}
