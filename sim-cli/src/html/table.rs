//! Tables for people, programs that read aloud, and paper.

use super::escape::text;

/// A table as it is built.
#[derive(Clone, Debug, Default)]
pub struct Table {
    caption: String,
    heads: Vec<(String, bool)>,
    rows: Vec<String>,
}

/// What is in a cell.
#[derive(Clone, Debug)]
pub struct Cell {
    html: String,
    class: &'static str,
}

impl Cell {
    /// A text with a colour or a shade: the class of one.
    pub fn classed(content: &str, class: &'static str) -> Cell {
        Cell { html: text(content), class }
    }

    /// A mark that stands for words: who hears the page hears the words.
    pub fn mark(mark: &str, words: &str, class: &'static str) -> Cell {
        let html = format!(
            "<span aria-hidden=\"true\">{}</span><span class=\"sr\">{}</span>",
            text(mark),
            text(words)
        );
        Cell { html, class }
    }

    /// Made by this module.
    pub fn html(html: String) -> Cell {
        Cell { html, class: "picture" }
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(content: T) -> Cell {
        Cell::classed(content.as_ref(), "")
    }
}

impl Table {
    /// An empty table that shows this.
    pub fn new(caption: &str) -> Table {
        Table { caption: caption.into(), ..Table::default() }
    }

    /// One more column of words.
    pub fn words(mut self, head: &str) -> Table {
        self.heads.push((head.into(), false));
        self
    }

    /// More columns of numbers.
    pub fn numbers<T: AsRef<str>>(mut self, heads: impl IntoIterator<Item = T>) -> Table {
        self.heads.extend(heads.into_iter().map(|head| (head.as_ref().to_string(), true)));
        self
    }

    /// One more row; its first cell is what the row is about.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let cell = |(column, cell): (usize, Cell)| {
            let number = self.heads.get(column).is_some_and(|(_, number)| *number);
            let classes = [cell.class, if number { "n" } else { "" }].join(" ");
            let class = match classes.trim() {
                "" => String::new(),
                class => format!(" class=\"{class}\""),
            };
            match column {
                0 => format!("<th scope=\"row\"{class}>{}</th>", cell.html),
                _ => format!("<td{class}>{}</td>", cell.html),
            }
        };
        let cells: String = cells.into_iter().enumerate().map(cell).collect();
        self.rows.push(format!("<tr>{cells}</tr>\n"));
    }

    /// A hidden row of so many cells for the script to fill and to show.
    pub fn template(&mut self, view: usize, what: &str, cells: usize) {
        let rest: String = (2..cells)
            .map(|column| {
                if self.heads.get(column).is_some_and(|(_, number)| *number) {
                    "<td class=\"n\"></td>"
                } else {
                    "<td class=\"picture\"></td>"
                }
            })
            .collect();
        self.rows.push(format!(
            "<tr class=\"in-view\" data-view=\"{view}\" hidden><th scope=\"row\"></th><td>{}</td>{rest}</tr>\n",
            text(what)
        ));
    }

    /// Whether no row was added.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The element. It scrolls by itself where the page is too narrow for it.
    pub fn build(&self) -> String {
        let head = |(head, number): &(String, bool)| {
            let class = if *number { " class=\"n\"" } else { "" };
            match head.as_str() {
                "" => "<td></td>".to_string(),
                head => format!("<th scope=\"col\"{class}>{}</th>", text(head)),
            }
        };
        let heads: String = self.heads.iter().map(head).collect();
        let caption = text(&self.caption);
        format!(
            "<div class=\"table\"><h3>{caption}</h3>\n\
             <div class=\"scroll\" role=\"region\" aria-label=\"{caption}\" tabindex=\"0\"><table aria-label=\"{caption}\">\n\
             <thead><tr>{heads}</tr></thead>\n<tbody>\n{}</tbody></table></div></div>\n",
            self.rows.concat()
        )
    }
}
