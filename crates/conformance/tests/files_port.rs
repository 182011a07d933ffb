//! Files at a completion port, and with completion routines (SEMANTICS F5, F8, F10).
#![forbid(unsafe_code)]

use conformance::fixture::{DEADLINE_MS, Log, TemporaryFile, assert_no_packet, failure, logged, run_routines, success};
use conformance::raw::{
    Completed, Event, File, Port, Request, create_io_completion_port, pair, read_file, read_file_ex,
    set_file_completion_notification_modes, sleep_ex, write_file, write_file_ex,
};
use conformance::raw_port::wait_for_single_object;
use pentaport::sys;
use std::thread;

const KEY: usize = 0xF1;
const TEN: &[u8] = b"0123456789";

/// An overlapped file of ten bytes at a new port.
fn at_port() -> (TemporaryFile, File, Port) {
    let temporary = TemporaryFile::holding(TEN);
    let file = temporary.open_overlapped();
    let port = Port::new(0);
    assert_eq!(create_io_completion_port(file.handle(), port.handle(), KEY, 0), Ok(port.handle()));
    (temporary, file, port)
}

fn told(error: u32, bytes: u32, request: Request) -> Completed {
    Completed { error, bytes, overlapped: request.address(), flags: 0, thread: thread::current().id() }
}

#[test]
fn f8_each_transfer_queues_one_packet_done_at_once_or_not() {
    let (temporary, file, port) = at_port();
    for _ in 0..20 {
        let write = Request::holding(b"ab").at(4);
        assert!(write_file(file.handle(), write).started());
        assert_eq!(port.packet(), success(KEY, write, 2));
        assert_eq!((write.internal(), write.internal_high()), (0, 2));
        let read = Request::new(4).at(3);
        assert!(read_file(file.handle(), read).started());
        assert_eq!(port.packet(), success(KEY, read, 4));
        assert_eq!(read.data(), b"3ab6");
        assert_no_packet(&port);
    }
    assert_eq!(temporary.contents(), b"0123ab6789");
}

#[test]
fn f8_success_at_once_is_skipped_on_request() {
    let (_temporary, file, port) = at_port();
    let skip = sys::FILE_SKIP_COMPLETION_PORT_ON_SUCCESS as u8;
    assert_eq!(set_file_completion_notification_modes(file.handle(), skip), Ok(()));
    for _ in 0..20 {
        let write = Request::holding(b"ab").at(4);
        let begin = write_file(file.handle(), write);
        assert!(begin.started());
        if !begin.ok {
            assert_eq!(port.packet(), success(KEY, write, 2), "one that pended");
        }
        assert_eq!((write.internal(), write.internal_high()), (0, 2));
        assert_no_packet(&port);
    }
}

#[test]
fn f5_the_end_of_the_file_is_a_packet_of_a_failed_operation() {
    let (_temporary, file, port) = at_port();
    let request = Request::new(4).at(10);
    let begin = read_file(file.handle(), request);
    assert_eq!((begin.ok, begin.error), (false, sys::ERROR_IO_PENDING));
    assert_eq!(port.packet(), failure(KEY, request, 0, sys::ERROR_HANDLE_EOF));
    assert_eq!((request.status(), request.internal_high()), (sys::STATUS_END_OF_FILE, 0));
    assert_no_packet(&port);
}

#[test]
fn f8_many_transfers_in_flight_give_a_packet_each() {
    let (_temporary, file, port) = at_port();
    let mut requests: Vec<Request> = (0..100).map(|index| Request::new(1).at(index % 10)).collect();
    for &request in &requests {
        assert!(read_file(file.handle(), request).started());
    }
    while !requests.is_empty() {
        let packet = port.packet();
        let place = requests.iter().position(|&request| packet.is_of(request)).expect("a packet of one of them");
        assert_eq!(packet, success(KEY, requests.swap_remove(place), 1));
    }
    assert_no_packet(&port);
}

#[test]
fn f10_routines_of_files() {
    let temporary = TemporaryFile::holding(TEN);
    let file = temporary.open_overlapped();
    let log = Log::new();
    let write = logged(Request::holding(b"ab").at(4), &log);
    assert_eq!(write_file_ex(file.handle(), write), Ok(()));
    run_routines(&log, 1);
    let read = logged(Request::new(4).at(3), &log);
    assert_eq!(read_file_ex(file.handle(), read), Ok(()));
    run_routines(&log, 2);
    let cut = logged(Request::new(4).at(8), &log);
    assert_eq!(read_file_ex(file.handle(), cut), Ok(()));
    run_routines(&log, 3);
    assert_eq!(log.all(), [told(0, 2, write), told(0, 4, read), told(0, 2, cut)]);
    assert_eq!((read.data(), &cut.data()[..2]), (b"3ab6".to_vec(), &b"89"[..]));
    assert_eq!(sleep_ex(0, true), 0, "each ran once");
}

