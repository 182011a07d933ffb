//! What the import libraries of mingw have.

use anyhow::Context;
use object::read::archive::ArchiveFile;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The libraries that are looked at. A function of several belongs to the first.
pub(crate) const LIBRARIES: [&str; 13] = [
    "ws2_32", "mswsock", "iphlpapi", "kernel32", "advapi32", "user32", "winmm", "shlwapi", "ole32", "rpcrt4", "bcrypt",
    "ucrtbase", "msvcrt",
];

/// The functions of all of them, each with its library.
pub(crate) fn functions(folder: &Path) -> anyhow::Result<BTreeMap<String, &'static str>> {
    let mut functions = BTreeMap::new();
    for library in LIBRARIES {
        let path = folder.join(format!("lib{library}.a"));
        let bytes = fs::read(&path).with_context(|| path.display().to_string())?;
        let archive = ArchiveFile::parse(&*bytes)?;
        for symbol in archive.symbols()?.context("a library without symbols")? {
            let symbol = String::from_utf8_lossy(symbol?.name()).into_owned();
            // `?` begins the names of C++.
            if let Some(name) = symbol.strip_prefix("__imp_").filter(|name| !name.contains(['?', '@'])) {
                functions.entry(name.to_owned()).or_insert(library);
            }
        }
    }
    Ok(functions)
}
