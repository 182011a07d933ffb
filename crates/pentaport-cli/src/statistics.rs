//! What a few measurements say about the figure behind them.
//!
//! Nothing here assumes how measurements are distributed: noise on a machine that does other things comes in bursts, has
//! long tails and several peaks. What is used of figures is their order.
//!
//! * [`Summary`]: one figure of several rounds. Its interval is that of the sign test: each figure is above or below the true
//!   median with probability one half, so how many are below is binomial.
//! * [`Paired`]: the ratio of two figures that were measured in the same rounds, which of them first by lot. Its interval is
//!   that of the signed rank test of Wilcoxon: if the two differ by a factor only, a round's ratio is as likely so many times
//!   above that factor as below it. That says more than the sign test, which does not look at how far.
//! * [`Shift`]: the ratio of two independent groups, such as runs of two machines. Its interval is that of the rank sum test
//!   of Mann and Whitney: if the groups differ by a factor only, every order of all figures is as likely as any other.
//!
//! Of many intervals some miss. [`for_each_of`] gives the confidence that each needs so that all hold together (Bonferroni).

use std::cell::RefCell;
use std::collections::HashMap;

/// How sure the intervals of a [`Summary`] are, and mostly all others together.
pub const CONFIDENCE: f64 = 0.95;

/// Figures of a group that a [`Shift`] uses at most: with more, the probabilities of its test would be lost in rounding.
const MOST: usize = 100;

/// Rounds that a [`Paired`] uses at most, which is a matter of time.
const MOST_ROUNDS: usize = 400;

/// A figure over several runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// The least of the figures.
    pub min: f64,
    /// The middle one, or the mean of the two in the middle.
    pub median: f64,
    /// The greatest of the figures.
    pub max: f64,
    /// Holds the median of all that could be measured with 95 %. None: there are too few runs to say.
    pub interval: Option<(f64, f64)>,
}

impl Summary {
    /// The summary with an interval of 95 %; None without any figures.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Option<Summary> {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len();
        Some(Summary {
            min: *sorted.first()?,
            median: middle(&sorted),
            max: *sorted.last()?,
            interval: outer_runs_left_out(n, CONFIDENCE).map(|out| (sorted[out], sorted[n - 1 - out])),
        })
    }
}

/// The ratio of two figures that were measured in the same rounds, in an order drawn for each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Paired {
    /// The median of what any two rounds say together, which is the geometric mean of their ratios (Hodges and Lehmann).
    pub ratio: f64,
    /// Holds the true ratio with the confidence asked for. None: there are too few rounds to say.
    pub interval: Option<(f64, f64)>,
}

impl Paired {
    /// What the ratios of all rounds say, of which only positive ones count; None without any.
    pub fn of(ratios: impl IntoIterator<Item = f64>, confidence: f64) -> Option<Paired> {
        let ratios = spread(ratios.into_iter().filter(|&ratio| ratio > 0.0).collect(), MOST_ROUNDS);
        // Squares of the means: the roots of those that are wanted are drawn in the end.
        let mut squares = Vec::with_capacity(ratios.len() * (ratios.len() + 1) / 2);
        for (round, one) in ratios.iter().enumerate() {
            squares.extend(ratios[round..].iter().map(|other| one * other));
        }
        let last = squares.len().checked_sub(1)?;
        let mut mean = |place: usize| squares.select_nth_unstable_by(place, f64::total_cmp).1.sqrt();
        let out = outer_means_left_out(ratios.len(), confidence);
        Some(Paired {
            ratio: (mean(last / 2) * mean(last.div_ceil(2))).sqrt(),
            interval: out.map(|out| (mean(out), mean(last - out))),
        })
    }

    /// The same of the second figure to the first.
    pub fn inverse(self) -> Paired {
        Paired { ratio: 1.0 / self.ratio, interval: self.interval.map(|(low, high)| (1.0 / high, 1.0 / low)) }
    }
}

/// The ratio of one group of measurements to another that was made independently of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shift {
    /// The median of the ratios of every figure of the one to every figure of the other.
    pub ratio: f64,
    /// Holds the true ratio with the confidence asked for. None: there are too few figures to say.
    pub interval: Option<(f64, f64)>,
}

impl Shift {
    /// The ratio of `to` to `from`, of which only positive figures count; None if either has none.
    pub fn of(from: &[f64], to: &[f64], confidence: f64) -> Option<Shift> {
        let positive = |figures: &[f64]| figures.iter().copied().filter(|&figure| figure > 0.0).collect();
        let (from, to) = (spread(positive(from), MOST), spread(positive(to), MOST));
        let mut ratios: Vec<f64> = from.iter().flat_map(|from| to.iter().map(move |to| to / from)).collect();
        if ratios.is_empty() {
            return None;
        }
        ratios.sort_by(f64::total_cmp);
        let last = ratios.len() - 1;
        let out = outer_ratios_left_out(from.len(), to.len(), confidence);
        Some(Shift { ratio: middle(&ratios), interval: out.map(|out| (ratios[out], ratios[last - out])) })
    }
}

