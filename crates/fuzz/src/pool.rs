//! OVERLAPPEDs with buffers and events, kept from one sequence to the next: the system never writes into freed memory, and
//! memory does not grow.

use conformance::raw::{Event, Request};
use std::sync::{Arc, Mutex};

/// The lengths of buffers.
pub(crate) const CLASSES: [usize; 8] = [1, 100, 0, 16, 1000, 4096, 30_000, 200_000];

/// The class that an operand chooses: small ones mostly, since bytes cost time.
pub(crate) fn chosen(with: u8) -> usize {
    [0, 1, 3, 4, 1, 3, 4, 0, 2, 5, 1, 5, 3, 4, 6, 7][with as usize % 16]
}

/// What one operation takes.
#[derive(Debug)]
pub(crate) struct Lent {
    /// The OVERLAPPED and its buffer.
    pub request: Request,
    /// An event of its own.
    pub event: Arc<Event>,
    class: usize,
}

impl Lent {
    /// The length of its buffer.
    pub(crate) fn length(&self) -> usize {
        CLASSES[self.class]
    }
}

/// All that is not lent.
#[derive(Debug, Default)]
pub(crate) struct Pool(Mutex<[Vec<Lent>; CLASSES.len()]>);

impl Pool {
    /// A request whose buffer has the length of this class; its status is that of an operation that runs.
    pub(crate) fn take(&self, class: usize) -> Lent {
        let kept = self.0.lock().unwrap()[class].pop();
        let lent = kept.unwrap_or_else(|| {
            let event = Arc::new(Event::manual(false));
            Lent { request: Request::new(CLASSES[class]), event, class }
        });
        lent.request.set_internal(pentaport::sys::STATUS_PENDING as u32 as usize, 0);
        lent
    }

    /// Takes back what no operation uses any more.
    pub(crate) fn give_back(&self, lent: &Lent) {
        lent.event.reset();
        let lent = Lent { event: lent.event.clone(), ..*lent };
        self.0.lock().unwrap()[lent.class].push(lent);
    }
}

/// The smallest class whose buffers have this length.
pub(crate) fn class_for(length: usize) -> usize {
    let fits = (0..CLASSES.len()).filter(|&class| CLASSES[class] >= length);
    fits.min_by_key(|&class| CLASSES[class]).expect("no length is above the largest")
}
