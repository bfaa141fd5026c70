// What linked figures share.
const links = new Map();
/** Figures of one name: one cursor, one range, one choice of lines. */
const linkOf = (name) => {
  if (!links.has(name)) links.set(name, { name, plots: [], range: null, hidden: new Set(), watchers: [] });
  return links.get(name);
};
const zoom = (link, range) => {
  link.range = range;
  for (const plot of link.plots) plot.showRange();
  for (const watch of link.watchers) watch(range);
};
