// The library, without its package.
export * from "../src/index.js";
