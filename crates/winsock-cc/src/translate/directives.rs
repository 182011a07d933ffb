//! Lines that begin with `#`: the spelling of included names, pragmas of Microsoft's, macros that stand for a note.

use super::words::{Note, note};
use super::{Draft, Surroundings};
use crate::lexer::Kind;

/// Pragmas that gcc or clang know; of the others, the line goes.
const PRAGMAS: [&str; 11] =
    ["once", "pack", "push_macro", "pop_macro", "message", "GCC", "clang", "STDC", "omp", "weak", "redefine_extname"];

pub(super) fn translate(draft: &mut Draft, surroundings: &mut dyn Surroundings) {
    let mut at = 0;
    while let Some(start) = next_directive(draft, at) {
        let end = (start..draft.tokens.len()).find(|at| draft.kind(*at) == Kind::Newline).unwrap_or(draft.tokens.len());
        draft.in_directive[start..end].fill(true);
        directive(draft, start, end, surroundings);
        at = end;
    }
}

/// The first `#` from here on that begins a line.
fn next_directive(draft: &Draft, from: usize) -> Option<usize> {
    let mut at_line_start = true;
    for at in from..draft.tokens.len() {
        match draft.kind(at) {
            Kind::Newline => at_line_start = true,
            Kind::Space | Kind::Comment => {}
            Kind::Sign if at_line_start && draft.text(at) == "#" => return Some(at),
            _ => at_line_start = false,
        }
    }
    None
}

fn directive(draft: &mut Draft, start: usize, end: usize, surroundings: &mut dyn Surroundings) {
    let parts: Vec<usize> = (start + 1..end).filter(|at| draft.tokens[*at].is_significant()).collect();
    let Some(&name) = parts.first() else { return };
    match (draft.text(name), parts.get(1).copied()) {
        ("include", Some(header)) if draft.kind(header) == Kind::Header => {
            if let Some(name) = surroundings.header(draft.text(header)) {
                if without_quotes(&name) != without_quotes(draft.text(header)) && name.starts_with('<') {
                    draft.change(header, &format!("{} is {name}", draft.text(header)));
                }
                draft.out[header] = name;
            }
        }
        ("if" | "elif", Some(_)) => asked_headers(draft, &parts, surroundings),
        ("pragma", Some(pragma)) => {
            if let Some(error) = self::pragma(draft, &parts[1..], surroundings) {
                draft.erase(start, end);
                // In quotes, as an apostrophe in it would begin a character.
                draft.out[start] = format!("#error \"{error}\"");
            } else if !PRAGMAS.contains(&draft.text(pragma)) {
                draft.erase(start, end);
            }
        }
        // A program's own `#define __in`, which would break libstdc++ as Microsoft's does.
        ("define" | "undef", Some(word)) if draft.kind(word) == Kind::Word && note(draft.text(word)).is_some() => {
            draft.erase(start, end);
        }
        _ => {}
    }
}

fn without_quotes(name: &str) -> &str {
    name.trim_matches(['<', '>', '"'])
}

/// `__has_include(<WinSock2.h>)` asks by the name that an `#include` would get.
fn asked_headers(draft: &mut Draft, parts: &[usize], surroundings: &mut dyn Surroundings) {
    for (index, &asked) in parts.iter().enumerate() {
        if !draft.tokens[asked].is("__has_include") {
            continue;
        }
        let Some(&open) = parts.get(index + 1).filter(|open| draft.tokens[**open].is("(")) else { continue };
        let Some(close) = draft.closing(open) else { continue };
        let name: String = draft.tokens[open + 1..close].iter().map(|token| token.text).collect();
        if let Some(found) = surroundings.header(name.trim()) {
            draft.erase(open + 1, close);
            draft.out[open + 1] = found;
        }
    }
}

