//! How results are printed: JSON for programs, tables and pages for people.

use std::io::{self, Write};

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use serde::Serialize;

/// For whom results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For programs: what the server answered.
    Json,
    /// For people, in as many columns if that is known.
    Page {
        /// Columns of the terminal.
        width: Option<u16>,
    },
}

/// A writer that knows for whom it writes.
pub struct Output<'a> {
    writer: &'a mut (dyn Write + Send),
    format: Format,
}

/// The narrowest table that is made; a terminal that is narrower wraps by itself.
const WIDTH_MIN: u16 = 60;
/// A UUID and what is left free beside it: an id is useless when it is cut.
const ID_WIDTH: u16 = 36 + CELL_PADDING as u16;
/// What is left free beside each cell.
const CELL_PADDING: usize = 2;
/// Cells that are longer may be broken into several lines.
const CELL_WHOLE_MAX: usize = 24;

impl<'a> Output<'a> {
    /// Prints to `writer`.
    pub fn new(writer: &'a mut (dyn Write + Send), format: Format) -> Self {
        Self { writer, format }
    }

    /// Whether programs read this.
    pub fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// A value as one line of JSON.
    pub fn json<T: Serialize + ?Sized>(&mut self, value: &T) -> io::Result<()> {
        let text = serde_json::to_string(value)?;
        self.raw_line(&text)
    }

    /// A line for people. What is in it that could steer a terminal is made visible.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        self.raw_line(&clean(text))
    }

    /// As [`Output::line`], cut where the terminal ends.
    pub fn cut_line(&mut self, text: &str) -> io::Result<()> {
        let width = match self.format {
            Format::Page { width: Some(width) } => usize::from(width.max(WIDTH_MIN)),
            _ => return self.line(text),
        };
        if text.chars().count() <= width {
            return self.line(text);
        }
        let kept: String = text.chars().take(width - 1).collect();
        self.line(&format!("{kept}…"))
    }

    /// A table; the first column holds ids, the others come in the order of their importance, and those that do not fit
    /// into the terminal are left out.
    pub fn table<const N: usize>(
        &mut self,
        header: [&str; N],
        rows: impl IntoIterator<Item = [String; N]>,
    ) -> io::Result<()> {
        let rows: Vec<[String; N]> = rows.into_iter().map(|row| row.map(|cell| clean(&cell))).collect();
        let shown = match self.format {
            Format::Page { width: Some(width) } => columns_that_fit(&header, &rows, usize::from(width.max(WIDTH_MIN))),
            _ => N,
        };
        let mut table = self.empty_table();
        table.set_header(header.iter().take(shown));
        for row in &rows {
            table.add_row(row.iter().take(shown));
        }
        if let Some(ids) = table.column_mut(0) {
            ids.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(ID_WIDTH)));
        }
        self.print(&table)?;
        if shown < N {
            let left_out = header[shown..].join(", ");
            self.line(&format!(
                "(left out for want of space: {left_out}; a wider terminal shows them, and so does --json)"
            ))?;
        }
        Ok(())
    }

    /// One thing: a name and a value in each line.
    pub fn page<const N: usize>(&mut self, pairs: [(&str, String); N]) -> io::Result<()> {
        let mut table = self.empty_table();
        for (name, value) in pairs {
            table.add_row([name.to_owned(), clean(&value)]);
        }
        self.print(&table)
    }

    /// A line exactly as it is, secrets included: for tokens that were asked for.
    pub fn raw_line(&mut self, text: &str) -> io::Result<()> {
        self.writer.write_all(text.as_bytes())?;
        self.writer.write_all(b"\n")?;
        self.writer.flush()
    }

    fn empty_table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        if let Format::Page { width: Some(width) } = self.format {
            table
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(width.max(WIDTH_MIN));
        }
        table
    }

    fn print(&mut self, table: &Table) -> io::Result<()> {
        let text = table.trim_fmt();
        for line in text.lines() {
            // The style pads each cell on both sides.
            self.raw_line(line.strip_prefix(' ').unwrap_or(line))?;
        }
        Ok(())
    }
}

/// How many columns fit side by side, at least the first two.
fn columns_that_fit<const N: usize>(header: &[&str; N], rows: &[[String; N]], width: usize) -> usize {
    let needed = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        let widest = cells.max().unwrap_or(0).min(CELL_WHOLE_MAX).max(header[column].len());
        if column == 0 {
            usize::from(ID_WIDTH)
        } else {
            widest + CELL_PADDING
        }
    };
    let ends = (0..N).scan(0, |end, column| {
        *end += needed(column);
        Some(*end)
    });
    ends.take_while(|end| *end <= width).count().max(N.min(2))
}

