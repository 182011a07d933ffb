//! Every header compiles, alone and beside the system's, in every standard, without a warning.

use super::toolchain::{LANGUAGES, Language, headers, is_piece};

/// The system's headers that clash with Winsock's names most.
const OF_C: &str =
    "#include <stdio.h>\n#include <stdlib.h>\n#include <sys/time.h>\n#include <sys/types.h>\n#include <unistd.h>\n";
const OF_CXX: &str = "#include <iostream>\n#include <thread>\n#include <stdio.h>\n#include <stdlib.h>\n#include <sys/time.h>\n\
                      #include <functional>\n#include <algorithm>\n#include <cstdlib>\n#include <string>\n";

/// The headers that go with a language.
fn headers_for(language: Language) -> Vec<String> {
    let is_for = |header: &str| match language {
        Language::C(_) => header.ends_with(".h"),
        // <filesystem> is of C++17 and later.
        Language::Cxx(standard) => header != "filesystem" || standard >= "gnu++17",
    };
    headers().into_iter().filter(|header| !is_piece(header) && is_for(header)).collect()
}

fn check(language: Language, sources: impl Iterator<Item = (String, String)>) {
    let mut wrong = Vec::new();
    for (what, source) in sources {
        if let Some(said) = language.complaints(&source) {
            wrong.push(format!("{what} in {language:?}:\n{said}"));
        }
    }
    assert!(wrong.is_empty(), "{} sources\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn each_header_compiles_alone() {
    for language in LANGUAGES {
        check(
            language,
            headers_for(language).into_iter().map(|header| (header.clone(), format!("#include <{header}>\n"))),
        );
    }
}

#[test]
fn each_header_compiles_before_the_systems() {
    check(LANGUAGES[1], before(LANGUAGES[1], OF_C));
    check(LANGUAGES[5], before(LANGUAGES[5], OF_CXX));
}

#[test]
fn each_header_compiles_after_the_systems() {
    check(LANGUAGES[1], after(LANGUAGES[1], OF_C));
    check(LANGUAGES[2], after(LANGUAGES[2], OF_CXX));
}

#[test]
fn all_headers_compile_together_in_either_order_and_within_extern_c() {
    for language in [LANGUAGES[0], LANGUAGES[2], LANGUAGES[5]] {
        for unicode in ["", "#define UNICODE\n#define _UNICODE\n", "#define WIN32_LEAN_AND_MEAN\n#define NOMINMAX\n"] {
            let names = headers_for(language);
            let all: String = names.iter().map(|name| format!("#include <{name}>\n")).collect();
            let reversed: String = names.iter().rev().map(|name| format!("#include <{name}>\n")).collect();
            let mut sources = vec![
                ("all".to_owned(), format!("{unicode}{all}")),
                ("all, the last first".to_owned(), format!("{unicode}{reversed}")),
            ];
            if language.is_cxx() {
                let within = "extern \"C\" {\n#include <winsock2.h>\n#include <ws2tcpip.h>\n#include <mswsock.h>\n\
                              #include <windows.h>\n#include <process.h>\n}\n";
                sources.push(("within extern C".to_owned(), format!("{unicode}{within}{OF_CXX}")));
                let used = format!("{unicode}{OF_CXX}#include <winsock2.h>\nusing namespace std;\n{USING_STD}");
                sources.push(("using namespace std".to_owned(), used));
            }
            check(language, sources.into_iter());
        }
    }
}

/// What is in both namespaces, used without saying which.
const USING_STD: &str = r#"
int used() {
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = {};
    int result = ::bind(s, (sockaddr *)&address, sizeof address);
    auto bound = std::bind(used);
    printf("%d", result);
    std::printf("%d", result);
    long argument = 1;
    u_long other = 1;
    fd_set set;
    FD_ZERO(&set);
    FD_SET(s, &set);
    timeval time = {1, 0};
    return ioctlsocket(s, FIONBIO, &argument) + ioctlsocket(s, FIONBIO, &other) + select(0, &set, 0, 0, &time) +
           (min)(1, 2) + std::max(1, 2) + (sizeof(bound) > 0);
}
"#;

fn before(language: Language, system: &str) -> impl Iterator<Item = (String, String)> {
    let source = move |header: String| (format!("{header} first"), format!("#include <{header}>\n{system}"));
    headers_for(language).into_iter().map(source)
}

fn after(language: Language, system: &str) -> impl Iterator<Item = (String, String)> {
    let source = move |header: String| (format!("{header} last"), format!("{system}#include <{header}>\n"));
    headers_for(language).into_iter().map(source)
}