#[test]
fn f10_a_routine_runs_in_an_alertable_wait_only() {
    let temporary = TemporaryFile::holding(TEN);
    let file = temporary.open_overlapped();
    let log = Log::new();
    let read = logged(Request::new(4).at(0), &log);
    assert_eq!(read_file_ex(file.handle(), read), Ok(()));
    conformance::until("it has completed", || read.has_completed());
    assert_eq!(sleep_ex(1, false), 0);
    assert_eq!(log.count(), 0);
    run_routines(&log, 1);
    assert_eq!(log.all(), [told(0, 4, read)], "on this thread");
}

#[test]
fn f10_the_event_is_free_for_the_caller() {
    let temporary = TemporaryFile::holding(TEN);
    let file = temporary.open_overlapped();
    let log = Log::new();
    // Any value, such as a pointer to something of the program's own.
    let read = logged(Request::new(4).at(0).with_event_handle(0x1234_5678), &log);
    assert_eq!(read_file_ex(file.handle(), read), Ok(()));
    run_routines(&log, 1);
    assert_eq!((log.all()[0], read.event_handle()), (told(0, 4, read), 0x1234_5678));
    // An event's handle is such a value too.
    for set in [false, true] {
        let event = Event::manual(set);
        let write = logged(Request::holding(b"ab").at(0).with_event(&event), &log);
        let before = log.count();
        assert_eq!(write_file_ex(file.handle(), write), Ok(()));
        assert_eq!(event.is_set(), set, "not reset");
        run_routines(&log, before + 1);
        assert_eq!(event.is_set(), set, "not set");
    }
}

#[test]
fn f10_a_call_that_fails_runs_no_routine() {
    let temporary = TemporaryFile::holding(TEN);
    let file = temporary.open_overlapped();
    let log = Log::new();
    let request = || logged(Request::holding(b"abcd").at(0), &log);
    for call in [read_file_ex, write_file_ex] {
        assert_eq!(call(0x00DE_ADB0, request()), Err(sys::ERROR_INVALID_HANDLE));
        assert_eq!(call(file.handle(), request().at(i64::MIN as u64)), Err(sys::ERROR_INVALID_PARAMETER));
    }
    assert_eq!(sleep_ex(0, true), 0);
    assert_eq!(log.count(), 0);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: ReadFileEx and WriteFileEx succeed")]
fn f10_a_file_at_a_port_takes_no_routine() {
    let (temporary, file, port) = at_port();
    let log = Log::new();
    for call in [read_file_ex, write_file_ex] {
        let request = logged(Request::holding(b"abcd").at(0), &log);
        assert_eq!(call(file.handle(), request), Err(sys::ERROR_INVALID_PARAMETER));
    }
    assert_eq!(sleep_ex(0, true), 0);
    assert_eq!(log.count(), 0);
    assert_no_packet(&port);
    assert_eq!(temporary.contents(), TEN);

    let (_peer, socket) = pair();
    port.associate(&socket, KEY).unwrap();
    for call in [read_file_ex, write_file_ex] {
        let request = logged(Request::holding(b"abcd").at(0), &log);
        assert_eq!(call(socket.raw(), request), Err(sys::ERROR_INVALID_PARAMETER), "a socket alike");
    }
    assert_eq!(sleep_ex(0, true), 0);
    assert_no_packet(&port);
}

#[test]
fn f10_the_end_of_the_file_is_told_or_the_call_fails() {
    let temporary = TemporaryFile::holding(TEN);
    let file = temporary.open_overlapped();
    let log = Log::new();
    let request = logged(Request::new(4).at(10), &log);
    // Whether the end is found in the call depends on the version of Windows (F5).
    match read_file_ex(file.handle(), request) {
        Ok(()) => {
            run_routines(&log, 1);
            assert_eq!(log.all(), [told(sys::ERROR_HANDLE_EOF, 0, request)]);
        }
        Err(error) => {
            assert_eq!(error, sys::ERROR_HANDLE_EOF);
            assert_eq!((sleep_ex(0, true), log.count()), (0, 0));
        }
    }
}

#[test]
fn f8_a_file_without_event_is_signalled_itself() {
    let temporary = TemporaryFile::holding(TEN);
    let file = temporary.open_overlapped();
    let write = Request::holding(b"ab").at(4);
    assert!(write_file(file.handle(), write).started());
    assert_eq!(wait_for_single_object(file.handle(), DEADLINE_MS), sys::WAIT_OBJECT_0);
    assert_eq!((write.internal(), write.internal_high()), (0, 2));
}
