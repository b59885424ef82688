import { describe, expect, it } from "vitest";
import { isLoopback } from "../../../src/auth/loopback.ts";
import { isOriginAllowed } from "../../../src/auth/origins.ts";

describe("[E2] loopback", () => {
  it.each(["localhost", "app.localhost", "127.0.0.1", "127.1.2.3", "[::1]"])("%s is", (name) => {
    expect(isLoopback(name)).toBe(true);
  });
  it.each([
    "localhost.evil.com",
    "127.0.0.1.evil.com",
    "notlocalhost",
    "0.0.0.0",
    "10.0.0.1",
    "[::2]",
    "sluice.workers.dev",
  ])("%s is not", (name) => {
    expect(isLoopback(name)).toBe(false);
  });
});

describe("[E2] origins", () => {
  const url = new URL("https://sluice.example/api/chat");
  const none = new Set<string>();

  it("[E2] our own pages always, listed ones, and nobody else", () => {
    const settings = { allowed: new Set(["https://app.example"]), local: false };
    expect(isOriginAllowed("https://sluice.example", url, settings)).toBe(true);
    expect(isOriginAllowed("https://app.example", url, settings)).toBe(true);
    expect(isOriginAllowed("https://app.example.evil.com", url, settings)).toBe(false);
    expect(isOriginAllowed("http://sluice.example", url, settings)).toBe(false);
    expect(isOriginAllowed("null", url, settings)).toBe(false);
  });

  it("[E2] pages of this machine only while only this machine is served", () => {
    expect(isOriginAllowed("http://localhost:5173", url, { allowed: none, local: true })).toBe(
      true,
    );
    expect(isOriginAllowed("http://localhost:5173", url, { allowed: none, local: false })).toBe(
      false,
    );
    expect(isOriginAllowed("https://evil.com", url, { allowed: none, local: true })).toBe(false);
  });

  it.each([
    "ftp://localhost",
    "ws://localhost:8787",
    "app://localhost",
    "file://localhost",
    "http://user@localhost:5173",
    "http://localhost:5173/",
    "http://localhost/path",
    "http://localhost?query",
    "HTTP://LOCALHOST",
    "http://localhost:80",
    " http://localhost",
    "null",
    "",
  ])("[E2] %j is no page of this machine", (origin) => {
    expect(isOriginAllowed(origin, url, { allowed: none, local: true })).toBe(false);
  });

  it.each(["http://localhost", "https://localhost", "http://[::1]:3000", "http://127.0.0.1:3000"])(
    "[E2] %j is one",
    (origin) => {
      expect(isOriginAllowed(origin, url, { allowed: none, local: true })).toBe(true);
    },
  );

  it("[E2] any, when the operator says so", () => {
    expect(isOriginAllowed("https://evil.com", url, { allowed: "any", local: false })).toBe(true);
  });
});
