//! Words that mean something to Microsoft's compiler only.
//!
//! *Structured exceptions.* libstdc++ has a macro `__try` of its own, and gcc has nothing like it. The words become macros of
//! `ws_keywords.h`, which keep what programs mostly use it for, a common end: `__leave` jumps there, `__finally` stands
//! there. Nothing raises an exception, so `__except` is never entered. `return`, `break` and `goto` out of a `__try` skip its
//! `__finally`.
//!
//! *Notes on parameters* in lower case (`__in`, `__out_ecount(n)`): libstdc++ uses such names for itself, so they cannot be
//! macros.

use super::Draft;
use super::directives::{argument, is_name_of_macro, operator};
use crate::lexer::Kind;

pub(super) fn translate(draft: &mut Draft) {
    for at in 0..draft.tokens.len() {
        match draft.kind(at) {
            Kind::Word if !is_name_of_macro(draft, at) => word(draft, at),
            Kind::Number => {
                if let Some(number) = number(draft.text(at)) {
                    draft.out[at] = number;
                }
            }
            _ => {}
        }
    }
}

fn word(draft: &mut Draft, at: usize) {
    let text = draft.text(at);
    if let Some(note) = note(text) {
        let end = argument(draft, at, note).unwrap_or(at);
        return draft.blank(at, end);
    }
    draft.out[at] = match text {
        "__try" => {
            draft.change(at, "__try: nothing raises an exception, and `return` skips __finally");
            "__ws_try".into()
        }
        "__leave" | "__finally" | "__except" => format!("__ws_{}", &text[2..]),
        "__pragma" => {
            let open = draft.significant(at + 1).filter(|open| draft.tokens[*open].is("("));
            let Some((open, close)) = open.and_then(|open| Some((open, draft.closing(open)?))) else { return };
            let inside: String = draft.tokens[open + 1..close].iter().map(|token| token.text).collect();
            draft.erase(at, close + 1);
            operator(&inside)
        }
        _ => return,
    };
}

/// Whether a note on a parameter is followed by more of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Note {
    Alone,
    WithArgument,
}

/// Whether the word is one of the older notes of Microsoft's: a direction, then what is pointed to.
pub(super) fn note(word: &str) -> Option<Note> {
    if matches!(word, "__reserved" | "__override" | "__notnull" | "__maybenull") {
        return Some(Note::Alone);
    }
    let mut rest = word.strip_prefix("__")?;
    rest = rest.strip_prefix("deref_").unwrap_or(rest);
    rest = rest.strip_prefix("opt_").unwrap_or(rest);
    rest = ["inout", "in", "out"].iter().find_map(|direction| rest.strip_prefix(direction))?;
    let mut note = Note::Alone;
    while !rest.is_empty() {
        let part = ["_opt", "_z", "_full", "_part", "_ecount", "_bcount", "_range"]
            .into_iter()
            .find(|part| rest.starts_with(part))?;
        if matches!(part, "_ecount" | "_bcount" | "_range") {
            note = Note::WithArgument;
        }
        rest = &rest[part.len()..];
    }
    Some(note)
}

/// A number with Microsoft's suffix of a size in bits, by the suffix that others know.
fn number(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let (digits, suffix) = [("ui64", "ull"), ("i64", "ll"), ("ui32", "u"), ("i32", ""), ("ui16", "u"), ("i16", "")]
        .into_iter()
        .chain([("ui8", "u"), ("i8", "")])
        .find_map(|(theirs, suffix)| Some((lower.strip_suffix(theirs)?, suffix)))?;
    let is_number = match digits.strip_prefix("0x") {
        Some(digits) => !digits.is_empty() && digits.chars().all(|digit| digit.is_ascii_hexdigit()),
        None => !digits.is_empty() && digits.chars().all(|digit| digit.is_ascii_digit()),
    };
    is_number.then(|| format!("{}{suffix}", &text[..digits.len()]))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{c, cpp};
    use super::*;

    #[test]
    fn exceptions_get_names_that_libstdcpp_does_not_use() {
        let text = "__try { if (x) __leave; } __finally { y(); } __try {} __except (f()) {} __try_it _try";
        let expected =
            "__ws_try { if (x) __ws_leave; } __ws_finally { y(); } __ws_try {} __ws_except (f()) {} __try_it _try";
        assert_eq!(cpp(text), expected);
    }

    #[test]
    fn notes_go_and_columns_stay() {
        assert_eq!(
            cpp("int f(__in int a, __out_ecount(n + (1)) int *b);"),
            "int f(     int a,                       int *b);"
        );
        assert_eq!(c("f(__in_opt\nx)"), "f(        \nx)");
        assert_eq!(c("f(__inout(x))"), "f(       (x))");
    }

    #[test]
    fn only_notes_are_notes() {
        for word in ["__in", "__out", "__inout", "__in_opt", "__deref_out_opt", "__reserved", "__in_z_opt"] {
            assert_eq!(note(word), Some(Note::Alone), "{word}");
        }
        for word in ["__in_ecount", "__out_bcount_part", "__inout_ecount_opt", "__in_range"] {
            assert_eq!(note(word), Some(Note::WithArgument), "{word}");
        }
        for word in ["in", "__inline", "__int64", "__input", "_In_", "__out_", "__in_x", "__index"] {
            assert_eq!(note(word), None, "{word}");
        }
    }

    #[test]
    fn numbers_get_the_suffix_of_others() {
        let numbers = ["10i64", "0xFFui64", "0XABI64", "7UI32", "1i8", "12i16"];
        let expected = ["10ll", "0xFFull", "0XABll", "7u", "1", "12"];
        assert_eq!(numbers.map(|text| number(text).expect("a number of Microsoft's")), expected);
        assert_eq!(c("x = 10i64 + a10i64;"), "x = 10ll + a10i64;");
        for text in ["10", "10ll", "1.5i", "0xi64", "i64", "1'0i64"] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
