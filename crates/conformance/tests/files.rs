//! Files, overlapped and not (SEMANTICS F1 to F9, F11).
#![forbid(unsafe_code)]

use conformance::fixture::TemporaryFile;
use conformance::raw::{
    Answer, Bad, Event, File, Request, get_overlapped_result, read_file, read_file_now, write_file, write_file_now,
};
use pentaport::sys;

const TEN: &[u8] = b"0123456789";

/// FILE_WRITE_TO_END_OF_FILE.
const END: u64 = u64::MAX;
/// STATUS_END_OF_FILE.
const END_OF_FILE: usize = 0xC000_0011;

fn answer(ok: bool, bytes: u32, error: u32) -> Answer {
    Answer { ok, bytes, error }
}

/// Waits for the end of an operation that started: the bytes, or the error.
#[track_caller]
fn end_of(file: &File, request: Request, begin: Answer) -> Result<u32, u32> {
    assert!(begin.started(), "{begin:?}");
    let result = get_overlapped_result(file.handle(), request, true);
    if result.ok { Ok(result.bytes) } else { Err(result.error) }
}

/// Opens the file in both ways.
fn both(file: &TemporaryFile) -> [File; 2] {
    [file.open(), file.open_overlapped()]
}

#[test]
fn f1_an_overlapped_file_needs_an_overlapped() {
    let temporary = TemporaryFile::holding(TEN);
    let file = temporary.open_overlapped();
    let refused = answer(false, 0, sys::ERROR_INVALID_PARAMETER);
    assert_eq!(read_file_now(file.handle(), &mut [0; 4]), refused);
    assert_eq!(write_file_now(file.handle(), b"abc"), refused);
    assert_eq!(temporary.contents(), TEN);
}

#[test]
fn f2_the_offset_comes_from_the_overlapped_and_no_position_is_kept() {
    let temporary = TemporaryFile::holding(TEN);
    let file = temporary.open_overlapped();
    for (offset, expected) in [(3, b"3456"), (0, b"0123"), (6, b"6789")] {
        let request = Request::new(4).at(offset);
        assert_eq!(end_of(&file, request, read_file(file.handle(), request)), Ok(4));
        assert_eq!(request.data(), expected);
        assert_eq!(file.position(), 0);
    }
    let request = Request::holding(b"ab").at(4);
    assert_eq!(end_of(&file, request, write_file(file.handle(), request)), Ok(2));
    assert_eq!(file.position(), 0);
    assert_eq!(temporary.contents(), b"0123ab6789");
}

#[test]
fn f2_the_high_half_of_the_offset_counts() {
    let temporary = TemporaryFile::holding(TEN);
    for file in both(&temporary) {
        let request = Request::new(4).at(1 << 32);
        let begin = read_file(file.handle(), request);
        let result = if begin.started() { end_of(&file, request, begin) } else { Err(begin.error) };
        assert_eq!(result, Err(sys::ERROR_HANDLE_EOF), "far behind the end");
    }
}

#[test]
fn f2_operations_in_flight_do_not_disturb_each_other() {
    let contents: Vec<u8> = (0..64_u32 * 1024).map(|index| (index / 1024) as u8).collect();
    let temporary = TemporaryFile::holding(&contents);
    let file = temporary.open_overlapped();
    let requests: Vec<(u8, Request, Event)> = (0..64)
        .map(|index| {
            let event = Event::manual(false);
            (index, Request::new(1024).at(u64::from(index) * 1024).with_event(&event), event)
        })
        .collect();
    let begun: Vec<Answer> = requests.iter().map(|(_, request, _)| read_file(file.handle(), *request)).collect();
    for ((index, request, event), begin) in requests.into_iter().zip(begun) {
        assert_eq!(end_of(&file, request, begin), Ok(1024));
        // The status comes before the event.
        assert_eq!(event.wait(10_000), 0);
        assert_eq!(request.data(), vec![index; 1024]);
    }
}

