//! One file's text, from what Microsoft's compiler takes to what gcc and clang take.
//!
//! What is not named here is left alone. No line comes or goes, so that messages name the lines of the original.

pub(crate) use entry::prologue;

mod directives;
mod entry;
mod va_lists;
mod words;

use crate::lexer::{Kind, Token, tokens};

/// The language of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    C,
    Cpp,
}

/// What a translation asks of the world outside the text.
pub(crate) trait Surroundings {
    /// What to include in place of this name, with its quotes or brackets; `None` to leave it.
    fn header(&mut self, name: &str) -> Option<String>;

    /// A library that `#pragma comment(lib)` names: why there is none, if there is none.
    fn library(&mut self, name: &str) -> Result<(), String>;
}

/// A translated file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Translation {
    pub(crate) text: String,
    /// What was changed beyond comments and notes, for people.
    pub(crate) changes: Vec<String>,
}

/// Translates a file: a source in this language, or a header for either.
pub(crate) fn translate(text: &str, source: Option<Language>, surroundings: &mut dyn Surroundings) -> Translation {
    let mut draft = Draft::new(text);
    directives::translate(&mut draft, surroundings);
    words::translate(&mut draft);
    va_lists::translate(&mut draft);
    if let Some(language) = source {
        entry::translate(&mut draft, language);
    }
    Translation { text: draft.out.concat(), changes: draft.changes }
}

/// The tokens of a file and what becomes of each.
struct Draft<'a> {
    tokens: Vec<Token<'a>>,
    out: Vec<String>,
    /// For each token, whether it belongs to a directive.
    in_directive: Vec<bool>,
    changes: Vec<String>,
}

impl<'a> Draft<'a> {
    fn new(text: &'a str) -> Self {
        let tokens = tokens(text);
        let out = tokens.iter().map(|token| token.text.to_owned()).collect();
        let in_directive = vec![false; tokens.len()];
        Draft { tokens, out, in_directive, changes: Vec::new() }
    }

    /// The first token from here on that the compiler sees.
    fn significant(&self, from: usize) -> Option<usize> {
        (from..self.tokens.len()).find(|at| self.tokens[*at].is_significant())
    }

    /// The last token before this one that the compiler sees.
    fn significant_before(&self, before: usize) -> Option<usize> {
        (0..before).rev().find(|at| self.tokens[*at].is_significant())
    }

    /// The closing parenthesis of a group that opens here.
    fn closing(&self, open: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for at in open..self.tokens.len() {
            if self.tokens[at].is("(") {
                depth += 1;
            } else if self.tokens[at].is(")") {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
        }
        None
    }

    /// Takes away what the compiler sees from here to there, both included, and leaves blanks: columns stay.
    fn blank(&mut self, from: usize, to: usize) {
        for at in from..=to {
            if self.tokens[at].is_significant() {
                self.out[at] = " ".repeat(self.tokens[at].text.chars().count());
            }
        }
    }

    /// Takes away all from here to before there but the ends of lines.
    fn erase(&mut self, from: usize, to: usize) {
        for out in &mut self.out[from..to] {
            out.retain(|c| c == '\n');
        }
    }

    fn line(&self, at: usize) -> usize {
        1 + self.tokens[..at].iter().map(|token| token.text.matches('\n').count()).sum::<usize>()
    }

    fn change(&mut self, at: usize, what: &str) {
        self.changes.push(format!("line {}: {what}", self.line(at)));
    }

    fn kind(&self, at: usize) -> Kind {
        self.tokens[at].kind
    }

    fn text(&self, at: usize) -> &'a str {
        self.tokens[at].text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexer::source;
    use proptest::prelude::*;

    /// Knows one header and one library.
    pub(super) struct World;

    impl Surroundings for World {
        fn header(&mut self, name: &str) -> Option<String> {
            name.eq_ignore_ascii_case("<winsock2.h>").then(|| "<winsock2.h>".to_owned())
        }

        fn library(&mut self, name: &str) -> Result<(), String> {
            if name.eq_ignore_ascii_case("ws2_32.lib") { Ok(()) } else { Err(format!("no {name}")) }
        }
    }

    pub(super) fn c(text: &str) -> String {
        translate(text, Some(Language::C), &mut World).text
    }

    pub(super) fn cpp(text: &str) -> String {
        translate(text, Some(Language::Cpp), &mut World).text
    }

    #[test]
    fn ordinary_sources_are_left_alone() {
        let text =
            "#include <stdio.h>\n#define F(x) #x\n/* __try */ int main(void) { return puts(\"__in\"); } // __leave\n";
        assert_eq!(translate(text, Some(Language::C), &mut World), Translation { text: text.into(), changes: vec![] });
        assert_eq!(cpp(text), text);
    }

    proptest! {
        #[test]
        fn no_line_comes_or_goes(text in source(), language in prop::sample::select(vec![Language::C, Language::Cpp])) {
            let translation = translate(&text, Some(language), &mut World);
            prop_assert_eq!(translation.text.matches('\n').count(), text.matches('\n').count());
        }

        #[test]
        fn strings_and_comments_stay(inside in "[a-zA-Z_ (){}#<>]*") {
            let text = format!("x = \"{inside}__try void main(\"; /* {inside} __in */\n// {inside}\nR\"z({inside})z\";");
            prop_assert_eq!(cpp(&text), text);
        }
    }
}
