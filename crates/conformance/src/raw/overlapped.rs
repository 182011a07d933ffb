//! Overlapped requests.

use super::address::{RawAddress, STORAGE_LENGTH};
use super::routine::ran;
use super::{Bad, Event, Outcome, Socket, UNTOUCHED, get_last_error, wsa_get_last_error};
use pentaport::sys;
use std::cell::UnsafeCell;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

/// An OVERLAPPED with buffers of its own and all that a call may write later.
///
/// It lives to the end of the process: whatever a test does, the system never writes into freed memory.
#[derive(Clone, Copy)]
pub struct Request(&'static Record);

/// How an overlapped call began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// The call succeeded at once; its byte count.
    Done(u32),
    /// The call answered WSA_IO_PENDING.
    Pending,
    /// The call failed with this code: no operation was started.
    Failed(i32),
}

/// What may differ from call to call.
#[derive(Clone, Copy)]
pub struct How {
    /// The flags: `dwFlags` of a send, `*lpFlags` of a receive.
    pub flags: u32,
    /// Whether the pointer to the byte count is given or null.
    pub counted: bool,
    /// Whether a completion routine is given. It counts ([`routine_calls`]) and does what [`Request::on_completion`]
    /// says.
    pub routine: bool,
    /// How many of the request's buffers are passed; `None` for all.
    pub buffers: Option<u32>,
}

impl How {
    /// With a completion routine, else as by default.
    pub const ROUTINE: How = How { flags: 0, counted: true, routine: true, buffers: None };
}

impl Default for How {
    fn default() -> Self {
        Self { flags: 0, counted: true, routine: false, buffers: None }
    }
}

/// What WSAGetOverlappedResult or GetOverlappedResult answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transferred {
    /// TRUE or FALSE.
    pub ok: bool,
    /// The byte count, [`UNTOUCHED`] if the call did not write it.
    pub bytes: u32,
    /// The flags, [`UNTOUCHED`] if the call did not write them.
    pub flags: u32,
    /// The last error after the call, also after success.
    pub error: u32,
}

struct Record {
    overlapped: UnsafeCell<sys::OVERLAPPED>,
    count: UnsafeCell<u32>,
    flags: UnsafeCell<u32>,
    from: UnsafeCell<RawAddress>,
    message: UnsafeCell<(sys::WSAMSG, sys::WSABUF)>,
    buffers: Vec<Buffer>,
}

#[derive(Clone, Copy)]
struct Buffer {
    pointer: *mut u8,
    length: usize,
}

// SAFETY: a Record is never freed and has no Rust references into its cells: all access is by raw pointers, volatile
// where the system may write meanwhile. What a test reads while an operation runs is the system's to order.
unsafe impl Send for Request {}
// SAFETY: as for Send.
unsafe impl Sync for Request {}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Request at {:#x}, Internal {:#x}", self.address(), self.internal())
    }
}

impl Request {
    /// A request with one buffer of `length` zero bytes.
    pub fn new(length: usize) -> Self {
        Self::scatter(&[length])
    }

    /// A request with one buffer that holds these bytes.
    pub fn holding(data: &[u8]) -> Self {
        Self::with_buffers(vec![data.to_vec()])
    }

    /// A request with several buffers of zero bytes.
    pub fn scatter(lengths: &[usize]) -> Self {
        Self::with_buffers(lengths.iter().map(|&length| vec![0; length]).collect())
    }

    /// A request with these buffers.
    pub fn with_buffers(buffers: Vec<Vec<u8>>) -> Self {
        let buffers = buffers.into_iter().map(|data| {
            let data = data.leak();
            Buffer { pointer: data.as_mut_ptr(), length: data.len() }
        });
        Self::leak(buffers.collect())
    }

    /// A request whose one buffer is a bad pointer with this length.
    pub fn bad(bad: Bad, length: usize) -> Self {
        Self::leak(vec![Buffer { pointer: bad.pointer(), length }])
    }

    fn leak(buffers: Vec<Buffer>) -> Self {
        Self(Box::leak(Box::new(Record {
            overlapped: UnsafeCell::default(),
            count: UnsafeCell::new(UNTOUCHED),
            flags: UnsafeCell::new(0),
            from: UnsafeCell::new(RawAddress::room()),
            message: UnsafeCell::default(),
            buffers,
        })))
    }

