//! What the user is told about a command line that cannot be: one line and a hint.

#![forbid(unsafe_code)]

mod common;

use common::*;

#[test]
fn values_that_cannot_be_are_refused_as_usage() {
    for (arguments, part) in [
        (&["load", "127.0.0.1:1", "--message", "0"][..], "a message has at least 1 byte"),
        (&["load", "127.0.0.1:1", "--connections", "0"], "it must be at least 1"),
        (&["load", "127.0.0.1:1", "--connections", "-1"], "it is not negative"),
        (&["load", "127.0.0.1:1", "--connections", "many"], "it is not a whole number"),
        (&["load", "127.0.0.1:1", "--threads", "0"], "it must be between 1 and 1024"),
        (&["load", "127.0.0.1:1", "--depth", "0"], "it must be between 1 and 65536"),
        (&["load", "127.0.0.1:1", "--duration", "10"], "time unit needed"),
        (&["load", "127.0.0.1:1", "-d", "-3s"], "a time is not negative"),
        (&["load", "127.0.0.1:1", "--warmup", "-3s"], "a time is not negative"),
        (&["compare", "-d", "-3s"], "a time is not negative"),
        (&["compare", "--timeout", "-3s"], "a time is not negative"),
        (&["connect", "127.0.0.1:1", "--timeout", "-1m"], "a time is not negative"),
        (&["serve", "--drain", "-5s"], "a time is not negative"),
        (&["compare", "--runs", "-1"], "it is not negative"),
        (&["load", "127.0.0.1:1", "--rate", "-5"], "it must be between 0.001"),
        (&["load", "127.0.0.1:1", "--idle", "-1"], "it is not negative"),
        (&["load", "127.0.0.1:1", "--duration", "0s"], "longer than nothing"),
        (&["load", "127.0.0.1:1", "--rate", "0"], "it must be between 0.001"),
        (&["load", "127.0.0.1:1", "--rate", "fast"], "it is not a number"),
        (&["load", "127.0.0.1:1", "--conections", "1"], "unexpected argument '--conections'"),
        (&["load", "127.0.0.1:1", "--churn", "--depth", "2"], "'--churn' cannot be used with '--depth"),
        (&["load"], "<ADDR:PORT>"),
        (&["serve", "--model", "kqueue"], "event-select, overlapped-event, overlapped-routine, completion-port"),
        (&["serve", "--threads", "0"], "it must be between 1 and 1024"),
        (&["serve", "--service", "finger"], "echo, discard, chargen, print"),
        (&["serve", "--idle-timeout", "30"], "time unit needed"),
        (&["serve", "--max-connections", "0"], "it must be at least 1"),
        (&["laod"], "unrecognized subcommand 'laod'"),
    ] {
        let line = failure(&pentaport(arguments), 2);
        assert!(line.contains(part), "{arguments:?}: {line}");
    }
}

#[test]
fn addresses_that_cannot_be_are_refused() {
    for (address, part) in [
        ("localhost", "the port is missing"),
        (":5150", "the host is missing"),
        ("localhost:http", "the port is not a number"),
        ("localhost:65536", "the port is not a number"),
        ("::1:5150:80000", "the port is not a number"),
        ("2001:db8::zz:80", "an IPv6 address stands in brackets"),
        ("no-such-host.invalid:80", "cannot resolve 'no-such-host.invalid:80'"),
    ] {
        for command in ["load", "connect"] {
            let line = failure(&pentaport(&[command, address]), 1);
            assert!(line.contains(part), "{command} {address}: {line}");
        }
    }
}

#[test]
fn help_and_version_are_no_errors() {
    for argument in ["--help", "--version"] {
        let output = pentaport(&[argument]);
        success(&output);
        assert!(stdout(&output).contains("pentaport"));
    }
}
