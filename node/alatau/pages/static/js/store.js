// What a page keeps: IndexedDB, one database a page. What is signed is here, flushed, before it leaves.

const STORES = ["account", "channel", "outgoing", "incoming"];

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

export class Store {
  constructor(database) {
    this.database = database;
  }

  static async open(name) {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => {
      for (const store of STORES) request.result.createObjectStore(store);
    };
    return new Store(await done(request));
  }

  // All or none, on the disk when this resolves. Items are [store, key, value]; an undefined value deletes.
  async put(items) {
    if (items.length === 0) return;
    const transaction = this.database.transaction(STORES, "readwrite", { durability: "strict" });
    for (const [store, key, value] of items) {
      const target = transaction.objectStore(store);
      if (value === undefined) target.delete(key);
      else target.put(value, key);
    }
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error ?? new Error("the storage refused"));
    });
  }

  get(store, key) {
    return done(this.database.transaction(store).objectStore(store).get(key));
  }

  all(store) {
    return done(this.database.transaction(store).objectStore(store).getAll());
  }

  async clear() {
    const transaction = this.database.transaction(STORES, "readwrite");
    for (const store of STORES) transaction.objectStore(store).clear();
    await new Promise((resolve) => {
      transaction.oncomplete = resolve;
    });
  }
}

// Asks the browser not to clear the storage by itself; gives whether it promised.
export async function keepStorage() {
  try {
    return (await navigator.storage?.persist?.()) ?? false;
  } catch {
    return false;
  }
}