    /// The same request with an event in `hEvent`.
    pub fn with_event(self, event: &Event) -> Self {
        self.with_event_handle(event.handle())
    }

    /// The same request with any value in `hEvent`, such as an event's handle with its lowest bit set.
    pub fn with_event_handle(self, handle: usize) -> Self {
        // SAFETY: the record lives for ever; no operation uses it yet.
        unsafe { (*self.pointer()).hEvent = handle as sys::HANDLE };
        self
    }

    /// The address of the OVERLAPPED: what a packet names.
    pub fn address(self) -> usize {
        self.pointer() as usize
    }

    /// The OVERLAPPED.
    pub fn pointer(self) -> *mut sys::OVERLAPPED {
        self.0.overlapped.get()
    }

    /// `Internal`: the NTSTATUS, STATUS_PENDING while the operation runs. What the operation wrote is there with it.
    pub fn internal(self) -> usize {
        // SAFETY: the record lives for ever, and the system writes the word as a whole.
        unsafe { AtomicUsize::from_ptr(&raw mut (*self.pointer()).Internal) }.load(Ordering::Acquire)
    }

    /// `InternalHigh`: the bytes transferred.
    pub fn internal_high(self) -> usize {
        // SAFETY: the record lives for ever.
        unsafe { (&raw const (*self.pointer()).InternalHigh).read_volatile() }
    }

    /// Writes both, so that a test sees what a call leaves alone.
    pub fn set_internal(self, internal: usize, internal_high: usize) {
        let overlapped = self.pointer();
        // SAFETY: the record lives for ever; the test does this while no operation uses it.
        unsafe {
            (&raw mut (*overlapped).Internal).write_volatile(internal);
            (&raw mut (*overlapped).InternalHigh).write_volatile(internal_high);
        }
    }

    /// HasOverlappedIoCompleted.
    pub fn has_completed(self) -> bool {
        self.internal() != sys::STATUS_PENDING as usize
    }

    /// The status as an NTSTATUS.
    pub fn status(self) -> i32 {
        self.internal() as u32 as i32
    }

    /// The byte-count variable that the call was given; [`UNTOUCHED`] if it was never written.
    pub fn count(self) -> u32 {
        // SAFETY: the record lives for ever.
        unsafe { self.0.count.get().read_volatile() }
    }

    /// The flags variable that the call was given.
    pub fn flags(self) -> u32 {
        // SAFETY: the record lives for ever.
        unsafe { self.0.flags.get().read_volatile() }
    }

    /// The sender's address that a WSARecvFrom filled in.
    pub fn sender(self) -> Option<SocketAddr> {
        // SAFETY: the record lives for ever.
        unsafe { self.0.from.get().read_volatile() }.decode()
    }

    /// A copy of the first buffer.
    pub fn data(self) -> Vec<u8> {
        self.buffer(0)
    }

    /// A copy of one buffer.
    pub fn buffer(self, index: usize) -> Vec<u8> {
        let buffer = self.0.buffers[index];
        (0..buffer.length)
            // SAFETY: the buffer has `length` bytes and lives for ever.
            .map(|offset| unsafe { buffer.pointer.add(offset).read_volatile() })
            .collect()
    }

    /// Copies these bytes to the beginning of the first buffer, which no operation uses now.
    pub fn write(self, data: &[u8]) {
        let buffer = self.0.buffers[0];
        assert!(data.len() <= buffer.length, "the buffer is too small");
        // SAFETY: the buffer has room for so many bytes, and lives for ever; the caller says that the system is done.
        unsafe { std::ptr::copy_nonoverlapping(data.as_ptr(), buffer.pointer, data.len()) };
    }

    /// A copy of the first bytes of the first buffer, which no operation uses now.
    pub fn read(self, length: usize) -> Vec<u8> {
        let buffer = self.0.buffers[0];
        assert!(length <= buffer.length, "the buffer is too small");
        let mut data = vec![0; length];
        // SAFETY: the buffer has so many bytes, and lives for ever; the caller says that the system is done.
        unsafe { std::ptr::copy_nonoverlapping(buffer.pointer, data.as_mut_ptr(), length) };
        data
    }

