//! Operations by completion routine: the scope that counts them, and the routine that the system calls.
//!
//! All of it belongs to one thread. An operation that started has its routine called once, on this thread and in an
//! alertable wait: then, and not before, its record is the program's again. If the thread ends first, the system drops
//! the call (SEMANTICS D87, E18): the record stays out, leaked, for nobody would say when the system is done with it.

use super::call::milliseconds;
use super::open_socket::OpenSocket;
use super::panic::{call, resume_panic};
use super::record::Record;
use super::shared::{Flight, Owner};
use super::start::{self, Call, Notice, Rejected, Start};
use crate::Error;
use crate::operation::Operation;
use crate::overlapped::{Completion, OverlappedSocket, Routine, RoutineScope};
use crate::sys::{self, ext::thread_is_over};
use std::cell::{Cell, RefCell};
use std::ptr::NonNull;
use std::rc::Rc;
use std::time::Duration;

/// How long the end of a scope waits for a routine that is due.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a scope and its operations in flight share.
#[derive(Default)]
pub(crate) struct Flights {
    board: RefCell<Board>,
    closing: Cell<bool>,
}

/// What an operation in flight knows of its end.
pub(super) struct Errand<C> {
    routine: Routine<C>,
    flights: Rc<Flights>,
    place: usize,
}

impl Flights {
    pub(crate) fn start<C: 'static>(
        self: &Rc<Self>,
        socket: &Owner<OpenSocket>,
        mut record: Box<Record<C>>,
        call: Call,
        routine: Routine<C>,
    ) -> Result<(), Rejected<C>> {
        if self.closing.get() || thread_is_over() {
            return Err((Error::from_code(sys::WSA_OPERATION_ABORTED), record));
        }
        let place = self.board.borrow_mut().enter(socket.pointer(), Record::overlapped(&raw mut *record));
        record.set_errand(Errand { routine, flights: Rc::clone(self), place });
        match start::start(socket, record, call, Notice::Routine(Some(completed::<C>))) {
            Ok(Start::Pending(_)) => Ok(()),
            Ok(Start::Done(..)) => unreachable!("only a port's sockets skip notices"),
            Err((error, mut record)) => {
                drop(record.take_errand());
                self.board.borrow_mut().leave(place);
                Err((error, record))
            }
        }
    }

    /// How many operations are in the system's hands, their routines not called.
    pub(crate) fn count(&self) -> usize {
        self.board.borrow().count
    }

    /// The end: cancels all, and waits until each routine was called. On a thread that ends it does not wait, since its
    /// routines are called no more.
    pub(crate) fn close(&self) {
        self.closing.set(true);
        let places = self.board.borrow().places.len();
        for index in 0..places {
            let flight = self.board.borrow().at(index);
            if let Some((socket, overlapped)) = flight {
                // SAFETY: the operation is on the board, so it is in flight, on this thread: only a routine that is
                // called here would end that.
                let owner = unsafe { Flight::<OpenSocket>::owner_of(socket) };
                // A closed socket's operations are on their way.
                let _ = owner.map(|owner| owner.cancel(Some(overlapped)));
            }
        }
        while self.count() > 0 && !thread_is_over() {
            if !sleep(Some(PATIENCE)) {
                debug_assert!(std::thread::panicking(), "a routine was not called");
                break;
            }
        }
        resume_panic();
    }
}

/// The operations of a scope that are in flight: places that are taken and given back, and grow only when all are taken.
#[derive(Default)]
struct Board {
    places: Vec<Place>,
    free: Option<usize>,
    count: usize,
}

enum Place {
    /// The socket's shared part, of which the operation is a flight; and its OVERLAPPED, to name it by.
    Taken(NonNull<()>, *const sys::OVERLAPPED),
    /// The next free place, if there is one.
    Free(Option<usize>),
}

impl Board {
    fn enter(&mut self, socket: NonNull<()>, overlapped: *const sys::OVERLAPPED) -> usize {
        self.count += 1;
        let taken = Place::Taken(socket, overlapped);
        let Some(index) = self.free else {
            self.places.push(taken);
            return self.places.len() - 1;
        };
        let Place::Free(next) = std::mem::replace(&mut self.places[index], taken) else { unreachable!() };
        self.free = next;
        index
    }

    fn leave(&mut self, index: usize) {
        self.count -= 1;
        self.places[index] = Place::Free(self.free);
        self.free = Some(index);
    }

    /// The operation at a place, if there is one.
    fn at(&self, index: usize) -> Option<(NonNull<()>, *const sys::OVERLAPPED)> {
        match self.places[index] {
            Place::Taken(socket, overlapped) => Some((socket, overlapped)),
            Place::Free(_) => None,
        }
    }
}

/// What the system calls at the end of an operation by routine.
///
/// # Safety
/// Called by the system, once for each record that was started with it.
unsafe extern "system" fn completed<C: 'static>(error: u32, bytes: u32, overlapped: *mut sys::OVERLAPPED, _flags: u32) {
    // SAFETY: the OVERLAPPED is the first field of a record that was given away as a Box; the system is done with it.
    let mut record = unsafe { Box::from_raw(overlapped.cast::<Record<C>>()) };
    let (Some(flight), Some(errand)) = (record.flight.take(), record.take_errand()) else { std::process::abort() };
    let Errand { routine, flights, place } = errand;
    flights.board.borrow_mut().leave(place);
    // SAFETY: the pointer is from `into_raw` of a flight of an OpenSocket, and was just taken out.
    let socket = unsafe { Flight::<OpenSocket>::from_raw(flight) }.land().ok();
    record.transferred = bytes;
    let result = if error == 0 { Ok(bytes as usize) } else { Err(Error::from_code(error as i32)) };
    let socket = socket.map(OverlappedSocket::from_owner);
    let completion = Completion { socket, result, operation: Operation::from_record(record) };
    let scope = RoutineScope::lent(flights);
    call(|| routine(&scope, completion));
}

/// Sleeps until routines have run (true) or the time was over (false).
fn sleep(timeout: Option<Duration>) -> bool {
    // SAFETY: takes numbers. The routines that it calls are ours, or those of other users of this thread.
    unsafe { sys::SleepEx(milliseconds(timeout), sys::TRUE) == sys::WAIT_IO_COMPLETION }
}

pub(crate) fn sleep_alertable(timeout: Option<Duration>) -> bool {
    let ran = sleep(timeout);
    resume_panic();
    ran
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_given_back_and_taken_again() {
        let mut board = Board::default();
        let socket = NonNull::dangling();
        let enter = |board: &mut Board| board.enter(socket, std::ptr::null());
        assert_eq!([enter(&mut board), enter(&mut board), enter(&mut board)], [0, 1, 2]);
        board.leave(1);
        board.leave(0);
        assert_eq!(board.count, 1);
        assert!(board.at(0).is_none());
        assert_eq!([enter(&mut board), enter(&mut board), enter(&mut board)], [0, 1, 3]);
        assert!(board.at(3).is_some());
        assert_eq!((board.count, board.places.len()), (4, 4));
    }
}
