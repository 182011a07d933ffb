//! The connections that are alive, by name.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::ConnectionId;

/// The connections that are alive, by name. It is asked when one comes or goes and when something is sent to it from
/// outside, never for a message of its own. What it keeps are handles, cheap to clone.
#[derive(Debug)]
pub(crate) struct Registry<C> {
    shards: [Mutex<HashMap<ConnectionId, C>>; SHARDS],
}

/// Enough that workers rarely meet.
const SHARDS: usize = 16;

impl<C> Default for Registry<C> {
    fn default() -> Self {
        Registry { shards: Default::default() }
    }
}

impl<C: Clone> Registry<C> {
    pub(crate) fn insert(&self, id: ConnectionId, connection: C) {
        self.shard(id).lock().insert(id, connection);
    }

    pub(crate) fn get(&self, id: ConnectionId) -> Option<C> {
        self.shard(id).lock().get(&id).cloned()
    }

    pub(crate) fn remove(&self, id: ConnectionId) {
        self.shard(id).lock().remove(&id);
    }

    /// All connections that are alive; one that comes meanwhile may be missing.
    pub(crate) fn all(&self) -> Vec<C> {
        let mut all = Vec::new();
        for shard in &self.shards {
            all.extend(shard.lock().values().cloned());
        }
        all
    }

    fn shard(&self, id: ConnectionId) -> &Mutex<HashMap<ConnectionId, C>> {
        &self.shards[id.number() as usize % SHARDS]
    }
}