    /// A message of WSARecvMsg with the first buffer alone.
    pub(super) fn message_pointer(self) -> *mut sys::WSAMSG {
        let (pointer, length) = self.first_buffer();
        let place = self.0.message.get();
        // SAFETY: the record lives for ever; no operation uses it yet.
        unsafe {
            (*place).1 = sys::WSABUF { len: length as u32, buf: pointer };
            (*place).0 = sys::WSAMSG { lpBuffers: &raw mut (*place).1, dwBufferCount: 1, ..Default::default() };
            &raw mut (*place).0
        }
    }

    /// Overwrites the first buffer.
    pub fn fill(self, byte: u8) {
        let buffer = self.0.buffers[0];
        for offset in 0..buffer.length {
            // SAFETY: the buffer has `length` bytes and lives for ever.
            unsafe { buffer.pointer.add(offset).write_volatile(byte) };
        }
    }

    pub(super) fn first_buffer(self) -> (*mut u8, usize) {
        (self.0.buffers[0].pointer, self.0.buffers[0].length)
    }

    pub(super) fn count_pointer(self) -> *mut u32 {
        let pointer = self.0.count.get();
        // SAFETY: the record lives for ever.
        unsafe { pointer.write_volatile(UNTOUCHED) };
        pointer
    }

    fn count_pointer_for(self, how: How) -> *mut u32 {
        if how.counted { self.count_pointer() } else { std::ptr::null_mut() }
    }

    fn flags_pointer(self, flags: u32) -> *mut u32 {
        let pointer = self.0.flags.get();
        // SAFETY: the record lives for ever.
        unsafe { pointer.write_volatile(flags) };
        pointer
    }

    /// The WSABUF array, which the test frees as soon as the call returned: the system copies it.
    fn wsabufs(self) -> Vec<sys::WSABUF> {
        let wsabuf = |buffer: &Buffer| sys::WSABUF {
            len: u32::try_from(buffer.length).expect("under 4 GiB"),
            buf: buffer.pointer,
        };
        self.0.buffers.iter().map(wsabuf).collect()
    }

    fn sender_pointers(self, length: i32) -> (*mut sys::SOCKADDR, *mut i32) {
        let from = self.0.from.get();
        // SAFETY: the record lives for ever; no operation uses it yet.
        unsafe {
            (*from).length = length.min(STORAGE_LENGTH);
            ((&raw mut (*from).storage).cast(), &raw mut (*from).length)
        }
    }

    /// What a call of the socket kind (0 or SOCKET_ERROR) means.
    fn begun(self, result: i32, how: How) -> Begin {
        match result {
            0 if how.counted => Begin::Done(self.count()),
            0 => Begin::Done(self.internal_high() as u32),
            _ => Begin::failed(),
        }
    }
}

impl Begin {
    /// What a call of the extension kind (TRUE or FALSE) means.
    pub(super) fn of_bool(result: sys::BOOL, request: Option<Request>) -> Self {
        match result {
            0 => Begin::failed(),
            _ => Begin::Done(request.map_or(UNTOUCHED, Request::count)),
        }
    }

    fn failed() -> Self {
        match wsa_get_last_error() {
            sys::WSA_IO_PENDING => Begin::Pending,
            code => Begin::Failed(code),
        }
    }

    /// Whether the operation was started: it is pending or done.
    pub fn started(self) -> bool {
        !matches!(self, Begin::Failed(_))
    }
}

impl Socket {
    /// WSARecv of a request.
    pub fn wsa_recv(&self, request: Request) -> Begin {
        self.wsa_recv_how(request, How::default())
    }

    /// WSARecv with its options.
    pub fn wsa_recv_how(&self, request: Request, how: How) -> Begin {
        let buffers = request.wsabufs();
        // SAFETY: the array has the count given and outlives the call, which copies it; what it names lives for ever.
        let result = unsafe {
            sys::WSARecv(
                self.raw(),
                buffers.as_ptr(),
                how.buffers.unwrap_or(buffers.len() as u32),
                request.count_pointer_for(how),
                request.flags_pointer(how.flags),
                request.pointer(),
                routine(how),
            )
        };
        request.begun(result, how)
    }

