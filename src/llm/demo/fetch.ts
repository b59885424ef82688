/** Owns the demo provider's network. */
import type { Clock } from "../../stream/clock.ts";
import type { Fetch } from "../upstream.ts";

export function createDemoFetch(clock: Clock): Fetch {
  return async () => {
    const encoder = new TextEncoder();
    let i = 0;
    return new Response(
      new ReadableStream({
        type: "bytes",
        async pull(controller) {
          await new Promise<void>((resolve) => clock.after(20, resolve));
          i += 1;
          const done = i > 10;
          controller.enqueue(
            encoder.encode(
              done
                ? `data: [DONE]\n\n`
                : `data: {"id":"x","object":"chat.completion.chunk","created":1,"model":"demo","choices":[{"index":0,"delta":{"content":"word "},"finish_reason":${i === 10 ? '"stop"' : "null"}}]}\n\n`,
            ),
          );
          if (done) controller.close();
        },
      }),
      { headers: { "content-type": "text/event-stream" } },
    );
  };
}
