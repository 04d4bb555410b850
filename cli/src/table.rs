//! Plain text tables: words left, numbers right, two spaces between columns.
//!
//! **Contract.** No trailing blanks; a row has as many cells as the head.

use std::fmt::Write as _;

/// A table under construction.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these column heads.
    pub fn new(head: &[&str]) -> Self {
        Self {
            rows: vec![head.iter().map(|&h| h.to_owned()).collect()],
        }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The text.
    pub fn text(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let cell = |row: &'_ Vec<String>, c: usize| row.get(c).cloned().unwrap_or_default();
        let widths: Vec<usize> = (0..columns)
            .map(|c| {
                self.rows
                    .iter()
                    .map(|r| cell(r, c).chars().count())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let right: Vec<bool> = (0..columns)
            .map(|c| {
                self.rows.iter().skip(1).all(|r| {
                    cell(r, c).starts_with(|ch: char| ch.is_ascii_digit())
                        && !cell(r, c).contains(' ')
                })
            })
            .collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (c, (&width, &right)) in widths.iter().zip(&right).enumerate() {
                let gap = if c == 0 { "" } else { "  " };
                let cell = cell(row, c);
                let _ = if right {
                    write!(line, "{gap}{cell:>width$}")
                } else {
                    write!(line, "{gap}{cell:<width$}")
                };
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// `1 model`, `2 models`.
pub fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_right() {
        let mut t = Table::new(&["name", "cycles", "shape"]);
        t.row(["mlp".into(), "7".into(), "x [4]".into()]);
        t.row(["convolution".into(), "120".into(), "x [1, 32]".into()]);
        assert_eq!(
            t.text(),
            "name         cycles  shape\nmlp               7  x [4]\nconvolution     120  x [1, 32]\n"
        );
    }
}
