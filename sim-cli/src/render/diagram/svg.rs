//! As SVG, dark or light as the reader's system is, with a title and a description for those who listen to it.
//!
//! Layers stand from left to right. An arrow leaves its box at a place of its own and enters the other at one of its
//! own, on a straight last stretch that carries its label; the room that labels take decides how far boxes stand
//! apart, so none lies upon another. An arrow over several layers passes a free place in each.

use super::layout::layers;
use super::short;
use crate::text::{clean, width};
use sim_models::diagram::{Diagram, Link, Node, NodeKind};
use std::fmt::Write;

const MARGIN: usize = 24;
const TITLE: usize = 34;
/// A letter's width at most, and a line's height, of texts in boxes and of names.
const LETTER: usize = 7;
const NAME_LETTER: usize = 9;
const LINE: usize = 17;
/// The same of labels.
const LABEL_LETTER: usize = 6;
const LABEL_LINE: usize = 14;
const PADDING: usize = 12;
/// Between boxes of one layer, and between a layer and the longest label before the next.
const GAP: usize = 26;
const CURVE: usize = 70;
/// How far an arrow that leads back reaches beyond its box.
const BACK: usize = 30;

const CSS: &str = "\
text{font-family:system-ui,sans-serif;fill:#1d2430}\
.title{font-size:17px;font-weight:600}.name{font-size:15px;font-weight:600}.fact{font-size:12px}\
.label{font-size:11px;fill:#4a5568}.fault{fill:#b42318;font-weight:600}.note{font-size:12px;fill:#4a5568}\
.page{fill:#ffffff}.box{fill:#f3f6fb;stroke:#51607a;stroke-width:1.4}.users{fill:#e8f4ec;stroke:#3c7a52}\
.router{fill:#f4eefb;stroke:#6b4fa0}.store{fill:#fbf3e4;stroke:#94701f}.struck{stroke:#b42318;stroke-width:2.4}\
.arrow{fill:none;stroke:#51607a;stroke-width:1.5}.later{stroke-dasharray:6 5}.arrow.hit{stroke:#b42318}\
.head{fill:#51607a}\
@media (prefers-color-scheme:dark){text{fill:#e6eaf2}.label,.note{fill:#aab4c5}.fault{fill:#ff8a7a}\
.page{fill:#12161d}.box{fill:#1d2430;stroke:#8fa0bd}.users{fill:#17291e;stroke:#6fbf8b}\
.router{fill:#251d35;stroke:#a98be0}.store{fill:#2d2512;stroke:#d3aa4e}.struck{stroke:#ff8a7a}\
.arrow{stroke:#8fa0bd}.arrow.hit{stroke:#ff8a7a}.head{fill:#8fa0bd}}";

/// Lines of text, and whether each is of a fault.
type Lines = Vec<(String, bool)>;

/// A box where it stands.
#[derive(Clone, Debug, Default)]
struct Placed {
    x: usize,
    y: usize,
    width: usize,
    height: usize,
}

/// The document.
pub fn svg(title: &str, diagram: &Diagram) -> String {
    let style = format!("<style>{CSS}</style>\n");
    document(title, diagram, " xmlns=\"http://www.w3.org/2000/svg\"", &style)
}

/// The same within a page, which knows what SVG is and says by itself how it looks.
pub fn svg_in_page(title: &str, diagram: &Diagram) -> String {
    document(title, diagram, "", "")
}

fn document(title: &str, diagram: &Diagram, namespace: &str, style: &str) -> String {
    let routed = Routed::new(diagram);
    let picture = Picture::new(diagram, &routed);
    let mut out = String::new();
    let (wide, high) = (picture.width.max(width(title) * 10 + 2 * MARGIN), picture.height);
    let title = escaped(&clean(title));
    let _ = writeln!(
        out,
        "<svg{namespace} viewBox=\"0 0 {wide} {high}\" width=\"{wide}\" height=\"{high}\" \
         role=\"img\" aria-labelledby=\"brownout-title brownout-description\">\n\
         <title id=\"brownout-title\">{title}</title>\n\
         <desc id=\"brownout-description\">{}</desc>\n{style}\
         <defs><marker id=\"brownout-head\" viewBox=\"0 0 8 8\" refX=\"7.5\" refY=\"4\" markerWidth=\"8\" \
         markerHeight=\"8\" orient=\"auto\"><path class=\"head\" d=\"M0 0 8 4 0 8z\"/></marker></defs>\n\
         <rect class=\"page\" width=\"{wide}\" height=\"{high}\"/>\n\
         <text class=\"title\" x=\"{MARGIN}\" y=\"{}\">{title}</text>",
        escaped(&description(diagram)),
        MARGIN + 10,
    );
    picture.arrows(diagram, &routed, &mut out);
    for (index, node) in diagram.nodes.iter().enumerate() {
        draw_box(node, &picture.boxes[index], &mut out);
    }
    for (number, note) in diagram.notes.iter().enumerate() {
        let y = picture.notes_at + number * LINE;
        let _ =
            writeln!(out, "<text class=\"note\" x=\"{MARGIN}\" y=\"{y}\">{}</text>", escaped(&clean(note)));
    }
    out + "</svg>\n"
}

