//! What may be claimed of the figures of a run.
//!
//! Servers are compared by the CPU time that a message costs them: it moves less with what else the machine does than
//! throughput and latency do. Of each two servers of a scenario there is a ratio in each round, of measurements made next to
//! each other. That one costs more than the other is claimed if
//!
//! * the interval of the ratio, that of the signed rank test, lies above 1. Intervals are as wide as it takes for all of the
//!   run together to hold with 95 %: of a hundred comparisons at 95 % each, five would be wrong;
//! * the ratio is at least 1.05: less is of no use to a choice, though enough rounds could show it;
//! * the ratio is farther from 1 than that of the **control**, one model measured a second time in every round.
//!
//! A server's rank is 1 and the number of servers that were shown to cost less. Of what is not shown nothing is claimed: it
//! is *not distinguishable*.

use super::report::{Claim, Report};
use super::scenario::Scenario;
use pentaport_cli::statistics::{CONFIDENCE, Paired, Summary, fewest_runs, for_each_of};

/// The least ratio that is claimed.
pub(crate) const LEAST_EFFECT: f64 = 1.05;

/// What one server cost in each round; None where it is not known.
pub(crate) type Costs = Vec<Option<f64>>;

/// What may be claimed of a whole run.
pub(crate) struct Claims {
    /// How many intervals hold together.
    pub(crate) comparisons: usize,
    /// Rounds with fewer ratios show nothing, whatever they are.
    pub(crate) fewest_rounds: usize,
    /// By scenario.
    pub(crate) standings: Vec<Standing>,
}

/// What may be claimed of one scenario.
#[derive(Clone)]
pub(crate) struct Standing {
    /// By subject: it is known what it cost in at least one round.
    known: Vec<bool>,
    /// Of each subject's costs to each other's.
    ratios: Vec<Vec<Option<Paired>>>,
    /// The control: which subject, and the ratio of its second measurements to its first.
    pub(crate) control: Option<(usize, Paired)>,
    medians: Vec<Option<f64>>,
    /// Rounds in which two servers were measured, at most.
    pub(crate) rounds: usize,
    enough_rounds: bool,
}

/// The costs of a scenario.
pub(crate) struct Measured {
    pub(crate) subjects: Vec<Costs>,
    /// Which subject was measured a second time, and that.
    pub(crate) control: Option<(usize, Costs)>,
}

impl Claims {
    pub(crate) fn of(report: &Report) -> Claims {
        let measured = |scenario: &Scenario| {
            let cells: Vec<_> = report.cells(scenario).collect();
            let control = report
                .control(scenario)
                .and_then(|control| Some((cells.iter().position(|cell| cell.name == control.name)?, control.costs())));
            Measured { subjects: cells.iter().map(|cell| cell.costs()).collect(), control }
        };
        Claims::of_costs(&report.scenarios.iter().map(measured).collect::<Vec<_>>())
    }

    /// All that is claimed, as files have it.
    pub(crate) fn list(&self, report: &Report) -> Vec<Claim> {
        let mut claims = Vec::new();
        for (scenario, standing) in report.scenarios.iter().zip(&self.standings) {
            let names: Vec<&str> = report.cells(scenario).map(|cell| cell.name.as_str()).collect();
            for (subject, dearer) in names.iter().enumerate() {
                for (other, than) in names.iter().enumerate().filter(|&(other, _)| standing.is_dearer(subject, other)) {
                    let Some(Paired { ratio, interval: Some((low, high)) }) = standing.ratio(subject, other) else {
                        continue;
                    };
                    let (dearer, than) = ((*dearer).to_owned(), (*than).to_owned());
                    claims.push(Claim { scenario: scenario.name.clone(), dearer, than, ratio, low, high });
                }
            }
        }
        claims
    }

    pub(crate) fn of_costs(scenarios: &[Measured]) -> Claims {
        let comparisons = scenarios.iter().map(Measured::comparisons).sum();
        let each = for_each_of(comparisons, CONFIDENCE);
        let fewest_rounds = fewest_runs(each);
        let standings = scenarios.iter().map(|scenario| Standing::of(scenario, each, fewest_rounds)).collect();
        Claims { comparisons, fewest_rounds, standings }
    }

