//! The course of a soak, drawn.

use super::course::{LULL, Sample};
use pentaport_server::Model;
use plotters::prelude::*;
use std::path::Path;

const SIZE: (u32, u32) = (1_400, 1_200);
const MIB: f64 = (1 << 20) as f64;

/// Colours of the phases, in turn.
const SHADES: [RGBColor; 2] = [RGBColor(222, 235, 247), RGBColor(229, 245, 224)];

type Figure = fn(&Sample) -> f64;

/// A chart, its title and its lines.
const CHARTS: [(&str, &[(&str, Figure)]); 4] = [
    (
        "memory, MiB",
        &[
            ("anonymous pages", |sample| sample.vitals.anonymous_bytes as f64 / MIB),
            ("PSS", |sample| sample.vitals.pss_bytes as f64 / MIB),
        ],
    ),
    ("descriptors", &[("descriptors", |sample| sample.vitals.descriptors as f64)]),
    ("threads", &[("threads", |sample| sample.vitals.threads as f64)]),
    (
        "so far, thousands",
        &[
            ("connections", |sample| sample.counts.connections() as f64 / 1_000.0),
            ("messages", |sample| sample.counts.all_messages() as f64 / 1_000.0),
            ("resets by clients", |sample| sample.counts.resets as f64 / 1_000.0),
        ],
    ),
];

/// Draws a page of charts above each other, one for each kind of figure. The phases are shaded, lulls are white.
pub(super) fn draw(model: Model, samples: &[Sample], file: &Path) -> anyhow::Result<()> {
    let page = SVGBackend::new(file, SIZE).into_drawing_area();
    page.fill(&WHITE)?;
    let page = page.titled(&format!("pentaport serve --model {model}"), ("sans-serif", 24))?;
    for (area, (title, lines)) in page.split_evenly((CHARTS.len(), 1)).iter().zip(CHARTS) {
        chart(area, title, lines, samples)?;
    }
    page.present()?;
    Ok(())
}

fn chart(
    area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    title: &str,
    lines: &[(&str, Figure)],
    samples: &[Sample],
) -> anyhow::Result<()> {
    let end = samples.last().map_or(1.0, |sample| sample.seconds);
    let figures = lines.iter().flat_map(|(_, figure)| samples.iter().map(figure));
    let top = figures.fold(1.0, f64::max) * 1.1;
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 16))
        .margin(6)
        .x_label_area_size(24)
        .y_label_area_size(56)
        .build_cartesian_2d(0.0..end, 0.0..top)?;
    // A lull can be too short for a sample: neighbours differ all the same.
    let stressed = phases(samples).into_iter().filter(|(phase, ..)| *phase != LULL);
    chart.draw_series(
        stressed
            .clone()
            .zip(SHADES.iter().cycle())
            .map(|((_, from, to), shade)| Rectangle::new([(from, 0.0), (to, top)], shade.filled())),
    )?;
    chart.configure_mesh().x_desc("s").light_line_style(TRANSPARENT).draw()?;
    // The names would cover each other further on.
    let first_cycle = stressed.take(super::phases::PHASES.len());
    chart.draw_series(first_cycle.map(|(phase, from, _)| {
        Text::new(phase, (from, top * 0.98), ("sans-serif", 10).into_font().transform(FontTransform::Rotate90))
    }))?;
    for (index, (name, figure)) in lines.iter().enumerate() {
        let colour = Palette99::pick(index).to_rgba();
        let points = samples.iter().map(|sample| (sample.seconds, figure(sample)));
        chart
            .draw_series(LineSeries::new(points, colour.stroke_width(2)))?
            .label(*name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
    }
    chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK.mix(0.3)).draw()?;
    Ok(())
}

/// Each phase and lull, and from when to when it was.
fn phases(samples: &[Sample]) -> Vec<(&'static str, f64, f64)> {
    let mut phases: Vec<(&'static str, f64, f64)> = Vec::new();
    for sample in samples {
        match phases.last_mut() {
            Some((phase, _, to)) if *phase == sample.phase => *to = sample.seconds,
            Some((_, _, to)) => {
                *to = sample.seconds;
                phases.push((sample.phase, sample.seconds, sample.seconds));
            }
            None => phases.push((sample.phase, 0.0, sample.seconds)),
        }
    }
    phases
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::soak::ledger::Counts;
    use crate::soak::vitals::Vitals;

    fn sample(seconds: f64, phase: &'static str) -> Sample {
        Sample { seconds, phase, vitals: Vitals::default(), counts: Counts::default() }
    }

    #[test]
    fn phases_follow_each_other_without_a_gap() {
        let samples = [sample(0.2, LULL), sample(0.4, "churn"), sample(0.6, "churn"), sample(0.8, LULL)];
        assert_eq!(phases(&samples), [(LULL, 0.0, 0.4), ("churn", 0.4, 0.8), (LULL, 0.8, 0.8)]);
    }
}
