//! C and C++ cut into tokens, as far as translating takes it: nothing inside a comment or a string looks like code.
//!
//! The tokens of a text, one after the other, are the text again.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Blanks, and a backslash with the end of the line that it hides.
    Space,
    /// The end of a line.
    Newline,
    /// One comment of either form.
    Comment,
    /// A name or a keyword.
    Word,
    /// A number, with its suffix.
    Number,
    /// A string or a character in quotes, with its prefix.
    Text,
    /// The name in an `#include`, with its quotes or brackets.
    Header,
    /// Any other character.
    Sign,
}

/// A piece of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
}

impl Token<'_> {
    /// Whether the compiler sees something here.
    pub(crate) fn is_significant(&self) -> bool {
        !matches!(self.kind, Kind::Space | Kind::Newline | Kind::Comment)
    }

    /// Whether this is the sign or word.
    pub(crate) fn is(&self, text: &str) -> bool {
        self.text == text && matches!(self.kind, Kind::Sign | Kind::Word)
    }
}

/// Cuts the text, whose lines end in `\n` alone.
pub(crate) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut place = Place::LineStart;
    let mut rest = text;
    while !rest.is_empty() {
        let (kind, length) = first(rest, place);
        let (text, after) = rest.split_at(length);
        let token = Token { kind, text };
        place = place.after(token);
        tokens.push(token);
        rest = after;
    }
    tokens
}

/// Where in a line the lexer is: only after `#include` does a `<` open a name.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    LineStart,
    Directive,
    Include,
    Elsewhere,
}

impl Place {
    fn after(self, token: Token) -> Place {
        match (self, token.kind) {
            (_, Kind::Newline) => Place::LineStart,
            (place, Kind::Space | Kind::Comment) => place,
            (Place::LineStart, Kind::Sign) if token.text == "#" => Place::Directive,
            (Place::Directive, Kind::Word) if ["include", "include_next", "import"].contains(&token.text) => {
                Place::Include
            }
            _ => Place::Elsewhere,
        }
    }
}

/// The kind and the length of the first token of a text that is not empty.
fn first(text: &str, place: Place) -> (Kind, usize) {
    let bytes = text.as_bytes();
    let second = bytes.get(1).copied();
    match bytes[0] {
        b'\n' => (Kind::Newline, 1),
        b'\\' if second == Some(b'\n') => (Kind::Space, 2),
        b' ' | b'\t' | b'\r' | b'\x0b' | b'\x0c' => {
            (Kind::Space, run(text, |c| matches!(c, ' ' | '\t' | '\r' | '\x0b' | '\x0c')))
        }
        b'/' if second == Some(b'/') => (Kind::Comment, end_of_line(text)),
        b'/' if second == Some(b'*') => (Kind::Comment, text[2..].find("*/").map_or(text.len(), |end| 2 + end + 2)),
        b'<' if place == Place::Include => header(text, '>'),
        b'"' if place == Place::Include => header(text, '"'),
        b'"' | b'\'' => (Kind::Text, quoted(text)),
        b'0'..=b'9' => (Kind::Number, number(text)),
        b'.' if second.is_some_and(|next| next.is_ascii_digit()) => (Kind::Number, number(text)),
        _ => {
            let word = run(text, |c| c.is_alphanumeric() || c == '_' || c == '$');
            match &text[..word] {
                "" => (Kind::Sign, text.chars().next().map_or(1, char::len_utf8)),
                "R" | "LR" | "uR" | "UR" | "u8R" if text[word..].starts_with('"') => (Kind::Text, raw(text, word)),
                "L" | "u" | "U" | "u8" if text[word..].starts_with(['"', '\'']) => {
                    (Kind::Text, word + quoted(&text[word..]))
                }
                _ => (Kind::Word, word),
            }
        }
    }
}

/// The length of the longest beginning of such characters.
fn run(text: &str, is_part: impl Fn(char) -> bool) -> usize {
    text.find(|c| !is_part(c)).unwrap_or(text.len())
}

/// The length up to the end of the line, past those that a backslash hides.
fn end_of_line(text: &str) -> usize {
    let mut hidden = false;
    for (at, byte) in text.bytes().enumerate() {
        if byte == b'\n' && !hidden {
            return at;
        }
        hidden = byte == b'\\';
    }
    text.len()
}

/// A name in an `#include`, in which a backslash means itself; without its end, a mere sign.
fn header(text: &str, close: char) -> (Kind, usize) {
    match text[1..].find([close, '\n']) {
        Some(end) if text[1 + end..].starts_with(close) => (Kind::Header, 1 + end + 1),
        _ => (Kind::Sign, 1),
    }
}

