//! Which branches of `#if` the compiler sees, as far as that is known beforehand.
//!
//! Known is what the driver defines, what only other systems and compilers define, and numbers. A branch is left out only
//! if it certainly is: for a condition with anything else in it, all branches count.

/// What is defined in every program here, with its value.
const DEFINED: [(&str, i64); 6] =
    [("_WIN32", 1), ("_WIN64", 1), ("WIN32", 1), ("_M_X64", 100), ("_M_AMD64", 100), ("__GNUC__", 12)];

/// What is not: macros of other systems, other compilers and other processors.
const UNDEFINED: [&str; 33] = [
    "__linux__",
    "__linux",
    "linux",
    "__unix__",
    "__unix",
    "unix",
    "__APPLE__",
    "__MACH__",
    "__FreeBSD__",
    "__NetBSD__",
    "__OpenBSD__",
    "__DragonFly__",
    "__sun",
    "sun",
    "__sun__",
    "__hpux",
    "_AIX",
    "__CYGWIN__",
    "__CYGWIN32__",
    "__MINGW32__",
    "__MINGW64__",
    "__ANDROID__",
    "__QNX__",
    "__HAIKU__",
    "__EMSCRIPTEN__",
    "__BEOS__",
    "_MSC_VER",
    "__BORLANDC__",
    "__WATCOMC__",
    "__DMC__",
    "UNDER_CE",
    "_WIN32_WCE",
    "_M_IX86",
];

/// A conditional directive's nest: one entry for each `#if` that is open.
#[derive(Default)]
pub(crate) struct Conditions(Vec<Branch>);

#[derive(Clone, Copy)]
struct Branch {
    /// Whether the branch at hand may be compiled.
    may_be: bool,
    /// Whether a branch before certainly was, so that no other is.
    is_decided: bool,
}

impl Conditions {
    /// Whether what stands here may be compiled.
    pub(crate) fn may_be(&self) -> bool {
        self.0.iter().all(|branch| branch.may_be)
    }

    /// Reads a directive by its name and its words; false if it is none of these.
    pub(crate) fn directive(&mut self, name: &str, words: &[&str]) -> bool {
        let is_defined = |negative: bool| {
            words.first().and_then(|name| value(name)).map(|value| i64::from(value.is_some() != negative))
        };
        match name {
            "if" => self.open(evaluate(words)),
            "ifdef" => self.open(is_defined(false)),
            "ifndef" => self.open(is_defined(true)),
            "elif" => self.next(evaluate(words)),
            "elifdef" => self.next(is_defined(false)),
            "elifndef" => self.next(is_defined(true)),
            "else" => self.next(Some(1)),
            "endif" => drop(self.0.pop()),
            _ => return false,
        }
        true
    }

    fn open(&mut self, condition: Option<i64>) {
        self.0.push(Branch { may_be: condition != Some(0), is_decided: condition.is_some_and(|value| value != 0) });
    }

    fn next(&mut self, condition: Option<i64>) {
        if let Some(branch) = self.0.last_mut() {
            branch.may_be = !branch.is_decided && condition != Some(0);
            branch.is_decided |= condition.is_some_and(|value| value != 0);
        }
    }
}

/// What is known of a macro: `None` nothing, `Some(None)` that it is not defined.
fn value(name: &str) -> Option<Option<i64>> {
    match DEFINED.iter().find(|(defined, _)| *defined == name) {
        Some((_, value)) => Some(Some(*value)),
        None => UNDEFINED.contains(&name).then_some(None),
    }
}

/// The value of a condition, if it is known.
fn evaluate(words: &[&str]) -> Option<i64> {
    let mut reader = Reader { words, at: 0 };
    let value = reader.binary(0);
    // What is left over was not understood.
    if reader.at == words.len() { value } else { None }
}

/// Operators of two signs, before those of one that they begin with; the higher the number, the closer they bind.
const OPERATORS: [(&[&str], u8); 10] = [
    (&["|", "|"], 1),
    (&["&", "&"], 2),
    (&["=", "="], 3),
    (&["!", "="], 3),
    (&["<", "="], 4),
    (&[">", "="], 4),
    (&["<"], 4),
    (&[">"], 4),
    (&["+"], 5),
    (&["-"], 5),
];

struct Reader<'a> {
    words: &'a [&'a str],
    at: usize,
}

