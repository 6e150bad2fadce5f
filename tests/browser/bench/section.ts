// A section of the performance document, written as the other bench writes its own (`bench/src/report.rs`): what it measures takes the
// place of what it measured before, and the rest stays as it is.
import { readFileSync, writeFileSync } from "node:fs";
import os from "node:os";

export interface Section {
  heading: string;
  /** How it was measured. */
  method: string;
  /** The machine's load before it began. */
  load: string;
  headings: string[];
  rows: string[][];
}

export function write(document: string, section: Section): void {
  writeFileSync(document, putInto(readFileSync(document, "utf8"), section));
}

export function table(headings: string[], rows: string[][]): string {
  const widths = headings.map((_, column) => Math.max(...[headings, ...rows].map((row) => row[column]!.length)));
  const line = (row: string[]) => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |\n`;
  return line(headings) + `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|\n` + rows.map(line).join("");
}

/** How much else the machine is doing. */
export function loadAverage(): string {
  const load = os.loadavg();
  const shared = load[0]! >= 1 ? "; the machine was shared with other work" : "";
  return `${load.map((figure) => figure.toFixed(2)).join(", ")} (1, 5 and 15 minutes)${shared}.`;
}

function putInto(document: string, { heading, method, load, headings, rows }: Section): string {
  const head = `## ${heading}\n`;
  const at = document.indexOf(head);
  const before = at < 0 ? document : document.slice(0, at);
  const rest = at < 0 ? "" : document.slice(at + head.length);
  const next = rest.indexOf("\n## ");
  const after = next < 0 ? "" : rest.slice(next);
  return `${before.trimEnd()}\n\n${head}\n${machine()}\nLoad average before the measurement: ${load}\n\n${method}\n\n${table(headings, rows)}${after}`;
}

function machine(): string {
  const cpus = os.cpus();
  return `Machine: ${cpus.length} cores of ${cpus[0]?.model ?? "unknown"}, ${Math.floor(os.totalmem() / 2 ** 30)} GiB, Linux ${os.release()}, loopback.`;
}