/// The confidence that each of `comparisons` intervals needs so that all of them hold with `confidence`.
pub fn for_each_of(comparisons: usize, confidence: f64) -> f64 {
    1.0 - (1.0 - confidence) / comparisons.max(1) as f64
}

/// How many figures a [`Summary`] or a [`Paired`] takes at least to have an interval of this confidence.
pub fn fewest_runs(confidence: f64) -> usize {
    let mut runs = 1;
    // As outer_runs_left_out and outer_means_left_out decide it.
    while 0.5f64.powi(runs) > (1.0 - confidence) / 2.0 && runs < 1_000 {
        runs += 1;
    }
    runs as usize
}

/// Figures, or of very many `most` that are spread evenly over them.
fn spread(figures: Vec<f64>, most: usize) -> Vec<f64> {
    let n = figures.len();
    if n <= most { figures } else { (0..most).map(|place| figures[place * n / most]).collect() }
}

fn middle(sorted: &[f64]) -> f64 {
    let n = sorted.len();
    (sorted[(n - 1) / 2] + sorted[n / 2]) / 2.0
}

/// How many of `n` sorted figures may be left out at either end so that the others still hold the median.
fn outer_runs_left_out(n: usize, confidence: f64) -> Option<usize> {
    let allowed = (1.0 - confidence) / 2.0;
    // Of k figures below the median; its logarithm, since 2^-n is too small for a float where n is large.
    let mut log_probability = -(n as f64) * std::f64::consts::LN_2;
    let mut up_to = 0.0;
    for k in 0..n {
        up_to += log_probability.exp();
        if up_to > allowed {
            return k.checked_sub(1);
        }
        log_probability += ((n - k) as f64 / (k + 1) as f64).ln();
    }
    None
}

/// How many of all `n * (n + 1) / 2` sorted means of two of `n` ratios may be left out at either end so that the others still
/// hold the true one.
fn outer_means_left_out(n: usize, confidence: f64) -> Option<usize> {
    thread_local! {
        // Most ratios of a run have as many rounds, and sums of many ranks take a while.
        static KNOWN: RefCell<HashMap<(usize, u64), Option<usize>>> = RefCell::default();
    }
    KNOWN.with_borrow_mut(|known| {
        *known.entry((n, confidence.to_bits())).or_insert_with(|| left_out(signed_rank_sums(n), confidence))
    })
}

/// How many of all `n * m` sorted ratios may be left out at either end so that the others still hold the true one.
fn outer_ratios_left_out(n: usize, m: usize, confidence: f64) -> Option<usize> {
    left_out(rank_sums(n, m), confidence)
}

/// The greatest value that a test's figure exceeds with enough probability, less one; None if there is none.
fn left_out(probabilities: Vec<f64>, confidence: f64) -> Option<usize> {
    let allowed = (1.0 - confidence) / 2.0;
    let mut up_to = 0.0;
    for (figure, probability) in probabilities.into_iter().enumerate() {
        up_to += probability;
        if up_to > allowed {
            return figure.checked_sub(1);
        }
    }
    None
}

/// The probability of each sum of the ranks of the ratios above the true one, of `n` ratios ranked by how far they are from it:
/// each rank is in the sum with probability one half.
fn signed_rank_sums(n: usize) -> Vec<f64> {
    let mut probabilities = vec![1.0];
    for rank in 1..=n {
        let without = probabilities;
        probabilities = vec![0.0; without.len() + rank];
        for (sum, probability) in without.into_iter().enumerate() {
            probabilities[sum] += probability / 2.0;
            probabilities[sum + rank] += probability / 2.0;
        }
    }
    probabilities
}