/// The picture in sentences.
fn description(diagram: &Diagram) -> String {
    let list = |facts: &[String], faults: &[String]| {
        let faults = faults.iter().map(|fault| format!("fault: {fault}"));
        facts.iter().cloned().chain(faults).collect::<Vec<_>>().join(", ")
    };
    let mut said: Vec<String> = diagram
        .nodes
        .iter()
        .map(|node| format!("{}: {}.", node.name, list(&node.facts, &node.faults)))
        .collect();
    for link in &diagram.links {
        let (from, to) = (&diagram.nodes[link.from].name, &diagram.nodes[link.to].name);
        let (verb, facts) =
            (if link.later { "calls back" } else { "calls" }, list(&link.facts, &link.faults));
        said.push(if facts.is_empty() {
            format!("{from} {verb} {to}.")
        } else {
            format!("{from} {verb} {to}: {facts}.")
        });
    }
    said.extend(diagram.notes.iter().cloned());
    clean(&said.join(" "))
}

/// The diagram with a point in every layer that an arrow only passes.
struct Routed {
    /// Boxes, then points.
    all: Diagram,
    layers: Vec<Vec<usize>>,
    /// For every link that does not come later, the boxes and points on its way.
    ways: Vec<Vec<usize>>,
}

impl Routed {
    fn new(diagram: &Diagram) -> Self {
        let first = layers(diagram);
        let mut layer_of = vec![0; diagram.nodes.len()];
        for (number, layer) in first.iter().enumerate() {
            layer.iter().for_each(|&node| layer_of[node] = number);
        }
        let mut all = Diagram { nodes: diagram.nodes.clone(), ..Diagram::default() };
        let mut ways = Vec::new();
        for link in &diagram.links {
            let mut way = vec![link.from];
            if !link.later && layer_of[link.from] < layer_of[link.to] {
                for _ in layer_of[link.from] + 1..layer_of[link.to] {
                    way.push(all.nodes.len());
                    all.nodes.push(Node::default());
                }
                way.push(link.to);
                all.links.extend(way.windows(2).map(|step| Link {
                    from: step[0],
                    to: step[1],
                    ..Link::default()
                }));
            }
            ways.push(way);
        }
        let layers = layers(&all);
        Routed { all, layers, ways }
    }
}

struct Picture {
    /// Of boxes and points.
    boxes: Vec<Placed>,
    width: usize,
    height: usize,
    /// Where arrows that lead back run.
    bottom: usize,
    notes_at: usize,
}

