// Measures what lies between a click on the answer and the first picture, in two browsers against the real server, beside two connections
// without any; and writes its section of the performance document. The server is the binary that SECURECONNECT_BIN names.
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { CALL_ARGUMENTS, type Caller, pair } from "../calling.ts";
import { openBrowser } from "../people.ts";
import { Server } from "../server.ts";
import { first, marks, record, roundTrips, type Mark } from "../timeline.ts";
import { bare, type Bare } from "./bare.ts";
import { loadAverage, table, write } from "./section.ts";

const METHOD = `Two people in two contexts of one browser (headless Chromium, its test camera of 1280 by 720 at 30 a second), one call after the other, each in turn with
two bare connections in one page that hand each other offer, answer and candidates without a server. Times are noted in the pages: what the
socket says and hears, what the connections tell of their ICE and DTLS, and \`loadeddata\` of the element that shows the other one (its first
picture is decoded). Medians, and 90th percentiles in brackets, in milliseconds. All begins with the click on "Accept with video" at the one who
answers, and with the first thing done at the bare connections. The side that answers joins, then offers; the side that called answers the offer. ICE runs from the
moment a side knows or has made the answer, gathering included. What the server and the sockets take is what is left of join and negotiation without the browsers' own
making of offer and answer.`;
const HEADINGS = ["phase", "who answers", "who called", "bare connections"];

const { values } = parseArgs({
  options: {
    calls: { type: "string", default: "25" },
    document: { type: "string", default: fileURLToPath(new URL("../../../docs/performance.md", import.meta.url)) },
  },
});

/** What one call took, phase by phase. */
interface Taken {
  devices: number;
  join: number;
  offerMade: number;
  offerToAnswer: number;
  answerMade: number;
  answering: Path;
  calling: Path;
  sockets: number[];
  trips: number;
}

interface Path {
  ice: number;
  dtls: number;
  frame: number;
  total: number;
}

async function measure(ann: Caller, bob: Caller): Promise<Taken> {
  await ann.start("video");
  await bob.ring.waitFor();
  await Promise.all([marks(ann), marks(bob)]);
  await bob.answer("Accept with video");
  const shown = () => (window as unknown as { marks: Mark[] }).marks.some(({ what }) => what === "first frame");
  await Promise.all([ann, bob].map(({ page }) => page.waitForFunction(shown)));
  const [answering, calling] = await Promise.all([marks(bob), marks(ann)]);
  await ann.press("Leave call");
  await bob.call.waitFor({ state: "detached" });
  return taken(answering, calling);
}

function taken(answering: Mark[], calling: Mark[]): Taken {
  const click = first(answering, "click");
  const asked = first(answering, "says call.join");
  const joined = first(answering, "answered call.join");
  const offered = first(answering, "says offer");
  const answered = first(answering, "hears answer");
  const heard = first(calling, "hears offer");
  const made = first(calling, "says answer");
  return {
    devices: asked - click,
    join: joined - asked,
    offerMade: offered - joined,
    offerToAnswer: answered - offered,
    answerMade: made - heard,
    answering: path(answering, answered, click),
    calling: path(calling, made, click),
    sockets: ["call.join", "offer"].map((what) => first(answering, `answered ${what}`) - first(answering, `says ${what}`)),
    trips: roundTrips([answering, calling]),
  };
}

function path(side: Mark[], negotiated: number, click: number): Path {
  const ice = first(side, "ice connected");
  const dtls = first(side, "dtls connected");
  const frame = first(side, "first frame");
  return { ice: ice - negotiated, dtls: dtls - ice, frame: frame - dtls, total: frame - click };
}

function spread(figures: number[]): string {
  const sorted = figures.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!.toFixed(1);
  return `${at(0.5)} (${at(0.9)})`;
}

function rows(calls: Taken[], bares: Bare[]): string[][] {
  const of = (figure: (call: Taken) => number) => spread(calls.map(figure));
  const floor = (figure: (call: Bare) => number) => spread(bares.map(figure));
  const none = "–";
  const trips = calls.map((call) => call.trips);
  return [
    ["microphone and camera opened", of(({ devices }) => devices), none, none],
    ["join asked and answered: 1 round trip", of(({ join }) => join), none, none],
    ["offer made", of(({ offerMade }) => offerMade), none, none],
    ["offer said, answer heard: 1 round trip", of(({ offerToAnswer }) => offerToAnswer), none, none],
    ["… of it the answer made", none, of(({ answerMade }) => answerMade), none],
    ["negotiated altogether", of((call) => call.join + call.offerMade + call.offerToAnswer), none, floor(({ negotiated }) => negotiated)],
    ["… of it the server and the sockets", of((call) => call.join + call.offerToAnswer - call.answerMade), none, none],
    ["ICE", of(({ answering }) => answering.ice), of(({ calling }) => calling.ice), floor(({ ice, negotiated }) => ice - negotiated)],
    ["DTLS", of(({ answering }) => answering.dtls), of(({ calling }) => calling.dtls), floor(({ dtls, ice }) => dtls - ice)],
    ["first picture decoded", of(({ answering }) => answering.frame), of(({ calling }) => calling.frame), floor(({ frame, dtls }) => frame - dtls)],
    ["click to first picture", of(({ answering }) => answering.total), of(({ calling }) => calling.total), floor(({ frame }) => frame)],
    ["a command said and answered by the server", spread(calls.flatMap(({ sockets }) => sockets)), none, none],
    ["round trips waited for: most in any call", String(Math.max(...trips)), none, none],
  ];
}

async function run(server: Server, browser: Awaited<ReturnType<typeof openBrowser>>): Promise<void> {
  const load = loadAverage();
  const [ann, bob] = await pair(browser, server.url, "Frame");
  for (const caller of [ann, bob]) {
    // As large as somebody's who has chosen nothing.
    await caller.page.evaluate(() => localStorage.setItem("secureconnect.calls", "{}"));
    await record(caller);
  }
  await ann.person.open(bob.person.name);
  const calls: Taken[] = [];
  const bares: Bare[] = [];
  for (let call = 0; call < Number(values.calls); call += 1) {
    calls.push(await measure(ann, bob));
    bares.push(await bare(bob));
  }
  const section = { heading: "First picture after an answer", method: `${METHOD} ${calls.length} calls.`, load, headings: HEADINGS, rows: rows(calls, bares) };
  console.log(table(section.headings, section.rows));
  write(values.document, section);
}

const [server, browser] = await Promise.all([Server.start(), openBrowser(CALL_ARGUMENTS.map((argument) => argument.replace("fps=10", "fps=30")))]);
try {
  await run(server, browser);
} finally {
  await browser.close();
  await server.end();
}
