/**
 * Owns types of events and their check: generics where the application is believed, validators of the
 * Standard Schema convention (https://standardschema.dev) where the data is looked at. Refuses to
 * know any validation library.
 */

/** The part of a Standard Schema validator (version 1) that is needed here. */
export interface StandardSchema<Output = unknown> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

/** What a validator says. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** Something that a validator found wrong. */
export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Events by name, each with a validator of its data. */
export type SchemaMap<Events extends object> = {
  readonly [Name in keyof Events]: StandardSchema<Events[Name]>;
};

/** Events of which nothing is known. */
export type AnyEvents = Record<string, unknown>;

/** The names of a map of events. */
export type EventName<Events extends object> = keyof Events & string;

/** The events that validators describe. */
export type EventsOf<Schemas> = {
  readonly [Name in keyof Schemas]: Schemas[Name] extends StandardSchema<infer Output>
    ? Output
    : never;
};