/// The text without characters that steer a terminal or change the order in which it shows text: much of what is printed
/// was written by somebody whom nobody knows, such as a caller's name for itself.
pub fn clean(text: &str) -> String {
    let is_harmful = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .map(|c| if is_harmful(c) { '\u{fffd}' } else { c })
        .collect()
}

/// What stands where there is nothing.
pub const NOTHING: &str = "-";

/// The value as text, or a dash.
pub fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| NOTHING.to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(format: Format, print: impl FnOnce(&mut Output<'_>) -> io::Result<()>) -> String {
        let mut bytes = Vec::new();
        print(&mut Output::new(&mut bytes, format)).expect("a vector can be written to");
        String::from_utf8(bytes).expect("UTF-8")
    }

    const ID: &str = "01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c6d";

    #[test]
    fn a_table_has_a_header_and_no_frame() {
        let text = printed(Format::Page { width: None }, |out| {
            out.table(["ID", "NAME"], [["1".into(), "a".into()]])
        });
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines, [vec!["ID", "NAME"], vec!["1", "a"]]);
        assert!(text.starts_with("ID"), "{text:?}");
        assert!(text.lines().all(|line| !line.ends_with(' ')), "{text:?}");
    }

    #[test]
    fn in_a_terminal_lines_fit_and_ids_stay_whole() {
        let long = "a very long text that has to be broken somewhere in its middle";
        let table = |width| {
            let row = [ID.to_owned(), long.to_owned(), "x".repeat(70)];
            printed(Format::Page { width }, |out| out.table(["ID", "TEXT", "MORE"], [row]))
        };
        let wide = table(Some(100));
        assert!(wide.lines().all(|line| line.chars().count() <= 100), "{wide}");
        assert!(
            wide.contains(ID) && wide.contains("xxx") && !wide.contains("left out"),
            "{wide}"
        );
        let narrow = table(Some(80));
        assert!(narrow.contains(ID) && !narrow.contains("xxx"), "{narrow}");
        assert!(
            narrow.ends_with("(left out for want of space: MORE; a wider terminal shows them, and so does --json)\n"),
            "{narrow}"
        );
        assert_eq!(
            table(None).lines().count(),
            2,
            "without a terminal nothing is broken or left out"
        );
    }

    #[test]
    fn the_first_two_columns_are_always_shown() {
        let row = || [ID.to_owned(), "y".repeat(60), "z".to_owned()];
        assert_eq!(columns_that_fit(&["ID", "A", "B"], &[row()], 0), 2);
        assert_eq!(columns_that_fit(&["ID", "A", "B"], &[row()], 38 + 26 + 2), 2);
        assert_eq!(columns_that_fit(&["ID", "A", "B"], &[row()], 38 + 26 + 3), 3);
        assert_eq!(columns_that_fit(&["ID", "A", "B"], &[], 38 + 3 + 3), 3);
        assert_eq!(columns_that_fit(&["ID"], &[["1".to_owned()]], 0), 1);
    }

    #[test]
    fn a_narrow_terminal_breaks_nothing_but_lines() {
        for width in [0, 1, 20, u16::MAX] {
            let text = printed(Format::Page { width: Some(width) }, |out| {
                out.page([("id", ID.to_owned()), ("name", "n".to_owned())])
            });
            assert!(text.contains(ID), "{width}: {text}");
        }
    }

    #[test]
    fn what_strangers_wrote_can_not_steer_the_terminal() {
        let evil = "\u{1b}[31mred\u{7}\r\n\u{202e}txt\u{9b}1m";
        let page = Format::Page { width: Some(100) };
        for text in [
            printed(page, |out| out.line(evil)),
            printed(page, |out| out.table(["A"], [[evil.to_owned()]])),
            printed(page, |out| out.page([("a", evil.to_owned())])),
        ] {
            assert!(
                text.trim_end_matches('\n')
                    .chars()
                    .all(|c| !c.is_control() || c == '\n'),
                "{text:?}"
            );
            assert!(!text.contains('\u{202e}') && text.contains("red"), "{text:?}");
        }
    }

    #[test]
    fn json_is_one_line() {
        let value = serde_json::json!({"a": "x\ny", "b": [1, 2]});
        assert_eq!(
            printed(Format::Json, |out| out.json(&value)),
            "{\"a\":\"x\\ny\",\"b\":[1,2]}\n"
        );
    }
}
