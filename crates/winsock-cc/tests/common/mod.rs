//! What the tests share: the library built for C, the drivers, folders of their own.
#![allow(dead_code, unreachable_pub, reason = "each test program uses a part")]

pub mod network;
pub mod wine;

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The root of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace")
}

/// The folder with the library and the two drivers, made by the first test that asks, of all that run.
fn stage() -> &'static Path {
    static STAGE: OnceLock<PathBuf> = OnceLock::new();
    STAGE.get_or_init(|| {
        let stage = Path::new(env!("CARGO_TARGET_TMPDIR")).join("winsock-cc");
        fs::create_dir_all(&stage).expect("a folder in target");
        let lock = File::create(stage.join("lock")).expect("a file in target");
        lock.lock().expect("the lock of the stage");
        make_stage(&stage);
        stage
    })
}

/// Builds libwinsock without optimization, as `cargo xtask install` does with it.
fn make_stage(stage: &Path) {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target folder");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root()).args(["rustc", "--quiet", "-p", "winsock", "--crate-type", "cdylib", "--target-dir"]);
    succeed(cargo.arg(target).args(["--", "-C", "link-arg=-Wl,-soname,libwinsock.so.0"]));
    let library = stage.join("libwinsock.so.0");
    let new = stage.join("libwinsock.so.new");
    fs::copy(target.join("debug/libwinsock.so"), &new).expect("the library");
    fs::rename(&new, &library).expect("the library's place");
    link(Path::new("libwinsock.so.0"), &stage.join("libwinsock.so"));

    let (object, archive) = (stage.join("entry.o"), stage.join("libwinsock_main.a"));
    let entry = Path::new(env!("CARGO_MANIFEST_DIR")).join("entry.c");
    succeed(
        Command::new("cc").args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-c"]).arg(entry).arg("-o").arg(&object),
    );
    succeed(Command::new("ar").arg("rcs").arg(archive).arg(object));
    let tsan = Path::new(env!("CARGO_MANIFEST_DIR")).join("tsan/build.sh");
    succeed(Command::new("sh").arg(tsan).arg(root().join("crates/winsock/include")).arg(stage).env_remove("CC"));
    for driver in ["winsock-cc", "winsock-c++"] {
        link(Path::new(env!("CARGO_BIN_EXE_winsock-cc")), &stage.join(driver));
    }
}

fn link(target: &Path, at: &Path) {
    if fs::read_link(at).is_ok_and(|known| known == target) {
        return;
    }
    let _ = fs::remove_file(at);
    symlink(target, at).expect("a link");
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}\n{}", said(&output));
}

/// What a command printed.
pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// A driver, with the headers of the source tree and the library of the stage.
pub fn driver(name: &str) -> Command {
    let mut driver = Command::new(stage().join(name));
    driver.env("WINSOCK_INCLUDE", root().join("crates/winsock/include")).env("WINSOCK_LIB", stage());
    for variable in ["CC", "CXX", "WINSOCK_CC", "WINSOCK_CXX"] {
        driver.env_remove(variable);
    }
    driver
}

/// A folder of a test's own, which goes with it.
pub struct Folder(PathBuf);

impl Folder {
    /// A new folder, empty.
    pub fn new(name: &str) -> Folder {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder in target");
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file, and the folders that it is in.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().expect("a file in the folder")).expect("a folder");
        fs::write(&path, text).expect("a file");
        path
    }

    /// Runs a driver here with these arguments.
    pub fn run(&self, name: &str, arguments: &[&str]) -> Output {
        driver(name).current_dir(&self.0).args(arguments).output().expect("a driver")
    }

    /// Runs a driver here, which has to succeed.
    #[track_caller]
    pub fn build(&self, name: &str, arguments: &[&str]) -> Output {
        let output = self.run(name, arguments);
        assert!(output.status.success(), "{arguments:?}\n{}", said(&output));
        output
    }

    /// Runs a program that was built here: what it printed, and its exit code.
    #[track_caller]
    pub fn execute(&self, program: &str, arguments: &[&str]) -> (String, Option<i32>) {
        let mut command = Command::new("timeout");
        let output = command.arg("60").arg(self.0.join(program)).args(arguments).output().expect("a program");
        (said(&output), output.status.code())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
