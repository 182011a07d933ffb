use super::format::translate;
use super::scan;
use super::shell::{Known, known};

/// In glibc's language, the same text if it is that already.
fn narrow(format: &str) -> String {
    let Some(mut out) = translate(format.as_bytes(), false) else { return format.to_owned() };
    assert_eq!(out.pop(), Some(0));
    String::from_utf8(out).unwrap()
}

fn wide(format: &str) -> String {
    let units: Vec<u32> = format.chars().map(u32::from).collect();
    let Some(mut out) = translate(&units, true) else { return format.to_owned() };
    assert_eq!(out.pop(), Some(0));
    out.into_iter().map(|unit| char::from_u32(unit).unwrap()).collect()
}

#[test]
fn lengths_of_numbers_are_microsofts() {
    assert_eq!(narrow("%I64d %-20.3I64u %I32x %Id"), "%lld %-20.3llu %x %zd");
    assert_eq!(narrow("%ld %08lX %lu%%"), "%d %08X %u%%");
    assert_eq!(narrow("%lld %hu %hhx %zu %lf %*.*lf"), "%lld %hu %hhx %zu %lf %*.*lf");
    assert_eq!(narrow("%p|%20p"), "%.16llX|%20.16llX");
}

#[test]
fn texts_are_of_the_width_that_the_format_says() {
    assert_eq!(narrow("%s %S %hs %ls %ws %c %C %10.3S"), "%s %ls %s %ls %ls %c %lc %10.3ls");
    assert_eq!(wide("%s %S %hs %ls %ws %c %C %hc"), "%ls %s %s %ls %ls %lc %c %c");
}

#[test]
fn what_is_no_conversion_stays() {
    assert_eq!(narrow("100% sure %"), "100% sure %");
    assert_eq!(narrow("%"), "%");
    assert_eq!(narrow("汉字 %ld 汉字"), "汉字 %d 汉字");
}

#[test]
fn formats_for_reading_have_glibcs_lengths() {
    assert_eq!(
        scan::glibc(c"%I64d,%*I64u %5s %[^]a] %ld %Ix %I32u%%").as_c_str(),
        c"%lld,%*llu %5s %[^]a] %ld %zx %u%%"
    );
}

#[test]
fn the_shells_commands() {
    assert_eq!(known("PAUSE"), Some(Known::Pause { is_silent: false }));
    assert_eq!(known("pause>nul"), Some(Known::Pause { is_silent: true }));
    assert_eq!(known("cls"), Some(Known::Clear));
    assert_eq!(known("title my server"), Some(Known::Nothing));
    assert_eq!(known("pauses"), None);
    assert_eq!(known("ls"), None);
}
