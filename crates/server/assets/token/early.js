// What takes longest begins first, while the rest of the page is still on its way.

import { Vault } from "./vault.js";

/** The compiled module; `undefined` where browsers give pages no cryptography. */
export const compiled = isSecureContext ? WebAssembly.compileStreaming(fetch("dskpp.wasm")) : undefined;

export const opened = isSecureContext ? Vault.open() : undefined;

// Both are looked at later.
compiled?.catch(() => undefined);
opened?.catch(() => undefined);