impl Picture {
    fn new(diagram: &Diagram, routed: &Routed) -> Self {
        let mut boxes: Vec<Placed> = routed.all.nodes.iter().map(size).collect();
        boxes[diagram.nodes.len()..].iter_mut().for_each(|point| *point = Placed::default());
        // The room of a box is that of its arrows' labels, if they need more.
        let mut room: Vec<usize> = boxes.iter().map(|placed| placed.height).collect();
        let mut label_width = vec![0; routed.layers.len()];
        for (number, layer) in routed.layers.iter().enumerate() {
            for &node in layer {
                let entering = entering(diagram, routed, node);
                let high: usize = entering.iter().map(|&link| port_height(&diagram.links[link])).sum();
                let leaving = routed.ways.iter().filter(|way| way.len() > 1 && way[0] == node).count();
                room[node] = room[node].max(high).max(leaving * 12);
                let longest = entering.iter().map(|&link| label_columns(&diagram.links[link]) * LABEL_LETTER);
                label_width[number] = longest.max().unwrap_or(0).max(label_width[number]);
            }
        }
        let total = |layer: &Vec<usize>| layer.iter().map(|&node| room[node] + GAP).sum::<usize>();
        let highest = routed.layers.iter().map(total).max().unwrap_or(0);
        let mut x = MARGIN;
        for (number, layer) in routed.layers.iter().enumerate() {
            if number > 0 {
                x += CURVE + label_width[number] + 16;
            }
            let widest = layer.iter().map(|&node| boxes[node].width).max().unwrap_or(0);
            let mut y = MARGIN + TITLE + (highest - total(layer)) / 2;
            for &node in layer {
                boxes[node].x = x;
                boxes[node].y = y + if node < diagram.nodes.len() { 0 } else { room[node] / 2 };
                boxes[node].height = if node < diagram.nodes.len() { room[node] } else { 0 };
                y += room[node] + GAP;
            }
            // Boxes of one layer are equally wide.
            for &node in layer.iter().filter(|&&node| node < diagram.nodes.len()) {
                boxes[node].width = widest;
            }
            x += widest;
        }
        let bottom = MARGIN + TITLE + highest;
        let later = if diagram.links.iter().any(|link| link.later) { 70 } else { 0 };
        let notes_at = bottom + later + LINE;
        let x = if later > 0 { x + BACK } else { x };
        let notes = diagram.notes.iter().map(|note| width(note) * LETTER).max().unwrap_or(0);
        let height = notes_at + diagram.notes.len() * LINE + MARGIN / 2;
        Picture { boxes, width: (x + MARGIN).max(notes + 2 * MARGIN), height, bottom, notes_at }
    }

    fn arrows(&self, diagram: &Diagram, routed: &Routed, out: &mut String) {
        for (index, link) in diagram.links.iter().enumerate() {
            let way = &routed.ways[index];
            let class = match (link.later, link.faults.is_empty()) {
                (true, _) => "arrow later",
                (false, true) => "arrow",
                (false, false) => "arrow hit",
            };
            let mut draw = |path: &str| {
                let _ = writeln!(
                    out,
                    "<path class=\"{class}\" d=\"{path}\" marker-end=\"url(#brownout-head)\"/>"
                );
            };
            if way.len() < 2 {
                draw(&self.back(link));
                let (from, to) = (&self.boxes[link.from], &self.boxes[link.to]);
                let x = (from.x + from.width / 2 + to.x + to.width / 2) / 2;
                self.label(&lines_of(link), x, self.bottom + 44, "middle", out);
                continue;
            }
            let (from, to) = (&self.boxes[link.from], &self.boxes[link.to]);
            let leaving: Vec<usize> = (0..routed.ways.len())
                .filter(|&other| routed.ways[other].len() > 1 && diagram.links[other].from == link.from)
                .collect();
            let turn = leaving.iter().position(|&other| other == index).expect("it leaves there");
            let y = from.y + from.height * (2 * turn + 1) / (2 * leaving.len());
            let mut path = format!("M{} {y}", from.x + from.width);
            let mut last = (from.x + from.width, y);
            for &point in &way[1..way.len() - 1] {
                let place = &self.boxes[point];
                curve(&mut path, last, (place.x, place.y));
                // Past the boxes of that layer.
                let beyond =
                    routed.layers.iter().find(|layer| layer.contains(&point)).expect("it has a layer");
                let right = beyond.iter().map(|&node| self.boxes[node].x + self.boxes[node].width).max();
                let right = right.unwrap_or(place.x);
                let _ = write!(path, "L{right} {}", place.y);
                last = (right, place.y);
            }
            let entering = entering(diagram, routed, link.to);
            let before: usize = entering
                .iter()
                .take_while(|&&other| other != index)
                .map(|&other| port_height(&diagram.links[other]))
                .sum();
            let all: usize = entering.iter().map(|&other| port_height(&diagram.links[other])).sum();
            let own = port_height(link);
            let top = (to.y + to.height / 2).saturating_sub(all / 2) + before;
            let lines = lines_of(link);
            // One arrow alone enters in the middle, its label above it.
            let port = if entering.len() == 1 { to.y + to.height / 2 } else { top + own - 6 };
            let begins = to.x - label_columns(link) * LABEL_LETTER - 16;
            curve(&mut path, last, (begins, port));
            let _ = write!(path, "L{} {port}", to.x - 1);
            draw(&path);
            self.label(&lines, begins + 4, port - 5, "start", out);
        }
    }

