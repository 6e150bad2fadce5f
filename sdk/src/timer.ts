// The client's one timer. Browsers let the timers of a hidden tab run once a minute, which is too late for a heartbeat; those of a
// worker are left alone.

/** Calls `work` after `ms`; what is returned cancels that. */
export type Timer = (ms: number, work: () => void) => () => void;

export const pageTimer: Timer = (ms, work) => {
  const timer = setTimeout(work, ms);
  return () => clearTimeout(timer);
};

/** What a worker's script has to do: `addEventListener("message", answerTimers)`. */
export function answerTimers({ data }: MessageEvent<{ id: number; ms?: number }>): void {
  running.get(data.id)?.();
  running.delete(data.id);
  if (data.ms === undefined) return;
  const cancel = pageTimer(data.ms, () => {
    running.delete(data.id);
    postMessage(data.id);
  });
  running.set(data.id, cancel);
}

const running = new Map<number, () => void>();

/** A timer that runs in this worker, or in the page where the worker does not come to life: what rings first counts. */
export function workerTimer(worker: Worker): Timer {
  const waiting = new Map<number, () => void>();
  let last = 0;
  const ring = (id: number) => {
    const work = waiting.get(id);
    waiting.delete(id);
    work?.();
  };
  worker.addEventListener("message", ({ data }: MessageEvent<number>) => ring(data));
  return (ms, work) => {
    last += 1;
    const id = last;
    const cancel = pageTimer(ms, () => ring(id));
    waiting.set(id, () => {
      cancel();
      work();
    });
    worker.postMessage({ id, ms });
    return () => {
      cancel();
      if (waiting.delete(id)) worker.postMessage({ id });
    };
  };
}
