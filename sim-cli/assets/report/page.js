// The page as a whole: its plots, dark and light, paper.
const plots = [...document.querySelectorAll("[data-figure]")].map((figure) => new Plot(figure, figures[figure.id]));
const rebuild = () => plots.forEach((plot) => plot.build());

for (const box of document.querySelectorAll(".ranges")) {
  const link = linkOf("time");
  link.watchers.push(watchRanges(box, figures.heat.views));
}
if (links.has("time")) {
  const status = el("p", "zoom-row");
  const all = Object.assign(el("button", "", "Show all of it"), { type: "button" });
  all.addEventListener("click", () => zoom(links.get("time"), null));
  const words = el("span", "", "");
  status.append(words, all);
  const tell = (range) => {
    words.textContent = range ? `In view: ${duration(range[0] * 1e9)} to ${duration(range[1] * 1e9)}. ` : "Drag over a plot to zoom into all of them; the names switch lines on and off.";
    all.hidden = !range;
  };
  tell(null);
  links.get("time").watchers.push(tell);
  links.get("time").plots[0].figure.before(status);
}

// Dark and light: the system's choice, until the button is pressed.
const dark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
const toggle = Object.assign(el("button", "theme"), { type: "button" });
const name = () => (toggle.textContent = isDark() ? "Light" : "Dark");
toggle.addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  name();
  rebuild();
});
dark.addEventListener("change", () => (name(), rebuild()));
name();
document.querySelector("nav").append(toggle);

// On paper: black on white, every section open, plots as wide as the sheet.
let before = null;
addEventListener("beforeprint", () => {
  if (before) return;
  before = { theme: root.dataset.theme, opened: [...document.querySelectorAll("details:not(.data):not([open])")] };
  for (const details of before.opened) details.open = true;
  root.dataset.theme = "light";
  root.classList.add("paper");
  rebuild();
});
addEventListener("afterprint", () => {
  if (!before) return;
  for (const details of before.opened) details.open = false;
  if (before.theme) root.dataset.theme = before.theme;
  else delete root.dataset.theme;
  root.classList.remove("paper");
  before = null;
  rebuild();
});
