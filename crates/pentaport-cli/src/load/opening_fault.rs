//! What the user is told when the connections of a load cannot be opened.

use super::LoadOptions;
use super::fault::Fault;
use super::opening::Progress;
use super::pattern::Mismatch;
use crate::address;
use crate::failure::Failure;
use crate::text::{count, duration, plural};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Why the connections are not open.
#[derive(Debug)]
pub(super) struct OpeningFault {
    /// The connection that failed, counted from 1.
    pub(super) number: usize,
    pub(super) fault: Fault,
}

impl OpeningFault {
    /// The error for the user, when every worker has given up. That the server is no echo server is said only if not one
    /// connection got a right byte.
    pub(super) fn error(&self, options: &LoadOptions, progress: &Progress) -> anyhow::Error {
        let address = options.address;
        let (number, of) = (self.number, options.connections + options.idle);
        let answered = progress.answered.load(Ordering::Relaxed);
        let which = if of == 1 { String::new() } else { format!(" (connection {number} of {of})") };
        let not_echo = |why: String| {
            Failure::new(
                format!("{address} is not an echo server: {why}{which}"),
                "the server must send back every byte that it receives: `pentaport serve` does",
            )
        };
        let failure = match &self.fault {
            Fault::Connect { error, timeout } => {
                let error = anyhow::Error::new(address::cannot_connect(address, error, *timeout));
                // The first one needs no number: nothing works.
                return if number == 1 { error } else { error.context(format!("connection {number} of {of}")) };
            }
            Fault::NoAnswer { sent, received: 0, timeout } if answered == 0 => {
                not_echo(format!("it took {} and sent nothing back for {}", plural(*sent, "byte"), duration(*timeout)))
            }
            Fault::NoAnswer { received: 0, timeout, .. } => {
                let unanswered = progress.unanswered.load(Ordering::Relaxed);
                Failure::new(no_answer(options, unanswered, answered, *timeout), NO_ANSWER_HINT)
            }
            Fault::Unasked if answered == 0 => not_echo("it sends bytes that nobody sent to it".to_owned()),
            // The first bytes of something else may be right by chance.
            Fault::WrongByte(Mismatch { position: 0..4, .. }) if answered == 0 => not_echo(self.fault.to_string()),
            fault => Failure::new(format!("{address}: {fault}{which}"), fault.hint()),
        };
        failure.into()
    }
}

const NO_ANSWER_HINT: &str = "the server may be out of descriptors or full: its own output may say so; raise its limit \
                              (`ulimit -n`), or try fewer connections or a longer --timeout";

fn no_answer(options: &LoadOptions, unanswered: u64, answered: u64, timeout: Duration) -> String {
    format!(
        "{}: {} of {} got no answer, the first of them for {}; {} did",
        options.address,
        count(unanswered),
        plural(options.connections as u64, "connection"),
        duration(timeout),
        count(answered)
    )
}
