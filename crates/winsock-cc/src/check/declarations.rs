//! The names that a file declares or defines, told by how declarations look.
//!
//! This is no parser. It errs towards "declared", since what is not missing must not be reported, and one compiler run
//! finds what it overlooked.

use super::file::Piece;

/// Words before an expression or a label: what follows is used.
const BEFORE_USE: [&str; 29] = [
    "return",
    "else",
    "do",
    "case",
    "goto",
    "throw",
    "new",
    "delete",
    "sizeof",
    "typeof",
    "alignof",
    "co_return",
    "co_await",
    "co_yield",
    "not",
    "and",
    "or",
    "xor",
    "operator",
    "namespace",
    "using",
    "template",
    "if",
    "while",
    "for",
    "switch",
    "in",
    "default",
    "defined",
];

/// Words before a type.
const BEFORE_TYPE: [&str; 25] = [
    "const",
    "volatile",
    "static",
    "extern",
    "register",
    "inline",
    "constexpr",
    "mutable",
    "typename",
    "virtual",
    "public",
    "private",
    "protected",
    "explicit",
    "friend",
    "struct",
    "class",
    "union",
    "enum",
    "typedef",
    "__inline",
    "__forceinline",
    "__extension__",
    "consteval",
    "constinit",
];

/// What may follow a name that is being declared.
const AFTER_NAME: [&str; 8] = ["(", ";", "=", ",", ")", "[", "{", ":"];

/// All names that are declared.
pub(crate) fn declared(pieces: &[Piece]) -> Vec<String> {
    let mut names: Vec<String> =
        (0..pieces.len()).filter(|at| is_declared(pieces, *at)).map(|at| pieces[at].text.clone()).collect();
    for (at, piece) in pieces.iter().enumerate() {
        match piece.text.as_str() {
            "typedef" => names.extend(type_names(&pieces[at + 1..])),
            "enum" => names.extend(enumerators(&pieces[at + 1..])),
            _ => {}
        }
    }
    names
}

fn text(pieces: &[Piece], at: Option<usize>) -> &str {
    at.and_then(|at| pieces.get(at)).map_or("", |piece| &piece.text)
}

/// Whether a type's name, or the end of one, may stand there.
fn is_type(pieces: &[Piece], at: Option<usize>) -> bool {
    let piece = at.and_then(|at| pieces.get(at));
    piece.is_some_and(|piece| {
        let text = piece.text.as_str();
        piece.is_word && !BEFORE_USE.contains(&text) && !BEFORE_TYPE.contains(&text)
    })
}

/// Whether the word at this place is declared by what stands around it.
fn is_declared(pieces: &[Piece], at: usize) -> bool {
    if !pieces[at].is_word {
        return false;
    }
    let before = |count: usize| at.checked_sub(count);
    let next = text(pieces, Some(at + 1));
    match text(pieces, before(1)) {
        // `struct S {`, `class T>` of a template, `using T =`, `namespace n {`; but not `struct S s`.
        "struct" | "class" | "union" | "enum" | "namespace" | "typename" => {
            ["{", ":", ";", ",", ">", "="].contains(&next)
        }
        "using" => next == "=",
        "*" | "&" | "const" if AFTER_NAME.contains(&next) => follows_type(pieces, at),
        ">" if AFTER_NAME.contains(&next) => follows_arguments(pieces, at),
        _ => is_type(pieces, before(1)) && AFTER_NAME.contains(&next),
    }
}

/// Whether signs of pointers, and before them a type at the beginning of a statement, come before: `T *name`. Not that of a
/// parameter, as `f(flags & NAME)` looks the same. The names of pointers to functions too: `(*name)(`, `(WINAPI *name)(`.
fn follows_type(pieces: &[Piece], at: usize) -> bool {
    let mut place = at;
    while place > 0 && ["*", "&", "const"].contains(&text(pieces, Some(place - 1))) {
        place -= 1;
    }
    let Some(base) = place.checked_sub(1) else { return false };
    if text(pieces, Some(at + 1)) == ")" && text(pieces, Some(at + 2)) == "(" {
        return text(pieces, Some(base)) == "("
            || (is_type(pieces, Some(base)) && text(pieces, base.checked_sub(1)) == "(");
    }
    // `unsigned char *`, `struct S *`, `std::string *`: some words and colons, back to the beginning.
    let mut first = base;
    while first > 0 && (is_type(pieces, Some(first - 1)) || text(pieces, Some(first - 1)) == ":") {
        first -= 1;
    }
    let before = text(pieces, first.checked_sub(1));
    is_type(pieces, Some(base)) && (["", ";", "{", "}", "#"].contains(&before) || BEFORE_TYPE.contains(&before))
}

