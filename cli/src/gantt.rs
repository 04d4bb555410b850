//! A schedule as a picture: SVG, one row per core and unit, a bar per run of ticks of one layer.
//!
//! | row | bar |
//! |-----|-----|
//! | `input` | tick that waits for input beat n |
//! | `coreN matrix`, `coreN vector` | consecutive ticks with words of one layer |
//! | `output` | tick that sends output beat n |
//!
//! **Contract.** Deterministic; well-formed XML whatever the layers are called; a bar's tool tip names layer, ticks and words.
//! **Errors.** None.
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "ticks (below 2^16) to coordinates, and colours in 0..255"
)]

use std::fmt::Write as _;

use sluice_compiler::backend::CompiledModel;

const LEFT: f64 = 110.0;
const TOP: f64 = 60.0;
const ROW: f64 = 22.0;
const BAR: f64 = 18.0;
/// Layers whose colours are explained per line of the legend.
const LEGEND_COLUMNS: usize = 6;

/// A run of ticks of one layer.
#[derive(Debug, PartialEq, Eq)]
struct Bar {
    first: usize,
    last: usize,
    layer: Option<usize>,
}

struct Row {
    label: String,
    bars: Vec<Bar>,
}

/// The picture.
pub fn svg(m: &CompiledModel) -> String {
    let rows = rows(m);
    let ticks = m.schedule.ticks.max(1);
    let scale = (1400.0 / ticks as f64).clamp(1.5, 20.0);
    let x = |tick: usize| LEFT + tick as f64 * scale;
    let plot_bottom = TOP + rows.len() as f64 * ROW;
    let used: Vec<usize> = (0..m.placed.model.layers.len())
        .filter(|&l| {
            rows.iter()
                .any(|r| r.bars.iter().any(|b| b.layer == Some(l)))
        })
        .collect();
    let width = (x(ticks) + 30.0).max(760.0);
    let legend_top = plot_bottom + 44.0;
    let height = legend_top + used.len().div_ceil(LEGEND_COLUMNS) as f64 * 20.0 + 10.0;
    let mut s = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    let _ = writeln!(
        s,
        "<text x=\"10\" y=\"22\" font-size=\"15\" font-weight=\"bold\">{}: {ticks} ticks, {} cycles spaced, input from tick {}</text>",
        escape(&m.name),
        m.schedule.spaced,
        m.schedule.t0
    );
    axis(&mut s, ticks, scale, plot_bottom);
    for (i, row) in rows.iter().enumerate() {
        let y = TOP + i as f64 * ROW;
        let _ = writeln!(
            s,
            "<text x=\"10\" y=\"{:.1}\">{}</text>",
            y + 14.0,
            row.label
        );
        for bar in &row.bars {
            let (name, fill) = match bar.layer {
                Some(l) => (m.placed.model.layers[l].name.as_str(), colour(l)),
                None => (row.label.as_str(), "#444444".to_owned()),
            };
            let _ = writeln!(
                s,
                "<rect x=\"{:.2}\" y=\"{:.1}\" width=\"{:.2}\" height=\"{BAR}\" fill=\"{fill}\" stroke=\"#ffffff\" stroke-width=\"0.4\">\
                 <title>{}: ticks {} to {}</title></rect>",
                x(bar.first),
                y + (ROW - BAR) / 2.0,
                (bar.last - bar.first + 1) as f64 * scale,
                escape(name),
                bar.first,
                bar.last
            );
        }
    }
    let step = (width - 20.0) / LEGEND_COLUMNS as f64;
    for (i, &l) in used.iter().enumerate() {
        let (cx, cy) = (
            10.0 + (i % LEGEND_COLUMNS) as f64 * step,
            legend_top + (i / LEGEND_COLUMNS) as f64 * 20.0,
        );
        let layer = &m.placed.model.layers[l];
        let _ = writeln!(
            s,
            "<rect x=\"{cx:.1}\" y=\"{:.1}\" width=\"12\" height=\"12\" fill=\"{}\"/><text x=\"{:.1}\" y=\"{cy:.1}\">{}</text>",
            cy - 10.0,
            colour(l),
            cx + 17.0,
            escape(&shortened(&layer.name, (step / 7.5) as usize))
        );
    }
    s.push_str("</svg>\n");
    s
}

