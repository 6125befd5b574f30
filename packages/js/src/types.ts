// Only for the compiler: that `index.js` does what `index.d.ts` says.
import type * as Api from "./index.js";
import * as implementation from "./index.js";

const load: typeof Api.load = implementation.load;
export const tokens: Promise<Api.Tokens> = load(new Uint8Array()).then((dskpp) => dskpp.open());
