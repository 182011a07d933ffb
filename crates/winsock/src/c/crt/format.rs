//! Format strings: from Microsoft's language to glibc's.
//!
//! What differs: the lengths `I64`, `I32`, `I` and `w`; `l` of numbers, which are 32 bits in what the sources mean (DWORD
//! and LONG are printed with `%lu` and `%ld`, and here a `long` would read 64); `S` and `C`, which are of the
//! other width; `s` and `c` in wide formats, which are wide; and `p`, which has 16 digits.

/// The format in glibc's language, or None if it is that already. With a zero at the end.
pub(super) fn translate<T>(format: &[T], is_wide: bool) -> Option<Vec<T>>
where
    T: Copy + From<u8> + Into<u32>,
{
    let mut out: Vec<T> = Vec::with_capacity(format.len() + 16);
    let mut is_same = true;
    let mut at = 0;
    while at < format.len() {
        if format[at].into() != u32::from(b'%') {
            out.push(format[at]);
            at += 1;
            continue;
        }
        match Conversion::read(format, at) {
            Some((conversion, end)) => {
                is_same &= !conversion.write(format, is_wide, &mut out);
                at = end;
            }
            None => {
                out.push(format[at]);
                at += 1;
            }
        }
    }
    out.push(T::from(0));
    (!is_same).then_some(out)
}

/// One conversion of a format: where its parts are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Conversion {
    /// The `%`.
    start: usize,
    /// Behind the flags and the width: at the `.` or at the length.
    precision: usize,
    length: usize,
    /// The letter.
    letter: usize,
    pub(super) kind: u8,
    pub(super) size: Length,
    /// The width, of `scanf`'s conversions.
    pub(super) width: Option<usize>,
    /// Whether `scanf` gives nothing to the program.
    pub(super) is_suppressed: bool,
}

/// The length that stands before the letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    None,
    I64,
    I32,
    I,
    L,
    H,
    W,
    /// One that means the same to glibc.
    Other,
}

impl Conversion {
    /// The conversion that begins with the `%` at `start`, and where it ends.
    pub(super) fn read<T: Copy + Into<u32>>(format: &[T], start: usize) -> Option<(Self, usize)> {
        let byte = |at: usize| format.get(at).and_then(|&unit| u8::try_from(unit.into()).ok());
        let mut at = start + 1;
        while byte(at).is_some_and(|byte| b"-+ #0'".contains(&byte)) {
            at += 1;
        }
        let mut width: Option<usize> = None;
        let mut is_suppressed = false;
        while let Some(byte) = byte(at).filter(|byte| byte.is_ascii_digit() || *byte == b'*') {
            is_suppressed |= byte == b'*';
            if byte.is_ascii_digit() {
                width = Some(width.unwrap_or(0).saturating_mul(10).saturating_add(usize::from(byte - b'0')));
            }
            at += 1;
        }
        let precision = at;
        if byte(at) == Some(b'.') {
            at += 1;
            while byte(at).is_some_and(|byte| byte.is_ascii_digit() || byte == b'*') {
                at += 1;
            }
        }
        let length = at;
        let (size, units) = match (byte(at), byte(at + 1), byte(at + 2)) {
            (Some(b'I'), Some(b'6'), Some(b'4')) => (Length::I64, 3),
            (Some(b'I'), Some(b'3'), Some(b'2')) => (Length::I32, 3),
            (Some(b'I'), ..) => (Length::I, 1),
            (Some(b'l'), Some(b'l'), _) | (Some(b'h'), Some(b'h'), _) => (Length::Other, 2),
            (Some(b'l'), ..) => (Length::L, 1),
            (Some(b'h'), ..) => (Length::H, 1),
            (Some(b'w'), ..) => (Length::W, 1),
            (Some(b'L' | b'z' | b't' | b'j'), ..) => (Length::Other, 1),
            _ => (Length::None, 0),
        };
        let letter = length + units;
        let kind = byte(letter)?;
        Some((Self { start, precision, length, letter, kind, size, width, is_suppressed }, letter + 1))
    }

    /// Where the length begins.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// Writes the conversion in glibc's language. True if that is another text.
    fn write<T>(&self, format: &[T], is_wide: bool, out: &mut Vec<T>) -> bool
    where
        T: Copy + From<u8> + Into<u32>,
    {
        let old = &format[self.start..=self.letter];
        let begin = out.len();
        let (new_length, kind): (&[u8], u8) = match (self.kind, self.size) {
            (b'd' | b'i' | b'o' | b'u' | b'x' | b'X', Length::I64) => (b"ll", self.kind),
            (b'd' | b'i' | b'o' | b'u' | b'x' | b'X', Length::I) => (b"z", self.kind),
            (b'd' | b'i' | b'o' | b'u' | b'x' | b'X', Length::I32 | Length::L | Length::W) => (b"", self.kind),
            (b's' | b'S' | b'c' | b'C', Length::H) => (b"", self.kind.to_ascii_lowercase()),
            (b's' | b'S' | b'c' | b'C', Length::L | Length::W) => (b"l", self.kind.to_ascii_lowercase()),
            (b's' | b'S' | b'c' | b'C', Length::None) => {
                let is_wide_text = self.kind.is_ascii_lowercase() == is_wide;
                (if is_wide_text { b"l" } else { b"" }, self.kind.to_ascii_lowercase())
            }
            (b'p', _) => {
                out.extend(&format[self.start..self.precision]);
                out.extend(b".16llX".map(T::from));
                return true;
            }
            _ => {
                out.extend(old);
                return false;
            }
        };
        out.extend(&format[self.start..self.length]);
        out.extend(new_length.iter().map(|&byte| T::from(byte)));
        out.push(T::from(kind));
        !old.iter().map(|&unit| unit.into()).eq(out[begin..].iter().map(|&unit| unit.into()))
    }
}
