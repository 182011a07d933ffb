//! Microsoft's C runtime, as far as libc's differs: printing with its formats, paths, `scanf_s`, the keyboard, `system("pause")`.
//! The headers have the rest, over libc.

mod console;
mod format;
mod input;
mod paths;
mod print;
mod print_wide;
mod scan;
mod shell;
#[cfg(test)]
mod tests;
mod va_list;
