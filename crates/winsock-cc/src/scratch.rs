//! A temporary folder that goes with its owner.

use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, fs, process};

/// The folder; only this user can look into it.
#[derive(Debug)]
pub(crate) struct Scratch {
    path: PathBuf,
    is_kept: bool,
}

impl Scratch {
    pub(crate) fn new() -> io::Result<Scratch> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_nanos());
        let name = format!("winsock-cc-{}-{count}-{:x}", process::id(), now & 0xffff_ffff);
        let path = env::temp_dir().canonicalize()?.join(name);
        // Fails if there is such a folder, or a link.
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Scratch { path, is_kept: false })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves the folder where it is.
    pub(crate) fn keep(&mut self) {
        self.is_kept = true;
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.is_kept {
            // What stays is in the folder for temporary files; the user has other errors to read.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}