#[test]
fn f3_a_normal_file_transfers_at_the_offset_and_moves_its_position() {
    let temporary = TemporaryFile::holding(TEN);
    let file = temporary.open();
    assert_eq!(file.seek(2, sys::FILE_BEGIN), Ok(2));
    let read = Request::new(3).at(5);
    assert_eq!(read_file(file.handle(), read), answer(true, 3, 0), "synchronous");
    assert_eq!((read.data(), read.internal(), read.internal_high()), (b"567".to_vec(), 0, 3));
    assert_eq!(file.position(), 8, "the end of the transfer");
    let write = Request::holding(b"ab").at(1);
    assert_eq!(write_file(file.handle(), write), answer(true, 2, 0));
    assert_eq!((write.internal(), write.internal_high()), (0, 2));
    assert_eq!(file.position(), 3);
    assert_eq!(temporary.contents(), b"0ab3456789");

    let mut buffer = [0; 2];
    assert_eq!(read_file_now(file.handle(), &mut buffer), answer(true, 2, 0));
    assert_eq!((&buffer, file.position()), (b"34", 5), "without OVERLAPPED from the position on");
    assert_eq!(write_file_now(file.handle(), b"x"), answer(true, 1, 0));
    assert_eq!((temporary.contents(), file.position()), (b"0ab34x6789".to_vec(), 6));
}

#[test]
fn f4_the_end_of_a_file_that_is_read_synchronously() {
    let temporary = TemporaryFile::holding(TEN);
    let file = temporary.open();
    for position in [10, 15] {
        assert_eq!(file.seek(position, sys::FILE_BEGIN), Ok(position));
        assert_eq!(read_file_now(file.handle(), &mut [0; 4]), answer(true, 0, 0));
        let request = Request::new(4).at(position as u64);
        assert_eq!(read_file(file.handle(), request), answer(false, 0, sys::ERROR_HANDLE_EOF));
        assert_eq!((request.internal(), request.internal_high()), (END_OF_FILE, 0));
    }
}

#[test]
fn f5_the_end_of_a_file_that_is_read_overlapped() {
    let temporary = TemporaryFile::holding(TEN);
    let file = temporary.open_overlapped();
    for offset in [10, 15] {
        let event = Event::manual(false);
        let request = Request::new(4).at(offset).with_event(&event);
        assert_eq!(read_file(file.handle(), request), answer(false, 0, sys::ERROR_IO_PENDING), "as since Windows 8");
        let result = get_overlapped_result(file.handle(), request, true);
        assert_eq!((result.ok, result.error, result.bytes), (false, sys::ERROR_HANDLE_EOF, 0));
        assert_eq!((request.internal(), request.internal_high()), (END_OF_FILE, 0));
        // The status comes before the event.
        assert_eq!(event.wait(10_000), 0);
    }
}

#[test]
fn f6_reading_nothing_at_the_end_succeeds() {
    let temporary = TemporaryFile::holding(TEN);
    for file in both(&temporary) {
        let request = Request::new(0).at(10);
        assert_eq!(end_of(&file, request, read_file(file.handle(), request)), Ok(0));
        assert_eq!((request.internal(), request.internal_high()), (0, 0));
    }
    let file = temporary.open();
    assert_eq!(file.seek(0, sys::FILE_END), Ok(10));
    assert_eq!(read_file_now(file.handle(), &mut []), answer(true, 0, 0));
}

#[test]
fn f7_the_offset_of_all_ones_appends() {
    let temporary = TemporaryFile::holding(TEN);
    for (file, expected) in both(&temporary).iter().zip([&b"0123456789ab"[..], b"0123456789abab"]) {
        let request = Request::holding(b"ab").at(END);
        assert_eq!(end_of(file, request, write_file(file.handle(), request)), Ok(2));
        assert_eq!(temporary.contents(), expected);
        assert_eq!(file.size(), expected.len() as i64);
    }
}

#[test]
fn f7_other_negative_offsets_are_refused() {
    let temporary = TemporaryFile::holding(TEN);
    for (file, overlapped) in both(&temporary).iter().zip([false, true]) {
        // A synchronous file takes -2 for its position.
        let offsets = [-3, i64::MIN, -2].into_iter().take(if overlapped { 3 } else { 2 });
        for offset in offsets {
            let event = Event::manual(false);
            let request = Request::holding(b"ab").at(offset as u64).with_event(&event);
            for call in [read_file, write_file] {
                let begin = call(file.handle(), request);
                assert_eq!((begin.ok, begin.error), (false, sys::ERROR_INVALID_PARAMETER), "{offset}");
                assert!(!event.is_set(), "not started");
            }
        }
    }
    assert_eq!(temporary.contents(), TEN);
}

