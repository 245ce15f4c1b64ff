//! Where the actors of one kind are found by their key: a sharded map, bounded by whoever puts things in.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ractor::Message;

use super::call::InFlight;
use super::slot::Slot;
use crate::lock::lock;
use crate::seeded::SeededState;

/// What is known of one key: its actor, if it has one now, and what outlives the actor.
pub(crate) struct Member<M: Message, S> {
    /// The actor.
    pub slot: Slot<M>,
    /// What outlives the actor.
    pub shared: S,
    /// The calls under way.
    pub calls: InFlight,
    /// When it was last looked up: milliseconds on the monotonic clock.
    used_at: AtomicU64,
}

impl<M: Message, S> Member<M, S> {
    fn new(shared: S, now: Duration) -> Self {
        Self {
            slot: Slot::empty(),
            shared,
            calls: InFlight::default(),
            used_at: AtomicU64::new(millis(now)),
        }
    }

    /// When it was last looked up, on the monotonic clock.
    pub fn used_at(&self) -> Duration {
        Duration::from_millis(self.used_at.load(Ordering::Relaxed))
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

type Shard<K, M, S> = Mutex<HashMap<K, Arc<Member<M, S>>, SeededState>>;

/// All members of one kind.
pub(crate) struct Directory<K, M: Message, S> {
    shards: Vec<Shard<K, M, S>>,
    hash: SeededState,
    count: AtomicUsize,
}

impl<K: Copy + Ord + Hash, M: Message, S> Directory<K, M, S> {
    /// Enough that two requests seldom meet at one lock.
    const SHARDS: usize = 64;

    /// An empty directory.
    pub fn new(hash: SeededState) -> Self {
        Self {
            shards: (0..Self::SHARDS)
                .map(|_| Mutex::new(HashMap::with_hasher(hash.clone())))
                .collect(),
            hash,
            count: AtomicUsize::new(0),
        }
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// The member with this key; counts as use.
    pub fn get(&self, key: K, now: Duration) -> Option<Arc<Member<M, S>>> {
        let shard = lock(self.shard(key));
        let member = shard.get(&key)?;
        member.used_at.store(millis(now), Ordering::Relaxed);
        Some(member.clone())
    }

    /// The member with this key, which is made if need be; counts as use.
    pub fn get_or_insert(&self, key: K, now: Duration, shared: impl FnOnce() -> S) -> Arc<Member<M, S>> {
        let mut shard = lock(self.shard(key));
        let member = shard.entry(key).or_insert_with(|| {
            self.count.fetch_add(1, Ordering::Relaxed);
            Arc::new(Member::new(shared(), now))
        });
        member.used_at.store(millis(now), Ordering::Relaxed);
        member.clone()
    }

    /// The member with this key, without counting as use.
    pub fn peek(&self, key: K) -> Option<Arc<Member<M, S>>> {
        lock(self.shard(key)).get(&key).cloned()
    }

    /// Does something while nobody can find, add or remove this member; `None` if it is not the one in here any more.
    pub fn while_present<R>(&self, key: K, member: &Arc<Member<M, S>>, action: impl FnOnce() -> R) -> Option<R> {
        let shard = lock(self.shard(key));
        let present = shard.get(&key).is_some_and(|found| Arc::ptr_eq(found, member));
        present.then(action)
    }

    /// Takes a member out if it is in a condition to be taken out.
    pub fn remove_if(&self, key: K, condition: impl FnOnce(&Member<M, S>) -> bool) -> Option<Arc<Member<M, S>>> {
        let mut shard = lock(self.shard(key));
        if !condition(shard.get(&key)?) {
            return None;
        }
        self.count.fetch_sub(1, Ordering::Relaxed);
        shard.remove(&key)
    }

    /// Every key, in order.
    pub fn keys(&self) -> Vec<K> {
        let mut keys = Vec::with_capacity(self.len());
        for shard in &self.shards {
            keys.extend(lock(shard).keys().copied());
        }
        keys.sort_unstable();
        keys
    }

    fn shard(&self, key: K) -> &Shard<K, M, S> {
        let hash = usize::try_from(self.hash.hash_one(key) >> 32).expect("32 bits fit a usize");
        &self.shards[hash % Self::SHARDS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Zeros;
    impl domain::ports::Entropy for Zeros {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    #[test]
    fn a_member_is_made_once_found_again_and_taken_out_only_on_its_condition() {
        let directory: Directory<u32, (), u32> = Directory::new(SeededState::new(&Zeros));
        let first = directory.get_or_insert(7, Duration::from_secs(1), || 70);
        let again = directory.get_or_insert(7, Duration::from_secs(2), || 71);
        assert!(Arc::ptr_eq(&first, &again));
        assert_eq!(
            (again.shared, again.used_at(), directory.len()),
            (70, Duration::from_secs(2), 1)
        );
        assert!(directory.remove_if(7, |member| member.shared == 71).is_none());
        assert_eq!(directory.while_present(7, &first, || "here"), Some("here"));
        assert!(directory.remove_if(7, |member| member.shared == 70).is_some());
        assert_eq!(directory.while_present(7, &first, || "here"), None);
        assert_eq!(directory.len(), 0);
    }

    #[test]
    fn keys_come_in_order() {
        let directory: Directory<u32, (), ()> = Directory::new(SeededState::new(&Zeros));
        for key in [9, 3, 200, 41] {
            directory.get_or_insert(key, Duration::ZERO, || ());
        }
        assert_eq!(directory.keys(), [3, 9, 41, 200]);
    }
}
