//! ReadFile, WriteFile and their sisters on sockets (SEMANTICS D92, F10).
#![forbid(unsafe_code)]

use conformance::fixture::{
    DEADLINE_MS, Log, finishes, logged, pair_on_port, pair_without_overlapped, run_routines, success,
};
use conformance::raw::{
    Answer, Completed, Event, Request, cancel_io_ex, get_overlapped_result, pair, read_file, read_file_ex,
    read_file_now, sleep_ex, write_file, write_file_ex, write_file_now,
};
use conformance::{nap, until};
use pentaport::sys;
use std::thread;

const PENDING: Answer = Answer { ok: false, bytes: 0, error: sys::ERROR_IO_PENDING };

fn told(error: u32, bytes: u32, request: Request) -> Completed {
    Completed { error, bytes, overlapped: request.address(), flags: 0, thread: thread::current().id() }
}

#[test]
fn d92_an_overlapped_socket_is_read_and_written_as_by_winsock() {
    let (peer, socket) = pair();
    let event = Event::manual(true);
    let read = Request::new(8).with_event(&event);
    assert_eq!(read_file(socket.raw(), read), PENDING);
    assert!(!event.is_set() && !read.has_completed());
    peer.send(b"abc").unwrap();
    assert_eq!(event.wait(DEADLINE_MS), sys::WAIT_OBJECT_0);
    let result = get_overlapped_result(socket.raw(), read, true);
    assert_eq!((result.ok, result.bytes), (true, 3));
    assert_eq!(read.data()[..3], *b"abc");

    let write = Request::holding(b"defg");
    assert!(write_file(socket.raw(), write).started());
    let result = get_overlapped_result(socket.raw(), write, true);
    assert_eq!((result.ok, result.bytes), (true, 4));
    assert_eq!(peer.recv_exact(4), b"defg");

    // The end of the stream is no error.
    peer.shutdown(sys::SD_SEND).unwrap();
    let end = Request::new(8);
    assert!(read_file(socket.raw(), end).started());
    let result = get_overlapped_result(socket.raw(), end, true);
    assert_eq!((result.ok, result.bytes), (true, 0));
}

