// Icons as line drawings in a 24 by 24 box; they take the text's colour. Each is decoration: the control around it has a label.

const PATHS = {
  admit: "M10 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM3.500 20a6.500 6.500 0 0 1 11-4.700M15 18l2.200 2.200L21.500 15.500",
  back: "M15 5l-7 7 7 7",
  camera: "M4 6.500h9.500A1.500 1.500 0 0 1 15 8v8a1.500 1.500 0 0 1-1.500 1.500H4A1.500 1.500 0 0 1 2.500 16V8A1.500 1.500 0 0 1 4 6.500zM15 11l6.500-3.500v9L15 13",
  cameraOff: "M3 3l18 18M7 6.500h6.500A1.500 1.500 0 0 1 15 8v6.500M15 11l6.500-3.500v9L17 14M14 17.400a1.500 1.500 0 0 1-.5.100H4A1.500 1.500 0 0 1 2.500 16V8c0-.6.300-1 .8-1.300",
  chat: "M4 6.5A2.5 2.5 0 0 1 6.5 4h11A2.5 2.5 0 0 1 20 6.5v7a2.5 2.5 0 0 1-2.5 2.5H10l-5 4v-4.2a2.5 2.5 0 0 1-1-2.3z",
  close: "M6 6l12 12M18 6L6 18",
  compass: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM15.5 8.5l-2 5-5 2 2-5z",
  copy: "M9 9h10v11H9zM15 9V4H5v11h4",
  down: "M12 5v14M6 13l6 6 6-6",
  edit: "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
  grid: "M4 4.500h7v6.500H4zM13 4.500h7v6.500h-7zM4 13h7v6.500H4zM13 13h7v6.500h-7z",
  group: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20a6.5 6.5 0 0 1 13 0M16 4.4a3.5 3.5 0 0 1 0 6.3M18 14.2a6.5 6.5 0 0 1 3.5 5.8",
  hand: "M7 12.500V6.200a1.400 1.400 0 0 1 2.800 0v5M9.800 11V4.400a1.400 1.400 0 0 1 2.800 0V11M12.600 11V5.200a1.400 1.400 0 0 1 2.800 0v6.300M15.400 12V8a1.400 1.400 0 0 1 2.800 0v6c0 4-2.500 7-6 7s-4.800-1.800-6.400-4.600L4 13.200c-.9-1.800 1.300-3 2.400-1.600l1.600 2",
  hangUp: "M3 15.300c-.8-1-.8-2.500.2-3.400C5.500 9.900 8.600 8.800 12 8.800s6.500 1.100 8.800 3.100c1 .9 1 2.400.2 3.400l-.7.800c-.5.600-1.400.7-2.100.3l-2.300-1.300a1.500 1.500 0 0 1-.7-1.700l.2-.9a13 13 0 0 0-5.200 0l.2.9c.2.7-.1 1.400-.7 1.700l-2.300 1.300c-.7.400-1.600.300-2.100-.3z",
  info: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5M12 8v.01",
  leave: "M14 4h4a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2h-4M10 8l-4 4 4 4M6 12h9",
  megaphone: "M4 10v4l3 .5V9.500zM7 9.500L18 5v14l-11-4.500M8.500 15l1 5h3l-1-3.800",
  microphone: "M12 14.500a3 3 0 0 0 3-3v-5a3 3 0 0 0-6 0v5a3 3 0 0 0 3 3zM5.500 11.500a6.500 6.500 0 0 0 13 0M12 18v3",
  microphoneOff: "M3 3l18 18M9 9v2.500a3 3 0 0 0 4.500 2.600M15 11.500v-5a3 3 0 0 0-5.700-1.300M5.500 11.500a6.500 6.500 0 0 0 10.200 5.300M18.500 11.500c0 1-.2 1.900-.6 2.700M12 18v3",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.500 20.500a7.500 7.500 0 0 1 15 0",
  phone: "M6.500 3.500h2.600c.5 0 1 .4 1.100.9l.8 3.300c.1.500 0 .9-.4 1.200L8.800 10.300a13.500 13.500 0 0 0 5 5l1.400-1.800c.300-.4.7-.5 1.200-.4l3.200.8c.5.100.9.600.9 1.100v2.500a2.500 2.500 0 0 1-2.700 2.500A16 16 0 0 1 4 6.200a2.500 2.500 0 0 1 2.500-2.700z",
  plus: "M12 5v14M5 12h14",
  reply: "M10 6l-6 6 6 6M4 12h9a7 7 0 0 1 7 6.500",
  screen: "M3 5h18v11.500H3zM8.500 20h7M12 16.500V20M12 13.500v-5M9.500 10.700L12 8.200l2.500 2.500",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l4.500 4.500",
  send: "M4 12l16-8-5 16-3.500-6.500zM11.500 13.500L20 4",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 9.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zM9 19.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z",
  shrink: "M20 4l-6.500 6.500M13.500 5v5.500H19M4 20l6.500-6.500M10.500 19v-5.500H5",
  signal: "M5 19v-4M10 19v-7.500M15 19V8M20 19V4.500",
  speaker: "M3.500 4.500h17v10h-17zM3.500 17.500h4.700v3H3.500zM9.700 17.500h4.700v3H9.700zM15.800 17.500h4.700v3h-4.700z",
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
