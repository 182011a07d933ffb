//! Every prototype has the parameters and the result of the Rust function: as many, as large, pointers where pointers are.

use std::collections::BTreeMap;
use std::fmt::Write;

use libc::c_int;
use windows_sys::Win32::Foundation::*;
use windows_sys::Win32::Networking::WinSock::*;
use windows_sys::Win32::Storage::FileSystem::*;
use windows_sys::Win32::System::IO::*;
use windows_sys::Win32::System::Threading::*;
use windows_sys::Win32::UI::WindowsAndMessaging::*;
use windows_sys::core::*;

use super::declarations::{Declaration, declarations};
use super::rust_functions::{RustFunction, RustType, rust_functions};
use super::toolchain::{LANGUAGES, headers, is_piece};

/// How a parameter or a result is passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kind {
    size: usize,
    is_pointer: bool,
}

macro_rules! kinds {
    ($($name:ident),* $(,)?) => {
        BTreeMap::from([$((stringify!($name), kind_of::<$name>())),*])
    };
}

fn kind_of<T>() -> Kind {
    let name = std::any::type_name::<T>();
    let is_pointer = name.starts_with('*') || name.starts_with("core::option::Option<");
    Kind { size: size_of::<T>(), is_pointer }
}

/// The crate's own names.
type VaList = *mut u8;
type WChar = u32;

/// The names of types in the signatures of exported functions.
fn rust_kinds() -> BTreeMap<&'static str, Kind> {
    let mut kinds = kinds![
        BOOL,
        DUPLICATE_HANDLE_OPTIONS,
        FILE_CREATION_DISPOSITION,
        FILE_FLAGS_AND_ATTRIBUTES,
        FILE_SHARE_MODE,
        HANDLE,
        HINSTANCE,
        HMENU,
        HWND,
        IN_ADDR,
        LPARAM,
        LPCONDITIONPROC,
        LPOVERLAPPED_COMPLETION_ROUTINE,
        LPTHREAD_START_ROUTINE,
        LPWSAOVERLAPPED_COMPLETION_ROUTINE,
        LRESULT,
        MSG_WAIT_FOR_MULTIPLE_OBJECTS_EX_FLAGS,
        PAPCFUNC,
        PCSTR,
        PEEK_MESSAGE_REMOVE_TYPE,
        PSTR,
        PTIMERAPCROUTINE,
        PTP_SIMPLE_CALLBACK,
        PTP_TIMER_CALLBACK,
        PTP_WAIT_CALLBACK,
        PTP_WIN32_IO_CALLBACK,
        PTP_WORK_CALLBACK,
        QUEUE_STATUS_FLAGS,
        SEND_RECV_FLAGS,
        SET_FILE_POINTER_MOVE_METHOD,
        SOCKET,
        THREAD_CREATION_FLAGS,
        TIMERPROC,
        VaList,
        WAITORTIMERCALLBACK,
        WAIT_EVENT,
        WChar,
        WIN32_ERROR,
        WINDOW_EX_STYLE,
        WINDOW_LONG_PTR_INDEX,
        WINDOW_STYLE,
        WINSOCK_SHUTDOWN_HOW,
        WINSOCK_SOCKET_TYPE,
        WPARAM,
        WSA_ERROR,
        bool,
        c_int,
        i32,
        i64,
        isize,
        socklen_t,
        u16,
        u32,
        u8,
        u64,
        usize,
    ];
    // `isize` in `windows-sys`, and pointers in Windows's own headers.
    for name in ["WSAEVENT", "PTP_IO", "PTP_POOL", "PTP_TIMER", "PTP_WAIT", "PTP_WORK"] {
        kinds.insert(name, kind_of::<HANDLE>());
    }
    kinds
}

#[test]
fn prototypes_agree_with_the_rust_signatures() {
    let in_rust: BTreeMap<String, RustFunction> =
        rust_functions().into_iter().map(|function| (function.name.clone(), function)).collect();
    let kinds = rust_kinds();
    let mut wrong = Vec::new();
    for (declaration, in_c) in c_kinds() {
        let name = &declaration.name;
        let Some(function) = in_rust.get(name) else {
            wrong.push(format!("{name} is not exported"));
            continue;
        };
        let mut of_rust = vec![function.result.as_ref().map(|result| kind(&kinds, name, result))];
        of_rust.extend(function.parameters.iter().map(|parameter| Some(kind(&kinds, name, parameter))));
        if of_rust != in_c {
            wrong.push(format!("{name} of {}:\n  C    {in_c:?}\n  Rust {of_rust:?}", declaration.header));
        }
    }
    assert!(in_rust.len() > 200, "{}", in_rust.len());
    assert!(wrong.is_empty(), "result first, then the parameters\n{}", wrong.join("\n"));
}

fn kind(kinds: &BTreeMap<&'static str, Kind>, function: &str, ty: &RustType) -> Kind {
    match ty {
        RustType::Pointer => Kind { size: size_of::<usize>(), is_pointer: true },
        RustType::Named(name) => *kinds
            .get(name.as_str())
            .unwrap_or_else(|| panic!("{name}, of {function}, is not in the list of rust_kinds")),
    }
}

/// The declarations with what the compiler says of the result and of each parameter.
fn c_kinds() -> Vec<(Declaration, Vec<Option<Kind>>)> {
    let declarations = declarations();
    let mut source: String = headers()
        .into_iter()
        .filter(|header| header.ends_with(".h") && !is_piece(header))
        .map(|header| format!("#include <{header}>\n"))
        .collect();
    source.push_str("#define SHOW(type) printf(\"%d %d\\n\", (int)sizeof(type), __builtin_classify_type(*(__typeof__(type) *)0) == 5)\n");
    source.push_str("int main(void) {\n");
    for function in &declarations {
        // A `va_list` is an array, and as a parameter a pointer; the address of a function has its name in its middle.
        let parameters = function.parameters.iter().map(|parameter| parameter.replace("va_list ", "void *"));
        let types = parameters.map(|parameter| match parameter.contains('(') {
            true => "void *".to_owned(),
            false => without_name(&parameter).to_owned(),
        });
        for ty in std::iter::once(function.result.clone()).chain(types) {
            if ty == "void" || ty == "VOID" {
                source.push_str("puts(\"0 0\");\n");
            } else {
                writeln!(source, "SHOW({ty});").unwrap();
            }
        }
    }
    source.push_str("return 0; }\n");

    let printed = LANGUAGES[0].output_of_text("prototypes", &source);
    let mut lines = printed.lines().map(|line| {
        let (size, is_pointer) = line.split_once(' ').unwrap();
        let size = size.parse().unwrap();
        (size != 0).then_some(Kind { size, is_pointer: is_pointer == "1" })
    });
    let kinds = declarations
        .into_iter()
        .map(|function| {
            let count = 1 + function.parameters.len();
            (function, lines.by_ref().take(count).collect())
        })
        .collect();
    assert!(lines.next().is_none());
    kinds
}

/// The type of a parameter, which ends with its name.
fn without_name(parameter: &str) -> &str {
    parameter.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_').trim_end()
}
