//! What to do about a name that is not offered.

use super::names::Name;

/// By the beginning of a header's name, all in lower case: what it is of, and what programs do instead.
const BY_HEADER: [(&str, &str); 39] = [
    ("sspi", "TLS and security packages: use OpenSSL or GnuTLS"),
    ("schannel", "TLS: use OpenSSL or GnuTLS"),
    ("security", "TLS and security packages: use OpenSSL or GnuTLS"),
    ("secext", "security packages: use OpenSSL or GnuTLS"),
    ("wincrypt", "cryptography: rand_s and getrandom give random numbers; for the rest use OpenSSL"),
    ("bcrypt", "cryptography: rand_s and getrandom give random numbers; for the rest use OpenSSL"),
    ("ncrypt", "cryptography: use OpenSSL"),
    ("winreg", "the registry: keep settings in a file or in the environment"),
    ("winsvc", "services: run the program from systemd, which starts it by main"),
    ("winperf", "performance counters: read /proc"),
    ("pdh", "performance counters: read /proc"),
    ("psapi", "other processes: read /proc"),
    ("tlhelp32", "other processes: read /proc"),
    ("dbghelp", "stack traces and dumps: use core dumps and gdb"),
    ("imagehlp", "stack traces and dumps: use core dumps and gdb"),
    ("evntrace", "event tracing: write a log"),
    ("evntprov", "event tracing: write a log"),
    ("wbem", "WMI: read /proc and /sys"),
    ("iphlpapi", "network interfaces: use getifaddrs and netlink"),
    ("iptypes", "network interfaces: use getifaddrs and netlink"),
    ("ipexport", "network interfaces: use getifaddrs and netlink"),
    ("netioapi", "network interfaces: use getifaddrs and netlink"),
    ("winhttp", "HTTP: use libcurl"),
    ("wininet", "HTTP: use libcurl"),
    ("urlmon", "HTTP: use libcurl"),
    ("shlwapi", "paths and strings: use std::filesystem or the C library"),
    ("shlobj", "the shell: use std::filesystem and the environment"),
    ("pathcch", "paths: use std::filesystem"),
    ("rpc", "RPC: not here; of it, UuidCreate's numbers come from libuuid"),
    ("ole", "COM: build without it"),
    ("objbase", "COM: build without it"),
    ("combaseapi", "COM: build without it"),
    ("objidl", "COM: build without it"),
    ("unknwn", "COM: build without it"),
    ("comm", "dialogs and controls: build the program without its windows"),
    ("afx", "MFC: build the program without its windows"),
    ("atl", "ATL: use the standard library"),
    ("wingdi", "drawing: build the program without its windows"),
    ("winuser", "windows: there are message queues, but nothing is shown; build the program without its windows"),
];

const BY_LIBRARY: [(&str, &str); 6] = [
    ("advapi32", "security and the registry: leave it out, or do it with Linux's own"),
    ("bcrypt", "cryptography: rand_s and getrandom give random numbers; for the rest use OpenSSL"),
    ("ole32", "COM: build without it"),
    ("shlwapi", "paths and strings: use std::filesystem or the C library"),
    ("ucrtbase", "use the C library's function of that purpose"),
    ("msvcrt", "use the C library's function of that purpose"),
];

/// For what no list knows.
const ELSE: &str = "leave it out, or write it with what is offered";

pub(crate) fn of_name(name: &Name) -> &'static str {
    let header = name.header.to_ascii_lowercase();
    by_header(&header)
        .or_else(|| BY_LIBRARY.iter().find(|(library, _)| *library == name.library).map(|(_, advice)| *advice))
        .unwrap_or(ELSE)
}

/// Of a header, in lower case.
pub(crate) fn of_header(name: &str) -> &'static str {
    by_header(name.rsplit('/').next().unwrap_or(name)).unwrap_or(if name.contains('.') {
        "remove the #include if nothing of it is used; of a library of its own, install it or name its folder here, too"
    } else {
        ELSE
    })
}

fn by_header(name: &str) -> Option<&'static str> {
    BY_HEADER.iter().find(|(beginning, _)| !name.is_empty() && name.starts_with(beginning)).map(|(_, advice)| *advice)
}