    /// From the right of one box, below everything, to the bottom of another.
    fn back(&self, link: &Link) -> String {
        let (from, to) = (&self.boxes[link.from], &self.boxes[link.to]);
        let (x, y) = (from.x + from.width, from.y + from.height / 2);
        let (up, low) = (to.x + to.width / 2, self.bottom + 50);
        let right = x + BACK - 16;
        format!(
            "M{x} {y}H{right}q16 0 16 16V{}q0 16 -16 16H{}q-16 0 -16 -16V{}",
            low - 16,
            up + 16,
            to.y + to.height + 1
        )
    }

    /// Lines of which the last stands at `y`.
    fn label(&self, lines: &Lines, x: usize, y: usize, anchor: &str, out: &mut String) {
        for (number, (line, fault)) in lines.iter().enumerate() {
            let class = if *fault { "label fault" } else { "label" };
            let y = y - (lines.len() - 1 - number) * LABEL_LINE;
            let _ = writeln!(
                out,
                "<text class=\"{class}\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{}</text>",
                escaped(line)
            );
        }
    }
}

/// The links that enter a box, from top to bottom by where they come from.
fn entering(diagram: &Diagram, routed: &Routed, node: usize) -> Vec<usize> {
    let mut links: Vec<usize> = (0..diagram.links.len())
        .filter(|&link| routed.ways[link].len() > 1 && diagram.links[link].to == node)
        .collect();
    links.sort_by_key(|&link| {
        let before = routed.ways[link][routed.ways[link].len() - 2];
        routed.layers.iter().find_map(|layer| layer.iter().position(|&other| other == before))
    });
    links
}

fn curve(path: &mut String, from: (usize, usize), to: (usize, usize)) {
    let middle = (from.0 + to.0) / 2;
    let _ = write!(path, "C{middle} {} {middle} {} {} {}", from.1, to.1, to.0, to.1);
}

fn lines_of(link: &Link) -> Lines {
    let name = (!link.name.contains("->") && !link.name.is_empty()).then(|| (clean(&link.name), false));
    let facts = link.facts.iter().map(|fact| (short(fact), false));
    let faults = link.faults.iter().map(|fault| (short(fault), true));
    name.into_iter().chain(facts).chain(faults).collect()
}

fn label_columns(link: &Link) -> usize {
    lines_of(link).iter().map(|(line, _)| width(line)).max().unwrap_or(0)
}

fn port_height(link: &Link) -> usize {
    lines_of(link).len() * LABEL_LINE + 12
}

fn lines_in(node: &Node) -> Lines {
    let facts = node.facts.iter().map(|fact| (short(fact), false));
    facts.chain(node.faults.iter().map(|fault| (short(fault), true))).collect()
}

fn size(node: &Node) -> Placed {
    let lines = lines_in(node);
    let longest = lines.iter().map(|(line, _)| width(line) * LETTER).max().unwrap_or(0);
    let wide = longest.max(width(&clean(&node.name)) * NAME_LETTER).max(70);
    Placed { width: wide + 2 * PADDING, height: 20 + lines.len() * LINE + PADDING, ..Placed::default() }
}

fn draw_box(node: &Node, placed: &Placed, out: &mut String) {
    let (kind, round) = match node.kind {
        NodeKind::Users => (" users", 18),
        NodeKind::Service => ("", 6),
        NodeKind::Router => (" router", 2),
        NodeKind::Store => (" store", 12),
    };
    let struck = if node.faults.is_empty() { "" } else { " struck" };
    let Placed { x, y, width, height } = placed;
    let _ = writeln!(
        out,
        "<rect class=\"box{kind}{struck}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{round}\"/>\n\
         <text class=\"name\" x=\"{}\" y=\"{}\">{}</text>",
        x + PADDING,
        y + 20,
        escaped(&clean(&node.name)),
    );
    for (number, (line, fault)) in lines_in(node).iter().enumerate() {
        let class = if *fault { "fact fault" } else { "fact" };
        let y = y + 20 + (number + 1) * LINE;
        let _ =
            writeln!(out, "<text class=\"{class}\" x=\"{}\" y=\"{y}\">{}</text>", x + PADDING, escaped(line));
    }
}

/// Text for XML; what a terminal must not see has been spelled out before.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
