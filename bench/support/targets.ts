/** Owns how a target is shown beside what was seen. Refuses to know what was to be reached. */
import { figure, formatTable } from "./table.ts";

/** What was to be reached, what was seen (`NaN` when nothing was measured), and whether that is enough. */
type Target = readonly [target: string, seen: number, reached: boolean];

/** Prints the targets of one peer. */
export function printTargets(title: string, targets: readonly Target[]): void {
  console.log(
    formatTable(
      [title, "seen", "target"],
      targets.map(([target, seen, reached]) => [
        target,
        figure(seen, 2),
        Number.isNaN(seen) ? "not measured" : reached ? "reached" : "NOT REACHED",
      ]),
    ),
  );
  console.log();
}
