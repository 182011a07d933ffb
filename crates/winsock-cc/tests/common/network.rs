//! A network of a test's own, as the programs listen at ports that their sources name.

use std::env;
use std::process::Command;

/// Set in the process that runs inside.
const INSIDE: &str = "WINSOCK_CC_TEST_NETWORK";

/// The address that `client.c` connects to.
const CLIENT_CONNECTS_TO: &str = "137.117.2.148";

/// Runs this test once more in a network of its own, where only loopback is: true inside, where the test goes on. Outside,
/// fails as it does there. A system that lets nobody make networks skips the test with a word.
#[track_caller]
pub fn is_inside(test: &str) -> bool {
    if env::var_os(INSIDE).is_some() {
        return true;
    }
    let unshare = ["--map-root-user", "--net"];
    let can = Command::new("unshare").args(unshare).args(["ip", "link", "set", "lo", "up"]).output();
    if !can.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: {test}: no networks can be made here (unshare, ip)");
        return false;
    }
    let setup = format!("ip link set lo up && ip address add {CLIENT_CONNECTS_TO}/32 dev lo && exec \"$0\" \"$@\"");
    let program = env::current_exe().expect("this program");
    let output = Command::new("timeout")
        .args(["100", "unshare"])
        .args(unshare)
        .args(["sh", "-c", &setup])
        .arg(program)
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .expect("the test inside");
    let said = super::said(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1 passed"), "no test is called {test}: {said}");
    false
}
