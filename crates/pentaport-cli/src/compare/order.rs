//! In which order subjects are measured in each round.
//!
//! What one measurement leaves behind (a warm cache, a raised clock, closed connections that the system still clears away) falls
//! to the next. So the next is another one in each round: the rows of a Williams design, in which each subject follows each
//! other one equally often.

/// The order of round `round` of `subjects`: 0, 1, n-1, 2, n-2, … moved on by one in each round. An odd number of subjects
/// takes the reverse as well.
pub(super) fn order(subjects: usize, round: usize) -> Vec<usize> {
    let zigzag = |place: usize| if place % 2 == 1 { place.div_ceil(2) } else { subjects - place / 2 };
    let mut order: Vec<usize> = (0..subjects).map(|place| (zigzag(place) + round) % subjects).collect();
    if subjects % 2 == 1 && round % 2 == 1 {
        order.reverse();
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_has_every_subject_once() {
        for subjects in 1..20 {
            assert_eq!(order(subjects, 0)[0], 0);
            for round in 0..40 {
                let mut sorted = order(subjects, round);
                sorted.sort_unstable();
                assert_eq!(sorted, (0..subjects).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn each_subject_follows_each_other_one_equally_often() {
        for subjects in 2..20 {
            let mut followed = vec![vec![0; subjects]; subjects];
            for round in 0..subjects * 2 {
                for pair in order(subjects, round).windows(2) {
                    followed[pair[0]][pair[1]] += 1;
                }
            }
            for (first, row) in followed.iter().enumerate() {
                for (second, &times) in row.iter().enumerate() {
                    assert_eq!(times, if first == second { 0 } else { 2 }, "{subjects}: {first} before {second}");
                }
            }
        }
    }
}
