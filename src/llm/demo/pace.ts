/** Owns how fast the demo speaks. Refuses to know what it says. */
import type { Pace } from "./script.ts";

/** As a hosted model of today: a first token after 200 ms, then 50 tokens/s. */
export const NORMAL: Pace = { firstTokenMs: 200, tokenMs: 20 };

/**
 * Slower than anybody likes: the first token comes after the response had to be committed (2 s),
 * then 4 tokens/s, so that waiting and stopping can be watched.
 */
export const SLOW: Pace = { firstTokenMs: 3_000, tokenMs: 250 };

/**
 * The shortest pause that timers know; some 400 tokens/s come of it in a Worker. A page that can draw
 * this can draw any model.
 */
export const FAST: Pace = { firstTokenMs: 200, tokenMs: 1 };
