//! gcc's command line, as far as one has to understand it to pass the rest on.

use crate::encoding;
use crate::libraries::{Library, library};
use crate::sanitizers::checks_threads;
use crate::translate::Language;
use anyhow::{Context, bail};
use encoding_rs::Encoding;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// Options whose value is the next argument.
const WITH_VALUE: [&str; 36] = [
    "-o",
    "-I",
    "-D",
    "-U",
    "-L",
    "-l",
    "-x",
    "-include",
    "-imacros",
    "-isystem",
    "-iquote",
    "-idirafter",
    "-iprefix",
    "-iwithprefix",
    "-iwithprefixbefore",
    "-isysroot",
    "-imultilib",
    "-MF",
    "-MT",
    "-MQ",
    "-Xlinker",
    "-Xpreprocessor",
    "-Xassembler",
    "-Xclang",
    "-T",
    "-u",
    "-z",
    "-e",
    "-A",
    "-B",
    "-G",
    "-aux-info",
    "--param",
    "-dumpbase",
    "-dumpdir",
    "-wrapper",
];

/// mingw's options that say what every program is here.
const DROPPED: [&str; 6] = ["-mconsole", "-mwindows", "-mthreads", "-mwin32", "-mno-cygwin", "-mdll"];

/// One argument, or an option and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// A source to translate; `-` is the standard input.
    Source(PathBuf, Language),
    /// The file of an `-include`.
    Forced(String),
    /// A library by `-l`, or by its file's name; and the argument as it was.
    Library(String, OsString),
    /// All else, passed on.
    Other(Vec<OsString>),
}

/// How far the compiler goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Goal {
    #[default]
    Link,
    /// An object or assembler code, or only messages.
    Compile,
    /// `-E`, or the rules for make.
    Preprocess,
}

/// A command line.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    pub(crate) items: Vec<Item>,
    pub(crate) goal: Goal,
    /// Whether anything is given to work on.
    pub(crate) has_input: bool,
    /// Whether any of that goes through the compiler, not only to the linker.
    pub(crate) compiles: bool,
    /// `-shared`: no program, so nothing begins.
    pub(crate) is_shared: bool,
    /// `-fsanitize=thread`.
    pub(crate) checks_threads: bool,
    /// `-nostdlib` and the like: the user links by hand.
    pub(crate) links_by_hand: bool,
    pub(crate) output: Option<PathBuf>,
    /// Whether rules for make are written, and where if it was said.
    pub(crate) writes_rules: bool,
    pub(crate) rules: Option<PathBuf>,
    /// The folders of `-I`, `-iquote` and `-L`.
    pub(crate) include_folders: Vec<PathBuf>,
    pub(crate) quote_folders: Vec<PathBuf>,
    pub(crate) library_folders: Vec<PathBuf>,
    /// Of `-finput-charset`.
    pub(crate) encoding: Option<&'static Encoding>,
    pub(crate) explain: bool,
    pub(crate) help: bool,
}

impl Arguments {
    /// Reads the command line of a driver for this language.
    pub(crate) fn parse(arguments: Vec<OsString>, driver: Language) -> anyhow::Result<Arguments> {
        let mut parsed = Arguments::default();
        let mut rest = expand(arguments)?.into_iter();
        let mut language = Selected::ByName;
        while let Some(argument) = rest.next() {
            let text = argument.to_string_lossy().into_owned();
            if !text.starts_with('-') || text == "-" {
                parsed.input(argument, &text, language, driver);
                continue;
            }
            let (option, value) = match WITH_VALUE.into_iter().find(|option| *option == text) {
                Some(option) => {
                    let Some(value) = rest.next() else { bail!("{option} needs a value") };
                    (option.to_owned(), Some(value))
                }
                None => (text, None),
            };
            if option == "-x" || option.starts_with("-x") && value.is_none() {
                let value = value.as_ref().map_or_else(|| option[2..].into(), |value| value.to_string_lossy());
                language = Selected::by_option(&value);
                if value.ends_with("-header") {
                    parsed.goal = parsed.goal.max(Goal::Compile);
                }
            }
            parsed.option(argument, &option, value)?;
        }
        Ok(parsed)
    }

    /// Whether any source is in this language.
    pub(crate) fn has_source_in(&self, language: Language) -> bool {
        self.items.iter().any(|item| matches!(item, Item::Source(_, source) if *source == language))
    }

    /// The sources.
    pub(crate) fn sources(&self) -> impl Iterator<Item = &Path> {
        self.items.iter().filter_map(|item| match item {
            Item::Source(path, _) => Some(path.as_path()),
            _ => None,
        })
    }

