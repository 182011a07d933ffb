//! Tables that fit where they are shown: in Markdown, so that they can be kept in a document, and on a narrow terminal in
//! parts, each with the first column.

use super::text::Format;
use comfy_table::{CellAlignment, ContentArrangement, presets};

/// Rows of cells under a header.
pub(super) struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(header: impl IntoIterator<Item = impl Into<String>>) -> Table {
        Table { header: header.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    /// Adds a row, which has as many cells as the header.
    pub(super) fn row(&mut self, cells: Vec<String>) {
        debug_assert_eq!(cells.len(), self.header.len());
        self.rows.push(cells);
    }

    /// The table, with an empty line after it.
    pub(super) fn render(&self, format: Format) -> String {
        let parts = self.parts(format.width());
        parts.iter().map(|columns| self.part(columns) + "\n\n").collect()
    }

    /// Which columns stand together so that no part is wider than `width`: the first one is in each.
    fn parts(&self, width: Option<usize>) -> Vec<Vec<usize>> {
        let Some(width) = width else { return vec![(0..self.header.len()).collect()] };
        let mut parts = vec![vec![0]];
        let mut used = self.width_of(0) + 1;
        for column in 1..self.header.len() {
            let wide = self.width_of(column);
            let part = parts.last_mut().expect("there is one");
            if used + wide > width && part.len() > 1 {
                parts.push(vec![0, column]);
                used = self.width_of(0) + 1 + wide;
            } else {
                part.push(column);
                used += wide;
            }
        }
        parts
    }

    /// Columns of text that a column takes, with the line and the spaces beside it.
    fn width_of(&self, column: usize) -> usize {
        let cells =
            std::iter::once(&self.header).chain(&self.rows).map(|row| console::measure_text_width(&row[column]));
        cells.max().unwrap_or(0) + 3
    }

    fn part(&self, columns: &[usize]) -> String {
        let chosen = |row: &Vec<String>| columns.iter().map(|&column| row[column].clone()).collect::<Vec<_>>();
        let mut table = comfy_table::Table::new();
        table.load_style(presets::ASCII_MARKDOWN).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(chosen(&self.header));
        self.rows.iter().for_each(|row| {
            table.add_row(chosen(row));
        });
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table.to_string()
    }
}

/// In place of a figure.
pub(super) const NONE: &str = "–";

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(["model", "first figure", "second figure", "third"]);
        table.row(["select", "1,234,567 µs", "2", NONE].map(str::to_owned).into());
        table.row(["completion-port", "3", "4", NONE].map(str::to_owned).into());
        table
    }

    #[test]
    fn a_narrow_table_is_in_parts_that_fit() {
        let widths = |text: &str| text.lines().map(console::measure_text_width).max().unwrap();
        let whole = table().render(Format::Plain { width: None });
        assert_eq!(whole.matches("completion-port").count(), 1);
        assert!(whole.contains("| select ") && whole.contains(" third |"), "{whole}");
        for width in [30, 36, 40, 50, 60] {
            let text = table().render(Format::Plain { width: Some(width) });
            assert!(widths(&text) <= width.max(35), "{width}: {text}");
            assert!(
                text.lines().all(|line| line.is_empty() || (line.starts_with('|') && line.ends_with('|'))),
                "{text}"
            );
        }
        let parts = table().render(Format::Plain { width: Some(40) });
        assert_eq!(parts.matches("completion-port").count(), 3, "{parts}");
    }
}
