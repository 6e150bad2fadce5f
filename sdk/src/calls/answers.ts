// Which offer an answer is for. Session descriptions don't say: an answer that was repeated on the way, and meets the next offer, would
// be taken for that one's, and the two sides would go on with different paths. So an answer carries its offer's origin (the `o=` line,
// RFC 8866 section 5.2: session and version) in an attribute; whoever doesn't know it ignores it.
import type { Description } from "../generated.ts";

const ATTRIBUTE = "a=x-answers:";

function originOf(sdp: string): string | undefined {
  return /^o=\S+ (\d+ \d+)/m.exec(sdp)?.[1]?.replace(" ", ".");
}

/** The answer, with the mark of its offer. */
export function marked(answer: Description, offer: string | undefined): Description {
  const origin = offer === undefined ? undefined : originOf(offer);
  return origin === undefined ? answer : { ...answer, sdp: `${answer.sdp}${ATTRIBUTE}${origin}\r\n` };
}

/** The answer without its mark, if it is for this offer or doesn't say for which. */
export function unmarked(answer: Description, offer: string | undefined): Description | undefined {
  const at = answer.sdp.lastIndexOf(ATTRIBUTE);
  if (at < 0) return answer;
  const origin = answer.sdp.slice(at + ATTRIBUTE.length).trim();
  if (offer === undefined || origin !== originOf(offer)) return undefined;
  return { ...answer, sdp: answer.sdp.slice(0, at) };
}
