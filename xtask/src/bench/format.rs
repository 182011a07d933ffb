//! Numbers, commands and tables as Markdown shows them.

use pentaport_cli::statistics::Summary;

/// `1234567` as `1,234,567`.
pub(super) fn count(n: f64) -> String {
    let digits = format!("{n:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Microseconds with the unit that keeps three digits.
pub(super) fn micros(us: f64) -> String {
    match us {
        us if us < 1e3 => format!("{} µs", three_digits(us)),
        us if us < 1e6 => format!("{} ms", three_digits(us / 1e3)),
        us => format!("{} s", three_digits(us / 1e6)),
    }
}

/// Bytes: `512 B`, `1.50 KiB`, `2.00 MiB`.
pub(super) fn bytes(n: f64) -> String {
    match n {
        n if n < 1024.0 => format!("{n:.0} B"),
        n if n < 1024.0 * 1024.0 => format!("{} KiB", three_digits(n / 1024.0)),
        n if n < 1024.0 * 1024.0 * 1024.0 => format!("{} MiB", three_digits(n / 1024.0 / 1024.0)),
        n => format!("{} GiB", three_digits(n / 1024.0 / 1024.0 / 1024.0)),
    }
}

/// Three significant digits; more before the point are kept.
pub(super) fn three_digits(value: f64) -> String {
    match value {
        v if v >= 999.5 => count(v),
        v if v >= 99.95 => format!("{v:.0}"),
        v if v >= 9.995 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}

/// `median (min–max)`.
pub(super) fn spread(summary: Option<Summary>, show: impl Fn(f64) -> String) -> String {
    summary
        .map_or_else(none, |Summary { min, median, max, .. }| format!("{} ({}–{})", show(median), show(min), show(max)))
}

/// The 95 % interval of a median.
pub(super) fn interval(summary: Option<Summary>, show: impl Fn(f64) -> String) -> String {
    summary
        .and_then(|summary| summary.interval)
        .map_or_else(none, |(low, high)| format!("{}–{}", show(low), show(high)))
}

/// The median alone.
pub(super) fn median(summary: Option<Summary>, show: impl Fn(f64) -> String) -> String {
    summary.map_or_else(none, |summary| show(summary.median))
}

/// In place of a figure.
pub(super) fn none() -> String {
    "–".to_owned()
}

pub(super) fn ratio(ratio: f64) -> String {
    format!("{ratio:.2}")
}

/// A table; its first column has words, the others numbers.
pub(super) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &mut dyn Iterator<Item = &str>| format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "));
    let mut text = line(&mut header.iter().copied());
    text += &line(&mut header.iter().enumerate().map(|(column, _)| if column == 0 { "---" } else { "---:" }));
    for row in rows {
        text += &line(&mut row.iter().map(String::as_str));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(1_234_567.4), "1,234,567");
        assert_eq!(count(999.0), "999");
        assert_eq!(micros(12.345), "12.3 µs");
        assert_eq!(micros(4_560.0), "4.56 ms");
        assert_eq!(bytes(400.4), "400 B");
        assert_eq!(bytes(1536.0), "1.50 KiB");
        assert_eq!(three_digits(1234.5), "1,234");
        let summary = Summary::of([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(spread(summary, ratio), "3.50 (1.00–6.00)");
        assert_eq!(interval(summary, ratio), "1.00–6.00");
        assert_eq!((interval(Summary::of([1.0]), ratio), median(None, ratio)), (none(), none()));
    }

    #[test]
    fn a_table_is_markdown() {
        let text = table(&["server", "p50"], &[vec!["epoll".into(), "1 µs".into()]]);
        assert_eq!(text, "| server | p50 |\n| --- | ---: |\n| epoll | 1 µs |\n");
    }
}
