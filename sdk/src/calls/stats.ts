// How a connection does, from the W3C's statistics: rates and losses since the sample before.
import type { PeerQuality, UserId } from "../generated.ts";

/** Counters at one time. */
export interface Sample {
  at: number;
  packets: number;
  lost: number;
  bytesIn: number;
  bytesOut: number;
}

/** In words that a person sees. */
export type Grade = "good" | "fair" | "poor";

export function gradeOf({ round_trip_ms = 0, lost_per_10000 = 0, jitter_ms = 0 }: PeerQuality): Grade {
  if (lost_per_10000 > 800 || round_trip_ms > 600 || jitter_ms > 100) return "poor";
  return lost_per_10000 > 200 || round_trip_ms > 300 || jitter_ms > 40 ? "fair" : "good";
}

type Stat = Record<string, unknown> & { id: string; type: string };

export function qualityOf(user: UserId, report: Iterable<[string, unknown]>, before: Sample | undefined): { quality: PeerQuality; sample: Sample } {
  const stats = new Map([...report].map(([id, stat]) => [id, stat as Stat]));
  const all = [...stats.values()];
  const incoming = all.filter(({ type }) => type === "inbound-rtp");
  const sum = (name: string, of: Stat[]) => of.reduce((total, stat) => total + number(stat[name]), 0);
  const transport = all.find(({ type }) => type === "transport");
  const pair = stats.get(String(transport?.["selectedCandidatePairId"])) ?? all.find((stat) => stat.type === "candidate-pair" && stat["nominated"] && stat["state"] === "succeeded");
  const sample: Sample = {
    at: Math.max(0, ...all.map((stat) => number(stat["timestamp"]))),
    packets: sum("packetsReceived", incoming),
    lost: sum("packetsLost", incoming),
    bytesIn: number(pair?.["bytesReceived"]),
    bytesOut: number(pair?.["bytesSent"]),
  };
  const quality: PeerQuality = { user, relayed: isRelayed(stats, pair) };
  const trip = pair?.["currentRoundTripTime"];
  if (typeof trip === "number") quality.round_trip_ms = Math.round(trip * 1000);
  const jitters = incoming.map((stat) => stat["jitter"]).filter((jitter) => typeof jitter === "number");
  if (jitters.length > 0) quality.jitter_ms = Math.round(Math.max(...jitters) * 1000);
  if (before && sample.at > before.at) {
    const seconds = (sample.at - before.at) / 1000;
    const lost = Math.max(0, sample.lost - before.lost);
    const sent = lost + Math.max(0, sample.packets - before.packets);
    if (sent > 0) quality.lost_per_10000 = Math.round((lost / sent) * 10_000);
    quality.incoming_kbps = rate(sample.bytesIn - before.bytesIn, seconds);
    quality.outgoing_kbps = rate(sample.bytesOut - before.bytesOut, seconds);
  }
  return { quality, sample };
}

function isRelayed(stats: Map<string, Stat>, pair: Stat | undefined): boolean {
  return ["localCandidateId", "remoteCandidateId"].some((end) => stats.get(String(pair?.[end]))?.["candidateType"] === "relay");
}

/** Kilobits per second; another path begins its counters anew. */
function rate(bytes: number, seconds: number): number {
  return Math.max(0, Math.round((bytes * 8) / 1000 / seconds));
}

function number(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}
