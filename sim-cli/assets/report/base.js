// The page's one script turns the data block into linked plots that work with mouse, finger and keyboard, and
// says in words what they show. Everything from the data reaches the page through textContent. These files are one
// script, in the order in which html/script.rs names them; here is what all others stand on.
const { figures, backdrop } = JSON.parse(document.getElementById("data").textContent);
const root = document.documentElement;
const live = document.getElementById("live");
root.classList.add("js");

/** Gives a class the methods of another: what a plot can do stands in a file for each. */
const add = (into, { prototype }) => {
  for (const name of Object.getOwnPropertyNames(prototype)) {
    if (name !== "constructor") Object.defineProperty(into.prototype, name, Object.getOwnPropertyDescriptor(prototype, name));
  }
};

/** An element with a class and children; strings become text. */
const el = (tag, className, ...children) => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
};
const svg = (tag, attributes, ...children) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const name in attributes) node.setAttribute(name, attributes[name]);
  node.append(...children);
  return node;
};
const finite = (x) => x !== null && x !== undefined && Number.isFinite(x);
const clamp = (x, low, high) => Math.min(Math.max(x, low), high);

/** What a colour of the style sheet comes to now, dark or light. */
const probe = el("i", "sr");
document.body.append(probe);
const colour = (name) => {
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
};
const INKS = 8;
const DASHES = [[], [7, 3], [2, 2], [9, 3, 2, 3], [4, 4], [12, 4], [1, 3], [6, 2, 2, 2, 2, 2]];
const inkOf = (line) => colour(`ink-${line.ink[0] % INKS}`);
// A second round of colours meets other dashes.
const dashOf = ({ style, ink: [, n] }) => (style === "exact" ? [2, 4] : style === "points" && n < INKS ? [] : DASHES[(n + 3 * Math.floor(n / INKS)) % DASHES.length]);

/** Marks without a line between them, each another shape, drawn around its middle; those in OPEN are outlines. */
const MARKS = {
  discs: "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
  rings: "M-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0z",
  squares: "M-4-4h8v8h-8z",
  diamonds: "M0-5l5 5l-5 5l-5-5z",
  triangles: "M0-5l5 8.5h-10z",
  crosses: "M-2.5-2.5l5 5M-2.5 2.5l5-5",
};
const OPEN = ["rings", "crosses"];
/** Lines of one picture have marks along them, too, and their names at their ends: colour alone tells eight of them apart, and not to everybody. */
const SHAPES = ["discs", "squares", "triangles", "diamonds", "crosses", "rings"];
const isDrawn = (line) => !MARKS[line.style] && line.style !== "exact" && !line.halo;
const shapeOf = (line) => SHAPES[line.ink[1] % SHAPES.length];
/** Pixels between the marks along a line, and the fewest lines that need them. */
const [APART, SEVERAL] = [110, 2];
/** The most lines that are named at their ends, the width from which on there is room for that, and letters of a name. */
const [NAMED, WIDE, LETTERS] = [12, 560, 22];
/** Names short enough for the ends of lines, of which no two that differ become the same: a first word that all have is left out, then what is in the middle. */
const ends = (full) => {
  const word = full[0]?.slice(0, full[0].indexOf(" ") + 1);
  const names = full.length > 1 && word && full.every((name) => name.startsWith(word)) ? full.map((name) => name.slice(word.length)) : full;
  const cut = (name, head) => (name.length <= LETTERS ? name : `${name.slice(0, head)}…${name.slice(head + 1 - LETTERS)}`);
  const alike = (all) => names.some((name, n) => names.some((other, m) => other !== name && all[m] === all[n]));
  const tries = [11, 4, 17].map((head) => names.map((name) => cut(name, head)));
  return tries.find((all) => !alike(all)) ?? names.map((name, n) => (name.length <= LETTERS ? name : `${n + 1}. ${cut(name, 7).slice(0, LETTERS - 4)}`));
};