/// The length of a string or character; one that does not end ends with its line.
fn quoted(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\n' => return at,
            b'\\' => at += 1,
            byte if byte == bytes[0] => return at + 1,
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// The length of a raw string, whose prefix is so long; an ordinary one if its delimiter is none.
fn raw(text: &str, prefix: usize) -> usize {
    let inside = &text[prefix + 1..];
    let delimiter = run(inside, |c| !matches!(c, '(' | ')' | '\\' | '"' | '\n' | ' ' | '\t'));
    if delimiter > 16 || !inside[delimiter..].starts_with('(') {
        return prefix + quoted(&text[prefix..]);
    }
    let close = format!("){}\"", &inside[..delimiter]);
    inside.find(&close).map_or(text.len(), |end| prefix + 1 + end + close.len())
}

/// The length of a number as the preprocessor has it: digits, letters, dots, signs of exponents, separators.
fn number(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        let is_part = match bytes[at] {
            b'.' | b'_' => true,
            b'+' | b'-' => matches!(bytes[at - 1], b'e' | b'E' | b'p' | b'P') && !is_hexadecimal_digit(&bytes[..at]),
            b'\'' => bytes.get(at + 1).is_some_and(u8::is_ascii_alphanumeric),
            byte => byte.is_ascii_alphanumeric(),
        };
        if !is_part {
            return at;
        }
        at += 1;
    }
    text.len()
}

/// Whether the `e` at the end of the number is a digit: `0x1e+2` is a sum for people, if not for the standard, and MSVC
/// takes it as one.
fn is_hexadecimal_digit(number: &[u8]) -> bool {
    number.len() > 2 && number[..2].eq_ignore_ascii_case(b"0x") && number.last().is_some_and(|e| b"eE".contains(e))
}

#[cfg(test)]
pub(crate) use tests::source;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kinds(text: &str) -> Vec<(Kind, &str)> {
        tokens(text).into_iter().filter(Token::is_significant).map(|token| (token.kind, token.text)).collect()
    }

    #[test]
    fn strings_and_comments_hide_what_is_in_them() {
        let text = "a /* __try \" */ \"x /* \\\" // \" b // ' \\\n __in\nc";
        let expected = [(Kind::Word, "a"), (Kind::Text, "\"x /* \\\" // \""), (Kind::Word, "b"), (Kind::Word, "c")];
        assert_eq!(kinds(text), expected);
    }

    #[test]
    fn raw_strings_end_at_their_own_delimiter() {
        let text = "R\"x(a)\" \\ \n)x\" b LR\"(\")\" u8R\"(c)\" R\"no delimiter\"";
        let expected = [
            (Kind::Text, "R\"x(a)\" \\ \n)x\""),
            (Kind::Word, "b"),
            (Kind::Text, "LR\"(\")\""),
            (Kind::Text, "u8R\"(c)\""),
            (Kind::Text, "R\"no delimiter\""),
        ];
        assert_eq!(kinds(text), expected);
    }

    #[test]
    fn what_does_not_end_ends_with_its_line() {
        assert_eq!(kinds("#error don't\nx")[3..], [(Kind::Text, "'t"), (Kind::Word, "x")]);
        assert_eq!(kinds("\"abc\nx"), [(Kind::Text, "\"abc"), (Kind::Word, "x")]);
        assert_eq!(kinds("#include <a\nx").last(), Some(&(Kind::Word, "x")));
    }

    #[test]
    fn numbers() {
        for number in ["0x1fui64", "1'000'000", "1.5e-3f", ".5", "10i64", "0b101"] {
            assert_eq!(kinds(number), [(Kind::Number, number)]);
        }
        assert_eq!(kinds("0x1e+2").len(), 3);
        assert_eq!(kinds("f('1','2')").len(), 6);
    }

    #[test]
    fn only_includes_have_header_names() {
        let text = "# include <a b.h> // x\n#include \"..\\n\\x.h\"\n#if a <b> c\n#include NAME\n";
        let headers: Vec<&str> =
            tokens(text).iter().filter(|token| token.kind == Kind::Header).map(|token| token.text).collect();
        assert_eq!(headers, ["<a b.h>", "\"..\\n\\x.h\""]);
    }

    /// Texts in which what matters here is frequent.
    pub(crate) fn source() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "\"", "'", "\\", "\n", "\\\n", "/*", "*/", "//", "R\"(", ")\"", "#", "include", "<", ">", "pragma",
            "comment", "(", ")", "{", "}", "lib", "__try", "__in", "void", "main", " ", "\t", "x", "0x1", "i64", "é",
            "中", "L", ";", "va_list", "=", ",", ":", "->", "NULL",
        ]);
        prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn tokens_are_the_text(text in source()) {
            let joined: String = tokens(&text).iter().map(|token| token.text).collect();
            prop_assert_eq!(joined, text);
        }

        #[test]
        fn any_text_can_be_cut(text in ".*") {
            let joined: String = tokens(&text).iter().map(|token| token.text).collect();
            prop_assert_eq!(joined, text);
        }
    }
}
