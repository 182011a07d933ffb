//! Every structure has the size and the offsets that `windows-sys` says.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::mem::{offset_of, size_of};

use windows_sys::Win32::Foundation::{FILETIME, LUID, POINT, RECT, SIZE, SYSTEMTIME};
use windows_sys::Win32::Networking::WinSock::{
    ADDRINFOA, ADDRINFOW, CMSGHDR, FD_SET, FLOWSPEC, HOSTENT, IN_ADDR, IN_PKTINFO, IN6_ADDR, IN6_PKTINFO, IP_MREQ,
    IP_MREQ_SOURCE, IPV6_MREQ, LINGER, PROTOENT, QOS, SCOPE_ID, SERVENT, SOCKADDR, SOCKADDR_IN, SOCKADDR_IN6,
    SOCKADDR_INET, SOCKADDR_STORAGE, SOCKADDR_UN, SOCKET_ADDRESS, SOCKET_ADDRESS_LIST, TRANSMIT_FILE_BUFFERS, WSABUF,
    WSADATA, WSAMSG, WSANETWORKEVENTS, WSAPOLLFD, WSAPROTOCOL_INFOA, WSAPROTOCOLCHAIN, sockproto, tcp_keepalive,
};
use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
use windows_sys::Win32::System::Console::{CONSOLE_CURSOR_INFO, CONSOLE_SCREEN_BUFFER_INFO, COORD, SMALL_RECT};
use windows_sys::Win32::System::Diagnostics::Debug::{EXCEPTION_POINTERS, EXCEPTION_RECORD};
use windows_sys::Win32::System::IO::{OVERLAPPED, OVERLAPPED_ENTRY};
use windows_sys::Win32::System::Kernel::{LIST_ENTRY, SINGLE_LIST_ENTRY};
use windows_sys::Win32::System::SystemInformation::{OSVERSIONINFOA, OSVERSIONINFOEXA, SYSTEM_INFO};
use windows_sys::Win32::System::Threading::{
    CONDITION_VARIABLE, CRITICAL_SECTION, INIT_ONCE, PROCESS_INFORMATION, SRWLOCK, STARTUPINFOA, STARTUPINFOW,
    SYNCHRONIZATION_BARRIER,
};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    CREATESTRUCTA, CREATESTRUCTW, MSG, WNDCLASSA, WNDCLASSEXA, WNDCLASSEXW, WNDCLASSW,
};

use super::toolchain::{LANGUAGES, headers, include, is_piece, package};

/// What the headers have and `windows-sys` lacks, or has otherwise.
const OTHERWISE: [&str; 7] = [
    // Only functions of its header touch what is inside: there is less of it.
    "TP_CALLBACK_ENVIRON",
    // Of the same sizes, but nothing of what is inside is for programs.
    "_SLIST_ENTRY",
    "_SLIST_HEADER",
    // Unions of their own in C, `i64` and `u64` in `windows-sys`.
    "LARGE_INTEGER",
    "ULARGE_INTEGER",
    // A type of windows-sys's core.
    "GUID",
    // The debugging heap's, which holds nothing here.
    "_CrtMemState",
];

macro_rules! layouts {
    ($($name:ident: $in_c:literal { $($field:ident $(= $($path:ident).+)?),* },)*) => {{
        let mut types: Vec<Layout> = Vec::new();
        $(
            types.push(($in_c, size_of::<$name>(), vec![
                $((stringify!($field), layouts!(@offset $name, $field $(, $($path).+)?))),*
            ]));
        )*
        types
    }};
    (@offset $name:ident, $field:ident) => { offset_of!($name, $field) };
    (@offset $name:ident, $field:ident, $($path:ident).+) => { offset_of!($name, $($path).+) };
}

/// A type's name in C, its size, and its fields with their offsets.
type Layout = (&'static str, usize, Vec<(&'static str, usize)>);

