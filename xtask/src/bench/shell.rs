//! Commands as a person would type them.

/// The words of a command in which nothing is quoted.
pub(super) fn split(command: &str) -> Vec<String> {
    command.split_whitespace().map(str::to_owned).collect()
}

/// The command over as many lines as it needs, each but the last ending with a backslash, indented after the first. An
/// option and its value stay together.
pub(super) fn lines(words: &[String], width: usize) -> String {
    let mut units: Vec<String> = Vec::new();
    let mut takes_value = false;
    for word in words {
        match units.last_mut() {
            Some(option) if takes_value && !word.starts_with('-') => *option = format!("{option} {}", quoted(word)),
            _ => units.push(quoted(word)),
        }
        takes_value = word.starts_with('-');
    }
    let mut text = String::from("$");
    let mut column = text.len();
    for unit in units {
        // Room for the backslash.
        if column + 1 + unit.chars().count() > width - 2 {
            text += " \\\n   ";
            column = 3;
        }
        text = text + " " + &unit;
        column += 1 + unit.chars().count();
    }
    text
}

fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_command_is_broken_and_words_are_quoted() {
        let words = ["compare", "--server", "epoll=bench/epoll --threads {threads}", "it's", "-"].map(String::from);
        assert_eq!(
            lines(&words, 40),
            "$ compare \\\n    --server 'epoll=bench/epoll --threads {threads}' \\\n    'it'\\''s' -"
        );
    }
}