    /// WSASend of a request.
    pub fn wsa_send(&self, request: Request) -> Begin {
        self.wsa_send_how(request, How::default())
    }

    /// WSASend with its options.
    pub fn wsa_send_how(&self, request: Request, how: How) -> Begin {
        let buffers = request.wsabufs();
        // SAFETY: the array has the count given and outlives the call, which copies it; what it names lives for ever.
        let result = unsafe {
            sys::WSASend(
                self.raw(),
                buffers.as_ptr(),
                how.buffers.unwrap_or(buffers.len() as u32),
                request.count_pointer_for(how),
                how.flags,
                request.pointer(),
                routine(how),
            )
        };
        request.begun(result, how)
    }

    /// WSARecvFrom of a request.
    pub fn wsa_recv_from(&self, request: Request) -> Begin {
        self.wsa_recv_from_how(request, How::default(), STORAGE_LENGTH)
    }

    /// WSARecvFrom with its options and the room for the address.
    pub fn wsa_recv_from_how(&self, request: Request, how: How, length: i32) -> Begin {
        let buffers = request.wsabufs();
        let (from, from_length) = request.sender_pointers(length);
        // SAFETY: the array has the count given and outlives the call, which copies it; what it names lives for ever,
        // as do the address and its length.
        let result = unsafe {
            sys::WSARecvFrom(
                self.raw(),
                buffers.as_ptr(),
                how.buffers.unwrap_or(buffers.len() as u32),
                request.count_pointer_for(how),
                request.flags_pointer(how.flags),
                from,
                from_length,
                request.pointer(),
                routine(how),
            )
        };
        request.begun(result, how)
    }

    /// WSASendTo of a request.
    pub fn wsa_send_to(&self, request: Request, to: SocketAddr) -> Begin {
        self.wsa_send_to_how(request, to, How::default())
    }

    /// WSASendTo with its options.
    pub fn wsa_send_to_how(&self, request: Request, to: SocketAddr, how: How) -> Begin {
        let buffers = request.wsabufs();
        let to = RawAddress::of(to);
        // SAFETY: the array has the count given; it and the address outlive the call, which copies both; what the array
        // names lives for ever.
        let result = unsafe {
            sys::WSASendTo(
                self.raw(),
                buffers.as_ptr(),
                how.buffers.unwrap_or(buffers.len() as u32),
                request.count_pointer_for(how),
                how.flags,
                to.as_ptr(),
                to.length,
                request.pointer(),
                routine(how),
            )
        };
        request.begun(result, how)
    }

    /// WSARecv without OVERLAPPED: the bytes that came, and the flags.
    pub fn wsa_recv_now(&self, buffers: &mut [&mut [u8]], flags: u32) -> Outcome<(u32, u32)> {
        let wsabuf = |buffer: &mut &mut [u8]| sys::WSABUF { len: buffer.len() as u32, buf: buffer.as_mut_ptr() };
        let array: Vec<sys::WSABUF> = buffers.iter_mut().map(wsabuf).collect();
        let (mut count, mut flags) = (UNTOUCHED, flags);
        // SAFETY: the array has the count given; it, the buffers, the count and the flags outlive the call.
        let result = unsafe {
            sys::WSARecv(
                self.raw(),
                array.as_ptr(),
                array.len() as u32,
                &mut count,
                &mut flags,
                std::ptr::null_mut(),
                None,
            )
        };
        if result == 0 { Ok((count, flags)) } else { Err(wsa_get_last_error()) }
    }

    /// WSASend without OVERLAPPED.
    pub fn wsa_send_now(&self, buffers: &[&[u8]]) -> Outcome<u32> {
        let wsabuf = |buffer: &&[u8]| sys::WSABUF { len: buffer.len() as u32, buf: buffer.as_ptr().cast_mut() };
        let array: Vec<sys::WSABUF> = buffers.iter().map(wsabuf).collect();
        let mut count = UNTOUCHED;
        // SAFETY: the array has the count given; it, the buffers, which a send only reads, and the count outlive the
        // call.
        let result = unsafe {
            sys::WSASend(self.raw(), array.as_ptr(), array.len() as u32, &mut count, 0, std::ptr::null_mut(), None)
        };
        if result == 0 { Ok(count) } else { Err(wsa_get_last_error()) }
    }

