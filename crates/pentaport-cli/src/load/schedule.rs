//! When messages are due if a rate was asked for.

/// The times at which one worker's messages are due, in nanoseconds since the start.
///
/// Messages are spread evenly over time and in turn over connections: message `turn` of the
/// connection in `slot` is number `turn × slots + slot`. So each connection can tell when its next
/// message was due, however late it is, and nothing need be stored for those that wait. A latency
/// counts from there: what a slow server makes the client send late is not forgiven (that would be
/// "coordinated omission").
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    /// Nanoseconds between two messages of this worker.
    interval: f64,
    slots: u64,
    /// Of the first message, so that the workers do not all send at once.
    offset: f64,
}

impl Schedule {
    /// The share of a worker with `slots` of all `connections`, `before` of which the workers before
    /// it have, of `rate` messages per second.
    pub(crate) fn new(rate: f64, connections: usize, slots: usize, before: usize) -> Schedule {
        let all = 1e9 / rate;
        let share = slots as f64 / connections as f64;
        Schedule { interval: all / share, slots: slots as u64, offset: all * before as f64 / slots.max(1) as f64 }
    }

    /// When message `turn` of the connection in `slot` is due.
    pub(crate) fn due(&self, slot: usize, turn: u64) -> u64 {
        self.due_number(turn * self.slots + slot as u64)
    }

    /// When this worker's message `number` is due; it belongs to slot `number % slots`.
    pub(crate) fn due_number(&self, number: u64) -> u64 {
        // A float cast saturates: a time that no u64 holds is one that never comes.
        (self.offset + self.interval * number as f64) as u64
    }

    /// The first message due after `time`.
    pub(crate) fn first_after(&self, time: u64) -> u64 {
        let mut number = ((time as f64 - self.offset) / self.interval).max(0.0) as u64;
        // Rounding may leave it one off, either way.
        while self.due_number(number) <= time {
            number += 1;
        }
        while number > 0 && self.due_number(number - 1) > time {
            number -= 1;
        }
        number
    }

    /// The slot of message `number`.
    pub(crate) fn slot(&self, number: u64) -> usize {
        (number % self.slots) as usize
    }

    /// How many messages of `slot` are due before `time`.
    pub(crate) fn due_before(&self, slot: usize, time: u64) -> u64 {
        let first = self.due(slot, 0);
        if time <= first {
            return 0;
        }
        let period = self.interval * self.slots as f64;
        let mut turns = ((time - first) as f64 / period) as u64;
        // Rounding may leave it one off, either way.
        while self.due(slot, turns) < time {
            turns += 1;
        }
        while turns > 0 && self.due(slot, turns - 1) >= time {
            turns -= 1;
        }
        turns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_as_many_messages_as_the_rate_says() {
        // 1,000 a second over 7 connections, on two workers with 3 and 4.
        let total: u64 = [(3, 0), (4, 3)]
            .iter()
            .map(|&(slots, before)| {
                let schedule = Schedule::new(1000.0, 7, slots, before);
                (0..slots).map(|slot| schedule.due_before(slot, 1_000_000_000)).sum::<u64>()
            })
            .sum();
        assert!((998..=1002).contains(&total), "{total}");
    }

    #[test]
    fn due_before_counts_what_due_says() {
        let schedule = Schedule::new(12345.6, 10, 3, 4);
        for slot in 0..3 {
            for time in [0, 1, 1_000, 1_000_000, 123_456_789] {
                let counted = (0..).take_while(|&turn| schedule.due(slot, turn) < time).count() as u64;
                assert_eq!(schedule.due_before(slot, time), counted);
            }
        }
    }

    #[test]
    fn first_after_is_the_first_after() {
        let schedule = Schedule::new(12345.6, 10, 3, 4);
        for time in [0, 1, 80_999, 81_000, 1_000_000, 123_456_789] {
            let number = schedule.first_after(time);
            assert!(schedule.due_number(number) > time);
            assert!(number == 0 || schedule.due_number(number - 1) <= time);
        }
    }

    #[test]
    fn connections_take_turns() {
        let schedule = Schedule::new(100.0, 4, 4, 0);
        for number in 0..12 {
            let slot = schedule.slot(number);
            assert_eq!(schedule.due_number(number), schedule.due(slot, number / 4));
        }
    }
}
