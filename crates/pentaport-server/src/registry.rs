//! The connections that are alive, by name.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::ConnectionId;

/// The connections that are alive, by name. It is asked when one comes or goes and when something is sent to it from
/// outside, never for a message of its own.
#[derive(Debug)]
pub(crate) struct Registry<C> {
    shards: [Mutex<HashMap<ConnectionId, Arc<C>>>; SHARDS],
}

/// Enough that workers rarely meet.
const SHARDS: usize = 16;

impl<C> Default for Registry<C> {
    fn default() -> Self {
        Registry { shards: Default::default() }
    }
}

impl<C> Registry<C> {
    pub(crate) fn insert(&self, id: ConnectionId, connection: Arc<C>) {
        self.shard(id).lock().insert(id, connection);
    }

    pub(crate) fn get(&self, id: ConnectionId) -> Option<Arc<C>> {
        self.shard(id).lock().get(&id).cloned()
    }

    pub(crate) fn remove(&self, id: ConnectionId) {
        self.shard(id).lock().remove(&id);
    }

    /// All connections that are alive; one that comes meanwhile may be missing.
    pub(crate) fn all(&self) -> Vec<Arc<C>> {
        let mut all = Vec::new();
        for shard in &self.shards {
            all.extend(shard.lock().values().cloned());
        }
        all
    }

    fn shard(&self, id: ConnectionId) -> &Mutex<HashMap<ConnectionId, Arc<C>>> {
        &self.shards[id.number() as usize % SHARDS]
    }
}
