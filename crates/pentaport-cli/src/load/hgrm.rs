//! Latencies in the text format of HdrHistogram (`.hgrm`), which its plotter and other tools read.

use super::report::Latencies;
use std::fmt::Write;
use std::path::Path;

/// As many lines for each halving of what is left to 100 %, as the other tools write.
const TICKS: u32 = 5;
/// Values are written in microseconds.
const NANOSECONDS: f64 = 1_000.0;

/// Writes the percentiles, in microseconds.
pub(crate) fn write(file: &Path, latencies: &Latencies) -> std::io::Result<()> {
    std::fs::write(file, text(latencies))
}

fn text(latencies: &Latencies) -> String {
    let mut text = format!("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
    let mut count = 0;
    for step in latencies.iter_quantiles(TICKS) {
        count += step.count_since_last_iteration();
        let value = latencies.highest_equivalent(step.value_iterated_to()).min(latencies.max()) as f64 / NANOSECONDS;
        let quantile = step.quantile_iterated_to();
        // Writing to a String cannot fail.
        let _ = match quantile < 1.0 {
            true => writeln!(text, "{value:12.3} {quantile:14.12} {count:10} {:14.2}", 1.0 / (1.0 - quantile)),
            false => writeln!(text, "{value:12.3} {quantile:14.12} {count:10}"),
        };
    }
    let (mean, deviation) = (latencies.mean() / NANOSECONDS, latencies.stdev() / NANOSECONDS);
    let max = latencies.max() as f64 / NANOSECONDS;
    text + &format!(
        "#[Mean    = {mean:12.3}, StdDeviation   = {deviation:12.3}]\n#[Max     = {max:12.3}, Total count    = \
         {:12}]\n#[Buckets = {:12}, SubBuckets     = {:12}]\n",
        latencies.len(),
        latencies.buckets(),
        2_048,
    )
}

#[cfg(test)]
mod tests {
    use super::super::report::new_histogram;
    use super::*;

    #[test]
    fn percentiles_are_as_other_tools_write_them() {
        let mut latencies = new_histogram();
        (1..=1_000).for_each(|us| latencies.record(us * 1_000).unwrap());
        let text = text(&latencies);
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[0], ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"]);
        assert_eq!(lines[1], [""; 0]);
        let rows: Vec<&Vec<&str>> =
            lines.iter().filter(|line| line.len() >= 3 && !line[0].starts_with(['#', 'V'])).collect();
        let half = rows.iter().find(|row| row[1] == "0.500000000000").expect("the median has its line");
        assert_eq!((half[0], half[2], half[3]), ("500.223", "500", "2.00"), "{text}");
        assert_eq!(rows.last().unwrap()[..], ["1000.447", "1.000000000000", "1000"], "{text}");
        assert!(text.contains("#[Mean    =      500") && text.contains("Total count    =         1000]"), "{text}");
    }

    #[test]
    fn nothing_measured_is_written_too() {
        assert!(text(&new_histogram()).contains("Total count    =            0]"));
    }
}
