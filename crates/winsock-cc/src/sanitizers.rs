//! What programs under ThreadSanitizer are built with.
//!
//! `libwinsock` is not instrumented, so ThreadSanitizer cannot see that SetEvent in one thread comes before what
//! WaitForSingleObject lets go on in another. `libwinsock_tsan` tells it: by functions that stand before those of
//! `libwinsock`, in the program's own objects only (the linker's `--wrap`). Programs without the sanitizer have nothing of
//! it. See `tsan/keys.h`.

use std::ffi::OsString;
use std::path::Path;

/// The functions that `libwinsock_tsan` has something to tell of, one a line.
const WRAPPED: &str = include_str!("../tsan/wrapped.txt");

/// Whether threads are checked after this option, if they were or not before it.
pub(crate) fn checks_threads(option: &str, before: bool) -> bool {
    let names = |list: &str| list.split(',').any(|name| name == "thread" || name == "all");
    match (option.strip_prefix("-fsanitize="), option.strip_prefix("-fno-sanitize=")) {
        (Some(list), _) if names(list) => true,
        (_, Some(list)) if names(list) => false,
        _ => before,
    }
}

/// So that what is `volatile` is read and written as Visual C++ does it. See `tsan/volatiles.c`.
pub(crate) fn compiler_flags(is_clang: bool) -> Vec<OsString> {
    let flags: &[&str] = match is_clang {
        true => &["-mllvm", "-tsan-distinguish-volatile=1"],
        false => &["--param=tsan-distinguish-volatile=1"],
    };
    flags.iter().map(OsString::from).collect()
}

/// What a program, or a library that is shared, is linked with before `libwinsock`.
pub(crate) fn link_flags(lib: &Path, is_shared: bool) -> Vec<OsString> {
    let wraps: String = WRAPPED.lines().map(|name| format!(",--wrap=ws_{name}")).collect();
    // Suppressions are a program's.
    let suppressions = (!is_shared).then(|| lib.join("winsock_tsan.o").into_os_string());
    suppressions.into_iter().chain([format!("-Wl{wraps}").into(), "-lwinsock_tsan".into()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_option_decides() {
        let after = |options: &[&str]| options.iter().fold(false, |before, option| checks_threads(option, before));
        assert!(after(&["-fsanitize=thread"]) && after(&["-fsanitize=undefined,thread", "-O2"]));
        assert!(!after(&["-fsanitize=address"]) && !after(&["-fsanitize=thread", "-fno-sanitize=all"]));
        assert!(after(&["-fno-sanitize=thread", "-fsanitize=thread", "-fno-sanitize=address"]));
    }
}
