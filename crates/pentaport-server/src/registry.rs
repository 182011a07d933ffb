//! The connections that are alive, by name.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::num::NonZeroU64;
use std::sync::Arc;

use ranked_locks::{Mutex, rank};

use crate::ConnectionId;

/// What a handle of a connection knows it by: the number of its id.
pub(crate) trait Named {
    fn name(&self) -> &NonZeroU64;
}

/// What a connection of this id is known by.
pub(crate) fn name(id: ConnectionId) -> NonZeroU64 {
    NonZeroU64::new(id.number()).expect("connections are numbered from 1")
}

/// The connections that are alive, by name. It is asked when one comes or goes and when something is sent to it from
/// outside, never for a message of its own. What it keeps are handles, cheap to clone.
#[derive(Debug)]
pub(crate) struct Registry<C> {
    shards: [Mutex<HashSet<Entry<C>>, rank::Leaf>; SHARDS],
}

/// A handle, found by the name that it knows: so an entry is no larger than a handle.
#[derive(Debug)]
struct Entry<C>(C);

impl<C: Named> Borrow<NonZeroU64> for Entry<C> {
    fn borrow(&self) -> &NonZeroU64 {
        self.0.name()
    }
}

impl<C: Named> Hash for Entry<C> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.name().hash(state);
    }
}

impl<C: Named> PartialEq for Entry<C> {
    fn eq(&self, other: &Self) -> bool {
        self.0.name() == other.0.name()
    }
}

impl<C: Named> Eq for Entry<C> {}

impl<C: Named> Named for Arc<C> {
    fn name(&self) -> &NonZeroU64 {
        C::name(self)
    }
}

/// Enough that workers rarely meet.
const SHARDS: usize = 16;

impl<C> Default for Registry<C> {
    fn default() -> Self {
        Registry { shards: Default::default() }
    }
}

impl<C: Clone + Named> Registry<C> {
    pub(crate) fn insert(&self, connection: C) {
        self.shard(*connection.name()).lock().insert(Entry(connection));
    }

    pub(crate) fn get(&self, id: ConnectionId) -> Option<C> {
        let name = NonZeroU64::new(id.number())?;
        self.shard(name).lock().get(&name).map(|Entry(connection)| connection.clone())
    }

    pub(crate) fn remove(&self, id: ConnectionId) {
        let name = name(id);
        let removed = self.shard(name).lock().take(&name);
        // Not under the lock, for this may be the last handle.
        drop(removed);
    }

    /// All connections that are alive; one that comes meanwhile may be missing.
    pub(crate) fn all(&self) -> Vec<C> {
        let mut all = Vec::new();
        for shard in &self.shards {
            all.extend(shard.lock().iter().map(|Entry(connection)| connection.clone()));
        }
        all
    }

    fn shard(&self, name: NonZeroU64) -> &Mutex<HashSet<Entry<C>>, rank::Leaf> {
        &self.shards[name.get() as usize % SHARDS]
    }
}