fn of_windows() -> Vec<Layout> {
    layouts! {
        SOCKADDR_UN: "SOCKADDR_UN" { sun_family, sun_path },
        IN6_ADDR: "IN6_ADDR" { u },
        IN_ADDR: "IN_ADDR" { S_un },
        SECURITY_ATTRIBUTES: "SECURITY_ATTRIBUTES" { nLength, lpSecurityDescriptor, bInheritHandle },
        OVERLAPPED: "OVERLAPPED" { Internal, InternalHigh, Offset = Anonymous.Anonymous.Offset, OffsetHigh = Anonymous.Anonymous.OffsetHigh, Pointer = Anonymous.Pointer, hEvent },
        OVERLAPPED_ENTRY: "OVERLAPPED_ENTRY" { lpCompletionKey, lpOverlapped, Internal, dwNumberOfBytesTransferred },
        SYSTEMTIME: "SYSTEMTIME" { wYear, wMonth, wDayOfWeek, wDay, wHour, wMinute, wSecond, wMilliseconds },
        FILETIME: "FILETIME" { dwLowDateTime, dwHighDateTime },
        LUID: "LUID" { LowPart, HighPart },
        POINT: "POINT" { x, y },
        SIZE: "SIZE" { cx, cy },
        RECT: "RECT" { left, top, right, bottom },
        tcp_keepalive: "struct tcp_keepalive" { onoff, keepalivetime, keepaliveinterval },
        CRITICAL_SECTION: "CRITICAL_SECTION" { DebugInfo, LockCount, RecursionCount, OwningThread, LockSemaphore, SpinCount },
        STARTUPINFOA: "STARTUPINFOA" { cb, lpReserved, lpDesktop, lpTitle, dwX, dwY, dwXSize, dwYSize, dwXCountChars, dwYCountChars, dwFillAttribute, dwFlags, wShowWindow, cbReserved2, lpReserved2, hStdInput, hStdOutput, hStdError },
        STARTUPINFOW: "STARTUPINFOW" { cb, lpReserved, lpDesktop, lpTitle, dwX, dwY, dwXSize, dwYSize, dwXCountChars, dwYCountChars, dwFillAttribute, dwFlags, wShowWindow, cbReserved2, lpReserved2, hStdInput, hStdOutput, hStdError },
        PROCESS_INFORMATION: "PROCESS_INFORMATION" { hProcess, hThread, dwProcessId, dwThreadId },
        SRWLOCK: "SRWLOCK" { Ptr },
        CONDITION_VARIABLE: "CONDITION_VARIABLE" { Ptr },
        INIT_ONCE: "INIT_ONCE" { Ptr },
        SYNCHRONIZATION_BARRIER: "SYNCHRONIZATION_BARRIER" { Reserved1, Reserved2, Reserved3, Reserved4, Reserved5 },
        SYSTEM_INFO: "SYSTEM_INFO" { dwOemId = Anonymous.dwOemId, wProcessorArchitecture = Anonymous.Anonymous.wProcessorArchitecture, wReserved = Anonymous.Anonymous.wReserved, dwPageSize, lpMinimumApplicationAddress, lpMaximumApplicationAddress, dwActiveProcessorMask, dwNumberOfProcessors, dwProcessorType, dwAllocationGranularity, wProcessorLevel, wProcessorRevision },
        COORD: "COORD" { X, Y },
        SMALL_RECT: "SMALL_RECT" { Left, Top, Right, Bottom },
        CONSOLE_SCREEN_BUFFER_INFO: "CONSOLE_SCREEN_BUFFER_INFO" { dwSize, dwCursorPosition, wAttributes, srWindow, dwMaximumWindowSize },
        CONSOLE_CURSOR_INFO: "CONSOLE_CURSOR_INFO" { dwSize, bVisible },
        LIST_ENTRY: "LIST_ENTRY" { Flink, Blink },
        SINGLE_LIST_ENTRY: "SINGLE_LIST_ENTRY" { Next },
        EXCEPTION_RECORD: "EXCEPTION_RECORD" { ExceptionCode, ExceptionFlags, ExceptionRecord, ExceptionAddress, NumberParameters, ExceptionInformation },
        EXCEPTION_POINTERS: "EXCEPTION_POINTERS" { ExceptionRecord, ContextRecord },
        FD_SET: "fd_set" { fd_count, fd_array },
        HOSTENT: "struct hostent" { h_name, h_aliases, h_addrtype, h_length, h_addr_list },
        SERVENT: "struct servent" { s_name, s_aliases, s_proto, s_port },
        PROTOENT: "struct protoent" { p_name, p_aliases, p_proto },
        LINGER: "struct linger" { l_onoff, l_linger },
        sockproto: "struct sockproto" { sp_family, sp_protocol },
        WSADATA: "WSADATA" { wVersion, wHighVersion, iMaxSockets, iMaxUdpDg, lpVendorInfo, szDescription, szSystemStatus },
        WSANETWORKEVENTS: "WSANETWORKEVENTS" { lNetworkEvents, iErrorCode },
        FLOWSPEC: "FLOWSPEC" { TokenRate, TokenBucketSize, PeakBandwidth, Latency, DelayVariation, ServiceType, MaxSduSize, MinimumPolicedSize },
        QOS: "QOS" { SendingFlowspec, ReceivingFlowspec, ProviderSpecific },
        WSAPROTOCOLCHAIN: "WSAPROTOCOLCHAIN" { ChainLen, ChainEntries },
        MSG: "MSG" { hwnd, message, wParam, lParam, time, pt },
        WNDCLASSA: "WNDCLASSA" { style, lpfnWndProc, cbClsExtra, cbWndExtra, hInstance, hIcon, hCursor, hbrBackground, lpszMenuName, lpszClassName },
        WNDCLASSEXA: "WNDCLASSEXA" { cbSize, style, lpfnWndProc, cbClsExtra, cbWndExtra, hInstance, hIcon, hCursor, hbrBackground, lpszMenuName, lpszClassName, hIconSm },
        CREATESTRUCTA: "CREATESTRUCTA" { lpCreateParams, hInstance, hMenu, hwndParent, cy, cx, y, x, style, lpszName, lpszClass, dwExStyle },
        WNDCLASSW: "WNDCLASSW" { style, lpfnWndProc, cbClsExtra, cbWndExtra, hInstance, hIcon, hCursor, hbrBackground, lpszMenuName, lpszClassName },
        WNDCLASSEXW: "WNDCLASSEXW" { cbSize, style, lpfnWndProc, cbClsExtra, cbWndExtra, hInstance, hIcon, hCursor, hbrBackground, lpszMenuName, lpszClassName, hIconSm },
        CREATESTRUCTW: "CREATESTRUCTW" { lpCreateParams, hInstance, hMenu, hwndParent, cy, cx, y, x, style, lpszName, lpszClass, dwExStyle },
        SOCKADDR: "SOCKADDR" { sa_family, sa_data },
        SOCKADDR_IN: "SOCKADDR_IN" { sin_family, sin_port, sin_addr, sin_zero },
        SOCKADDR_STORAGE: "SOCKADDR_STORAGE" { ss_family, __ss_pad1, __ss_align, __ss_pad2 },
        SOCKET_ADDRESS: "SOCKET_ADDRESS" { lpSockaddr, iSockaddrLength },
        SOCKET_ADDRESS_LIST: "SOCKET_ADDRESS_LIST" { iAddressCount, Address },
        TRANSMIT_FILE_BUFFERS: "TRANSMIT_FILE_BUFFERS" { Head, HeadLength, Tail, TailLength },
        OSVERSIONINFOA: "OSVERSIONINFOA" { dwOSVersionInfoSize, dwMajorVersion, dwMinorVersion, dwBuildNumber, dwPlatformId, szCSDVersion },
        OSVERSIONINFOEXA: "OSVERSIONINFOEXA" { dwOSVersionInfoSize, dwMajorVersion, dwMinorVersion, dwBuildNumber, dwPlatformId, szCSDVersion, wServicePackMajor, wServicePackMinor, wSuiteMask, wProductType, wReserved },
        WSAPOLLFD: "WSAPOLLFD" { fd, events, revents },
        WSABUF: "WSABUF" { len, buf },
        WSAMSG: "WSAMSG" { name, namelen, lpBuffers, dwBufferCount, Control, dwFlags },
        CMSGHDR: "CMSGHDR" { cmsg_len, cmsg_level, cmsg_type },
        ADDRINFOA: "ADDRINFOA" { ai_flags, ai_family, ai_socktype, ai_protocol, ai_addrlen, ai_canonname, ai_addr, ai_next },
        ADDRINFOW: "ADDRINFOW" { ai_flags, ai_family, ai_socktype, ai_protocol, ai_addrlen, ai_canonname, ai_addr, ai_next },
        SCOPE_ID: "SCOPE_ID" { Value = Anonymous.Value },
        SOCKADDR_IN6: "SOCKADDR_IN6" { sin6_family, sin6_port, sin6_flowinfo, sin6_addr, sin6_scope_id = Anonymous.sin6_scope_id, sin6_scope_struct = Anonymous.sin6_scope_struct },
        SOCKADDR_INET: "SOCKADDR_INET" { Ipv4, Ipv6, si_family },
        IP_MREQ: "IP_MREQ" { imr_multiaddr, imr_interface },
        IP_MREQ_SOURCE: "IP_MREQ_SOURCE" { imr_multiaddr, imr_sourceaddr, imr_interface },
        IPV6_MREQ: "IPV6_MREQ" { ipv6mr_multiaddr, ipv6mr_interface },
        IN_PKTINFO: "IN_PKTINFO" { ipi_addr, ipi_ifindex },
        IN6_PKTINFO: "IN6_PKTINFO" { ipi6_addr, ipi6_ifindex },
        WSAPROTOCOL_INFOA: "WSAPROTOCOL_INFOA" { dwServiceFlags1, dwServiceFlags2, dwServiceFlags3, dwServiceFlags4, dwProviderFlags, ProviderId, dwCatalogEntryId, ProtocolChain, iVersion, iAddressFamily, iMaxSockAddr, iMinSockAddr, iSocketType, iProtocol, iProtocolMaxOffset, iNetworkByteOrder, iSecurityScheme, dwMessageSize, dwProviderReserved, szProtocol },
    }
}