impl Reader<'_> {
    fn takes(&mut self, signs: &[&str]) -> bool {
        let is_next = self.words[self.at..].starts_with(signs);
        if is_next {
            self.at += signs.len();
        }
        is_next
    }

    fn binary(&mut self, least: u8) -> Option<i64> {
        let mut left = self.unary();
        'operators: loop {
            for (signs, binds) in OPERATORS {
                if binds >= least && self.takes(signs) {
                    let right = self.binary(binds + 1);
                    left = apply(signs, left, right);
                    continue 'operators;
                }
            }
            return left;
        }
    }

    fn unary(&mut self) -> Option<i64> {
        let word = self.words.get(self.at)?;
        self.at += 1;
        match *word {
            "!" => self.unary().map(|value| i64::from(value == 0)),
            "(" => {
                let inside = self.binary(0);
                if self.takes(&[")"]) { inside } else { None }
            }
            "defined" => {
                let has_parenthesis = self.takes(&["("]);
                let name = self.words.get(self.at)?;
                self.at += 1;
                if has_parenthesis {
                    self.takes(&[")"]);
                }
                value(name).map(|value| i64::from(value.is_some()))
            }
            word if word.starts_with(|c: char| c.is_ascii_digit()) => number(word),
            word => value(word).map(|value| value.unwrap_or(0)),
        }
    }
}

fn apply(signs: &[&str], left: Option<i64>, right: Option<i64>) -> Option<i64> {
    let known = |value: bool| Some(i64::from(value));
    match (signs, left, right) {
        (["|", "|"], Some(value), _) | (["|", "|"], _, Some(value)) if value != 0 => Some(1),
        (["&", "&"], Some(0), _) | (["&", "&"], _, Some(0)) => Some(0),
        (_, Some(left), Some(right)) => match signs {
            ["|", "|"] => known(left != 0 || right != 0),
            ["&", "&"] => known(left != 0 && right != 0),
            ["=", "="] => known(left == right),
            ["!", "="] => known(left != right),
            ["<", "="] => known(left <= right),
            [">", "="] => known(left >= right),
            ["<"] => known(left < right),
            [">"] => known(left > right),
            ["+"] => left.checked_add(right),
            ["-"] => left.checked_sub(right),
            _ => None,
        },
        _ => None,
    }
}

fn number(word: &str) -> Option<i64> {
    let digits = word.trim_end_matches(|c: char| "uUlL".contains(c));
    match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(digits) => i64::from_str_radix(digits, 16).ok(),
        None => digits.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexer::{Token, tokens};

    fn of(condition: &str) -> Option<i64> {
        let tokens = tokens(condition);
        let words: Vec<&str> =
            tokens.iter().filter(|token| Token::is_significant(token)).map(|token| token.text).collect();
        evaluate(&words)
    }

    #[test]
    fn conditions_are_known_or_not() {
        for (condition, value) in [
            ("0", Some(0)),
            ("1", Some(1)),
            ("defined(_WIN32) && !defined(__CYGWIN__)", Some(1)),
            ("defined __linux__ || defined __APPLE__", Some(0)),
            ("defined(_MSC_VER) && _MSC_VER >= 1400", Some(0)),
            ("_MSC_VER >= 1400", Some(0)),
            ("defined(OWN) || defined(_WIN32)", Some(1)),
            ("defined(OWN) && defined(__linux__)", Some(0)),
            ("OWN", None),
            ("!OWN || 0", None),
            ("!defined(WIN32)", Some(0)),
            ("(1 + 2) == 3 && 0x10 != 1u", Some(1)),
            ("__has_include(<x.h>)", None),
            ("", None),
            ("(", None),
        ] {
            assert_eq!(of(condition), value, "{condition}");
        }
    }

    #[test]
    fn branches_exclude_each_other_as_far_as_is_known() {
        let mut conditions = Conditions::default();
        let mut seen = Vec::new();
        for (name, words) in [
            ("ifdef", vec!["__linux__"]),
            ("elif", vec!["OWN"]),
            ("elif", vec!["1"]),
            ("else", vec![]),
            ("endif", vec![]),
            ("ifndef", vec!["OWN"]),
            ("else", vec![]),
        ] {
            assert!(conditions.directive(name, &words));
            seen.push(conditions.may_be());
        }
        assert_eq!(seen, [false, true, true, false, true, true, true]);
        assert!(!conditions.directive("define", &["X"]));
    }
}
