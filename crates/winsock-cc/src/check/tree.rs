//! The files to check, and what they declare together.

use super::file::{File, Include};
use crate::encoding;
use anyhow::Context;
use encoding_rs::Encoding;
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What sources and headers end in.
const EXTENSIONS: [&str; 15] =
    ["c", "cc", "cpp", "cxx", "c++", "h", "hh", "hpp", "hxx", "h++", "inl", "inc", "ipp", "tcc", "tpp"];

/// All files, read.
#[derive(Default)]
pub(crate) struct Tree {
    pub(crate) files: Vec<File>,
    /// The names that any of them declares or defines.
    pub(crate) declared: HashSet<String>,
    /// The full paths, in lower case.
    paths: HashSet<String>,
}

impl Tree {
    /// Reads the files and what is in the folders. Of a file that is named itself, its own headers count too.
    pub(crate) fn read(paths: &[PathBuf], charset: Option<&'static Encoding>) -> anyhow::Result<Tree> {
        let mut tree = Tree::default();
        let mut waiting = Vec::new();
        for path in paths {
            let kind = fs::metadata(path).with_context(|| path.display().to_string())?;
            if kind.is_dir() { collect(path, &mut waiting)? } else { waiting.push(path.clone()) }
        }
        waiting.sort();
        waiting.reverse();
        while let Some(path) = waiting.pop() {
            if !tree.paths.insert(comparable(&path.canonicalize()?)) {
                continue;
            }
            let bytes = fs::read(&path).with_context(|| path.display().to_string())?;
            let file = File::read(path, &encoding::decode(&bytes, charset).text);
            waiting.extend(file.includes.iter().filter_map(|include| beside(&file.path, &include.name)));
            tree.declared.extend(file.declared.iter().cloned());
            tree.files.push(file);
        }
        tree.files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(tree)
    }

    /// Whether a file of the tree is meant: it ends so, in any spelling, whatever the project says of folders.
    pub(crate) fn has(&self, include: &Include, from: &Path) -> bool {
        let name = include.name.to_lowercase();
        let name = name.trim_start_matches("./").trim_start_matches("../");
        let end = format!("/{name}");
        self.paths.iter().any(|path| path.ends_with(&end)) || beside(from, &include.name).is_some()
    }
}

/// The sources in a folder and those below, but for hidden ones such as `.git`.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        let path = entry.path();
        let kind = entry.file_type()?;
        if kind.is_dir() && !entry.file_name().to_string_lossy().starts_with('.') {
            collect(&path, files)?;
        } else if !kind.is_dir() && path.is_file() && is_source(&path) {
            files.push(path);
        }
    }
    Ok(())
}

fn is_source(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension.as_str()))
}

fn comparable(path: &Path) -> String {
    path.to_string_lossy().to_lowercase()
}

/// The file of this name seen from the folder of another, in any spelling.
fn beside(path: &Path, name: &str) -> Option<PathBuf> {
    let mut place = path.parent()?.to_owned();
    for part in name.split('/') {
        if part == "." || part == ".." {
            place.push(part);
            continue;
        }
        let folder = if place.as_os_str().is_empty() { Path::new(".") } else { place.as_path() };
        let found = fs::read_dir(folder).ok()?.filter_map(Result::ok).map(|entry| entry.file_name());
        let found = found.filter(|found| found.to_string_lossy().to_lowercase() == part.to_lowercase()).min()?;
        place.push(found);
    }
    place.is_file().then_some(place)
}