    fn input(&mut self, argument: OsString, text: &str, language: Selected, driver: Language) {
        self.has_input = true;
        let language = match language {
            Selected::ByName => language_of(Path::new(&argument), driver),
            Selected::Language(language) => Some(language),
            Selected::Other => None,
        };
        self.compiles |= !is_linked(text);
        self.items.push(match language {
            Some(language) => Item::Source(argument.into(), language),
            None if is_library(text) => Item::Library(text.to_owned(), argument),
            None => Item::Other(vec![argument]),
        });
    }

    fn option(&mut self, argument: OsString, option: &str, value: Option<OsString>) -> anyhow::Result<()> {
        let text = value.as_ref().map(|value| value.to_string_lossy().into_owned());
        // The value of an option that takes it with or without a blank.
        let joined = |name: &str| match &value {
            Some(value) => (option == name).then(|| value.clone()),
            None => option.strip_prefix(name).filter(|rest| !rest.is_empty()).map(OsString::from),
        };
        match option {
            "-c" | "-S" | "-fsyntax-only" => self.goal = self.goal.max(Goal::Compile),
            "-E" => self.goal = Goal::Preprocess,
            "-M" | "-MM" => {
                self.goal = Goal::Preprocess;
                self.writes_rules = true;
            }
            "-MD" | "-MMD" => self.writes_rules = true,
            "-shared" | "--shared" => self.is_shared = true,
            "-nostdlib" | "-nodefaultlibs" | "-r" => self.links_by_hand = true,
            "-m32" | "-mx32" => bail!("winsock is for 64-bit programs only: {option}"),
            "--help" => self.help = true,
            "--explain" => {
                self.explain = true;
                return Ok(());
            }
            "-municode" => {
                self.items.push(Item::Other(vec!["-DUNICODE=1".into()]));
                return Ok(());
            }
            _ if DROPPED.contains(&option) => return Ok(()),
            _ => {}
        }
        if let Some(path) = option.strip_prefix("-Wp,-MD,").or(option.strip_prefix("-Wp,-MMD,")) {
            (self.writes_rules, self.rules) = (true, Some(path.into()));
        }
        self.checks_threads = checks_threads(option, self.checks_threads);
        if let Some(name) = option.strip_prefix("-finput-charset=") {
            self.encoding = Some(encoding::named(name).with_context(|| format!("no encoding is called {name}"))?);
            return Ok(());
        }
        if let Some(name) = joined("-l").or_else(|| option.strip_prefix("-Wl,-l").map(OsString::from)) {
            self.has_input = true;
            let mut whole = OsString::from("-l");
            whole.push(&name);
            let name = name.to_string_lossy().trim_start_matches(':').to_owned();
            self.items.push(Item::Library(name, whole));
            return Ok(());
        }
        match (option, text) {
            ("-include", Some(file)) => self.items.push(Item::Forced(file)),
            _ => {
                if let Some(folder) = joined("-I") {
                    self.include_folders.push(folder.into());
                } else if let Some(folder) = joined("-iquote") {
                    self.quote_folders.push(folder.into());
                } else if let Some(folder) = joined("-L") {
                    self.library_folders.push(folder.into());
                } else if let Some(file) = joined("-MF") {
                    self.rules = Some(file.into());
                } else if let Some(file) = joined("-o") {
                    self.output = Some(file.into());
                }
                self.items.push(Item::Other([vec![argument], value.into_iter().collect()].concat()));
            }
        }
        Ok(())
    }
}

/// The language that `-x` selects for the files behind it.
#[derive(Clone, Copy)]
enum Selected {
    ByName,
    Language(Language),
    /// Nothing that is translated.
    Other,
}

impl Selected {
    fn by_option(name: &str) -> Selected {
        match name {
            "none" => Selected::ByName,
            "c" => Selected::Language(Language::C),
            "c++" => Selected::Language(Language::Cpp),
            _ => Selected::Other,
        }
    }
}

/// The language of a source by its name, which on Windows has no case: `SERVER.C` is C.
pub(crate) fn language_of(path: &Path, driver: Language) -> Option<Language> {
    match path.extension()?.to_str()?.to_lowercase().as_str() {
        "c" => Some(driver),
        "cpp" | "cc" | "cxx" | "c++" | "cp" => Some(Language::Cpp),
        _ => None,
    }
}

/// Whether a file is a library by its name: Windows's import libraries come as `.lib`, or with mingw as `.a`.
fn is_library(name: &str) -> bool {
    let lower = name.to_lowercase();
    lower.ends_with(".lib") || lower.ends_with(".a") && library(name) == Library::Provided
}

/// Whether a file is the linker's by its name.
fn is_linked(name: &str) -> bool {
    let lower = name.to_lowercase();
    [".o", ".obj", ".a", ".lib", ".so"].iter().any(|suffix| lower.ends_with(suffix)) || lower.contains(".so.")
}

