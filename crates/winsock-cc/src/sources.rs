//! The program's own files, translated into a temporary folder.
//!
//! A source is translated, and each header that it reaches and that is the program's own: found in its folder or a folder
//! of `-I` that is not the system's. Each file has one copy, in a folder of its own and by its own name, and its directives
//! name the copies of others by their full paths; so `#pragma once` works, and no file is found by chance. The first line
//! of a copy is a `#line` with the original's name.

use crate::arguments::{Arguments, language_of};
use crate::encoding;
use crate::folders::Folders;
use crate::libraries::{Library, complaint, library, plain};
use crate::scratch::Scratch;
use crate::translate::{Language, Surroundings, prologue, translate};
use anyhow::Context;
use encoding_rs::Encoding;
use std::collections::HashMap;
use std::ffi::OsString;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::{fs, io};

/// What the system's headers lie below: they are not the program's, whatever `-I` says.
const SYSTEM: [&str; 3] = ["/usr/include", "/usr/local/include", "/usr/lib"];

/// What stands before every source: Microsoft's keywords, which need no header there; and what newer compilers refuse in C
/// and Microsoft's does not, warned of as by older ones.
const BEFORE: &str = "\
#include <ws_keywords.h>
#if !defined __cplusplus && (__GNUC__ >= 14 || __clang_major__ >= 16)
#pragma GCC diagnostic warning \"-Wint-conversion\"
#pragma GCC diagnostic warning \"-Wincompatible-pointer-types\"
#pragma GCC diagnostic warning \"-Wimplicit-function-declaration\"
#pragma GCC diagnostic warning \"-Wimplicit-int\"
#endif
";

/// A file and its translation.
#[derive(Debug)]
pub(crate) struct Copy {
    /// As messages name it.
    pub(crate) original: PathBuf,
    pub(crate) copy: PathBuf,
    pub(crate) encoding: &'static str,
    pub(crate) changes: Vec<String>,
    /// Whether it was named on the command line.
    pub(crate) is_source: bool,
}

/// All the copies of one run, and what finding them takes.
pub(crate) struct Sources<'a> {
    pub(crate) scratch: Scratch,
    pub(crate) copies: Vec<Copy>,
    /// The headers that `-include` names, as directives.
    before: String,
    /// The program's own libraries that a `#pragma comment(lib)` names.
    pub(crate) libraries: Vec<OsString>,
    by_file: HashMap<PathBuf, PathBuf>,
    folders: Folders,
    include: &'a Path,
    /// The folders of the compiler's own headers, once they were asked for.
    system_folders: Option<Vec<PathBuf>>,
    ask_system_folders: Box<dyn Fn() -> Vec<PathBuf> + 'a>,
    quote_folders: Vec<PathBuf>,
    include_folders: Vec<PathBuf>,
    library_folders: Vec<PathBuf>,
    links: bool,
    named: Option<&'static Encoding>,
}

impl<'a> Sources<'a> {
    /// For a command line, with winsock's headers in this folder.
    pub(crate) fn new(
        arguments: &Arguments,
        include: &'a Path,
        ask_system_folders: impl Fn() -> Vec<PathBuf> + 'a,
    ) -> anyhow::Result<Self> {
        Ok(Sources {
            scratch: Scratch::new().context("a temporary folder")?,
            copies: Vec::new(),
            before: String::new(),
            libraries: Vec::new(),
            by_file: HashMap::new(),
            folders: Folders::default(),
            include,
            system_folders: None,
            ask_system_folders: Box::new(ask_system_folders),
            quote_folders: arguments.quote_folders.clone(),
            include_folders: arguments.include_folders.clone(),
            library_folders: arguments.library_folders.clone(),
            links: arguments.goal == crate::arguments::Goal::Link,
            named: arguments.encoding,
        })
    }

    /// Translates a source of the command line: its copy.
    pub(crate) fn source(&mut self, path: &Path, language: Language) -> anyhow::Result<PathBuf> {
        let (shown, bytes) = if path == Path::new("-") {
            let mut bytes = Vec::new();
            io::stdin().read_to_end(&mut bytes).context("standard input")?;
            (PathBuf::from("<stdin>"), bytes)
        } else {
            (path.to_owned(), fs::read(path).with_context(|| path.display().to_string())?)
        };
        self.translate(&shown, &bytes, Some(language), &[], None).context("a temporary file")
    }

    /// Includes a header that `-include` names in the sources to come.
    pub(crate) fn include_first(&mut self, name: &str) {
        let name = format!("\"{name}\"");
        let found = self.resolve(&name, &[PathBuf::new()]).unwrap_or(name);
        self.before += &format!("#include {found}\n");
    }

    /// A text in which the copies are called by the names of the originals.
    pub(crate) fn with_original_names(&self, text: &[u8], escape: impl Fn(&str) -> String) -> Vec<u8> {
        let mut text = String::from_utf8_lossy(text).into_owned();
        for entry in &self.copies {
            text = text.replace(&*entry.copy.to_string_lossy(), &escape(&entry.original.to_string_lossy()));
        }
        text.into_bytes()
    }

