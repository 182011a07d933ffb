//! What C's macros do, with this project's headers (SEMANTICS S1, S4, S5). On Windows they are the system's.
#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

use std::path::Path;
use std::process::Command;

#[test]
fn s1_s4_s5_sets_in_c() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = std::env::temp_dir().join(format!("conformance-sets-{}", std::process::id()));
    let built = Command::new("cc")
        .args(["-Wall", "-Werror", "-D_WIN32", "-D_WIN64", "-U__linux__", "-isystem"])
        .arg(here.join("../winsock/include"))
        .args(["-include", "ws_keywords.h"])
        // It calls nothing of the library: what the headers define beside the macros is left out.
        .args(["-ffunction-sections", "-Wl,--gc-sections"])
        .arg(here.join("tests/c/sets.c"))
        .arg("-o")
        .arg(&program)
        .status()
        .expect("a C compiler");
    assert!(built.success(), "sets.c does not build");
    let outcome = Command::new(&program).status().expect("the program runs");
    std::fs::remove_file(&program).expect("it is there");
    assert_eq!(outcome.code(), Some(0), "the number of the check that failed");
}
