//! What `--explain` prints, and `--help`.

use crate::sources::Copy;
use std::ffi::{OsStr, OsString};

pub(crate) const HELP: &str = "\
winsock-cc and winsock-c++ build Windows network programs for Linux as they are.

Usage: winsock-cc [gcc's options] [--explain] FILES
       winsock-cc --check [-finput-charset=ENCODING] DIRECTORIES AND FILES

  --explain                  print the real command and what changes in the sources; compile nothing
  --check                    say what the sources use of Windows that is not offered, and compile nothing; 1 if anything
  -finput-charset=ENCODING   of the sources; else UTF-8, UTF-16 and GBK are told apart
  -lws2_32, ws2_32.lib, …    Windows's libraries are accepted in every spelling

Environment:
  CC, CXX (or WINSOCK_CC, WINSOCK_CXX)   the compiler: gcc or clang
  WINSOCK_INCLUDE, WINSOCK_LIB           the folders of winsock's headers and libraries, in place of the installed ones
";

/// The command and the changes, in the form of a shell script.
pub(crate) fn explanation(command: &[OsString], copies: &[Copy]) -> String {
    let mut text = String::new();
    for copy in copies {
        text += &format!("# {} is translated as {}", copy.original.display(), copy.copy.display());
        if copy.encoding != "UTF-8" {
            text += &format!(", from {}", copy.encoding);
        }
        text.push('\n');
        for change in &copy.changes {
            text += &format!("#   {change}\n");
        }
    }
    let command: Vec<String> = command.iter().map(|word| quoted(word)).collect();
    text + &command.join(" ") + "\n"
}

/// A word as a shell reads it.
fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let is_plain = |c: char| c.is_alphanumeric() || "-_./=+,:@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.into_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_the_words_again() {
        assert_eq!(quoted(OsStr::new("-Wl,-rpath,/a/b")), "-Wl,-rpath,/a/b");
        assert_eq!(quoted(OsStr::new("it's a")), "'it'\\''s a'");
        assert_eq!(quoted(OsStr::new("")), "''");
    }

    #[test]
    fn an_explanation_names_what_changed() {
        let copy = Copy {
            original: "a.c".into(),
            copy: "/tmp/0/a.c".into(),
            encoding: "GBK",
            changes: vec!["line 1: x".into()],
            is_source: true,
        };
        let text = explanation(&["gcc".into(), "/tmp/0/a.c".into()], &[copy]);
        assert_eq!(text, "# a.c is translated as /tmp/0/a.c, from GBK\n#   line 1: x\ngcc /tmp/0/a.c\n");
    }
}
