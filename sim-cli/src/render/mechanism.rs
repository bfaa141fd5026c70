//! Pages of mechanisms, and the list of them.

use super::json;
use super::reference;
use crate::result::mechanism::{FORMAT, Head, Mechanisms, Page};
use crate::text::table::csv_line;
use crate::text::{Paint, Style, first_sentence, pad, wrap};
use sim_models::mechanism::Mechanism;

/// Where what is said begins.
const COLUMN: usize = 16;

/// One page for people; `program` is what the tool is called.
pub fn page(mechanism: &Mechanism, program: &str, style: Style) -> String {
    let page = mechanism.page;
    let place = match page.word {
        "" => mechanism.path.clone(),
        word => format!("{}: {word}", mechanism.path),
    };
    let mut lines = vec![format!("{}  {place}", style.paint(Paint::Strong, page.name)), String::new()];
    let does = mechanism.does.told().map(|(_, said)| said).collect::<Vec<_>>().join(" ");
    let does = if does.is_empty() { "Nothing by itself." } else { &does };
    for (head, said) in [
        ("what it does", page.what),
        ("when it hurts", page.hurts),
        ("how much", page.formula),
        ("it may do", does),
        ("source", page.source),
        ("try it", &format!("{program} compare {}", page.experiment)),
    ] {
        for (number, line) in wrap(said, style.columns() - COLUMN).into_iter().enumerate() {
            lines.push(format!("{}{line}", pad(if number == 0 { head } else { "" }, COLUMN)));
        }
    }
    lines.push(String::new());
    let mut text = lines.join("\n") + "\n" + &reference::field(&mechanism.setting, style);
    let types = types(mechanism);
    if !types.is_empty() {
        text += "\n";
        text += &reference::text(&types, style);
    }
    text
}

/// The types that a setting is made of, the plain ones left out.
fn types(mechanism: &Mechanism) -> Vec<sim_models::experiment::TypeDoc> {
    reference::types(mechanism.settings()).into_iter().filter(reference::is_composite).collect()
}

/// One page for programs.
pub fn page_json(mechanism: &Mechanism) -> String {
    json(&Page::of(mechanism, types(mechanism).iter().map(Into::into).collect()))
}

/// All of them for people, by where they are set.
pub fn list(mechanisms: &[Mechanism], program: &str, style: Style) -> String {
    let mut lines = Vec::new();
    let column = 4 + mechanisms.iter().map(|it| it.page.name.len()).max().unwrap_or(0);
    let mut place = "";
    for mechanism in mechanisms {
        let here = mechanism.path.split('.').next().unwrap_or_default();
        if here != place {
            if !place.is_empty() {
                lines.push(String::new());
            }
            lines.push(style.paint(Paint::Strong, here));
            place = here;
        }
        let said = wrap(first_sentence(mechanism.page.what), style.columns() - column);
        for (number, line) in said.into_iter().enumerate() {
            let name = if number == 0 { format!("  {}", mechanism.page.name) } else { String::new() };
            lines.push(format!("{}{line}", pad(&name, column)));
        }
    }
    lines.push(format!("\n`{program} explain --mechanism NAME` is the page of one"));
    lines.join("\n") + "\n"
}

/// The list for programs.
pub fn list_json(mechanisms: &[Mechanism]) -> String {
    json(&Mechanisms { format: FORMAT, mechanisms: mechanisms.iter().map(Head::from).collect() })
}

/// The list for spreadsheets.
pub fn list_csv(mechanisms: &[Mechanism]) -> String {
    let line = |it: &Mechanism| csv_line([it.page.name, &it.path, it.page.what, it.page.experiment]);
    csv_line(["mechanism", "path", "what", "experiment"]) + &mechanisms.iter().map(line).collect::<String>()
}
