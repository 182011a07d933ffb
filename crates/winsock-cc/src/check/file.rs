//! One file: what it includes, what it declares, which words it uses.

use super::conditions::Conditions;
use super::declarations::declared;
use crate::lexer::{Kind, Token, tokens};
use std::collections::HashSet;
use std::path::PathBuf;

/// An `#include`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Include {
    /// As it stands there, with `/`.
    pub(crate) name: String,
    pub(crate) line: usize,
}

/// A token that the compiler may see. A `#` is the end of a directive: nothing reaches across it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) line: usize,
    pub(crate) is_word: bool,
}

/// A word that is used, and not as a member of something.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found<'a> {
    pub(crate) name: &'a str,
    pub(crate) line: usize,
    pub(crate) is_call: bool,
}

/// A file that was read.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: PathBuf,
    pub(crate) includes: Vec<Include>,
    pub(crate) declared: HashSet<String>,
    pieces: Vec<Piece>,
}

impl File {
    pub(crate) fn read(path: PathBuf, text: &str) -> File {
        let mut file = File { path, includes: Vec::new(), declared: HashSet::new(), pieces: Vec::new() };
        let mut conditions = Conditions::default();
        let tokens = tokens(text);
        let mut line = 1;
        let mut at = 0;
        let mut begins_line = true;
        while let Some(token) = tokens.get(at) {
            if begins_line && token.is("#") {
                let end = at + tokens[at..].iter().take_while(|token| token.kind != Kind::Newline).count();
                file.directive(&tokens[at + 1..end], line, &mut conditions);
                line += tokens[at..end].iter().map(lines).sum::<usize>();
                at = end;
                continue;
            }
            if token.kind == Kind::Newline {
                begins_line = true;
            } else if token.is_significant() {
                begins_line = false;
                if conditions.may_be() {
                    file.pieces.push(piece(token, line));
                }
            }
            line += lines(token);
            at += 1;
        }
        let found = declared(&file.pieces);
        file.declared.extend(found);
        file
    }

    /// The words, but for members and what is in a namespace or class.
    pub(crate) fn uses(&self) -> impl Iterator<Item = Found<'_>> {
        let text = |at: Option<usize>| at.and_then(|at| self.pieces.get(at)).map_or("", |piece| piece.text.as_str());
        let is_word = |at: Option<usize>| at.and_then(|at| self.pieces.get(at)).is_some_and(|piece| piece.is_word);
        self.pieces.iter().enumerate().filter(|(_, piece)| piece.is_word).filter_map(move |(at, piece)| {
            let before = |count: usize| at.checked_sub(count);
            let is_member = match text(before(1)) {
                "." => true,
                ">" => text(before(2)) == "-",
                // `::send` is the global one.
                ":" => text(before(2)) == ":" && is_word(before(3)),
                _ => false,
            };
            let is_call = text(Some(at + 1)) == "(";
            (!is_member).then_some(Found { name: &piece.text, line: piece.line, is_call })
        })
    }

    /// Reads a directive, whose tokens these are, behind its `#`.
    fn directive(&mut self, tokens: &[Token], line: usize, conditions: &mut Conditions) {
        let words: Vec<&Token> = tokens.iter().filter(|token| token.is_significant()).collect();
        let Some((name, rest)) = words.split_first() else { return };
        let texts: Vec<&str> = rest.iter().map(|token| token.text).collect();
        if conditions.directive(name.text, &texts) || !conditions.may_be() {
            return;
        }
        match name.text {
            "include" | "import" | "include_next" => {
                if let Some(header) = rest.first().filter(|token| token.kind == Kind::Header) {
                    let name = header.text[1..header.text.len() - 1].trim().replace('\\', "/");
                    self.includes.push(Include { name, line });
                }
            }
            "define" => self.definition(tokens, line),
            _ => {}
        }
    }

    /// A macro: its name and parameters are declared here, and its text is code.
    fn definition(&mut self, tokens: &[Token], line: usize) {
        let significant = || tokens.iter().enumerate().filter(|(_, token)| token.is_significant()).skip(1);
        let Some((at, name)) = significant().next() else { return };
        self.declared.insert(name.text.to_owned());
        let is_function = tokens.get(at + 1).is_some_and(|token| token.is("("));
        let mut body = significant().skip(1);
        if is_function {
            for (_, token) in body.by_ref().take_while(|(_, token)| !token.is(")")) {
                if token.kind == Kind::Word {
                    self.declared.insert(token.text.to_owned());
                }
            }
        }
        self.end_of_directive(line);
        for (at, token) in body {
            let line = line + tokens[..at].iter().map(lines).sum::<usize>();
            self.pieces.push(piece(token, line));
        }
        self.end_of_directive(line);
    }

    fn end_of_directive(&mut self, line: usize) {
        self.pieces.push(Piece { text: "#".to_owned(), line, is_word: false });
    }
}

fn piece(token: &Token, line: usize) -> Piece {
    // A number or a string is never code.
    let text = if matches!(token.kind, Kind::Number | Kind::Text) { "0" } else { token.text };
    Piece { text: text.to_owned(), line, is_word: token.kind == Kind::Word }
}

fn lines(token: &Token) -> usize {
    token.text.matches('\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> File {
        File::read("a.c".into(), text)
    }

    fn words(text: &str) -> Vec<(String, usize, bool)> {
        file(text).uses().map(|found| (found.name.to_owned(), found.line, found.is_call)).collect()
    }

    #[test]
    fn comments_strings_and_left_out_code_do_not_count() {
        let text =
            "// A\n/* B\n */ \"C\" 'D'\n#if 0\nE\n#else\nF(1);\n#endif\n#ifdef __linux__\nG\n#include <g.h>\n#endif\n";
        assert_eq!(words(text), [("F".to_owned(), 7, true)]);
        assert!(file(text).includes.is_empty());
    }

    #[test]
    fn members_do_not_count() {
        let text = "a.B(); c->D(); E::F(); ::G();";
        let names: Vec<String> = words(text).into_iter().map(|(name, _, _)| name).collect();
        assert_eq!(names, ["a", "c", "E", "G"]);
    }

    #[test]
    fn directives_have_places_and_definitions_are_code() {
        let file = file("#include <Sys\\Types.H>\n\n# include \"x.h\" // y\n#define F(a) \\\n  G(a)\nint h;\n");
        let includes = [("Sys/Types.H", 1), ("x.h", 3)].map(|(name, line)| Include { name: name.into(), line });
        assert_eq!(file.includes, includes);
        let of_g: Vec<usize> = file.uses().filter(|found| found.name == "G").map(|found| found.line).collect();
        assert_eq!(of_g, [5]);
        for name in ["F", "a", "h"] {
            assert!(file.declared.contains(name), "{name}");
        }
    }
}