    /// Whether any scenario has enough rounds to show a difference.
    pub(crate) fn are_possible(&self) -> bool {
        self.standings.iter().any(|standing| standing.enough_rounds)
    }
}

impl Measured {
    fn comparisons(&self) -> usize {
        let known = self.subjects.iter().filter(|costs| is_known(costs)).count();
        known * known.saturating_sub(1) / 2 + usize::from(self.control.is_some())
    }
}

impl Standing {
    fn of(measured: &Measured, each: f64, fewest_rounds: usize) -> Standing {
        let ratio = |costs: &Costs, to: &Costs| {
            let pairs = costs.iter().zip(to);
            Paired::of(pairs.filter_map(|(cost, to)| Some((*cost)? / (*to)?)), each)
        };
        let subjects = &measured.subjects;
        let mut ratios = vec![vec![None; subjects.len()]; subjects.len()];
        for (one, costs) in subjects.iter().enumerate() {
            for (other, to) in subjects.iter().enumerate().skip(one) {
                ratios[one][other] = ratio(costs, to);
                ratios[other][one] = ratios[one][other].map(Paired::inverse);
            }
        }
        let control = measured.control.as_ref();
        let rounds = subjects.iter().map(|costs| costs.iter().flatten().count()).max().unwrap_or(0);
        Standing {
            known: subjects.iter().map(is_known).collect(),
            control: control.and_then(|(index, costs)| Some((*index, ratio(costs, &subjects[*index])?))),
            medians: subjects.iter().map(|costs| Some(Summary::of(costs.iter().flatten().copied())?.median)).collect(),
            ratios,
            rounds,
            enough_rounds: rounds >= fewest_rounds,
        }
    }

    /// The ratio of what one costs to what the other one does.
    pub(crate) fn ratio(&self, subject: usize, to: usize) -> Option<Paired> {
        self.ratios[subject][to]
    }

    /// Whether one was shown to cost more than the other.
    pub(crate) fn is_dearer(&self, subject: usize, than: usize) -> bool {
        let shown = |ratio: Paired| ratio.interval.is_some_and(|(low, _)| low > 1.0) && ratio.ratio >= self.floor();
        self.ratios[subject][than].is_some_and(shown)
    }

    /// Ratios below it are not claimed.
    pub(crate) fn floor(&self) -> f64 {
        let of_control = self.control.map_or(1.0, |(_, ratio)| ratio.ratio.max(1.0 / ratio.ratio));
        LEAST_EFFECT.max(of_control)
    }

    /// Whether the control differs from itself: by an effect that would be claimed, or by one that its interval shows.
    pub(crate) fn differs_from_itself(&self) -> bool {
        self.control.is_some_and(|(_, ratio)| {
            ratio.interval.is_some_and(|(low, high)| low > 1.0 || high < 1.0) || self.floor() > LEAST_EFFECT
        })
    }

    /// Whether there are rounds enough to show a difference.
    pub(crate) fn can_tell(&self) -> bool {
        self.enough_rounds
    }

    /// 1 and the number of those that were shown to cost less. None: nothing is known of it, or nothing can be shown.
    pub(crate) fn rank(&self, subject: usize) -> Option<usize> {
        if !self.enough_rounds || !self.known[subject] {
            return None;
        }
        Some(1 + (0..self.known.len()).filter(|&other| self.is_dearer(subject, other)).count())
    }

    /// Those that none was shown to be better than, the least median first.
    pub(crate) fn best(&self) -> Vec<usize> {
        let mut best: Vec<usize> = (0..self.known.len()).filter(|&subject| self.rank(subject) == Some(1)).collect();
        self.sort_by_median(&mut best);
        best
    }

