// The library stands beside the app where both are served.
export * from "../src/index.js";