/// Whether a template's arguments come before: `vector<int> name`, and not `a < b && c > name`.
fn follows_arguments(pieces: &[Piece], at: usize) -> bool {
    let mut depth = 0;
    for place in (0..at).rev() {
        match text(pieces, Some(place)) {
            ">" => depth += 1,
            "<" if depth == 1 => return is_type(pieces, place.checked_sub(1)),
            "<" => depth -= 1,
            "&" if text(pieces, Some(place + 1)) == "&" => return false,
            ";" | "{" | "}" | "(" | ")" | "#" | "=" | "?" | "|" => return false,
            _ => {}
        }
    }
    false
}

/// The names of a typedef, up to its semicolon.
fn type_names(pieces: &[Piece]) -> Vec<String> {
    let mut names = Vec::new();
    let mut depth = 0;
    for (at, piece) in pieces.iter().enumerate() {
        let (before, after) = (text(pieces, at.checked_sub(1)), text(pieces, Some(at + 1)));
        match piece.text.as_str() {
            "{" | "(" => depth += 1,
            "}" | ")" => depth -= 1,
            ";" | "#" if depth == 0 => break,
            _ if !piece.is_word => {}
            _ if depth == 0 && [";", ",", "[", "("].contains(&after) && at > 0 => names.push(piece.text.clone()),
            _ if depth == 1 && before == "*" && after == ")" => names.push(piece.text.clone()),
            _ => {}
        }
    }
    names
}

/// The enumerators behind `enum`.
fn enumerators(pieces: &[Piece]) -> Vec<String> {
    let mut names = Vec::new();
    // A name, `class`, a type of integer.
    let body = pieces.iter().take_while(|piece| piece.is_word || piece.text == ":").count();
    if text(pieces, Some(body)) != "{" {
        return names;
    }
    for (at, piece) in pieces.iter().enumerate().skip(body + 1) {
        if piece.text == "}" {
            break;
        }
        if piece.is_word && ["{", ",", "#"].contains(&text(pieces, at.checked_sub(1))) {
            names.push(piece.text.clone());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use crate::check::file::File;
    use std::collections::BTreeSet;

    fn declared(text: &str) -> BTreeSet<String> {
        File::read("a.cpp".into(), text).declared.into_iter().collect()
    }

    #[test]
    fn what_a_file_declares_is_found() {
        for (text, name) in [
            ("DWORD WINAPI F(LPVOID p) { return 0; }", "F"),
            ("static const char *const F(void);", "F"),
            ("std::vector<int> F(int);", "F"),
            ("struct F { int x; };", "F"),
            ("class F;", "F"),
            ("class F : public Base {};", "F"),
            ("template <class F> void g();", "F"),
            ("typedef struct _X { int y; } X, *F;", "F"),
            ("typedef unsigned long F;", "F"),
            ("typedef int (WINAPI *F)(int a, void (*b)(int));", "F"),
            ("typedef void F(int);", "F"),
            ("using F = int;", "F"),
            ("enum { A, F = 3, B };", "F"),
            ("enum class E : int { F };", "F"),
            ("#define F 1", "F"),
            ("int (*F)(int) = 0;", "F"),
            ("BOOL (WINAPI *F)(int);", "F"),
            ("class C { public: int x; private: HANDLE *F; };", "F"),
            ("unsigned char *F = 0;", "F"),
            ("void g() { auto F = [] {}; }", "F"),
            ("struct S { unsigned F : 3; };", "F"),
        ] {
            assert!(declared(text).contains(name), "{text}: {:?}", declared(text));
        }
    }

    #[test]
    fn what_a_file_uses_is_not_declared_by_that() {
        for text in [
            "int g() { return F(); }",
            "void g() { if (x) F(1); else F(2); }",
            "F x; const F *y; void g(F, F *z);",
            "struct F *p;",
            "x = (F *)y;",
            "x = a * F;",
            "x = new F();",
            "case F: break;",
            "void g() { a = F(b) + sizeof(F); }",
            "#define G F(1)",
            "HANDLE h = F(1), k = F(2);",
            "class A : public F {};",
            "vector<F> v;",
            "if (flags & F) g(a * F, b & F);",
            "if (a < b && c > F) d = e ? f : g & F;",
        ] {
            assert!(!declared(text).contains("F"), "{text}");
        }
    }
}
