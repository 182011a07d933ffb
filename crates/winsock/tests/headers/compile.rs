//! Every header compiles, alone and beside the system's, in every standard, without a warning.
//!
//! Nearly all of the time would go into the system's headers for C++, read again for each of ours. After them, they are
//! read once, precompiled. Before them, one run of the compiler has all headers that leave their text as it is.

use std::collections::BTreeMap;

use super::toolchain::{LANGUAGES, Language, Precompiled, headers, is_piece};

/// The system's headers that clash with Winsock's names most.
const OF_C: &str =
    "#include <stdio.h>\n#include <stdlib.h>\n#include <sys/time.h>\n#include <sys/types.h>\n#include <unistd.h>\n";
const OF_CXX: &str = "#include <iostream>\n#include <thread>\n#include <stdio.h>\n#include <stdlib.h>\n#include <sys/time.h>\n\
                      #include <functional>\n#include <algorithm>\n#include <cstdlib>\n#include <string>\n";
/// Of the compiler, and long.
const INTRINSICS: &str = "#include <immintrin.h>\n";

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
    for (language, system) in [(LANGUAGES[1], OF_C), (LANGUAGES[2], OF_CXX)] {
        let system = Precompiled::new("after", language, &format!("{INTRINSICS}{system}"));
        let source = |header: String| (format!("{header} last"), format!("{}#include <{header}>\n", system.include()));
        check(language, headers_for(language).into_iter().map(source));
    }
}

#[test]
fn all_headers_compile_together_in_either_order_and_within_extern_c() {
    for language in [LANGUAGES[0], LANGUAGES[2], LANGUAGES[5]] {
        let system = language.is_cxx().then(|| Precompiled::new("together", language, OF_CXX));
        for unicode in ["", "#define UNICODE\n#define _UNICODE\n", "#define WIN32_LEAN_AND_MEAN\n#define NOMINMAX\n"] {
            let names = headers_for(language);
            let all: String = names.iter().map(|name| format!("#include <{name}>\n")).collect();
            let reversed: String = names.iter().rev().map(|name| format!("#include <{name}>\n")).collect();
            let mut sources = vec![
                ("all".to_owned(), format!("{unicode}{all}")),
                ("all, the last first".to_owned(), format!("{unicode}{reversed}")),
            ];
            if let Some(system) = &system {
                let within = "extern \"C\" {\n#include <winsock2.h>\n#include <ws2tcpip.h>\n#include <mswsock.h>\n\
                              #include <windows.h>\n#include <process.h>\n}\n";
                sources.push(("within extern C".to_owned(), format!("{unicode}{within}{OF_CXX}")));
                let used =
                    format!("{}{unicode}#include <winsock2.h>\nusing namespace std;\n{USING_STD}", system.include());
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

/// The sources that have each header before the system's. A header does two things to what follows it: by macros it changes
/// the text of the system's headers, and its own declarations may contradict theirs. So headers after which that text is
/// the same are compiled as one source, and any that changes it in a way of its own is alone.
fn before(language: Language, system: &str) -> impl Iterator<Item = (String, String)> {
    let mut groups: BTreeMap<BTreeMap<String, String>, Vec<String>> = BTreeMap::new();
    for header in headers_for(language) {
        let text = language.text_of_the_systems(&format!("#include <{header}>\n{system}"));
        groups.entry(text).or_default().push(header);
    }
    groups.into_values().map(move |headers| {
        let ours: String = headers.iter().map(|header| format!("#include <{header}>\n")).collect();
        (format!("{} first", headers.join(", ")), format!("{ours}{system}"))
    })
}
