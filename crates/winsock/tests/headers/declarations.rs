//! What the headers declare: read from their text.

use std::fs;

use super::toolchain::{headers, include};

/// A function that a header declares by `WS_DECLARE`.
#[derive(Debug, Clone)]
pub(crate) struct Declaration {
    pub(crate) header: String,
    pub(crate) name: String,
    pub(crate) result: String,
    /// Each with its name.
    pub(crate) parameters: Vec<String>,
}

/// All functions of the library, in the order of the headers.
pub(crate) fn declarations() -> Vec<Declaration> {
    let mut all = Vec::new();
    for header in headers() {
        let text = fs::read_to_string(include().join(&header)).unwrap();
        for (at, _) in text.match_indices("WS_DECLARE(") {
            if text[..at].ends_with("#define ") {
                continue;
            }
            let (inside, _) = enclosed(&text[at + "WS_DECLARE".len()..]);
            let parts = split(inside);
            let [result, name, parameters] = &parts[..] else { panic!("{header}: WS_DECLARE({inside})") };
            let (parameters, _) = enclosed(parameters);
            let parameters = if parameters.trim() == "void" { Vec::new() } else { split(parameters) };
            let (result, name) = (result.clone(), name.clone());
            all.push(Declaration { header: header.clone(), name, result, parameters });
        }
    }
    all
}

/// The symbols of the library that the headers bind without declaring by the same name.
pub(crate) fn aliases() -> Vec<String> {
    let mut all = Vec::new();
    for header in headers() {
        let text = fs::read_to_string(include().join(&header)).unwrap();
        for (at, _) in text.match_indices("WS_ALIAS(") {
            if !text[..at].ends_with("#define ") {
                let (inside, _) = enclosed(&text[at + "WS_ALIAS".len()..]);
                all.push(split(inside)[2].clone());
            }
        }
    }
    all.retain(|symbol| symbol.starts_with("ws_"));
    all
}

/// The text within the parentheses that the text begins with, and what follows.
fn enclosed(text: &str) -> (&str, &str) {
    let start = text.find('(').unwrap();
    let mut depth = 0;
    for (at, character) in text.char_indices().skip(start) {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return (&text[start + 1..at], &text[at + 1..]);
        }
    }
    panic!("no end of {text}");
}

/// The parts between commas that are within no parentheses.
fn split(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for character in text.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if character == ',' && depth == 0 {
            parts.push(String::new());
        } else {
            parts.last_mut().unwrap().push(character);
        }
    }
    parts.iter().map(|part| part.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}