/// The probability of each value of U, the number of pairs in which the figure of the first group is the greater one, if both
/// groups have the same distribution.
///
/// Their generating function is the Gaussian binomial: the product of (1 - x^(n+i)) / (1 - x^i) for i from 1 to m.
fn rank_sums(n: usize, m: usize) -> Vec<f64> {
    let mut probabilities = vec![0.0; n * m + 1];
    probabilities[0] = 1.0;
    for i in 1..=m {
        for u in (n + i..probabilities.len()).rev() {
            probabilities[u] -= probabilities[u - n - i];
        }
        for u in i..probabilities.len() {
            probabilities[u] += probabilities[u - i];
        }
        // So that they stay probabilities: counts of orders would be too great for a float.
        let share = i as f64 / (n + i) as f64;
        probabilities.iter_mut().for_each(|probability| *probability *= share);
    }
    probabilities
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_the_sign_test() {
        // From tables of the binomial distribution: the ranks left out on either side.
        for (n, out) in [(0, None), (1, None), (5, None), (6, Some(0)), (8, Some(0)), (9, Some(1)), (12, Some(2))] {
            assert_eq!(outer_runs_left_out(n, 0.95), out, "{n}");
        }
        for (n, out) in [(15, Some(3)), (20, Some(5)), (25, Some(7)), (30, Some(9)), (100, Some(39))] {
            assert_eq!(outer_runs_left_out(n, 0.95), out, "{n}");
        }
        // 2^-5000 is no float.
        assert!(outer_runs_left_out(5_000, 0.95).is_some_and(|out| (2_425..2_435).contains(&out)));
    }

    #[test]
    fn more_comparisons_take_more_runs() {
        assert_eq!(fewest_runs(0.95), 6);
        let each = for_each_of(105, 0.95);
        assert!((each - (1.0 - 0.05 / 105.0)).abs() < 1e-12);
        let fewest = fewest_runs(each);
        assert_eq!(fewest, 13);
        assert_eq!((outer_runs_left_out(fewest - 1, each), outer_runs_left_out(fewest, each)), (None, Some(0)));
    }

    #[test]
    fn a_summary_does_not_mind_the_order() {
        let summary = Summary::of((1..=15).rev().map(f64::from)).unwrap();
        assert_eq!(summary, Summary { min: 1.0, median: 8.0, max: 15.0, interval: Some((4.0, 12.0)) });
        let few = Summary::of([4.0, 1.0, 3.0, 2.0]).unwrap();
        assert_eq!(few, Summary { min: 1.0, median: 2.5, max: 4.0, interval: None });
        assert_eq!(Summary::of([]), None);
    }

    #[test]
    fn rank_sums_are_those_of_the_tables() {
        let probabilities = rank_sums(2, 2);
        // The six orders of two and two: U is 0, 1, 2, 2, 3, 4.
        for (probability, orders) in probabilities.iter().zip([1.0, 1.0, 2.0, 1.0, 1.0]) {
            assert!((probability - orders / 6.0).abs() < 1e-12, "{probabilities:?}");
        }
        for (n, m) in [(60, 75), (7, MOST), (MOST, 7), (MOST, MOST)] {
            let probabilities = rank_sums(n, m);
            assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-6, "{n} and {m}");
            assert!(probabilities.iter().all(|&probability| probability > -1e-9), "{n} and {m}");
        }
        // Critical values of U at 5 %, two-sided: 2 for 5 and 5, 23 for 10 and 10, 127 for 20 and 20.
        for (n, critical) in [(5, 2), (10, 23), (20, 127)] {
            assert_eq!(outer_ratios_left_out(n, n, 0.95), Some(critical), "{n}");
        }
        assert_eq!(outer_ratios_left_out(3, 3, 0.95), None);
    }

    #[test]
    fn signed_ranks_are_those_of_the_tables() {
        // Critical values at 5 %, two-sided: 0 for 6, 8 for 10, 25 for 15, 52 for 20, 137 for 30. That many means, and the one
        // at zero, may be left out.
        for (n, critical) in [(6, 0), (10, 8), (15, 25), (20, 52), (30, 137)] {
            assert_eq!(outer_means_left_out(n, 0.95), Some(critical), "{n}");
        }
        assert_eq!(outer_means_left_out(5, 0.95), None);
        let each = for_each_of(110, 0.95);
        let fewest = fewest_runs(each);
        assert_eq!((outer_means_left_out(fewest - 1, each), outer_means_left_out(fewest, each)), (None, Some(0)));
        assert!((signed_rank_sums(MOST_ROUNDS).iter().sum::<f64>() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_pair_is_the_ratio_of_two_in_the_same_rounds() {
        let paired = Paired::of([2.0, 8.0], 0.95).unwrap();
        assert_eq!(paired, Paired { ratio: 4.0, interval: None }, "of 2, 4 and 8");
        let paired = Paired::of((0..20).map(|round| 1.1 + f64::from(round) / 1_000.0), 0.95).unwrap();
        let (low, high) = paired.interval.unwrap();
        assert!(1.105 < low && low < paired.ratio && paired.ratio < high && high < 1.114, "{paired:?}");
        // It says more than the signs do.
        let (sign_low, sign_high) =
            Summary::of((0..20).map(|round| 1.1 + f64::from(round) / 1_000.0)).unwrap().interval.unwrap();
        assert!(high - low < sign_high - sign_low);
        assert_eq!(Paired::of([0.0, -1.0], 0.95), None);
    }

    #[test]
    fn a_shift_is_the_ratio_of_two_groups() {
        let one: Vec<f64> = (0..20).map(|i| 1.0 + f64::from(i) / 1_000.0).collect();
        let other: Vec<f64> = one.iter().map(|figure| figure * 2.0).collect();
        let shift = Shift::of(&one, &other, 0.95).unwrap();
        let (low, high) = shift.interval.unwrap();
        assert!((shift.ratio - 2.0).abs() < 1e-3 && 1.98 < low && low < 2.0 && 2.0 < high && high < 2.02, "{shift:?}");
        assert_eq!(Shift::of(&[], &other, 0.95), None);
        let many: Vec<f64> = (0..1_000).map(|i| 1.0 + f64::from(i) / 100_000.0).collect();
        let (low, high) = Shift::of(&many, &many, 0.95).unwrap().interval.unwrap();
        assert!(0.998 < low && low < 1.0 && 1.0 < high && high < 1.002, "{low} {high}");
        assert_eq!(Shift::of(&[1.0], &[3.0, 0.0], 0.95), Some(Shift { ratio: 3.0, interval: None }));
    }
}
