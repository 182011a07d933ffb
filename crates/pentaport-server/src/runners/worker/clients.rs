//! The connections of a worker, each at a place of its own.

use slab::Slab;

/// What a worker and its mechanism call a connection: where it is, and the how-many-eth it is, so that what is told of one
/// that is gone does not reach the next at its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::runners) struct ClientId(usize);

/// More connections than a process can have handles.
const PLACE_BITS: u32 = 24;

/// What the models need of a token for themselves.
const SPARE_BITS: u32 = 2;

impl ClientId {
    /// A number for the connection, less than a quarter of the largest.
    pub(in crate::runners) fn token(self) -> usize {
        self.0
    }

    pub(in crate::runners) fn from_token(token: usize) -> Self {
        ClientId(token)
    }

    fn place(self) -> usize {
        self.0 & ((1 << PLACE_BITS) - 1)
    }
}

/// The connections of a worker.
pub(super) struct Clients<T> {
    places: Slab<(ClientId, T)>,
    turns: usize,
}

impl<T> Clients<T> {
    pub(super) fn new() -> Self {
        Clients { places: Slab::new(), turns: 0 }
    }

    /// What the next connection will be called that is [inserted](Self::insert).
    pub(super) fn next_id(&self) -> ClientId {
        ClientId(((self.turns << PLACE_BITS) | self.places.vacant_key()) & (usize::MAX >> SPARE_BITS))
    }

    pub(super) fn insert(&mut self, client: T) -> ClientId {
        let id = self.next_id();
        self.places.insert((id, client));
        self.turns = self.turns.wrapping_add(1);
        id
    }

    /// A connection, unless it is gone.
    pub(super) fn get_mut(&mut self, id: ClientId) -> Option<&mut T> {
        self.places.get_mut(id.place()).filter(|(its, _)| *its == id).map(|(_, client)| client)
    }

    pub(super) fn remove(&mut self, id: ClientId) -> Option<T> {
        self.get_mut(id)?;
        Some(self.places.remove(id.place()).1)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (ClientId, &T)> {
        self.places.iter().map(|(_, (id, client))| (*id, client))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_is_gone_is_not_taken_for_the_next_at_its_place() {
        let mut clients = Clients::new();
        assert!(clients.is_empty());
        let (next, first) = (clients.next_id(), clients.insert("first"));
        assert_eq!(next, first);
        let second = clients.insert("second");
        assert_eq!(clients.remove(first), Some("first"));
        let third = clients.insert("third");
        assert_eq!(first.place(), third.place());
        assert_eq!(clients.get_mut(first), None);
        assert_eq!(clients.remove(first), None);
        assert_eq!(clients.get_mut(third), Some(&mut "third"));
        assert_eq!(clients.iter().collect::<Vec<_>>(), [(third, &"third"), (second, &"second")]);
    }

    #[test]
    fn tokens_leave_room_and_come_back() {
        let mut clients = Clients::new();
        clients.turns = usize::MAX;
        for _ in 0..3 {
            let id = clients.insert(());
            assert!(id.token() <= usize::MAX / 4);
            assert_eq!(ClientId::from_token(id.token()), id);
            assert_eq!(clients.remove(id), Some(()));
        }
    }
}