    /// What a subject of a higher rank is compared with: the best, or, if only others were shown to cost less, the best of
    /// those.
    pub(crate) fn reference(&self, subject: usize) -> Option<usize> {
        let mut cheaper: Vec<usize> = (0..self.known.len()).filter(|&other| self.is_dearer(subject, other)).collect();
        self.sort_by_median(&mut cheaper);
        let best = self.best().first().copied();
        best.filter(|best| cheaper.contains(best)).or(cheaper.first().copied())
    }

    /// Sorts subjects by their medians.
    pub(crate) fn sort_by_median(&self, subjects: &mut [usize]) {
        let cost = |subject: usize| self.medians[subject].unwrap_or(f64::INFINITY);
        subjects.sort_by(|&one, &other| cost(one).total_cmp(&cost(other)));
    }
}

fn is_known(costs: &Costs) -> bool {
    costs.iter().any(Option::is_some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costs(figures: impl IntoIterator<Item = f64>) -> Costs {
        figures.into_iter().map(Some).collect()
    }

    fn standing(subjects: Vec<Costs>, control: Option<(usize, Costs)>) -> Standing {
        Claims::of_costs(&[Measured { subjects, control }]).standings.remove(0)
    }

    /// Twenty rounds that wobble by a few percent, around `cost`.
    fn rounds(cost: f64) -> Costs {
        costs((0..20).map(|round| cost * (1.0 + f64::from(round % 5) / 100.0)))
    }

    #[test]
    fn a_rank_is_one_and_the_number_of_those_shown_better() {
        let standing = standing(vec![rounds(10.0), rounds(20.0), rounds(10.1), rounds(30.0)], None);
        assert_eq!((0..4).map(|subject| standing.rank(subject)).collect::<Vec<_>>(), [1, 3, 1, 4].map(Some));
        assert_eq!(standing.best(), [0, 2]);
        assert_eq!(standing.reference(3), Some(0));
        assert!(standing.is_dearer(1, 0) && !standing.is_dearer(0, 1) && !standing.is_dearer(2, 0));
    }

    #[test]
    fn small_differences_are_not_claimed_however_sure() {
        let standing = standing(vec![rounds(10.0), rounds(10.49), rounds(10.51)], None);
        assert!(standing.ratio(1, 0).unwrap().interval.unwrap().0 > 1.0, "it is sure");
        assert!(!standing.is_dearer(1, 0) && standing.is_dearer(2, 0));
    }

    #[test]
    fn what_the_control_differs_by_is_not_claimed() {
        let dear = standing(vec![rounds(10.0), rounds(11.0)], Some((0, rounds(10.0))));
        assert!(dear.is_dearer(1, 0) && !dear.differs_from_itself());
        let wild = standing(vec![rounds(10.0), rounds(11.0)], Some((0, rounds(8.0))));
        assert!(!wild.is_dearer(1, 0) && wild.differs_from_itself());
        assert!((wild.floor() - 1.25).abs() < 1e-9);
    }

    #[test]
    fn few_rounds_show_nothing() {
        let few = |cost: f64| rounds(cost)[..5].to_vec();
        let standing = standing(vec![few(10.0), few(1000.0)], None);
        assert!(!standing.can_tell() && !standing.is_dearer(1, 0));
        assert_eq!((standing.rank(0), standing.rank(1)), (None, None));
    }

    #[test]
    fn a_server_of_unknown_cost_has_no_rank_and_a_failed_round_no_ratio() {
        let mut holes = rounds(20.0);
        holes[3] = None;
        let standing = standing(vec![rounds(10.0), vec![None; 20], holes], None);
        assert_eq!((0..3).map(|subject| standing.rank(subject)).collect::<Vec<_>>(), [Some(1), None, Some(2)]);
        assert_eq!(standing.ratio(2, 0).unwrap().ratio, 2.0);
    }

    #[test]
    fn comparisons_are_those_of_all_scenarios_and_their_controls() {
        let measured = || Measured { subjects: vec![rounds(1.0); 7], control: Some((6, rounds(1.0))) };
        assert_eq!(Claims::of_costs(&[measured(), measured()]).comparisons, 2 * (21 + 1));
    }
}
