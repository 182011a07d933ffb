//! Where winsock's headers and libraries are.

use anyhow::bail;
use std::env;
use std::path::PathBuf;

/// The folder of the headers, in place of the installed one.
const INCLUDE: &str = "WINSOCK_INCLUDE";
/// The folder of the libraries, in place of the installed one.
const LIB: &str = "WINSOCK_LIB";

/// The two folders that programs are built with.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) include: PathBuf,
    pub(crate) lib: PathBuf,
}

impl Layout {
    /// Beside this program, as `cargo xtask install` lays them out, or where the environment says.
    pub(crate) fn find() -> anyhow::Result<Layout> {
        let program = env::current_exe()?.canonicalize()?;
        let prefix = program.parent().and_then(|bin| bin.parent()).map(PathBuf::from).unwrap_or_default();
        let folder = |variable, usual: &str| env::var_os(variable).map_or_else(|| prefix.join(usual), PathBuf::from);
        let layout = Layout { include: folder(INCLUDE, "include/winsock"), lib: folder(LIB, "lib") };
        if !layout.include.join("winsock2.h").is_file() {
            bail!("no headers in {}: install them beside this program, or set {INCLUDE}", layout.include.display());
        }
        Ok(Layout { include: layout.include.canonicalize()?, lib: layout.lib.canonicalize().unwrap_or(layout.lib) })
    }
}
