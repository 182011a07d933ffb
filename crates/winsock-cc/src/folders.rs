//! Files found as Windows finds them: without regard to case, and with backslashes.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// The folders that were looked into.
#[derive(Default)]
pub(crate) struct Folders {
    listings: HashMap<PathBuf, Listing>,
}

/// The names in a folder, sorted, by their lower case.
type Listing = HashMap<String, Vec<OsString>>;

impl Folders {
    /// The file of this name in the folder, as the file system spells it, from the folder on.
    pub(crate) fn find(&mut self, folder: &Path, name: &str) -> Option<PathBuf> {
        let name = name.replace('\\', "/");
        if folder.join(&name).is_file() {
            return Some(PathBuf::from(name));
        }
        let mut found = PathBuf::new();
        for part in name.split('/').filter(|part| !part.is_empty()) {
            match part {
                "." | ".." => found.push(part),
                part => {
                    let spelled = self.spelled(&folder.join(&found), part)?;
                    found.push(spelled);
                }
            }
        }
        folder.join(&found).is_file().then_some(found)
    }

    /// How the folder spells this name: as given if it has that, else the first that differs in case only.
    fn spelled(&mut self, folder: &Path, name: &str) -> Option<OsString> {
        let listing = self.listings.entry(folder.to_owned()).or_insert_with(|| list(folder));
        let names = listing.get(&name.to_lowercase())?;
        names.iter().find(|spelled| *spelled == name).or(names.first()).cloned()
    }
}

fn list(folder: &Path) -> Listing {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let mut listing = Listing::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        listing.entry(name.to_string_lossy().to_lowercase()).or_default().push(name);
    }
    listing.values_mut().for_each(|names| names.sort());
    listing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn case_and_slashes_do_not_matter() {
        let scratch = Scratch::new().expect("a scratch folder");
        let root = scratch.path();
        fs::create_dir_all(root.join("Net/Inner")).expect("folders");
        for file in ["Net/Packet.h", "Net/Inner/a.h", "b.h", "B.h", "Größe.h"] {
            fs::write(root.join(file), "").expect("a file");
        }
        let mut folders = Folders::default();
        let mut find = |name: &str| folders.find(root, name).map(|path| path.to_string_lossy().into_owned());
        assert_eq!(find("net\\packet.H").as_deref(), Some("Net/Packet.h"));
        assert_eq!(find("NET\\inner\\..\\PACKET.h").as_deref(), Some("Net/Inner/../Packet.h"));
        assert_eq!(find("./NET//Inner/A.h").as_deref(), Some("./Net/Inner/a.h"));
        assert_eq!(find("b.h").as_deref(), Some("b.h"));
        assert_eq!(find("B.h").as_deref(), Some("B.h"));
        assert_eq!(find("B.H").as_deref(), Some("B.h"));
        assert_eq!(find("GRÖSSE.H"), None);
        assert_eq!(find("GRÖßE.H").as_deref(), Some("Größe.h"));
        assert_eq!(find("net"), None);
        assert_eq!(find("nothing.h"), None);
    }
}
