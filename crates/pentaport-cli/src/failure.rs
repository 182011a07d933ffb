//! What the user is told when something is wrong: one line that says what, one hint that says what
//! to do, and an exit status — 1, or 2 for a command line that makes no sense.
//! Who interrupts a measurement needs no hint.

use crate::interrupt::{self, Interrupted};
use crate::output::ReaderLeft;
use std::fmt;
use std::io;
use std::process::ExitCode;

/// An error together with what to do about it.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    hint: String,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>, hint: impl Into<String>) -> Failure {
        Failure { message: message.into(), hint: hint.into() }
    }

    /// What to do about it.
    pub(crate) fn hint(&self) -> &str {
        &self.hint
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Prints `error` for the user and returns the exit status that goes with it.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    if error.is::<ReaderLeft>() {
        // `pentaport … | head` has what it wanted.
        return ExitCode::SUCCESS;
    }
    if error.is::<Interrupted>() {
        use std::io::Write;
        let _ = writeln!(io::stderr(), "pentaport: {error}");
        return ExitCode::from(interrupt::STATUS);
    }
    tell(&format!("{error:#}"), &hint(error));
    ExitCode::FAILURE
}

/// Prints what is wrong with the command line, or the help that was asked for.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = error.print();
        return ExitCode::from(2);
    }
    let (message, tip) = usage_lines(&error.render().to_string());
    tell(&message, &tip.unwrap_or_else(|| "`pentaport help COMMAND` lists the options".into()));
    ExitCode::from(2)
}

fn tell(message: &str, hint: &str) {
    use std::io::Write;
    // Nobody is left to be told if this fails.
    let _ = writeln!(io::stderr(), "pentaport: {}\nhint: {}", one_line(message), one_line(hint));
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// clap writes a paragraph that says what is wrong, tips, and the usage.
fn usage_lines(rendered: &str) -> (String, Option<String>) {
    let mut paragraphs = rendered.split("\n\n");
    let message = paragraphs.next().unwrap_or_default();
    let message = message.strip_prefix("error: ").unwrap_or(message).to_owned();
    let tip = paragraphs.find_map(|paragraph| paragraph.trim_start().strip_prefix("tip: ").map(str::to_owned));
    (message, tip)
}

fn hint(error: &anyhow::Error) -> String {
    if let Some(failure) = error.downcast_ref::<Failure>() {
        return failure.hint.clone();
    }
    let kind = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    match kind {
        Some(io::ErrorKind::ConnectionRefused) => {
            "nothing listens there: start a server, for example `pentaport serve`"
        }
        Some(io::ErrorKind::TimedOut) => "is the host up, and does a firewall let this through?",
        Some(io::ErrorKind::PermissionDenied) => "ports below 1024 and some files need privileges",
        _ => "`pentaport help` lists the commands, `pentaport help COMMAND` their options",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usage_error_becomes_its_first_paragraph_and_its_tip() {
        let (message, tip) = usage_lines(
            "error: unexpected argument '--conections' found\n\n  tip: a similar argument exists: \
             '--connections'\n\nUsage: pentaport load\n",
        );
        assert_eq!(message, "unexpected argument '--conections' found");
        assert_eq!(tip.as_deref(), Some("a similar argument exists: '--connections'"));
        let (message, tip) =
            usage_lines("error: the following required arguments were not provided:\n  <ADDR:PORT>\n\nUsage: x");
        assert_eq!(one_line(&message), "the following required arguments were not provided: <ADDR:PORT>");
        assert_eq!(tip, None);
    }
}
