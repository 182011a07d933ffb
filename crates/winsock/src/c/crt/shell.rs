//! `system`: what Windows's programs ask of its shell is done here, anything else by the system's shell.

use std::ffi::{CStr, c_char, c_int};

use super::console::_getch;

/// Runs a command. `pause`, `cls`, `title`, `color`, `chcp` and `mode` are known here; the last four do nothing.
///
/// # Safety
/// `command` is null or ends with a zero.
#[unsafe(export_name = "ws_system")]
pub unsafe extern "system" fn system(command: *const c_char) -> c_int {
    if !command.is_null() {
        // SAFETY: the caller's promise.
        let text = unsafe { CStr::from_ptr(command) }.to_string_lossy();
        if let Some(parts) = text.split('&').map(str::trim).filter(|part| !part.is_empty()).map(known).collect() {
            let parts: Vec<Known> = parts;
            if !parts.is_empty() {
                parts.into_iter().for_each(run);
                return 0;
            }
        }
    }
    // SAFETY: the caller's promise.
    unsafe { libc::system(command) }
}

/// What is known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    Pause { is_silent: bool },
    Clear,
    Nothing,
}

/// One command, without `&`.
pub(super) fn known(command: &str) -> Option<Known> {
    let end = command.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(command.len());
    match command[..end].to_ascii_lowercase().as_str() {
        "pause" => Some(Known::Pause { is_silent: command[end..].contains('>') }),
        "cls" => Some(Known::Clear),
        "title" | "color" | "chcp" | "mode" => Some(Known::Nothing),
        _ => None,
    }
}

fn run(command: Known) {
    match command {
        Known::Pause { is_silent } => {
            if !is_silent {
                show(c"Press any key to continue . . . ");
            }
            _getch();
            if !is_silent {
                show(c"\n");
            }
        }
        Known::Clear => {
            // SAFETY: takes a number.
            if unsafe { libc::isatty(libc::STDOUT_FILENO) } == 1 {
                show(c"\x1b[H\x1b[2J\x1b[3J");
            }
        }
        Known::Nothing => {}
    }
}

/// Prints by C's stdio, in the order of what the program prints.
fn show(text: &CStr) {
    // SAFETY: a text, no format.
    unsafe {
        libc::printf(c"%s".as_ptr(), text.as_ptr());
        libc::fflush(std::ptr::null_mut());
    }
}
