// Icons as line drawings in a 24 by 24 box; they take the text's colour. Each is decoration: the control around it has a label.

const PATHS = {
  back: "M15 5l-7 7 7 7",
  chat: "M4 6.5A2.5 2.5 0 0 1 6.5 4h11A2.5 2.5 0 0 1 20 6.5v7a2.5 2.5 0 0 1-2.5 2.5H10l-5 4v-4.2a2.5 2.5 0 0 1-1-2.3z",
  close: "M6 6l12 12M18 6L6 18",
  compass: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM15.5 8.5l-2 5-5 2 2-5z",
  copy: "M9 9h10v11H9zM15 9V4H5v11h4",
  down: "M12 5v14M6 13l6 6 6-6",
  edit: "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
  group: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20a6.5 6.5 0 0 1 13 0M16 4.4a3.5 3.5 0 0 1 0 6.3M18 14.2a6.5 6.5 0 0 1 3.5 5.8",
  info: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5M12 8v.01",
  leave: "M14 4h4a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2h-4M10 8l-4 4 4 4M6 12h9",
  megaphone: "M4 10v4l3 .5V9.500zM7 9.500L18 5v14l-11-4.500M8.500 15l1 5h3l-1-3.800",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.500 20.500a7.500 7.500 0 0 1 15 0",
  plus: "M12 5v14M5 12h14",
  reply: "M10 6l-6 6 6 6M4 12h9a7 7 0 0 1 7 6.500",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l4.500 4.500",
  send: "M4 12l16-8-5 16-3.500-6.500zM11.500 13.500L20 4",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 9.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zM9 19.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10.500 11v5.500M13.500 11v5.500",
  warning: "M12 4L2.500 20h19zM12 10v5M12 17.500v.01",
  wifi: "M3 3l18 18M8.500 16.500a5 5 0 0 1 7 0M5.500 13a9.500 9.500 0 0 1 4-2.300M2.500 9.500a14 14 0 0 1 4.500-2.900M14.500 10.700a9.500 9.500 0 0 1 4 2.300M11 5.600a14 14 0 0 1 10.500 3.900M12 20v.01",
} as const;

export type IconName = keyof typeof PATHS;

export function icon(name: IconName): SVGSVGElement {
  return draw("icon", "0 0 24 24", PATHS[name]);
}

const TICKS = {
  pending: "M8 4.500V8l2.200 1.500M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0z",
  sent: "M3 8.500l3.200 3.200L13 4.800",
  delivered: "M1.500 8.500l3.200 3.200L11.500 4.800M8 11l.8.700L15.600 4.800",
} as const;

/** How far an own message has come. */
export function ticks(state: "pending" | "sent" | "delivered" | "read"): SVGSVGElement {
  const svg = draw("icon ticks", "0 0 17 16", TICKS[state === "read" ? "delivered" : state]);
  svg.classList.add(state);
  return svg;
}

function draw(className: string, viewBox: string, path: string): SVGSVGElement {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("class", className);
  svg.setAttribute("viewBox", viewBox);
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(space, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}
