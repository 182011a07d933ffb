//! Values of options, checked while the command line is read, so that nothing later need be.

use std::ops::RangeInclusive;
use std::time::Duration;

/// Longer waits are typing errors, and an `Instant` cannot always hold them.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// A duration above zero: `10s`, `500ms`, `1m 30s`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let duration = duration_or_zero(text)?;
    if duration.is_zero() { Err("it must be longer than nothing".into()) } else { Ok(duration) }
}

/// A duration, `0s` included.
pub(crate) fn duration_or_zero(text: &str) -> Result<Duration, String> {
    if text.trim_start().starts_with('-') {
        return Err("a time is not negative; write it like 10s, 500ms or 1m30s".into());
    }
    let duration =
        humantime::parse_duration(text).map_err(|error| format!("{error}; write it like 10s, 500ms or 1m30s"))?;
    if duration > LONGEST { Err("it is longer than a year".into()) } else { Ok(duration) }
}

/// A number of at least one.
pub(crate) fn at_least_one(text: &str) -> Result<usize, String> {
    whole_number(text, 1..=usize::MAX)
}

/// A number, zero included.
pub(crate) fn whole(text: &str) -> Result<usize, String> {
    whole_number(text, 0..=usize::MAX)
}

/// The size of a message in bytes.
pub(crate) fn message_size(text: &str) -> Result<usize, String> {
    // A terabyte is far above what anyone sends and far below where positions would overflow.
    whole_number(text, 0..=1 << 40).and_then(|bytes| match bytes {
        0 => Err("a message has at least 1 byte".into()),
        bytes => Ok(bytes),
    })
}

/// Messages in flight for each connection.
pub(crate) fn depth(text: &str) -> Result<usize, String> {
    whole_number(text, 1..=65_536)
}

/// Threads of a process.
pub(crate) fn threads(text: &str) -> Result<usize, String> {
    whole_number(text, 1..=1024)
}

/// A rate in messages per second.
pub(crate) fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && (0.001..=1e9).contains(&rate) => Ok(rate),
        Ok(_) => Err("it must be between 0.001 and 1000000000".into()),
        Err(_) => Err("it is not a number".into()),
    }
}

fn whole_number(text: &str, allowed: RangeInclusive<usize>) -> Result<usize, String> {
    match text.replace([',', '_'], "").parse::<usize>() {
        Ok(n) if allowed.contains(&n) => Ok(n),
        Ok(_) if *allowed.end() == usize::MAX => Err(format!("it must be at least {}", allowed.start())),
        Ok(_) => Err(format!("it must be between {} and {}", allowed.start(), allowed.end())),
        Err(_) if text.trim_start().starts_with('-') => Err("it is not negative".into()),
        Err(error) => Err(match error.kind() {
            std::num::IntErrorKind::PosOverflow => "it is too large".into(),
            _ => "it is not a whole number".into(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_out_of_their_range_are_refused() {
        assert_eq!(at_least_one("1,000"), Ok(1000));
        assert!(at_least_one("0").is_err());
        assert!(at_least_one("-1").is_err());
        assert!(at_least_one("99999999999999999999999").is_err());
        assert_eq!(message_size("0").unwrap_err(), "a message has at least 1 byte");
        assert_eq!(message_size("64"), Ok(64));
        assert!(depth("65537").is_err());
        assert!(rate("nan").is_err() && rate("inf").is_err() && rate("0").is_err());
        assert_eq!(rate("1e3"), Ok(1000.0));
    }

    #[test]
    fn durations_have_units_and_an_end() {
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert!(duration("10").is_err());
        assert!(duration("0s").is_err());
        assert_eq!(duration_or_zero("0s"), Ok(Duration::ZERO));
        assert!(duration("9999999999y").is_err());
    }
}