fn axis(s: &mut String, ticks: usize, scale: f64, bottom: f64) {
    // Round distances, at least 60 units apart.
    let step = (0..7)
        .flat_map(|p| [1, 2, 5].map(|f| f * 10usize.pow(p)))
        .find(|&d| d as f64 * scale >= 60.0)
        .unwrap_or(ticks);
    for tick in (0..=ticks).step_by(step) {
        let x = LEFT + tick as f64 * scale;
        let _ = writeln!(
            s,
            "<line x1=\"{x:.2}\" y1=\"{:.1}\" x2=\"{x:.2}\" y2=\"{bottom:.1}\" stroke=\"#dddddd\"/>\
             <text x=\"{x:.2}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#555555\">{tick}</text>",
            TOP - 4.0,
            TOP - 8.0
        );
    }
    let _ = writeln!(
        s,
        "<text x=\"10\" y=\"{:.1}\" fill=\"#555555\">tick</text>",
        TOP - 8.0
    );
}

fn rows(m: &CompiledModel) -> Vec<Row> {
    let model = &m.placed.model;
    let layer = |op: usize| model.ops[op].layer.0;
    let mut rows = vec![Row {
        label: "input".into(),
        bars: merge((0..model.input_beats).map(|n| (m.schedule.t0 + n, None))),
    }];
    for (core, slots) in m.schedule.cores.iter().enumerate() {
        rows.push(Row {
            label: format!("core{core} matrix"),
            bars: merge(
                slots
                    .matrix
                    .iter()
                    .map(|(&tick, slot)| (tick, Some(layer(slot.op)))),
            ),
        });
        rows.push(Row {
            label: format!("core{core} vector"),
            bars: merge(
                slots
                    .vector
                    .iter()
                    .map(|(&tick, &op)| (tick, Some(layer(op)))),
            ),
        });
    }
    let mut outputs = m.schedule.outputs.clone();
    outputs.sort_unstable();
    rows.push(Row {
        label: "output".into(),
        bars: merge(outputs.into_iter().map(|tick| (tick, None))),
    });
    rows
}

/// Joins consecutive ticks of one layer; ticks come in order.
fn merge(words: impl Iterator<Item = (usize, Option<usize>)>) -> Vec<Bar> {
    let mut bars: Vec<Bar> = Vec::new();
    for (tick, layer) in words {
        match bars.last_mut() {
            Some(bar) if bar.layer == layer && bar.last + 1 == tick => bar.last = tick,
            _ => bars.push(Bar {
                first: tick,
                last: tick,
                layer,
            }),
        }
    }
    bars
}

/// Hues a golden angle apart, so that neighbours differ; two lightnesses.
fn colour(layer: usize) -> String {
    let hue = (layer as f64 * 137.508 + 210.0) % 360.0;
    let lightness = if layer.is_multiple_of(2) { 0.48 } else { 0.62 };
    let chroma = (1.0 - (2.0 * lightness - 1.0f64).abs()) * 0.55;
    let channel = |offset: f64| {
        let k = (offset + hue / 30.0) % 12.0;
        let v = lightness - chroma / 2.0 * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0);
        (v * 255.0).round() as u8
    };
    format!(
        "#{:02x}{:02x}{:02x}",
        channel(0.0),
        channel(8.0),
        channel(4.0)
    )
}

fn shortened(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars()
        .take(limit.saturating_sub(1))
        .chain(['\u{2026}'])
        .collect()
}

/// For text and attributes; characters XML has no way to write become U+FFFD.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_joined_and_gaps_kept() {
        let words = [(3, Some(1)), (4, Some(1)), (5, Some(2)), (7, Some(2))];
        let bars = merge(words.into_iter());
        let bounds: Vec<_> = bars.iter().map(|b| (b.first, b.last, b.layer)).collect();
        assert_eq!(bounds, [(3, 4, Some(1)), (5, 5, Some(2)), (7, 7, Some(2))]);
    }

    #[test]
    fn names_cannot_break_the_markup() {
        assert_eq!(escape("a<b>&\"\u{1}"), "a&lt;b&gt;&amp;&quot;\u{fffd}");
        assert_eq!(shortened("abcdef", 4), "abc\u{2026}");
    }

    #[test]
    fn neighbours_differ() {
        let colours: std::collections::BTreeSet<_> = (0..40).map(colour).collect();
        assert_eq!(colours.len(), 40);
    }
}
