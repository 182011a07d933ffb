use std::cell::RefCell;

use super::*;

thread_local! {
    /// What the routines of this thread were called with.
    static CALLS: RefCell<Vec<(u32, u32, *mut OVERLAPPED)>> = const { RefCell::new(Vec::new()) };
}

unsafe extern "system" fn note(error: u32, bytes: u32, overlapped: *mut OVERLAPPED) {
    CALLS.with_borrow_mut(|calls| calls.push((error, bytes, overlapped)));
}

/// Waits alertably until this many routines were called; what they were called with.
fn calls(count: usize) -> Vec<(u32, u32, *mut OVERLAPPED)> {
    while CALLS.with_borrow(|calls| calls.len()) < count {
        // SAFETY: no precondition.
        assert_eq!(unsafe { SleepEx(30_000, TRUE) }, WAIT_IO_COMPLETION, "waited in vain");
    }
    CALLS.take()
}

impl Operation {
    fn read_ex(&self, handle: HANDLE) -> Result<(), u32> {
        // SAFETY: nothing of the operation is ever freed.
        let ok = unsafe { ReadFileEx(handle, self.buffer, self.len, self.overlapped, Some(note)) };
        if ok == FALSE { Err(last_error()) } else { Ok(()) }
    }

    fn write_ex(&self, handle: HANDLE) -> Result<(), u32> {
        // SAFETY: nothing of the operation is ever freed.
        let ok = unsafe { WriteFileEx(handle, self.buffer, self.len, self.overlapped, Some(note)) };
        if ok == FALSE { Err(last_error()) } else { Ok(()) }
    }
}

#[test]
fn a_routine_is_told_the_outcome() {
    let place = Place::with(b"0123456789");
    let (file, event) = (place.overlapped(), event());
    let read = Operation::to_read(7, 10).with_event(event.0);
    assert_eq!(read.read_ex(file.0), Ok(()));
    assert_eq!(calls(1), [(0, 3, read.overlapped)]);
    assert_eq!((&read.data()[..3], read.internal()), (&b"789"[..], (0, 3)));
    assert!(!event.is_signalled() && !file.is_signalled(), "neither is told");
    let write = Operation::new(u64::MAX, b"abc");
    assert_eq!(write.write_ex(file.0), Ok(()));
    assert_eq!(calls(1), [(0, 3, write.overlapped)]);
    let end = Operation::to_read(13, 10);
    assert_eq!(end.read_ex(file.0), Ok(()));
    assert_eq!(calls(1), [(ERROR_HANDLE_EOF, 0, end.overlapped)]);
}

#[test]
fn a_routine_is_not_called_if_the_call_failed() {
    let place = Place::with(b"content");
    let (file, ordinary, port) = (place.overlapped(), place.ordinary(), Handle::port());
    let read = Operation::to_read(0, 4);
    assert_eq!(read.read_ex(ordinary.0), Err(ERROR_INVALID_PARAMETER));
    assert_eq!(Operation::to_read(1 << 63, 4).read_ex(file.0), Err(ERROR_INVALID_PARAMETER));
    assert_eq!(Operation::bad(0, 0, 4).read_ex(file.0), Err(ERROR_NOACCESS));
    assert_eq!(read.read_ex(null_mut()), Err(ERROR_INVALID_HANDLE));
    // SAFETY: nothing of the operation is ever freed.
    unsafe {
        assert_eq!(ReadFileEx(file.0, read.buffer, 4, null_mut(), Some(note)), FALSE);
        assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
        assert_eq!(ReadFileEx(file.0, read.buffer, 4, read.overlapped, None), FALSE);
        assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
    }
    assert_eq!(file.associate(&port, 1), Ok(()));
    assert_eq!(read.read_ex(file.0), Err(ERROR_INVALID_PARAMETER));
    assert_eq!(Operation::new(0, b"x").write_ex(file.0), Err(ERROR_INVALID_PARAMETER));
    // SAFETY: no precondition.
    assert_eq!(unsafe { SleepEx(0, TRUE) }, 0);
    assert_eq!((read.internal(), packet(&port, 0)), ((77, 78), None));
}

#[test]
fn a_routine_stays_with_a_file_that_gets_a_port_later() {
    let place = Place::fifo();
    let writer = std::fs::File::options().read(true).write(true).open(&place.0).unwrap();
    let (pipe, port) = (place.open(GENERIC_READ, OPEN_EXISTING, FILE_FLAG_OVERLAPPED), Handle::port());
    let with_routine = Operation::to_read(0, 4);
    let with_packet = Operation::to_read(0, 4);
    assert_eq!(with_routine.read_ex(pipe.0), Ok(()));
    assert_eq!(with_packet.read(pipe.0), PENDING);
    assert_eq!(pipe.associate(&port, 6), Ok(()));
    std::io::Write::write_all(&mut &writer, b"01234567").unwrap();
    assert_eq!(calls(1), [(0, 4, with_routine.overlapped)]);
    assert_eq!(packet(&port, INFINITE), Some((with_packet.overlapped, 6, Ok(4))));
    assert_eq!(packet(&port, 0), None);
}

#[test]
fn a_cancelled_operation_calls_its_routine() {
    let place = Place::fifo();
    let _writer = std::fs::File::options().read(true).write(true).open(&place.0).unwrap();
    let pipe = place.open(GENERIC_READ, OPEN_EXISTING, FILE_FLAG_OVERLAPPED);
    let reads = [Operation::to_read(0, 4), Operation::to_read(0, 4)];
    for read in &reads {
        assert_eq!(read.read_ex(pipe.0), Ok(()));
    }
    // SAFETY: no precondition.
    assert_eq!(unsafe { CancelIo(pipe.0) }, TRUE);
    let mut told = calls(2);
    told.sort_by_key(|&(.., overlapped)| overlapped != reads[0].overlapped);
    assert_eq!(told, reads.map(|read| (ERROR_OPERATION_ABORTED, 0, read.overlapped)));
}

#[test]
fn sockets_have_routines_too_with_win32s_codes() {
    let (pair, port) = (Pair::new(), Handle::port());
    let (client, server) = (pair.client as HANDLE, pair.server as HANDLE);
    let read = Operation::to_read(0, 10);
    assert_eq!(read.read_ex(server), Ok(()));
    let write = Operation::new(0, b"hello");
    assert_eq!(write.write_ex(client), Ok(()));
    let mut told = calls(2);
    told.sort_by_key(|&(.., overlapped)| overlapped != read.overlapped);
    assert_eq!(told, [(0, 5, read.overlapped), (0, 5, write.overlapped)]);
    let last = Operation::to_read(0, 10);
    assert_eq!(last.read_ex(server), Ok(()));
    let reset = LINGER { l_onoff: 1, l_linger: 0 };
    // SAFETY: the option lives through the call.
    unsafe {
        assert_eq!(setsockopt(pair.client, SOL_SOCKET, SO_LINGER, (&raw const reset).cast(), 4), 0);
        closesocket(pair.client);
    }
    assert_eq!(calls(1), [(ERROR_NETNAME_DELETED, 0, last.overlapped)]);
    assert_eq!(read.read_ex(server), Err(ERROR_NETNAME_DELETED));
    let other = Pair::new();
    let socket = std::mem::ManuallyDrop::new(Handle(other.server as HANDLE));
    assert_eq!(socket.associate(&port, 1), Ok(()));
    assert_eq!(read.read_ex(socket.0), Err(ERROR_INVALID_PARAMETER));
}
