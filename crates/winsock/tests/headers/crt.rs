//! Programs over what the headers have inline and over the C runtime's functions.

use super::toolchain::{LANGUAGES, Language, package};

const INPUT: &[u8] = b"first\nmuch too long\nthird\n42\nrest\n";
const OUTPUT: &str = "1099511627776 汉 narrow 字.\n";

#[test]
fn the_c_runtime_works_in_c_and_in_cxx() {
    let source = package().join("tests/headers/crt.c");
    for language in LANGUAGES {
        for flags in [&["-O0"][..], &["-O2", "-D_FORTIFY_SOURCE=2"]] {
            assert_eq!(language.output_of(&source, flags, INPUT), OUTPUT, "{language:?} {flags:?}");
        }
    }
}

#[test]
fn what_only_cxx_has_works() {
    let source = package().join("tests/headers/crt.cpp");
    for language in LANGUAGES.into_iter().filter(|language| matches!(language, Language::Cxx(_))) {
        assert_eq!(language.output_of(&source, &["-O2"], b""), "汉 5000000000\n", "{language:?}");
    }
}
