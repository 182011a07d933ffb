//! What a server says at its end that it has done, and whether that agrees with what its clients did.

use super::ledger::Counts;
use std::collections::BTreeMap;
use std::fmt;

/// The numbers of the line that `pentaport serve` prints when it stops, by their names.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Totals(BTreeMap<String, u64>);

impl Totals {
    /// Reads `pentaport: stopped: 3 accepted, 2 closed, …; 10 bytes in, 10 bytes out`.
    pub(super) fn parse(text: &str) -> Option<Totals> {
        let line = text.lines().find_map(|line| line.strip_prefix("pentaport: stopped: "))?;
        let number = |part: &str| {
            let (number, name) = part.split_once(' ')?;
            Some((name.to_owned(), number.parse().ok()?))
        };
        line.split([',', ';']).map(|part| number(part.trim())).collect::<Option<_>>().map(Totals)
    }

    /// 0 is not printed for what rarely happens.
    pub(super) fn get(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    /// In what the server's account does not agree with the clients', of whom `left` were still there at its end.
    pub(super) fn contradictions(&self, clients: &Counts, left: u64) -> Vec<String> {
        let [accepted, closed] = ["accepted", "closed"].map(|name| self.get(name));
        let ended: u64 = ["closed", "reset", "timed out", "stopped", "failed"].map(|name| self.get(name)).iter().sum();
        let [bytes_in, bytes_out] = ["bytes in", "bytes out"].map(|name| self.get(name));
        let mut contradictions = Vec::new();
        let mut must = |holds: bool, what: String| {
            if !holds {
                contradictions.push(what);
            }
        };
        must(accepted == ended, format!("{accepted} connections accepted, {ended} ended"));
        for never in ["refused", "timed out", "failed", "thread errors"] {
            must(self.get(never) == 0, format!("{} {never}", self.get(never)));
        }
        must(self.get("stopped") <= left, format!("{} stopped, {left} were there", self.get("stopped")));
        let shortages = self.get("accept errors");
        must(clients.limit_moves > 0 || shortages == 0, format!("{shortages} accept errors without a limit"));
        must(accepted >= clients.answered, format!("{accepted} accepted, {} answered", clients.answered));
        let attempted = clients.connections();
        must(accepted <= attempted, format!("{accepted} accepted, {attempted} attempted"));
        must(closed >= clients.in_order, format!("{closed} closed, {} ended in order", clients.in_order));
        must(bytes_out >= clients.bytes_back, format!("{bytes_out} bytes out, {} came back", clients.bytes_back));
        must(bytes_in >= bytes_out, format!("{bytes_in} bytes in, {bytes_out} out"));
        contradictions
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(|(name, number)| format!("{number} {name}")).collect();
        f.write_str(&numbers.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str =
        "pentaport: stopped: 10 accepted, 6 closed, 3 reset, 1 stopped, 4 accept errors; 90 bytes in, 80 bytes out\n";

    fn clients() -> Counts {
        Counts {
            attempted: 8,
            load_connections: 3,
            answered: 9,
            in_order: 6,
            bytes_back: 80,
            limit_moves: 2,
            ..Counts::default()
        }
    }

    fn contradictions(line: &str, clients: &Counts, left: u64) -> Vec<String> {
        Totals::parse(line).unwrap().contradictions(clients, left)
    }

    #[test]
    fn totals_are_read_by_their_names() {
        let totals = Totals::parse(LINE).unwrap();
        assert_eq!(["closed", "accept errors", "bytes out", "refused"].map(|name| totals.get(name)), [6, 4, 80, 0]);
        assert_eq!(Totals::parse("pentaport: stopped: many accepted"), None);
        assert_eq!(Totals::parse(""), None);
    }

    #[test]
    fn accounts_that_agree_have_no_contradiction() {
        assert!(contradictions(LINE, &clients(), 1).is_empty());
    }

    #[test]
    fn each_contradiction_is_told() {
        for (this, that, told) in [
            ("6 closed", "7 closed", "10 connections accepted, 11 ended"),
            ("6 closed", "5 closed, 1 failed", "1 failed"),
            ("6 closed", "6 closed, 1 refused", "1 refused"),
            ("6 closed, 3 reset", "5 closed, 4 reset", "5 closed, 6 ended in order"),
            ("80 bytes out", "79 bytes out", "79 bytes out, 80 came back"),
            ("90 bytes in", "79 bytes in", "79 bytes in, 80 out"),
        ] {
            let found = contradictions(&LINE.replace(this, that), &clients(), 1);
            assert!(found.iter().any(|found| found == told), "{that}: {found:?}");
        }
        assert_eq!(contradictions(LINE, &clients(), 0), ["1 stopped, 0 were there"]);
        let told = |clients| contradictions(LINE, &clients, 1);
        assert_eq!(told(Counts { limit_moves: 0, ..clients() }), ["4 accept errors without a limit"]);
        assert_eq!(told(Counts { answered: 11, ..clients() }), ["10 accepted, 11 answered"]);
        assert_eq!(told(Counts { attempted: 6, ..clients() }), ["10 accepted, 9 attempted"]);
    }
}