#[test]
fn structures_have_windowss_layout() {
    let mut source: String = headers()
        .into_iter()
        .filter(|header| header.ends_with(".h") && !is_piece(header))
        .map(|header| format!("#include <{header}>\n"))
        .collect();
    source.push_str("int main(void) {\n");
    for (name, _, fields) in of_windows() {
        writeln!(source, "printf(\"{name}:%d\\n\", (int)sizeof({name}));").unwrap();
        for (field, _) in fields {
            writeln!(source, "printf(\"{name}.{field}:%d\\n\", (int)offsetof({name}, {field}));").unwrap();
        }
    }
    // Known to differ: with WCHAR of 32 bits inside, and glibc's timeval, whose members have 64 bits.
    source.push_str("printf(\"WSAPROTOCOL_INFOW:%d\\nTIMEVAL:%d\\n\",");
    source.push_str("(int)sizeof(WSAPROTOCOL_INFOW), (int)sizeof(TIMEVAL));\nreturn 0; }\n");

    let mut expected: BTreeMap<String, usize> = BTreeMap::new();
    for (name, size, fields) in of_windows() {
        expected.insert(name.to_owned(), size);
        expected.extend(fields.into_iter().map(|(field, offset)| (format!("{name}.{field}"), offset)));
    }
    expected.insert("WSAPROTOCOL_INFOW".to_owned(), size_of::<WSAPROTOCOL_INFOA>() + 256 * 3);
    expected.insert("TIMEVAL".to_owned(), 16);

    let printed = LANGUAGES[0].output_of_text("layouts", &source);
    let mut wrong = Vec::new();
    let mut seen = 0;
    for line in printed.lines() {
        let (what, number) = line.split_once(':').unwrap();
        seen += 1;
        if expected[what] != number.parse::<usize>().unwrap() {
            wrong.push(format!("{what} is {number}, on Windows {}", expected[what]));
        }
    }
    assert_eq!(seen, expected.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_structure_of_the_headers_is_compared() {
    let known: BTreeSet<String> = of_windows().iter().map(|(name, ..)| name.replace("struct ", "")).collect();
    let mut missing = Vec::new();
    for header in headers() {
        let text = fs::read_to_string(include().join(&header)).unwrap();
        for names in names_of_structures(&text) {
            if !names.iter().any(|name| known.contains(name) || OTHERWISE.contains(&name.as_str())) {
                missing.push(format!("{header}: {names:?}"));
            }
        }
    }
    let here = package().join("tests/headers/layouts.rs");
    assert!(missing.is_empty(), "not in the table in {}: {missing:#?}", here.display());
}

/// The names of each structure that a header defines at its top level: tag and typedefs.
fn names_of_structures(text: &str) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let begin = line.trim_start_matches("typedef ");
        let is_one = (begin.starts_with("struct") || begin.starts_with("union")) && begin.ends_with('{');
        if !is_one {
            continue;
        }
        let mut names: Vec<String> =
            begin.trim_end_matches('{').split_whitespace().skip(1).map(str::to_owned).collect();
        let Some(end) = lines.by_ref().find(|line| line.starts_with('}')) else { continue };
        let typedefs = end.trim_start_matches('}').trim_end_matches(';').split(',').map(str::trim);
        names.extend(typedefs.filter(|name| !name.is_empty() && !name.starts_with('*')).map(str::to_owned));
        all.push(names);
    }
    all
}
