//! In which order subjects are measured in each round.
//!
//! What one measurement leaves behind (a warm cache, a raised clock, closed connections that the system still clears away)
//! falls to the next, and what else runs on the machine may come by fits that have a beat. So the order turns: rounds come in
//! blocks of the rows of a Williams design, in which each subject takes each place once and follows each other one equally
//! often. Which subject is which of the design, and in which order its rows come, is drawn anew for each block: so nothing
//! that has a beat can keep in step with a subject, and under whatever load, of two subjects that cost the same each is as
//! likely as the other to look dearer in a round. That is all that the intervals ask for.

/// Draws orders of `subjects`, round by round.
pub(super) struct Orders {
    subjects: usize,
    random: Random,
    /// Rows of the block that are to come.
    block: Vec<Vec<usize>>,
}

impl Orders {
    pub(super) fn new(subjects: usize, seed: u64) -> Orders {
        Orders { subjects, random: Random(seed), block: Vec::new() }
    }

    /// The order of the next round.
    pub(super) fn draw(&mut self) -> Vec<usize> {
        if self.block.is_empty() {
            let mut labels: Vec<usize> = (0..self.subjects).collect();
            self.random.shuffle(&mut labels);
            self.block = (0..self.subjects.max(1))
                .map(|row| williams(self.subjects, row).into_iter().map(|place| labels[place]).collect())
                .collect();
            self.random.shuffle(&mut self.block);
        }
        self.block.pop().unwrap_or_default()
    }
}

/// Row `row`: 0, 1, n-1, 2, n-2, … moved on by one in each row. An odd number of subjects takes the reverse as well, which
/// every other row is.
fn williams(subjects: usize, row: usize) -> Vec<usize> {
    let zigzag = |place: usize| if place % 2 == 1 { place.div_ceil(2) } else { subjects - place / 2 };
    let mut order: Vec<usize> = (0..subjects).map(|place| (zigzag(place) + row) % subjects).collect();
    if subjects % 2 == 1 && row % 2 == 1 {
        order.reverse();
    }
    order
}

/// SplitMix64.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = (self.next() % (last as u64 + 1)) as usize;
            items.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_has_every_subject_once() {
        for subjects in 1..20 {
            let mut orders = Orders::new(subjects, 1);
            for _ in 0..40 {
                let mut sorted = orders.draw();
                sorted.sort_unstable();
                assert_eq!(sorted, (0..subjects).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn each_subject_follows_each_other_one_and_takes_each_place_equally_often() {
        for subjects in (2..20).step_by(2) {
            let mut orders = Orders::new(subjects, 7);
            let mut followed = vec![vec![0; subjects]; subjects];
            let mut places = vec![vec![0; subjects]; subjects];
            for _ in 0..subjects * 2 {
                let order = orders.draw();
                order.windows(2).for_each(|pair| followed[pair[0]][pair[1]] += 1);
                order.iter().enumerate().for_each(|(place, &subject)| places[subject][place] += 1);
            }
            for (first, row) in followed.iter().enumerate() {
                for (second, &times) in row.iter().enumerate() {
                    assert_eq!(times, if first == second { 0 } else { 2 }, "{subjects}: {first} before {second}");
                }
            }
            assert!(places.iter().flatten().all(|&times| times == 2), "{subjects}: {places:?}");
        }
    }

    #[test]
    fn two_seeds_give_two_orders() {
        let drawn = |seed| {
            let mut orders = Orders::new(8, seed);
            (0..8).map(|_| orders.draw()).collect::<Vec<_>>()
        };
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
    }
}
