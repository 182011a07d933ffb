use super::*;

const EOF: usize = 0xC000_0011;

#[test]
fn an_overlapped_handle_needs_an_overlapped() {
    let place = Place::with(b"content");
    let file = place.overlapped();
    assert_eq!(file.read(&mut [0; 4]), Err(ERROR_INVALID_PARAMETER));
    assert_eq!(file.write(b"x"), Err(ERROR_INVALID_PARAMETER));
    assert_eq!(place.content(), b"content");
}

#[test]
fn an_overlapped_handle_has_no_position() {
    let place = Place::with(b"0123456789");
    let file = place.overlapped();
    let read = Operation::to_read(3, 4);
    assert_eq!(read.read(file.0), PENDING);
    assert_eq!(read.result(file.0), Ok(4));
    assert_eq!(read.data(), b"3456");
    assert_eq!(read.internal(), (0, 4));
    assert_eq!(read.offset(), 3, "the program's offset stays");
    assert_eq!(file.seek(0, FILE_CURRENT), Ok(0));
    let write = Operation::new(8, b"abc");
    assert_eq!(write.write(file.0), PENDING);
    assert_eq!(write.result(file.0), Ok(3));
    assert_eq!(place.content(), b"01234567abc");
    assert_eq!(file.seek(0, FILE_CURRENT), Ok(0));
}

#[test]
fn an_offset_moves_the_position_of_an_ordinary_handle() {
    let place = Place::with(b"0123456789");
    let file = place.ordinary();
    let mut buffer = [0; 2];
    assert_eq!(file.read(&mut buffer), Ok(2));
    assert_eq!(&buffer, b"01");
    let read = Operation::to_read(5, 3);
    assert_eq!(read.read(file.0), Ok(3));
    assert_eq!((read.data(), read.internal()), (&b"567"[..], (0, 3)));
    assert_eq!(file.read(&mut buffer), Ok(2));
    assert_eq!(&buffer, b"89");
    let write = Operation::new(1, b"xy");
    assert_eq!(write.write(file.0), Ok(2));
    assert_eq!(file.write(b"z"), Ok(1));
    assert_eq!(place.content(), b"0xyz456789");
    assert_eq!(file.seek(0, FILE_CURRENT), Ok(4));
}

#[test]
fn the_end_of_an_ordinary_file() {
    let place = Place::with(b"0123");
    let file = place.ordinary();
    let event = event();
    assert_eq!(file.seek(0, FILE_END), Ok(4));
    assert_eq!(file.read(&mut [0; 4]), Ok(0));
    // SAFETY: no precondition.
    unsafe { SetEvent(event.0) };
    let read = Operation::to_read(4, 4).with_event(event.0);
    assert_eq!(read.read(file.0), Err(ERROR_HANDLE_EOF));
    assert_eq!(read.internal(), (EOF, 0));
    assert!(!event.is_signalled(), "reset by an operation that reached the file and failed");
    assert_eq!(Operation::to_read(4, 0).read(file.0), Ok(0), "nothing was asked for");
    let last = Operation::to_read(2, 4).with_event(event.0);
    assert_eq!(last.read(file.0), Ok(2));
    assert!(event.is_signalled());
}

#[test]
fn the_end_of_an_overlapped_file_is_found_later() {
    let place = Place::with(b"0123");
    let file = place.overlapped();
    let read = Operation::to_read(4, 4);
    assert_eq!(read.read(file.0), PENDING);
    assert_eq!(read.result(file.0), Err(ERROR_HANDLE_EOF));
    assert_eq!(read.internal(), (EOF, 0));
    for offset in [4, 1000, i64::MAX as u64] {
        let empty = Operation::to_read(offset, 0);
        assert_eq!(empty.read(file.0), PENDING);
        assert_eq!(empty.result(file.0), Ok(0));
    }
    let far = Operation::to_read(i64::MAX as u64 - 1, 100);
    assert_eq!(far.read(file.0), PENDING);
    assert_eq!(far.result(file.0), Err(ERROR_HANDLE_EOF));
}

#[test]
fn provisional_a_read_near_the_end_brings_what_there_is() {
    let place = Place::with(b"0123456789");
    let file = place.overlapped();
    let read = Operation::to_read(7, 100);
    assert_eq!(read.read(file.0), PENDING);
    assert_eq!(read.result(file.0), Ok(3));
    assert_eq!(&read.data()[..4], b"789\0");
}