/// The arguments with those of every `@file` in its place, as far as there is the file.
fn expand(arguments: Vec<OsString>) -> anyhow::Result<Vec<OsString>> {
    let mut expanded = Vec::new();
    for argument in arguments {
        let name = argument.to_string_lossy().strip_prefix('@').map(str::to_owned);
        match name.and_then(|name| fs::read_to_string(name).ok()) {
            Some(text) => expanded.extend(expand(words(&text))?),
            None => expanded.push(argument),
        }
    }
    Ok(expanded)
}

/// The words of a file of arguments: between blanks, with quotes and backslashes as gcc has them.
fn words(text: &str) -> Vec<OsString> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => word.get_or_insert_default().extend(characters.next()),
            c if quote == Some(c) => quote = None,
            c if quote.is_some() => word.get_or_insert_default().push(c),
            '"' | '\'' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            c if c.is_whitespace() => words.extend(word.take().map(OsString::from)),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word.map(OsString::from));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &str, driver: Language) -> Arguments {
        Arguments::parse(words(arguments), driver).expect("a command line")
    }

    fn other(arguments: &[&str]) -> Item {
        Item::Other(arguments.iter().map(OsString::from).collect())
    }

    #[test]
    fn sources_are_told_from_the_rest() {
        let parsed = parse("-O2 -o out.c a.c B.CPP x.o -D y.c -x c++ z -xnone w.s", Language::C);
        let expected = [
            other(&["-O2"]),
            other(&["-o", "out.c"]),
            Item::Source("a.c".into(), Language::C),
            Item::Source("B.CPP".into(), Language::Cpp),
            other(&["x.o"]),
            other(&["-D", "y.c"]),
            other(&["-x", "c++"]),
            Item::Source("z".into(), Language::Cpp),
            other(&["-xnone"]),
            other(&["w.s"]),
        ];
        assert_eq!(parsed.items, expected);
        assert_eq!((parsed.goal, parsed.output), (Goal::Link, Some("out.c".into())));
        assert!(parsed.compiles && !parse("x.o y.A libz.so.1 -lm -o w.c", Language::C).compiles);
        assert!(parse("A.C", Language::Cpp).has_source_in(Language::Cpp));
    }

    #[test]
    fn libraries_are_noticed() {
        let parsed = parse("-lws2_32 -l ssl Ws2_32.LIB x/libws2_32.a libmy.a -Wl,-lm -l:foo.lib", Language::C);
        let names: Vec<&str> = parsed
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Library(name, _) => Some(name.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(names, ["ws2_32", "ssl", "Ws2_32.LIB", "x/libws2_32.a", "m", "foo.lib"]);
        assert_eq!(parsed.items[1], Item::Library("ssl".into(), "-lssl".into()));
    }

    #[test]
    fn the_goal_is_the_earliest_that_was_named() {
        for (arguments, goal) in [
            ("a.c", Goal::Link),
            ("-c a.c", Goal::Compile),
            ("-x c++-header a.h", Goal::Compile),
            ("-c -E a.c", Goal::Preprocess),
            ("-E -c a.c", Goal::Preprocess),
            ("-MM a.c", Goal::Preprocess),
            ("-MMD a.c", Goal::Link),
        ] {
            assert_eq!(parse(arguments, Language::C).goal, goal, "{arguments}");
        }
    }

    #[test]
    fn folders_and_rules() {
        let parsed = parse("-Ia -I b -iquote q -Ll -MD -MF x.d -include stdafx.h --explain", Language::C);
        assert_eq!(parsed.include_folders, [Path::new("a"), Path::new("b")]);
        assert_eq!(parsed.quote_folders, [Path::new("q")]);
        assert_eq!(parsed.library_folders, [Path::new("l")]);
        assert_eq!(parsed.rules.as_deref(), Some(Path::new("x.d")));
        assert!(parsed.writes_rules && parsed.explain && !parsed.has_input);
        assert!(parsed.items.contains(&Item::Forced("stdafx.h".into())));
        assert_eq!(parse("-Wp,-MMD,y.d", Language::C).rules.as_deref(), Some(Path::new("y.d")));
    }

    #[test]
    fn what_cannot_be_is_said() {
        let error =
            |arguments: &str| Arguments::parse(words(arguments), Language::C).map(|_| ()).unwrap_err().to_string();
        assert_eq!(error("-m32 a.c"), "winsock is for 64-bit programs only: -m32");
        assert_eq!(error("a.c -o"), "-o needs a value");
        assert_eq!(error("-finput-charset=none"), "no encoding is called none");
    }

    #[test]
    fn files_of_arguments_are_read() {
        assert_eq!(words("a 'b c'\n\"d\\\"\" \\ e"), ["a", "b c", "d\"", " e"].map(OsString::from));
    }
}