    /// Writes the copy of a file that was reached through these folders.
    fn translate(
        &mut self,
        shown: &Path,
        bytes: &[u8],
        language: Option<Language>,
        outer: &[PathBuf],
        file: Option<PathBuf>,
    ) -> io::Result<PathBuf> {
        let folder = self.scratch.path().join(self.copies.len().to_string());
        fs::create_dir(&folder)?;
        let copy = folder.join(name_of_copy(shown));
        if let Some(file) = file {
            self.by_file.insert(file, copy.clone());
        }
        let source = encoding::decode(bytes, self.named);
        let at = self.copies.len();
        self.copies.push(Copy {
            original: shown.to_owned(),
            copy: copy.clone(),
            encoding: source.encoding,
            changes: Vec::new(),
            is_source: outer.is_empty(),
        });
        let own = shown.parent().map(Path::to_owned).unwrap_or_default();
        let chain = [outer, &[own]].concat();
        let translation = translate(&source.text, language, &mut Inside { sources: self, chain });
        let name = shown.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\"");
        let before = match outer {
            [] => format!("{BEFORE}{}{}", self.before, prologue(&translation.text)),
            _ => String::new(),
        };
        let text = format!("{before}#line 1 \"{name}\"\n{}", translation.text);
        fs::write(&copy, text)?;
        self.copies[at].changes = translation.changes;
        Ok(copy)
    }

    /// What to include for this name in a file that was reached through these folders, its own the last.
    fn resolve(&mut self, name: &str, chain: &[PathBuf]) -> Option<String> {
        let bare = name.trim_matches(['"', '<', '>']);
        let nearest: Vec<PathBuf> = match name.starts_with('"') {
            true => chain.iter().rev().chain(&self.quote_folders).cloned().collect(),
            false => Vec::new(),
        };
        for folder in nearest.into_iter().chain(self.include_folders.clone()) {
            let Some(found) = self.folders.find(&folder, bare) else { continue };
            let shown = folder.join(&found);
            let Ok(file) = shown.canonicalize() else { continue };
            if file.starts_with(self.include) {
                return Some(format!("<{}>", found.display()));
            }
            if SYSTEM.iter().any(|system| file.starts_with(system)) {
                let is_searched = self.include_folders.contains(&folder);
                return Some(if is_searched {
                    format!("<{}>", found.display())
                } else {
                    format!("\"{}\"", file.display())
                });
            }
            return self.header(&shown, file, chain).map(|copy| format!("\"{}\"", copy.display()));
        }
        if let Some(found) = self.folders.find(self.include, bare) {
            return Some(format!("<{}>", found.display()));
        }
        if bare.contains('\\') || bare.chars().any(char::is_uppercase) {
            let folders = self.system_folders.get_or_insert_with(&self.ask_system_folders).clone();
            let found = folders.iter().find_map(|folder| self.folders.find(folder, bare));
            return found.map(|found| format!("<{}>", found.display()));
        }
        None
    }

    /// The copy of a header; `None` if it cannot be read, which the compiler says better.
    fn header(&mut self, shown: &Path, file: PathBuf, chain: &[PathBuf]) -> Option<PathBuf> {
        if let Some(copy) = self.by_file.get(&file) {
            return Some(copy.clone());
        }
        let bytes = fs::read(&file).ok()?;
        self.translate(shown, &bytes, language_of(&file, Language::C), chain, Some(file)).ok()
    }

    /// Whether there is a library for a `#pragma comment(lib)`.
    fn library(&mut self, name: &str) -> Result<(), String> {
        match library(name) {
            Library::Provided => Ok(()),
            _ if self.has_library(name) => {
                self.libraries.push(format!("-l{}", plain(name)).into());
                Ok(())
            }
            Library::Missing => Err(complaint(name)),
            // Where nothing is linked, it is not yet known what will be.
            Library::Other if !self.links => Ok(()),
            Library::Other => Err(complaint(name)),
        }
    }

    /// Whether a folder of `-L` has this library.
    pub(crate) fn has_library(&self, name: &str) -> bool {
        let has = |suffix: &str| {
            let file = format!("lib{}{suffix}", plain(name));
            self.library_folders.iter().any(|folder| folder.join(&file).is_file())
        };
        has(".so") || has(".a")
    }
}

/// The file name of a copy: the original's, its suffix as gcc knows it.
fn name_of_copy(shown: &Path) -> PathBuf {
    let name = match shown.components().next_back() {
        Some(Component::Normal(name)) if shown != Path::new("<stdin>") => PathBuf::from(name),
        _ => PathBuf::from("stdin"),
    };
    match shown.extension().map(|extension| extension.to_string_lossy().to_lowercase()) {
        Some(extension) if language_of(shown, Language::C).is_some() => name.with_extension(extension),
        _ => name,
    }
}

/// A file that is being translated.
struct Inside<'s, 'a> {
    sources: &'s mut Sources<'a>,
    chain: Vec<PathBuf>,
}

impl Surroundings for Inside<'_, '_> {
    fn header(&mut self, name: &str) -> Option<String> {
        self.sources.resolve(name, &self.chain)
    }

    fn library(&mut self, name: &str) -> Result<(), String> {
        self.sources.library(name)
    }
}
