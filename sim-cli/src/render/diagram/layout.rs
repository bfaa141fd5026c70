//! Where the boxes of a layered picture stand, from left to right.
//!
//! A box stands one layer behind the last of those that lead to it (longest path); arrows that come later may lead
//! back and do not count. Within a layer boxes are ordered by the mean place of their neighbours (barycentre),
//! layer by layer there and back a few times, and of all orders seen the one with the fewest crossings is kept.

use sim_models::diagram::Diagram;

/// Times there and back.
const SWEEPS: usize = 8;

/// Boxes by layer, from top to bottom.
pub fn layers(diagram: &Diagram) -> Vec<Vec<usize>> {
    let depth = depths(diagram);
    let mut layers = vec![Vec::new(); depth.iter().max().map_or(0, |most| most + 1)];
    for (node, &depth) in depth.iter().enumerate() {
        layers[depth].push(node);
    }
    let mut best = (crossings(diagram, &layers), layers.clone());
    for sweep in 0..SWEEPS {
        let forwards = sweep % 2 == 0;
        let count = layers.len();
        for step in 1..count {
            let layer = if forwards { step } else { count - 1 - step };
            let beside = if forwards { layer - 1 } else { layer + 1 };
            order(diagram, &mut layers, layer, beside);
        }
        let crossed = crossings(diagram, &layers);
        if crossed < best.0 {
            best = (crossed, layers.clone());
        }
    }
    best.1
}

/// Of every box the longest way to it.
fn depths(diagram: &Diagram) -> Vec<usize> {
    let count = diagram.nodes.len();
    let mut depth = vec![0; count];
    // A way without a cycle is no longer than there are boxes; a cycle ends here all the same.
    for _ in 0..count {
        let mut moved = false;
        for link in diagram.links.iter().filter(|link| !link.later && link.from != link.to) {
            if depth[link.to] <= depth[link.from] && depth[link.from] + 1 < count {
                depth[link.to] = depth[link.from] + 1;
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    depth
}

fn order(diagram: &Diagram, layers: &mut [Vec<usize>], layer: usize, beside: usize) {
    let place = places(diagram.nodes.len(), layers);
    let neighbours = |node: usize| {
        diagram.links.iter().filter_map(move |link| match () {
            () if link.from == node => Some(link.to),
            () if link.to == node => Some(link.from),
            () => None,
        })
    };
    let centre = |&node: &usize| {
        let near: Vec<usize> = neighbours(node)
            .filter(|other| layers[beside].contains(other))
            .map(|other| place[other])
            .collect();
        // In thousandths of a place; a box without neighbours stays.
        if near.is_empty() { place[node] * 1_000 } else { near.iter().sum::<usize>() * 1_000 / near.len() }
    };
    let mut ordered = layers[layer].clone();
    ordered.sort_by_key(centre);
    layers[layer] = ordered;
}

fn places(count: usize, layers: &[Vec<usize>]) -> Vec<usize> {
    let mut place = vec![0; count];
    for layer in layers {
        for (index, &node) in layer.iter().enumerate() {
            place[node] = index;
        }
    }
    place
}

/// How often arrows between the same two layers cross.
fn crossings(diagram: &Diagram, layers: &[Vec<usize>]) -> usize {
    let place = places(diagram.nodes.len(), layers);
    let mut layer_of = vec![0; diagram.nodes.len()];
    for (number, layer) in layers.iter().enumerate() {
        layer.iter().for_each(|&node| layer_of[node] = number);
    }
    let links: Vec<_> = diagram.links.iter().filter(|link| !link.later).collect();
    let mut crossed = 0;
    for (number, one) in links.iter().enumerate() {
        for other in &links[number + 1..] {
            let same = layer_of[one.from] == layer_of[other.from] && layer_of[one.to] == layer_of[other.to];
            let from = place[one.from].cmp(&place[other.from]);
            let to = place[one.to].cmp(&place[other.to]);
            crossed += usize::from(same && from == to.reverse() && from.is_ne());
        }
    }
    crossed
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_models::diagram::{Link, Node};

    fn diagram(nodes: usize, links: &[(usize, usize)]) -> Diagram {
        let link = |&(from, to): &(usize, usize)| Link { from, to, ..Link::default() };
        Diagram {
            nodes: vec![Node::default(); nodes],
            links: links.iter().map(link).collect(),
            notes: Vec::new(),
        }
    }

    #[test]
    fn a_box_stands_behind_all_that_lead_to_it() {
        let layers = layers(&diagram(4, &[(0, 1), (1, 2), (0, 2), (2, 3), (0, 3)]));
        assert_eq!(layers, [[0], [1], [2], [3]]);
    }

    #[test]
    fn crossings_are_untangled() {
        let tangled = diagram(6, &[(0, 1), (0, 2), (1, 5), (2, 4), (1, 3)]);
        let found = layers(&tangled);
        assert_eq!(crossings(&tangled, &found), 0, "{found:?}");
    }

    #[test]
    fn what_leads_back_ends() {
        let mut round = diagram(3, &[(0, 1), (1, 2), (2, 1)]);
        assert_eq!(layers(&round).iter().map(Vec::len).sum::<usize>(), 3);
        round.links[2].later = true;
        assert_eq!(layers(&round), [[0], [1], [2]]);
        assert!(layers(&Diagram::default()).is_empty());
    }
}