#[test]
fn d92_the_offset_is_ignored() {
    let (peer, socket) = pair();
    for offset in [0, 5, i64::MAX as u64] {
        let write = Request::holding(b"ab").at(offset);
        assert!(write_file(socket.raw(), write).started(), "{offset}");
        assert_eq!(peer.recv_exact(2), b"ab");
        peer.send(b"cd").unwrap();
        let read = Request::new(2).at(offset);
        assert!(read_file(socket.raw(), read).started(), "{offset}");
        assert!(get_overlapped_result(socket.raw(), read, true).ok);
        assert_eq!(read.data(), b"cd");
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: ReadFile and WriteFile succeed")]
fn d92_a_negative_offset_is_refused() {
    let (peer, socket) = pair();
    peer.send(b"ef").unwrap();
    until("data waits", || socket.bytes_waiting() == 2);
    for offset in [-3, i64::MIN] {
        for call in [read_file, write_file] {
            let request = Request::holding(b"xy").at(offset as u64);
            let begin = call(socket.raw(), request);
            assert_eq!((begin.ok, begin.error), (false, sys::ERROR_INVALID_PARAMETER), "{offset}");
        }
    }
    assert_eq!(socket.bytes_waiting(), 2, "nothing was read");
    peer.set_nonblocking(true);
    assert_eq!(peer.recv(&mut [0; 8]), Err(sys::WSAEWOULDBLOCK), "nothing was written");
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: ReadFile and WriteFile succeed")]
fn d92_an_overlapped_socket_needs_an_overlapped() {
    let (peer, socket) = pair();
    peer.send(b"ab").unwrap();
    until("data waits", || socket.bytes_waiting() == 2);
    let read = read_file_now(socket.raw(), &mut [0; 2]);
    assert_eq!((read.ok, read.error), (false, sys::ERROR_INVALID_PARAMETER));
    let write = write_file_now(socket.raw(), b"xy");
    assert_eq!((write.ok, write.error), (false, sys::ERROR_INVALID_PARAMETER));
    assert_eq!(socket.bytes_waiting(), 2, "nothing was read");
    peer.set_nonblocking(true);
    assert_eq!(peer.recv(&mut [0; 8]), Err(sys::WSAEWOULDBLOCK), "nothing was written");
}

#[test]
fn d92_a_socket_at_a_port_gets_its_packets() {
    let (port, peer, socket) = pair_on_port(0x92);
    let read = Request::new(8);
    assert_eq!(read_file(socket.raw(), read), PENDING);
    peer.send(b"abc").unwrap();
    assert_eq!(port.packet(), success(0x92, read, 3));
    let write = Request::holding(b"defg");
    assert!(write_file(socket.raw(), write).started());
    assert_eq!(port.packet(), success(0x92, write, 4));
}

#[test]
fn d92_without_overlapped_attribute_a_read_blocks_even_if_the_socket_does_not() {
    for nonblocking in [false, true] {
        for with_overlapped in [false, true] {
            let (peer, socket) = pair_without_overlapped();
            socket.set_nonblocking(nonblocking);
            let sender = thread::spawn(move || {
                nap();
                peer.send(b"abc").unwrap();
                peer
            });
            let (read, data) = finishes("ReadFile", move || {
                if with_overlapped {
                    let request = Request::new(3);
                    (read_file(socket.raw(), request), request.data())
                } else {
                    let mut buffer = [0; 3];
                    (read_file_now(socket.raw(), &mut buffer), buffer.to_vec())
                }
            });
            assert_eq!((read, data), (Answer { ok: true, bytes: 3, error: 0 }, b"abc".to_vec()));
            drop(sender.join().unwrap());
        }
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a WriteFile of more than the buffer holds never returns")]
fn d92_without_overlapped_attribute_a_write_blocks_even_if_the_socket_does_not() {
    for nonblocking in [false, true] {
        for with_overlapped in [false, true] {
            let (peer, socket) = pair_without_overlapped();
            socket.set_nonblocking(nonblocking);
            // A write of more than the connection holds blocks until the peer has taken the most of it.
            const MANY: usize = 32 << 20;
            let reader = thread::spawn(move || {
                nap();
                peer.recv_exact(MANY).len()
            });
            let (write, socket) = finishes("WriteFile", move || {
                let data = vec![7; MANY];
                let write = if with_overlapped {
                    write_file(socket.raw(), Request::holding(&data))
                } else {
                    write_file_now(socket.raw(), &data)
                };
                (write, socket)
            });
            assert_eq!(write, Answer { ok: true, bytes: MANY as u32, error: 0 });
            assert_eq!(reader.join().unwrap(), MANY);
            drop(socket);
        }
    }
}

#[test]
fn d92_f10_routines_are_told_win32_codes() {
    let (peer, socket) = pair();
    let log = Log::new();
    let write = logged(Request::holding(b"abc"), &log);
    assert_eq!(write_file_ex(socket.raw(), write), Ok(()));
    run_routines(&log, 1);
    assert_eq!(peer.recv_exact(3), b"abc");
    let read = logged(Request::new(8).with_event_handle(0x1234_5678), &log);
    assert_eq!(read_file_ex(socket.raw(), read), Ok(()));
    assert_eq!(sleep_ex(0, true), 0, "it pends");
    peer.send(b"defg").unwrap();
    run_routines(&log, 2);
    assert_eq!((read.data()[..4].to_vec(), read.event_handle()), (b"defg".to_vec(), 0x1234_5678));
    let cancelled = logged(Request::new(8), &log);
    assert_eq!(read_file_ex(socket.raw(), cancelled), Ok(()));
    assert_eq!(cancel_io_ex(socket.raw(), Some(cancelled)), Ok(()));
    run_routines(&log, 3);
    let reset = logged(Request::new(8), &log);
    assert_eq!(read_file_ex(socket.raw(), reset), Ok(()));
    peer.reset();
    run_routines(&log, 4);
    let expected = [
        told(0, 3, write),
        told(0, 4, read),
        told(sys::ERROR_OPERATION_ABORTED, 0, cancelled),
        told(sys::ERROR_NETNAME_DELETED, 0, reset),
    ];
    assert_eq!(log.all(), expected);
}