#[test]
fn all_ones_append_and_other_negative_offsets_are_refused() {
    let place = Place::with(b"0123");
    for file in [place.overlapped(), place.ordinary()] {
        for offset in [u64::MAX - 1, 1 << 63] {
            let write = Operation::new(offset, b"no");
            assert_eq!(write.write(file.0), Err(ERROR_INVALID_PARAMETER));
            assert_eq!(write.internal(), (77, 78));
            assert_eq!(Operation::to_read(offset, 2).read(file.0), Err(ERROR_INVALID_PARAMETER));
        }
        assert_eq!(Operation::to_read(u64::MAX, 2).read(file.0), Err(ERROR_INVALID_PARAMETER));
    }
    let (overlapped, ordinary) = (place.overlapped(), place.ordinary());
    let write = Operation::new(u64::MAX, b"45");
    assert_eq!(write.write(overlapped.0), PENDING);
    assert_eq!(write.result(overlapped.0), Ok(2));
    assert_eq!(Operation::new(u64::MAX, b"67").write(ordinary.0), Ok(2));
    assert_eq!(ordinary.seek(0, FILE_CURRENT), Ok(8));
    assert_eq!(place.content(), b"01234567");
}

#[test]
fn a_handle_that_may_only_append_does() {
    let place = Place::with(b"0123");
    let file = place.open(FILE_APPEND_DATA, OPEN_EXISTING, 0);
    assert_eq!(file.write(b"4"), Ok(1));
    assert_eq!(Operation::new(0, b"5").write(file.0), Ok(1));
    assert_eq!(place.content(), b"012345");
}

/// A page that may be read and not written, and where it ends.
fn read_only_page() -> (usize, usize) {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new mapping, never taken away.
    let page = unsafe { libc::mmap(null_mut(), 2 * 4096, libc::PROT_READ, flags, -1, 0) };
    // SAFETY: the second page of it.
    assert_eq!(unsafe { libc::mprotect(page.byte_add(4096), 4096, libc::PROT_NONE) }, 0);
    (page as usize, page as usize + 4096)
}

#[test]
fn a_bad_buffer_leaves_everything_as_it_was() {
    let place = Place::with(b"content");
    let event = event();
    let (page, end) = read_only_page();
    for file in [place.overlapped(), place.ordinary()] {
        for (pointer, len) in [(0, 4), (0xffff, 1), (end, 1), (page, 4097), (usize::MAX - 10, 4)] {
            // SAFETY: no precondition.
            unsafe { SetEvent(event.0) };
            let bad = Operation::bad(0, pointer, len).with_event(event.0);
            assert_eq!(bad.read(file.0), Err(ERROR_NOACCESS), "{pointer:#x}");
            assert_eq!(bad.write(file.0), Err(ERROR_NOACCESS), "{pointer:#x}");
            assert_eq!(bad.internal(), (77, 78));
            assert!(event.is_signalled());
        }
        assert_eq!(Operation::bad(0, page, 4).read(file.0), Err(ERROR_NOACCESS), "it can only be read from");
        assert_eq!(Operation::bad(0, 0, 0).read(file.0).map_err(|code| code == ERROR_IO_PENDING).unwrap_or(0), 0);
    }
    let file = place.overlapped();
    let write = Operation::bad(0, page, 4096);
    assert_eq!(write.write(file.0), PENDING);
    assert_eq!(write.result(file.0), Ok(4096));
}

