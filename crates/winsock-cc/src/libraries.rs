//! The libraries of Windows: which of them are here, by every name that they are asked for.

/// What `libwinsock` stands in for: Winsock, what Visual Studio links to every program, and the C library under its names.
/// A function of these that winsock has not is not declared, so that the compiler names it.
const PROVIDED: [&str; 38] = [
    "ws2_32",
    "wsock32",
    "mswsock",
    "kernel32",
    "user32",
    "gdi32",
    "advapi32",
    "shell32",
    "winmm",
    "winspool",
    "comdlg32",
    "ole32",
    "oleaut32",
    "uuid",
    "odbc32",
    "odbccp32",
    "ntdll",
    "psapi",
    "synchronization",
    "onecore",
    "mincore",
    "msvcrt",
    "msvcrtd",
    "libcmt",
    "libcmtd",
    "ucrt",
    "ucrtd",
    "libucrt",
    "libucrtd",
    "vcruntime",
    "vcruntimed",
    "libvcruntime",
    "libvcruntimed",
    "msvcprt",
    "libcpmt",
    "oldnames",
    "legacy_stdio_definitions",
    "mingw32",
];

/// Libraries of Windows that are not here.
const MISSING: [&str; 30] = [
    "bcrypt", "comctl32", "credui", "crypt32", "cryptui", "dbghelp", "delayimp", "dnsapi", "fwpuclnt", "gdiplus",
    "httpapi", "imm32", "iphlpapi", "mpr", "ncrypt", "netapi32", "pdh", "rpcrt4", "secur32", "setupapi", "shlwapi",
    "tdh", "urlmon", "userenv", "version", "winhttp", "wininet", "wintrust", "wldap32", "wtsapi32",
];

/// A library that a program asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Library {
    /// Satisfied by `libwinsock`.
    Provided,
    /// Windows's, and not here.
    Missing,
    /// The program's own, or Linux's.
    Other,
}

/// Which library this is, however it is spelled: `WS2_32.lib`, `ws2_32`, `libws2_32.a`, with a path.
pub(crate) fn library(name: &str) -> Library {
    let name = plain(name).to_ascii_lowercase();
    let is_in = |list: &[&str]| list.contains(&name.as_str());
    match () {
        () if is_in(&PROVIDED) => Library::Provided,
        () if is_in(&MISSING) => Library::Missing,
        () => Library::Other,
    }
}

/// The name of a library without folder, prefix and suffix.
pub(crate) fn plain(name: &str) -> &str {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let without = |suffix: &str| {
        let at = file.len().checked_sub(suffix.len())?;
        (file.is_char_boundary(at) && file[at..].eq_ignore_ascii_case(suffix)).then(|| &file[..at])
    };
    let archive = without(".dll.a").or_else(|| without(".a")).and_then(|file| file.strip_prefix("lib"));
    archive.or_else(|| without(".lib")).unwrap_or(file)
}

/// What to say of a library that there is not.
pub(crate) fn complaint(name: &str) -> String {
    match library(name) {
        Library::Missing => format!("winsock has nothing of Windows's library {name}"),
        _ => format!(
            "no library {name}: it is none of Windows's that winsock stands in for (ws2_32, mswsock, kernel32, user32, …), \
             and no folder of -L has a lib{0}.so or lib{0}.a",
            plain(name)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_has_many_names() {
        for name in
            ["ws2_32", "Ws2_32.lib", "WS2_32", "WS2_32.LIB", "libws2_32.a", "C:\\SDK\\ws2_32.lib", "x/libws2_32.dll.a"]
        {
            assert_eq!(library(name), Library::Provided, "{name}");
        }
        assert_eq!(library("libcmt.lib"), Library::Provided);
        assert_eq!(library("Secur32.lib"), Library::Missing);
        for name in ["ssl", "mylib.lib", "", "é.lib", "m"] {
            assert_eq!(library(name), Library::Other, "{name}");
        }
    }

    #[test]
    fn no_library_is_on_both_lists() {
        assert!(MISSING.iter().all(|name| !PROVIDED.contains(name)));
    }
}