/// Asks for the library of a `#pragma comment(lib, "…")`: what is wrong with it.
fn pragma(draft: &mut Draft, parts: &[usize], surroundings: &mut dyn Surroundings) -> Option<String> {
    let texts: Vec<&str> = parts.iter().map(|at| draft.text(*at)).collect();
    match texts[..] {
        ["comment", "(", "lib", ",", name, ")", ..] => {
            let name = without_quotes(name).replace("\\\\", "\\");
            surroundings.library(&name).err()
        }
        _ => None,
    }
}

/// What a `__pragma(…)` with these words becomes.
pub(super) fn operator(inside: &str) -> String {
    let name = inside.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
    if !PRAGMAS.contains(&name) {
        return String::new();
    }
    format!("_Pragma(\"{}\")", inside.trim().replace('\\', "\\\\").replace('"', "\\\""))
}

/// Whether the word is what a directive defines, undefines or asks for.
pub(super) fn is_name_of_macro(draft: &Draft, at: usize) -> bool {
    let before = draft.significant_before(at);
    let before =
        before.filter(|open| draft.tokens[*open].is("(")).map_or(before, |open| draft.significant_before(open));
    draft.in_directive[at]
        && before.is_some_and(|at| {
            ["define", "undef", "ifdef", "ifndef", "defined"].iter().any(|name| draft.tokens[at].is(name))
        })
}

/// A group in parentheses that belongs to a note at this word.
pub(super) fn argument(draft: &Draft, word: usize, note: Note) -> Option<usize> {
    let open = draft.significant(word + 1).filter(|open| draft.tokens[*open].is("("))?;
    (note == Note::WithArgument).then(|| draft.closing(open)).flatten()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{World, c, cpp};
    use super::super::{Language, translate};

    #[test]
    fn includes_are_spelled_as_the_files_are() {
        assert_eq!(c("#include <WINSOCK2.H> // WINSOCK2.H\n"), "#include <winsock2.h> // WINSOCK2.H\n");
        assert_eq!(c("# /**/ include \\\n <WinSock2.h>\n"), "# /**/ include \\\n <winsock2.h>\n");
        assert_eq!(c("#include <Other.h>\n#include NAME\n"), "#include <Other.h>\n#include NAME\n");
        assert_eq!(c("#if __has_include(<WinSock2.h>)\n"), "#if __has_include(<winsock2.h>)\n");
        let changes = translate("\n#include <WinSock2.h>", Some(Language::C), &mut World).changes;
        assert_eq!(changes, ["line 2: <WinSock2.h> is <winsock2.h>"]);
    }

    #[test]
    fn libraries_are_asked_for() {
        assert_eq!(c("#pragma comment(lib, \"WS2_32.lib\");\nx\n"), "\nx\n");
        assert_eq!(c("# pragma comment ( lib , \\\n\"ws2_32.lib\" ) /* \n */\nx\n"), "\n\n\nx\n");
        assert_eq!(c("#pragma comment(lib, \"a.lib\")\nx\n"), "#error \"no a.lib\"\nx\n");
        assert_eq!(c("#pragma comment(linker, \"/subsystem:windows\")\nx\n"), "\nx\n");
    }

    #[test]
    fn pragmas_of_others_go() {
        assert_eq!(c("#pragma warning(disable: 4996)\n#pragma region A\nx\n"), "\n\nx\n");
        for kept in ["#pragma once\n", "#pragma pack(push, 1)\n", "#pragma GCC poison x\n", "#pragma message(\"x\")\n"]
        {
            assert_eq!(c(kept), kept);
        }
        assert_eq!(
            cpp("#define P __pragma(warning(push)) __pragma(pack(push, 1))\n"),
            "#define P  _Pragma(\"pack(push, 1)\")\n"
        );
    }

    #[test]
    fn a_note_that_the_program_defines_itself_goes() {
        let text = "#ifndef __in\n#define __in\n#endif\n#define __out /* \n */\nint f(__in int x);\n";
        assert_eq!(cpp(text), "#ifndef __in\n\n#endif\n\n\nint f(     int x);\n");
        assert_eq!(cpp("#if defined(__in) || defined __out\n"), "#if defined(__in) || defined __out\n");
    }
}
