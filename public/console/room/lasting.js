/** Owns numbers that are told when they stay above zero: what is over in a moment is not worth a word. */
import { signal } from "@preact/signals";

/**
 * A signal that follows a number for as long as the page is open: down to zero at once, up from it after some time.
 *
 * @param {import("sluice/client").Observable<number>} observable
 * @param {number} ms
 * @returns {import("@preact/signals").Signal<number>}
 */
export function lasting(observable, ms) {
  const followed = signal(0);
  let timer = 0;
  const tell = () => {
    followed.value = observable.get();
  };
  const look = () => {
    if (observable.get() === 0) {
      clearTimeout(timer);
      timer = 0;
      tell();
    } else if (followed.value > 0) tell();
    else timer ||= setTimeout(tell, ms);
  };
  observable.onChange(look);
  look();
  return followed;
}
