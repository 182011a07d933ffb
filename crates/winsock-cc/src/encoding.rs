//! Which encoding a source is in, and its text.
//!
//! Sources carry no label but the mark at the beginning, which editors on Windows write for UTF-16 and mostly for UTF-8.
//! Without one: UTF-8 if it is valid, for little else ever is; UTF-16 if every other byte is zero; else GBK, in which most
//! of the sources are that are left; and where GBK has no such character, Windows's Western code page. What is in another
//! one says so by gcc's `-finput-charset`.

use encoding_rs::{Encoding, GB18030, GBK, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// A source as text, with `\n` at the end of its lines.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) text: String,
    /// What it was encoded in, for people.
    pub(crate) encoding: &'static str,
}

/// Decodes a source, by the encoding that the user named or by what it looks like.
pub(crate) fn decode(bytes: &[u8], named: Option<&'static Encoding>) -> Source {
    let (encoding, bytes) = match Encoding::for_bom(bytes) {
        Some((encoding, mark)) => (encoding, &bytes[mark..]),
        None => (named.unwrap_or_else(|| guess(bytes)), bytes),
    };
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    // What DOS wrote at the end of a file.
    let text = text.strip_suffix('\x1a').unwrap_or(&text).replace("\r\n", "\n");
    Source { text, encoding: encoding.name() }
}

/// The encoding of this name, as iconv and gcc or as the web know it.
pub(crate) fn named(name: &str) -> Option<&'static Encoding> {
    let code_page = name.to_ascii_uppercase();
    match code_page.trim_start_matches("CP").trim_start_matches("WINDOWS-") {
        "936" => Some(GBK),
        "949" => Some(encoding_rs::EUC_KR),
        "932" => Some(encoding_rs::SHIFT_JIS),
        "950" => Some(encoding_rs::BIG5),
        "54936" => Some(GB18030),
        "65001" | "UTF8" => Some(UTF_8),
        "1200" | "UTF-16" | "UTF16" | "UCS-2" => Some(UTF_16LE),
        page if page.starts_with("125") => Encoding::for_label(format!("windows-{page}").as_bytes()),
        _ => Encoding::for_label(name.as_bytes()),
    }
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    if let Some(encoding) = utf_16_without_mark(bytes) {
        return encoding;
    }
    if std::str::from_utf8(bytes).is_ok() {
        return UTF_8;
    }
    match GBK.decode_without_bom_handling_and_without_replacement(bytes) {
        Some(_) => GBK,
        None => WINDOWS_1252,
    }
}

/// In UTF-16, most of a source's characters have one byte that is zero, always on the same side.
fn utf_16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    let zeros = |first| bytes.iter().skip(first).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd, units) = (zeros(0), zeros(1), bytes.len() / 2);
    match () {
        () if units == 0 || !bytes.len().is_multiple_of(2) => None,
        () if even == 0 && odd * 2 > units => Some(UTF_16LE),
        () if odd == 0 && even * 2 > units => Some(UTF_16BE),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "printf(\"出错代码：%d\\n\"); // 完成端口\n";

    fn text(bytes: &[u8]) -> (String, &'static str) {
        let source = decode(bytes, None);
        (source.text, source.encoding)
    }

    fn utf_16(mark: &str, big: bool) -> Vec<u8> {
        let units: Vec<u16> = mark.encode_utf16().chain(TEXT.encode_utf16()).collect();
        units.iter().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    }

    #[test]
    fn utf_8_with_and_without_mark() {
        assert_eq!(text(TEXT.as_bytes()), (TEXT.into(), "UTF-8"));
        assert_eq!(text(format!("\u{feff}{TEXT}").as_bytes()), (TEXT.into(), "UTF-8"));
    }

    #[test]
    fn utf_16_with_and_without_mark() {
        assert_eq!(text(&utf_16("\u{feff}", false)), (TEXT.into(), "UTF-16LE"));
        assert_eq!(text(&utf_16("\u{feff}", true)), (TEXT.into(), "UTF-16BE"));
        assert_eq!(text(&utf_16("", false)), (TEXT.into(), "UTF-16LE"));
        assert_eq!(text(&utf_16("", true)), (TEXT.into(), "UTF-16BE"));
    }

    #[test]
    fn gbk_is_the_guess_for_what_is_not_utf_8() {
        assert_eq!(text(&GBK.encode(TEXT).0), (TEXT.into(), "GBK"));
        // 誠 ends in the byte of a backslash, which would hide the end of the line.
        assert_eq!(text(b"// \xd5\\\nint x;"), ("// 誠\nint x;".into(), "GBK"));
        assert_eq!(text(b"\"na\xefve\"; // \xa9 \xff 1999"), ("\"naïve\"; // © ÿ 1999".into(), "windows-1252"));
    }

    #[test]
    fn the_user_knows_better() {
        let korean = encoding_rs::EUC_KR.encode("서버 시작").0.into_owned();
        assert_eq!(decode(&korean, named("CP949")).text, "서버 시작");
        assert_eq!(named("windows-1251").map(Encoding::name), Some("windows-1251"));
        assert_eq!(named("cp1252").map(Encoding::name), Some("windows-1252"));
        assert_eq!(named("ISO-8859-2").map(Encoding::name), Some("ISO-8859-2"));
        assert_eq!(named("gb2312").map(Encoding::name), Some("GBK"));
        assert_eq!(named("nonsense"), None);
    }

    #[test]
    fn lines_end_as_on_linux() {
        assert_eq!(text(b"a\r\nb\\\r\nc\r\n\x1a").0, "a\nb\\\nc\n");
    }

    proptest! {
        #[test]
        fn utf_8_stays_what_it_is(text in "[^\\x00\\x1a\\r\u{feff}]*") {
            prop_assert_eq!(decode(text.as_bytes(), None).text, text);
        }

        #[test]
        fn anything_can_be_decoded(bytes: Vec<u8>) {
            decode(&bytes, None);
        }
    }
}
