/** Owns which client components use. Refuses to make one. */
import { createContext, createElement, useContext } from "react";
import type { FunctionComponentElement, ProviderProps, ReactNode } from "react";
import type { Client } from "../types.ts";

const ClientContext = createContext<Client | undefined>(undefined);

/** Gives all components below it a client. */
export function SluiceProvider({
  client,
  children,
}: {
  readonly client: Client;
  readonly children?: ReactNode;
}): FunctionComponentElement<ProviderProps<Client | undefined>> {
  return createElement(ClientContext.Provider, { value: client }, children);
}

/**
 * The client of the nearest {@link SluiceProvider}.
 *
 * @throws Error when there is none.
 */
export function useClient(): Client {
  const client = useContext(ClientContext);
  if (client === undefined) throw new Error("There is no SluiceProvider around this component.");
  return client;
}