    /// WSASend with null for both the OVERLAPPED and the byte count.
    pub fn wsa_send_now_uncounted(&self, data: &[u8]) -> Outcome<()> {
        let array = [sys::WSABUF { len: data.len() as u32, buf: data.as_ptr().cast_mut() }];
        let null = std::ptr::null_mut();
        // SAFETY: the array and the buffer, which a send only reads, outlive the call.
        let result = unsafe { sys::WSASend(self.raw(), array.as_ptr(), 1, null, 0, std::ptr::null_mut(), None) };
        if result == 0 { Ok(()) } else { Err(wsa_get_last_error()) }
    }
}

/// CancelIo on any handle value.
pub fn cancel_io(handle: usize) -> Result<(), u32> {
    // SAFETY: no pointers.
    if unsafe { sys::CancelIo(handle as sys::HANDLE) } != 0 { Ok(()) } else { Err(get_last_error()) }
}

/// CancelIoEx of one request, or of all on the handle.
pub fn cancel_io_ex(handle: usize, request: Option<Request>) -> Result<(), u32> {
    let overlapped = request.map_or(std::ptr::null(), |request| request.pointer().cast_const());
    // SAFETY: the OVERLAPPED lives for ever.
    let ok = unsafe { sys::CancelIoEx(handle as sys::HANDLE, overlapped) };
    if ok != 0 { Ok(()) } else { Err(get_last_error()) }
}

/// CancelSynchronousIo of the thread with this handle.
pub fn cancel_synchronous_io(thread: usize) -> Result<(), u32> {
    // SAFETY: no pointers are passed.
    let ok = unsafe { sys::CancelSynchronousIo(thread as sys::HANDLE) };
    if ok != 0 { Ok(()) } else { Err(get_last_error()) }
}

/// WSAGetOverlappedResult.
pub fn wsa_get_overlapped_result(socket: usize, request: Request, wait: bool) -> Transferred {
    let (mut bytes, mut flags) = (UNTOUCHED, UNTOUCHED);
    // SAFETY: the OVERLAPPED lives for ever; bytes and flags outlive the call.
    let ok = unsafe { sys::WSAGetOverlappedResult(socket, request.pointer(), &mut bytes, i32::from(wait), &mut flags) };
    Transferred { ok: ok != 0, bytes, flags, error: get_last_error() }
}

/// GetOverlappedResult.
pub fn get_overlapped_result(handle: usize, request: Request, wait: bool) -> Transferred {
    let mut bytes = UNTOUCHED;
    // SAFETY: the OVERLAPPED lives for ever; bytes outlive the call.
    let ok = unsafe { sys::GetOverlappedResult(handle as sys::HANDLE, request.pointer(), &mut bytes, i32::from(wait)) };
    Transferred { ok: ok != 0, bytes, flags: UNTOUCHED, error: get_last_error() }
}

/// GetOverlappedResultEx.
pub fn get_overlapped_result_ex(handle: usize, request: Request, milliseconds: u32, alertable: bool) -> Transferred {
    let mut bytes = UNTOUCHED;
    let (file, alertable) = (handle as sys::HANDLE, i32::from(alertable));
    // SAFETY: the OVERLAPPED lives for ever; bytes outlive the call.
    let ok = unsafe { sys::GetOverlappedResultEx(file, request.pointer(), &mut bytes, milliseconds, alertable) };
    Transferred { ok: ok != 0, bytes, flags: UNTOUCHED, error: get_last_error() }
}

static ROUTINE_CALLS: AtomicU32 = AtomicU32::new(0);

/// How often the completion routine of [`How::routine`] ran in this process.
pub fn routine_calls() -> u32 {
    ROUTINE_CALLS.load(Ordering::SeqCst)
}

fn routine(how: How) -> sys::LPWSAOVERLAPPED_COMPLETION_ROUTINE {
    how.routine.then_some(count_call)
}

unsafe extern "system" fn count_call(error: u32, bytes: u32, overlapped: *mut sys::OVERLAPPED, flags: u32) {
    ROUTINE_CALLS.fetch_add(1, Ordering::SeqCst);
    ran(error, bytes, overlapped as usize, flags);
}
