//! Where the program begins.
//!
//! `main` is the system's. `wmain`, `WinMain` and `wWinMain`, and a `main` that returns nothing, are called by a `main` of
//! ours (`entry.c`, linked where the program has none). In C++ they need C's names for that, and one that returns nothing
//! a name of its own: `void main` is no C++.

use super::{Draft, Language};
use crate::lexer::Kind;

const NAMES: [&str; 6] = ["main", "wmain", "_tmain", "WinMain", "wWinMain", "_tWinMain"];

/// Gives `ws_void_main` for `main`, whether that is the name or what a macro such as `_tmain` stands for.
const VOID_NAMES: &str = "#define WS_VOID_PASTE(name) ws_void_##name\n#define WS_VOID(name) WS_VOID_PASTE(name)\n";

/// What has to stand before a translated source, on lines of its own.
pub(crate) fn prologue(translated: &str) -> &'static str {
    if translated.contains("WS_VOID(") { VOID_NAMES } else { "" }
}

pub(super) fn translate(draft: &mut Draft, language: Language) {
    for name in outside_of_braces(draft) {
        if draft.kind(name) != Kind::Word || !NAMES.contains(&draft.text(name)) {
            continue;
        }
        let Some(first) = beginning_of_function(draft, name) else { continue };
        let nothing = (first..name).find(|at| ["void", "VOID"].iter().any(|word| draft.tokens[*at].is(word)));
        if nothing.is_some() {
            draft.out[name] = format!("WS_VOID({})", draft.text(name));
            draft.change(name, &format!("void {}: the program ends with 0", draft.text(name)));
        }
        let has_linkage = draft.tokens[first].is("extern");
        if language == Language::Cpp && !has_linkage && (nothing.is_some() || draft.text(name) != "main") {
            draft.out[first] = format!("extern \"C\" {}", draft.out[first]);
        }
    }
}

/// The tokens that are code and in no braces but those of `extern "C"`. Of the branches of an `#if`, each begins where the
/// first did, and the last one counts.
fn outside_of_braces(draft: &Draft) -> Vec<usize> {
    let mut outside = Vec::new();
    let mut depth = 0_i32;
    let mut conditions = Vec::new();
    for at in 0..draft.tokens.len() {
        if draft.in_directive[at] {
            let begins = draft.significant_before(at).is_some_and(|before| draft.tokens[before].is("#"));
            match draft.text(at) {
                "if" | "ifdef" | "ifndef" if begins => conditions.push(depth),
                "else" | "elif" if begins => depth = conditions.last().copied().unwrap_or(depth),
                "endif" if begins => drop(conditions.pop()),
                _ => {}
            }
            continue;
        }
        match draft.text(at) {
            "{" if draft.kind(at) == Kind::Sign => {
                let of_linkage = draft.significant_before(at).is_some_and(|before| draft.kind(before) == Kind::Text);
                depth += i32::from(!of_linkage);
            }
            "}" if draft.kind(at) == Kind::Sign => depth = 0.max(depth - 1),
            _ if depth == 0 => outside.push(at),
            _ => {}
        }
    }
    outside
}

/// The first word of the function that this name is declared by, if that is what it is: words that can be a type and a
/// convention before it, an opening parenthesis behind it.
fn beginning_of_function(draft: &Draft, name: usize) -> Option<usize> {
    draft.significant(name + 1).filter(|at| draft.tokens[*at].is("("))?;
    let mut first = None;
    let mut at = name;
    while let Some(before) = draft.significant_before(at) {
        if draft.kind(before) != Kind::Word || draft.in_directive[before] {
            let ends = draft.in_directive[before] || [";", "}", "{", ")"].contains(&draft.text(before));
            let after_linkage = draft.kind(before) == Kind::Text;
            return first.filter(|_| ends && !after_linkage);
        }
        if ["return", "else", "do", "goto", "case", "new", "throw", "static", "typedef"].contains(&draft.text(before)) {
            return None;
        }
        first = Some(before);
        at = before;
    }
    first
}

#[cfg(test)]
mod tests {
    use super::super::tests::{c, cpp};
    use super::prologue;

    #[test]
    fn a_main_that_returns_nothing_gets_another_name() {
        assert_eq!(c("void main()\n{}"), "void WS_VOID(main)()\n{}");
        assert_eq!(cpp("void __cdecl main(int n)\n{}"), "extern \"C\" void __cdecl WS_VOID(main)(int n)\n{}");
        assert_eq!(cpp("x;\nVOID\n_tmain()\n{}"), "x;\nextern \"C\" VOID\nWS_VOID(_tmain)()\n{}");
        assert!(prologue(&c("void main()")).ends_with('\n'));
        assert_eq!(prologue(&c("int main()")), "");
    }

    #[test]
    fn entry_points_of_windows_are_found_by_their_names_in_c() {
        let text = "int WINAPI WinMain(HINSTANCE a, HINSTANCE b, LPSTR c, int d)\n{}";
        assert_eq!(c(text), text);
        assert_eq!(cpp(text), format!("extern \"C\" {text}"));
        assert_eq!(cpp("#include <x>\nint wmain()"), "#include <x>\nextern \"C\" int wmain()");
        assert_eq!(cpp("} int _tmain(int n, _TCHAR *v[]) {}"), "} extern \"C\" int _tmain(int n, _TCHAR *v[]) {}");
    }

    #[test]
    fn branches_of_a_condition_share_their_braces() {
        let text = "#ifdef A\nint f() {\n#else\nint g() {\n#endif\n}\nvoid main() {}";
        assert!(c(text).contains("WS_VOID"));
        assert!(cpp("extern \"C\" {\n#ifdef A\nvoid main();\n#endif\n}").contains("WS_VOID"));
    }

    #[test]
    fn calls_and_ordinary_mains_are_left_alone() {
        for text in [
            "int main() { return 0; }",
            "main() {}",
            "{ return main(1, 2); }",
            "{ x = wmain(1, 2); if (x) WinMain(0); else wmain(); }",
            "extern \"C\" int wmain(int n);",
            "#define main(x) void main(x)\n",
            "void remain(); void main_loop();",
            "int main;",
            "class A { void main(); int wmain(); };",
        ] {
            assert_eq!(cpp(text), text);
        }
    }
}
