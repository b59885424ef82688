/** Owns a read that may be looked at before it is waited for. Refuses to know what is read. */

/** A read on its way. */
export interface ReadAhead {
  /** The read itself. Nobody has to wait for it: a failure that nobody asks about is nobody's. */
  readonly result: Promise<ReadableStreamReadResult<Uint8Array<ArrayBuffer>>>;
  /** Resolves when the result is there, and also when it is a failure. */
  readonly arrived: Promise<void>;
  /** Whether there are bytes by now; not so for the end of the stream and for its failure. */
  readonly hasBytes: boolean;
}

/** Starts to read into `buffer`, which is detached until the bytes are there. */
export function readAhead(reader: ReadableStreamBYOBReader, buffer: ArrayBuffer): ReadAhead {
  let hasBytes = false;
  const result = reader.read(new Uint8Array(buffer));
  const arrived = result.then(
    ({ done }) => {
      hasBytes = !done;
    },
    () => {},
  );
  return {
    result,
    arrived,
    get hasBytes() {
      return hasBytes;
    },
  };
}
