//! Programs built by mingw and run under Wine.

use super::{Folder, said};
use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Set where Wine has to be there: then a test that cannot have it fails.
const REQUIRED: &str = "WINSOCK_CC_TEST_WINE";

// Debian keeps Wine's loader out of PATH.
const WINE: &str = "/usr/lib/wine/wine64";

/// A compiler for Windows, and Wine with its prefix.
pub struct Wine {
    compiler: &'static str,
    prefix: PathBuf,
}

/// What is installed; `None` where something is missing and nobody requires it.
pub fn find(is_c: bool) -> Option<Wine> {
    // The one of C++ that has std::thread.
    let compiler = if is_c { "x86_64-w64-mingw32-gcc" } else { "x86_64-w64-mingw32-g++-posix" };
    let found = Command::new(compiler).arg("-dumpversion").stdout(Stdio::null()).status().is_ok();
    if !(found && Path::new(WINE).exists()) {
        assert!(env::var_os(REQUIRED).is_none(), "{REQUIRED} is set, but {compiler} or {WINE} is missing");
        return None;
    }
    let usual = || Path::new(env!("CARGO_TARGET_TMPDIR")).join("wine");
    let wine = Wine { compiler, prefix: env::var_os("WINEPREFIX").map_or_else(usual, PathBuf::from) };
    wine.make_prefix();
    Some(wine)
}

impl Wine {
    /// Made by the first test that asks, of all that run.
    fn make_prefix(&self) {
        fs::create_dir_all(&self.prefix).expect("Wine's folder");
        let lock = File::create(self.prefix.join("lock")).expect("a file in Wine's folder");
        lock.lock().expect("the lock of Wine's folder");
        if self.prefix.join("drive_c/windows/system32/ws2_32.dll").exists() {
            return;
        }
        let mut boot = Command::new("timeout");
        boot.args(["300", WINE, "wineboot", "--init"]).env("WINEPREFIX", &self.prefix).env("WINEDEBUG", "-all");
        // It complains of 32-bit parts that are not there.
        assert!(boot.stderr(Stdio::null()).status().expect("Wine").success(), "{boot:?}");
    }

    /// Builds `program.exe` in the folder.
    #[track_caller]
    pub fn build(&self, folder: &Folder, source: &Path, options: &[&str]) {
        spell_headers(folder, &fs::read_to_string(source).expect("the source"));
        let mut compiler = Command::new(self.compiler);
        compiler.current_dir(folder.path()).args(["-Wno-unknown-pragmas", "-static", "-isystem", "spelled"]);
        // Windows's printf, before libstdc++ chooses C99's, to which `%s` is narrow in wide formats too.
        compiler.args(["-D__USE_MINGW_ANSI_STDIO=0", "-include", "stdio.h"]);
        compiler.arg(source).args(["-o", "program.exe", "-lws2_32", "-lmswsock"]).args(options);
        let output = compiler.output().expect("mingw");
        assert!(output.status.success(), "{compiler:?}\n{}", said(&output));
    }

    /// A command that runs the program.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(WINE);
        command.arg(program).env("WINEPREFIX", &self.prefix).env("WINEDEBUG", "-all");
        command
    }
}

/// Mingw's headers have names in lower case, which a system with its files' names in both must be told.
fn spell_headers(folder: &Folder, source: &str) {
    for line in source.lines() {
        let name = line.trim().strip_prefix("#include <").and_then(|rest| rest.split('>').next());
        if let Some(name) = name.filter(|name| **name != name.to_lowercase()) {
            folder.write(&format!("spelled/{name}"), format!("#include <{}>\n", name.to_lowercase()));
        }
    }
}