#[test]
#[cfg_attr(windows, ignore = "to be checked on Windows: Wine 8 sets Internal to STATUS_PENDING and resets the event")]
fn f7_f9_a_call_that_is_refused_leaves_the_overlapped_untouched() {
    let temporary = TemporaryFile::holding(TEN);
    for file in both(&temporary) {
        let negative = Request::holding(b"ab").at(i64::MIN as u64);
        let bad = Request::bad(Bad::NoAccess, 4).at(0);
        for (call, request) in [(read_file as Call, negative), (write_file, negative), (read_file, bad)] {
            let event = Event::manual(true);
            let request = request.with_event(&event);
            request.set_internal(0x1234, 0x5678);
            assert!(!call(file.handle(), request).started());
            assert_eq!((request.internal(), request.internal_high()), (0x1234, 0x5678));
            assert!(event.is_set());
        }
    }
}

type Call = fn(usize, Request) -> Answer;

#[test]
fn f8_overlapped_writes_pend_or_are_done() {
    let temporary = TemporaryFile::holding(b"");
    let file = temporary.open_overlapped();
    for index in 0..10_u8 {
        let event = Event::manual(false);
        let request = Request::holding(&[b'0' + index; 1000]).at(u64::from(index) * 1000).with_event(&event);
        let begin = write_file(file.handle(), request);
        assert!(begin.ok || begin.error == sys::ERROR_IO_PENDING, "{begin:?}");
        assert_eq!(event.wait(conformance::fixture::DEADLINE_MS), sys::WAIT_OBJECT_0);
        assert_eq!((request.internal(), request.internal_high()), (0, 1000));
        assert_eq!(end_of(&file, request, begin), Ok(1000));
    }
    let expected: Vec<u8> = (0..10_000).map(|index| b'0' + (index / 1000) as u8).collect();
    assert_eq!(temporary.contents(), expected);
}

#[test]
fn f9_a_read_stores_zero_bytes_first() {
    let temporary = TemporaryFile::holding(TEN);
    for file in both(&temporary) {
        let begin = read_file(file.handle(), Request::new(4).at(0));
        assert!(begin.ok && begin.bytes == 4 || begin == answer(false, 0, sys::ERROR_IO_PENDING), "{begin:?}");
        let refused = read_file(file.handle(), Request::new(4).at(i64::MIN as u64));
        assert_eq!(refused.bytes, 0, "also of a call that fails");
    }
    assert_eq!(read_file_now(0x00DE_ADB0, &mut [0; 4]), answer(false, 0, sys::ERROR_INVALID_HANDLE));
}

#[test]
fn f9_a_bad_buffer_fails_in_the_call_and_leaves_the_event_alone() {
    let temporary = TemporaryFile::holding(TEN);
    for file in both(&temporary) {
        for bad in [Bad::Null, Bad::NoAccess] {
            for set in [false, true] {
                let event = Event::manual(set);
                let request = Request::bad(bad, 4).at(0).with_event(&event);
                assert_eq!(read_file(file.handle(), request), answer(false, 0, sys::ERROR_NOACCESS), "{bad:?}");
                assert_eq!(event.is_set(), set, "as it was");
            }
        }
    }
}

#[test]
fn f11_a_read_across_the_end_gives_what_there_is() {
    let temporary = TemporaryFile::holding(TEN);
    for file in both(&temporary) {
        let request = Request::new(8).at(7);
        assert_eq!(end_of(&file, request, read_file(file.handle(), request)), Ok(3));
        assert_eq!((request.internal(), request.internal_high()), (0, 3));
        assert_eq!(request.data()[..3], *b"789");
    }
    let file = temporary.open();
    file.seek(7, sys::FILE_BEGIN).unwrap();
    assert_eq!(read_file_now(file.handle(), &mut [0; 8]), answer(true, 3, 0));
}