#[test]
fn a_hole_in_the_buffer_is_found_by_the_transfer() {
    let place = Place::with(&[1; 3 * 4096]);
    let file = place.overlapped();
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new mapping, never taken away, whose middle page nobody may touch.
    let pages = unsafe {
        let pages = libc::mmap(null_mut(), 3 * 4096, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
        assert_eq!(libc::mprotect(pages.byte_add(4096), 4096, libc::PROT_NONE), 0);
        pages as usize
    };
    let write = Operation::bad(0, pages, 3 * 4096);
    assert_eq!(write.write(file.0), PENDING);
    assert_eq!(write.result(file.0), Err(ERROR_NOACCESS));
}

#[test]
fn events_are_reset_and_set_and_handles_signalled() {
    let place = Place::with(b"content");
    let file = place.overlapped();
    let event = event();
    let read = Operation::to_read(0, 7).with_event(event.0);
    assert_eq!(read.read(file.0), PENDING);
    assert_eq!(read.result(file.0), Ok(7));
    assert!(event.gets_signalled());
    assert!(!file.is_signalled(), "it has an event of its own");
    let read = Operation::to_read(7, 7).with_event(event.0);
    assert_eq!(read.read(file.0), PENDING);
    assert_eq!(read.result(file.0), Err(ERROR_HANDLE_EOF));
    assert!(event.gets_signalled(), "set by a failure that came later, too");
    let plain = Operation::to_read(0, 7);
    assert_eq!(plain.read(file.0), PENDING);
    // SAFETY: no precondition.
    assert_eq!(unsafe { WaitForSingleObject(file.0, INFINITE) }, WAIT_OBJECT_0);
    assert_eq!(plain.internal(), (0, 7));
}

#[test]
fn an_event_can_be_used_again_as_soon_as_the_result_is_there() {
    let place = Place::with(b"content");
    let (file, event) = (place.overlapped(), event());
    let read = Operation::to_read(0, 7).with_event(event.0);
    for _ in 0..3000 {
        assert_eq!(read.read(file.0), PENDING);
        let mut bytes = 0;
        // SAFETY: nothing of the operation is ever freed.
        while unsafe { GetOverlappedResult(file.0, read.overlapped, &mut bytes, FALSE) } == FALSE {
            assert_eq!(last_error(), ERROR_IO_INCOMPLETE);
            let set = event.is_signalled();
            assert!(!set || read.internal() == (0, 7), "set by the operation before");
        }
    }
}

#[test]
fn a_port_gets_one_packet_for_each_operation() {
    let place = Place::with(b"content");
    let (file, port) = (place.overlapped(), Handle::port());
    assert_eq!(place.ordinary().associate(&port, 1), Err(ERROR_INVALID_PARAMETER));
    assert_eq!(file.associate(&port, 5), Ok(()));
    assert!(file.is_signalled(), "by the association");
    assert_eq!(file.associate(&port, 6), Err(ERROR_INVALID_PARAMETER));
    let good = Operation::to_read(0, 4);
    assert_eq!(good.read(file.0), PENDING);
    assert_eq!(packet(&port, INFINITE), Some((good.overlapped, 5, Ok(4))));
    let end = Operation::to_read(7, 4);
    assert_eq!(end.read(file.0), PENDING);
    assert_eq!(packet(&port, INFINITE), Some((end.overlapped, 5, Err(ERROR_HANDLE_EOF))));
    assert_eq!(Operation::bad(0, 0, 4).read(file.0), Err(ERROR_NOACCESS));
    assert_eq!(Operation::to_read(1 << 63, 4).read(file.0), Err(ERROR_INVALID_PARAMETER));
    let event = event();
    let silent = Operation::to_read(0, 4).with_event(event.0.wrapping_byte_add(1));
    assert_eq!(silent.read(file.0), PENDING);
    assert_eq!(silent.result(file.0), Ok(4));
    assert!(event.gets_signalled());
    assert_eq!(packet(&port, 0), None, "for failures in the call and for a tagged event there is none");
}

#[test]
fn packets_come_with_their_key_after_the_handle_is_closed() {
    let place = Place::new();
    let (file, port) = (place.overlapped(), Handle::port());
    assert_eq!(file.associate(&port, 9), Ok(()));
    let writes: Vec<_> = (0..50).map(|at| Operation::new(at * 1000, &[at as u8; 1000])).collect();
    for write in &writes {
        assert_eq!(write.write(file.0), PENDING);
    }
    drop(file);
    let mut ended: Vec<_> = writes.iter().map(|_| packet(&port, INFINITE).expect("a packet")).collect();
    assert!(ended.iter().all(|&(_, key, result)| (key, result) == (9, Ok(1000))), "{ended:?}");
    ended.sort_by_key(|&(overlapped, ..)| writes.iter().position(|write| write.overlapped == overlapped));
    assert!(ended.iter().zip(&writes).all(|(packet, write)| packet.0 == write.overlapped));
    assert_eq!(packet(&port, 0), None);
    assert!(place.content().chunks(1000).enumerate().all(|(at, part)| part == [at as u8; 1000]));
}

#[test]
fn notification_modes_are_for_overlapped_files() {
    let place = Place::with(b"content");
    let (file, port) = (place.overlapped(), Handle::port());
    // SAFETY: no precondition.
    let set = |file: &Handle, flags: u32| unsafe { SetFileCompletionNotificationModes(file.0, flags as u8) };
    assert_eq!((set(&place.ordinary(), 1), last_error()), (FALSE, ERROR_INVALID_PARAMETER));
    let skip = FILE_SKIP_COMPLETION_PORT_ON_SUCCESS | FILE_SKIP_SET_EVENT_ON_HANDLE;
    assert_eq!(set(&file, skip), TRUE);
    assert_eq!(file.associate(&port, 5), Ok(()));
    let read = Operation::to_read(0, 4);
    assert_eq!(read.read(file.0), PENDING);
    assert_eq!(packet(&port, INFINITE), Some((read.overlapped, 5, Ok(4))), "it pended, so there is a packet");
    assert!(!file.is_signalled(), "neither by the association nor by the operation");
}

#[test]
fn cancelling_finds_nothing_that_is_over() {
    let place = Place::with(b"content");
    let file = place.overlapped();
    let read = Operation::to_read(0, 7);
    assert_eq!(read.read(file.0), PENDING);
    assert_eq!(read.result(file.0), Ok(7));
    // SAFETY: no precondition.
    unsafe {
        assert_eq!((CancelIoEx(file.0, null()), last_error()), (FALSE, ERROR_NOT_FOUND));
        assert_eq!(CancelIo(file.0), TRUE);
    }
}

#[test]
fn offsets_go_beyond_what_32_bits_hold() {
    let place = Place::new();
    let (file, far) = (place.overlapped(), 5 << 30);
    let write = Operation::new(far, b"far away");
    assert_eq!(write.write(file.0), PENDING);
    assert_eq!(write.result(file.0), Ok(8));
    let mut size = 0;
    // SAFETY: the size lives through the call.
    assert_eq!(unsafe { GetFileSizeEx(file.0, &mut size) }, TRUE);
    assert_eq!(size, far as i64 + 8);
    let read = Operation::to_read(far + 4, 4);
    assert_eq!(read.read(file.0), PENDING);
    assert_eq!(read.result(file.0), Ok(4));
    assert_eq!(read.data(), b"away");
    let ordinary = place.ordinary();
    assert_eq!(ordinary.seek(-4, FILE_END), Ok(far as i64 + 4));
    let mut buffer = [0; 9];
    assert_eq!(ordinary.read(&mut buffer), Ok(4));
}

#[test]
fn as_many_bytes_as_a_count_can_say() {
    let place = Place::with(b"content");
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    let len = u32::MAX as usize;
    // SAFETY: a new mapping of which only the pages that are touched cost memory.
    let pages = unsafe { libc::mmap(null_mut(), len, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0) };
    assert_ne!(pages, libc::MAP_FAILED);
    let file = place.overlapped();
    let read = Operation::bad(0, pages as usize, u32::MAX);
    assert_eq!(read.read(file.0), PENDING);
    assert_eq!(read.result(file.0), Ok(7));
    assert_eq!(&read.data()[..8], b"content\0");
    // SAFETY: the operation is over.
    unsafe { libc::munmap(pages, len) };
}

#[test]
fn the_position_goes_anywhere_but_before_the_beginning() {
    let place = Place::with(b"0123456789");
    let file = place.ordinary();
    assert_eq!(file.seek(4, FILE_BEGIN), Ok(4));
    assert_eq!(file.seek(2, FILE_CURRENT), Ok(6));
    assert_eq!(file.seek(-1, FILE_END), Ok(9));
    assert_eq!(file.seek(-1, FILE_BEGIN), Err(ERROR_NEGATIVE_SEEK));
    assert_eq!(file.seek(-10, FILE_CURRENT), Err(ERROR_NEGATIVE_SEEK));
    assert_eq!(file.seek(0, 3), Err(ERROR_INVALID_PARAMETER));
    assert_eq!(file.seek(0, FILE_CURRENT), Ok(9), "a failure leaves it");
    assert_eq!(file.seek(12, FILE_BEGIN), Ok(12));
    assert_eq!(file.write(b"x"), Ok(1));
    assert_eq!(place.content(), b"0123456789\0\0x");
}

#[test]
fn a_thread_that_ends_leaves_no_operation_behind_but_the_ports() {
    let place = Place::with(&[7; 1 << 16]);
    let (file, with_port, port) = (place.overlapped(), place.overlapped(), Handle::port());
    assert_eq!(with_port.associate(&port, 3), Ok(()));
    let reads: Vec<_> = (0..40).map(|_| Operation::to_read(0, 1 << 16)).collect();
    let to_port: Vec<_> = (0..40).map(|_| Operation::to_read(0, 1 << 16)).collect();
    std::thread::scope(|scope| {
        let started = scope.spawn(|| {
            for read in &reads {
                assert_eq!(read.read(file.value()), PENDING);
            }
            for read in &to_port {
                assert_eq!(read.read(with_port.value()), PENDING);
            }
        });
        started.join().unwrap();
        for read in &reads {
            let (status, bytes) = read.internal();
            assert!([(0, 1 << 16), (STATUS_CANCELLED as u32 as usize, 0)].contains(&(status, bytes)), "{status:#x}");
        }
    });
    for _ in &to_port {
        assert!(matches!(packet(&port, INFINITE), Some((_, 3, Ok(0x10000)))), "port-only operations go on");
    }
}
