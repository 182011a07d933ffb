//! Copies of what sends have accepted and the kernel has not taken yet. Their memory is kept for the next ones: a server
//! whose clients read late makes one with most of its sends.

use ranked_locks::{Mutex, rank};

use crate::socket::request::{Owned, total};
use crate::types::*;

/// Copies that are not needed at the moment. All together take a megabyte at most.
#[expect(clippy::vec_box, reason = "what is kept is the allocation")]
static SPARE: Mutex<Vec<Box<Owned>>, rank::Leaf> = Mutex::new(Vec::new());
const MOST_SPARE: usize = 16;
const LARGEST_SPARE: usize = 64 * 1024;

/// Copies what the buffers hold, but for the first `skip` bytes.
///
/// # Safety
/// The buffers are readable.
pub(super) unsafe fn copy_after(buffers: &[WSABUF], mut skip: usize) -> Box<Owned> {
    let length = total(buffers) as usize - skip;
    let spare = if length <= LARGEST_SPARE { SPARE.lock().pop() } else { None };
    let mut copy = spare.unwrap_or_default();
    copy.fill(|data| {
        match length <= LARGEST_SPARE {
            // It soon is as large as any has to be.
            true => data.reserve(length.next_power_of_two()),
            false => data.reserve_exact(length),
        }
        for buffer in buffers {
            let len = buffer.len as usize;
            let cut = skip.min(len);
            skip -= cut;
            // An empty buffer may be null.
            if cut < len {
                // SAFETY: as the caller promises.
                data.extend_from_slice(unsafe { std::slice::from_raw_parts(buffer.buf.add(cut), len - cut) });
            }
        }
    });
    copy
}

/// Keeps the memory of a copy that has been sent.
pub(super) fn keep(mut copy: Box<Owned>) {
    if copy.capacity() > LARGEST_SPARE {
        return;
    }
    copy.fill(Vec::clear);
    let mut spare = SPARE.lock();
    if spare.len() < MOST_SPARE {
        spare.push(copy);
    }
}
