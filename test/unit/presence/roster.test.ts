import fc from "fast-check";
import { expect, test } from "vitest";
import { Roster } from "../../../durable-objects/presence/roster.ts";
import { decodeValue, encodeValue } from "../../../src/protocol/value.ts";

type View = Record<string, unknown>;

function listed(roster: Roster): View {
  return Object.fromEntries(roster.list().map(({ member, state }) => [member, decodeValue(state)]));
}

test("[W6] a member with several connections is here once and leaves with the last", () => {
  const roster = new Roster();
  roster.show("ann", "c1", encodeValue(1));
  roster.show("ann", "c2", encodeValue(2));
  expect(roster.count).toBe(1);
  expect(roster.connectionsOf("ann")).toBe(2);
  expect(listed(roster)).toEqual({ ann: 2 });
  roster.takeChange();
  roster.hide("ann", "c1");
  expect(roster.isChanged).toBe(false);
  roster.hide("ann", "c2");
  expect(roster.takeChange()).toEqual({ here: [], gone: ["ann"] });
  expect([roster.has("ann"), roster.connectionsOf("ann")]).toEqual([false, 0]);
});

test("[W6] the newest state counts, and the one before it when its connection goes", () => {
  const roster = new Roster();
  roster.show("ann", "c1", encodeValue("old"));
  roster.show("ann", "c2", encodeValue("new"));
  roster.takeChange();
  roster.show("ann", "c1", encodeValue("newer"));
  expect(listed(roster)).toEqual({ ann: "newer" });
  roster.hide("ann", "c1");
  expect(listed(roster)).toEqual({ ann: "new" });
  expect(roster.takeChange().here).toMatchObject([{ member: "ann" }]);
});

test("[W6] the same state again is no news", () => {
  const roster = new Roster();
  roster.show("ann", "c1", encodeValue({ x: 1 }));
  roster.takeChange();
  roster.show("ann", "c1", encodeValue({ x: 1 }));
  expect(roster.isChanged).toBe(false);
});

test("[W6][I1] a connection that was known before a sleep only is still reported gone", () => {
  const roster = new Roster();
  roster.show("ann", "c2", encodeValue("kept"));
  roster.settle();
  roster.hide("bob", "c1");
  roster.hide("ann", "c1");
  expect(roster.takeChange()).toMatchObject({ here: [{ member: "ann" }], gone: ["bob"] });
});

test("[W6] who came and went between two reports is gone for whoever saw them", () => {
  const roster = new Roster();
  roster.show("ann", "c1", encodeValue(null));
  const seen = new Set(roster.list().map(({ member }) => member));
  roster.hide("ann", "c1");
  for (const member of roster.takeChange().gone) seen.delete(member);
  expect([...seen]).toEqual([]);
});

test("[W6] a list may be cut short, and settling forgets what is known", () => {
  const roster = new Roster();
  for (const name of ["a", "b", "c"]) roster.show(name, name, encodeValue(null));
  expect(roster.list(2).map(({ member }) => member)).toEqual(["a", "b"]);
  roster.settle();
  expect(roster.isChanged).toBe(false);
  expect(roster.takeChange()).toEqual({ here: [], gone: [] });
});

test("[W6] whoever is given a list at any time and every report from then on sees who is here", () => {
  const step = fc.record({
    kind: fc.constantFrom("show", "show", "hide", "report", "look"),
    member: fc.constantFrom("ann", "bob", "cem"),
    connection: fc.constantFrom("1", "2", "3"),
    state: fc.integer({ min: 0, max: 2 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const roster = new Roster();
      let connections: { member: string; id: string; state: number }[] = [];
      const views: View[] = [];
      const report = (): void => {
        const { here, gone } = roster.takeChange();
        for (const view of views) {
          for (const { member, state } of here) view[member] = decodeValue(state);
          for (const member of gone) delete view[member];
        }
      };
      for (const { kind, member, connection, state } of steps) {
        const id = member + connection;
        if (kind === "show" || kind === "hide") {
          connections = connections.filter((other) => other.id !== id);
        }
        if (kind === "show") {
          connections.push({ member, id, state });
          roster.show(member, id, encodeValue(state));
        } else if (kind === "hide") roster.hide(member, id);
        else if (kind === "look") views.push(listed(roster));
        else report();
        const expected = Object.fromEntries(
          connections.map(({ member, state }) => [member, state]),
        );
        expect(listed(roster)).toEqual(expected);
        expect(roster.count).toBe(Object.keys(expected).length);
      }
      report();
      for (const view of views) expect(view).toEqual(listed(roster));
    }),
    { numRuns: 300 },
  );
});
