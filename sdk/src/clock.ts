// Milliseconds that never go back. The wall clock is used because it goes on while the machine sleeps, so that a socket that died in
// the meantime is noticed at once; where somebody sets it back, the difference is added.

export function steadyClock(wall: () => number = Date.now): () => number {
  let last = 0;
  let added = 0;
  return () => {
    const now = wall() + added;
    if (now < last) added += last - now;
    last = Math.max(last, now);
    return last;
  };
}
