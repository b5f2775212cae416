/* Seconds of active work: the clock runs while the page is visible and a hand moved within the last half minute. */

const IDLE_AFTER = 30_000;

export class Activity {
  #seconds = 0;
  #since = null; // when the counted stretch began
  #last = 0;

  constructor(signal) {
    const touch = () => this.#touch();
    for (const name of ["keydown", "pointerdown", "pointermove", "wheel"]) {
      document.addEventListener(name, touch, { signal, passive: true });
    }
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#stop() : touch()), { signal });
    this.restart();
  }

  get seconds() {
    const running = this.#since === null ? 0 : (Math.min(performance.now(), this.#last + IDLE_AFTER) - this.#since) / 1000;
    return Math.round((this.#seconds + running) * 10) / 10;
  }

  /* For the next text: from zero, and running. */
  restart() {
    this.#seconds = 0;
    this.#since = this.#last = performance.now();
  }

  #touch() {
    const now = performance.now();
    if (this.#since !== null && now - this.#last > IDLE_AFTER) this.#stop();
    this.#since ??= now;
    this.#last = now;
  }

  #stop() {
    this.#seconds = this.seconds;
    this.#since = null;
  }
}
