//! The facts that PLATFORM.md lists, and those that it should.

use crate::libtest;
use crate::register;
use anyhow::Context;

/// The facts that PLATFORM.md lists: in them the systems may differ.
pub(crate) fn listed_facts() -> anyhow::Result<Vec<String>> {
    let path = crate::root().join("PLATFORM.md");
    Ok(in_first_cells(&std::fs::read_to_string(&path).with_context(|| path.display().to_string())?))
}

/// The facts that the first cells of the tables in this text name, as in `| A28, A29 | … |`.
fn in_first_cells(markdown: &str) -> Vec<String> {
    let first_cells = markdown.lines().filter_map(|line| line.strip_prefix('|')?.split('|').next());
    let words = first_cells.flat_map(|cell| cell.split(',')).map(str::trim);
    words.filter(|word| register::is_fact_number(word)).map(str::to_owned).collect()
}

/// The facts of the tests in this source that are left out on Windows. PLATFORM.md has to list them.
pub(crate) fn left_out_on_windows(source: &str) -> Vec<String> {
    let mut facts = Vec::new();
    let mut is_left_out = false;
    for line in source.lines().map(str::trim) {
        if line.starts_with(crate::check::LEFT_OUT_ON_WINDOWS) {
            is_left_out = true;
        } else if let Some(name) = line.strip_prefix("fn ") {
            if is_left_out {
                facts.extend(libtest::facts_of(name.split('(').next().unwrap_or_default()));
            }
            is_left_out = false;
        }
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_lists_facts_in_its_first_cells() {
        let text = "A1 is a fact\n| fact | why |\n|---|---|\n| A28 | A29 |\n| D60, D61 | x |\n| bind | S1 |\n";
        assert_eq!(in_first_cells(text), ["A28", "D60", "D61"]);
    }

    #[test]
    fn a_test_is_left_out_by_the_attribute_before_it() {
        let attribute = format!("{}Wine 8: why\")]", crate::check::LEFT_OUT_ON_WINDOWS);
        let source = format!("{attribute}\n#[test]\nfn s1_v2_x() {{}}\n#[test]\nfn s3_y() {{}}\n");
        assert_eq!(left_out_on_windows(&source), ["S1", "V2"]);
    }
}
