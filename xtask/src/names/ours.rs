//! What our headers declare, and whether the functions link.

use super::declared::{self, Kind, Names};
use super::table::State;
use anyhow::{Context, ensure};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The C library's headers that mean the same on both systems, and that we have not wrapped.
const OF_C: [&str; 18] = [
    "assert.h",
    "complex.h",
    "ctype.h",
    "errno.h",
    "fenv.h",
    "float.h",
    "iso646.h",
    "limits.h",
    "math.h",
    "memory.h",
    "search.h",
    "setjmp.h",
    "stdarg.h",
    "stdbool.h",
    "stddef.h",
    "stdint.h",
    "uchar.h",
    "wctype.h",
];

/// The headers, what they declare, and which functions always fail.
pub(crate) struct Ours {
    headers: Vec<String>,
    names: Names,
    refused: BTreeSet<String>,
}

impl Ours {
    /// Builds the driver and the library, and asks the compiler.
    pub(crate) fn find() -> anyhow::Result<Ours> {
        let target = crate::install::target();
        cargo(&["build", "--quiet", "-p", "winsock-cc"])?;
        cargo(&["rustc", "--quiet", "-p", "winsock", "--lib", "--crate-type", "cdylib"])?;
        let driver = || {
            let mut driver = Command::new(target.join("debug/winsock-cc"));
            driver.env("WINSOCK_INCLUDE", include()).env("WINSOCK_LIB", target.join("debug"));
            for variable in ["CC", "WINSOCK_CC"] {
                driver.env_remove(variable);
            }
            driver
        };
        let headers = headers()?;
        let scratch = target.join(format!("names/ours-{}", std::process::id()));
        let source = includes(&headers);
        let mut names = declared::names(driver, &source, &scratch)?;
        for name in undefined(&driver, &source, &names, &scratch, &target.join("debug/libwinsock.so"))? {
            names.remove(&name);
        }
        fs::remove_dir_all(&scratch)?;
        let mut refused = BTreeSet::new();
        find_refused(&crate::root().join("crates/winsock/src"), &mut refused)?;
        Ok(Ours { headers, names, refused })
    }

    /// Whether a name of Windows's works here. A function that takes another number of arguments is something else.
    pub(crate) fn state(&self, name: &str, kind: Kind, parameters: Option<usize>) -> State {
        if kind == Kind::Header {
            let is_here = self.headers.iter().any(|header| header == name);
            return if is_here { State::Works } else { State::Missing };
        }
        match self.names.get(name) {
            None => State::Missing,
            Some(ours) if parameters.is_some() && ours.parameters.is_some() && parameters != ours.parameters => {
                State::Missing
            }
            Some(_) if self.refused.contains(name) => State::Refused,
            Some(_) => State::Works,
        }
    }

    /// The headers that a program can include.
    pub(crate) fn headers(&self) -> &[String] {
        &self.headers
    }
}

/// A source that includes these, where they are. Winsock's come first, as programs have it, and strsafe.h last, as it asks.
pub(crate) fn includes(headers: &[String]) -> String {
    let mut source = "#include <winsock2.h>\n#include <windows.h>\n".to_owned();
    for header in headers.iter().filter(|header| *header != "strsafe.h").chain([&"strsafe.h".to_owned()]) {
        source += &format!("#if __has_include(<{header}>)\n#include <{header}>\n#endif\n");
    }
    source
}

fn include() -> PathBuf {
    crate::root().join("crates/winsock/include")
}

fn headers() -> anyhow::Result<Vec<String>> {
    let mut headers: Vec<String> = OF_C.map(str::to_owned).to_vec();
    for folder in ["", "sys/"] {
        for name in header_files(&include().join(folder))? {
            // What begins with `ws_` is a piece of others.
            if !name.starts_with("ws_") {
                headers.push(format!("{folder}{name}"));
            }
        }
    }
    headers.sort();
    Ok(headers)
}

/// The names of the headers in a folder.
pub(crate) fn header_files(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".h") {
            names.push(name);
        }
    }
    Ok(names)
}

fn cargo(arguments: &[&str]) -> anyhow::Result<()> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    declared::output(cargo.current_dir(crate::root()).args(arguments)).map(drop)
}

/// The functions that are declared and nowhere defined, found by linking a program that has the address of each. glibc has
/// such, for itself; a function of ours is an error here.
fn undefined(
    driver: &impl Fn() -> Command,
    source: &str,
    names: &Names,
    scratch: &Path,
    library: &Path,
) -> anyhow::Result<Vec<String>> {
    let mut text = format!("{source}\nconst void *const functions[] = {{\n");
    // The compiler's own intrinsics have no addresses.
    let is_of_compiler = |header: &str| header.contains("/lib/gcc/");
    for (name, function) in names.iter().filter(|(_, name)| name.kind == Kind::Function) {
        if !is_of_compiler(&function.header) {
            text += &format!("(const void *)({name}),\n");
        }
    }
    text += "};\nint main(void) { return functions[0] == 0; }\n";
    fs::write(scratch.join("link.c"), text)?;
    declared::output(driver().arg("-w").arg("-c").arg(scratch.join("link.c")).arg("-o").arg(scratch.join("link.o")))?;

    let mut link = Command::new("gcc");
    link.env("LC_ALL", "C").arg("-Wl,--no-demangle").arg(scratch.join("link.o")).arg(library);
    let output = link.args(["-lm", "-o"]).arg(scratch.join("link")).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let undefined: BTreeSet<&str> =
        said.lines().filter_map(|line| line.split_once("undefined reference to `")?.1.split('\'').next()).collect();
    ensure!(output.status.success() || !undefined.is_empty(), "{link:?} failed\n{said}");
    let ours: Vec<&&str> = undefined.iter().filter(|symbol| !names.contains_key(**symbol)).collect();
    ensure!(ours.is_empty(), "declared by our headers, and nowhere defined: {ours:?}");
    Ok(undefined.into_iter().map(str::to_owned).collect())
}

/// The exported functions whose documentation begins with `Refused:`.
fn find_refused(folder: &Path, refused: &mut BTreeSet<String>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find_refused(&path, refused)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            refused.extend(refused_in(&fs::read_to_string(&path)?));
        }
    }
    Ok(())
}

fn refused_in(text: &str) -> Vec<String> {
    let mut is_refused = false;
    let mut in_documentation = false;
    let mut refused = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(documentation) = line.strip_prefix("///") {
            is_refused = if in_documentation { is_refused } else { documentation.trim().starts_with("Refused:") };
        } else if !line.starts_with('#') {
            is_refused = false;
        }
        in_documentation = line.starts_with("///");
        let export = line.split_once("export_name = \"ws_").and_then(|(_, rest)| rest.split('"').next());
        refused.extend(export.filter(|_| is_refused).map(str::to_owned));
    }
    refused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_says_so_first() {
        let text = "/// Refused: why.\n/// More.\n#[x(export_name = \"ws_A\")]\npub fn a() {}\n\
                    /// Works.\n/// Refused: not at the beginning.\n#[x(export_name = \"ws_B\")]\nfn b() {}\n";
        assert_eq!(refused_in(text), ["A"]);
    }
}
