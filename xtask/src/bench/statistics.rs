//! What a few runs say about the figure behind them.

/// How sure an interval is to hold the median.
const CONFIDENCE: f64 = 0.95;

/// A figure over several runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Summary {
    pub(super) min: f64,
    pub(super) median: f64,
    pub(super) max: f64,
    /// Holds the median with 95 % confidence. None: there are too few runs to say.
    pub(super) interval: Option<(f64, f64)>,
}

impl Summary {
    /// None without any figures.
    pub(super) fn of(figures: impl IntoIterator<Item = f64>) -> Option<Summary> {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len();
        Some(Summary {
            min: *sorted.first()?,
            median: (sorted[(n - 1) / 2] + sorted[n / 2]) / 2.0,
            max: *sorted.last()?,
            interval: outer_runs_left_out(n).map(|out| (sorted[out], sorted[n - 1 - out])),
        })
    }
}

/// How many of `n` sorted runs may be left out at either end so that the others still hold the median with 95 % confidence.
///
/// Exact, whatever the distribution: each run is below the true median with probability one half, so how many are is
/// binomial.
fn outer_runs_left_out(n: usize) -> Option<usize> {
    let allowed = (1.0 - CONFIDENCE) / 2.0;
    // Of k runs below the median, and of all up to k.
    let mut probability = 0.5f64.powi(i32::try_from(n).ok()?);
    let mut up_to = probability;
    let mut k = 0;
    if up_to > allowed {
        return None;
    }
    loop {
        probability *= (n - k) as f64 / (k + 1) as f64;
        if up_to + probability > allowed {
            return Some(k);
        }
        up_to += probability;
        k += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_the_sign_test() {
        // From tables of the binomial distribution: the ranks left out on either side.
        for (n, out) in [(0, None), (1, None), (5, None), (6, Some(0)), (8, Some(0)), (9, Some(1)), (12, Some(2))] {
            assert_eq!(outer_runs_left_out(n), out, "{n}");
        }
        for (n, out) in [(15, Some(3)), (20, Some(5)), (25, Some(7)), (30, Some(9)), (100, Some(39))] {
            assert_eq!(outer_runs_left_out(n), out, "{n}");
        }
    }

    #[test]
    fn a_summary_does_not_mind_the_order() {
        let summary = Summary::of((1..=15).rev().map(f64::from)).unwrap();
        assert_eq!(summary, Summary { min: 1.0, median: 8.0, max: 15.0, interval: Some((4.0, 12.0)) });
        let few = Summary::of([4.0, 1.0, 3.0, 2.0]).unwrap();
        assert_eq!(few, Summary { min: 1.0, median: 2.5, max: 4.0, interval: None });
        assert_eq!(Summary::of([]), None);
    }
}
