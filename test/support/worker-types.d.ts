/** Tells the types of `cloudflare:workers` which Worker tests inside the runtime belong to. */
declare namespace Cloudflare {
  interface GlobalProps {
    mainModule: typeof import("../../src/index.ts");
  }
}
