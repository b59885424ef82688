/** Owns the suite as a Worker: addresses come in the query, results are the lines of the answer. */
import { report } from "./report.ts";

export default {
  fetch(request: Request): Response {
    const { searchParams } = new URL(request.url);
    const address = (name: string): string => searchParams.get(name) ?? "";
    const results = report({
      url: address("url"),
      brokenUrl: address("brokenUrl"),
      cutUrl: address("cutUrl"),
    });
    const encoder = new TextEncoder();
    return new Response(
      new ReadableStream({
        async pull(controller) {
          const { done, value } = await results.next();
          if (done === true) controller.close();
          else controller.enqueue(encoder.encode(`${JSON.stringify(value)}\n`));
        },
      }),
    );
  },
};
