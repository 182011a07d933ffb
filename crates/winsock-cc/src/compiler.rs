//! The compiler that does the work: gcc, clang, or what the environment says.

use crate::translate::Language;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a Windows source finds predefined, and what it must not find.
///
/// `_MSC_VER` stays undefined: sources that ask for it go on to use the compiler's own functions.
const MACROS: [&str; 11] = [
    "-D_WIN32=1",
    "-D_WIN64=1",
    "-DWIN32=1",
    "-D_M_X64=100",
    "-D_M_AMD64=100",
    "-U__linux__",
    "-U__linux",
    "-Ulinux",
    "-U__unix__",
    "-U__unix",
    "-Uunix",
];

/// Microsoft's compiler does not reason from types, and sources rely on it.
const ALIASING: &str = "-fno-strict-aliasing";

/// A struct's type as a member without a name, such as `struct PER_IO { OVERLAPPED; … }`. For gcc: clang's option of this
/// name brings functions of Microsoft's, which the headers have.
const MEMBERS: &str = "-fms-extensions";

/// The compiler's command, without arguments of this run.
#[derive(Debug)]
pub(crate) struct Compiler {
    words: Vec<OsString>,
}

impl Compiler {
    /// The compiler for a driver of this language.
    pub(crate) fn choose(language: Language) -> Compiler {
        let (variables, usual) = match language {
            Language::C => (["WINSOCK_CC", "CC"], "gcc"),
            Language::Cpp => (["WINSOCK_CXX", "CXX"], "g++"),
        };
        let said = variables.iter().filter_map(|variable| env::var(variable).ok());
        let mut said = said.map(|command| command.split_whitespace().map(OsString::from).collect::<Vec<_>>());
        let words = said.find(|words| words.first().is_some_and(|_| !words.iter().any(is_driver)));
        Compiler { words: words.unwrap_or_else(|| vec![usual.into()]) }
    }

    /// The command as words.
    pub(crate) fn words(&self) -> Vec<OsString> {
        self.words.clone()
    }

    /// Its flags for compiling with winsock's headers in this folder.
    pub(crate) fn flags(&self, include: &Path) -> Vec<OsString> {
        let members = Some(MEMBERS).filter(|_| !self.is_clang());
        let fixed = MACROS.into_iter().chain([ALIASING]).chain(members).map(OsString::from);
        ["-isystem".into(), include.as_os_str().to_owned()].into_iter().chain(fixed).collect()
    }

    pub(crate) fn is_clang(&self) -> bool {
        self.words
            .iter()
            .filter_map(|word| Path::new(word).file_name())
            .any(|name| name.to_string_lossy().contains("clang"))
    }

    /// The folders in which it looks for `<…>` in this language by itself.
    pub(crate) fn include_folders(&self, language: Language) -> Vec<PathBuf> {
        let name = match language {
            Language::C => "c",
            Language::Cpp => "c++",
        };
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).args(["-E", "-v", "-x", name, "/dev/null"]).env("LC_ALL", "C");
        let output = command.stdin(Stdio::null()).output();
        output.map_or_else(|_| Vec::new(), |output| search_list(&String::from_utf8_lossy(&output.stderr)))
    }
}

/// Whether the word is one of these drivers: `CC=winsock-cc` is for make, not for us.
fn is_driver(word: &OsString) -> bool {
    Path::new(word).file_name().is_some_and(|name| name == "winsock-cc" || name == "winsock-c++")
}

/// The folders in what gcc and clang say with `-v`.
fn search_list(text: &str) -> Vec<PathBuf> {
    text.lines()
        .skip_while(|line| !line.starts_with("#include <...>"))
        .skip(1)
        .take_while(|line| line.starts_with(' '))
        .map(|line| PathBuf::from(line.trim()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_list_is_read() {
        let text = "x\n#include \"...\" search starts here:\n#include <...> search starts here:\n /usr/a b\n /c\nEnd of search list.\n";
        assert_eq!(search_list(text), [Path::new("/usr/a b"), Path::new("/c")]);
        assert!(search_list("").is_empty());
    }

    #[test]
    fn no_driver_calls_itself() {
        assert!(is_driver(&"/opt/x/bin/winsock-cc".into()) && is_driver(&"winsock-c++".into()));
        assert!(!is_driver(&"gcc".into()));
    }
}
